"""Predictions over measured targets of a table, its worst group apart."""

from __future__ import annotations

from math import ceil
from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import BLUE, VERMILION
from probatum.problems.picture import Picture, Scored, scored
from probatum.problems.picture_panels import MOST_POINTS, dressed, identity_panel
from probatum.problems.problem import Dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_TARGETS = 12
COLUMNS = 3


def target_pictures(dataset: Dataset, rows: np.ndarray, predictions: np.ndarray) -> tuple[Picture, ...]:
    """The one picture of `Problem.pictures`."""
    found = scored(dataset, rows, predictions)
    if not len(found):
        return ()
    targets = dataset.quantities[:MOST_TARGETS]
    columns, lines = min(COLUMNS, len(targets)), ceil(len(targets) / COLUMNS)
    more = len(dataset.quantities) - len(targets)
    grouped = dataset.default_group
    caption = (
        f"Predicted over measured, one point a row, {len(found)} rows; on the line a prediction is right, triangles "
        "stand beyond the panel. RMSE is the root mean square error in the target's unit, R2 the share of the variance "
        "that is explained"
        + (f"; orange is the {grouped} with the largest of these errors" if grouped else "")
        + (f"; an even choice of {MOST_POINTS} points" if len(found) * len(targets) > MOST_POINTS else "")
        + (f"; {more} more targets are not drawn" if more else "")
        + (f"; {found.left_out} rows without a finite prediction are left out" if found.left_out else "")
        + "."
    )

    def draw(figure: Figure) -> None:
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for q, axes in enumerate(grid):
            if q < len(targets):
                _panel(axes, dataset, found, q, MOST_POINTS // len(targets))
            else:
                axes.set_axis_off()

    names = [target.name for target in targets]
    title = "Predicted and measured" + (f" {names[0]}" if len(names) == 1 else "")
    return (Picture("predictions", title, caption, draw, width=3.6 * columns + 0.6, height=3.7 * lines + 0.3),)


def _panel(axes: Axes, dataset: Dataset, found: Scored, q: int, most: int) -> None:
    quantity = dataset.quantities[q]
    truth, prediction = found.truth[:, q], found.prediction[:, q]
    squares = (prediction - truth) ** 2
    worst, name = np.zeros(len(truth), dtype=bool), ""
    if dataset.default_group is not None:
        labels, place = np.unique(dataset.groups[dataset.default_group][found.rows], return_inverse=True)
        if len(labels) > 1:
            most_wrong = int((np.bincount(place, squares) / np.bincount(place)).argmax())
            worst, name = place == most_wrong, str(labels[most_wrong])
    if worst.any():
        others = max(most - int(worst.sum()), most // 2)
        identity_panel(axes, truth[~worst], prediction[~worst], colour=BLUE, most=others)
        identity_panel(axes, truth[worst], prediction[worst], colour=VERMILION, label=name[:30], most=most // 2)
        axes.legend(frameon=False, fontsize=8, loc="lower right", handletextpad=0.1)
    else:
        identity_panel(axes, truth, prediction, most=most)
    spread = float(((truth - truth.mean()) ** 2).mean())
    r2 = f"\nR2 {1 - squares.mean() / spread:.3f}" if spread > 0 else ""
    axes.text(0.04, 0.96, f"RMSE {np.sqrt(squares.mean()):.3g}{r2}", transform=axes.transAxes, va="top", fontsize=8)
    unit = "" if quantity.unit == "1" or f"{quantity.unit}]" in quantity.name else f", {quantity.unit}"
    dressed(axes, shorten(quantity.name, 40, placeholder="..."), f"measured{unit}", f"predicted{unit}")
