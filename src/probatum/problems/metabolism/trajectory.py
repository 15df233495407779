"""A measured course of concentrations, checked: what estimators take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Real

from probatum.errors import DataError, nearest
from probatum.problems.metabolism.structure import Network

FEWEST_FRAMES = 8
UNEVEN = 1e-6
"""Steps of time may differ by this part of their median."""
STRAY = 7.0
"""Standard deviations of the noise by which a concentration may lie below 0."""
LARGEST = 1e9
"""Concentrations beyond this, in units of their median, belong to a trajectory that ran away."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Concentrations of all metabolites at even times. Built by `observed`, which checks them.

    Attributes:
        step: time between frames.
        concentrations: [frame, metabolite] float64, in the order of the network.
        noise: standard deviation of the measurement, in the unit of concentrations; 0 for clean data.
    """

    step: float
    concentrations: Float[np.ndarray, "frame metabolite"]
    noise: float = 0.0

    def __len__(self) -> int:
        return len(self.concentrations)


def observed(
    network: Network,
    times: Sequence[float] | Real[np.ndarray, " ..."],
    concentrations: Real[np.ndarray, " ..."],
    metabolites: Sequence[str] | None = None,
    noise: float = 0.0,
) -> Trajectory:
    """A checked trajectory.

    Args:
        network: whose metabolites they are.
        times: [frame].
        concentrations: [frame, metabolite].
        metabolites: names of the columns, in any order; by default the columns are in the network's order.
        noise: standard deviation of the measurement; how far below 0 a concentration may lie depends on it.

    Raises:
        DataError: sizes or names do not fit; times are not increasing and even; a concentration is missing, negative
            or of a trajectory that ran away.
    """
    t, c = (np.asarray(values, dtype=np.float64) for values in (times, concentrations))
    if c.ndim != 2 or c.shape[0] != len(t):
        raise DataError(
            f"{len(t)} times for concentrations of shape {c.shape}",
            where="the trajectory",
            remedy="give a row of concentrations for each time",
        )
    if len(t) < FEWEST_FRAMES:
        raise DataError(f"{len(t)} frames", where="the trajectory", remedy=f"give {FEWEST_FRAMES} or more")
    if not (np.isfinite(noise) and noise >= 0):
        raise DataError(f"a noise of {noise:g}", where="noise", remedy="give a standard deviation of 0 or more")
    c = c[:, _columns(network, c.shape[1], metabolites)]
    _check_concentrations(network, c, noise)
    return Trajectory(_step(t), np.ascontiguousarray(c), float(noise))


def _columns(network: Network, count: int, metabolites: Sequence[str] | None) -> Int[np.ndarray, " metabolite"]:
    if metabolites is None:
        if count != len(network.metabolites):
            raise DataError(
                f"{count} columns for {len(network.metabolites)} metabolites",
                where="the trajectory",
                remedy="give a column for each metabolite of the network, or name the columns",
            )
        return np.arange(count)
    names = list(map(str, metabolites))
    if len(names) != count or len(set(names)) != count:
        raise DataError(
            f"{len(names)} names, {len(set(names))} of them different, for {count} columns",
            where="the names of the columns",
            remedy="name every column once",
        )
    for name in names:
        if name not in network.metabolites:
            raise DataError(
                f"the network knows no metabolite '{name}'",
                where="the names of the columns",
                remedy=nearest(name, network.metabolites),
            )
    for name in network.metabolites:
        if name not in names:
            raise _never_observed(name)
    return np.array([names.index(name) for name in network.metabolites])


def _check_concentrations(network: Network, c: Float[np.ndarray, "frame metabolite"], noise: float) -> None:
    for i, name in enumerate(network.metabolites):
        column = c[:, i]
        if np.isnan(column).all():
            raise _never_observed(name)
        bad = np.flatnonzero(~np.isfinite(column))
        if len(bad) and np.isnan(column[bad[0]]):
            raise DataError(
                f"no concentration of '{name}'",
                where=f"frame {bad[0] + 1}",
                remedy="interpolate the missing frames, or give a part without them",
            )
        size = np.median(np.abs(column[np.isfinite(column)]))
        away = np.flatnonzero(~np.isfinite(column) | (np.abs(column) > LARGEST * max(size, 1.0)))
        if len(away):
            raise DataError(
                f"'{name}' runs away to {column[away[0]]:.3g}",
                where=f"frame {away[0] + 1}",
                remedy="cut the trajectory before that, or simulate with a smaller step",
            )
        low = int(column.argmin())
        if column[low] < -STRAY * noise:
            raise DataError(
                f"'{name}' has the concentration {column[low]:.3g}",
                where=f"frame {low + 1}",
                remedy=f"correct it, or state the measurement's noise: down to -{STRAY:g} standard deviations is noise",
            )


def _never_observed(name: str) -> DataError:
    return DataError(
        f"the metabolite '{name}' was never observed",
        where="the trajectory",
        remedy="measure it, or take it and all reactions that need or change it out of the network",
    )


def _step(t: Float[np.ndarray, " frame"]) -> float:
    if not np.isfinite(t).all():
        raise DataError(
            "a time that is not finite", where=f"frame {np.flatnonzero(~np.isfinite(t))[0] + 1}", remedy="correct it"
        )
    steps = np.diff(t)
    step = float(np.median(steps))
    at = np.flatnonzero(steps == 0)
    if len(at):
        raise DataError(
            f"the time {t[at[0]]:g} stands there twice",
            where=f"frames {at[0] + 1} and {at[0] + 2}",
            remedy="average the repeated frames, or remove one",
        )
    at = np.flatnonzero(steps < 0)
    if len(at):
        raise DataError(
            f"time goes back from {t[at[0]]:g} to {t[at[0] + 1]:g}",
            where=f"frame {at[0] + 2}",
            remedy="sort the frames",
        )
    at = np.flatnonzero(np.abs(steps - step) > UNEVEN * step)
    if len(at):
        raise DataError(
            f"uneven times: a step of {steps[at[0]]:g} where most are {step:g}",
            where=f"frame {at[0] + 2}",
            remedy="give frames at even times; a part without gaps, or the course interpolated",
        )
    return float((t[-1] - t[0]) / (len(t) - 1))
