"""A round that has been run is judged: verdicts, promotion, control, principles; and all of it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probatum.campaigns.control import open_control
from probatum.campaigns.events import Listener
from probatum.campaigns.ledgers.ledger import RoundRecord
from probatum.errors import IncomparableError
from probatum.evidence.comparable import why_not_scored
from probatum.evidence.verdict import Verdict
from probatum.laboratory.outlook import Outlook
from probatum.laboratory.promotion import Promotion, is_simpler, promotion
from probatum.laboratory.round_record import given_up_of, judged_record, result_values
from probatum.planning.knowledge import contradiction, learned_principles, to_record
from probatum.planning.prescriptions import for_a_person
from probatum.planning.principle import Principle


def judge_round(outlook: Outlook, record: RoundRecord, tell: Listener) -> str:
    """Judges a round, and writes it to the ledger with the principles that follow from it.

    Args:
        outlook: of the campaign, all of the round run.
        record: of the round as it was planned.
        tell: called with every event of the control's trainings.

    Returns:
        What it came to, in a line.
    """
    laboratory, results, history = outlook.laboratory, outlook.results, outlook.history
    arms = {a.name: a for a in results.arms}
    names = [p["name"] for p in record.content["proposals"]]
    control, remarks = _controlled(outlook, record, tell)
    recipes = {e.name: e.recipe for e in history.experiments}
    champion = history.champion
    protocol = laboratory.campaign.file.protocol
    came_to = promotion(
        arms[champion],
        [arms[n] for n in names if n in arms],
        splits=protocol.splits,
        margin=protocol.margin,
        alpha=protocol.alpha,
        round=record.number,
        given_up=len(given_up_of(record)),
        simpler=lambda name: is_simpler(recipes[name], recipes[champion]),
        errors=history.blocked,
    )
    principles = learned_principles(history.principles, history.effects)
    remarks += [f"{code}: a person must act on {what}" for code, what in for_a_person(history)]
    remarks += [said for p in principles if (said := contradiction(p, history.effects))]
    values = _result_values(outlook, names, came_to)
    score = arms[came_to.champion].score
    ledger = laboratory.campaign.ledger
    ledger.write_principles([to_record(p) for p in _changed(principles, history.principles)])
    ledger.write_round(judged_record(record, came_to, values, control, score, principles, remarks))
    return f"round {record.number}: {came_to.why}; champion '{came_to.champion}', {score:.5g}"


def _controlled(outlook: Outlook, record: RoundRecord, tell: Listener) -> tuple[dict[str, Any] | None, list[str]]:
    """The champion trained with other seeds, and what that says."""
    wanted = record.content["control"]
    if wanted is None:
        return None, []
    name, scorer = wanted["parent"], outlook.laboratory.scorer
    try:
        found = open_control(scorer.campaign, name, tell)
    except IncomparableError as error:
        return None, [f"no control: {error.what}"]
    arm = scorer.scored(f"{name}, other seeds", found)
    if why := why_not_scored(arm):
        return None, [f"no control: {why}"]
    (verdict,) = scorer.judge([arm], outlook.results.arm(name))
    remarks = []
    if verdict.outcome in ("better", "worse"):
        remarks.append(
            f"the control is {verdict.outcome} than '{name}' by {abs(verdict.difference):.3g}: the seeds alone "
            "make that, so protocol.seeds are too few"
        )
    return result_values(arm.name, "done", verdict, seed_spread=arm.seed_spread), remarks


def _result_values(outlook: Outlook, names: Sequence[str], came_to: Promotion) -> list[dict[str, Any]]:
    records = {r.name: r for r in outlook.results.records}
    verdicts: dict[str, Verdict] = {v.arm: v for v in came_to.verdicts}
    spreads = {s.name: s.seed_spread for s in outlook.history.standings.values()}
    found = []
    for name in names:
        record = records.get(name)
        status = "missing" if record is None else record.status
        findings = [f for f in outlook.history.findings if f.subject == name]
        seconds = 0.0 if record is None else record.seconds
        found.append(
            result_values(name, status, verdicts.get(name), findings, seconds=seconds, seed_spread=spreads.get(name))
        )
    return found


def _changed(now: Sequence[Principle], before: Sequence[Principle]) -> list[Principle]:
    known = {p.family: p for p in before}
    return [p for p in now if known.get(p.family) != p]
