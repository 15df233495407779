"""A round's candidates race for it: all of them on few folds, and only those in full that may be the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from probatum.campaigns.events import Listener
from probatum.campaigns.first_folds import FirstFolds
from probatum.evidence.scores import ArmScores
from probatum.laboratory.scorer import Scorer
from probatum.planning.candidates import Candidate
from probatum.planning.halving import Race, race
from probatum.planning.rounds import PlannedRound


@dataclass(frozen=True, eq=False)
class RacedRound:
    """A round after its race.

    Attributes:
        planned: the round, with the candidates that are left.
        entered: candidates before the race.
        given_up: those that it took away.
        race: what it came to.
    """

    planned: PlannedRound
    entered: int
    given_up: tuple[Candidate, ...]
    race: Race

    def values(self) -> dict[str, Any]:
        """As the ledger keeps it with the round."""
        return {
            "entered": self.entered,
            "rungs": [{"folds": r.folds, "kept": len(r.kept), "fits": r.fits} for r in self.race.rungs],
            "given_up": [
                {
                    "name": c.proposal.name,
                    "parent": c.proposal.parent,
                    "change": str(c.experiment.mutation),
                    "digest": c.experiment.recipe.digest(),
                    "why": self.race.why[c.proposal.name],
                }
                for c in self.given_up
            ],
        }


def raced(scorer: Scorer, planned: PlannedRound, slots: int, first_folds: int, tell: Listener) -> RacedRound:
    """Races the candidates of a round until the slots are enough, or nobody else can be told from the best.

    Args:
        scorer: of the campaign.
        planned: the round with all its candidates.
        slots: below which nobody is taken away.
        first_folds: of the first rung.
        tell: called with every event of the trainings.
    """
    campaign = FirstFolds(scorer.campaign, scorer.scoring.leave_out)
    experiments = {c.proposal.name: c.experiment for c in planned.candidates}

    def score(names: Sequence[str], folds: int) -> Mapping[str, ArmScores]:
        found = campaign.open_first([experiments[name] for name in names], folds, tell)
        return {name: scorer.scored(name, predictions) for name, predictions in found.items()}

    came_to = race(
        list(experiments),
        score,
        len(campaign.order),
        splits=scorer.campaign.file.protocol.splits,
        keep=slots,
        first=first_folds,
    )
    left = tuple(c for c in planned.candidates if c.proposal.name in came_to.finalists)
    gone = tuple(c for c in planned.candidates if c.proposal.name in came_to.why)
    return RacedRound(replace(planned, candidates=left), len(planned.candidates), gone, came_to)
