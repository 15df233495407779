"""Ledger show, ledger copy: where a campaign's record is."""

from __future__ import annotations

from typing import Annotated

import typer

from probatum.cli.commands.options import Chosen, File, Json

commands = typer.Typer()
ledger = typer.Typer(help="Where a campaign's record is, and how it comes into another database.", no_args_is_help=True)
commands.add_typer(ledger, name="ledger")

PLACES = "sqlite:///FILE, a campaign file, or postgresql+psycopg://user@host/database."


@ledger.command("show")
def show(file: File = None, campaign: Chosen = None, json: Json = False) -> None:
    """Show where the record of a campaign is, its size, and who works on it."""
    from probatum.cli.ledger import show_ledger

    show_ledger(file or campaign, json=json)


@ledger.command("copy")
def copy(
    source: Annotated[str, typer.Argument(help=f"What is copied: {PLACES}")],
    target: Annotated[str, typer.Argument(help="Where to, of the same forms; it must hold nothing.")],
    json: Json = False,
) -> None:
    """Copy a ledger whole into another database, and compare the two; artifacts stay where they are."""
    from probatum.cli.ledger import copy_ledger_to

    copy_ledger_to(source, target, json=json)
