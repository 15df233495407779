"""Predictions against the truth, group by group, and what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.pictures import BLUE, GREEN, GREY, GRID, INK, ORANGE, PURPLE, SKY, SOFT, VERMILION, new_figure
from probatum.reporting.figures.marks import counted, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 36
MOST_QUANTITIES = 12
MOST_POINTS = 2000
"""In a panel; of more, evenly chosen ones are drawn."""
MOST_CIRCLES = 60
"""In a panel; more points are drawn as one image."""
BINS = 12
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY)
Quantities = Sequence[tuple[str, str]]
"""(name, unit) of each."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Predictions of one group of rows.

    Attributes:
        title: the group's name.
        truth: [row, quantity].
        predictions: [seed or repeat, row, quantity].
        score: the metric, mean over seeds, repeats and quantities.
    """

    title: str
    truth: np.ndarray
    predictions: np.ndarray
    score: float


def scatter_figure(
    panels: Sequence[Panel], quantities: Quantities, name: str, metric: str, *, total: int | None = None
) -> Figure:
    """True against predicted values, a panel each, with the line where both are equal.

    Args:
        panels: of one experiment; the first 36 are drawn.
        quantities: that are predicted.
        name: of the experiment.
        metric: of the panels' scores.
        total: groups that there are, where the panels are the hardest of them.
    """
    shown = panels[:MOST_PANELS]
    columns = min(len(shown), max(4, int(np.ceil(np.sqrt(len(shown))))))
    lines = -(-len(shown) // columns)
    units = dict.fromkeys(unit for _, unit in quantities)
    unit = f", {next(iter(units))}" if len(units) == 1 else ", in their units"
    unit = "" if unit == ", 1" else unit
    with new_figure(0.6 + 2.3 * columns, 0.9 + 2.45 * lines) as figure:
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes, panel in zip(grid, shown, strict=False):
            _draw_panel(axes, panel, quantities)
            rows = len(panel.truth)
            axes.set_title(f"{short(panel.title, 30)}\n{metric} {panel.score:.3g}, n = {rows}", fontsize=8)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        if len(quantities) > 1:
            handles, labels = grid[0].get_legend_handles_labels()
            figure.legend(
                handles, [short(label, 24) for label in labels], frameon=False, fontsize=8, markerscale=3,
                handletextpad=0.1, loc="outside lower right", ncols=min(len(labels), 6),
            )  # fmt: skip
        rest = f"; the first {len(shown)} of {len(panels)} groups" if len(shown) < len(panels) else ""
        if total is not None and total > len(shown):
            rest = f"; the {len(shown)} hardest of {total} groups"
        seeds = max(len(panel.predictions) for panel in shown)
        title = f"{short(name, 60)}: rows left out of training{rest}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
        what = short(quantities[0][0], 40) if len(quantities) == 1 else "values"
        figure.supxlabel(f"true {what}{unit}", fontsize=9)
        figure.supylabel(f"predicted{unit} ({seeds} prediction{'s' * (seeds > 1)} a row)", fontsize=9)
    return figure


def _draw_panel(axes: Axes, panel: Panel, quantities: Quantities) -> None:
    low, high = (float(f([f(panel.truth), f(panel.predictions)])) for f in (np.min, np.max))
    margin = 0.04 * (high - low) or 1.0
    ends = [low - margin, high + margin]
    axes.plot(ends, ends, color=INK, lw=0.8, zorder=1)
    for q, (quantity, _) in enumerate(quantities):
        truth = np.tile(panel.truth[:, q], len(panel.predictions))
        predicted = panel.predictions[:, :, q].ravel()
        chosen = _evenly(len(truth), MOST_POINTS)
        axes.plot(
            truth[chosen], predicted[chosen], color=COLOURS[q % len(COLOURS)], label=quantity, zorder=2,
            **_points(len(chosen)),
        )  # fmt: skip
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.tick_params(labelsize=7)
    axes.locator_params(nbins=5)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)


def residuals_figure(truth: np.ndarray, predicted: np.ndarray, quantities: Quantities, name: str) -> Figure:
    """Predicted minus true against the prediction, a panel each quantity, with the median and middle 80 % of bins.

    Args:
        truth: [row, quantity].
        predicted: [row, quantity], of models that did not see these rows.
        quantities: that are predicted; the first 12 are drawn.
        name: of the experiment.
    """
    shown = quantities[:MOST_QUANTITIES]
    columns = min(len(shown), 3)
    lines = -(-len(shown) // columns)
    with new_figure(0.6 + 2.9 * max(columns, 2), 0.9 + 2.3 * lines) as figure:
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for q, (axes, (quantity, unit)) in enumerate(zip(grid, shown, strict=False)):
            good = np.isfinite(truth[:, q]) & np.isfinite(predicted[:, q])
            _draw_residuals(axes, predicted[good, q], (predicted - truth)[good, q], COLOURS[q % len(COLOURS)])
            said = "" if unit == "1" else f" ({unit})"
            axes.set_title(f"{short(quantity, 30)}{said}", fontsize=8.5)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        cut = f"; the first {len(shown)} of {len(quantities)} quantities" if len(shown) < len(quantities) else ""
        title = f"{short(name, 60)}: residuals of {counted(len(truth), 'row')} left out of training{cut}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
        figure.supxlabel("predicted, mean over seeds and repeats", fontsize=9)
        figure.supylabel("predicted - true", fontsize=9)
    return figure


def _draw_residuals(axes: Axes, predicted: np.ndarray, residual: np.ndarray, colour: str) -> None:
    axes.axhline(0, color=INK, lw=0.8)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=7)
    if not len(predicted):
        return
    chosen = _evenly(len(predicted), MOST_POINTS)
    axes.plot(predicted[chosen], residual[chosen], color=colour, zorder=2, **_points(len(chosen)))
    parts = [p for p in np.array_split(np.argsort(predicted), min(BINS, max(len(predicted) // 8, 1))) if len(p) > 1]
    if len(parts) > 1:
        middle = [float(np.median(predicted[p])) for p in parts]
        low, median, high = np.array([np.quantile(residual[p], [0.1, 0.5, 0.9]) for p in parts]).T
        axes.fill_between(middle, low, high, color=GREY, alpha=0.22, lw=0, zorder=1)
        axes.plot(middle, median, color=INK, lw=1.6, zorder=3)
    said = f"mean {residual.mean():+.2g}, sd {residual.std():.2g}"
    axes.annotate(said, (0.02, 0.98), xycoords="axes fraction", va="top", fontsize=7.5, color=SOFT)


def _points(count: int) -> dict[str, Any]:
    """How points are drawn: fewer are larger, and many are one image, which is smaller than as many circles."""
    size = float(np.clip(40 / np.sqrt(max(count, 1)), 3.5, 9))
    return {"ls": "none", "marker": ".", "ms": size, "alpha": 0.6, "mew": 0, "rasterized": count > MOST_CIRCLES}


def _evenly(count: int, most: int) -> np.ndarray:
    """Positions of at most `most` of `count` things."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)
