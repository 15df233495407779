"""Selection: the best of many looks better than it is, and by how much that is to be expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probatum.evidence.effects import paired_influence
from probatum.evidence.resampling import corrected_t
from probatum.evidence.scores import ArmScores

DRAWS = 20_000


@dataclass(frozen=True)
class Optimism:
    """How much the best of several arms is expected to look better than it is, if none were better than another.

    Attributes:
        amount: E[max], in the metric's unit, not negative; None where one fold cannot tell.
        error: standard error of the simulation.
        arms: how many were chosen from.
        contenders: how many of them could have been chosen: those that are not found worse than the best.
        units: independent folds or groups that the arms' covariance rests on.
    """

    amount: float | None
    error: float | None
    arms: int
    contenders: int
    units: int


def expected_optimism(
    arms: Sequence[ArmScores], splits: str, *, alpha: float = 0.05, draws: int = DRAWS, seed: int = 0
) -> Optimism:
    """The expected optimism of the best arm under the null that all who could have been it are equally good.

    Under the null the arms' scores are one true value plus errors Z ~ N(0, S), and the best is max Z above it (min Z
    below it, the same by symmetry). S is estimated from the arms' differences over independent units, with the
    variance of Nadeau and Bengio for overlapping training sets (as verdicts do; it is rather too large than too
    small); what all arms have in common moves the champion and the rest alike and drops out. E[max Z] by simulation;
    for two arms it is sd(Z1 - Z2) / sqrt(2 pi), for independent ones the tabled mean of the largest of N normals
    (David and Nagaraja, Order Statistics, 2003). That selection by a noisy score is biased so: Cawley and Talbot,
    Journal of Machine Learning Research 11, 2079 (2010). An arm that is found worse than the best, at alpha by
    Bonferroni, could not have been the champion; it is left out, for its noise would only make the figure larger
    (Hansen, Journal of Business and Economic Statistics 23, 365, 2005, on poor alternatives).

    Args:
        arms: that the champion was chosen from.
        splits: the protocol's.
        alpha: error rate at which arms are found worse than the best.
        draws: of the simulation.
        seed: of the simulation.

    Raises:
        IncomparableError: arms that were not scored alike.
    """
    if len(arms) < 2:
        return Optimism(0.0, 0.0, len(arms), len(arms), 0)
    best = min(arms, key=lambda a: a.score if a.metric.better == "lower" else -a.score)
    influences = [paired_influence(arm, best, splits) for arm in arms]
    units = len(influences[0].values)
    if units < 2:
        return Optimism(None, None, len(arms), len(arms), units)
    ratio, level = influences[0].ratio, alpha / (len(arms) - 1)
    table = np.array([i.values for i in influences if corrected_t(i.values, ratio).p_value() > level])
    scale = np.sqrt((1 / units + ratio) / (units - 1))
    centered = scale * (table - table.mean(axis=1, keepdims=True))
    generator = np.random.default_rng(seed)
    largest = np.empty(draws)
    for part in np.array_split(np.arange(draws), max(1, draws // 500)):  # thousands of arms still fit into memory
        noise = generator.normal(size=(len(part), units)) @ centered.T
        largest[part] = noise.max(axis=1) - noise.mean(axis=1)
    error = float(largest.std(ddof=1) / np.sqrt(draws))
    return Optimism(float(largest.mean()), error, len(arms), len(table), units)
