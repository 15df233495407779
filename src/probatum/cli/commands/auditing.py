"""Audit: what is wrong."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from probatum.cli.commands.options import Chosen, Json
from probatum.errors import UsageError

commands = typer.Typer()


class Form(StrEnum):
    """How findings are printed."""

    TABLE = "table"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


@commands.command()
def audit(
    experiments: Annotated[list[str] | None, typer.Argument(help="Experiments; default: all.")] = None,
    campaign: Chosen = None,
    runs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table of somebody's runs instead: .csv or .jsonl.")
    ] = None,
    train: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A split of your own instead: its training table, ...")
    ] = None,
    test: Annotated[Path | None, typer.Option(metavar="FILE", help="... and its test table.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Target column of these tables; several times.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="Column whose values must not stand on both sides; several times.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Column that names the data set a row was taken from.")] = None,
    wanted: Annotated[float | None, typer.Option(help="The external score that is wanted.")] = None,
    higher: Annotated[bool, typer.Option("--higher-is-better", help="Which way the score of --runs goes.")] = False,
    code: Annotated[list[str] | None, typer.Option(help="Make this check alone; several times.")] = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train one fit of each experiment again, also with poisoned targets.")
    ] = False,
    form: Annotated[Form, typer.Option("--format", help="How it is printed.")] = Form.TABLE,
    json: Json = False,
) -> None:
    """Find what is wrong with a campaign, a table of runs or a split; exit code 3 where it cannot be believed."""
    from probatum.cli.audit import Tables, audit_campaign, audit_runs, audit_tables

    chosen = "json" if json else form.value
    of_tables = {"--target": target, "--group": group, "--source": source}
    of_campaigns = {"experiments": experiments, "--campaign": campaign, "--retrain": retrain}
    foreign = of_campaigns | ({"--wanted": wanted} if train else of_tables) if train or runs else of_tables
    foreign |= {} if runs else {"--higher-is-better": higher}
    if given := [name for name, value in foreign.items() if value]:
        of = "a split of tables" if train else "a table of runs" if runs else "a campaign"
        raise UsageError(f"{given[0]} does not go with {of}", where="probatum audit", remedy="leave it out")
    if (train is None) != (test is None) or (train is not None and runs is not None):
        raise UsageError("--train and --test go together, and not with --runs", where="probatum audit")
    if train is not None and test is not None:
        tables = Tables(train, test, tuple(target or ()), tuple(group or ()), source)
        found = audit_tables(tables, codes=code or [], form=chosen)
    elif runs is not None:
        found = audit_runs(runs, better="higher" if higher else "lower", target=wanted, codes=code or [], form=chosen)
    else:
        found = audit_campaign(
            experiments or [], campaign, retrain=retrain, target=wanted, codes=code or [], form=chosen
        )
    raise typer.Exit(found)
