"""Whether a column's values form two heaps that a factor between units makes one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

FACTORS = (60.0, 100.0, 1000.0, 3600.0, 1e6)
"""Between units, and far enough from 1 to leave a gap between the heaps."""
LEAST_DISTINCT = 8
"""Distinct values from which a heap has a distribution."""
BROAD = 1.5
"""Ratio of the 90th to the 10th percentile from which a heap is no set value that scatters."""
MOST_ROWS = 2_000
"""Rows in which a gap is looked for; of more, a random sample."""


@dataclass(frozen=True, eq=False)
class Heaps:
    """Two heaps of a column.

    Attributes:
        factor: between them.
        smaller, larger: [row] bool; values that are 0 or not finite are in neither.
    """

    factor: float
    smaller: np.ndarray
    larger: np.ndarray


def two_heaps(values: np.ndarray, level: float) -> Heaps | None:
    """The heaps that are most alike; None where there are no two, or none that are alike.

    Of three windows of equal width on the logarithmic scale, the middle one of a distribution of one peak holds at
    least as many rows as one of the outer ones, on average (binomial test, at every value t and factor f). The windows
    are those from t / w to t, t to t w, and t w^2 to t w^3, with w^3 = f.

    Args:
        values: [row] float64.
        level: probability of heaps where there is one peak.
    """
    known = np.isfinite(values) & (values != 0)
    sizes = np.where(known, np.abs(values), 1.0)
    some = np.flatnonzero(known)
    if len(some) > MOST_ROWS:
        some = np.random.default_rng(0).choice(some, MOST_ROWS, replace=False)
    logs = np.sort(np.log(sizes[some]))
    count, bound = np.arange(1, len(logs) + 1), level / max(1, len(logs)) / len(FACTORS)
    alike = []
    for factor in FACTORS:
        width = np.log(factor) / 3
        up_to = [np.searchsorted(logs, logs + steps * width, side="right") for steps in (-1, 1, 2, 3)]
        between, outside = up_to[1] - count, np.minimum(count - up_to[0], up_to[3] - up_to[2])
        places = np.flatnonzero(outside >= 1 - np.log2(bound))  # with fewer rows even none between them says nothing
        chance = 2 * stats.binom.cdf(between[places], (between + outside)[places], 0.5)
        if chance.min(initial=1) > bound:
            continue
        larger = known & (sizes > np.exp(logs[places[np.argmin(chance)]]))
        heaps = Heaps(factor, known & ~larger, larger)
        unlike = _unlike(values[heaps.smaller] * factor, values[larger], 1 / factor)
        if unlike is not None:
            alike.append((unlike, heaps))
    return min(alike, key=lambda one: one[0])[1] if alike else None


def _unlike(smaller: np.ndarray, larger: np.ndarray, below: float) -> float | None:
    """How much two heaps in one unit differ, as Kolmogorov and Smirnov have it; None where it is more than chance.

    A share `below` of the larger heap is expected among the smaller values.
    """
    if min(len(np.unique(smaller)), len(np.unique(larger))) < LEAST_DISTINCT:
        return None
    for heap in (smaller, larger):
        low, high = np.quantile(np.abs(heap), [0.1, 0.9])
        if high < BROAD * low:
            return None
    usual = 1.36 * np.sqrt(1 / len(smaller) + 1 / len(larger)) + below * len(larger) / len(smaller)
    statistic = kolmogorov(smaller, larger)[0]
    return statistic if statistic <= usual else None


def kolmogorov(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Statistic and probability of the two-sample test of Kolmogorov and Smirnov."""
    statistic, probability = np.asarray(stats.ks_2samp(one, other), dtype=np.float64)
    return float(statistic), float(probability)
