"""Pictures of reaction networks: constants, rate laws, courses, rollouts and the spectrum of a course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import (
    BLUE,
    GREEN,
    GREY,
    GRID,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    SOFT,
    VERMILION,
    new_figure,
    write_figure,
)
from probatum.problems.metabolism.activity import SHARE, activity_rank
from probatum.problems.metabolism.agreement import identity_r2
from probatum.problems.metabolism.estimate import Estimate
from probatum.problems.picture_panels import plain_decades

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COURSES = 6
"""Metabolites that are drawn as lines; kinographs show all."""
TOLERANCE = 0.5
FAR = 1e6
"""Distances beyond are not drawn, in units of the initial spread: the model ran away."""


@dataclass(frozen=True, eq=False)
class LearnedFunction:
    """A learned function of concentration, from one or several fits.

    Attributes:
        name: of its panel, such as 'substrate function, |s| = 1'.
        concentrations: [point] float64.
        fits: [fit, point] float64.
        truth: [point] float64, where it is known.
        visited: least and largest concentration that the data visit; outside it nothing is known.
    """

    name: str
    concentrations: np.ndarray
    fits: np.ndarray
    truth: np.ndarray | None = None
    visited: tuple[float, float] | None = None


def draw_constants(
    figure: Figure,
    truth: np.ndarray,
    estimate: np.ndarray,
    identifiable: np.ndarray,
    errors: np.ndarray | None = None,
) -> None:
    """True against estimated constants on logarithmic axes, the unidentifiable marked.

    Args:
        figure: empty.
        truth, estimate: k, both [reaction]; where one is not above 0 it stands at the lower edge.
        identifiable: [reaction] bool.
        errors: standard errors, [reaction]; drawn as 90 % intervals of the identifiable.
    """
    _constants(figure.subplots(), truth, estimate, identifiable, errors)


def draw_functions(figure: Figure, functions: Sequence[LearnedFunction]) -> None:
    """Learned functions with the band from the least to the largest of their fits, and the truth where it is known.

    Args:
        figure: empty.
        functions: one a panel.
    """
    for axes, function in zip(figure.subplots(1, len(functions), squeeze=False)[0], functions, strict=True):
        _function(axes, function)


def draw_kinographs(figure: Figure, courses: Mapping[str, np.ndarray], step: float) -> None:
    """Kinographs: metabolite against time, coloured by concentration, one panel a course; the first sets the scale.

    Args:
        figure: empty.
        courses: title to concentrations, [frame, metabolite]; the first one finite.
        step: time of a frame.
    """
    _kinographs(figure, figure.subplots(1, len(courses), squeeze=False)[0], courses, step)


def draw_rollout(
    figure: Figure,
    truth: np.ndarray,
    model: np.ndarray,
    step: float,
    metabolites: Sequence[str],
    tolerance: float = TOLERANCE,
) -> None:
    """A course and the model's rollout from its start, until they part.

    Args:
        figure: empty.
        truth, model: concentrations, both [frame, metabolite]; where the model ran away it may be not finite.
        step: time of a frame.
        metabolites: their names.
        tolerance: root of the mean squared distance, in units of the initial spread, at which they count as parted.
    """
    distance = rollout_distance(truth, model)
    parted = np.flatnonzero(~(distance <= tolerance))
    end = int(parted[0]) if len(parted) else len(truth)
    shown = np.argsort(-truth.std(axis=0), kind="stable")[:MOST_COURSES]
    times = step * np.arange(len(truth))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for colour, i in zip((BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY), shown, strict=False):
        above.plot(times, truth[:, i], color=colour, lw=1.2, alpha=0.55)
        above.plot(times[:end], model[:end, i], color=colour, lw=1.2, ls="--", label=metabolites[i])
    above.plot([], [], color=INK, lw=1.2, alpha=0.55, label="true")
    above.plot([], [], color=INK, lw=1.2, ls="--", label="model")
    above.legend(frameon=False, fontsize=7.5, ncols=4)
    said = f"parted at time {times[end]:g}" if end < len(truth) else "together to the end"
    _dress(above, f"Rollout of the {len(shown)} most varying metabolites: {said}", "", "concentration")
    below.semilogy(times, np.where((distance > 0) & (distance < FAR), distance, np.nan), color=INK, lw=1.0)
    below.axhline(tolerance, color=SOFT, lw=0.9, ls="--")
    plain_decades(below.yaxis)
    for axes in (above, below):
        if end < len(truth):
            axes.axvline(times[end], color=VERMILION, lw=1.2)
    _dress(below, "", "time", "distance /\ninitial spread")


def rollout_distance(truth: np.ndarray, model: np.ndarray) -> np.ndarray:
    """Root mean square over metabolites of model - truth, in units of the spread of the start: [frame] float64."""
    spread = float(truth[0].std()) or 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        return np.sqrt(np.mean((model - truth) ** 2, axis=1)) / spread


def draw_spectrum(figure: Figure, concentrations: np.ndarray) -> None:
    """Singular values of a course, and its activity rank.

    Args:
        figure: empty.
        concentrations: [frame, metabolite].
    """
    _spectrum(figure.subplots(), concentrations)


def rates_figure(estimate: Estimate, concentrations: np.ndarray, level: float, path: Path) -> None:
    """What an estimate from measured data found: constants with intervals, the course, its spectrum.

    Args:
        estimate: of the constants.
        concentrations: as measured, [frame, metabolite].
        level: of the intervals.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    with new_figure(11.0, 6.4) as figure:
        axes = figure.subplot_mosaic([["constants", "constants"], ["course", "spectrum"]])
        _intervals(axes["constants"], estimate, level)
        _kinographs(figure, [axes["course"]], {"Measured concentrations": concentrations}, 1.0, unit="frame")
        _spectrum(axes["spectrum"], concentrations)
        write_figure(figure, path)


def _dress(axes: Axes, title: str, x: str, y: str) -> None:
    if title:
        axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)


def _constants(
    axes: Axes, truth: np.ndarray, estimate: np.ndarray, identifiable: np.ndarray, errors: np.ndarray | None
) -> None:
    positive = np.concatenate([truth[truth > 0], estimate[(estimate > 0) & identifiable]])
    low, high = (positive.min() / 1.5, positive.max() * 1.5) if len(positive) else (0.1, 1.0)
    x, y = np.clip(truth, low, high), np.clip(estimate, low, high)
    axes.plot([low, high], [low, high], color=SOFT, lw=1.0, zorder=0)
    if errors is not None:
        reach = 1.645 * np.where(np.isfinite(errors), errors, 0.0)[identifiable]
        ends = np.clip([y[identifiable] - reach, y[identifiable] + reach], low, high)
        axes.vlines(x[identifiable], *ends, color=BLUE, lw=0.8, alpha=0.5)
    axes.scatter(x[identifiable], y[identifiable], s=12, color=BLUE, label=f"identifiable, {identifiable.sum()}")
    lost = ~identifiable
    if lost.any():
        axes.scatter(
            x[lost], y[lost], s=28, marker="x", color=VERMILION, lw=1.2, label=f"not identifiable, {lost.sum()}"
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    plain_decades(axes.xaxis, axes.yaxis)
    axes.set_aspect("equal")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    several = len(set(truth[identifiable].tolist())) > 1
    r2 = f", R2 on the identity line {identity_r2(truth[identifiable], estimate[identifiable]):.5f}" if several else ""
    _dress(axes, f"Constants{r2}", "true k", "estimated k")


def _function(axes: Axes, function: LearnedFunction) -> None:
    c, fits = function.concentrations, np.atleast_2d(function.fits)
    if function.visited is not None:
        axes.axvspan(*function.visited, color=GRID, alpha=0.6, lw=0, label="visited by the data")
    if len(fits) > 1:
        axes.fill_between(
            c, fits.min(axis=0), fits.max(axis=0), color=BLUE, alpha=0.2, lw=0, label=f"all {len(fits)} fits"
        )
    axes.plot(c, np.median(fits, axis=0), color=BLUE, lw=1.6, label="median" if len(fits) > 1 else "learned")
    if function.truth is not None:
        axes.plot(c, function.truth, color=INK, lw=1.1, ls="--", label="true")
    axes.legend(frameon=False, fontsize=8)
    _dress(axes, function.name, "concentration", "")


def _kinographs(
    figure: Figure, panels: Sequence[Axes], courses: Mapping[str, np.ndarray], step: float, unit: str = "time"
) -> None:
    # Spikes would leave all else in one colour; so would a model that runs away: the first course sets the scale.
    top = float(np.quantile(next(iter(courses.values())), 0.995))
    from matplotlib.ticker import MaxNLocator

    image = None
    for axes, (title, c) in zip(panels, courses.items(), strict=True):
        image = axes.imshow(
            c.T, aspect="auto", cmap="viridis", vmin=0.0, vmax=top, origin="lower", interpolation="nearest",
            extent=(0, step * len(c), 0.5, c.shape[1] + 0.5),
        )  # fmt: skip
        axes.set_title(title)
        axes.set_xlabel(unit)
        axes.set_ylabel("metabolite")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    assert image is not None  # there is a course
    figure.colorbar(image, ax=list(panels), label="concentration", shrink=0.9, extend="max")


def _spectrum(axes: Axes, concentrations: np.ndarray) -> None:
    values = np.linalg.svd(concentrations, compute_uv=False)
    values = values[values > values[0] * 1e-16]
    rank = activity_rank(concentrations)
    ranks = np.arange(1, len(values) + 1)
    axes.semilogy(ranks, values, ".-", color=GREY, lw=0.8, ms=4)
    axes.semilogy(ranks[:rank], values[:rank], ".-", color=BLUE, lw=0.8, ms=4)
    plain_decades(axes.yaxis)
    axes.axvline(rank, color=VERMILION, lw=1.2)
    axes.annotate(
        f"activity rank {rank}\n({100 * SHARE:g} % of the energy)", (rank, values[0]), xytext=(6, -4),
        textcoords="offset points", va="top", fontsize=8, color=VERMILION,
    )  # fmt: skip
    _dress(axes, "Singular values of the course", "component", "singular value")


def _intervals(axes: Axes, estimate: Estimate, level: float) -> None:
    known = estimate.identifiability.identifiable
    order = np.flatnonzero(known)[np.argsort(estimate.constants[known], kind="stable")]
    intervals = estimate.intervals(level)[order]
    places = np.arange(len(order))
    axes.vlines(places, intervals[:, 0], intervals[:, 1], color=BLUE, lw=1.0, alpha=0.6, label=f"{100 * level:g} %")
    axes.scatter(places, estimate.constants[order], s=10, color=BLUE, label="constant")
    lost = np.flatnonzero(~known)
    if len(lost):
        axes.scatter(
            len(order) + np.arange(len(lost)), np.zeros(len(lost)), marker="x", s=24, color=VERMILION,
            label=f"not identifiable, {len(lost)}",
        )  # fmt: skip
    if len(known) <= 40:
        names = [estimate.identifiability.network.reactions[j] for j in (*order, *lost)]
        axes.set_xticks(range(len(names)), names, rotation=60, fontsize=7)
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    said = f"{len(order)} of {len(known)} constants are identifiable"
    _dress(axes, f"Rate constants, sorted: {said}", "" if len(known) <= 40 else "reaction, sorted", "k")
