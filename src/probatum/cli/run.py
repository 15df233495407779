"""`run`, `held-out` and `save`: what trains."""

from __future__ import annotations

import shlex
from pathlib import Path

import typer
from rich.markup import escape

from probatum.cli.find import campaign_path
from probatum.cli.output import console, print_json
from probatum.cli.progress import RunProgress
from probatum.laboratory import Laboratory
from probatum.laboratory.results import Results
from probatum.reporting.findings import audit_values, findings_table
from probatum.reporting.numbers import figure
from probatum.reporting.records import champion_values, results_values
from probatum.reporting.report import write_report
from probatum.reporting.sentences import champion_lines, remarks
from probatum.reporting.tables import experiment_table, group_table, quantity_table, verdict_table


def run_campaign(file: Path | None, *, retry_failed: bool, cores: int | None, groups: bool, json: bool) -> None:
    """Runs a campaign to its end and prints what it shows; exit code 1 where fits failed."""
    laboratory = Laboratory.open(campaign_path(file))
    if cores is not None:
        laboratory.campaign.use_cores(cores)
    with RunProgress() as progress:
        results = laboratory.run(progress, retry_failed=retry_failed)
    audit = laboratory.audit(results)
    path = write_report(laboratory, results, audit=audit) if results.arms else None
    values = results_values(laboratory, results)
    failed = [e for e in values["experiments"] if e["status"] == "failed"]
    if json:
        print_json(values | {"audit": audit_values(audit), "report": str(path) if path else None})
    else:
        out = console()
        if results.arms:
            out.print(verdict_table(values))
            for line in remarks(values):
                out.print(escape(line), style="dim")
            out.print()
            out.print(quantity_table(values))
            if groups and values["groups"]:
                out.print(group_table(values, None if len(values["groups"]) <= 60 else 20))
        if failed:
            out.print(experiment_table(failed))
            name = escape(shlex.quote(failed[0]["name"]))
            shown = f"probatum show {name} -C {escape(shlex.quote(str(laboratory.campaign.file.path)))}"
            out.print(f"{shown}   prints why; --retry-failed tries again", style="dim", soft_wrap=True)
        if audit.findings:
            out.print(findings_table(audit))
            out.print("'probatum explain CODE' says what each means and what to do", style="dim")
        if results.verdicts:
            out.print()
            out.print(escape(_conclusion(laboratory, results)), soft_wrap=True)
            name = escape(shlex.quote(str(laboratory.campaign.file.path)))
            out.print(f"probatum next -C {name}   says what to try next, and why", style="dim", soft_wrap=True)
        if path:
            out.print(f"report: {escape(str(path))}", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _conclusion(laboratory: Laboratory, results: Results) -> str:
    """What may be claimed now, in one line."""
    values = champion_values(laboratory, results)
    said = champion_lines(values)[0]
    champion = values["champion"]
    if champion is None or any(c["outcome"] == "better" for c in champion["confirmations"]):
        return said
    name = shlex.quote(str(laboratory.campaign.file.path))
    return f"{said} Not confirmed yet: 'probatum champion confirm -C {name}'."


def score_held_out(experiment: str, campaign: Path | None, *, json: bool) -> None:
    """Scores an experiment on the held-out cases and says how often that was done."""
    laboratory = Laboratory.open(campaign_path(campaign))
    with RunProgress() as progress:
        score = laboratory.score_held_out(experiment, progress)
    looks = laboratory.campaign.ledger.held_out_accesses()
    if json:
        print_json({"experiment": experiment, "held_out_score": score, "looks": [vars(look) for look in looks]})
    else:
        metric = laboratory.metric.name
        console().print(f"{escape(experiment)}: {metric} {figure(score)} on the held-out cases (look {len(looks)})")


def save_model(experiment: str, path: Path, campaign: Path | None, *, task: str | None, seed: int, json: bool) -> None:
    """Trains an experiment on all cases but the held-out ones and writes the model."""
    import os

    from probatum.campaigns.campaign import Campaign
    from probatum.campaigns.saved_model import check_name, train_model, write_model

    check_name(path)
    model = train_model(Campaign.open(campaign_path(campaign)), experiment, task, seed=seed, cores=os.cpu_count() or 1)
    write_model(model, path)
    if json:
        print_json({"model": str(path), "experiment": experiment, "task": model.task, "rows": model.rows, "seed": seed})
    else:
        said = f"{experiment}, trained on {model.rows} cases of task '{model.task}' with seed {seed}: {path}"
        console().print(escape(said), soft_wrap=True)
