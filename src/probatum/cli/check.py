"""`verify`, `reproduce` and `doctor`: whether the record is whole, can be had again, and what this machine can do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from probatum.cli.find import campaign_path
from probatum.cli.output import console, print_json
from probatum.reporting.numbers import figure

SHOWN = 5
"""Files or rows of one kind that are named."""


def verify_campaign(file: Path | None, *, json: bool) -> None:
    """Compares artifacts with their checksums and rows with what they follow from; exit code 1 where one differs."""
    from probatum.campaigns.verification import verify
    from probatum.laboratory.recorded_scores import wrong_recorded_scores

    path = campaign_path(file)
    found = verify(path)
    if found.whole and found.unscored is None:
        found = replace(found, rows=tuple(wrong_recorded_scores(path)))
    if json:
        print_json({"campaign": path.name, "whole": found.whole, **vars(found)})
    else:
        out = console()
        out.print(f"{escape(path.name)}: {found.artifacts} artifacts, {found.size / 1e6:.1f} MB, read and compared")
        for what, names in (
            ("missing", found.missing),
            ("changed since they were written", found.changed),
            ("named by no row of the ledger (they do no harm)", found.unnamed),
        ):
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                out.print(f"{len(names)} {what}: {escape(', '.join(names[:SHOWN]))}{more}", soft_wrap=True)
        for row in found.rows[:SHOWN]:
            out.print(f"changed in the ledger: {escape(row)}", style="red", soft_wrap=True)
        if len(found.rows) > SHOWN:
            out.print(f"and {len(found.rows) - SHOWN} more rows (--json names all)")
        if found.unscored:
            out.print(f"scores were not computed once more: {escape(found.unscored)}", style="yellow", soft_wrap=True)
        if found.ledger:
            out.print(f"the ledger is damaged: {escape(found.ledger)}", style="red", soft_wrap=True)
        if found.whole:
            out.print("nothing is missing or changed", style="green")
        else:
            out.print(
                "restore files and ledger from a copy; without one, save the campaign file under a new name and run it",
                style="yellow",
                soft_wrap=True,
            )
    if not found.whole:
        raise typer.Exit(1)


def reproduce_experiment(experiment: str, campaign: Path | None, *, cores: int | None, json: bool) -> None:
    """Trains an experiment again beside the campaign and compares; exit code 1 where it does not come out the same."""
    from probatum.campaigns.campaign import Campaign
    from probatum.campaigns.reproduction import TOLERANCE, reproduce
    from probatum.cli.progress import RunProgress

    opened = Campaign.open(campaign_path(campaign))
    with RunProgress() as progress:
        found = reproduce(opened, experiment, progress, cores=cores)
    if json:
        print_json({**vars(found), "holds": found.holds, "tolerance": TOLERANCE})
    else:
        out = console()
        out.print(f"{escape(experiment)}: {found.identical} of {found.fits} fits gave the same predictions to the bit")
        if found.identical < found.fits:
            out.print(
                f"root mean squared difference {figure(found.difference)} standard deviations of the recorded "
                f"predictions (allowed {TOLERANCE:g} under other conditions), largest {figure(found.largest)}",
                soft_wrap=True,
            )
        for change in found.changed:
            out.print(f"changed: {escape(change)}", style="dim", soft_wrap=True)
        if not found.holds:
            why = "conditions are the same" if not found.changed else "the difference is more than rounding explains"
            out.print(f"not reproduced: {why}", style="red")
    if not found.holds:
        raise typer.Exit(1)


def show_doctor(*, json: bool) -> None:
    """Prints what is here and what is not; looks only. Exit code 1 where something is broken."""
    from probatum.cli.diagnosis import diagnosis

    found = diagnosis()
    if json:
        print_json(found)
    else:
        table = Table("what", "state", "remark")
        for row in found["checks"]:
            style = {"ok": "green", "missing": "yellow", "fault": "red"}[row["state"]]
            table.add_row(escape(row["what"]), f"[{style}]{row['state']}[/]", escape(row["remark"]))
        console().print(table)
    if any(row["state"] == "fault" for row in found["checks"]):
        raise typer.Exit(1)
