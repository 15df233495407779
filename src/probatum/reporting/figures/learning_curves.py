"""Learning curves over seeds and splits, with bands; and small ones that stand in a line of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import numpy as np

from probatum.learning.probes import TRAINING, VALIDATION
from probatum.pictures import BLUE, GRID, PAPER, SOFT, VERMILION, new_figure
from probatum.reporting.figures.marks import counted, logarithmic, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curves = Sequence[Mapping[str, np.ndarray]]
"""The losses of each training, [epoch] by name, NaN after it stopped."""
LOSSES = {TRAINING: BLUE, VALIDATION: VERMILION}
STROKES = {TRAINING: "blue", VALIDATION: "vermilion"}
MOST_PANELS = 9
POINTS = 48
"""Of a small curve."""


def learning_curves_figure(curves: Mapping[str, Curves]) -> Figure:
    """Losses over epochs, a panel each experiment: the median over trainings, its middle half, and all of them.

    Args:
        curves: experiment to the losses of its trainings; the first 9 are drawn.
    """
    shown = dict(list(curves.items())[:MOST_PANELS])
    columns = min(len(shown), 3)
    lines = -(-len(shown) // columns)
    size = (7.5, 4.2) if len(shown) == 1 else (9.5, 0.8 + 2.5 * lines)
    with new_figure(*size) as figure:
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes, (name, ours) in zip(grid, shown.items(), strict=False):
            _draw_curves(axes, ours)
            title = f"{short(name, 26 if len(shown) > 1 else 60)}, {counted(len(ours), 'training')}"
            axes.set_title(title, fontsize=8.5)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        handles = {str(h.get_label()): h for axes in grid for h in axes.get_legend_handles_labels()[0]}
        figure.legend(
            list(handles.values()), list(handles), frameon=False, fontsize=8, labelcolor=SOFT, ncols=len(handles),
            loc="outside lower right",
        )  # fmt: skip
        figure.supxlabel("epoch", fontsize=9)
        figure.supylabel("loss, targets as the training scales them", fontsize=9)
        cut = f"; the first {len(shown)} of {len(curves)} experiments" if len(shown) < len(curves) else ""
        title = f"Learning curves: median, middle half and all trainings{cut}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def _draw_curves(axes: Axes, curves: Curves) -> None:
    for loss, colour in LOSSES.items():
        table = _table(curves, loss)
        if not len(table):
            continue
        epochs = np.arange(1, table.shape[1] + 1)
        low, bottom, median, top, high = _quantiles(table)
        axes.fill_between(epochs, low, high, color=colour, alpha=0.14, lw=0)
        axes.fill_between(epochs, bottom, top, color=colour, alpha=0.28, lw=0)
        axes.plot(epochs, median, color=colour, lw=1.8, label=loss)
        if loss == VALIDATION:
            seen = [one for one in table if np.isfinite(one).any()]
            best = [int(np.nanargmin(one)) + 1 for one in seen]
            axes.plot(
                best, [float(np.nanmin(one)) for one in seen], "o", color=colour, ms=3, mec=PAPER, mew=0.4,
                label="best epoch",
            )  # fmt: skip
    if _positive(curves):
        logarithmic(axes)
    axes.tick_params(labelsize=7.5)
    axes.grid(color=GRID, lw=0.7)
    axes.set_axisbelow(True)


def _table(curves: Curves, loss: str) -> np.ndarray:
    """[training, epoch], NaN where a training has stopped."""
    ours = [np.asarray(c[loss], dtype=np.float64) for c in curves if loss in c]
    table = np.full((len(ours), max(map(len, ours), default=0)), np.nan)
    for row, one in zip(table, ours, strict=True):
        row[: len(one)] = one
    return table


def _quantiles(table: np.ndarray, levels: Sequence[float] = (0, 0.25, 0.5, 0.75, 1)) -> np.ndarray:
    """[level, epoch]: of the trainings that still run.

    Where most have stopped there is none: a median would be that of the slow ones alone.
    """
    running = np.isfinite(table)
    if running.all():
        return np.quantile(table, levels, axis=0)
    found = np.full((len(levels), table.shape[1]), np.nan)
    for epoch in np.flatnonzero(running.sum(axis=0) * 2 >= len(table)):
        found[:, epoch] = np.quantile(table[running[:, epoch], epoch], levels)
    return found


def _positive(curves: Curves) -> bool:
    seen = [c[n] for c in curves for n in LOSSES if n in c and np.isfinite(c[n]).any()]
    return bool(seen) and all(np.nanmin(one) > 0 for one in seen)


def sparkline(curves: Curves, width: int = 150, height: int = 34) -> str:
    """The medians of the losses as a small <svg> of a page with `inline_svg.theme_css`; '' where there are none.

    Args:
        curves: of an experiment's trainings.
        width, height: in pixels.
    """
    logarithmic_axis = _positive(curves)
    medians: dict[str, np.ndarray] = {}
    for loss in LOSSES:
        table = _table(curves, loss)
        if len(table):
            (median,) = _quantiles(table, (0.5,))
            if np.isfinite(median).sum() > 1:
                medians[loss] = np.log(median) if logarithmic_axis else median
    if not medians:
        return ""
    every = np.concatenate([m[np.isfinite(m)] for m in medians.values()])
    low, high = float(every.min()), float(every.max())
    longest = max(map(len, medians.values()))
    lines, said = [], []
    for loss, median in medians.items():
        chosen = np.unique(np.linspace(0, len(median) - 1, min(len(median), POINTS)).astype(int))
        chosen = chosen[np.isfinite(median[chosen])]
        x = 2 + (width - 4) * chosen / max(longest - 1, 1)
        y = 2 + (height - 4) * (high - median[chosen]) / ((high - low) or 1.0)
        points = " ".join(f"{a:.0f},{b:.1f}" for a, b in zip(x, y, strict=True))
        stroke = f"var(--picture-{STROKES[loss]})"
        lines.append(f'<polyline points="{points}" fill="none" stroke="{stroke}" stroke-width="1.5"/>')
        first, last = (np.exp(median[i]) if logarithmic_axis else median[i] for i in (chosen[0], chosen[-1]))
        said.append(f"{loss} from {first:.3g} to {last:.3g}")
    count = counted(len(curves), "training")
    label = quoteattr(f"Learning curve, median of {count}: {', '.join(said)} over {counted(longest, 'epoch')}")
    return (
        f'<svg class="sparkline" role="img" aria-label={label} viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">{"".join(lines)}</svg>'
    )
