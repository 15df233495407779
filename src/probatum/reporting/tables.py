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
    "worked": "green",
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


MOST_COLUMNS = 6
"""Experiments that a table of groups shows side by side; of more it shows the best ones, and who is best where."""


def group_table(values: Mapping[str, Any], most: int | None = None) -> Table:
    """The score in each group, the hardest group of the best arm first.

    Of many arms, the best, the baseline and the next best stand side by side; the last column says which of all of them
    is best in that group.

    Args:
        values: from `records.results_values`.
        most: groups shown; default: all.
    """
    sign = -1 if values["arms"] and values["arms"][0]["better"] == "higher" else 1
    names = [a["name"] for a in values["arms"]]
    hardest = values["best"] or (names[0] if names else None)
    shown = names if len(names) <= MOST_COLUMNS else _leading(values, sign)
    best_there = len(shown) < len(names)
    title = f"{values['protocol']['metric']} per group"
    if best_there:
        title += f", {len(shown)} of {len(names)} experiments"
    headings = ["task", "group", *(f">{escape(name)}" for name in shown), *(["best there"] if best_there else [])]
    table = _table(title, *headings)
    rows = sorted(values["groups"], key=lambda r: -sign * r["arms"][hardest]["mean"])
    for row in rows[:most]:
        cells = [figure(row["arms"][name]["mean"], 3) for name in shown]
        if best_there:
            winner = min(names, key=lambda name: sign * row["arms"][name]["mean"])
            cells.append(f"{escape(winner)} {figure(row['arms'][winner]['mean'], 3)}")
        table.add_row(escape(row["task"]), escape(row["group"]), *cells)
    return table


def _leading(values: Mapping[str, Any], sign: int) -> list[str]:
    """The best arm, the baseline and the next best, as many as stand side by side; trivial ones last."""
    order = sorted(values["arms"], key=lambda a: (a["trivial"], sign * a["score"]))
    first: list[Any] = [values["best"], values.get("baseline")]
    names = [a["name"] for a in order]
    return [n for n in dict.fromkeys([*first, *names]) if n in names][: MOST_COLUMNS - 2]


def effect_table(values: Mapping[str, Any]) -> Table:
    """Every mutation: what worked, what failed, what is undecided."""
    protocol = values["protocol"]
    title = escape(
        f"effects on {protocol['metric']} ({protocol['scoring']}), each over all pairs that differ by it alone"
    )
    table = _table(
        title, "mutation", "outcome", ">effect", f"{_level(protocol)} interval", ">p (Holm)", ">pairs", ">tau", ">I2",
        "parent: difference ± error",
    )  # fmt: skip
    for e in values["effects"]:
        pairs = "; ".join(_pair_text(p) for p in e["pairs"][:4]) + ("; ..." if len(e["pairs"]) > 4 else "")
        table.add_row(
            escape(e["mutation"]),
            _outcome(e["outcome"]),
            signed(e["mean"]),
            interval(_bounds(e["interval"])),
            probability(e["p_adjusted"]),
            str(len(e["pairs"])),
            figure(e["tau"], 2),
            "-" if e["i2"] is None else f"{e['i2']:.0%}",
            escape(pairs),
        )
    return table


def form_table(values: Mapping[str, Any]) -> Table:
    """Every form of calibration, the best first."""
    target = values["target"]
    headings = [f"x for {target:g}"] if target is not None else []
    title = f"external {values['external_metric']} y against internal {values['internal_metric']} x"
    table = _table(escape(title), "form", ">a", ">b", ">left-out error", ">residual sd", *[f">{h}" for h in headings])
    for f in values["forms"]:
        cells = [f["form"], figure(f["a"]), figure(f["b"]), figure(f["left_out_error"], 3), figure(f["spread"], 3)]
        table.add_row(*cells, *([figure(f["target_needs"])] if headings else []))
    return table


def pair_table(values: Mapping[str, Any]) -> Table:
    """Pairs of scores with what the best form expects."""
    best = values["forms"][0]["form"]
    table = _table(f"{best}, pair by pair", "pair", ">internal", ">external", ">expected", "95 % prediction interval")
    for p in values["pairs"]:
        bounds = f"{figure(p['low'])} to {figure(p['high'])}"
        table.add_row(escape(p["name"]), *(figure(p[k]) for k in ("internal", "external", "predicted")), bounds)
    return table


def _pair_text(pair: Mapping[str, Any]) -> str:
    error = "" if pair["error"] is None else f" ± {figure(pair['error'], 2)}"
    return f"{pair['parent']}: {signed(pair['difference'])}{error}"


def _outcome(outcome: str) -> str:
    return f"[{COLOURS.get(outcome, 'white')}]{outcome}[/]"


def _bounds(values: Sequence[float] | None) -> tuple[float, float] | None:
    return (values[0], values[1]) if values else None


def experiment_table(
    experiments: Sequence[Mapping[str, Any]], most: int | None = None, curves: Mapping[str, str] | None = None
) -> Table:
    """Experiments with their state.

    Args:
        experiments: values of each.
        most: of them shown; default: all.
        curves: name to its learning curve as a line of text; a column where there is one.
    """
    headings = [">run", "name", "status", ">fits", ">failed", ">training", ">score", *(["loss"] if curves else [])]
    table = _table("experiments", *headings)
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
            *([curves.get(e["name"], "")] if curves else []),
        )
    return table


def experiment_tree(
    campaign: str,
    experiments: Sequence[Mapping[str, Any]],
    outcomes: Mapping[str, str],
    curves: Mapping[str, str] | None = None,
) -> Tree:
    """The campaign's experiments as a tree: parent, mutation, score, verdict.

    Args:
        campaign: its name.
        experiments: values of each, parents before children.
        outcomes: name to verdict, which colours it.
        curves: name to its learning curve as a line of text.
    """
    tree = Tree(f"[bold]{escape(campaign)}[/]")
    nodes: dict[str | None, Tree] = {None: tree}
    for e in experiments:
        outcome = outcomes.get(e["name"], "")
        colour = COLOURS.get(outcome, "white")
        text = f"[{colour}]{escape(e['name'])}[/]  {figure(e['score'])}  [{colour}]{outcome or e['status']}[/]"
        if curves and curves.get(e["name"]):
            text += f"  [dim]loss[/] {curves[e['name']]}"
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
