"""Looks for codes of small height: among integer matrices P of bounded entries, or among all real ones.

Rounds are independent and numbered; each begins at a random P that the seed and its number decide, so a search can be
continued from what it has written down. A round among integers changes one entry at a time, the best change first,
and kicks a few where none is better. Rounds among real numbers are evolution strategies: of three, the first moves the
entries of P, the others the columns that a symmetry repeats (`symmetric_codes`), a different one each.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError, StorageError
from probatum.problems.analog_codes.evolution_strategy import minimum
from probatum.problems.analog_codes.heights import MAX_LENGTH, heights_of
from probatum.problems.analog_codes.symmetric_codes import random_symmetry

KICKS = 12
"""Kicks of a round among integers; each changes two or three entries of the best matrix."""
BUDGET = 40_000
"""Changes of one entry looked at in one step, at most; a random choice of them where there are more."""


@dataclass(frozen=True)
class Search:
    """What is looked for, and what has been found.

    Attributes:
        n, k, m: the code with generator [I_k | P] whose h_m is to be small.
        entries: smallest and largest entry of P, integers; None for real numbers.
        seed: of all rounds.
        rounds: how many have been done.
        height: the smallest h_m found, infinite before the first round.
        P: k rows of n - k numbers that have it.
    """

    n: int
    k: int
    m: int
    entries: tuple[int, int] | None = None
    seed: int = 0
    rounds: int = 0
    height: float = np.inf
    P: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        if not (1 <= self.k < self.n <= MAX_LENGTH and 1 <= self.m <= self.n - self.k):
            raise DataError(
                f"there is no h_{self.m} of a code of length {self.n} and dimension {self.k} to look for",
                remedy=f"choose n up to {MAX_LENGTH}, 1 <= k < n and 1 <= m <= n - k",
            )
        if self.entries is not None and not -1000 <= self.entries[0] < self.entries[1] <= 1000:
            raise DataError(
                f"entries from {self.entries[0]} to {self.entries[1]} are no range",
                remedy="choose one within -1000..1000",
            )

    @property
    def bound(self) -> float:
        """What no code can be below: 1, and for m = n - k, k.

        A circuit's minors sum to at least k + 1 times its smallest, so S_U / |D_I| - 1 >= k for some I in U.
        """
        return float(self.k) if self.m == self.n - self.k else 1.0


def continued(search: Search, rounds: int, state: Path | None = None) -> Search:
    """The search after so many more rounds; each is written to `state` as soon as it is done.

    Raises:
        StorageError: the file cannot be written.
    """
    for _ in range(rounds):
        rng = np.random.default_rng([search.seed, search.rounds])
        P, height = _among_reals(search, rng) if search.entries is None else _among_integers(search, rng)
        search = replace(search, rounds=search.rounds + 1)
        if height < search.height:
            search = replace(search, height=height, P=tuple(map(tuple, P.tolist())))
        if state is not None:
            _write(search, state)
    return search


def resumed(search: Search, state: Path) -> Search:
    """The search as the file says it stands; as given, where there is no such file.

    Raises:
        DataError: the file is of another search, or none.
    """
    try:
        content = json.loads(state.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return search
    except (OSError, ValueError, RecursionError):
        raise DataError("is no state of a search", where=str(state), remedy="name another file") from None
    try:
        entries = content["entries"]
        asked = {"n": search.n, "k": search.k, "m": search.m, "seed": search.seed}
        was = {name: content[name] for name in asked}
        stored = replace(
            search,
            entries=None if entries is None else (entries[0], entries[1]),
            rounds=int(content["rounds"]),
            height=float("inf" if content["height"] is None else content["height"]),
            P=tuple(tuple(float(x) for x in row) for row in content["P"]),
        )
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        raise DataError("is no state of a search", where=str(state), remedy="name another file") from None
    if was != asked or stored.entries != search.entries:
        raise DataError(f"is of another search: {was}, entries {entries}", where=str(state), remedy="name another file")
    return stored


def _write(search: Search, state: Path) -> None:
    content = {"schema": 1, **asdict(search)}
    content["height"] = None if np.isinf(search.height) else search.height
    beside = state.with_name(state.name + ".part")
    try:
        beside.write_text(json.dumps(content) + "\n", encoding="utf-8")
        os.replace(beside, state)
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror}", where=str(state)) from None


def _among_integers(
    search: Search, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "dimension redundancy"], float]:
    assert search.entries is not None
    low, high = search.entries
    shape = (search.k, search.n - search.k)
    best = rng.integers(low, high + 1, shape).astype(np.float64)
    height = float(heights_of(best[None], search.m)[0])
    for kick in range(KICKS + 1):
        P = best.copy()
        if kick:
            for _ in range(rng.integers(2, 4)):
                P[rng.integers(shape[0]), rng.integers(shape[1])] = rng.integers(low, high + 1)
        P, reached = _descended(P, low, high, search.m, rng)
        if reached <= height:
            best, height = P, reached
    return best, height


def _descended(
    P: Float[np.ndarray, "dimension redundancy"], low: int, high: int, m: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "dimension redundancy"], float]:
    """Changes single entries, the best change first, until none is better."""
    height = float(heights_of(P[None], m)[0])
    changes = np.array([(r, c, v) for r in range(P.shape[0]) for c in range(P.shape[1]) for v in range(low, high + 1)])
    while True:
        chosen = changes if len(changes) <= BUDGET else rng.choice(changes, BUDGET, replace=False)
        tried = np.repeat(P[None], len(chosen), axis=0)
        tried[np.arange(len(chosen)), chosen[:, 0], chosen[:, 1]] = chosen[:, 2]
        heights = heights_of(tried, m)
        best = int(np.argmin(heights))
        if not heights[best] < height:
            return P, height
        P, height = tried[best], float(heights[best])


def _among_reals(search: Search, rng: np.random.Generator) -> tuple[Float[np.ndarray, "dimension redundancy"], float]:
    shape = (search.k, search.n - search.k)
    symmetry = random_symmetry(search.n, search.k, rng) if search.rounds % 3 else None

    def matrices(points: Float[np.ndarray, "point coordinate"]) -> Float[np.ndarray, "point dimension redundancy"]:
        return points.reshape(-1, *shape) if symmetry is None else symmetry.matrices(points)

    size = search.k * (search.n - search.k) if symmetry is None else symmetry.size
    best, height = minimum(lambda points: heights_of(matrices(points), search.m), size, rng)
    return matrices(best[None])[0], height
