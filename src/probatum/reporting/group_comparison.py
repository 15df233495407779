"""Runs side by side in every group of rows: scores, differences from one of them, intervals, counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from probatum.laboratory import Laboratory
from probatum.reporting.numbers import figure, interval, signed


def group_comparison_values(
    laboratory: Laboratory, arms: Sequence[str], baseline: str, grouping: str | None = None
) -> dict[str, Any]:
    """Scores and differences of some experiments in every group and quantity, and their means over groups.

    The interval of a group is by t over its rows, as if these were independent. That of a mean over groups is the mean
    of theirs, which covers any dependence between groups: no mean varies more than its parts do on average.

    Args:
        laboratory: of the campaign.
        arms: experiments to be compared, the baseline too if it is named.
        baseline: that they are compared with.
        grouping: by name; default: that of the campaign's tables.

    Raises:
        UnknownNameError: an experiment or a grouping that does not exist.
    """
    names = list(dict.fromkeys([baseline, *arms]))
    scores = {name: laboratory.by_group(name, grouping) for name in names}
    quantities = {task: dataset.quantity_names for task, dataset in laboratory.campaign.datasets.items()}
    others = names[1:]
    cells = {
        name: {(c.task, c.group, c.quantity): c for c in laboratory.by_cell(name, baseline, grouping)}
        for name in others
    }
    rows = []
    for task, group in scores[baseline]:
        for q, quantity in enumerate(quantities[task]):
            found = {name: cells[name][task, group, quantity] for name in others}
            rows.append({
                "task": task,
                "group": group,
                "quantity": quantity,
                "rows": next((c.rows for c in found.values()), None),
                "scores": {name: float(scores[name][task, group][q]) for name in names},
                "differences": {
                    name: {"difference": c.difference, "interval": list(c.interval) if c.interval else None}
                    for name, c in found.items()
                },
            })  # fmt: skip
    return {
        "grouping": grouping or ", ".join(dict.fromkeys(laboratory.groupings().values())),
        "metric": laboratory.metric.name,
        "level": 1 - laboratory.campaign.file.protocol.alpha,
        "baseline": baseline,
        "arms": names,
        "rows": rows,
        "mean": _mean(rows, names),
    }


def _mean(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any] | None:
    if not rows:
        return None
    differences = {}
    for name in names[1:]:
        parts = [row["differences"][name] for row in rows]
        bounds = [part["interval"] for part in parts]
        differences[name] = {
            "difference": float(np.mean([part["difference"] for part in parts])),
            "interval": np.mean(bounds, axis=0).tolist() if all(bounds) else None,
        }
    return {
        "scores": {name: float(np.mean([row["scores"][name] for row in rows])) for name in names},
        "differences": differences,
    }


def group_comparison_table(values: Mapping[str, Any]) -> Table:
    """One line a group, as values tell them, and the mean over groups."""
    rows, names = values["rows"], values["arms"]
    several = [key for key in ("task", "quantity") if len({row[key] for row in rows}) > 1]
    title = escape(f"{values['metric']} by {values['grouping']}, with {100 * values['level']:g} % intervals")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for heading in (*several, values["grouping"]):
        table.add_column(escape(heading))
    for name in names:
        table.add_column(escape(name), justify="right", no_wrap=True)
    for name in names[1:]:
        table.add_column(escape(f"{name} - {values['baseline']}"), justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for row in rows:
        shown = [escape(row[key]) for key in (*several, "group")]
        table.add_row(*shown, *_numbers(row, names), "-" if row["rows"] is None else str(row["rows"]))
    if len(rows) > 1:
        table.add_section()
        table.add_row("mean", *[""] * len(several), *_numbers(values["mean"], names), "")
    return table


def _numbers(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    cells = [figure(row["scores"][name]) for name in names]
    for name in names[1:]:
        difference, bounds = row["differences"][name]["difference"], row["differences"][name]["interval"]
        inside = bounds is None or bounds[0] <= 0 <= bounds[1]
        text = signed(difference) + (f" ({interval((bounds[0], bounds[1]))})" if bounds else "")
        cells.append(text if inside else f"[bold]{text}[/]")
    return cells


REMARK = (
    "Exploratory: intervals over a group's rows as if these were independent, no correction for the number of groups; "
    "bold where 0 is outside. The verdict is that of the table above."
)
"""What stands under the table."""
