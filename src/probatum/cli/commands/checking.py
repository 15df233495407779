"""Verify, reproduce, doctor: whether the record is whole, can be had again, and what is here."""

from __future__ import annotations

from typing import Annotated

import typer

from probatum.cli.commands.options import Chosen, File, Json

commands = typer.Typer()


@commands.command()
def verify(file: File = None, campaign: Chosen = None, json: Json = False) -> None:
    """Compare every artifact of a campaign with its checksum, and the ledger's rows with what they follow from."""
    from probatum.cli.check import verify_campaign

    verify_campaign(file or campaign, json=json)


@commands.command()
def reproduce(
    experiment: Annotated[str, typer.Argument(help="Name of a finished experiment.")],
    campaign: Chosen = None,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores that may be used; default: all.")] = None,
    json: Json = False,
) -> None:
    """Train an experiment again beside its campaign, and compare with what was recorded."""
    from probatum.cli.check import reproduce_experiment

    reproduce_experiment(experiment, campaign, cores=cores, json=json)


@commands.command()
def doctor(json: Json = False) -> None:
    """Show what is here: machine, accelerator, caches, extras, data, and whether this folder's campaigns are whole."""
    from probatum.cli.check import show_doctor

    show_doctor(json=json)
