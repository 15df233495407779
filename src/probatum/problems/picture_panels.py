"""Panels that pictures of several problems share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import BLUE, GRID, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

MOST_POINTS = 1500
"""Of a picture; more say nothing that these do not, and make a large file."""
MANY_POINTS = 300
"""From here on a panel's points are small."""


def dressed(axes: Axes, title: str, x: str, y: str) -> None:
    """Title, labels and grid of a panel."""
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)


def plain_decades(*axes: Axis) -> None:
    """Plain numbers at the ticks of logarithmic axes; after the data are drawn.

    Pictures write no formulas (`probatum.pictures.STYLE`), and matplotlib's own ticks of such axes are formulas.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for axis in axes:
        low, high = sorted(axis.get_view_interval())
        few = high / low < 100
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=9))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def identity_panel(
    axes: Axes,
    truth: np.ndarray,
    prediction: np.ndarray,
    *,
    colour: str = BLUE,
    label: str = "",
    most: int = MOST_POINTS,
) -> None:
    """Predictions over true values, with the line on which they would be right; one scale for both.

    Args:
        axes: empty, or with such points already.
        truth, prediction: [point] float64, finite and at least one. The scale is that of the true values: predictions
            far outside stand at the edge as triangles.
        colour, label: of the points.
        most: of more points, an even choice of so many is drawn.
    """
    low, high = float(truth.min()), float(truth.max())
    if axes.has_data():
        low, high = min(low, axes.dataLim.x0), max(high, axes.dataLim.x1)
    else:
        axes.axline((low, low), slope=1.0, color=SOFT, lw=1.0, zorder=0)
    room = 0.08 * (high - low) or 0.5 * (abs(high) or 1.0)
    shown = np.linspace(0, len(truth) - 1, min(len(truth), most)).astype(np.intp)
    x, y = truth[shown], prediction[shown]
    inside = (y >= low - room) & (y <= high + room)
    size = 3.5 if len(shown) <= MANY_POINTS else 2.2
    axes.plot(x[inside], y[inside], "o", ms=size, color=colour, alpha=0.55, mew=0, label=label or None)
    for beyond, edge, marker in ((y < low - room, low - room, "v"), (y > high + room, high + room, "^")):
        if beyond.any():
            axes.plot(x[beyond], np.full(int(beyond.sum()), edge), marker, ms=5, color=colour, mew=0, clip_on=False)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(low - room, high + room)
    axes.set_aspect("equal")
