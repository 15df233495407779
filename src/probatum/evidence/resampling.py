"""Tests and intervals on paired differences: sign flips, cluster bootstrap, corrected resampled t. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

EXACT_UNITS = 16
"""Up to 2^16 sign patterns are all tried; beyond, they are sampled."""
SAMPLES = 100_000

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
    degrees: int
    ratio: float
    spread: float

    def p_value(self, null: float = 0.0, alternative: Alternative = "two-sided") -> float:
        """P of a difference at least this far from `null`, if `null` were true."""
        if self.error == 0:
            return _degenerate(self.estimate - null, alternative)
        t = (self.estimate - null) / self.error
        match alternative:
            case "less":
                return float(stats.t.cdf(t, self.degrees))
            case "greater":
                return float(stats.t.sf(t, self.degrees))
        return float(2 * stats.t.sf(abs(t), self.degrees))

    def interval(self, level: float) -> tuple[float, float]:
        """Confidence interval of the mean difference."""
        half = float(stats.t.ppf(0.5 + level / 2, self.degrees)) * self.error
        return self.estimate - half, self.estimate + half


def corrected_t(differences: np.ndarray, test_over_train: float) -> CorrectedT:
    """The corrected resampled t of Nadeau and Bengio (Machine Learning 52, 239, 2003): variance (1/J + n2/n1) s^2.

    Args:
        differences: [split] float64, at least two.
        test_over_train: n2/n1, test rows over training rows of a split.
    """
    count = len(differences)
    spread = float(np.std(differences, ddof=1))
    error = float(np.sqrt(1 / count + test_over_train)) * spread
    return CorrectedT(float(np.mean(differences)), error, count - 1, test_over_train, spread)


def correlated_posterior(differences: np.ndarray, correlation: float, margin: float) -> tuple[float, float, float]:
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
    below = float(stats.t.cdf((-margin - center) / scale, count - 1))
    above = float(stats.t.sf((margin - center) / scale, count - 1))
    return below, 1 - below - above, above


def cluster_sums(differences: np.ndarray, weights: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
    sums: np.ndarray, weights: np.ndarray, null: float = 0.0, alternative: Alternative = "two-sided", seed: int = 0
) -> float:
    """Sign-flip permutation test of a weighted mean of independent, symmetric differences.

    Exact up to 2^16 sign patterns, then sampled with the observed pattern counted in.

    Args:
        sums, weights: [cluster], from `cluster_sums`.
        null: the mean difference that is tested.
        alternative: against it.
        seed: of the sampled patterns.
    """
    shifted = sums - null * weights
    observed = shifted.sum()
    if len(shifted) <= EXACT_UNITS:
        patterns = ((np.arange(2 ** len(shifted))[:, None] >> np.arange(len(shifted))) & 1) * 2 - 1
        totals = patterns @ shifted
    else:
        signs = np.random.default_rng(seed).choice(np.array([-1.0, 1.0]), size=(SAMPLES, len(shifted)))
        totals = np.append(signs @ shifted, observed)
    tolerance = 1e-12 * np.abs(shifted).sum()  # ties must count, whatever the order of summation
    match alternative:
        case "less":
            return float(np.mean(totals <= observed + tolerance))
        case "greater":
            return float(np.mean(totals >= observed - tolerance))
    return float(np.mean(np.abs(totals) >= abs(observed) - tolerance))


def cluster_bootstrap(
    sums: np.ndarray, weights: np.ndarray, level: float, samples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of a weighted mean when whole clusters are drawn again.

    Args:
        sums, weights: [cluster], from `cluster_sums`.
        level: of confidence.
        samples: bootstrap samples.
        seed: of the draws.
    """
    count = len(sums)
    drawn = np.random.default_rng(seed).integers(count, size=(samples, count))
    means = sums[drawn].sum(axis=1) / weights[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def holm(p_values: np.ndarray) -> np.ndarray:
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
