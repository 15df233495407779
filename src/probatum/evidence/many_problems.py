"""Arms over several data sets or problems: which ranks better, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probatum.errors import IncomparableError
from probatum.evidence.aggregates import interquartile_interval, interquartile_mean
from probatum.evidence.rank_tests import critical_difference, friedman_p, nemenyi_p, ranks, wilcoxon_holm


@dataclass(frozen=True)
class Standing:
    """One arm over all problems.

    Attributes:
        arm: name.
        mean_rank: over problems; 1 is best.
        relative: interquartile mean, over problems and runs, of the score over the baseline's mean on that problem.
        interval: of `relative`.
        p, p_adjusted: Wilcoxon's signed ranks of ln(relative) against the baseline, and by Holm over all arms; None for
            the baseline.
        alike: arms whose mean rank is within the critical difference.
    """

    arm: str
    mean_rank: float
    relative: float
    interval: tuple[float, float]
    p: float | None
    p_adjusted: float | None
    alike: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ManyProblems:
    """Arms compared over problems.

    Attributes:
        problems, baseline: names.
        standings: one an arm, the best mean rank first.
        friedman: p of all arms ranking alike; None for two arms, where Wilcoxon's test is all there is.
        critical_difference: of mean ranks, by Nemenyi at alpha; None for two arms.
        pairs: [arm, arm] p by Nemenyi, in the order of the standings.
        needed: why nothing can be decided; None where it can.
    """

    problems: tuple[str, ...]
    baseline: str
    standings: tuple[Standing, ...]
    friedman: float | None
    critical_difference: float | None
    pairs: np.ndarray
    needed: str | None


def over_problems(
    problems: Sequence[str],
    arms: Sequence[str],
    scores: np.ndarray,
    *,
    better: str,
    baseline: str,
    alpha: float = 0.05,
) -> ManyProblems:
    """Compares arms over problems; a problem is one unit of evidence, whatever its size.

    Scores of different problems have different units. Ranks need none; for all else each score is divided by the
    baseline's mean on its problem.

    Args:
        problems, arms: names.
        scores: [problem, run, arm] float64, above 0.
        better: 'lower' or 'higher'.
        baseline: one of the arms.
        alpha: error rate over all arms.

    Raises:
        IncomparableError: scores of another shape, not finite or not above 0, fewer than two arms, or no such baseline.
    """
    _check(problems, arms, scores, baseline)
    column = list(arms).index(baseline)
    means = scores.mean(axis=1)
    relative = scores / means[:, None, [column]]
    ranked = ranks(means, better)
    mean_rank = ranked.mean(axis=0)
    p, adjusted = wilcoxon_holm(np.log(means), column)
    several = len(arms) > 2
    apart = critical_difference(len(arms), len(problems), alpha) if several else None
    order = np.argsort(mean_rank, kind="stable")
    standings = tuple(
        Standing(
            arms[int(i)],
            float(mean_rank[i]),
            float(interquartile_mean(relative[:, :, i].ravel())),
            interquartile_interval(relative[:, :, i], 1 - alpha),
            None if i == column else float(p[i]),
            None if i == column else float(adjusted[i]),
            tuple(arms[int(j)] for j in order if apart and j != i and abs(mean_rank[i] - mean_rank[j]) < apart),
        )
        for i in order
    )
    return ManyProblems(
        tuple(problems),
        baseline,
        standings,
        friedman_p(ranked) if several else None,
        apart,
        nemenyi_p(ranked)[np.ix_(order, order)],
        _needed(len(problems), len(arms), alpha),
    )


def _check(problems: Sequence[str], arms: Sequence[str], scores: np.ndarray, baseline: str) -> None:
    if baseline not in arms:
        raise IncomparableError(f"'{baseline}' is none of the arms", remedy=f"name one of {', '.join(arms)}")
    if len(arms) < 2:
        raise IncomparableError("one arm alone: there is nothing to compare", remedy="add another arm")
    if scores.ndim != 3 or (scores.shape[0], scores.shape[2]) != (len(problems), len(arms)):
        shape = f"[{len(problems)}, runs, {len(arms)}]"
        raise IncomparableError(f"scores of shape {list(scores.shape)} are not {shape}", remedy="score all arms alike")
    for i, problem in enumerate(problems):
        for j, arm in enumerate(arms):
            bad = int((~(np.isfinite(scores[i, :, j]) & (scores[i, :, j] > 0))).sum())
            if bad:
                raise IncomparableError(
                    f"{bad} of {scores.shape[1]} scores of '{arm}' on '{problem}' are not above 0: they have no ratio",
                    remedy="use an error measure, or leave the problem out for all arms",
                )


def _needed(problems: int, arms: int, alpha: float) -> str | None:
    """Fewer problems than the most extreme sign pattern needs to be rare enough cannot decide."""
    least = int(np.ceil(1 - np.log2(alpha / (arms - 1))))
    return None if problems >= least else f"{problems} problems: signed ranks can decide from {least} on"
