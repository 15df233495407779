"""Pictures for a chemist: a yield over temperature and time, yields over time, and solvents in the order of a yield."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten, wrap
from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import BLUE, GREY, GRID, INK, SOFT, VERMILION, new_figure, write_figure
from probatum.problems.catechol.calibration import Situation
from probatum.problems.catechol.chemist import Prediction, Ranked, estimate
from probatum.problems.catechol.data import YIELDS
from probatum.problems.catechol.queries import NEARBY_K, measured_rows
from probatum.problems.catechol.remarks import Remark, measured_range
from probatum.problems.catechol.yield_model import LEVEL, Published, YieldModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = dict(zip(YIELDS, (GREY, BLUE, VERMILION), strict=True))
_POINTS = 41
"""Of each axis of the surface."""


def prediction_figure(model: YieldModel, data: Published, answer: Prediction, product: str, path: Path) -> None:
    """One yield over temperature and time, and all three over time at the temperature that was asked for.

    Args:
        model, data: trained and published.
        answer: what is marked.
        product: the yield of the surface, one of `YIELDS`.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    notes = _wrapped([answer.standing, *(remark.text for remark in answer.remarks)], 170)
    with new_figure(10.5, 4.6 + 0.15 * len(notes)) as figure:
        surface, course = figure.subplots(1, 2, width_ratios=(1.15, 1))
        _surface(surface, model, data, answer, product)
        _course(course, model, data, answer)
        name = shorten(answer.asked.name, 90, placeholder="...")
        figure.suptitle(name, x=0.01, ha="left", fontsize=11, fontweight="bold")
        _write_notes(figure, notes)
        write_figure(figure, path)


def ranking_figure(ranked: Sequence[Ranked], remarks: Sequence[Remark], title: str, path: Path) -> None:
    """Solvents in the order of a yield, each with its interval.

    Args:
        ranked: the best one first.
        remarks: written below.
        title: what is ranked, and at which conditions.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    notes = _wrapped([remark.text for remark in remarks], 150)
    with new_figure(9.0, 1.6 + 0.24 * len(ranked) + 0.15 * len(notes)) as figure:
        axes = figure.subplots()
        same = len({(r.celsius, r.minutes) for r in ranked}) == 1
        drawn: set[str] = set()
        for y, one in enumerate(ranked):
            near = one.situation is Situation.MEASURED
            colour, marker = (BLUE, "o") if near else (VERMILION, "s")
            label = "measured" if near else str(one.situation)
            axes.plot([100 * one.wanted.low, 100 * one.wanted.high], [y, y], color=colour, lw=2, solid_capstyle="round")
            axes.plot(
                [100 * one.wanted.value], [y], marker, color=colour, ms=6, label=None if label in drawn else label
            )
            drawn.add(label)
            if not same:
                place = (1.01, y)
                axes.annotate(
                    f"{one.celsius:g} °C, {one.minutes:g} min", place, xycoords=("axes fraction", "data"),
                    va="center", color=SOFT, fontsize=8,
                )  # fmt: skip
        reach = sum(one.level_with_first for one in ranked) - 1
        axes.axvspan(100 * ranked[0].wanted.low, 100 * ranked[0].wanted.high, color=GRID, alpha=0.6, lw=0, zorder=0)
        axes.set_yticks(range(len(ranked)), [shorten(one.solvent, 44, placeholder="...") for one in ranked])
        for tick, one in zip(axes.get_yticklabels(), ranked, strict=True):
            tick.set_color(INK if one.level_with_first else SOFT)
        axes.set_ylim(len(ranked) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=GRID, lw=0.8)
        axes.set_axisbelow(True)
        name = ranked[0].wanted.name
        axes.set_xlabel(
            f"{name}, %, with {100 * LEVEL:g} % interval (shaded: that of the first, which {reach} others reach)"
        )
        axes.set_title(title, pad=12)
        axes.legend(frameon=False, loc="best", title="solvent there", alignment="left", fontsize=8, title_fontsize=8)
        _write_notes(figure, notes)
        write_figure(figure, path)


def _surface(axes: Axes, model: YieldModel, data: Published, answer: Prediction, product: str) -> None:
    from matplotlib.patches import Rectangle

    hot, long = measured_range(data)
    temperatures = np.linspace(*_with(hot, answer.celsius), _POINTS)
    times = np.linspace(*_with(long, answer.minutes), _POINTS)
    column = YIELDS.index(product)
    t, m = (part.ravel() for part in np.meshgrid(temperatures, times, indexing="ij"))
    value = 100 * estimate(model, answer.asked, t, m).value[:, column].reshape(_POINTS, _POINTS)
    rows = measured_rows(data, answer.asked)
    points = 100 * data.rows.yields[rows, column]
    most = max(float(value.max()), float(points.max(initial=0.0)), 5.0)
    step = next(s for s in (1, 2, 5, 10) if most / s <= 11)
    levels = np.arange(0, step * (np.ceil(most / step) + 0.5), step)
    drawn = axes.contourf(times, temperatures, value, levels=levels, cmap="Blues", vmin=0, vmax=levels[-1] * 1.15)
    lines = axes.contour(times, temperatures, value, levels=levels, colors="white", linewidths=0.6)
    axes.clabel(lines, fmt="%g", fontsize=7, colors=INK)
    if rows.any():  # nothing, drawn without clipping, has no place, which the layout cannot bear
        axes.scatter(
            data.rows.residence_time[rows], data.rows.temperature[rows], c=points, cmap="Blues", vmin=0,
            vmax=levels[-1] * 1.15, s=22, edgecolors=INK, linewidths=0.7, zorder=3, clip_on=False,
            label=f"measured, n = {int(rows.sum())}",
        )  # fmt: skip
    if temperatures[0] <= answer.celsius <= temperatures[-1] and times[0] <= answer.minutes <= times[-1]:
        axes.plot(
            [answer.minutes], [answer.celsius], "X", color=VERMILION, ms=11, mec="white", mew=1.2, ls="", zorder=4,
            label=f"asked: {answer.celsius:g} °C, {answer.minutes:g} min", clip_on=False,
        )  # fmt: skip
    if (temperatures[0], temperatures[-1]) != hot or (times[0], times[-1]) != long:
        corner, width, height = (long[0], hot[0]), long[1] - long[0], hot[1] - hot[0]
        axes.add_patch(Rectangle(corner, width, height, fill=False, ec=INK, lw=1, ls="--", label="measured range"))
    bar = axes.figure.colorbar(drawn, ax=axes, pad=0.02, aspect=30)
    bar.set_label(f"{product}, %")
    bar.outline.set_visible(False)  # type: ignore[operator]
    axes.set_xlabel("residence time, min")
    axes.set_ylabel("temperature, °C")
    points_too = ", and measured (points)" if rows.any() else ""
    axes.set_title(f"{product}: predicted{points_too}", pad=22)
    axes.set_xlim(times[0], times[-1])
    axes.set_ylim(temperatures[0], temperatures[-1])
    _above(axes, 3)


def _course(axes: Axes, model: YieldModel, data: Published, answer: Prediction) -> None:
    times = np.linspace(*_with(measured_range(data)[1], answer.minutes), 3 * _POINTS)
    found = estimate(model, answer.asked, np.full(len(times), answer.celsius), times)
    near = measured_rows(data, answer.asked, answer.celsius)
    for column, name in enumerate(YIELDS):
        colour = COLOURS[name]
        axes.fill_between(
            times, 100 * found.low[:, column], 100 * found.high[:, column], color=colour, alpha=0.13, lw=0
        )
        axes.plot(times, 100 * found.value[:, column], color=colour, lw=1.8, label=name)
        if near.any():
            minutes, points = data.rows.residence_time[near], 100 * data.rows.yields[near, column]
            axes.plot(minutes, points, "o", color=colour, mec="white", ms=6, clip_on=False, zorder=3)
    if times[0] <= answer.minutes <= times[-1]:
        axes.axvline(answer.minutes, color=INK, lw=0.8, ls=":")
    axes.set_ylim(0, max(102.0, 100 * float(data.rows.yields[near].max(initial=0.0)) + 2))
    axes.set_xlim(times[0], times[-1])
    axes.grid(color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel("residence time, min")
    axes.set_ylabel("yield, %")
    if near.any():
        axes.plot([], [], "o", color=SOFT, mec="white", ms=5, label=f"measured within {NEARBY_K:g} K")
    axes.set_title(f"All three at {answer.celsius:g} °C, with {100 * LEVEL:g} % intervals", pad=22)
    _above(axes, 4)


def _with(measured: tuple[float, float], asked: float) -> tuple[float, float]:
    """The range with what was asked in it, where that is not more than one range away."""
    low, high = measured
    if not low - (high - low) <= asked <= high + (high - low):
        return measured
    return min(low, asked), max(high, asked)


def _above(axes: Axes, columns: int) -> None:
    """The legend in a line above the axes, below their title; it must not make the axes narrower."""
    if not axes.get_legend_handles_labels()[0]:
        return
    axes.legend(
        frameon=False, loc="lower left", bbox_to_anchor=(0, 0.995), ncols=columns, fontsize=8, borderaxespad=0,
        handlelength=1.3, handletextpad=0.4, columnspacing=1.2,
    ).set_in_layout(False)  # fmt: skip


def _wrapped(texts: Sequence[str], width: int) -> list[str]:
    return [line for text in texts for line in wrap(text, width)]


def _write_notes(figure: Figure, lines: Sequence[str]) -> None:
    """Small print below the figure."""
    if lines:
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7.5, color=SOFT)
