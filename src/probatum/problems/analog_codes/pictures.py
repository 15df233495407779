"""Predicted heights over exact ones, for each length, dimension and m."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from probatum.problems.picture import Picture, Scored, scored
from probatum.problems.picture_panels import MOST_POINTS, dressed, identity_panel
from probatum.problems.problem import Dataset, Ragged

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Panel = tuple[np.ndarray, np.ndarray]
"""Exact and predicted log2 heights of one group, both [case]."""


def height_pictures(dataset: Dataset, rows: np.ndarray, predictions: np.ndarray) -> tuple[Picture, ...]:
    """The one picture of `Problem.pictures`."""
    found = scored(dataset, rows, predictions)
    if not len(found):
        return ()
    panels = _panels(dataset, found)
    count = sum(len(truth) for truth, _ in panels.values())
    shown = f"; an even choice of {MOST_POINTS} points" if count > MOST_POINTS else ""
    left_out = f"; {found.left_out} cases without a finite height or prediction are left out" if found.left_out else ""
    caption = (
        "log2 of the m-height, predicted over exact, one panel for each code length n, dimension k and m. On the line "
        f"a prediction is right; triangles stand beyond the panel. {count} heights in {len(panels)} groups, with the "
        f"mean squared error of each in log2 units squared{shown}{left_out}."
    )
    columns = min(3, len(panels))
    return (
        Picture(
            "code-heights",
            "Heights of codes, predicted and exact",
            caption,
            lambda figure: _draw(figure, panels, columns),
            width=3.1 * columns + 0.5,
            height=3.1 * ceil(len(panels) / columns) + 0.3,
        ),
    )


def _panels(dataset: Dataset, found: Scored) -> dict[tuple[int, int, int], Panel]:
    """(n, k, m) to its heights, in that order."""
    n, k = _sizes(dataset)
    n, k = n[found.rows], k[found.rows]
    columns = [(q, int(name.rpartition("_")[2])) for q, name in enumerate(dataset.quantity_names) if "_" in name]
    if columns:  # a case is a code, a quantity one of its heights
        parts = [(np.full(len(n), m), found.truth[:, q], found.prediction[:, q]) for q, m in columns]
    else:
        parts = [(np.asarray(dataset.observations["m"])[found.rows], found.truth[:, 0], found.prediction[:, 0])]
    panels: dict[tuple[int, int, int], Panel] = {}
    for m, truth, prediction in parts:
        for group in np.unique(np.stack([n, k, m], axis=1), axis=0):
            own = (n == group[0]) & (k == group[1]) & (m == group[2])
            panels[int(group[0]), int(group[1]), int(group[2])] = (truth[own], prediction[own])
    return dict(sorted(panels.items()))


def _sizes(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """n and k of each case, both [case], from the shape of its P."""
    P = dataset.observations["P"]
    if isinstance(P, Ragged):
        k = np.asarray(dataset.observations["k"])
        return k + np.diff(P.offsets) / k, k
    k = np.full(len(P), P.shape[1])
    return k + P.shape[2], k


def _draw(figure: Figure, panels: dict[tuple[int, int, int], Panel], columns: int) -> None:
    lines = ceil(len(panels) / columns)
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, ((n, k, m), (exact, predicted)) in zip(grid, panels.items(), strict=False):
        identity_panel(axes, exact, predicted, most=max(MOST_POINTS // len(panels), 20))
        error = float(np.mean((predicted - exact) ** 2))
        dressed(axes, f"n = {n}, k = {k}, m = {m}", "exact, log2 height", "predicted")
        axes.text(0.04, 0.96, f"error {error:.3g}\n{len(exact)} codes", transform=axes.transAxes, va="top", fontsize=8)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
