"""Status, show, compare, tree, report: what only looks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probatum.cli.commands.options import By, Chosen, File, Json, Picture

commands = typer.Typer()


@commands.command()
def status(
    file: File = None,
    campaign: Chosen = None,
    most: Annotated[int, typer.Option("--most", "-n", min=0, help="Experiments shown; 0 shows all.")] = 30,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it until it is done; Ctrl-C leaves, the campaign goes on.")
    ] = False,
    json: Json = False,
) -> None:
    """Show how far a campaign is, without touching it."""
    from probatum.cli.look import show_status

    show_status(file or campaign, most=most, watch=watch, json=json)


@commands.command()
def show(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment.")],
    campaign: Chosen = None,
    predictions: Annotated[Path | None, typer.Option(help="Write its predictions here, as CSV or Parquet.")] = None,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw its losses over epochs: .png, .svg or .pdf.")
    ] = None,
    scatter: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw its predictions against the truth, a panel a group.")
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Show one experiment: recipe, mutation, fits, scores per target and per group, failures."""
    from probatum.cli.look import show_experiment

    show_experiment(experiment, campaign, predictions=predictions, history=history, scatter=scatter, by=by, json=json)


@commands.command()
def compare(
    experiments: Annotated[
        list[str] | None, typer.Argument(help="Experiments; OTHER.toml:NAME of another campaign.")
    ] = None,
    campaign: Chosen = None,
    baseline: Annotated[str | None, typer.Option(help="Compare with this one; default: the protocol's.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Compare all finished experiments.")] = False,
    groups: Annotated[bool, typer.Option(help="Print the table of groups.")] = True,
    by: By = None,
    picture: Picture = None,
    json: Json = False,
) -> None:
    """Judge experiments against a baseline: better, worse, equivalent or undecided."""
    from probatum.cli.look import compare_experiments

    compare_experiments(
        experiments or [],
        campaign,
        baseline=baseline,
        everything=everything,
        groups=groups,
        by=by,
        picture=picture,
        json=json,
    )


@commands.command()
def tree(file: File = None, campaign: Chosen = None, json: Json = False) -> None:
    """Show the experiments as a tree: parent, mutation, hypothesis, verdict."""
    from probatum.cli.look import show_tree

    show_tree(file or campaign, json=json)


@commands.command()
def report(
    file: File = None,
    campaign: Chosen = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write it.")] = None,
    form: Annotated[
        str, typer.Option("--format", help="html, md, json, ipynb, latex-table, or log: batch by batch, in Markdown.")
    ] = "html",
    slots: Annotated[int, typer.Option(min=1, help="Experiments of a batch of the log.")] = 4,
    json: Json = False,
) -> None:
    """Write the campaign's report: one HTML file that needs no network, or one of the other formats."""
    from probatum.cli.look import write_report_of

    write_report_of(file or campaign, output=output, form=form, slots=slots, json=json)
