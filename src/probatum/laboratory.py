"""The loop: a round of experiments is run, scored and judged against the baseline."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Listener
from probatum.campaigns.experiment import HELD_OUT, TRIVIAL
from probatum.campaigns.ledger import ExperimentRecord
from probatum.campaigns.splits import group_name, held_out_rows
from probatum.errors import IncomparableError, UnknownNameError
from probatum.evidence.comparison import Verdict, compare
from probatum.evidence.noise import NoiseFloor, noise_floor
from probatum.evidence.scores import ArmScores, arm_scores, group_scores
from probatum.learning.metrics import Metric, metric
from probatum.problems.problem import Scoring

MOST_GROUPS_SHOWN = 60


@dataclass(frozen=True, eq=False)
class Results:
    """What a campaign shows so far.

    Attributes:
        records: all experiments, as the ledger knows them.
        arms: scores of the finished ones, in the order of the records.
        verdicts: of the finished ones but the baseline and the trivial arms, judged together.
        baseline: name of the experiment that they are compared with.
        floors: noise floor of each task that has repeated measurements.
    """

    records: tuple[ExperimentRecord, ...]
    arms: tuple[ArmScores, ...]
    verdicts: tuple[Verdict, ...]
    baseline: str
    floors: tuple[NoiseFloor, ...]

    @property
    def best(self) -> ArmScores | None:
        """The arm with the best score, trivial ones left out; the best of many is better by chance alone."""
        arms = [a for a in self.arms if not a.name.startswith(TRIVIAL)]
        if not arms:
            return None
        lower = arms[0].metric.better == "lower"
        return min(arms, key=lambda a: a.score if lower else -a.score)

    def arm(self, name: str) -> ArmScores:
        """The scores of one experiment.

        Raises:
            UnknownNameError: it is not finished or does not exist.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise UnknownNameError.of("finished experiment", name, [a.name for a in self.arms])


class Laboratory:
    """A campaign, run and judged.

    Args:
        campaign: opened.
    """

    def __init__(self, campaign: Campaign):
        self.campaign = campaign

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Laboratory:
        """The laboratory of a campaign file.

        Raises:
            CampaignFileError, UnknownNameError: the file cannot be used.
        """
        return cls(Campaign.open(Path(path)))

    @property
    def metric(self) -> Metric:
        return metric(str(self.campaign.file.protocol.metric))

    @property
    def scoring(self) -> Scoring:
        return self.campaign.file.problem.scorings[self.campaign.file.protocol.scoring]

    def run(self, tell: Listener = lambda _: None, *, retry_failed: bool = False) -> Results:
        """Runs what has not been run, records the scores, and judges.

        Args:
            tell: called with every event.
            retry_failed: whether fits that failed before are tried again.
        """
        self.campaign.run(tell, retry_failed=retry_failed)
        results = self.results()
        for arm in results.arms:
            self.campaign.ledger.set_score(arm.name, arm.score)
        return replace(results, records=self._records())

    def results(self) -> Results:
        """What the recorded predictions show."""
        records = self._records()
        arms = tuple(self.score(r.name) for r in records if r.status == "done")
        baseline = self.campaign.baseline
        judged = [a for a in arms if a.name != baseline and not a.name.startswith(TRIVIAL)]
        verdicts = self._judge(judged, arms, baseline) if any(a.name == baseline for a in arms) else []
        floors = tuple(f for d in self.campaign.datasets.values() if (f := noise_floor(d)))
        return Results(records, arms, tuple(verdicts), baseline, floors)

    def compare(self, names: Sequence[str], baseline: str | None = None) -> list[Verdict]:
        """Judges some experiments against a baseline, trivial arms included if named.

        Args:
            names: experiments of this campaign, or 'other.toml:NAME' of another.
            baseline: default: the protocol's.

        Raises:
            UnknownNameError, IncomparableError.
        """
        chosen = baseline or self.campaign.baseline
        arms = [self._arm_of(name) for name in dict.fromkeys(names) if name != chosen]
        if not arms:
            raise IncomparableError(f"nothing to compare with '{chosen}'", remedy="name another experiment")
        return self._judge(arms, [*arms, self._arm_of(chosen)], chosen)

    def score(self, name: str) -> ArmScores:
        """An experiment's scores under the campaign's protocol."""
        datasets, protocol = self.campaign.datasets, self.campaign.file.protocol
        held_out = {task: len(held_out_rows(d, protocol)) for task, d in datasets.items()}
        return arm_scores(name, self.campaign.predictions(name), datasets, self.metric, self.scoring, held_out)

    def by_group(self, name: str) -> dict[tuple[str, str], np.ndarray]:
        """(task, group) to the metric for each quantity, by the groupings of `groupings`."""
        groupings = self.groupings()
        predictions = [p for p in self.campaign.predictions(name) if p.task in groupings]
        return group_scores(predictions, self.campaign.datasets, self.metric, groupings)

    def groupings(self) -> dict[str, str]:
        """Task to the grouping that tables show: the protocol's, or the first with few enough groups to be read."""
        chosen = {}
        for task, dataset in self.campaign.datasets.items():
            own = group_name(dataset, self.campaign.file.protocol)
            names: list[str] = [own, *dataset.groups] if own else list(dataset.groups)
            few = (n for n in names if len(np.unique(dataset.groups[n])) <= MOST_GROUPS_SHOWN)
            if name := next(few, None):
                chosen[task] = name
        return chosen

    def score_held_out(self, name: str, tell: Listener = lambda _: None) -> float:
        """The score on the held-out cases; the look is counted in the ledger."""
        predictions = self.campaign.open_held_out(name, tell)
        score = arm_scores(name, predictions, self.campaign.datasets, self.metric, self.scoring).score
        self.campaign.ledger.count_held_out(name, score)
        return score

    def _records(self) -> tuple[ExperimentRecord, ...]:
        return tuple(r for r in self.campaign.ledger.experiments() if not r.name.startswith(HELD_OUT))

    def _arm_of(self, name: str) -> ArmScores:
        file, _, experiment = name.rpartition(":")
        if file.endswith(".toml"):
            return Laboratory.open(file).score(experiment)
        return self.score(name)

    def _judge(self, judged: Sequence[ArmScores], arms: Sequence[ArmScores], baseline: str) -> list[Verdict]:
        protocol = self.campaign.file.protocol
        base = next(a for a in arms if a.name == baseline)
        return compare(judged, base, splits=protocol.splits, margin=protocol.margin, alpha=protocol.alpha)
