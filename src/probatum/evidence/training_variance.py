"""How much a difference of two arms moves with the rows that the models were trained on, seen from repeated k-fold."""

from __future__ import annotations

import numpy as np

from probatum.evidence.row_table import cluster_codes
from probatum.evidence.scores import ArmScores

SHARE = 1 / 3
"""Of the jackknife's estimate. It is too large for squared errors of fitted models, whose excess over the best is of
second order in the training rows (Efron and Stein, Annals of Statistics 9, 586, 1981: at least twice), and the folds'
models average each other. By simulation a third keeps the level (`benchmarks/type_one_error.py`)."""


def variance_by_rows(arm: ArmScores, baseline: ArmScores) -> float | None:
    """Variance of the mean difference, by the choice of rows to be predicted and of rows to be trained on.

    Nadeau and Bengio take the correlation of splits to be n_test/(n_train + n_test), whatever is trained. Models that
    overfit move more with their training rows: with as many inputs as two thirds of the rows, exchangeable arms are
    then called different in one of six data sets. Where every row is predicted in several repeats, this can be seen:

        d_rf = row_r + model_f + rest,   V = Var(row) / rows + share Var(model) n_train/n_test,

    with d_rf the difference of the losses of row r by the models of fold f. Var(model) is estimated by the spread of
    the folds' mean residuals beyond what the rest explains, and n_train/n_test is the factor of the delete-d
    jackknife (Shao and Wu, Annals of Statistics 17, 1176, 1989). Rows weigh the same here, whatever the scoring says.

    Args:
        arm, baseline: of the same folds, in any order.

    Returns:
        The variance; None where it cannot be seen: no predictions kept, a metric that is no mean over rows, rows that
        were predicted once, or folds of one row.
    """
    if arm.rows is None or baseline.rows is None or not arm.metric.additive:
        return None
    folds = np.repeat(np.arange(len(arm.rows)), [len(t.cases) for t in arm.rows])
    rows = _row_codes(arm)
    times, sizes = np.bincount(rows), np.bincount(folds)
    if times.min() < 2 or sizes.min() < 2:
        return None
    position = {u.digest: i for i, u in enumerate(baseline.units)}
    theirs = [baseline.row_losses[position[u.digest]] for u in arm.units]
    difference = np.concatenate(arm.row_losses) - np.concatenate(theirs)
    of_rows = np.bincount(rows, difference) / times
    residual = difference - of_rows[rows]
    of_models = np.bincount(folds, residual) / sizes
    rest = np.bincount(folds, (residual - of_models[folds]) ** 2) / (sizes - 1)
    repeats = times.mean()
    of_model = max(float(np.mean(of_models**2 - rest / sizes)), 0.0) * repeats / (repeats - 1)
    train, test = (np.mean([getattr(u, side) for u in arm.units]) for side in ("train_rows", "test_rows"))
    clusters = np.zeros(len(times), dtype=np.int64)
    clusters[rows] = np.concatenate(cluster_codes(arm.rows))
    return _mean_variance(of_rows, clusters) + SHARE * of_model * float(train / test)


def _row_codes(arm: ArmScores) -> np.ndarray:
    """[prediction] int: which row of which dataset is predicted, fold after fold."""
    assert arm.rows is not None
    names = [(u.task, u.draw) for u in arm.units]
    datasets = {name: i for i, name in enumerate(dict.fromkeys(names))}
    largest = max(int(t.cases.max()) for t in arm.rows) + 1
    numbered = [datasets[name] * largest + t.cases for name, t in zip(names, arm.rows, strict=True)]
    return np.unique(np.concatenate(numbered), return_inverse=True)[1]


def _mean_variance(values: np.ndarray, clusters: np.ndarray) -> float:
    """Variance of the mean of values that are independent between clusters."""
    sums = np.bincount(clusters, values - values.mean()) / len(values)
    count = len(np.unique(clusters))
    return float((sums**2).sum()) * count / max(count - 1, 1)
