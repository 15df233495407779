"""Pictures of one experiment: how its trainings went, and its predictions against the truth in every group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

import numpy as np

from probatum.errors import UsageError
from probatum.laboratory import Laboratory
from probatum.learning.probes import TRAINING, VALIDATION
from probatum.pictures import BLUE, GREEN, GREY, GRID, INK, SOFT, VERMILION, new_figure, write_figure

MOST_PANELS = 36
MOST_POINTS = 2000
"""In a panel; of more, evenly chosen ones are drawn."""
COLOURS = (BLUE, VERMILION, GREEN, GREY)
LOSSES = {TRAINING: BLUE, VALIDATION: VERMILION}


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


def panels_of(laboratory: Laboratory, experiment: str, grouping: str | None = None) -> list[Panel]:
    """What an experiment predicted for rows that it was not trained on, group by group.

    Args:
        laboratory: of the campaign.
        experiment: finished.
        grouping: by name; default: that of the campaign's tables.

    Raises:
        UnknownNameError, IncomparableError: as `Laboratory.score`; a grouping that does not exist.
    """
    found = laboratory.rows_by_group(experiment, grouping)
    tasks, draws = ({key[i] for key in found} for i in (0, 2))
    panels = []
    for (task, group, draw), table in found.items():
        quantities = range(table.truth.shape[1])
        scores = [
            laboratory.metric.score(table.truth[:, [q]], p[:, [q]]) for p in table.predictions for q in quantities
        ]
        title = f"{task}: {group}" if len(tasks) > 1 and group != task else group
        title += f", draw {draw}" if len(draws) > 1 else ""
        panels.append(Panel(title, table.truth, np.asarray(table.predictions), float(np.mean(scores))))
    return panels


def scatter_figure(
    panels: Sequence[Panel], quantities: Sequence[tuple[str, str]], name: str, metric: str, path: Path
) -> None:
    """True against predicted values, a panel each, with the line where both are equal.

    Args:
        panels: of one experiment; the first 36 are drawn.
        quantities: (name, unit) of each.
        name: of the experiment.
        metric: of the panels' scores.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    shown = panels[:MOST_PANELS]
    columns = min(len(shown), max(3, int(np.ceil(np.sqrt(len(shown))))))
    lines = -(-len(shown) // columns)
    units = dict.fromkeys(unit for _, unit in quantities)
    unit = next(iter(units)) if len(units) == 1 else "in their units"
    with new_figure(0.6 + 2.6 * columns, 0.9 + 2.6 * lines) as figure:
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes, panel in zip(grid, shown, strict=False):
            low, high = (float(f([f(panel.truth), f(panel.predictions)])) for f in (np.min, np.max))
            margin = 0.04 * (high - low) or 1.0
            ends = [low - margin, high + margin]
            axes.plot(ends, ends, color=INK, lw=0.8, zorder=1)
            for q, (quantity, _) in enumerate(quantities):
                count = len(panel.truth) * len(panel.predictions)
                chosen = np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int)
                truth = np.tile(panel.truth[:, q], len(panel.predictions))[chosen]
                predicted = panel.predictions[:, :, q].ravel()[chosen]
                axes.plot(
                    truth, predicted, ".", ms=3, alpha=0.35, mew=0, color=COLOURS[q % len(COLOURS)], label=quantity,
                    rasterized=True, zorder=2,
                )  # fmt: skip
            axes.set(xlim=ends, ylim=ends, aspect="equal")
            rows = len(panel.truth)
            axes.set_title(
                f"{shorten(panel.title, 30, placeholder='...')}\n{metric} {panel.score:.3g}, n = {rows}", fontsize=8
            )
            axes.tick_params(labelsize=7)
            axes.grid(color=GRID, lw=0.6)
            axes.set_axisbelow(True)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        if len(quantities) > 1:
            grid[0].legend(frameon=False, fontsize=7, markerscale=3, handletextpad=0.1)
        rest = f"; the first {len(shown)} of {len(panels)} groups" if len(shown) < len(panels) else ""
        seeds = max(len(panel.predictions) for panel in shown)
        figure.suptitle(f"{name}: rows left out of training{rest}", x=0.01, ha="left", fontsize=10, fontweight="bold")
        what = quantities[0][0] if len(quantities) == 1 else "values"
        figure.supxlabel(f"true {what}, {unit}", fontsize=9)
        figure.supylabel(f"predicted, {unit} ({seeds} prediction{'s' * (seeds > 1)} a row)", fontsize=9)
        write_figure(figure, path)


def curves_of(laboratory: Laboratory, experiment: str) -> Sequence[Mapping[str, np.ndarray]]:
    """The losses over epochs of each of an experiment's trainings, [epoch] by name.

    Raises:
        UsageError: none of them kept any.
    """
    predictions = laboratory.campaign.predictions(experiment)
    found = [{n: p.curves[n] for n in LOSSES if np.ndim(p.curves.get(n, 0)) == 1} for p in predictions]
    found = [curves for curves in found if curves]
    if not found:
        raise UsageError(
            f"no training history of '{experiment}': its model keeps none",
            where=laboratory.campaign.file.path.name,
            remedy="draw that of a network; a blend has that of its components",
        )
    return found


def history_figure(curves: Sequence[Mapping[str, np.ndarray]], name: str, path: Path) -> None:
    """Losses over epochs: every training as a thin line, their median as a thick one.

    Args:
        curves: of each training, from `curves_of`.
        name: of the experiment.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    with new_figure(7.5, 4.2) as figure:
        axes = figure.subplots()
        for loss, colour in LOSSES.items():
            ours = [np.asarray(c[loss], dtype=np.float64) for c in curves if loss in c]
            if not ours:
                continue
            table = np.full((len(ours), max(map(len, ours))), np.nan)
            for row, one in zip(table, ours, strict=True):
                row[: len(one)] = one
            epochs = np.arange(1, table.shape[1] + 1)
            axes.plot(epochs, table.T, color=colour, lw=0.6, alpha=0.35)
            running = np.isfinite(table).sum(axis=0)
            half = running * 2 >= len(table)  # where most have stopped, a median is one of the slow ones alone
            median = np.array([np.median(column[np.isfinite(column)]) for column in table[:, half].T])
            axes.plot(epochs[half], median, color=colour, lw=2, label=f"{loss}: median of {len(ours)} trainings")
            if loss == VALIDATION:
                best = [int(np.nanargmin(one)) for one in table if np.isfinite(one).any()]
                points = [float(np.nanmin(one)) for one in table if np.isfinite(one).any()]
                axes.plot(
                    np.array(best) + 1, points, "o", color=colour, ms=3.5, mec="white", mew=0.5, label="best epoch"
                )
        if all(np.nanmin(c[n]) > 0 for c in curves for n in c if np.isfinite(c[n]).any()):
            axes.set_yscale("log")
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss, targets as the training scales them")
        axes.set_title(f"{name}: training history")
        axes.grid(color=GRID, lw=0.8)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, fontsize=8, labelcolor=SOFT)
        write_figure(figure, path)
