"""Practical identifiability: how far a constant can move before the best fit of all others becomes significantly worse.

Profile of k_j (Raue et al., Bioinformatics 25, 1923, 2009): the least residual with k_j held at a value, all others at
their best within their bounds. A constant is practically identifiable if its profile rises above the threshold on both
sides within the bounds; if it stays below, the data allow every value up to there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Real
from scipy import sparse
from scipy.stats import chi2

from probatum.problems.metabolism.box_descent import bounded_least_squares
from probatum.problems.metabolism.regression import NormalEquations

HALVINGS = 40
DOUBLINGS = 60


@dataclass(frozen=True)
class Profile:
    """Of one constant.

    Attributes:
        best: its value in the best fit.
        lower, upper: where the profile crosses the threshold; the bound itself where it does not.
        open_below, open_above: whether it does not.
    """

    best: float
    lower: float
    upper: float
    open_below: bool
    open_above: bool

    @property
    def identifiable(self) -> bool:
        """Whether the data bound the constant on both sides."""
        return not (self.open_below or self.open_above)


def profile(
    equations: NormalEquations,
    j: int,
    variance: float,
    level: float = 0.9,
    lower: Real[np.ndarray, " reaction"] | float = 0.0,
    upper: Real[np.ndarray, " reaction"] | float = np.inf,
) -> Profile:
    """The profile interval of constant j.

    Args:
        equations: normal equations of a form whose errors are about white (integral or weak).
        j: which constant.
        variance: of an equation's error.
        level: of the interval.
        lower, upper: bounds, one for all or [reaction].
    """
    count = len(equations.right)
    low, high = (np.broadcast_to(np.asarray(bound, dtype=np.float64), count) for bound in (lower, upper))
    best = bounded_least_squares(equations.gram, equations.right, low, high)
    threshold = float(chi2.ppf(level, 1)) * variance

    def rise(value: float) -> float:
        """Of the residual above its least, in the quadratic's own terms: no digits are lost."""
        lo, hi = low.copy(), high.copy()
        lo[j] = hi[j] = value
        start = best.copy()
        start[j] = value
        d = bounded_least_squares(equations.gram, equations.right, lo, hi, start) - best
        downhill = equations.right - equations.gram @ best
        return float(d @ (equations.gram @ d) - 2 * d @ downhill)

    curvature = float(sparse.csr_array(equations.gram)[j, j])
    scale = float(np.sqrt(threshold / curvature)) if curvature > 0 else 1.0
    below, open_below = _crossing(rise, float(best[j]), -scale, float(low[j]), threshold)
    above, open_above = _crossing(rise, float(best[j]), scale, float(high[j]), threshold)
    return Profile(float(best[j]), below, above, open_below, open_above)


def _crossing(
    rise: Callable[[float], float], best: float, step: float, bound: float, threshold: float
) -> tuple[float, bool]:
    """Where the rise passes the threshold, by doubled steps from the best to the bound, and whether it does not."""
    inside, outside = best, best
    for _ in range(DOUBLINGS):
        outside = best + step
        past = outside <= bound if step < 0 else outside >= bound
        outside = bound if past else outside
        if rise(outside) > threshold:
            break
        inside = outside
        if past:
            return bound, True
        step *= 2
    else:
        return bound, True
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rise(middle) > threshold else (middle, outside)
    return (inside + outside) / 2, False
