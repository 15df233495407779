"""What a campaign shows so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.experiment import PROBES, TRIVIAL
from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.errors import UnknownNameError
from probatum.evidence.comparable import why_not_scored
from probatum.evidence.noise import NoiseFloor
from probatum.evidence.scores import ArmScores
from probatum.evidence.verdict import Verdict
from probatum.notebook_tables import bounds, number, table


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
        arms = self.tried
        if not arms:
            return None
        lower = arms[0].metric.better == "lower"
        return min(arms, key=lambda a: a.score if lower else -a.score)

    @property
    def tried(self) -> list[ArmScores]:
        """The arms that a champion is chosen from: those with a score, trivial ones left out."""
        return [a for a in self.arms if not a.name.startswith(TRIVIAL) and not why_not_scored(a)]

    def arm(self, name: str) -> ArmScores:
        """The scores of one experiment.

        Raises:
            UnknownNameError: it is not finished or does not exist.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise UnknownNameError.of("finished experiment", name, [a.name for a in self.arms])

    def _repr_html_(self) -> str:
        """As a notebook shows it: the finished experiments, best score first, with their verdicts."""
        if not self.arms:
            return table("Results", (), [], ["No experiment is finished."])
        metric = self.arms[0].metric
        sign = 1 if metric.better == "lower" else -1
        verdicts = {v.arm: v for v in self.verdicts}
        rows = []
        for arm in sorted(self.arms, key=lambda a: (np.isnan(a.score), sign * a.score)):
            judged = verdicts.get(arm.name)
            row = (judged.outcome, number(judged.difference, 3, sign=True), bounds(judged.interval)) if judged else None
            row = row or ("baseline" if arm.name == self.baseline else "-", "-", "-")
            p = number(judged.p_adjusted, 2) if judged else "-"
            rows.append((arm.name, number(arm.score), *row, p, arm.seeds, len(arm.units)))
        headings = (
            "experiment",
            f">{metric.name} ({metric.better} is better)",
            "verdict",
            ">difference",
            "interval",
            ">p (Holm)",
            ">seeds",
            ">folds",
        )
        floors = [f"Noise floor of {f.task}: variance {number(f.variance)}." for f in self.floors]
        waiting = sum(r.status != "done" for r in self.records)
        notes = [f"{waiting} experiments are not finished."] if waiting else []
        return table(f"Results, against {self.baseline}", headings, rows, [*notes, *floors])


def records_of(campaign: Campaign) -> tuple[ExperimentRecord, ...]:
    """The experiments of a campaign's ledger, without those that only confirm or control."""
    return tuple(r for r in campaign.ledger.experiments() if not r.name.startswith(PROBES))
