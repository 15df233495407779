"""The difference of two arms on one hold-out: its error by the choice of cases, of seeds and of the training set.

One hold-out has one training set, so nothing in it shows how the difference moves from training set to training set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from probatum.evidence.resampling import CorrectedT
from probatum.evidence.row_table import resampled_scores
from probatum.evidence.scores import ArmScores

MOST_SAMPLES, FEWEST_SAMPLES = 2000, 200
CASES_DRAWN = 40_000_000
"""Cases drawn in all samples together, above which fewer samples are drawn: with many cases, few suffice."""


@dataclass(frozen=True)
class HoldOutDifference:
    """A difference on one hold-out and what its error is made of.

    Attributes:
        t: estimate, error and degrees of freedom.
        cases: independent cases that were drawn again.
        case_variance: of the difference, by the choice of test cases and of the training set.
        seed_variance: of the difference, by the choice of seeds; 0 where an arm has one.
        skipped: share of the bootstrap samples on which the metric is not defined.
    """

    t: CorrectedT
    cases: int
    case_variance: float
    seed_variance: float
    skipped: float


def hold_out_difference(arm: ArmScores, baseline: ArmScores, seed: int = 0) -> HoldOutDifference:
    """Two-way bootstrap over cases x seeds (Owen, Annals of Applied Statistics 1, 386, 2007), widened for training.

    Both arms are scored on the same drawn cases, by any metric; each arm draws its own seeds. With V_c the part of the
    cases and V_s that of the seeds, the variance is

        V = V_c (1 + n_test/n_train) + V_s,

    as if the training rows were drawn again like the test rows (Nadeau and Bengio, Machine Learning 52, 239, 2003, for
    one split: their variance (1/J + n2/n1) s^2 at J = 1). Degrees of freedom by Satterthwaite.

    Args:
        arm, baseline: with row tables of the same folds, in any order.
        seed: of the draws.
    """
    assert arm.rows is not None
    assert baseline.rows is not None
    position = {u.digest: i for i, u in enumerate(baseline.units)}
    tables = [list(arm.rows), [baseline.rows[position[u.digest]] for u in arm.units]]
    generator = np.random.default_rng(seed)
    total = sum(len(t.cases) for t in tables[0])
    samples = int(np.clip(CASES_DRAWN // total, FEWEST_SAMPLES, MOST_SAMPLES))
    drawn, degrees = resampled_scores(tables, arm.metric, arm.weights, generator, samples)
    differences = np.subtract(*(_seeds_drawn(scores, generator) for scores in drawn))
    defined = np.isfinite(differences)
    estimate = arm.score - baseline.score
    test, train = (sum(getattr(u, side) for u in arm.units) for side in ("test_rows", "train_rows"))
    ratio = test / train
    variance = float(np.var(differences[defined], ddof=1)) if defined.sum() > 1 else 0.0
    of_seeds = [_seed_variance(a) for a in (arm, baseline)]
    of_cases = max(variance - sum(of_seeds), 0.0) * (1 + ratio)
    error = float(np.sqrt(of_cases + sum(of_seeds)))
    parts = [(of_cases, degrees), *((v, a.seeds - 1) for v, a in zip(of_seeds, (arm, baseline), strict=True))]
    scale = sum(v**2 / d for v, d in parts if v > 0 and d > 0)
    satterthwaite = error**4 / scale if scale > 0 else float(degrees)
    t = CorrectedT(estimate, error, satterthwaite, ratio, error)
    return HoldOutDifference(t, degrees + 1, of_cases, sum(of_seeds), float(1 - defined.mean()))


def _seeds_drawn(
    scores: Float[np.ndarray, "sample seed"], generator: np.random.Generator
) -> Float[np.ndarray, " sample"]:
    """[sample]: the mean over drawn seeds; of S seeds S - 1 are drawn, as of the cases, so that no variance is lost."""
    samples, seeds = scores.shape
    if seeds == 1:
        return scores[:, 0]
    drawn = generator.integers(seeds, size=(samples, seeds - 1))
    return np.take_along_axis(scores, drawn, axis=1).mean(axis=1)


def _seed_variance(arm: ArmScores) -> float:
    """Variance of the score, a mean over seeds, by the choice of seeds."""
    return 0.0 if arm.seed_spread is None else arm.seed_spread**2 / arm.seeds
