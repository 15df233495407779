"""Where two arms differ: every group x quantity with an interval. Exploratory: no verdict rests on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.evidence.row_table import RowTable
from probatum.evidence.scores import arm_scores
from probatum.learning.metrics import Metric
from probatum.problems.problem import Dataset, Scoring


@dataclass(frozen=True)
class Cell:
    """Two arms' difference on one quantity in one group.

    Attributes:
        task, group, quantity: which.
        difference: of the metric, arm minus baseline.
        interval: by t over the group's rows, as if they were independent; None where the metric is no mean over rows or
            there are fewer than two.
        rows: of the group.
    """

    task: str
    group: str
    quantity: str
    difference: float
    interval: tuple[float, float] | None
    rows: int


def cell_differences(
    arm: Sequence[StoredPrediction],
    baseline: Sequence[StoredPrediction],
    datasets: Mapping[tuple[str, int], Dataset],
    metric: Metric,
    groupings: Mapping[str, str],
    level: float = 0.95,
) -> list[Cell]:
    """The difference of two arms in every group of rows, for every quantity; draws of new data bring new rows.

    Args:
        arm, baseline: all predictions of both.
        datasets: (task, draw) to dataset.
        metric: how.
        groupings: task to the name of its grouping; tasks without one are left out.
        level: of the intervals.
    """
    mine, theirs = (group_tables(predictions, datasets, metric, groupings) for predictions in (arm, baseline))
    cells = []
    for task, group in dict.fromkeys((task, group) for task, group, _ in mine):
        keys = [key for key in mine if key[:2] == (task, group)]
        count = sum(len(mine[key].truth) for key in keys)
        for q, quantity in enumerate(datasets[task, keys[0][2]].quantity_names):
            losses, base = (np.concatenate([_by_row(of[key], q, metric) for key in keys]) for of in (mine, theirs))
            interval = None
            if metric.additive and count > 1:
                found = losses - base
                half = stats.t.ppf(0.5 + level / 2, count - 1) * np.std(found, ddof=1) / np.sqrt(count)
                interval = float(found.mean() - half), float(found.mean() + half)
            cells.append(Cell(task, group, quantity, float(losses.mean() - base.mean()), interval, count))
    return cells


def _by_row(table: RowTable, q: int, metric: Metric) -> np.ndarray:
    """[row]: the loss on one quantity, mean over seeds; for a metric that is no mean over rows [seed], the metric."""
    truth = table.truth[:, [q]]
    if metric.additive:
        return np.mean([metric.row_losses(truth, p[:, [q]])[:, 0] for p in table.predictions], axis=0)
    return np.array([metric.score(truth, p[:, [q]]) for p in table.predictions])


def group_tables(
    predictions: Sequence[StoredPrediction],
    datasets: Mapping[tuple[str, int], Dataset],
    metric: Metric,
    groupings: Mapping[str, str],
) -> dict[tuple[str, str, int], RowTable]:
    """(task, group, draw) to its rows: each group as one hold-out; repeats of a row count as further seeds.

    Args:
        predictions: of one arm.
        datasets: (task, draw) to dataset.
        metric: of the arm.
        groupings: task to the name of its grouping; tasks without one are left out.
    """
    parts: dict[tuple[str, str, int], list[StoredPrediction]] = {}
    for p in predictions:
        if p.task in groupings:
            labels = datasets[p.task, p.draw].groups[groupings[p.task]][p.rows]
            for label in np.unique(labels):
                of_group = labels == label
                part = replace(p, rows=p.rows[of_group], prediction=p.prediction[of_group])
                parts.setdefault((p.task, str(label), p.draw), []).append(part)
    found = {}
    for key, pieces in parts.items():
        rows = np.unique(np.concatenate([p.rows for p in pieces]))
        layers: list[StoredPrediction] = []
        for seed in sorted({p.seed for p in pieces}):
            of_seed = [p for p in pieces if p.seed == seed]
            row, value = (np.concatenate([getattr(p, side) for p in of_seed]) for side in ("rows", "prediction"))
            order = np.argsort(row, kind="stable")
            repeats = len(row) // len(rows)  # every repeat of a partition predicts every row once
            value = value[order].reshape(len(rows), repeats, -1) if len(row) == repeats * len(rows) else None
            if value is not None:
                first = len(layers)
                layers += [
                    replace(pieces[0], split_digest=key[1], seed=first + r, rows=rows, prediction=value[:, r])
                    for r in range(repeats)
                ]
        if layers:
            arm = arm_scores("", layers, datasets, metric, Scoring("pooled"))
            assert arm.rows is not None  # one split of one dataset
            found[key] = arm.rows[0]
    return found
