"""What a campaign shows so far."""

from __future__ import annotations

from dataclasses import dataclass

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.experiment import PROBES, TRIVIAL
from probatum.campaigns.ledger import ExperimentRecord
from probatum.errors import UnknownNameError
from probatum.evidence.comparable import why_not_scored
from probatum.evidence.noise import NoiseFloor
from probatum.evidence.scores import ArmScores
from probatum.evidence.verdict import Verdict


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


def records_of(campaign: Campaign) -> tuple[ExperimentRecord, ...]:
    """The experiments of a campaign's ledger, without those that only confirm or control."""
    return tuple(r for r in campaign.ledger.experiments() if not r.name.startswith(PROBES))
