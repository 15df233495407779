"""Arms with given scores, and pairs of exchangeable models on data in which neither is better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probatum.evidence.scores import ArmScores, Unit
from probatum.learning.metrics import metric
from probatum.problems.problem import Scoring


def arm(
    name: str,
    values: Sequence[float] | np.ndarray,
    *,
    rows: Sequence[int] | None = None,
    clusters: Sequence[str] | None = None,
    train_rows: int = 48,
    measure: str = "mse",
    scoring: Scoring | None = None,
    quantities: tuple[str, ...] = ("y",),
    digests: Sequence[str] | None = None,
) -> ArmScores:
    """An arm whose score on fold i is values[i]; several seeds as [seed, fold]."""
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    folds = table.shape[1]
    rows = [12] * folds if rows is None else rows
    names = [f"fold {i}" for i in range(folds)]
    units = tuple(
        Unit("task", 0, n, digest, r, r, train_rows, cluster)
        for n, r, digest, cluster in zip(names, rows, digests or names, clusters or names, strict=True)
    )
    repeated = np.repeat(table[:, :, None], len(quantities), axis=2)
    return ArmScores(name, metric(measure), scoring or Scoring("pooled"), quantities, units, len(table), repeated)


def fold_errors(inputs: np.ndarray, targets: np.ndarray, tests: np.ndarray, penalty: float = 1.0) -> np.ndarray:
    """[fold]: mean squared error of ridge regression, all folds solved at once.

    Args:
        inputs: [row, column] of mean 0.
        targets: [row].
        tests: [fold, row] bool, who is left out.
    """
    train = ~tests
    centers = (train @ targets) / train.sum(axis=1)
    residuals = (targets - centers[:, None]) * train
    gram = np.einsum("fr,ri,rj->fij", train.astype(np.float64), inputs, inputs) + penalty * np.eye(inputs.shape[1])
    weights = np.linalg.solve(gram, (residuals @ inputs)[:, :, None])[:, :, 0]
    predicted = centers[:, None] + weights @ inputs.T
    return (((predicted - targets) ** 2) * tests).sum(axis=1) / tests.sum(axis=1)


def k_folds(generator: np.random.Generator, rows: int, folds: int, repeats: int) -> np.ndarray:
    """[fold, row] bool: test sets of repeated k-fold."""
    labels = np.stack([generator.permutation(np.arange(rows) % folds) for _ in range(repeats)])
    return (labels[:, None, :] == np.arange(folds)[None, :, None]).reshape(-1, rows)


def arms_of_one_data_set(
    generator: np.random.Generator, tests: np.ndarray, arms: int = 2, columns: int = 3, signal: float = 0.0
) -> list[ArmScores]:
    """Ridge models that see different columns of equal worth: over data sets none is better than another."""
    rows = tests.shape[1]
    inputs = generator.normal(size=(arms, rows, columns))
    targets = generator.normal(size=rows) + signal * inputs.sum(axis=(0, 2))
    sizes = tests.sum(axis=1)
    return [
        arm(f"arm {i}", fold_errors(x, targets, tests), rows=sizes.tolist(), train_rows=rows - int(sizes.mean()))
        for i, x in enumerate(inputs)
    ]
