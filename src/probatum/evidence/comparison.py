"""Verdicts: is an arm better than the baseline, worse, equivalent, or is it undecided, and what would decide it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from scipy import stats

from probatum.errors import IncomparableError
from probatum.evidence.resampling import (
    Alternative,
    cluster_bootstrap,
    cluster_sums,
    corrected_t,
    correlated_posterior,
    holm,
    sign_flip_p,
)
from probatum.evidence.scores import ArmScores

Outcome = Literal["better", "worse", "equivalent", "undecided", "no evidence", "baseline"]

MOST_REPEATS = 10_000


@dataclass(frozen=True)
class Verdict:
    """What a comparison of two arms shows.

    Attributes:
        arm, baseline: names.
        score: of the arm.
        outcome: the verdict.
        difference: score minus the baseline's.
        interval: confidence interval of the difference at level 1 - alpha; None where there is no evidence.
        p, p_adjusted: two-sided, and adjusted by Holm for all arms compared together.
        p_equivalent: of the two one-sided tests against the margin; None without a margin.
        posterior: P(worse), P(equivalent), P(better) of the Bayesian correlated t; shown beside, decides nothing.
        units: independent units that the test rests on.
        seeds: of the arm.
        needed: what would decide an undecided comparison.
        method: the test, in words.
    """

    arm: str
    baseline: str
    score: float
    outcome: Outcome
    difference: float = 0.0
    interval: tuple[float, float] | None = None
    p: float | None = None
    p_adjusted: float | None = None
    p_equivalent: float | None = None
    posterior: tuple[float, float, float] | None = None
    units: int = 0
    seeds: int = 1
    needed: str | None = None
    method: str = ""


def compare(
    arms: Sequence[ArmScores], baseline: ArmScores, *, splits: str, margin: float = 0.0, alpha: float = 0.05
) -> list[Verdict]:
    """Judges arms against a baseline, all together.

    Args:
        arms: without the baseline.
        baseline: what they are compared with.
        splits: the protocol's, which decides the test.
        margin: differences up to this do not matter, in the metric's unit.
        alpha: error rate over all arms.

    Returns:
        One verdict an arm, in order.

    Raises:
        IncomparableError: an arm was scored on other folds, by another metric or scoring.
    """
    for arm in arms:
        require_comparable(arm, baseline)
    judge = _by_groups if splits == "leave-one-group-out" else _by_resamples
    level_each = alpha / max(len(arms), 1)
    verdicts = [judge(arm, baseline, margin, alpha, level_each) for arm in arms]
    tested = [i for i, v in enumerate(verdicts) if v.p is not None]
    adjusted = holm(np.array([verdicts[i].p for i in tested], dtype=np.float64)) if tested else np.array([])
    for i, p in zip(tested, adjusted, strict=True):
        verdicts[i] = _decided(replace(verdicts[i], p_adjusted=float(p)), baseline, margin, alpha)
    return verdicts


def require_comparable(a: ArmScores, b: ArmScores) -> None:
    """Refuses arms that were not scored alike.

    Raises:
        IncomparableError: naming the first difference.
    """
    pairs = f"'{a.name}' and '{b.name}' cannot be compared"
    if a.metric.name != b.metric.name:
        raise IncomparableError(f"{pairs}: metrics {a.metric.name} and {b.metric.name}", remedy="score both alike")
    if a.scoring != b.scoring:
        key, here, there = next(
            (f.name, getattr(a.scoring, f.name), getattr(b.scoring, f.name))
            for f in fields(a.scoring)
            if getattr(a.scoring, f.name) != getattr(b.scoring, f.name)
        )
        raise IncomparableError(f"{pairs}: the scorings differ, {key} {here} and {there}", remedy="score both alike")
    if a.quantities != b.quantities:
        theirs = " and ".join(", ".join(arm.quantities) for arm in (a, b))
        raise IncomparableError(f"{pairs}: they predict {theirs}", remedy="compare arms of one problem")
    digests = {u.digest for u in a.units} ^ {u.digest for u in b.units}
    if digests:
        raise IncomparableError(
            f"{pairs}: {len(digests)} of their folds have other rows or other data (split hash {min(digests)[:12]})",
            remedy="run both under one protocol on the same data",
        )


def _by_groups(arm: ArmScores, baseline: ArmScores, margin: float, alpha: float, level_each: float) -> Verdict:
    """Leave-one-group-out: sign flips and the corrected t over groups, dependent groups kept together.

    Every fold trains on nearly the same rows, so where inputs matter the differences of folds are correlated and sign
    flips alone err too often (with 60 rows, 12 groups and 2 x 10 inputs in 8.5 % of the cases instead of 5 %). So both
    tests have to agree, and the bootstrap interval is widened by the same correction.
    """
    difference = _paired(arm, baseline)
    clusters = np.array([u.dependence for u in arm.units])
    sums, weights = cluster_sums(difference, arm.weights, clusters)
    estimate, count = float(sums.sum()), len(sums)
    shared = f" of {len(difference)} folds, those that share measurements together" if count < len(difference) else ""
    method = f"sign flips and corrected t over {count} independent groups{shared}, {arm.scoring.weighting} weights"
    base = Verdict(
        arm.name, baseline.name, arm.score, "undecided", estimate, units=count, seeds=arm.seeds, method=method
    )
    if count < 2:
        return replace(base, outcome="no evidence", needed="one run: measure more groups")
    ratio = 1 / (count - 1)
    t = corrected_t(estimate + count * (sums - estimate * weights), ratio)

    def p_value(null: float = 0.0, alternative: Alternative = "two-sided") -> float:
        return max(sign_flip_p(sums, weights, null, alternative), t.p_value(null, alternative))

    low, high = cluster_bootstrap(sums, weights, 1 - alpha)
    wider = math.sqrt(1 + count * ratio)
    return replace(
        base,
        interval=(estimate + wider * (low - estimate), estimate + wider * (high - estimate)),
        p=p_value(),
        p_equivalent=max(p_value(margin, "less"), p_value(-margin, "greater")) if margin > 0 else None,
        needed=_groups_needed(sums, weights, estimate, level_each),
    )


def _by_resamples(arm: ArmScores, baseline: ArmScores, margin: float, alpha: float, level_each: float) -> Verdict:
    """Repeated k-fold or hold-out: corrected resampled t over splits."""
    difference = _paired(arm, baseline)
    count = len(difference)
    method = f"corrected resampled t over {count} splits"
    estimate = float(arm.weights @ difference)
    # Where folds weigh differently, each split's influence on the score stands for its difference; else it is the same.
    difference = estimate + count * arm.weights * (difference - estimate)
    base = Verdict(
        arm.name, baseline.name, arm.score, "undecided", estimate, units=count, seeds=arm.seeds, method=method
    )
    if count < 2:
        return replace(base, outcome="no evidence", needed="one run: set protocol.repeats or folds")
    test, train = (np.mean([getattr(u, side) for u in arm.units]) for side in ("test_rows", "train_rows"))
    t = corrected_t(difference, float(test / train))
    equivalent = max(t.p_value(margin, "less"), t.p_value(-margin, "greater")) if margin > 0 else None
    below, within, above = correlated_posterior(difference, float(test / (test + train)), margin)
    lower_is_better = arm.metric.better == "lower"
    return replace(
        base,
        interval=t.interval(1 - alpha),
        p=t.p_value(),
        p_equivalent=equivalent,
        posterior=(above, within, below) if lower_is_better else (below, within, above),
        needed=_splits_needed(t.estimate, t.spread, t.ratio, level_each),
    )


def _paired(arm: ArmScores, baseline: ArmScores) -> np.ndarray:
    """[unit]: arm minus baseline on the same fold, seeds averaged first."""
    position = {u.digest: i for i, u in enumerate(baseline.units)}
    return arm.by_unit - baseline.by_unit[[position[u.digest] for u in arm.units]]


def _decided(verdict: Verdict, baseline: ArmScores, margin: float, alpha: float) -> Verdict:
    assert verdict.p_adjusted is not None
    if verdict.p_adjusted <= alpha and abs(verdict.difference) > margin:
        better = (verdict.difference < 0) == (baseline.metric.better == "lower")
        return replace(verdict, outcome="better" if better else "worse", needed=None)
    if verdict.p_equivalent is not None and verdict.p_equivalent <= alpha:
        return replace(verdict, outcome="equivalent", needed=None)
    if verdict.p_adjusted <= alpha:
        return replace(verdict, needed="the difference is real but within the margin")
    return verdict


def _splits_needed(estimate: float, spread: float, ratio: float, alpha: float) -> str:
    """How many splits would decide at the present effect and spread; more data where no number would."""
    if estimate == 0 or spread == 0:
        return "no difference seen"
    counts = np.unique(np.geomspace(2, MOST_REPEATS, 200).astype(int))
    errors = spread * np.sqrt(1 / counts + ratio)
    enough = counts[2 * stats.t.sf(abs(estimate) / errors, counts - 1) <= alpha]
    if len(enough):
        return f"about {enough[0]} splits at this effect and spread"
    return "more data: no number of repeats of these rows decides this"


def _groups_needed(sums: np.ndarray, weights: np.ndarray, estimate: float, alpha: float) -> str:
    """How many independent groups would decide at the present effect and spread, by the normal approximation."""
    count = len(sums)
    spread = float(np.std((sums - estimate * weights) * count, ddof=1))
    if estimate == 0 or spread == 0:
        return "no difference seen"
    needed = math.ceil(2 * (stats.norm.isf(alpha / 2) * spread / estimate) ** 2)  # 2: the correction, 1/n + 1/(n-1)
    possible = math.ceil(1 - math.log2(alpha))  # below, even the most extreme sign pattern is not rare enough
    return f"about {max(needed, possible, count + 1)} independent groups at this effect and spread"
