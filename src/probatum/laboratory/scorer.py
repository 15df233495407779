"""A campaign's stored predictions, scored and compared under its protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.experiment import TRIVIAL
from probatum.campaigns.splits import group_name, held_out_rows
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.errors import UnknownNameError
from probatum.evidence.cells import Cell, cell_differences, group_tables
from probatum.evidence.comparison import compare
from probatum.evidence.group_mean import coarser_groupings, group_means
from probatum.evidence.noise import NoiseFloor, noise_floor
from probatum.evidence.row_table import RowTable
from probatum.evidence.scores import ArmScores, arm_scores, group_scores
from probatum.evidence.verdict import Verdict
from probatum.learning.metrics import Metric, metric
from probatum.problems.problem import Scoring

MOST_GROUPS_SHOWN = 60
WHOLE = "the whole task"


class Scorer:
    """Scores what a campaign has stored.

    Args:
        campaign: opened.
    """

    def __init__(self, campaign: Campaign):
        self.campaign = campaign

    @property
    def metric(self) -> Metric:
        """The protocol's."""
        return metric(str(self.campaign.file.protocol.metric))

    @property
    def scoring(self) -> Scoring:
        """The protocol's, of those that the problem has."""
        return self.campaign.file.problem.scorings[self.campaign.file.protocol.scoring]

    @cached_property
    def group_means(self) -> dict[str, str]:
        """Name of a trivial arm to the grouping whose means it predicts; {} where splits keep all groupings apart.

        They train nothing, so they are made when they are looked at, and no ledger holds them.
        """
        datasets, protocol = self.campaign.datasets, self.campaign.file.protocol
        apart = {name for d in datasets.values() if (name := group_name(d, protocol))}
        return {
            f"{TRIVIAL} mean of {n}": n for n in coarser_groupings(self.campaign.draws, self.campaign.splits, apart)
        }

    def score(self, name: str) -> ArmScores:
        """An experiment's scores.

        Args:
            name: of an experiment, or of a trivial arm of `group_means`.

        Raises:
            UnknownNameError, IncomparableError: it was not run, or not to its end.
        """
        return self.scored(name, self._predictions(name))

    def scored(
        self, name: str, predictions: Sequence[StoredPrediction], held_out: Mapping[str, int] | None = None
    ) -> ArmScores:
        """The scores of predictions that are at hand.

        Args:
            name: what the arm is called.
            predictions: of all its fits.
            held_out: task to the number of cases that are held out of them; default: the protocol's.
        """
        datasets, protocol = self.campaign.datasets, self.campaign.file.protocol
        if held_out is None:
            held_out = {task: len(held_out_rows(d, protocol)) for task, d in datasets.items()}
        draws = self.campaign.draws
        return arm_scores(name, predictions, draws, self.metric, self.scoring, held_out, protocol.group)

    def judge(self, judged: Sequence[ArmScores], baseline: ArmScores, *, splits: str | None = None) -> list[Verdict]:
        """Verdicts of arms, judged together.

        Args:
            judged: arms.
            baseline: that they are compared with.
            splits: kind of the splits that they were scored on; default: the protocol's.

        Raises:
            IncomparableError: arms of other rows, metrics or scorings.
        """
        protocol = self.campaign.file.protocol
        return compare(judged, baseline, splits=splits or protocol.splits, margin=protocol.margin, alpha=protocol.alpha)

    def judged_pairs(self, pairs: Sequence[tuple[ArmScores, ArmScores]]) -> list[tuple[ArmScores, ArmScores]]:
        """The (parent, child) pairs that effects are made of: all, for a campaign scores all its arms alike."""
        return list(pairs)

    def by_group(self, name: str, grouping: str | None = None) -> dict[tuple[str, str], np.ndarray]:
        """(task, group) to the metric for each quantity, by the groupings of `groupings`."""
        groupings = self.groupings(grouping)
        predictions = [p for p in self._predictions(name) if p.task in groupings]
        return group_scores(predictions, self.campaign.draws, self.metric, groupings)

    def by_cell(self, name: str, baseline: str, grouping: str | None = None) -> list[Cell]:
        """Two arms' difference in every group and quantity, with exploratory intervals."""
        mine, theirs = self._predictions(name), self._predictions(baseline)
        level = 1 - self.campaign.file.protocol.alpha
        return cell_differences(mine, theirs, self.campaign.draws, self.metric, self.groupings(grouping), level)

    def rows_by_group(self, name: str, grouping: str | None = None) -> dict[tuple[str, str, int], RowTable]:
        """(task, group, draw) to truth and predictions of its rows; a task without groups is one, called as the task.

        Args:
            name: of an experiment.
            grouping: as in `groupings`.
        """
        groupings, draws = self.groupings(grouping), dict(self.campaign.draws)
        for (task, draw), dataset in self.campaign.draws.items():
            if groupings.setdefault(task, WHOLE) == WHOLE:
                draws[task, draw] = replace(dataset, groups={WHOLE: np.full(len(dataset), task)})
        return group_tables(self._predictions(name), draws, self.metric, groupings)

    def groupings(self, chosen: str | None = None) -> dict[str, str]:
        """Task to the grouping that tables show: the protocol's, or the first with few enough groups to be read.

        Args:
            chosen: the grouping to show instead, of the tasks that have it.

        Raises:
            UnknownNameError: no task has the chosen one.
        """
        if chosen is not None:
            datasets = self.campaign.datasets
            having = {task: chosen for task, dataset in datasets.items() if chosen in dataset.groups}
            if not having:
                known = dict.fromkeys(name for dataset in datasets.values() for name in dataset.groups)
                raise UnknownNameError.of("grouping", chosen, known, where=self.campaign.file.path.name)
            return having
        found = {}
        for task, dataset in self.campaign.datasets.items():
            own = group_name(dataset, self.campaign.file.protocol)
            names: list[str] = [own, *dataset.groups] if own else list(dataset.groups)
            few = (n for n in names if len(np.unique(dataset.groups[n])) <= MOST_GROUPS_SHOWN)
            if name := next(few, None):
                found[task] = name
        return found

    def floors(self) -> tuple[NoiseFloor, ...]:
        """The noise floor of each task that has repeated measurements; needs no run."""
        return tuple(f for d in self.campaign.datasets.values() if (f := noise_floor(d)))

    def score_floors(self) -> list[tuple[str, float]]:
        """(task, least score) that repeated measurements allow, for metrics of squared errors."""
        power = {"mse": 1.0, "rmse": 0.5}.get(self.metric.name)
        return [(f.task, f.variance**power) for f in self.floors()] if power else []

    def _predictions(self, name: str) -> list[StoredPrediction]:
        if name in self.group_means:
            return group_means(self.group_means[name], self.campaign.draws, self.campaign.splits)
        return self.campaign.predictions(name)
