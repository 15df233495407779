"""The seven-parameter profile from a measured curve: searches from coarse to fine, as many as chi^2 asks for.

A search goes through residuals smoothed over 40, 15 and 5 angles (`residuals`), with coarse slices, to the counted ones
with fine slices. Searches begin at the nearest simulated curves until one is good enough: chi^2 within what counting
statistics allow, and no pattern left in its residuals. Then the second part of the profile is shared out otherwise and
followed again, so that other profiles of the same curve are found; those whose chi^2 is near the best are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Real

from probatum.problems.rocking_curve import coordinates
from probatum.problems.rocking_curve.levenberg_marquardt import Minimum, minimise
from probatum.problems.rocking_curve.observation import LARGEST_SHIFT, LINEAR, Observation
from probatum.problems.rocking_curve.residuals import Counted, Smoothed, compared
from probatum.problems.rocking_curve.starts import Library, other_profiles
from probatum.problems.rocking_curve.two_part_model import COARSE, DEEPEST, FINE, FINEST, TwoPartModel

WIDTHS = (40.0, 15.0, 5.0)
"""Standard deviations of the smoothing, in angles."""
FEW_STARTS, FEW_NOISELESS, MOST_STARTS = 3, 6, 16
"""Where chi^2 is in the upper part of what noise can explain, where there is no noise, and where it is beyond noise."""
OTHERS = 4
"""Profiles like the best one that are tried too."""
KEPT = 20.0
"""Modes whose chi^2 is above the best by more than this are dropped: they have less than exp(-10) of its weight."""
APART = 6.0
"""Two minima are one if chi^2, taken as quadratic, rises by less from the better one to the other."""


@dataclass(frozen=True, eq=False)
class Mode:
    """One minimum.

    Attributes:
        point: [7 + free] of the fit.
        chi2: there.
        normal: [n, n] J'J there, the inverse of the covariance.
    """

    point: Float[np.ndarray, " parameter"]
    chi2: float
    normal: Float[np.ndarray, "parameter parameter"]

    @property
    def parameters(self) -> Float[np.ndarray, " 7"]:
        """[7] in the order of `profile.PARAMETERS`."""
        return coordinates.parameters_of(self.point[:7])


@dataclass(frozen=True, eq=False)
class TwoPartFit:
    """What was found for one curve.

    Attributes:
        modes: the best first.
        signal: [angle] expected by the best one.
        residuals: [angle] in standard deviations.
        starts: how many searches from neighbours were made.
        evaluations: of curves with derivatives.
    """

    modes: tuple[Mode, ...]
    signal: Float[np.ndarray, " angle"]
    residuals: Float[np.ndarray, " angle"]
    starts: int
    evaluations: int


def fits(residuals: Float[np.ndarray, " angle"], free: int) -> bool:
    """Whether residuals in standard deviations are what noise leaves: chi^2 within four standard deviations of what is
    expected, for single angles and for means over 5 and 20 of them, or no more than a thousandth of it."""
    for together in (1, 5, 20):
        blocks = len(residuals) // together
        if blocks <= free:
            break
        means = residuals[: blocks * together].reshape(blocks, together).mean(1) * math.sqrt(together)
        if float(means @ means) > _expected(blocks, 4.0):
            return False
    chi2 = float(residuals @ residuals)
    if chi2 <= SMOOTH * len(residuals):
        return True
    # A curve without noise, or with less than assumed, leaves a smooth pattern: neighbours then differ less than they
    # vary.
    steps = np.diff(residuals)
    return float(steps @ steps) / (2 * chi2) >= 1 - 5 / math.sqrt(len(residuals))


def _expected(count: int, deviations: float) -> float:
    """Chi^2 of so many residuals, so many standard deviations above its mean."""
    return count + deviations * math.sqrt(2 * count)


SMOOTH = 0.02
"""Chi^2 an angle below which no pattern is asked for: that of slices."""
EXACT = 0.3
"""Chi^2 of a curve without noise above which a search has not found its profile."""
NOISELESS = 0.02
"""Chi^2 an angle below which a curve counts as its own expectation."""


class TwoPartInversion:
    """Fits of the seven-parameter profile to curves of one crystal and scan.

    Args:
        observation: on nodes for `two_part_model.DEEPEST`, with what is free.
        library: curves for it.
    """

    def __init__(self, observation: Observation, library: Library):
        self.observation, self.library = observation, library
        o = observation
        finer = Observation(
            o.reflection, o.seconds, o.instrument, o.free, depth=DEEPEST, fwhms=o.fwhms, pi_weight=o.pi_weight, fine=0.2
        )
        self.coarse, self.fine, self.finest = (
            TwoPartModel(o, COARSE),
            TwoPartModel(o, FINE),
            TwoPartModel(finer, FINEST),
        )
        self.low, self.high = bounds(observation)

    def fit(self, measured: Real[np.ndarray, " angle"], gain: float = 1.0) -> TwoPartFit:
        """Fits one curve.

        Args:
            measured: [angle] signal.
            gain: signal of one count.
        """
        free = len(self.low)
        instrument = self.observation.instrument
        floor = max(instrument.background, gain)
        stages = [Smoothed(measured, width, floor) for width in WIDTHS]
        counted = Counted(measured, gain)
        peak = self.library.peak * instrument.scale
        neighbours = self.library.nearest((measured - instrument.background) / peak, MOST_STARTS)
        rest = self.observation.coordinates(instrument)
        search = _Search(self, counted, stages)
        starts, modes = 0, []
        for neighbour in neighbours:
            starts += 1
            left = search.descend(np.concatenate([neighbour, rest]))
            chi2 = float(left @ left)
            if starts < MOST_STARTS and not (
                fits(left, free) and (starts >= FEW_STARTS or chi2 <= _expected(len(left), 2.0))
            ):
                continue
            modes = search.modes(Counted(measured, gain, random=False))
            # Without noise every wrong minimum shows, once its slices are fine enough.
            if starts >= FEW_NOISELESS or not EXACT < modes[0].chi2 < NOISELESS * len(measured):
                break
        signal, residuals = self.seen(modes[0], measured, gain)
        return TwoPartFit(tuple(modes), signal, residuals, starts, search.evaluations)

    def seen(
        self, mode: Mode, measured: Real[np.ndarray, " angle"], gain: float = 1.0
    ) -> tuple[Float[np.ndarray, " angle"], Float[np.ndarray, " angle"]]:
        """The signal that a mode expects, [angle], and its residuals in standard deviations, [angle]."""
        signal, slopes = self.finest.signal_and_slopes(mode.point)
        return signal, Counted(measured, gain).of(signal, slopes)[0]

    def chi2(
        self, measured: Real[np.ndarray, " angle"], gain: float = 1.0
    ) -> Callable[[Float[np.ndarray, " parameter"]], float]:
        """Chi^2 of a point [n], with fine slices and without derivatives."""
        counted, none = Counted(measured, gain), np.empty((0, len(measured)))

        def at(point: Float[np.ndarray, " parameter"]) -> float:
            residuals, _ = counted.of(self.fine.signal(point), none)
            return float(residuals @ residuals)

        return at


class _Search:
    """The minima found for one curve so far."""

    def __init__(self, inversion: TwoPartInversion, counted: Counted, stages: list[Smoothed]):
        self.inversion, self.counted, self.stages = inversion, counted, stages
        self.found: list[Minimum] = []
        self.evaluations = 0

    def descend(self, point: Float[np.ndarray, " parameter"]) -> Float[np.ndarray, " angle"]:
        """Follows one start, and returns the residuals of the best minimum so far."""
        fine = self.inversion.fine
        for stage in self.stages:
            point = self._minimum(self.inversion.coarse, stage, point, most=25, tolerance=1e-3).point
        self.found.append(self._minimum(fine, self.counted, point, most=30, tolerance=1e-5, mu=1e-3))
        best = min(self.found, key=lambda minimum: minimum.cost)
        return self.counted.of(*fine.signal_and_slopes(best.point))[0]

    def modes(self, itself: Counted) -> list[Mode]:
        """The minima found, and those of profiles like the best one, with the finest slices; the best first.

        Args:
            itself: the comparison for a curve so free of noise that it counts as its own expectation.
        """
        best = min(self.found, key=lambda minimum: minimum.cost)
        for other in other_profiles(best.point, OTHERS):
            self.found.append(self._minimum(self.inversion.fine, self.counted, other, most=25, tolerance=1e-4, mu=1e-3))
        modes = []
        for minimum in _distinct(sorted(self.found, key=lambda minimum: minimum.cost)):
            last = self._minimum(self.inversion.finest, self.counted, minimum.point, most=10, tolerance=1e-6, mu=1e-6)
            if last.cost < NOISELESS * self.counted.target.size:
                last = self._minimum(self.inversion.finest, itself, last.point, most=10, tolerance=1e-6, mu=1e-6)
            modes.append(Mode(last.point, last.cost, last.normal))
        modes.sort(key=lambda mode: mode.chi2)
        return [mode for mode in modes if mode.chi2 <= modes[0].chi2 + KEPT]

    def _minimum(
        self, model: TwoPartModel, comparison: Smoothed | Counted, point: Float[np.ndarray, " parameter"], **how: Any
    ) -> Minimum:
        found = minimise(compared(model, comparison), point, self.inversion.low, self.inversion.high, **how)
        self.evaluations += found.evaluations
        return found


def bounds(
    observation: Observation,
) -> tuple[Float[np.ndarray, " parameter"], Float[np.ndarray, " parameter"]]:
    """The box of a fit: the unit cube, and the free parts of the instrument within a factor of 20 of their values."""
    at, name = observation.coordinates(observation.instrument), observation.free
    reach = np.full(len(at), math.log(20.0))
    low, high = at - reach, at + reach
    for i, part in enumerate(name):
        if part == "fwhm":
            low[i], high[i] = np.log(observation.fwhms)
        elif part == "shift":
            low[i], high[i] = -LARGEST_SHIFT, LARGEST_SHIFT
        elif part in LINEAR:
            low[i], high[i] = observation.seconds[0], observation.seconds[-1]
    return np.concatenate([np.zeros(7), low]), np.concatenate([np.ones(7), high])


def _distinct(minima: list[Minimum]) -> list[Minimum]:
    """Without those that repeat a better one or are far worse than the best."""
    found: list[Minimum] = []
    for minimum in minima:
        # Chi^2 with fine slices is not final: twice the margin is left to it.
        if minimum.cost > minima[0].cost + 2 * KEPT:
            break
        steps = [minimum.point - other.point for other in found]
        if all(step @ other.normal @ step > APART for step, other in zip(steps, found, strict=True)):
            found.append(minimum)
    return found[:3]
