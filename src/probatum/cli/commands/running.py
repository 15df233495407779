"""Run, held-out looks, saved models: what trains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probatum.cli.commands.options import Chosen, File, Json

commands = typer.Typer()


@commands.command()
def run(
    file: File = None,
    campaign: Chosen = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try fits again that failed before.")] = False,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores that may be used; default: all.")] = None,
    groups: Annotated[bool, typer.Option(help="Print the table of groups.")] = True,
    json: Json = False,
) -> None:
    """Run what has not been run, then print verdicts and write a report. Can be stopped and started at any time."""
    from probatum.cli.run import run_campaign

    run_campaign(file or campaign, retry_failed=retry_failed, cores=cores, groups=groups, json=json)


@commands.command("held-out")
def held_out(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment.")],
    campaign: Chosen = None,
    json: Json = False,
) -> None:
    """Score one experiment on the held-out cases. Every look is counted and shown in reports."""
    from probatum.cli.run import score_held_out

    score_held_out(experiment, campaign, json=json)


@commands.command()
def save(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment, a network.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where its model goes: .safetensors.")],
    campaign: Chosen = None,
    task: Annotated[str | None, typer.Option(help="Task to train on, where there are several.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the training.")] = 0,
    json: Json = False,
) -> None:
    """Train an experiment on all cases but the held-out ones, and keep the model to predict with."""
    from probatum.cli.run import save_model

    save_model(experiment, file, campaign, task=task, seed=seed, json=json)
