"""What the ledger keeps of a round: plain values, written when it is planned and once more when it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from probatum.audit.finding import Finding
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, ROUND_PLANNED, RoundRecord
from probatum.evidence.verdict import Verdict
from probatum.laboratory.promotion import Promotion
from probatum.laboratory.racing import RacedRound
from probatum.planning.principle import Principle
from probatum.planning.proposal import Expected, Proposal
from probatum.planning.rounds import PlannedRound

SCHEMA = 1


def planned_record(planned: PlannedRound, champion: str, slots: int, race: RacedRound | None = None) -> RoundRecord:
    """A round before it runs.

    Args:
        planned: the round.
        champion: that it starts from.
        slots: that were asked for.
        race: that its candidates went through; None where the slots were enough for all.
    """
    return RoundRecord(
        planned.number,
        ROUND_PLANNED,
        {
            "schema": SCHEMA,
            "slots": slots,
            "champion_before": champion,
            "proposals": [
                proposal_values(c.proposal) | {"change": str(c.experiment.mutation), "family": c.family}
                for c in planned.candidates
            ],
            "control": None if planned.control is None else proposal_values(planned.control),
            "dropped": [asdict(d) for d in planned.dropped],
            "race": None if race is None else race.values(),
        },
    )


def judged_record(
    before: RoundRecord,
    promotion: Promotion,
    results: Sequence[Mapping[str, Any]],
    control: Mapping[str, Any] | None,
    champion_score: float,
    principles: Sequence[Principle],
    remarks: Sequence[str],
) -> RoundRecord:
    """The same round when it was judged.

    Args:
        before: as it was planned.
        promotion: what came of it.
        results: of each experiment, from `result_values`.
        control: of the control, likewise.
        champion_score: of the champion after the round.
        principles: after it.
        remarks: for a person.
    """
    content = {
        **before.content,
        "alpha": promotion.alpha,
        "results": [dict(r) for r in results],
        "control_result": None if control is None else dict(control),
        "promoted": promotion.champion if promotion.promoted else None,
        "champion": promotion.champion,
        "champion_score": champion_score,
        "why": promotion.why,
        "principles": [{"family": p.family, "state": p.state, "pairs": len(p.pairs)} for p in principles],
        "remarks": list(remarks),
    }
    return RoundRecord(before.number, ROUND_JUDGED, content)


def result_values(
    name: str,
    status: str,
    verdict: Verdict | None,
    findings: Sequence[Finding] = (),
    *,
    seconds: float = 0.0,
    seed_spread: float | None = None,
) -> dict[str, Any]:
    """What an experiment of a round came to.

    Args:
        name, status: of the experiment.
        verdict: against the champion before the round; None where it has no score.
        findings: of the audit, about it.
        seconds: of training.
        seed_spread: of its score.
    """
    keys = ("score", "outcome", "difference", "p", "p_adjusted", "p_equivalent", "units", "needed", "level", "method")
    of_verdict = {k: getattr(verdict, k, None) for k in keys}
    return {
        "name": name,
        "status": status,
        **of_verdict,
        "interval": list(verdict.interval) if verdict and verdict.interval else None,
        "seed_spread": seed_spread,
        "seconds": seconds,
        "findings": [{"code": f.code, "severity": f.severity, "message": f.message} for f in findings],
    }


def proposal_values(proposal: Proposal) -> dict[str, Any]:
    """A proposal as plain values."""
    return asdict(proposal) | {"mutation": _plain(proposal.mutation)}


def proposals_of(record: RoundRecord) -> list[Proposal]:
    """The proposals of a recorded round, as they were."""
    return [_proposal(values) for values in record.content["proposals"]]


def final_record(number: int, champion: str, promotion: Promotion, champion_score: float, compared: int) -> RoundRecord:
    """The test at the end of a search, as a round without experiments of its own.

    Args:
        number: that the next round would have.
        champion: before it.
        promotion: what came of it.
        champion_score: of the champion after it.
        compared: experiments that were held against the champion.
    """
    before = {"schema": SCHEMA, "slots": 0, "champion_before": champion, "proposals": [], "control": None}
    nothing = {"dropped": [], "race": None, "final": {"compared": compared}}
    planned = RoundRecord(number, ROUND_PLANNED, before | nothing)
    return judged_record(planned, promotion, (), None, champion_score, (), ())


def is_final(record: RoundRecord) -> bool:
    """Whether a record is of the test at the end of a search."""
    return record.content.get("final") is not None


def given_up_of(record: RoundRecord) -> list[str]:
    """Digests of the recipes that the race of a recorded round took away."""
    return [c["digest"] for c in (record.content.get("race") or {}).get("given_up", ())]


def verdicts_of(record: RoundRecord) -> list[Verdict]:
    """The verdicts of a judged round, as far as stopping needs them: score, difference, interval, units, level."""
    found = []
    champion = record.content["champion_before"]
    for r in record.content.get("results", ()):
        if r["interval"] is not None:
            low, high = r["interval"]
            found.append(
                Verdict(
                    r["name"], champion, r["score"], r["outcome"], r["difference"], (low, high), units=r["units"],
                    level=r["level"],
                )
            )  # fmt: skip
    return found


def _proposal(values: Mapping[str, Any]) -> Proposal:
    keys = ("parent", "mutation", "name", "hypothesis", "reason", "priority", "slot", "proposer")
    known = values["expected"]
    interval = (known["interval"][0], known["interval"][1]) if known else None
    expected = Expected(known["mean"], interval, known["pairs"]) if known and interval else None
    return Proposal(**{k: values[k] for k in keys}, expected=expected)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
