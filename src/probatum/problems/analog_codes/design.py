"""Which outliers a code locates: from its heights, and by a decoder that does it.

What comes out of the memory is y = c + noise + e: c a codeword, every |noise_i| <= delta, and e not 0 at the outliers
only. A decoder *corrects* tau and *detects* sigma more, above Delta, if

- with at most tau outliers it names a set of positions that holds all i with |e_i| > Delta and only outliers;
- with at most tau + sigma it names a set that holds all i with |e_i| > Delta, or says that there are too many.

There is one if and only if Delta / delta >= 2 h_m + 2, m = 2 tau + sigma (R. M. Roth, IEEE Transactions on Information
Theory 66, 2020; derived in docs/analog_codes_design.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError
from probatum.problems.analog_codes.constructions import Construction, constructions
from probatum.problems.analog_codes.heights import height_profile


@dataclass(frozen=True)
class FaultModel:
    """What a code has to cope with.

    Attributes:
        delta: largest size of the noise that every position has; above 0.
        Delta: outliers larger than this have to be found.
        correct: tau, outliers that are located.
        detect: sigma, outliers beyond these that are noticed.
    """

    delta: float
    Delta: float
    correct: int
    detect: int

    def __post_init__(self) -> None:
        if not (0 < self.delta < np.inf and 0 < self.Delta < np.inf):
            raise DataError(
                f"delta {self.delta} and Delta {self.Delta} are no sizes", remedy="choose finite numbers above 0"
            )
        if self.correct < 0 or self.detect < 0 or self.m == 0:
            raise DataError(
                f"nothing is asked for by {self.correct} to correct and {self.detect} to detect",
                remedy="choose numbers from 0, and one of them at least 1",
            )

    @property
    def m(self) -> int:
        """2 tau + sigma, the m whose height decides."""
        return 2 * self.correct + self.detect

    @property
    def largest_height(self) -> float:
        """The largest h_m that does."""
        return self.Delta / self.delta / 2 - 1


@dataclass(frozen=True, eq=False)
class Candidate:
    """A construction that copes with a fault model.

    Attributes:
        code: the construction.
        height: its h_m.
    """

    code: Construction
    height: float

    @property
    def rate(self) -> float:
        k, n = self.code.G.shape
        return k / n


def candidates(faults: FaultModel, lengths: range) -> list[Candidate]:
    """The constructions that cope with a fault model, highest rate k / n first, then shortest."""
    found = []
    for length in lengths:
        for code in constructions(length):
            k, n = code.G.shape
            if n - k >= faults.m:
                height = float(height_profile(code.G)[faults.m - 1])
                # Heights have an error of their own.
                if height <= faults.largest_height * (1 + 1e-9):
                    found.append(Candidate(code, height))
    return sorted(found, key=lambda c: (-c.rate, c.code.G.shape[1]))


def locate_outliers(
    G: Float[np.ndarray, "dimension length"], y: Float[np.ndarray, " length"], faults: FaultModel
) -> frozenset[int] | None:
    """The outliers' positions, or None where there are more than can be corrected.

    J, a set of tau positions, explains y if some codeword differs from y by at most delta everywhere else. Named are
    the positions that all explanations share; without any, there are too many outliers. One linear program for each J.

    Args:
        G: [k, n] float64, a generator.
        y: [n] float64, what was received.
        faults: the fault model.
    """
    from scipy.optimize import linprog

    n = G.shape[1]
    shared: frozenset[int] | None = None
    for J in combinations(range(n), faults.correct):
        rest = [i for i in range(n) if i not in J]
        A = G[:, rest].T
        # Noise of exactly delta is allowed; only the solver's own tolerance is added.
        limit = faults.delta * (1 + 1e-9)
        solution = linprog(
            np.zeros(len(G)),
            A_ub=np.vstack([A, -A]) / faults.delta,
            b_ub=np.concatenate([y[rest] + limit, limit - y[rest]]) / faults.delta,
            bounds=(None, None),
        )
        if solution.status == 0:
            shared = frozenset(J) if shared is None else shared & frozenset(J)
    return shared


def missed(G: Float[np.ndarray, "dimension length"], faults: FaultModel, trials: int, seed: int) -> int:
    """How many of simulated words the decoder treats otherwise than it promises; 0 where the height suffices.

    Noise is uniform in -delta..delta or at its ends; the outliers, one to tau + sigma, are of the size of Delta or of
    delta, a few times more or less; codewords have entries about as large.
    """
    rng = np.random.default_rng(seed)
    k, n = G.shape
    failures = 0
    for _ in range(trials):
        word = rng.normal(size=k) @ G * faults.Delta
        noise = faults.delta * (rng.uniform(-1, 1, n) if rng.random() < 0.5 else rng.choice([-1.0, 1.0], n))
        e = np.zeros(n)
        count = int(rng.integers(1, faults.correct + faults.detect + 1))
        at = rng.choice(n, count, replace=False)
        e[at] = (
            rng.choice([-1.0, 1.0], count)
            * rng.uniform(0.1, 3, count)
            * rng.choice([faults.delta, faults.Delta], count)
        )
        found = locate_outliers(G, word + noise + e, faults)
        large = frozenset(np.flatnonzero(np.abs(e) > faults.Delta).tolist())
        if count <= faults.correct:
            failures += found is None or not (large <= found <= frozenset(at.tolist()))
        else:
            failures += found is not None and not large <= found
    return failures
