"""Scores of many problems and runs in one picture: interquartile mean with its interval, and performance profiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Real


def interquartile_mean(scores: Real[np.ndarray, "*any value"]) -> Float[np.ndarray, "*any"] | np.floating[Any]:
    """Mean of the middle half: a quarter of the values is cut off at each end, rounded down.

    Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice (NeurIPS 2021).

    Args:
        scores: [..., value] float64.

    Returns:
        [...].
    """
    count = scores.shape[-1]
    cut = count // 4
    ordered = np.partition(scores, sorted({cut, count - cut - 1}), axis=-1)
    return ordered[..., cut : count - cut].mean(axis=-1)


def interquartile_interval(
    scores: Real[np.ndarray, "problem run"], level: float = 0.95, samples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the interquartile mean of all values by stratified bootstrap: runs drawn within a problem.

    With one run a problem nothing within problems can be drawn, so problems are drawn instead.

    Args:
        scores: [problem, run] float64.
        level: of confidence.
        samples: bootstrap samples.
        seed: of the draws.
    """
    problems, runs = scores.shape
    generator = np.random.default_rng(seed)
    if runs == 1:
        drawn = scores[generator.integers(problems, size=(samples, problems)), 0]
    else:
        chosen = generator.integers(runs, size=(samples, problems, runs))
        drawn = scores[np.arange(problems)[:, None], chosen].reshape(samples, -1)
    low, high = np.quantile(interquartile_mean(drawn), [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def performance_profiles(
    costs: Real[np.ndarray, "problem arm"], factors: Real[np.ndarray, " factor"]
) -> Float[np.ndarray, "factor arm"]:
    """Share of the problems on which an arm is within a factor of the best.

    rho_s(tau) = share of problems p with t_ps <= tau min_s t_ps (Dolan and More, Mathematical Programming 91, 201,
    2002).

    Args:
        costs: [problem, arm] float64, lower is better, above 0; infinite where an arm failed.
        factors: [factor], 1 and more.

    Returns:
        [factor, arm], rising from the share of problems an arm wins at factor 1.

    Raises:
        ValueError: costs that are not above 0, which have no ratios.
    """
    if not (costs > 0).all():
        raise ValueError("a performance profile needs costs above 0: use an error, not a share of variance explained")
    best = costs.min(axis=1, keepdims=True)
    solved = np.isfinite(best[:, 0])
    ratios = np.full(costs.shape, np.inf)
    ratios[solved] = costs[solved] / best[solved]
    return (ratios <= factors[:, None, None]).mean(axis=1)


def score_distributions(
    scores: Real[np.ndarray, "problem run arm"], thresholds: Real[np.ndarray, " threshold"]
) -> Float[np.ndarray, "threshold arm"]:
    """Share of all runs of all problems with a score above a threshold (the performance profile of Agarwal et al.).

    Args:
        scores: [problem, run, arm] float64, comparable between problems.
        thresholds: [threshold].

    Returns:
        [threshold, arm], falling.
    """
    return (scores > thresholds[:, None, None, None]).mean(axis=(1, 2))
