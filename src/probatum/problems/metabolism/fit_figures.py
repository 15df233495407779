"""A fit of a PEtab problem in one picture: data against fit, profiles of the parameters, waterfall of the starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from probatum.pictures import BLUE, GREEN, GREY, GRID, INK, SOFT, VERMILION, new_figure, write_figure
from probatum.problems.metabolism.likelihood import likelihood
from probatum.problems.metabolism.likelihood_profiles import LikelihoodProfile
from probatum.problems.metabolism.multistart import Multistart
from probatum.problems.metabolism.petab_problem import Measurement, PetabProblem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 4
MOST_COURSES, MOST_PROFILES = 12, 16
DENSE = 120
"""Times at which a fitted course is drawn."""


def fit_figure(found: Multistart, profiles: Sequence[LikelihoodProfile], path: Path) -> None:
    """Draws one fit.

    Args:
        found: the fits from all starts.
        profiles: of the parameters; none are drawn where there are none.
        path: of the figure.

    Raises:
        UsageError, StorageError: the file cannot be written.
    """
    series = _series(found.problem)
    shown, profiled = list(series)[:MOST_COURSES], list(profiles)[:MOST_PROFILES]
    of_courses, of_profiles = math.ceil((len(shown) + 1) / COLUMNS), math.ceil(len(profiled) / COLUMNS)
    courses = _courses(found, series)
    with new_figure(3.1 * COLUMNS, 2.5 * (of_courses + of_profiles) + 0.4) as figure:
        axes = figure.subplots(of_courses + of_profiles, COLUMNS, squeeze=False)
        for one in axes.ravel():
            one.set_visible(False)
        panels = iter(axes.ravel())
        for key in shown:
            _course(next(panels), key[0], series[key], courses[key])
        _waterfall(next(panels), found)
        for panel, profile in zip(axes[of_courses:].ravel(), profiled, strict=False):
            _profile(panel, profile, found)
        hidden = len(series) - len(shown) + len(profiles) - len(profiled)
        title = f"{found.problem.name}: log-likelihood {found.log_likelihood:.3f}"
        figure.suptitle(title + (f" ({hidden} panels not drawn)" if hidden else ""), x=0.01, ha="left", fontsize=11,
                        fontweight="bold")  # fmt: skip
        write_figure(figure, path)


Key = tuple[object, ...]


def _series(problem: PetabProblem) -> dict[Key, list[Measurement]]:
    """Measurements of one observable in one condition under the same parameters, first its name."""
    found: dict[Key, list[Measurement]] = {}
    several = len({one.condition for one in problem.measurements}) > 1
    for one in problem.measurements:
        name = f"{one.observable}, {one.condition}" if several else one.observable
        found.setdefault((name, one.condition, one.observable_parameters, one.noise_parameters), []).append(one)
    return found


def _courses(
    found: Multistart, series: dict[Key, list[Measurement]]
) -> dict[Key, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Times, simulation, and simulation less and plus one standard deviation of the noise, all [time]."""
    problem = found.problem
    transformations = {one.id: one.transformation for one in problem.observables}
    last = max(one.time for one in problem.measurements)
    times = np.linspace(0.0, last, DENSE) if last > 0 else np.zeros(1)
    rows = [replace(ones[0], time=float(t), value=1.0) for ones in series.values() for t in times]
    h, noise = likelihood(replace(problem, measurements=tuple(rows))).simulated(found.best.parameters)
    courses = {}
    for i, (key, ones) in enumerate(series.items()):
        part = slice(i * len(times), (i + 1) * len(times))
        at, spread = h[part], noise[part]
        factor = {"lin": None, "log": np.exp(spread), "log10": 10.0**spread}[transformations[ones[0].observable]]
        low, high = (at - spread, at + spread) if factor is None else (at / factor, at * factor)
        courses[key] = times, at, low, high
    return courses


def _dress(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_visible(True)
    axes.set_title(title if len(title) <= 34 else f"{title[:33]}…", fontsize=9)
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    axes.tick_params(labelsize=7.5)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)


def _course(
    axes: Axes, name: object, measured: list[Measurement], course: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
) -> None:
    times, h, low, high = course
    axes.fill_between(times, low, high, color=VERMILION, alpha=0.18, lw=0, label="noise, 1 sd")
    axes.plot(times, h, color=VERMILION, lw=1.4, label="fit")
    axes.plot([one.time for one in measured], [one.value for one in measured], "o", ms=3, color=INK, label="measured")
    axes.legend(frameon=False, fontsize=7)
    _dress(axes, str(name), "time", "")


def _waterfall(axes: Axes, found: Multistart) -> None:
    ends = found.waterfall[np.isfinite(found.waterfall)]
    below = np.maximum(found.log_likelihood - ends, 0.0)
    same = np.arange(len(ends)) < found.found_again
    ranks = np.arange(1, len(ends) + 1)
    axes.plot(ranks, below, color=SOFT, lw=0.8, zorder=1)
    axes.scatter(ranks[same], below[same], s=16, color=GREEN, zorder=2, label=f"best, {same.sum()} times")
    axes.scatter(ranks[~same], below[~same], s=16, color=GREY, zorder=2, label="other ends")
    axes.set_yscale("symlog", linthresh=0.1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.locator_params(axis="x", integer=True)
    axes.legend(frameon=False, fontsize=7)
    _dress(axes, f"Waterfall of {len(found.ends)} starts", "start, sorted", "log-likelihood below best")


def _profile(axes: Axes, profile: LikelihoodProfile, found: Multistart) -> None:
    place = [one.id for one in found.problem.estimated].index(profile.id)
    scale, colour = found.problem.estimated[place].scale, BLUE if profile.identifiable else VERMILION
    order = np.argsort(profile.values)
    axes.plot(profile.values[order], profile.rises[order], ".-", color=colour, lw=1.2, ms=4)
    axes.axhline(profile.threshold, color=SOFT, lw=0.9, ls="--")
    axes.plot(found.best.parameters[place], 0.0, "o", color=INK, ms=4)
    for bound, open_ in zip(found.problem.bounds, (profile.open_below, profile.open_above), strict=True):
        if open_:
            axes.axvline(bound[place], color=VERMILION, lw=1.4)
    axes.set_ylim(-0.1 * profile.threshold, 1.4 * profile.threshold)
    label = profile.id if scale == "lin" else f"{scale} {profile.id}"
    title = profile.id if profile.identifiable else f"{profile.id}: not identifiable"
    _dress(axes, title, label, "2 x loss of log-likelihood")
