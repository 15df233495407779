"""Next, auto, knowledge: what to try."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probatum.cli.commands.options import Chosen, File, Json
from probatum.errors import UsageError

commands = typer.Typer()


Slots = Annotated[int, typer.Option("--slots", help="Experiments of a round.")]
Candidates = Annotated[
    int | None,
    typer.Option(min=1, help="Candidates that race for a round on few folds; default: the file's, or the slots."),
]
Given = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="Proposals of a TOML file instead; a person's, or --out's."),
]
Proposing = Annotated[
    list[str] | None, typer.Option("--proposer", metavar="MODULE:OBJECT", help="One of your own too; several times.")
]
Searching = Annotated[
    str | None,
    typer.Option(help="Who searches the declared space: surrogate (default), Optuna's tpe, random or gp, or none."),
]
Controlled = Annotated[bool, typer.Option(help="Train the champion once more, unchanged, with other seeds.")]


@commands.command("next")
def next_round(
    file: File = None,
    campaign: Chosen = None,
    slots: Slots = 4,
    candidates: Candidates = None,
    run: Annotated[bool, typer.Option("--run", help="Run the round, and judge it.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the round here, to be edited.")] = None,
    given: Given = None,
    proposer: Proposing = None,
    sampler: Searching = None,
    control: Controlled = True,
    json: Json = False,
) -> None:
    """Say what to try next and why; print it, write it, or run it as one round.

    What the campaign file holds and was not run is run first.
    """
    from probatum.cli.plan import run_next, show_next

    if run and out is not None:
        raise UsageError("--run and --out do not go together", where="probatum next", remedy="leave one of them out")
    path, who = file or campaign, proposer or []
    if run:
        run_next(
            path, slots=slots, candidates=candidates, given=given, proposers=who, sampler=sampler, control=control,
            json=json,
        )  # fmt: skip
    else:
        show_next(
            path, slots=slots, candidates=candidates, out=out, given=given, proposers=who, sampler=sampler,
            control=control, json=json,
        )  # fmt: skip


@commands.command()
def auto(
    file: File = None,
    campaign: Chosen = None,
    budget: Annotated[str, typer.Option(help="Time of this call: 90s, 60m, 2h.")] = "60m",
    slots: Slots = 4,
    candidates: Candidates = None,
    target: Annotated[float | None, typer.Option(help="Score of the champion that is enough.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Most rounds of this call.")] = None,
    given: Given = None,
    proposer: Proposing = None,
    sampler: Searching = None,
    control: Controlled = True,
    confirm: Annotated[bool, typer.Option("--confirm", help="Confirm the champion at the end.")] = False,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores that may be used; default: all.")] = None,
    json: Json = False,
) -> None:
    """Run round after round: propose, train, judge, audit, promote. Can be stopped and started at any time."""
    from probatum.cli.plan import run_autopilot

    run_autopilot(
        file or campaign,
        budget=budget,
        slots=slots,
        candidates=candidates,
        target=target,
        rounds=rounds,
        given=given,
        proposers=proposer or [],
        sampler=sampler,
        control=control,
        confirm=confirm,
        cores=cores,
        json=json,
    )


@commands.command()
def knowledge(
    family: Annotated[str | None, typer.Argument(metavar="[STEP]", help="Kind of step: 'features +acs'.")] = None,
    campaign: Chosen = None,
    state: Annotated[
        str | None, typer.Option(help="Hold it as established, refuted or open; 'learned' gives it back.")
    ] = None,
    statement: Annotated[str | None, typer.Option(help="Say it in other words.")] = None,
    note: Annotated[str | None, typer.Option(help="A note beside it.")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Remove it.")] = False,
    json: Json = False,
) -> None:
    """Show what rounds have established, refuted or left open, with the evidence; or set one."""
    from probatum.cli.plan import show_knowledge

    show_knowledge(campaign, family=family, state=state, statement=statement, note=note, forget=forget, json=json)
