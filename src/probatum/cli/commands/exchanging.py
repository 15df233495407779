"""Import, export: runs of other programs, and what is found here for them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from probatum.cli.commands.options import Chosen, Json
from probatum.errors import UsageError

commands = typer.Typer()
export = typer.Typer(help="Write a campaign's results for other programs, and a model to predict with.")
commands.add_typer(export, name="export")


class Importer(StrEnum):
    """What runs are read with."""

    MLFLOW = "mlflow"
    OPTUNA = "optuna"
    WANDB = "wandb"
    TABLE = "table"


class Seeds(StrEnum):
    """What a seed changed in the runs."""

    TRAINING = "training"
    DATA = "data"


class Same(StrEnum):
    """What makes runs repeats of one experiment."""

    PARAMETERS = "parameters"
    NAME = "name"


@commands.command("import")
def import_(
    importer: Annotated[Importer, typer.Argument(help="Whose runs they are.", metavar="mlflow|optuna|wandb|table")],
    source: Annotated[str, typer.Argument(help="sqlite:///FILE, http://HOST:PORT, a folder, or a file.")],
    out: Annotated[Path, typer.Option(metavar="FILE.toml", help="Campaign file to write, or to bring up to date.")],
    experiment: Annotated[str | None, typer.Option(help="MLflow experiment or Optuna study.")] = None,
    metric: Annotated[
        str | None, typer.Option(help="What runs are judged by; '{fold}' in it where a run has one for each fold.")
    ] = None,
    lower: Annotated[bool, typer.Option("--lower", help="Lower is better.")] = False,
    higher: Annotated[bool, typer.Option("--higher", help="Higher is better.")] = False,
    baseline: Annotated[str | None, typer.Option(help="Experiment to compare with; default: most repeats.")] = None,
    margin: Annotated[float, typer.Option(min=0, help="Differences up to this do not matter.")] = 0.0,
    seed_key: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Parameter or tag that holds the seed; several times.")
    ] = None,
    fold_key: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="... that holds the fold; several times.")
    ] = None,
    parent_key: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="... that names the run it was made from; several times.")
    ] = None,
    seeds: Annotated[Seeds, typer.Option(help="What a seed changed: the training alone, or the data too.")] = (
        Seeds.TRAINING
    ),
    groups: Annotated[bool, typer.Option("--groups", help="Each fold is a group of its own, left out.")] = False,
    same: Annotated[Same, typer.Option(help="What makes runs repeats of one experiment.")] = Same.PARAMETERS,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Column of a wide table that is a parameter.")
    ] = None,
    json: Json = False,
) -> None:
    """Import runs of MLflow, Optuna, Weights & Biases or a table as a campaign that can be judged and audited.

    It is read-only. The same command once more brings what is new.
    """
    from probatum.cli.exchange import Asked, import_from

    if lower and higher:
        raise UsageError("--lower and --higher", where="probatum import", remedy="choose one")
    import_from(
        importer.value,
        source,
        out,
        Asked(
            experiment=experiment,
            metric=metric,
            better="lower" if lower else "higher" if higher else None,
            baseline=baseline,
            margin=margin,
            keys={"seed": seed_key or (), "fold": fold_key or (), "parent": parent_key or ()},
            seeds=seeds.value,
            groups=groups,
            same=same.value,
            parameters=tuple(parameter or ()),
        ),
        json=json,
    )


@export.command("mlflow")
def export_mlflow(
    uri: Annotated[str, typer.Argument(help="Tracking URI: sqlite:///FILE, http://HOST:PORT, or a folder.")],
    campaign: Chosen = None,
    name: Annotated[str | None, typer.Option(help="MLflow experiment; default: the campaign's name.")] = None,
    json: Json = False,
) -> None:
    """Write a campaign to MLflow: a run for each experiment, and a nested one for each fit; again, only what is new."""
    from probatum.cli.exchange import export_to_mlflow

    export_to_mlflow(uri, campaign, name=name, json=json)


@export.command("table")
def export_table(
    file: Annotated[Path, typer.Argument(help="Table to write: .parquet, .csv or .jsonl.")],
    campaign: Chosen = None,
    of: Annotated[str, typer.Option(help="experiments, fits, scores or predictions.")] = "scores",
    json: Json = False,
) -> None:
    """Write a tidy table of a campaign: its experiments, fits, scores or predictions."""
    from probatum.cli.exchange import export_to_table

    export_to_table(file, campaign, of=of, json=json)


@export.command("card")
def export_card(
    experiment: Annotated[str, typer.Argument(help="Name of a finished experiment.")],
    file: Annotated[Path, typer.Argument(help="Model card to write: .md.")],
    campaign: Chosen = None,
    json: Json = False,
) -> None:
    """Write a model card: question, data, protocol, verdict, limits, findings of the audit, hashes."""
    from probatum.cli.exchange import export_card

    export_card(experiment, file, campaign, json=json)


@export.command("bundle")
def export_bundle(
    experiment: Annotated[str, typer.Argument(help="Name of an experiment.")],
    folder: Annotated[Path, typer.Argument(help="Folder to write.")],
    campaign: Chosen = None,
    task: Annotated[str | None, typer.Option(help="Task to train on; needed where there are several.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the training.")] = 0,
    json: Json = False,
) -> None:
    """Train an experiment on all cases, and write a model that predicts without the campaign."""
    from probatum.cli.exchange import export_to_bundle

    export_to_bundle(experiment, folder, campaign, task=task, seed=seed, json=json)
