"""Tests of arms over several problems by ranks and signed ranks, where scores of different problems share no unit."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Real
from scipy import special, stats

from probatum.evidence.resampling import holm


def ranks(scores: Real[np.ndarray, "problem arm"], better: str) -> Float[np.ndarray, "problem arm"]:
    """[problem, arm]: 1 for the best arm of a problem; ties share their mean rank.

    Args:
        scores: [problem, arm] float64.
        better: 'lower' or 'higher'.
    """
    return stats.rankdata(scores if better == "lower" else -scores, axis=1)


def signed_rank_p(differences: Real[np.ndarray, " problem"]) -> float:
    """Wilcoxon's signed-rank test (Biometrics Bulletin 1, 80, 1945), two-sided, exact with ties and zeros too.

    Zeros are left out and ties share their mean rank (Pratt's and Wilcoxon's texts differ on zeros; this is the
    latter). The distribution over all signs is counted by convolution of doubled, hence whole, ranks.

    Args:
        differences: [problem].

    Returns:
        1 where every difference is zero.
    """
    moved = differences[differences != 0]
    if len(moved) == 0:
        return 1.0
    doubled = np.rint(2 * stats.rankdata(np.abs(moved))).astype(int)
    share = np.zeros(doubled.sum() + 1)
    share[0] = 1.0
    for rank in doubled:
        share[rank:], share[:rank] = 0.5 * (share[rank:] + share[: len(share) - rank]), 0.5 * share[:rank]
    observed = int(doubled[moved > 0].sum())
    least = min(observed, int(doubled.sum()) - observed)
    return float(min(1.0, 2 * share[: least + 1].sum()))


def wilcoxon_holm(
    scores: Real[np.ndarray, "problem arm"], baseline: int
) -> tuple[Float[np.ndarray, " arm"], Float[np.ndarray, " arm"]]:
    """Every arm against one, by signed ranks over problems, adjusted for all of them together.

    Args:
        scores: [problem, arm] float64, in a unit in which differences of problems may be ranked.
        baseline: its column.

    Returns:
        (p, p adjusted by Holm), each [arm], NaN for the baseline.
    """
    others = np.delete(np.arange(scores.shape[1]), baseline)
    p, adjusted = (np.full(scores.shape[1], np.nan) for _ in range(2))
    p[others] = [signed_rank_p(scores[:, i] - scores[:, baseline]) for i in others]
    adjusted[others] = holm(p[others])
    return p, adjusted


def friedman_p(ranked: Real[np.ndarray, "problem arm"]) -> float:
    """Friedman's test that all arms rank alike (Journal of the American Statistical Association 32, 675, 1937).

    chi^2 = (k-1) sum_j (R_j - n(k+1)/2)^2 / sum_ij (r_ij - (k+1)/2)^2 with k-1 degrees of freedom, which with ties is
    the corrected form.

    Args:
        ranked: [problem, arm], from `ranks`.

    Returns:
        1 where every problem ties all arms.
    """
    problems, arms = ranked.shape
    spread = float(((ranked - (arms + 1) / 2) ** 2).sum())
    if spread == 0:
        return 1.0
    sums = ranked.sum(axis=0)
    statistic = (arms - 1) * float(((sums - problems * (arms + 1) / 2) ** 2).sum()) / spread
    return float(special.chdtrc(arms - 1, statistic))


def critical_difference(arms: int, problems: int, alpha: float) -> float:
    """Nemenyi: mean ranks further apart than this differ, at error rate alpha over all pairs.

    CD = q_alpha sqrt(k(k+1) / (6 N)), q_alpha the studentized range over sqrt(2) (Demsar, Journal of Machine Learning
    Research 7, 1, 2006).
    """
    q = float(stats.studentized_range.ppf(1 - alpha, arms, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(arms * (arms + 1) / (6 * problems)))


def nemenyi_p(ranked: Real[np.ndarray, "problem arm"]) -> Float[np.ndarray, "arm arm"]:
    """[arm, arm]: p of every pair by Nemenyi's test, 1 on the diagonal.

    Args:
        ranked: [problem, arm], from `ranks`.
    """
    problems, arms = ranked.shape
    mean = ranked.mean(axis=0)
    q = np.abs(mean[:, None] - mean) / np.sqrt(arms * (arms + 1) / (6 * problems)) * np.sqrt(2)
    p = np.ones((arms, arms))
    upper = np.triu_indices(arms, 1)
    p[upper] = stats.studentized_range.sf(q[upper], arms, np.inf)
    p.T[upper] = p[upper]
    return p
