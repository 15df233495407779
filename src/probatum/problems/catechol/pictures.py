"""Yields along the lines of conditions that were measured: measured and predicted, for a few solvents or ramps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import INK, PAPER, SOFT
from probatum.problems.catechol.figures import COLOURS
from probatum.problems.picture import Picture, Scored, best_median_worst, scored
from probatum.problems.picture_panels import dressed
from probatum.problems.problem import Dataset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXES = {
    "residence_time": ("residence time, min", "{:.0f} min", 1.0),
    "temperature": ("temperature, °C", "{:.0f} °C", 4.0),
    "fraction_b": ("volume fraction of the second solvent", "{:.2g} of the second solvent", 0.02),
}
"""Condition to its label, how a value of it reads, and the width of a cell whose values count as one."""
MOST_LINES = 3
"""Of each solvent or ramp; those with the most different conditions."""
FEWEST_PLACES = 3
"""Different conditions that make a line."""


@dataclass(frozen=True, eq=False)
class Line:
    """Rows whose conditions differ in one of them alone.

    Attributes:
        along: the condition that differs.
        title: the others.
        rows: [row] positions among the scored rows, by the value of that condition.
        values: [row] of it.
    """

    along: str
    title: str
    rows: np.ndarray
    values: np.ndarray


def yield_pictures(dataset: Dataset, rows: np.ndarray, predictions: np.ndarray) -> tuple[Picture, ...]:
    """The one picture of `Problem.pictures`."""
    found = scored(dataset, rows, predictions)
    if not len(found):
        return ()
    group = dataset.default_group or "row"
    names = dataset.groups[group][found.rows]
    labels, places = np.unique(names, return_inverse=True)
    errors = np.bincount(places, ((found.prediction - found.truth) ** 2).mean(axis=1)) / np.bincount(places)
    shown = {name: str(labels[place]) for name, place in best_median_worst(errors).items()}
    of_group = dict(zip(labels.tolist(), errors.tolist(), strict=True))
    lines = {label: _lines(dataset, found, np.flatnonzero(names == label)) for label in shown.values()}
    caption = (
        f"Yields in % of the {group} with the smallest, the median and the largest mean squared error of "
        f"{len(labels)}, along lines of conditions that were measured: points are measured, lines through small "
        f"circles are predicted by models that did not see this {group}. {len(found)} rows in all."
    )
    return (
        Picture(
            "yield-courses",
            f"Yields, measured and predicted, of the best, median and worst {group}",
            caption,
            lambda figure: _draw(figure, found, shown, of_group, lines),
            width=10.0,
            height=2.9 * len(shown) + 0.4,
        ),
    )


def _lines(dataset: Dataset, found: Scored, own: np.ndarray) -> list[Line]:
    """The lines among some of the scored rows, those with the most different conditions first."""
    conditions = {name: np.asarray(dataset.observations[name])[found.rows[own]] for name in AXES}
    lines: list[tuple[int, Line]] = []
    for along in AXES:
        others = [name for name in AXES if name != along]
        cells = np.stack([np.round(conditions[name] / AXES[name][2]) for name in others], axis=1)
        for cell in np.unique(cells, axis=0):
            in_cell = np.flatnonzero((cells == cell).all(axis=1))
            values = conditions[along][in_cell]
            different = len(np.unique(np.round(values / AXES[along][2])))
            if different < FEWEST_PLACES:
                continue
            order = np.argsort(values, kind="stable")
            fixed = {name: float(np.median(conditions[name][in_cell])) for name in others}
            lines.append((different, Line(along, _title(fixed, conditions), own[in_cell[order]], values[order])))
    lines.sort(key=lambda line: -line[0])
    return [line for _, line in lines[:MOST_LINES]]


def _title(fixed: Mapping[str, float], conditions: Mapping[str, np.ndarray]) -> str:
    """What a line holds fixed; a fraction is not worth a word where no mixture was measured."""
    mixed = bool(np.ptp(conditions["fraction_b"]) > 0)
    said = [AXES[name][1].format(value) for name, value in fixed.items() if name != "fraction_b" or mixed]
    return "at " + ", ".join(said)


def _draw(
    figure: Figure,
    found: Scored,
    shown: Mapping[str, str],
    errors: Mapping[str, float],
    lines: Mapping[str, list[Line]],
) -> None:
    top = max(100.0, float(100 * found.truth.max())) + 4
    columns = max(1, *(len(of_one) for of_one in lines.values()))
    for part, (name, label) in zip(figure.subfigures(len(shown), 1, squeeze=False).ravel(), shown.items(), strict=True):
        part.suptitle(
            f"{name}: {shorten(label, 70, placeholder='...')}, mean squared error {errors[label]:.2g}",
            x=0.01, ha="left", fontsize=10, fontweight="bold", color=INK,
        )  # fmt: skip
        panels = part.subplots(1, columns, sharey=True, squeeze=False)[0]
        for axes in panels[len(lines[label]) :]:
            axes.set_axis_off()
        for axes, line in zip(panels, lines[label], strict=False):
            for quantity, (product, colour) in enumerate(COLOURS.items()):
                measured, predicted = (100 * table[line.rows, quantity] for table in (found.truth, found.prediction))
                axes.plot(line.values, predicted, "-o", color=colour, lw=1.2, ms=3, mfc=PAPER, mew=0.8)
                axes.plot(line.values, measured, "o", color=colour, ms=4.5, mec=PAPER, mew=0.5, label=product)
            dressed(axes, "", AXES[line.along][0], "")
            axes.set_title(line.title, fontsize=9, fontweight="normal", color=SOFT)
            axes.set_ylim(-4, top)
        panels[0].set_ylabel("yield, %")
        if name == next(iter(shown)) and lines[label]:
            panels[0].legend(frameon=False, fontsize=8)
