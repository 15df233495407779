"""`import`, `export`: runs of other programs, and what is found here for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.markup import escape

from probatum.cli.find import campaign_path
from probatum.cli.output import console, print_json
from probatum.errors import UsageError
from probatum.interop.foreign_run import Source
from probatum.interop.grouping import DEFAULT_KEYS, Choice
from probatum.interop.import_campaign import ImportResult, import_runs
from probatum.interop.import_request import Wanted


@dataclass(frozen=True)
class Asked:
    """What the command line asks of an import; see `import_request.Wanted` and `grouping.Choice`."""

    experiment: str | None
    metric: str | None
    better: Literal["lower", "higher"] | None
    baseline: str | None
    margin: float
    keys: Mapping[str, Sequence[str]]
    seeds: Any
    groups: bool
    same: Any
    parameters: tuple[str, ...]


def import_from(importer: str, place: str, out: Path, asked: Asked, *, json: bool) -> None:
    """Imports runs and says what was taken for what."""
    _refuse_foreign_options(importer, asked)
    source = _source(importer, place, asked)
    metric = asked.metric or source.metric
    if metric is None:
        raise UsageError("no metric", where="probatum import", remedy="name what runs are judged by: --metric KEY")
    keys = {role: tuple(asked.keys.get(role) or default) for role, default in DEFAULT_KEYS.items()}
    wanted = Wanted(
        Choice(metric, keys, asked.same), asked.better, asked.baseline, asked.seeds, asked.groups, asked.margin
    )
    result = import_runs(source, out, wanted)
    if json:
        print_json({**vars(result), "path": str(result.path)})
        return
    _say_imported(result, source)


def export_to_mlflow(uri: str, file: Path | None, *, name: str | None, json: bool) -> None:
    """Writes a campaign to MLflow, with its report beside it where there is one."""
    from probatum.interop.to_mlflow import export_mlflow
    from probatum.laboratory import Laboratory

    laboratory = Laboratory.open(campaign_path(file))
    report = laboratory.campaign.folder / "report.html"
    found = export_mlflow(laboratory, uri, name, report if report.is_file() else None)
    if json:
        print_json({**vars(found), "report": report.is_file()})
        return
    console().print(
        escape(
            f"MLflow experiment '{found.experiment}' of {found.uri}: {found.experiments} experiments and {found.fits} "
            f"fits are new, {found.updated} experiments brought up to date; {found.known} runs were there"
        ),
        soft_wrap=True,
    )
    if not report.is_file():
        console().print("no report was written yet ('probatum report'), so that none went with it", style="dim")


def export_to_table(path: Path, file: Path | None, *, of: str, json: bool) -> None:
    """Writes a tidy table."""
    from probatum.interop.tidy_tables import write_table
    from probatum.laboratory import Laboratory

    lines = write_table(Laboratory.open(campaign_path(file)), of, path)
    if json:
        print_json({"table": str(path), "of": of, "lines": lines})
    else:
        console().print(escape(f"{of}, {lines} lines: {path}"), soft_wrap=True)


def export_card(experiment: str, path: Path, file: Path | None, *, json: bool) -> None:
    """Writes a model card."""
    from probatum.interop.model_card import write_model_card
    from probatum.laboratory import Laboratory

    write_model_card(Laboratory.open(campaign_path(file)), experiment, path)
    if json:
        print_json({"card": str(path), "experiment": experiment})
    else:
        console().print(escape(f"model card of {experiment}: {path}"), soft_wrap=True)


def export_to_bundle(
    experiment: str, folder: Path, file: Path | None, *, task: str | None, seed: int, json: bool
) -> None:
    """Trains an experiment on all cases but the held-out ones and writes the bundle."""
    import os

    from probatum.campaigns.campaign import Campaign
    from probatum.interop.write_bundle import write_bundle

    campaign = Campaign.open(campaign_path(file))
    bundle = write_bundle(campaign, experiment, folder, task, seed=seed, cores=os.cpu_count() or 1)
    about = bundle.about
    if json:
        said = {"task": about["task"], "seed": seed, "rows": about["data"]["rows"], "columns": len(bundle.columns)}
        print_json({"bundle": str(folder), "experiment": experiment, **said, "digest": about["digest"]})
        return
    out = console()
    cases = f"{about['data']['rows']} cases of task '{about['task']}'"
    out.print(escape(f"{experiment}, trained on {cases} with seed {seed}: {folder}"), soft_wrap=True)
    out.print(escape(f'to predict: probatum.load_bundle("{folder}").predict([...])'), soft_wrap=True)


def _source(importer: str, place: str, asked: Asked) -> Source:
    match importer:
        case "mlflow":
            from probatum.interop.from_mlflow import mlflow_runs

            return mlflow_runs(place, asked.experiment, asked.metric)
        case "optuna":
            from probatum.interop.from_optuna import optuna_runs

            return optuna_runs(place, asked.experiment, asked.metric)
        case "wandb":
            from probatum.interop.from_wandb import wandb_runs

            return wandb_runs(Path(place), asked.metric, asked.parameters)
        case _:
            from probatum.interop.from_tables import table_runs

            return table_runs(Path(place), asked.metric, asked.parameters)


def _refuse_foreign_options(importer: str, asked: Asked) -> None:
    """Refuses options that the importer would not look at."""
    where = f"probatum import {importer}"
    if asked.experiment is not None and importer in ("wandb", "table"):
        raise UsageError("--experiment goes with mlflow and optuna", where=where, remedy="leave it out")
    if asked.parameters and importer in ("mlflow", "optuna"):
        raise UsageError("--parameter goes with tables", where=where, remedy="leave it out")
    if asked.groups and asked.seeds == "data":
        raise UsageError("--groups and --seeds data", where=where, remedy="choose what the independent repeats are")


def _say_imported(result: ImportResult, source: Source) -> None:
    out = console()
    of = f" '{source.experiment}'" if source.experiment else ""
    states = ", ".join(f"{count} {state}" for state, count in result.states.items())
    lines = [
        f"{source.importer}{of}: {result.experiments} experiments, {result.repeats} repeats ({states})",
        *(f"  {remark}" for remark in result.remarks),
        f"baseline: {result.baseline}",
        f"{result.path}: {result.new} repeats are new, {result.finished} have ended since",
    ]
    if result.changed:
        lines.append(f"{result.changed} repeats have other scores now; what was recorded stays")
    for line in lines:
        out.print(escape(line), soft_wrap=True)
