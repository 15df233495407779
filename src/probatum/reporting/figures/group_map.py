"""Where two experiments differ: targets x groups, each cell with its number and half of its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.pictures import BLUE, GRID, INK, SOFT, VERMILION, new_figure
from probatum.reporting.figures.forest import draw_verdicts, verdict_rows
from probatum.reporting.figures.marks import lower_is_better, score_unit, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_GROUPS = 60
LETTERS = 13
"""Of a note, that an inch holds."""
STRONGEST = 0.6
"""Opacity of the strongest cell: the number on it can be read on light paper and on dark."""
WITH_INTERVALS, WITH_NUMBERS = 5, 12
"""Most targets whose cells have room for their intervals, and for their numbers."""


def group_map_figure(values: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], arm: str) -> Figure:
    """Groups x targets: the difference of one experiment from the baseline.

    Args:
        values: from `records.results_values`.
        cells: from `records.cell_values`, at least one.
        arm: whose they are.
    """
    groups = _groups(cells)
    width = min(9.5, 5.0 + 1.1 * len({c["quantity"] for c in cells}))
    with new_figure(width, 1.5 + 0.23 * len(groups)) as figure:
        _draw_map(figure.subplots(), cells, groups, values, arm)
    return figure


def comparison_figure(values: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], arm: str) -> Figure:
    """A forest plot of verdicts, and under it where one arm differs.

    Args:
        values: from `records.results_values`, with the verdicts that are shown.
        cells: from `records.cell_values`; [] draws the forest alone.
        arm: whose they are.
    """
    rows = verdict_rows(values)
    groups = _groups(cells)
    heights = [1.3 + 0.32 * len(rows), *([1.4 + 0.23 * len(groups)] if groups else [])]
    with new_figure(9.5, sum(heights)) as figure:
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        draw_verdicts(parts[0].subplots(), values, rows)
        if groups:
            _draw_map(parts[1].subplots(), cells, groups, values, arm)
    return figure


def _groups(cells: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((c["task"], c["group"]) for c in cells))[:MOST_GROUPS]


def _draw_map(
    axes: Axes,
    cells: Sequence[Mapping[str, Any]],
    groups: Sequence[tuple[str, str]],
    values: Mapping[str, Any],
    arm: str,
) -> None:
    from matplotlib.patches import Rectangle

    place = {group: i for i, group in enumerate(groups)}
    total = len({(c["task"], c["group"]) for c in cells})
    cells = [c for c in cells if (c["task"], c["group"]) in place and np.isfinite(c["difference"])]
    quantities = list(dict.fromkeys(c["quantity"] for c in cells))
    sizes = np.abs([c["difference"] for c in cells])
    # One odd group must not pale all others.
    largest = float(np.quantile(sizes, 0.95)) or float(sizes.max()) or 1.0
    sign = 1 if lower_is_better(values) else -1
    for c in cells:
        y, x = place[c["task"], c["group"]], quantities.index(c["quantity"])
        worse = sign * c["difference"] > 0
        strength = STRONGEST * min(abs(c["difference"]) / largest, 1)
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, color=VERMILION if worse else BLUE, alpha=strength, lw=0))
        text = _cell_text(c, len(quantities))
        away = c["interval"] and not c["interval"][0] <= 0 <= c["interval"][1]
        weight = "bold" if away else "normal"
        axes.text(x, y, text, ha="center", va="center", fontsize=7.5, color=INK, fontweight=weight)
    counts = {(c["task"], c["group"]): c["rows"] for c in cells}
    several = len({task for task, _ in groups}) > 1
    names = [f"{f'{t}: ' if several else ''}{short(g, 44)} (n = {counts.get((t, g), 0)})" for t, g in groups]
    axes.set_yticks(range(len(groups)), names, fontsize=7.5)
    axes.set_xticks(range(len(quantities)), [short(q, 24) for q in quantities])
    axes.xaxis.tick_top()
    if len(quantities) > WITH_INTERVALS:
        axes.tick_params(axis="x", rotation=30)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("left")
    axes.set_xlim(-0.5, len(quantities) - 0.5)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_yticks(np.arange(len(groups) + 1) - 0.5, minor=True)
    axes.grid(axis="y", which="minor", color=GRID, lw=0.6)
    axes.tick_params(which="minor", length=0)
    axes.set_title(f"Where '{short(arm, 40)}' differs from '{short(values['baseline'], 40)}'", pad=12)
    half = " ± half of the interval over the group's rows" if len(quantities) <= WITH_INTERVALS else ""
    cut = f"; the first {len(groups)} of {total} groups" if total > len(groups) else ""
    said = (
        f"difference of {score_unit(values)}{half}; blue: better, orange: worse, full colour from {largest:.2g} on; "
        f"bold: the interval leaves out 0; exploratory, no verdict rests on it{cut}"
    )
    figure = axes.get_figure(root=True)
    assert figure is not None
    note = fill(said, int(LETTERS * figure.get_figwidth()))
    axes.get_figure(root=False).supxlabel(note, x=0.01, ha="left", color=SOFT, fontsize=8)  # type: ignore[union-attr]


def _cell_text(cell: Mapping[str, Any], quantities: int) -> str:
    if quantities > WITH_NUMBERS:
        return ""
    text = f"{cell['difference']:+.2g}"
    if quantities <= WITH_INTERVALS and cell["interval"]:
        text += f" ± {(cell['interval'][1] - cell['interval'][0]) / 2:.2g}"
    return text
