"""Effects, leaderboards, the champion: what the evidence says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probatum.cli.commands.options import Chosen, File, Json, Picture

commands = typer.Typer()
champion = typer.Typer(help="The best experiment that survived its verdict, and its confirmation.")
commands.add_typer(champion, name="champion")


@commands.command()
def effects(file: File = None, campaign: Chosen = None, picture: Picture = None, json: Json = False) -> None:
    """Show what worked and what failed: the effect of every mutation, over all pairs that differ by it alone."""
    from probatum.cli.evidence import show_effects

    show_effects(file or campaign, picture=picture, json=json)


@commands.command()
def submit(
    experiment: Annotated[str, typer.Argument(help="Name of the experiment.")],
    score: Annotated[float, typer.Option(help="The score that it was given elsewhere.")],
    metric: Annotated[str, typer.Option(help="Metric of that score.")],
    campaign: Chosen = None,
    json: Json = False,
) -> None:
    """Record the score that a leaderboard gave an experiment."""
    from probatum.cli.evidence import submit_score

    submit_score(experiment, campaign, score=score, metric=metric, json=json)


@commands.command()
def calibrate(
    file: File = None,
    campaign: Chosen = None,
    target: Annotated[float | None, typer.Option(help="External score that is wanted.")] = None,
    pairs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table with columns cv and lb, instead of submissions.")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Metric of the external scores.")] = None,
    floor: Annotated[
        float | None, typer.Option(help="Least possible internal score; default: the campaign's noise floors.")
    ] = None,
    picture: Picture = None,
    json: Json = False,
) -> None:
    """Set internal scores against a leaderboard: which form fits, in which unit, and what it can reach."""
    from probatum.cli.evidence import show_calibration

    show_calibration(
        file or campaign, target=target, pairs=pairs, metric=metric, floor=floor, picture=picture, json=json
    )


@champion.callback(invoke_without_command=True)
def show_champion(context: typer.Context, campaign: Chosen = None, json: Json = False) -> None:
    """Show the best experiment that survived its verdict, how much of that may be luck, and its confirmation."""
    if context.invoked_subcommand is None:
        from probatum.cli.evidence import show_champion

        show_champion(campaign, json=json)
    else:
        context.obj = (campaign, json)


@champion.command("confirm")
def confirm_champion(context: typer.Context, campaign: Chosen = None, json: Json = False) -> None:
    """Confirm the champion once: on the held-out set, or where nothing was held out with fresh seeds."""
    from probatum.cli.evidence import confirm_champion

    before, as_json = context.obj or (None, False)  # options may stand before 'confirm' too
    confirm_champion(campaign or before, json=json or as_json)
