"""Serve: the campaign in the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from probatum.cli.commands.options import Chosen, File

commands = typer.Typer()


@commands.command()
def serve(
    file: File = None,
    campaign: Chosen = None,
    host: Annotated[str, typer.Option(help="Address to bind to; any but this machine's own needs --token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option(envvar="PROBATUM_TOKEN", help="What changes and starts need; default: a new one each time."),
    ] = None,
) -> None:
    """Show the campaign in the browser: live progress, tree, comparisons, findings, proposals, predictions."""
    from probatum.cli.serve import serve_campaign

    serve_campaign(file or campaign, host=host, port=port, token=token)
