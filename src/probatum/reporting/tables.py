"""Results as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from probatum.reporting.numbers import duration, figure, interval, probability, signed

COLOURS = {
    "better": "green",
    "worse": "red",
    "equivalent": "cyan",
    "undecided": "yellow",
    "baseline": "bold",
    "failed": "red",
    "done": "green",
    "running": "yellow",
}


def verdict_table(values: Mapping[str, Any]) -> Table:
    """Every arm with its score, its verdict against the baseline, and the trivial arms and noise floor beside."""
    protocol = values["protocol"]
    verdicts = {v["arm"]: v for v in values["verdicts"]}
    title = escape(f"{protocol['metric']} ({protocol['scoring']}), against '{values['baseline']}'")
    bayes = any(v["posterior"] for v in values["verdicts"])
    headings = [
        "experiment",
        ">score",
        ">seed sd",
        "verdict",
        ">difference",
        f"{_level(protocol)} interval",
        ">p (Holm)",
    ]
    table = _table(title, *headings, *(["P(w, e, b)"] if bayes else []))
    for arm in sorted(values["arms"], key=lambda a: a["score"] if a["better"] == "lower" else -a["score"]):
        verdict = verdicts.get(arm["name"])
        cells = [escape(arm["name"]), figure(arm["score"]), figure(arm["seed_spread"], 2)]
        if verdict:
            outcome = verdict["outcome"]
            bounds = tuple(verdict["interval"]) if verdict["interval"] else None
            cells += [f"[{COLOURS.get(outcome, 'white')}]{outcome}[/]", signed(verdict["difference"]), interval(bounds)]  # type: ignore[arg-type]
            cells.append(probability(verdict["p_adjusted"]))
            if verdict["posterior"]:
                cells.append(" ".join(f"{p:.2f}" for p in verdict["posterior"].values()))
        else:
            cells += ["baseline" if arm["name"] == values["baseline"] else "-", "-", "-", "-"]
        table.add_row(*cells, style="dim" if arm["trivial"] else "")
    if protocol["metric"] in ("mse", "rmse"):
        for floor in values["noise_floors"]:
            least = floor["variance"] if protocol["metric"] == "mse" else floor["variance"] ** 0.5
            note = f"{floor['samples']} samples measured again"
            name = escape(f"noise floor: {floor['task']}")
            table.add_row(name, figure(least), "-", "-", "-", note, "-", style="dim italic")
    return table


def remarks(values: Mapping[str, Any]) -> list[str]:
    """What stands under a verdict table: how it was judged, and what would decide the undecided."""
    lines = []
    methods = {v["method"] for v in values["verdicts"] if v["method"]}
    margin = values["protocol"]["margin"]
    lines += [f"Judged by {m}; margin {figure(margin)}." for m in sorted(methods)]
    lines += [
        f"'{v['arm']}' against '{v['baseline']}': {v['needed']}."
        for v in values["verdicts"]
        if v["needed"] and v["outcome"] in ("undecided", "no evidence")
    ]
    if any(v["posterior"] for v in values["verdicts"]):
        lines.append("P: worse, equivalent, better by the Bayesian correlated t; shown beside, it decides nothing.")
    floor = min((f["variance"] for f in values["noise_floors"]), default=0.0)
    if values["protocol"]["metric"] == "mse":
        lines += [
            f"'{a['name']}' scores below the noise floor: look at what counts as a repeated measurement."
            for a in values["arms"]
            if a["score"] < floor
        ]
    return lines


def quantity_table(values: Mapping[str, Any]) -> Table:
    """Each arm's score on each quantity and each task."""
    arms = values["arms"]
    quantities = list(arms[0]["by_quantity"]) if arms else []
    tasks = list(arms[0]["by_task"]) if arms else []
    headings = [f">{escape(q)}" for q in quantities] + ([f">task {escape(t)}" for t in tasks] if len(tasks) > 1 else [])
    table = _table(f"{values['protocol']['metric']} per target", "experiment", *headings)
    for arm in arms:
        cells = [figure(arm["by_quantity"][q]) for q in quantities]
        if len(tasks) > 1:
            cells += [figure(arm["by_task"][t]) for t in tasks]
        table.add_row(escape(arm["name"]), *cells, style="dim" if arm["trivial"] else "")
    return table


def group_table(values: Mapping[str, Any], most: int | None = None) -> Table:
    """Each arm's score in each group, the hardest group of the best arm first."""
    arms = [a["name"] for a in values["arms"]]
    table = _table(f"{values['protocol']['metric']} per group", "task", "group", *[f">{escape(name)}" for name in arms])
    hardest = values["best"] or (arms[0] if arms else None)
    rows = sorted(values["groups"], key=lambda r: -r["arms"][hardest]["mean"])
    for row in rows[:most]:
        table.add_row(
            escape(row["task"]), escape(row["group"]), *[figure(row["arms"][name]["mean"], 3) for name in arms]
        )
    return table


def experiment_table(experiments: Sequence[Mapping[str, Any]], most: int | None = None) -> Table:
    """Experiments with their state."""
    table = _table("experiments", ">round", "name", "status", ">fits", ">failed", ">training", ">score")
    for e in experiments[:most]:
        status = f"[{COLOURS.get(e['status'], 'white')}]{e['status']}[/]"
        fits = f"{e['done']}/{e['fits']}"
        table.add_row(
            str(e["round"]),
            escape(e["name"]),
            status,
            fits,
            str(e["failed"]),
            duration(e["seconds"]),
            figure(e["score"]),
        )
    return table


def experiment_tree(campaign: str, experiments: Sequence[Mapping[str, Any]], outcomes: Mapping[str, str]) -> Tree:
    """The campaign's experiments as a tree: parent, mutation, score, verdict."""
    tree = Tree(f"[bold]{escape(campaign)}[/]")
    nodes: dict[str | None, Tree] = {None: tree}
    for e in experiments:
        outcome = outcomes.get(e["name"], "")
        colour = COLOURS.get(outcome, "white")
        text = f"[{colour}]{escape(e['name'])}[/]  {figure(e['score'])}  {outcome or e['status']}"
        if e["mutation"]:
            text += f"\n  [dim]{escape(e['mutation'])}[/]"
        if e["hypothesis"]:
            text += f"\n  [italic dim]{escape(e['hypothesis'])}[/]"
        nodes[e["name"]] = nodes.get(e["parent"], tree).add(text)
    return tree


def _table(title: str, *headings: str) -> Table:
    """A table; a heading that begins with '>' is of numbers."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for heading in headings:
        number = heading.startswith(">")
        table.add_column(heading.removeprefix(">"), justify="right" if number else "left", no_wrap=number)
    return table


def _level(protocol: Mapping[str, Any]) -> str:
    return f"{100 * (1 - protocol['alpha']):g} %"
