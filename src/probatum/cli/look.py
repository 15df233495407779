"""`status`, `show`, `compare`, `tree`, `report`: what only looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from probatum.campaigns.ledgers.files import open_ledger
from probatum.cli.find import campaign_path
from probatum.cli.output import console, print_json
from probatum.errors import CampaignFileError, UnknownNameError, UsageError
from probatum.reporting.numbers import duration

FORMATS = ("html", "md", "json", "ipynb", "latex-table", "log")
"""Of a report."""
MOST_ERRORS = 5
"""Different errors of one experiment that `show` prints."""


def show_status(file: Path | None, *, most: int, watch: bool, json: bool) -> None:
    """How far a campaign is; reads the ledger alone, or watches it until the campaign is done."""
    path = campaign_path(file)
    if watch:
        if json:
            raise UsageError("one JSON object of something that changes", where="status --watch", remedy="drop --json")
        from probatum.cli.watch import watch_status

        watch_status(path, most=most)
        return
    ledger = open_ledger(path)
    summary, shown = ledger.summary(), ledger.experiments(last=most or None)
    total = sum(summary.experiments.values())
    ledger.close()
    if json:
        print_json({
            "campaign": path.name,
            **vars(summary),
            "experiments": dict(summary.experiments),
            "list": [{k: v for k, v in vars(e).items() if k != "recipe"} | {"status": e.status} for e in shown],
        })  # fmt: skip
        return
    from probatum.reporting.tables import experiment_table

    states = ", ".join(f"{count} {state}" for state, count in summary.experiments.items() if count)
    out = console()
    out.print(f"{escape(path.name)} ({summary.problem}): {total} experiments: {states}")
    failed = f", {summary.failed} failed" if summary.failed else ""
    out.print(f"{summary.done} of {summary.fits} fits done{failed}; {duration(summary.seconds)} of training")
    if summary.held_out_accesses:
        out.print(f"the held-out set was looked at {summary.held_out_accesses} times")
    out.print(experiment_table([vars(e) | {"status": e.status} for e in shown]))
    if len(shown) < total:
        out.print(f"the last {len(shown)} of {total}; --most 0 shows all", style="dim")


def show_experiment(
    experiment: str,
    campaign: Path | None,
    *,
    predictions: Path | None,
    history: Path | None,
    scatter: Path | None,
    by: str | None,
    json: bool,
) -> None:
    """One experiment, from the ledger and, where it is finished, from its predictions."""
    from probatum.laboratory import Laboratory
    from probatum.pictures import check_suffix
    from probatum.reporting.records import arm_values, experiment_values, fit_values, group_values

    pictures = [picture for picture in (history, scatter) if picture is not None]
    for picture in pictures:
        check_suffix(picture)
    laboratory = Laboratory.open(campaign_path(campaign))
    records = {r.name: r for r in laboratory.campaign.ledger.experiments()}
    if experiment not in records:
        raise UnknownNameError.of("experiment", experiment, records)
    record = records[experiment]
    fits = laboratory.campaign.ledger.fits(experiment)
    arm = laboratory.score(experiment) if record.status == "done" else None
    if predictions is not None:
        _write_predictions(laboratory, experiment, predictions)
    _draw_experiment(laboratory, experiment, history, scatter, by)
    groups = group_values({experiment: laboratory.by_group(experiment, by)}, [arm]) if arm else []
    values: dict[str, Any] = {"experiment": experiment_values(record), "recipe": dict(record.recipe)}
    values |= {"scores": arm_values(arm) if arm else None, "groups": groups, "fits": [fit_values(f) for f in fits]}
    done = next((f for f in fits if f.status == "done"), None)
    values["manifest"] = dict(laboratory.campaign.ledger.manifest(done.key)) if done else None
    if json:
        print_json(values | ({"figures": [str(picture) for picture in pictures]} if pictures else {}))
        return
    curves = _sparklines(laboratory, [experiment], console()) if arm else {}
    _print_experiment(values, laboratory.campaign.file.protocol.model_dump(), curves)
    for picture in pictures:
        console().print(f"figure: {escape(str(picture))}", soft_wrap=True)


def compare_experiments(
    experiments: list[str],
    campaign: Path | None,
    *,
    baseline: str | None,
    everything: bool,
    groups: bool,
    by: str | None,
    picture: Path | None,
    json: bool,
) -> None:
    """Verdicts of some experiments, or of all, against a baseline."""
    from probatum.laboratory import Laboratory
    from probatum.pictures import check_suffix
    from probatum.reporting.group_comparison import REMARK, group_comparison_table, group_comparison_values
    from probatum.reporting.records import results_values, verdict_values
    from probatum.reporting.sentences import remarks
    from probatum.reporting.tables import group_table, quantity_table, verdict_table

    if picture is not None:
        check_suffix(picture)
    laboratory = Laboratory.open(campaign_path(campaign))
    if not experiments and not everything:
        raise CampaignFileError("nothing to compare", remedy="name experiments, or --all")
    results = laboratory.results()
    if everything:
        experiments = [arm.name for arm in results.arms]
    elif baseline is None and len(experiments) > 1:
        baseline = experiments[0]
    verdicts = laboratory.compare(experiments, baseline)
    chosen = {verdicts[0].baseline, *experiments}
    values = results_values(laboratory, results, groups=groups and by is None)
    values["baseline"] = verdicts[0].baseline
    values["verdicts"] = [verdict_values(v) for v in verdicts]
    known = {a["name"] for a in values["arms"]}
    values["arms"] = [a for a in values["arms"] if a["name"] in chosen]
    values["arms"] += [_foreign_arm(v, values) for v in values["verdicts"] if v["arm"] not in known]
    if by is not None:
        own = [a["name"] for a in values["arms"] if a["name"] in known]
        if values["baseline"] not in own:
            what = f"'{values['baseline']}' is of another campaign, whose groups are not these"
            raise CampaignFileError(what, where="--by", remedy="choose a baseline of this one")
        values["by"] = group_comparison_values(laboratory, own, values["baseline"], by)
    if picture is not None:
        _draw_comparison(laboratory, values, known, picture)
    if json:
        print_json(values | ({"figure": str(picture)} if picture else {}))
        return
    out = console()
    out.print(verdict_table(values))
    for line in remarks(values):
        out.print(escape(line), style="dim")
    out.print()
    values["arms"] = [a for a in values["arms"] if a["name"] in known]
    out.print(quantity_table(values))
    if groups and values["groups"]:
        values["best"] = values["best"] if values["best"] in chosen else values["arms"][0]["name"]
        out.print(group_table(values))
    if by is not None:
        out.print(group_comparison_table(values["by"]))
        out.print(REMARK, style="dim")
    if picture is not None:
        out.print(f"figure: {escape(str(picture))}", soft_wrap=True)


def _draw_experiment(
    laboratory: Any, experiment: str, history: Path | None, scatter: Path | None, by: str | None
) -> None:
    """The pictures of one experiment that are asked for."""
    if history is None and scatter is None:
        return
    from probatum.pictures import write_figure
    from probatum.reporting.experiment_arrays import curves_of, panels_of
    from probatum.reporting.figures import learning_curves_figure, scatter_figure

    if history is not None:
        write_figure(learning_curves_figure({experiment: curves_of(laboratory, experiment)}), history)
    if scatter is not None:
        dataset = next(iter(laboratory.campaign.datasets.values()))
        quantities = [(q.name, q.unit) for q in dataset.quantities]
        panels = panels_of(laboratory, experiment, by)
        write_figure(scatter_figure(panels, quantities, experiment, laboratory.metric.name), scatter)


def _draw_comparison(laboratory: Any, values: dict[str, Any], known: set[str], picture: Path) -> None:
    """The verdicts, and where the best of the compared arms differs from the baseline."""
    from probatum.pictures import write_figure
    from probatum.reporting.figures import comparison_figure
    from probatum.reporting.records import cell_values

    own = [v for v in values["verdicts"] if v["arm"] in known and v["interval"]]
    cells, name = [], ""
    if own and values["baseline"] in known:
        sign = 1 if laboratory.metric.better == "lower" else -1
        name = min(own, key=lambda v: sign * v["score"])["arm"]
        cells = [cell_values(cell) for cell in laboratory.by_cell(name, values["baseline"])]
    write_figure(comparison_figure(values, cells, name), picture)


def show_tree(file: Path | None, *, json: bool) -> None:
    """The campaign's tree of experiments, with verdicts."""
    from probatum.laboratory import Laboratory
    from probatum.reporting.records import experiment_values
    from probatum.reporting.tables import experiment_tree

    path = campaign_path(file)
    laboratory = Laboratory.open(path)
    results = laboratory.results()
    outcomes = {v.arm: v.outcome for v in results.verdicts} | {results.baseline: "baseline"}
    experiments = [experiment_values(r) for r in results.records]
    if json:
        print_json({"campaign": path.name, "experiments": experiments, "outcomes": outcomes})
    else:
        out = console()
        done = [r.name for r in results.records if r.status == "done"]
        out.print(experiment_tree(path.name, experiments, outcomes, _sparklines(laboratory, done, out)))


def write_report_of(file: Path | None, *, output: Path | None, form: str, slots: int, json: bool) -> None:
    """The report of what is finished so far, in one of `FORMATS`; a 'log' has this many slots a batch."""
    from probatum.laboratory import Laboratory
    from probatum.reporting.experiment_log import experiment_log
    from probatum.reporting.experiment_log_text import log_values, write_log
    from probatum.reporting.formats import write_form

    if form not in FORMATS:
        raise UnknownNameError.of("format", form, FORMATS, where="probatum report")
    laboratory = Laboratory.open(campaign_path(file))
    results = laboratory.results()
    if not results.arms:
        raise CampaignFileError("no experiment is finished", where=laboratory.campaign.file.path.name, remedy="run it")
    if form == "log":
        log = experiment_log(laboratory, results, slots=slots)
        written, values = write_log(laboratory, log, output), {"log": log_values(log)}
    else:
        written, values = write_form(laboratory, results, form, output), {}
    if json:
        print_json({"report": str(written)} | values)
    else:
        console().print(f"report: {escape(str(written))}", soft_wrap=True)


def _sparklines(laboratory: Any, experiments: Sequence[str], out: Console) -> dict[str, str]:
    """Finished experiment to its learning curve as a line of text, for those whose models keep one."""
    from probatum.cli.sparklines import knows_blocks, learning_curve, sparkline

    ascii_only = not knows_blocks(out)
    curves = {name: learning_curve(p.curves for p in laboratory.campaign.predictions(name)) for name in experiments}
    found = {name: sparkline(curve, ascii_only=ascii_only) for name, curve in curves.items()}
    return {name: line for name, line in found.items() if line}


def _foreign_arm(verdict: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The row of an arm that another campaign ran."""
    return {
        "name": verdict["arm"],
        "trivial": False,
        "score": verdict["score"],
        "seed_spread": None,
        "better": values["arms"][0]["better"],
    }


def _write_predictions(laboratory: Any, experiment: str, path: Path) -> None:
    """Out-of-fold predictions, one line a case and quantity."""
    import pandas as pd

    from probatum.campaigns.artifacts import storage_errors

    if laboratory.campaign.file.problem.recorded:
        where, remedy = laboratory.campaign.file.path.name, "'probatum export table' writes their scores"
        raise CampaignFileError("imported runs come without predictions", where=where, remedy=remedy)
    parts = []
    for p in laboratory.campaign.predictions(experiment):
        dataset = laboratory.campaign.datasets[p.task]
        for q, name in enumerate(dataset.quantity_names):
            columns = {"case": dataset.cases[p.rows], "prediction": p.prediction[:, q]}
            parts.append(pd.DataFrame(columns).assign(task=p.task, split=p.split, seed=p.seed, quantity=name))
    frame = pd.concat(parts, ignore_index=True)
    with storage_errors(path.parent):
        frame.to_parquet(path, index=False) if path.suffix == ".parquet" else frame.to_csv(path, index=False)


def _print_experiment(values: dict[str, Any], protocol: dict[str, Any], curves: dict[str, str]) -> None:
    from probatum.campaigns.recipe import flat
    from probatum.reporting.tables import experiment_table, group_table, quantity_table

    out = console()
    experiment = values["experiment"]
    out.print(experiment_table([experiment], curves=curves))
    for key in ("parent", "mutation", "hypothesis"):
        if experiment[key]:
            out.print(f"{key}: {escape(experiment[key])}")
    for key, value in flat(values["recipe"]).items():
        if value not in ((), [], {}) and key != "components":
            out.print(f"  {key} = {escape(str(value))}", style="dim")
    if values["scores"]:
        arm = values["scores"]
        table = {"protocol": protocol, "arms": [arm], "groups": values["groups"], "best": arm["name"]}
        out.print(quantity_table(table))
        if values["groups"]:
            out.print(group_table(table))
    by_error: dict[str, list[dict[str, Any]]] = {}
    for fit in values["fits"]:
        if fit["error"]:
            by_error.setdefault(fit["error"], []).append(fit)
    for error, fits in list(by_error.items())[:MOST_ERRORS]:
        first = fits[0]
        others = f", and {len(fits) - 1} more alike" if len(fits) > 1 else ""
        place = escape(f"{first['task']} / {first['split']} / seed {first['seed']}")
        out.print(f"{place}: {first['status']}{others}", style="red")
        out.print(escape(error.rstrip()), style="dim")
    if len(by_error) > MOST_ERRORS:
        out.print(f"{len(by_error) - MOST_ERRORS} other errors; --json lists all", style="dim")
