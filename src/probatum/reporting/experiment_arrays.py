"""What pictures of one experiment are drawn from: its predictions beside the truth, and its learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probatum.audit.history import Training
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.errors import UsageError
from probatum.laboratory import Laboratory
from probatum.problems.picture import Scored, scored
from probatum.problems.problem import Dataset
from probatum.reporting.figures.learning_curves import LOSSES
from probatum.reporting.figures.predictions import Panel


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """An experiment's predictions of one task, those of seeds and repeats averaged.

    Attributes:
        dataset: whose rows these are.
        rows: [scored row] int positions, ascending.
        predictions: [scored row, quantity] float64.
        curves: what each fit kept besides its predictions, arrays by name.
    """

    dataset: Dataset
    rows: np.ndarray
    predictions: np.ndarray
    curves: Sequence[Mapping[str, np.ndarray]] = ()

    def scored(self) -> Scored:
        """The predictions beside the truth, without rows where one of them is not finite."""
        return scored(self.dataset, self.rows, self.predictions)


def out_of_fold(laboratory: Laboratory, experiment: str) -> list[OutOfFold]:
    """What an experiment predicted for rows that it was not trained on, one a task; of fresh draws the first.

    Raises:
        UnknownNameError, IncomparableError: it was not run, or not to its end.
    """
    predictions = laboratory.campaign.predictions(experiment)
    return [
        _averaged(dataset, [p for p in predictions if p.task == task and p.draw == 0])
        for task, dataset in laboratory.campaign.datasets.items()
        if any(p.task == task and p.draw == 0 for p in predictions)
    ]


def _averaged(dataset: Dataset, predictions: Sequence[StoredPrediction]) -> OutOfFold:
    every = np.concatenate([p.rows for p in predictions])
    rows, place = np.unique(every, return_inverse=True)
    sums = np.zeros((len(rows), len(dataset.quantities)))
    np.add.at(sums, place, np.concatenate([p.prediction for p in predictions]))
    return OutOfFold(dataset, rows, sums / np.bincount(place)[:, None], [p.curves for p in predictions])


def panels_of(laboratory: Laboratory, experiment: str, grouping: str | None = None) -> list[Panel]:
    """What an experiment predicted for rows that it was not trained on, group by group.

    Args:
        laboratory: of the campaign.
        experiment: finished.
        grouping: by name; default: that of the campaign's tables.

    Raises:
        UnknownNameError, IncomparableError: as `Laboratory.score`; a grouping that does not exist.
    """
    found = laboratory.rows_by_group(experiment, grouping)
    tasks, draws = ({key[i] for key in found} for i in (0, 2))
    panels = []
    for (task, group, draw), table in found.items():
        quantities = range(table.truth.shape[1])
        scores = [
            laboratory.metric.score(table.truth[:, [q]], p[:, [q]]) for p in table.predictions for q in quantities
        ]
        title = f"{task}: {group}" if len(tasks) > 1 and group != task else group
        title += f", draw {draw}" if len(draws) > 1 else ""
        panels.append(Panel(title, table.truth, np.asarray(table.predictions), float(np.mean(scores))))
    return panels


def losses_of(trainings: Sequence[StoredPrediction | Training]) -> list[Mapping[str, np.ndarray]]:
    """The losses over epochs of each training that kept any, [epoch] by name."""
    found = [{n: t.curves[n] for n in LOSSES if np.ndim(t.curves.get(n, 0)) == 1} for t in trainings]
    return [curves for curves in found if curves]


def curves_of(laboratory: Laboratory, experiment: str) -> list[Mapping[str, np.ndarray]]:
    """The losses over epochs of each of an experiment's trainings, [epoch] by name.

    Raises:
        UsageError: none of them kept any.
    """
    found = losses_of(laboratory.campaign.predictions(experiment))
    if not found:
        raise UsageError(
            f"no training history of '{experiment}': its model keeps none",
            where=laboratory.campaign.file.path.name,
            remedy="draw that of a network; a blend has that of its components",
        )
    return found
