"""Row-level predictions of a fold, kept so that its cases can be drawn again under any metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real, Shaped

from probatum.evidence.resampling import times_drawn
from probatum.learning.metrics import Metric

LARGEST_BLOCK = 4_000_000
"""Elements of the resampling counts that are held at once."""


@dataclass(frozen=True, eq=False)
class RowTable:
    """What every seed predicted for the cases of one fold, and the truth.

    Attributes:
        truth: [case, quantity] float64.
        predictions: [seed, case, quantity] float64.
        cases: [case] int: positions in the dataset, or of the averaged sample.
        together: [case] labels: cases of one label share measurements and are drawn together.
        scope: within which equal labels mean the same; tables of one scope share their labels.
    """

    truth: Real[np.ndarray, "case quantity"]
    predictions: Real[np.ndarray, "seed case quantity"]
    cases: Shaped[np.ndarray, " case"]
    together: Shaped[np.ndarray, " case"]
    scope: str

    def scores(self, metric: Metric, weights: Real[np.ndarray, "sample case"]) -> Float[np.ndarray, "sample seed"]:
        """The metric when cases weigh differently, as they do in a bootstrap sample.

        Args:
            metric: additive or not; each quantity is scored alone and the mean taken, as in `ArmScores`.
            weights: [sample, case], not negative.

        Returns:
            [sample, seed] float64; NaN where the metric is not defined on a sample.
        """
        if metric.additive:
            losses = np.stack([metric.row_losses(self.truth, p).mean(axis=1) for p in self.predictions], axis=1)
            return (weights @ losses) / weights.sum(axis=1, keepdims=True)
        quantities = range(self.truth.shape[1])
        return np.array([
            [np.mean([metric.score(self.truth[:, [q]], p[:, [q]], w) for q in quantities]) for p in self.predictions]
            for w in weights
        ])  # fmt: skip


def cluster_codes(tables: Sequence[RowTable]) -> list[np.ndarray]:
    """[table] of [case] int: equal where cases are drawn together, from 0 without gaps."""
    codes = [np.zeros(0, dtype=np.int64)] * len(tables)
    found = 0
    for scope in dict.fromkeys(t.scope for t in tables):
        members = [i for i, t in enumerate(tables) if t.scope == scope]
        labels, inverse = np.unique(np.concatenate([tables[i].together for i in members]), return_inverse=True)
        bounds = np.cumsum([len(tables[i].together) for i in members])[:-1]
        for i, part in zip(members, np.split(found + inverse, bounds), strict=True):
            codes[i] = part
        found += len(labels)
    return codes


def resampled_scores(
    arms: Sequence[Sequence[RowTable]],
    metric: Metric,
    shares: Real[np.ndarray, " fold"],
    generator: np.random.Generator,
    samples: int,
) -> tuple[list[np.ndarray], int]:
    """Scores of arms on bootstrap samples of their cases, the same cases for every arm.

    Of n labels that stand for independent cases n - 1 are drawn with replacement, which makes the variance over
    samples an unbiased estimate of the sampling variance (McCarthy and Snowden, Vital and Health Statistics 2 (95),
    1985). Labels of different folds are drawn apart, unless they occur in several folds.

    Args:
        arms: [arm][fold] tables of the same cases in the same order.
        metric: how.
        shares: [fold] of sum 1: a fold's share of the score.
        generator: of the draws.
        samples: how many.

    Returns:
        ([arm] of [sample, seed], degrees of freedom of the draws: labels less one for each stratum).
    """
    codes = cluster_codes(arms[0])
    clusters = np.arange(1 + max(int(c.max()) for c in codes))
    touches = np.stack([np.isin(clusters, c) for c in codes], axis=1)
    strata = [np.flatnonzero((touches == pattern).all(axis=1)) for pattern in np.unique(touches, axis=0)]
    found: list[list[np.ndarray]] = [[] for _ in arms]
    block = max(1, min(samples, LARGEST_BLOCK // sum(len(c) for c in codes)))
    for start in range(0, samples, block):
        counts = np.zeros((min(block, samples - start), len(clusters)))
        for members in strata:
            n = len(members)
            counts[:, members] = times_drawn(generator, len(counts), n, max(n - 1, 1))
        for arm, kept in zip(arms, found, strict=True):
            by_fold = [t.scores(metric, counts[:, c]) for t, c in zip(arm, codes, strict=True)]
            kept.append(np.tensordot(shares, np.stack(by_fold), axes=1))
    return [np.concatenate(kept) for kept in found], sum(len(s) - 1 for s in strata)
