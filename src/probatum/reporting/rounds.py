"""Rounds as plain values: what the next one would be, and how a call that ran some ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum.laboratory.autopilot import Ended
from probatum.laboratory.round_record import proposal_values
from probatum.planning.rounds import PlannedRound

SCHEMA = 1


def planned_values(planned: PlannedRound, acting: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """A round before it runs.

    Args:
        planned: the round.
        acting: (code, what a person must do) of findings that no proposal answers.
    """
    return {
        "schema": SCHEMA,
        "round": planned.number,
        "proposals": [proposal_values(c.proposal) | {"change": str(c.experiment.mutation)} for c in planned.candidates],
        "control": None if planned.control is None else planned.control.parent,
        "dropped": [vars(d) for d in planned.dropped],
        "for_a_person": dict(acting),
    }


def ended_values(ended: Ended, confirmation: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """How rounds ended.

    Args:
        ended: of an autopilot's call.
        confirmation: the result of the champion's, where it was confirmed.
    """
    return {
        "schema": SCHEMA,
        "stopped": ended.reason,
        "why": ended.why,
        "champion": ended.champion,
        "score": ended.score,
        "leader": ended.leader,
        "seconds": ended.seconds,
        "rounds": [{"number": r.number, "when": r.when, **r.content} for r in ended.rounds],
        "confirmation": None if confirmation is None else dict(confirmation),
    }
