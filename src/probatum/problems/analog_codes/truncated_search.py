"""Lower bounds of heights in a given number of steps: what a learned height has to beat at equal time.

Three searches, compiled alike and working on batches alike:
- of vertices (formula F2 in docs/analog_codes_heights.md): codewords that are 1 in size on random information sets;
- of minors (formula F4): the minimum over all bases of some T, and its maximum over those T;
- local: linear programs, climbing from random T (`vertex_search`).
None of them is exact; with more steps they come near.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from jaxtyping import Bool, Float, Int

from probatum.errors import DataError

AFRESH = 64
"""Steps after which a tableau is computed afresh, against rounding errors that grow with small pivots."""
WORDS = 8
"""Codewords looked at on each basis; an exchange costs as much as several."""


@dataclass(frozen=True, eq=False)
class Walk:
    """Exchanges that all codes of one shape go through.

    Attributes:
        exchanges: [step, 2] int64, row and column that change places.
        afresh: [step] bool, whether the walk begins again at the columns of the identity before the step.
        labels: [step, n - k] int64, the columns of G outside the basis after the step.
        ends: [step] int64, m where a T of n - m columns is complete; -1 at the end of a walk between two; else 0.
        outside: [step, n - k] bool, which labels are outside that T.
    """

    exchanges: Int[np.ndarray, "step 2"]
    afresh: Bool[np.ndarray, " step"]
    labels: Int[np.ndarray, "step redundancy"]
    ends: Int[np.ndarray, " step"]
    outside: Bool[np.ndarray, "step redundancy"]


def vertex_bounds(
    P: Float[np.ndarray, "code ..."], bases: int, *, seed: int = 0
) -> Float[np.ndarray, "code redundancy"]:
    """Heights of `WORDS` codewords on each of some random bases, the largest for each m.

    Args:
        P: [code, k, n - k] float64.
        bases: how many.
        seed: of the bases and signs, the same for all codes.

    Returns:
        [code, n - k] float64, lower bounds of h_m up to rounding, rising along each row.

    Raises:
        DataError: for no bases.
    """
    from probatum.problems.analog_codes.lanes import rows
    from probatum.problems.analog_codes.truncated_search_kernel import vertex_bounds_into

    codes, k, redundancy = _checked(P, bases)
    walk = random_walk(k, redundancy, bases, seed)
    rng = np.random.default_rng([seed, 1])
    bounds = np.empty((codes, redundancy))
    vertex_bounds_into(
        bounds,
        np.ascontiguousarray(P).reshape(codes, -1),
        walk.exchanges,
        walk.afresh,
        rng.integers(0, k, (bases, min(WORDS, 1 << (k - 1)))),
        rng.choice([-1.0, 1.0], (bases, k)),
        np.array(sorting_network(redundancy), np.int64).reshape(-1, 2),
        *(rows(count) for count in (k * redundancy, redundancy, redundancy, redundancy)),
    )
    return bounds


def minor_bounds(
    P: Float[np.ndarray, "code ..."], steps: int, *, seed: int = 0
) -> Float[np.ndarray, "code redundancy"]:
    """Formula F4 with some T in the place of all: a T of each size for which the steps suffice, in turn.

    Args:
        P: [code, k, n - k] float64.
        steps: exchanges, each to another basis.
        seed: of the T, the same for all codes.

    Returns:
        [code, n - k] float64, lower bounds of h_m up to rounding, rising along each row.

    Raises:
        DataError: for no steps.
    """
    from probatum.problems.analog_codes.lanes import rows
    from probatum.problems.analog_codes.truncated_search_kernel import minor_bounds_into

    codes, k, redundancy = _checked(P, steps)
    walk = covering_walk(k, redundancy, steps, seed)
    bounds = np.empty((codes, redundancy))
    minor_bounds_into(
        bounds,
        np.ascontiguousarray(P).reshape(codes, -1),
        walk.exchanges,
        walk.afresh,
        walk.ends,
        walk.labels,
        walk.outside,
        *(rows(count) for count in (k * redundancy, k + redundancy, redundancy)),
    )
    return bounds


def local_bounds(
    P: Float[np.ndarray, "code ..."], rounds: int, *, seed: int = 0
) -> Float[np.ndarray, "code redundancy"]:
    """`vertex_search.search` of many codes.

    Args:
        P: [code, k, n - k] float64.
        rounds: restarts and exchanges for each m.
        seed: of the search, the same for all codes.

    Returns:
        [code, n - k] float64, lower bounds of h_m up to rounding, rising along each row.

    Raises:
        DataError: for no rounds.
    """
    from probatum.problems.analog_codes.truncated_search_kernel import local_bounds_into

    codes, k, redundancy = _checked(P, rounds)
    G = np.concatenate([np.broadcast_to(np.eye(k), (codes, k, k)), P], axis=2)
    bounds = np.empty((codes, redundancy))
    local_bounds_into(bounds, G, rounds, seed)
    return np.maximum.accumulate(bounds, axis=1)


def sorting_network(values: int) -> list[tuple[int, int]]:
    """Comparisons that bring any values into order: odd-even merge sort (Batcher 1968), for any number of them."""
    comparisons = []
    width = 1
    while width < values:
        step = width
        while step >= 1:
            for first in range(step % width, values - step, 2 * step):
                pairs = [(i, i + step) for i in range(first, first + min(step, values - first - step))]
                comparisons += [(a, b) for a, b in pairs if a // (2 * width) == b // (2 * width)]
            step //= 2
        width *= 2
    return comparisons


@lru_cache(maxsize=64)
def random_walk(k: int, redundancy: int, steps: int, seed: int) -> Walk:
    """Random exchanges, one basis after the other."""
    rng, route = np.random.default_rng([seed, 0]), _Route(k, redundancy)
    for step in range(steps):
        if step % AFRESH == 0:
            route.restart()
        route.exchange_any(rng)
    return route.walk()


@lru_cache(maxsize=64)
def covering_walk(k: int, redundancy: int, steps: int, seed: int) -> Walk:
    """Random exchanges between which all bases of some T are visited; sizes of T take about equal shares of steps."""
    rng, route = np.random.default_rng([seed, 2]), _Route(k, redundancy)
    spent = dict.fromkeys(range(1, redundancy), 0)
    while (left := steps - len(route.exchanges)) > 0:
        if len(route.exchanges) >= route.restarted + AFRESH or not route.exchanges:
            route.restart()
        for _ in range(min(k, redundancy, left)):
            route.exchange_any(rng)
        left = steps - len(route.exchanges)
        # One of the bases, the present one, has been visited already.
        cost = {m: comb(k + redundancy - m, k) - 1 for m in spent}
        possible = [m for m in spent if cost[m] <= left]
        if possible:
            m = min(possible, key=lambda m: spent[m] + cost[m])
            spent[m] += cost[m]
            route.cover(m, rng)
    return route.walk()


def subsets_by_exchanges(size: int, k: int) -> list[tuple[int, ...]]:
    """All k-subsets of 0..size-1, (0, ..., k-1) first, each from the last by one exchange.

    The revolving door (Nijenhuis and Wilf, Combinatorial Algorithms, 1978).
    """
    if k == 0:
        return [()]
    if k == size:
        return [tuple(range(size))]
    without, within = subsets_by_exchanges(size - 1, k), subsets_by_exchanges(size - 1, k - 1)
    return without + [(*subset, size - 1) for subset in reversed(within)]


class _Route:
    """A walk while it is made; lives inside the two functions above."""

    def __init__(self, k: int, redundancy: int):
        self.k, self.redundancy = k, redundancy
        self.exchanges: list[tuple[int, int]] = []
        self.afresh: list[bool] = []
        self.labels: list[list[int]] = []
        self.ends: list[int] = []
        self.outside: list[list[bool]] = []
        self.restart()

    def restart(self) -> None:
        """The next exchange is one of the identity's columns."""
        self.restarted = len(self.exchanges)
        self.basis, self.others = list(range(self.k)), list(range(self.k, self.k + self.redundancy))

    def exchange(self, row: int, column: int, end: int) -> None:
        self.afresh.append(self.restarted == len(self.exchanges))
        self.basis[row], self.others[column] = self.others[column], self.basis[row]
        self.exchanges.append((row, column))
        self.labels.append(self.others.copy())
        self.ends.append(end)
        self.outside.append([False] * self.redundancy)

    def exchange_any(self, rng: np.random.Generator) -> None:
        self.exchange(int(rng.integers(self.k)), int(rng.integers(self.redundancy)), -1)

    def cover(self, m: int, rng: np.random.Generator) -> None:
        """Visits the other bases of a T that is the present basis and random columns beside it."""
        T = self.basis + rng.choice(self.others, self.redundancy - m, replace=False).tolist()
        self.ends[-1] = 0  # the present basis counts
        for subset in subsets_by_exchanges(len(T), self.k)[1:]:
            wanted = {T[t] for t in subset}
            leaving, entering = set(self.basis) - wanted, wanted - set(self.basis)
            self.exchange(self.basis.index(leaving.pop()), self.others.index(entering.pop()), 0)
        self.ends[-1] = m
        self.outside[-1] = [label not in T for label in self.others]

    def walk(self) -> Walk:
        return Walk(
            np.array(self.exchanges, np.int64),
            np.array(self.afresh),
            np.array(self.labels, np.int64),
            np.array(self.ends, np.int64),
            np.array(self.outside),
        )


def _checked(P: Float[np.ndarray, "code ..."], steps: int) -> tuple[int, int, int]:
    if steps < 1:
        raise DataError(f"there is no search of {steps} steps", remedy="choose 1 or more")
    if P.ndim != 3:
        raise DataError(f"P has shape {P.shape}", remedy="pass [code, k, n - k]")
    return P.shape
