"""`next`, `auto`, `knowledge`: what to try next, round after round, and what was learned from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from probatum import plug_ins
from probatum.campaigns.events import Event, Listener, RoundStarted
from probatum.campaigns.ledgers.files import open_ledger
from probatum.cli.find import campaign_path
from probatum.cli.output import console, print_json
from probatum.cli.progress import RunProgress
from probatum.errors import CampaignFileError, UnknownNameError, UsageError
from probatum.laboratory.autopilot import Autopilot, Ended
from probatum.laboratory.round_record import is_final
from probatum.planning.knowledge import PrincipleTests, edited, from_record, to_record
from probatum.planning.prescriptions import Prescriber, for_a_person
from probatum.planning.principle import Principle
from probatum.planning.proposal import Proposal, Proposer
from probatum.planning.proposer_plug_ins import proposer_of_plug_in
from probatum.planning.round_file import RoundFile, proposals_text, replace_text
from probatum.planning.rounds import PlannedRound
from probatum.planning.samplers import SAMPLERS, Sampler
from probatum.planning.surrogate import Surrogate
from probatum.reporting.numbers import figure
from probatum.reporting.rounds import ended_values, planned_values

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
SCHEMA = 1
SURROGATE, NONE = "surrogate", "none"
"""Searchers of a declared space, beside Optuna's samplers."""


def show_next(
    file: Path | None,
    *,
    slots: int,
    candidates: int | None,
    out: Path | None,
    given: Path | None,
    proposers: Sequence[str],
    sampler: str | None,
    control: bool,
    json: bool,
) -> None:
    """Prints the next round, or writes it to a file."""
    path = campaign_path(file)
    progress = RunProgress()
    who = _proposers(given, proposers, sampler)
    pilot = Autopilot(path, who, slots=slots, candidates=candidates, control=control, tell=_of_work(progress))
    with progress:  # what the file holds is run first
        planned, outlook = pilot.next_round()
    acting = for_a_person(outlook.history)
    if out is not None:
        head = f"Round {planned.number} of {path.name}. Edit it, then: probatum next --run --from {out.name}"
        replace_text(out, proposals_text([c.proposal for c in planned.candidates], head))
    if json:
        print_json(planned_values(planned, acting) | {"out": str(out) if out else None})
        return
    _print_planned(planned, acting, slots)
    if out is not None:
        console().print(f"written: {escape(str(out))}", soft_wrap=True)


def run_next(
    file: Path | None,
    *,
    slots: int,
    candidates: int | None,
    given: Path | None,
    proposers: Sequence[str],
    sampler: str | None,
    control: bool,
    json: bool,
) -> None:
    """Runs one round, or goes on with the one that was interrupted; exit code 1 where nothing could be tried."""
    with RunProgress() as progress:
        who = _proposers(given, proposers, sampler)
        pilot = Autopilot(
            campaign_path(file), who, slots=slots, candidates=candidates, control=control, tell=_of_work(progress),
            say=_say(json),
        )  # fmt: skip
        ended = pilot.run(float("inf"), most_rounds=1)
    _show_ended(ended, json)
    if ended.reason == "nothing left":
        raise typer.Exit(1)


def run_autopilot(
    file: Path | None,
    *,
    budget: str,
    slots: int,
    candidates: int | None,
    target: float | None,
    rounds: int | None,
    given: Path | None,
    proposers: Sequence[str],
    sampler: str | None,
    control: bool,
    confirm: bool,
    cores: int | None,
    json: bool,
) -> None:
    """Runs rounds until something ends it, and says what."""
    seconds = duration_seconds(budget)
    who = _proposers(given, proposers, sampler)
    with RunProgress() as progress:
        pilot = Autopilot(
            campaign_path(file), who, slots=slots, candidates=candidates, control=control, cores=cores,
            tell=_of_work(progress), say=_say(json),
        )  # fmt: skip
        ended = pilot.run(seconds, target=target, most_rounds=rounds, settle=True)
        confirmation = pilot.confirm() if confirm else None
    _show_ended(ended, json, None if confirmation is None else dict(confirmation.result))


def show_knowledge(
    file: Path | None,
    *,
    family: str | None,
    state: str | None,
    statement: str | None,
    note: str | None,
    forget: bool,
    json: bool,
) -> None:
    """Prints the principles, or sets or forgets one."""
    path = campaign_path(file)
    changes = forget or any(value is not None for value in (state, statement, note))
    if changes and family is None:
        remedy = "e.g. probatum knowledge 'features +acs' --state refuted"
        raise UsageError("which principle?", where="probatum knowledge", remedy=remedy)
    ledger = open_ledger(path, read_only=not changes)
    try:
        known = [from_record(r) for r in ledger.principles()]
        if forget and family is not None:
            ledger.forget_principle(family)
        elif changes and family is not None:
            ledger.write_principles([to_record(edited(known, family, state=state, statement=statement, note=note))])
        principles = [from_record(r) for r in ledger.principles()]
    finally:
        ledger.close()
    shown = [p for p in principles if family is None or p.family == family]
    if json:
        print_json({"schema": SCHEMA, "principles": [_principle_values(p) for p in shown]})
    elif shown:
        console().print(_principle_table(shown))
    else:
        console().print("no principles yet; rounds of 'probatum auto' or 'probatum next --run' learn them", style="dim")


def duration_seconds(text: str) -> float:
    """Seconds of '90s', '60m' or '2h'.

    Raises:
        UsageError: no duration, or none at all.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh])\s*", text)
    remedy = "give it as 30m, 2h or 90s"
    if not found:
        raise UsageError(f"'{text}' is no duration", where="--budget", remedy=remedy)
    seconds = float(found[1]) * UNITS[found[2]]
    if seconds == 0:
        raise UsageError(f"a budget of {text} runs nothing", where="--budget", remedy=remedy)
    return seconds


def _proposers(given: Path | None, paths: Sequence[str], sampler: str | None) -> list[Proposer] | None:
    """Who proposes: a person's file alone where there is one; None leaves it to the autopilot."""
    if given is not None:
        return [RoundFile(given)]
    named = [_imported(path) for path in paths]
    if sampler is None and not named:
        return None
    found: list[Proposer] = [*named, PrincipleTests(), Prescriber()]
    chosen = sampler or SURROGATE
    if chosen == SURROGATE:
        return [*found, Surrogate()]
    for kind in SAMPLERS:
        if kind == chosen:
            return [*found, Sampler(kind)]
    if chosen != NONE:
        raise UnknownNameError.of("sampler", chosen, (SURROGATE, *SAMPLERS, NONE), where="--sampler")
    return found


def _imported(path: str) -> Proposer:
    """A proposer of a plug-in by its name, or of the user's own by 'module:object'; a class is called as it is."""
    module, _, attribute = path.partition(":")
    known = plug_ins.installed(plug_ins.PROPOSERS)
    if not attribute and path not in known:
        remedy = f"name it as module:object, or a plug-in's ({', '.join(known) or 'none is installed'})"
        raise UnknownNameError(f"unknown proposer '{path}'", where="--proposer", remedy=remedy)
    if not attribute:
        return proposer_of_plug_in(known[path])
    try:
        found = getattr(import_module(module), attribute)
        found = found() if isinstance(found, type) else found
    except Exception as error:  # the user's own module, which may fail in any way
        what = f"proposer '{path}' cannot be imported: {type(error).__name__}: {error}"
        raise CampaignFileError(what, where="--proposer", remedy="name it as module:object") from error
    if not isinstance(found, Proposer):
        what = f"'{path}' is no proposer: it needs a name and propose(history, k)"
        raise CampaignFileError(what, where="--proposer", remedy="see docs/planning.md")
    return found


def _of_work(tell: Listener) -> Listener:
    """Passes events on, but for the start of what has nothing to train: whoever plans looks at a campaign often."""

    def listen(event: Event) -> None:
        if not (isinstance(event, RoundStarted) and event.fits == 0):
            tell(event)

    return listen


def _say(json: bool) -> Callable[[str], None]:
    """Where lines for a person go: nowhere beside JSON."""

    def said(line: str) -> None:
        if not json:
            typer.echo(line, err=True)

    return said


def _print_planned(planned: PlannedRound, acting: Sequence[tuple[str, str]], slots: int) -> None:
    out = console()
    if planned.candidates:
        table = Table(title=f"round {planned.number}", title_justify="left", box=None, pad_edge=False)
        for column in ("slot", "priority", "experiment", "parent", "change", "expected", "reason"):
            table.add_column(column, overflow="fold")
        for c in planned.candidates:
            p = c.proposal
            row = (p.slot or "", p.priority, p.name, p.parent, str(c.experiment.mutation), _expected(p), p.reason)
            table.add_row(*map(escape, row))
        out.print(table)
    else:
        out.print("nothing to propose that was not tried")
    if len(planned.candidates) > slots:
        out.print(f"they race for {slots} slots on few folds first, when the round runs", style="dim")
    if planned.control is not None:
        out.print(f"control: {escape(planned.control.parent)}, unchanged, with other seeds", style="dim")
    for d in planned.dropped:
        out.print(escape(f"dropped: {d.proposer}: {d.why}"), style="yellow", soft_wrap=True)
    for code, what in acting:
        out.print(escape(f"{code}: a person must act on {what}"), style="yellow", soft_wrap=True)


def _expected(proposal: Proposal) -> str:
    known = proposal.expected
    if known is None:
        return "no evidence yet"
    low, high = known.interval
    return f"{known.mean:+.2g} ({low:+.2g} to {high:+.2g}; {known.pairs} pair{'s' if known.pairs != 1 else ''})"


def _show_ended(ended: Ended, json: bool, confirmation: dict[str, Any] | None = None) -> None:
    if json:
        print_json(ended_values(ended, confirmation))
        return
    out = console()
    if ended.rounds:
        out.print(_round_table(ended))
    last = next((r.content for r in reversed(ended.rounds) if not is_final(r)), {})
    for line in last.get("remarks", ()):
        out.print(escape(line), style="yellow", soft_wrap=True)
    out.print(escape(f"stopped ({ended.reason}): {ended.why}"), soft_wrap=True)
    if ended.rounds and is_final(ended.rounds[-1]):
        out.print(escape(f"at the end, {ended.rounds[-1].content['why']}"), soft_wrap=True)
    out.print(escape(f"champion: {ended.champion}, {figure(ended.score)}"), soft_wrap=True)
    if ended.leader != ended.champion:
        out.print(escape(f"looks best, and is not proven: {ended.leader}"), style="dim", soft_wrap=True)
    if confirmation is not None:
        said = f"confirmation: {confirmation['outcome']}, {figure(confirmation['score'])}; {confirmation['note']}"
        out.print(escape(said), soft_wrap=True)


def _round_table(ended: Ended) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("round", "slot", "experiment", "change", "score", "difference", "verdict", "champion after"):
        table.add_column(column, overflow="fold")
    for r in ended.rounds:
        slots = {p["name"]: p for p in r.content["proposals"]}
        for result in r.content["results"]:
            asked = slots[result["name"]]
            score, difference = (result[k] for k in ("score", "difference"))
            row = (
                str(r.number),
                asked["slot"] or "",
                result["name"],
                asked["change"],
                "none" if score is None else figure(score),
                "" if difference is None else f"{difference:+.2g}",
                result["outcome"] or result["status"],
                r.content["champion"] + (" (new)" if r.content["promoted"] == result["name"] else ""),
            )
            table.add_row(*map(escape, row))
    return table


def _principle_values(p: Principle) -> dict[str, Any]:
    return vars(p) | {"pairs": [list(pair) for pair in p.pairs], "interval": list(p.interval) if p.interval else None}


def _principle_table(principles: Sequence[Principle]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("state", "step", "effect", "pairs", "claim", "note"):
        table.add_column(column, overflow="fold")
    for p in sorted(principles, key=lambda p: ("established", "refuted", "open").index(p.state)):
        effect = "no evidence yet"
        if p.effect is not None:
            low, high = p.interval or (float("nan"), float("nan"))
            effect = f"{p.effect:+.2g}" + (f" ({low:+.2g} to {high:+.2g})" if p.interval else ", one fold")
        state = f"{p.state} (held)" if p.held else p.state
        table.add_row(*map(escape, (state, p.family, effect, str(len(p.pairs)), p.statement, p.note)))
    return table
