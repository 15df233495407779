"""Mcp, plug-ins: a campaign in the hands of agents, and what packages of others bring."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from probatum.cli.commands.options import Chosen, File, Json
from probatum.errors import UsageError

commands = typer.Typer()


@commands.command()
def mcp(
    file: File = None,
    campaign: Chosen = None,
    http: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="PORT", help="Serve by HTTP on this machine instead of standard input."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="PROBATUM_TOKEN", help="What HTTP clients must send; default: a new one, printed."),
    ] = None,
) -> None:
    """Serve a campaign to an agent by the Model Context Protocol: it tries and looks, and changes no judge."""
    from probatum.cli.agent import serve

    if http is None and token not in (None, os.environ.get("PROBATUM_TOKEN")):
        raise UsageError("--token without --http", where="probatum mcp", remedy="add --http PORT, or leave it out")
    serve(file or campaign, port=http, token=None if http is None else token)


@commands.command("plug-ins")
def plug_ins(json: Json = False) -> None:
    """List what packages of others bring (problems, models, losses, proposers, checks), and what is wrong with it."""
    from probatum.cli.agent import show_plug_ins

    show_plug_ins(json=json)
