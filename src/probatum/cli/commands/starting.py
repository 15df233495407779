"""Problems, explain, new, data: what there is to work with, and how to begin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probatum.cli.commands.options import Json
from probatum.errors import UsageError

commands = typer.Typer()
data = typer.Typer(help="Real data of the problems.", no_args_is_help=True)
commands.add_typer(data, name="data")


@commands.command()
def problems(
    name: Annotated[str | None, typer.Argument(help="Show this one in full.")] = None,
    json: Json = False,
) -> None:
    """List the problems, or show one: question, tasks, features, options."""
    from probatum.cli.catalogue import show_problems

    show_problems(name, json=json)


@commands.command()
def explain(
    topic: Annotated[str, typer.Argument(help="protocol, recipe, run, audit, models, a model, or a check: PB101.")],
    json: Json = False,
) -> None:
    """Explain a part of the campaign file, key by key, or a check of the audit."""
    from probatum.cli.catalogue import explain_topic

    explain_topic(topic, json=json)


@commands.command()
def new(
    file: Annotated[Path, typer.Argument(help="Campaign file to write; or the word 'problem'.")],
    name: Annotated[str | None, typer.Argument(help="After 'problem': name of a problem of your own.")] = None,
    problem: Annotated[str, typer.Option(help="Problem to start from.")] = "analog_codes",
    table: Annotated[Path | None, typer.Option(help="A CSV or Parquet table of your own.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Column to predict; may be given several times.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Column whose values must not stand on both sides of a split.")
    ] = None,
    replicate: Annotated[str | None, typer.Option(help="Column that is equal for repeated measurements.")] = None,
    agents: Annotated[bool, typer.Option(help="Write AGENTS.md beside it, unless one is there.")] = True,
    json: Json = False,
) -> None:
    """Write a campaign file to start from, for a built-in problem or a table of your own; or a problem of your own.

    'probatum new problem lime_kiln' writes a package: a problem that works, its recipes, its first campaign, its tests.
    """
    if str(file) == "problem":
        if name is None:
            raise UsageError("a problem without a name", where="probatum new problem", remedy="add one, as lime_kiln")
        if table or target or group or replicate:
            raise UsageError("a new problem takes no options of a table", where="probatum new problem")
        from probatum.cli.new_problem import write_problem_package

        write_problem_package(name, json=json)
        return
    if name is not None:
        raise UsageError(f"unexpected '{name}'", where="probatum new", remedy="name one file")
    from probatum.cli.new import write_campaign_file

    write_campaign_file(
        file,
        problem=problem,
        table=table,
        target=target or [],
        group=group,
        replicate=replicate,
        agents=agents,
        json=json,
    )


@data.command("fetch")
def data_fetch(
    problem: Annotated[str, typer.Argument(help="Whose data to fetch.")],
    json: Json = False,
) -> None:
    """Download a problem's data, checked by checksum."""
    from probatum.cli.catalogue import fetch_data

    fetch_data(problem, json=json)


@data.command("import")
def data_import(
    problem: Annotated[str, typer.Argument(help="Whose data it is: gas_chromatography.")],
    path: Annotated[Path, typer.Argument(help="The folder that you were given; it stays where it is.")],
    json: Json = False,
) -> None:
    """Check data that cannot be downloaded, such as a challenge's, and make it known to a problem."""
    from probatum.cli.catalogue import import_data

    import_data(problem, path, json=json)
