"""Tests and intervals on paired differences: corrected resampled t, five by two, sign flips, cluster bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float, Real, Shaped
from scipy import special

EXACT_UNITS = 32
"""Up to 2^32 sign patterns are all counted; beyond, they are sampled."""
SAMPLES = 100_000
BLOCK = 10_000
KEPT = 1_000_000
"""Elements of the bootstrap's draws that are kept for the next arm."""

Alternative = Literal["two-sided", "less", "greater"]


@dataclass(frozen=True)
class CorrectedT:
    """A resampled t statistic with the variance corrected for overlapping training sets.

    Attributes:
        estimate: mean difference.
        error: its standard error.
        degrees: of freedom.
        ratio: test rows over training rows.
        spread: standard deviation of the differences.
    """

    estimate: float
    error: float
    degrees: float
    ratio: float
    spread: float

    def p_value(self, null: float = 0.0, alternative: Alternative = "two-sided") -> float:
        """P of a difference at least this far from `null`, if `null` were true."""
        if self.error == 0:
            return _degenerate(self.estimate - null, alternative)
        t = (self.estimate - null) / self.error
        match alternative:
            case "less":
                return float(special.stdtr(self.degrees, t))
            case "greater":
                return float(special.stdtr(self.degrees, -t))
            case "two-sided":
                return float(2 * special.stdtr(self.degrees, -abs(t)))

    def interval(self, level: float) -> tuple[float, float]:
        """Confidence interval of the mean difference."""
        half = float(special.stdtrit(self.degrees, 0.5 + level / 2)) * self.error
        return self.estimate - half, self.estimate + half


def corrected_t(differences: Real[np.ndarray, " split"], test_over_train: float) -> CorrectedT:
    """The corrected resampled t of Nadeau and Bengio (Machine Learning 52, 239, 2003): variance (1/J + n2/n1) s^2.

    Args:
        differences: [split] float64, at least two.
        test_over_train: n2/n1, test rows over training rows of a split.
    """
    count = len(differences)
    spread = float(np.std(differences, ddof=1))
    error = float(np.sqrt(1 / count + test_over_train)) * spread
    return CorrectedT(float(np.mean(differences)), error, count - 1, test_over_train, spread)


def five_by_two_t(differences: np.ndarray) -> CorrectedT:
    """The 5 x 2-fold paired t of Dietterich (Neural Computation 10, 1895, 1998).

    t = d_11 / sqrt(sum_i s_i^2 / 5), with s_i^2 = (d_i1 - m_i)^2 + (d_i2 - m_i)^2 and 5 degrees of freedom.

    Args:
        differences: [repeat, fold] float64: how two arms differ in five repeats of two folds.

    Raises:
        ValueError: another shape.
    """
    if differences.shape != (5, 2):
        raise ValueError(f"differences {differences.shape} must be [5, 2]: five repeats of two folds")
    variances = np.var(differences, axis=1, ddof=1)  # of two values: the same sum of squares
    spread = float(np.sqrt(variances.mean()))
    return CorrectedT(float(differences[0, 0]), spread, 5, 1.0, spread)


def correlated_posterior(
    differences: Real[np.ndarray, " split"], correlation: float, margin: float
) -> tuple[float, float, float]:
    """Posterior of the mean difference under the Bayesian correlated t test.

    Student t, J-1 degrees of freedom, at the mean difference, scale sqrt((1/J + rho/(1-rho)) s^2) (Corani and Benavoli,
    Machine Learning 100, 285, 2015).

    Args:
        differences: [split].
        correlation: rho = test rows / all rows.
        margin: half-width of what counts as equal.

    Returns:
        P(difference < -margin), P(within the margin), P(difference > margin).
    """
    count = len(differences)
    center, spread = float(np.mean(differences)), float(np.std(differences, ddof=1))
    scale = spread * np.sqrt(1 / count + correlation / (1 - correlation))
    if scale == 0:
        return float(center < -margin), float(abs(center) <= margin), float(center > margin)
    below = float(special.stdtr(count - 1, (-margin - center) / scale))
    above = float(special.stdtr(count - 1, (center - margin) / scale))
    return below, 1 - below - above, above


def cluster_sums(
    differences: Real[np.ndarray, " unit"], weights: Real[np.ndarray, " unit"], clusters: Shaped[np.ndarray, " unit"]
) -> tuple[Float[np.ndarray, " cluster"], Float[np.ndarray, " cluster"]]:
    """What each cluster of dependent units contributes.

    Args:
        differences, weights: [unit]; weights of sum 1.
        clusters: [unit] labels.

    Returns:
        (weighted sums, weights), each [cluster].
    """
    _, codes = np.unique(clusters, return_inverse=True)
    return np.bincount(codes, weights * differences), np.bincount(codes, weights)


def sign_flip_p(
    sums: Real[np.ndarray, " cluster"],
    weights: Real[np.ndarray, " cluster"],
    null: float = 0.0,
    alternative: Alternative = "two-sided",
    seed: int = 0,
) -> float:
    """Sign-flip permutation test of a weighted mean of independent, symmetric differences.

    Exact up to 2^32 sign patterns, then sampled with the observed pattern counted in.

    Args:
        sums, weights: [cluster], from `cluster_sums`.
        null: the mean difference that is tested.
        alternative: against it.
        seed: of the sampled patterns.
    """
    shifted = sums - null * weights
    observed = float(shifted.sum())
    reached = {"less": -observed, "greater": observed, "two-sided": abs(observed)}[alternative]
    tolerance = 1e-12 * float(np.abs(shifted).sum())  # ties must count, whatever the order of summation
    exact = len(shifted) <= EXACT_UNITS
    # Totals are symmetric about 0: as many lie at or below -x as at or above x.
    p = (_exact_share if exact else _sampled_share)(shifted, reached - tolerance, seed)
    return min(2 * p, 1.0) if alternative == "two-sided" else p


def _exact_share(values: np.ndarray, least: float, _: int) -> float:
    """Share of all sign patterns whose total is at least this.

    The totals of both halves are listed and sorted, and for each of one half the fitting ones of the other counted
    (Horowitz and Sahni, Journal of the ACM 21, 277, 1974): 2^(n/2) steps for 2^n patterns.
    """
    middle = len(values) // 2
    first, second = (np.sort(_totals(part)) for part in (values[:middle], values[middle:]))
    fitting = len(first) - np.searchsorted(first, least - second, side="left")
    return float(fitting.sum() / 2.0 ** len(values))


def _totals(values: np.ndarray) -> np.ndarray:
    """[2^n]: the total under every sign pattern."""
    totals = np.zeros(1)
    for value in values:
        totals = np.concatenate([totals - value, totals + value])
    return totals


def _sampled_share(values: np.ndarray, least: float, seed: int) -> float:
    """The same share of sampled patterns and the observed one."""
    generator = np.random.default_rng(seed)
    fitting = 1
    for _ in range(SAMPLES // BLOCK):
        signs = generator.integers(0, 2, size=(BLOCK, len(values)), dtype=np.int8)
        fitting += int((2 * (signs @ values) - values.sum() >= least).sum())
    return fitting / (SAMPLES + 1)


def cluster_bootstrap(
    sums: Real[np.ndarray, " cluster"],
    weights: Real[np.ndarray, " cluster"],
    level: float,
    samples: int = 10_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a weighted mean when whole clusters are drawn again.

    Args:
        sums, weights: [cluster], from `cluster_sums`.
        level: of confidence.
        samples: bootstrap samples.
        seed: of the draws.
    """
    counts = (_drawn_often if samples * len(sums) <= KEPT else _drawn)(len(sums), samples, seed)
    means = (counts @ sums) / (counts @ weights)
    low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _drawn(count: int, samples: int, seed: int) -> np.ndarray:
    return times_drawn(np.random.default_rng(seed), samples, count, count)


_drawn_often = lru_cache(maxsize=2)(_drawn)  # many arms of one campaign have the same number of clusters


def times_drawn(
    generator: np.random.Generator, samples: int, count: int, size: int
) -> Float[np.ndarray, "{samples} {count}"]:
    """[sample, member] float64: how often each of `count` members is drawn when `size` are drawn with replacement."""
    chosen = generator.integers(count, size=(samples, size))
    places = (chosen + count * np.arange(samples)[:, None]).ravel()
    return np.bincount(places, minlength=samples * count).reshape(samples, count).astype(np.float64)


def holm(p_values: Real[np.ndarray, " arm"]) -> Float[np.ndarray, " arm"]:
    """p-values adjusted for all of them together (Holm, Scandinavian Journal of Statistics 6, 65, 1979).

    Args:
        p_values: [arm].

    Returns:
        [arm], each at least as large as before and at most 1.
    """
    order = np.argsort(p_values)
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def _degenerate(distance: float, alternative: Alternative) -> float:
    """All differences are equal: certain, unless there is no difference."""
    if alternative == "two-sided":
        return float(distance == 0)
    return float(distance >= 0) if alternative == "less" else float(distance <= 0)
