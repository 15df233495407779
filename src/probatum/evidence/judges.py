"""How two arms are judged, one test for each way of splitting; Holm and the verdict come after, over all arms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Real
from scipy import special

from probatum.evidence.hold_out import HoldOutDifference, hold_out_difference
from probatum.evidence.resampling import (
    Alternative,
    CorrectedT,
    cluster_bootstrap,
    cluster_sums,
    corrected_t,
    correlated_posterior,
    sign_flip_p,
)
from probatum.evidence.scores import ArmScores
from probatum.evidence.training_variance import variance_by_rows
from probatum.evidence.verdict import Verdict

MOST_REPEATS = 10_000
MOST_SKIPPED = 0.1
"""Share of the bootstrap samples on which a metric may be undefined before nothing is said."""
ROUNDING = 1e-12
"""Scores that differ by less than this share of themselves differ by the order of a summation."""
IDENTICAL = "the same score on every fold, as identical predictions have: the change does not reach the predictions"


@dataclass(frozen=True)
class Question:
    """What a judge is asked.

    Attributes:
        arm, baseline: comparable and scored.
        margin: differences up to this do not matter, in the metric's unit.
        level: error rate of the comparison.
        level_each: the share of one arm.
    """

    arm: ArmScores
    baseline: ArmScores
    margin: float
    level: float
    level_each: float

    @property
    def differences(self) -> np.ndarray:
        """[unit]: arm minus baseline on the same fold, seeds averaged first."""
        position = {u.digest: i for i, u in enumerate(self.baseline.units)}
        ours = self.arm.by_unit
        theirs = self.baseline.by_unit[[position[u.digest] for u in self.arm.units]]
        found = ours - theirs
        return np.where(np.abs(found) <= ROUNDING * np.maximum(np.abs(ours), np.abs(theirs)), 0.0, found)

    def verdict(self, difference: float, units: int, method: str) -> Verdict:
        """An undecided verdict to fill."""
        arm = self.arm
        return Verdict(
            arm.name, self.baseline.name, arm.score, "undecided", difference,
            units=units, seeds=arm.seeds, method=method, level=self.level,
        )  # fmt: skip


Judge = Callable[[Question], Verdict]


def by_groups(question: Question) -> Verdict:
    """Leave-one-group-out: sign flips and the corrected t over groups, dependent groups kept together.

    Every fold trains on nearly the same rows, so where inputs matter the differences of folds are correlated and sign
    flips alone err too often (with 60 rows, 12 groups and 2 x 10 inputs in 8.5 % of the cases instead of 5 %). So both
    tests have to agree, and the bootstrap interval is widened by the same correction.
    """
    difference, arm, margin = question.differences, question.arm, question.margin
    sums, weights = cluster_sums(difference, arm.weights, np.array([u.dependence for u in arm.units]))
    estimate, count = float(sums.sum()), len(sums)
    shared = f" of {len(difference)} folds, those that share measurements together" if count < len(difference) else ""
    method = f"sign flips and corrected t over {count} independent groups{shared}, {arm.scoring.weighting} weights"
    base = question.verdict(estimate, count, method)
    if count < 2:
        return _one(base, len(difference), "independent group", "measure more groups")
    if not difference.any():
        return _identical(base, margin)
    ratio = 1 / (count - 1)
    t = corrected_t(_influence(sums, weights), ratio)

    def p_value(null: float = 0.0, alternative: Alternative = "two-sided") -> float:
        return max(sign_flip_p(sums, weights, null, alternative), t.p_value(null, alternative))

    low, high = cluster_bootstrap(sums, weights, 1 - question.level)
    wider = math.sqrt(1 + count * ratio)
    return replace(
        base,
        interval=(estimate + wider * (low - estimate), estimate + wider * (high - estimate)),
        p=p_value(),
        p_equivalent=max(p_value(margin, "less"), p_value(-margin, "greater")) if margin > 0 else None,
        needed=_groups_needed(t, count, question.level_each),
    )


def by_resamples(question: Question) -> Verdict:
    """K-fold, repeated or not, and repeated hold-out: corrected resampled t over splits.

    The correction is Nadeau and Bengio's n_test/n_train, or what repeats show where models overfit and it is more.
    """
    difference, arm = question.differences, question.arm
    count = len(difference)
    method = f"corrected resampled t over {count} splits"
    base = question.verdict(float(arm.weights @ difference), count, method)
    if count < 2:
        return _one(base, count, "split", "set protocol.repeats or folds")
    test, train = (np.mean([getattr(u, side) for u in arm.units]) for side in ("test_rows", "train_rows"))
    ratio = float(test / train)
    seen = variance_by_rows(arm, question.baseline)
    spread = float(np.std(_influence(arm.weights * difference, arm.weights), ddof=1))
    if seen is not None and spread > 0 and seen > spread**2 * (1 / count + ratio):
        ratio = seen / spread**2 - 1 / count
        base = replace(base, method=f"{method}, its error widened for models that move with their training rows")
    return _by_t(question, base, difference, arm.weights, ratio, "splits")


def by_draws(question: Question) -> Verdict:
    """Generated data: every draw is new data for training and test, so differences of draws are independent.

    What is repeated within a draw, folds and seeds, is averaged first; then the t test is Student's, ratio 0.
    """
    difference, arm = question.differences, question.arm
    draws = np.array([u.draw for u in arm.units])
    sums, weights = cluster_sums(difference, arm.weights, draws)
    base = question.verdict(float(sums.sum()), len(sums), f"paired t over {len(sums)} independent draws of the data")
    if len(sums) < 2:
        return _one(base, len(difference), "draw", "draw more data")
    by_draw = np.where(weights > 0, sums / weights, 0.0)
    return _by_t(question, base, by_draw, weights, 0.0, "draws")


def by_hold_out(question: Question) -> Verdict:
    """Stratified hold-out: over splits where there are several, else over the cases and seeds of the one."""
    arm, margin = question.arm, question.margin
    once = len({(u.task, u.draw) for u in arm.units}) == len(arm.units)
    if not once or arm.rows is None:
        return by_resamples(question)
    found = hold_out_difference(arm, question.baseline)
    base = question.verdict(found.t.estimate, found.cases, _hold_out_method(question, found))
    if found.cases < 2:
        return _one(base, 1, "independent case", "hold out more cases")
    if not question.differences.any():
        return _identical(base, margin)
    if found.skipped > MOST_SKIPPED:
        undefined = f"{arm.metric.name} is not defined on {found.skipped:.0%} of the bootstrap samples"
        return replace(base, outcome="no evidence", needed=f"{undefined}: hold out more cases")
    if found.t.error == 0:
        return _no_spread(base, "case")
    return replace(
        base,
        interval=found.t.interval(1 - question.level),
        p=found.t.p_value(),
        p_equivalent=_equivalence(found.t, margin),
        needed=_cases_needed(found, question.level_each),
    )


JUDGES: dict[str, Judge] = {
    "leave-one-group-out": by_groups,
    "grouped-k-fold": by_resamples,
    "repeated-k-fold": by_resamples,
    "stratified-hold-out": by_hold_out,
    "fresh-draws": by_draws,
}
"""The protocol's way of splitting to the test that fits it."""


def _by_t(
    question: Question,
    base: Verdict,
    difference: Real[np.ndarray, " unit"],
    weights: Real[np.ndarray, " unit"],
    ratio: float,
    units: str,
) -> Verdict:
    """Corrected t over units of which `ratio` says how much their test and training rows overlap."""
    if not difference.any():
        return _identical(base, question.margin)
    influence = _influence(weights * difference, weights)
    t = corrected_t(influence, ratio)
    if t.error == 0:
        return _no_spread(base, units.removesuffix("s"))
    below, within, above = correlated_posterior(influence, ratio / (1 + ratio), question.margin)
    lower_is_better = question.arm.metric.better == "lower"
    return replace(
        base,
        interval=t.interval(1 - question.level),
        p=t.p_value(),
        p_equivalent=_equivalence(t, question.margin),
        posterior=(above, within, below) if lower_is_better else (below, within, above),
        needed=_splits_needed(t, question.level_each, units),
    )


def _influence(sums: Real[np.ndarray, " unit"], weights: Real[np.ndarray, " unit"]) -> Float[np.ndarray, " unit"]:
    """[unit]: what stands for a unit's difference where units weigh differently: their mean is the score's difference.

    Args:
        sums: [unit] weighted differences.
        weights: [unit] of sum 1; where all are the same, the differences themselves come out.
    """
    estimate = sums.sum()
    found = estimate + len(sums) * (sums - estimate * weights)
    return np.full(len(sums), estimate) if np.ptp(found) <= ROUNDING * abs(estimate) else found


def _equivalence(t: CorrectedT, margin: float) -> float | None:
    return max(t.p_value(margin, "less"), t.p_value(-margin, "greater")) if margin > 0 else None


def _one(base: Verdict, folds: int, unit: str, remedy: str) -> Verdict:
    what = "one run an arm" if folds * base.seeds == 1 else f"one {unit}, and seeds and folds of it are no new data"
    return replace(base, outcome="no evidence", needed=f"{what}: {remedy}")


def _identical(base: Verdict, margin: float) -> Verdict:
    outcome = "equivalent" if margin > 0 else "undecided"
    return replace(base, outcome=outcome, difference=0.0, interval=(0.0, 0.0), p=1.0, needed=IDENTICAL)


def _no_spread(base: Verdict, unit: str) -> Verdict:
    why = f"the difference is the same on every {unit}, so that its spread is not known: use more or larger folds"
    return replace(base, outcome="no evidence", needed=why)


def _hold_out_method(question: Question, found: HoldOutDifference) -> str:
    seeds = sorted({question.arm.seeds, question.baseline.seeds})
    over = f"{found.cases} cases"
    if seeds == [1]:
        drawn = f"bootstrap over {over} of one hold-out, one seed an arm"
    else:
        drawn = f"two-way bootstrap over {over} x {' and '.join(map(str, seeds))} seeds of one hold-out"
    test, train = (sum(getattr(u, side) for u in question.arm.units) for side in ("test_rows", "train_rows"))
    return f"{drawn}, its error widened by sqrt(1 + {test}/{train}) for the one training set"


def _splits_needed(t: CorrectedT, level: float, units: str) -> str:
    """How many splits or draws would decide at the present effect and spread; more data where no number would."""
    counts = np.unique(np.geomspace(2, MOST_REPEATS, 200).astype(int))
    errors = t.spread * np.sqrt(1 / counts + t.ratio)
    enough = counts[2 * special.stdtr(counts - 1, -abs(t.estimate) / errors) <= level]
    if len(enough):
        return f"about {enough[0]} {units} would decide, at this effect and spread"
    return (
        "more data: no number of repeats of these rows decides this" if t.ratio else f"more than {MOST_REPEATS} {units}"
    )


def _groups_needed(t: CorrectedT, count: int, level: float) -> str:
    """How many independent groups would decide at the present effect and spread, by the normal approximation."""
    if t.estimate == 0:
        return "no difference seen: those of the groups cancel"
    z = float(special.ndtri(1 - level / 2))
    needed = math.ceil(2 * (z * t.spread / t.estimate) ** 2)  # 2: the correction, 1/n + 1/(n-1)
    possible = math.ceil(1 - math.log2(level))  # below, even the most extreme sign pattern is not rare enough
    return f"about {max(needed, possible, count + 1)} independent groups would decide, at this effect and spread"


def _cases_needed(found: HoldOutDifference, level: float) -> str:
    """How many held-out cases would decide at the present effect, spread and share, by the normal approximation."""
    if found.t.estimate == 0:
        return "no difference seen: those of the cases cancel"
    allowed = (found.t.estimate / float(special.ndtri(1 - level / 2))) ** 2 - found.seed_variance
    if allowed <= 0:
        return "more seeds: their spread alone hides a difference of this size"
    needed = max(math.ceil(found.cases * found.case_variance / allowed), found.cases + 1)
    return f"about {needed} held-out cases, of as many times more rows, would decide, at this effect and spread"
