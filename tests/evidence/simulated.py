"""Arms with given scores, and exchangeable models on data in which none is better than another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from probatum.evidence.row_table import RowTable
from probatum.evidence.scores import ArmScores, Unit
from probatum.learning.metrics import Metric, metric
from probatum.problems.problem import Scoring

POOLED = Scoring("pooled")


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
    draws: Sequence[int] | None = None,
    data: str = "",
) -> ArmScores:
    """An arm whose score on fold i is values[i]; several seeds as [seed, fold]."""
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    folds = table.shape[1]
    rows = [12] * folds if rows is None else rows
    names = [f"fold {i}" for i in range(folds)]
    units = tuple(
        Unit("task", draw, n, digest, r, r, train_rows, cluster, data)
        for draw, n, r, digest, cluster in zip(
            draws or [0] * folds, names, rows, digests or names, clusters or names, strict=True
        )
    )
    repeated = np.repeat(table[:, :, None], len(quantities), axis=2)
    return ArmScores(name, metric(measure), scoring or POOLED, quantities, units, len(table), repeated)


def held_out_arm(
    name: str,
    truth: np.ndarray,
    predictions: np.ndarray,
    *,
    train_rows: int,
    measure: str | Metric = "mse",
    together: Sequence[str] | None = None,
) -> ArmScores:
    """An arm that was trained once and predicted these cases: truth [case], predictions [seed, case]."""
    chosen = metric(measure) if isinstance(measure, str) else measure
    cases = np.arange(len(truth))
    table = RowTable(
        truth[:, None], predictions[:, :, None], cases, cases if together is None else np.array(together), ""
    )
    unit = Unit("task", 0, "hold-out 1", "hold-out 1", len(truth), len(truth), train_rows, "hold-out 1")
    values = np.array([[[chosen.score(table.truth, p)]] for p in table.predictions])
    return ArmScores(name, chosen, POOLED, ("y",), (unit,), len(predictions), values, (table,))


def ridge_predictions(inputs: np.ndarray, targets: np.ndarray, tests: np.ndarray, penalty: float = 1.0) -> np.ndarray:
    """[fold, row]: what ridge regression predicts for every row, all folds solved at once.

    Args:
        inputs: [row, column] of mean 0.
        targets: [row].
        tests: [fold, row] bool, who is left out of training.
    """
    train = (~tests).astype(np.float64)
    centers = (train @ targets) / train.sum(axis=1)
    residuals = (targets - centers[:, None]) * train
    gram = (train[:, :, None] * inputs).transpose(0, 2, 1) @ inputs + penalty * np.eye(inputs.shape[1])
    weights = np.linalg.solve(gram, (residuals @ inputs)[:, :, None])[:, :, 0]
    return centers[:, None] + weights @ inputs.T


def fold_errors(inputs: np.ndarray, targets: np.ndarray, tests: np.ndarray, penalty: float = 1.0) -> np.ndarray:
    """[fold]: mean squared error of ridge regression."""
    errors = (ridge_predictions(inputs, targets, tests, penalty) - targets) ** 2
    return (errors * tests).sum(axis=1) / tests.sum(axis=1)


def k_folds(generator: np.random.Generator, rows: int, folds: int, repeats: int) -> np.ndarray:
    """[fold, row] bool: test sets of repeated k-fold."""
    labels = np.stack([generator.permutation(np.arange(rows) % folds) for _ in range(repeats)])
    return (labels[:, None, :] == np.arange(folds)[None, :, None]).reshape(-1, rows)


def left_out_groups(rows: int, groups: int) -> np.ndarray:
    """[group, row] bool: each group left out once."""
    return (np.arange(rows) % groups)[None, :] == np.arange(groups)[:, None]


def stratified_hold_outs(generator: np.random.Generator, rows: int, repeats: int) -> np.ndarray:
    """[repeat, row] bool: a fifth of the rows, each of three strata by its share."""
    tests = np.zeros((repeats, rows), dtype=bool)
    for stratum in range(3):
        members = np.arange(stratum, rows, 3)
        for test in tests:
            test[generator.permutation(members)[: len(members) // 5]] = True
    return tests


def rows_of_equal_worth(
    generator: np.random.Generator, rows: int, columns: int, signals: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """(inputs [arm, row, column], targets [row]): every arm's columns carry the signal that is given for it.

    Of arms with the same signal none is better over data sets.
    """
    inputs = generator.normal(size=(len(signals), rows, columns))
    return inputs, generator.normal(size=rows) + np.einsum("a,arc->r", np.asarray(signals), inputs)


def arms_of_one_data_set(
    generator: np.random.Generator, tests: np.ndarray, signals: Sequence[float] = (0.0, 0.0), columns: int = 3
) -> list[ArmScores]:
    """Ridge models, one for each signal, that see different columns; over data sets those of one signal are equal."""
    rows = tests.shape[1]
    inputs, targets = rows_of_equal_worth(generator, rows, columns, signals)
    return [fold_arm(f"arm {i}", targets, ridge_predictions(x, targets, tests), tests) for i, x in enumerate(inputs)]


def fold_arm(name: str, targets: np.ndarray, predictions: np.ndarray, tests: np.ndarray) -> ArmScores:
    """An arm with the predictions of every fold: targets [row], predictions and tests [fold, row]."""
    sizes = tests.sum(axis=1)
    errors = ((predictions - targets) ** 2 * tests).sum(axis=1) / sizes
    scored = arm(name, errors, rows=sizes.tolist(), train_rows=len(targets) - int(sizes.mean()))
    tables = []
    for predicted, test in zip(predictions, tests, strict=True):
        cases = np.flatnonzero(test)
        tables.append(RowTable(targets[cases, None], predicted[None, cases, None], cases, cases, ""))
    return replace(scored, rows=tuple(tables))


def arms_of_one_hold_out(
    generator: np.random.Generator,
    rows: int,
    seeds: int,
    signals: Sequence[float] = (0.0, 0.0),
    columns: int = 3,
    measure: str | Metric = "mse",
    share: float = 0.2,
) -> list[ArmScores]:
    """The same with one hold-out; each seed sees its columns through other random features, as a network would."""
    inputs, targets = rows_of_equal_worth(generator, rows, columns, signals)
    test = np.arange(rows) < round(share * rows)
    arms = []
    for i, x in enumerate(inputs):
        predicted = np.stack([_seed_prediction(generator, x, targets, test) for _ in range(seeds)])
        made = held_out_arm(
            f"arm {i}", targets[test], predicted[:, test], train_rows=int((~test).sum()), measure=measure
        )
        arms.append(made)
    return arms


def arms_of_many_draws(
    generator: np.random.Generator,
    draws: int,
    seeds: int,
    signals: Sequence[float] = (0.0, 0.0),
    rows: int = 60,
    columns: int = 3,
) -> list[ArmScores]:
    """The same with new data in every draw, and seeds that only start anew within it."""
    made = [arms_of_one_hold_out(generator, rows, seeds, signals, columns) for _ in range(draws)]
    return [
        arm(f"arm {i}", np.stack([m[i].values[:, 0, 0] for m in made], axis=1), draws=list(range(draws)))
        for i in range(len(signals))
    ]


def _seed_prediction(
    generator: np.random.Generator, x: np.ndarray, targets: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """[row]: ridge regression on an arm's columns and random features of them, which no other seed has."""
    seen = np.hstack([x, np.tanh(x @ generator.normal(size=(x.shape[1], 8)))])
    return ridge_predictions(seen, targets, test[None, :])[0]
