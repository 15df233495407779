"""Verdicts: is an arm better than the baseline, worse, equivalent, or is it undecided, and what would decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from probatum.errors import UnknownNameError
from probatum.evidence.comparable import require_comparable, why_not_scored
from probatum.evidence.judges import JUDGES, Judge, Question
from probatum.evidence.resampling import holm
from probatum.evidence.rounds import spent
from probatum.evidence.scores import ArmScores
from probatum.evidence.verdict import Outcome, Verdict

__all__ = ["Outcome", "Verdict", "compare", "require_comparable"]


def compare(
    arms: Sequence[ArmScores],
    baseline: ArmScores,
    *,
    splits: str,
    margin: float = 0.0,
    alpha: float = 0.05,
    round: int | None = None,
    given_up: int = 0,
) -> list[Verdict]:
    """Judges arms against a baseline, all together.

    Args:
        arms: without the baseline.
        baseline: what they are compared with.
        splits: the protocol's, which decides the test (`probatum.evidence.judges.JUDGES`).
        margin: differences up to this do not matter, in the metric's unit.
        alpha: error rate over all arms and, where rounds are counted, over all rounds.
        round: from 1, where champions follow one another: this round spends its share of alpha (`rounds.spent`).
        given_up: arms that were meant to be judged with these and were given up after some of their folds. Whoever
            chose the others by their scores has to count them: Holm takes their p for 1.

    Returns:
        One verdict an arm, in order.

    Raises:
        IncomparableError: an arm was scored on other data or folds, by another metric, scoring or weights.
        UnknownNameError: nobody knows how such splits are judged.
    """
    if splits not in JUDGES:
        raise UnknownNameError.of("splits", splits, JUDGES)
    for arm in arms:
        require_comparable(arm, baseline)
    level = alpha if round is None else spent(alpha, round)
    count = len(arms) + given_up
    verdicts = [_judged(Question(arm, baseline, margin, level, level / count), JUDGES[splits]) for arm in arms]
    if round is not None:
        stated = f"; round {round} may err with {level:.2g} of the {alpha:g} of all rounds"
        verdicts = [replace(v, method=v.method + stated) for v in verdicts]
    tested = [i for i, v in enumerate(verdicts) if v.p is not None]
    adjusted = holm(np.array([*(verdicts[i].p for i in tested), *[1.0] * given_up], dtype=np.float64))
    for i, p in zip(tested, adjusted[: len(tested)], strict=True):
        verdicts[i] = _decided(replace(verdicts[i], p_adjusted=float(p)), baseline, margin)
    return verdicts


def _judged(question: Question, judge: Judge) -> Verdict:
    """A verdict before Holm; arms that have no score get the reason instead of a number."""
    for arm in (question.arm, question.baseline):
        if why := why_not_scored(arm):
            base = question.verdict(float("nan"), 0, "")
            return replace(base, outcome="no evidence", needed=why)
    return judge(question)


def _decided(verdict: Verdict, baseline: ArmScores, margin: float) -> Verdict:
    assert verdict.p_adjusted is not None
    if verdict.p_adjusted <= verdict.level and abs(verdict.difference) > margin:
        better = (verdict.difference < 0) == (baseline.metric.better == "lower")
        return replace(verdict, outcome="better" if better else "worse", needed=None)
    if verdict.p_equivalent is not None and verdict.p_equivalent <= verdict.level:
        return replace(verdict, outcome="equivalent", needed=None)
    if verdict.p_adjusted <= verdict.level:
        return replace(verdict, needed="the difference is real but within the margin")
    return verdict
