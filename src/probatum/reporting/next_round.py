"""What to try next, as planning sees a campaign now; nothing is run and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum.audit.inspection import Audit
from probatum.campaigns.ledgers.ledger import ROUND_PLANNED, Ledger
from probatum.errors import ProbatumError
from probatum.laboratory import Laboratory, Results
from probatum.laboratory.outlook import next_number, outlook_of
from probatum.laboratory.round_record import proposal_values
from probatum.planning.knowledge import PrincipleTests, from_record
from probatum.planning.prescriptions import Prescriber, for_a_person
from probatum.planning.proposal import Proposer
from probatum.planning.rounds import plan_round
from probatum.planning.surrogate import Surrogate

SLOTS = 4


def next_values(laboratory: Laboratory, results: Results, audit: Audit, slots: int = SLOTS) -> dict[str, Any]:
    """Proposals of the next round: what `probatum next` would print.

    Args:
        laboratory: of the campaign.
        results, audit: what it shows, and what is wrong with it.
        slots: experiments of the round.

    Returns:
        'round', its number; 'waiting', whether it was planned before and has not been judged; 'proposals', with the
        change as text; 'for_a_person', what no recipe can put right; 'why_none', where there are no proposals.
    """
    rounds = laboratory.campaign.ledger.rounds()
    number = next_number(rounds)
    if rounds and rounds[-1].state == ROUND_PLANNED:
        return _said(number, rounds[-1].content["proposals"], waiting=True)
    try:
        history = outlook_of(laboratory, results, audit).history
        proposers: list[Proposer] = [PrincipleTests(), Prescriber()]
        if history.space is not None:
            proposers.append(Surrogate())
        planned = plan_round(history, proposers, slots)
    except ProbatumError as error:  # a space that cannot be used, say; a report is written all the same
        return _said(number, [], why_none=str(error))
    against_all = sorted({f.code for f in history.findings if f.blocks and f.subject not in history.by_name})
    nothing = "no proposer has anything new"
    if against_all:
        nothing = f"errors of the audit stand against everything ({', '.join(against_all)})"
    proposals = [proposal_values(c.proposal) | {"change": str(c.experiment.mutation)} for c in planned.candidates]
    acting = [list(pair) for pair in for_a_person(history)]
    return _said(number, proposals, acting, why_none=None if proposals else nothing)


def round_values(ledger: Ledger) -> list[dict[str, Any]]:
    """The rounds that a program planned: from which champion, what was tried, what came of it."""
    keys = ("champion_before", "champion", "champion_score", "promoted", "why", "remarks")
    return [
        {
            "number": r.number,
            "state": r.state,
            "when": r.when,
            **{key: r.content.get(key) for key in keys},
            "experiments": [p["name"] for p in r.content["proposals"]],
        }
        for r in ledger.rounds()
    ]


def principle_values(ledger: Ledger) -> list[dict[str, Any]]:
    """What rounds have established, refuted or left open."""
    found = [from_record(r) for r in ledger.principles()]
    return [
        {
            "family": p.family, "statement": p.statement, "state": p.state, "held": p.held, "pairs": len(p.pairs),
            "effect": p.effect, "interval": list(p.interval) if p.interval else None, "note": p.note,
        }
        for p in found
    ]  # fmt: skip


def _said(
    number: int,
    proposals: Sequence[Mapping[str, Any]],
    acting: Sequence[Sequence[str]] = (),
    *,
    waiting: bool = False,
    why_none: str | None = None,
) -> dict[str, Any]:
    keys = ("name", "parent", "change", "hypothesis", "reason", "expected", "priority", "slot", "proposer")
    return {
        "round": number,
        "waiting": waiting,
        "proposals": [{key: p.get(key) for key in keys} for p in proposals],
        "for_a_person": [{"code": code, "finding": what} for code, what in acting],
        "why_none": why_none,
    }
