"""Strain and Debye-Waller factor as splines, from a measured curve, without a start set by hand.

What a start needs is read off the curve: the width and height of the substrate's peak, the background, and how far from
the peak the layers' signal reaches, which bounds the strain. For the depth and the shape there is a grid. All its
points are followed a little way with few splines on smoothed residuals (`residuals`), the best of them to the end, with
more splines at each stage, down to the differences of logarithms themselves, with

    variance of ln y = gain / y + MODEL_ERROR^2,   gain the signal of one count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Real

from probatum.problems.rocking_curve.crystals import Reflection
from probatum.problems.rocking_curve.first_look import estimated_gain, first_look
from probatum.problems.rocking_curve.levenberg_marquardt import Minimum, minimise
from probatum.problems.rocking_curve.observation import LARGEST_SHIFT, Instrument, Observation
from probatum.problems.rocking_curve.residuals import Comparison, Smoothed
from probatum.problems.rocking_curve.spline_model import SplineModel
from probatum.problems.rocking_curve.splines import FIXED, basis

MODEL_ERROR = 0.06
FREE = ("fwhm", "scale", "background", "shift", "diffuse", "centre", "width")
STAGES = ((4, 4), (6, 6), (9, 8), (13, 11))
"""Weights of strain and of the Debye-Waller factor, one stage after the other."""
KEPT = (6, 3, 1)
"""Searches that are followed into each stage after the first."""
FIRST = 12
"""Starts followed beyond their first few steps."""
SHALLOWEST, DEEPEST = 400.0, 40_000.0
"""Angstrom."""
ROUGHNESS = 0.7
"""Standard deviation of the weights' second differences, over the largest strain, that is expected beforehand."""


class Logarithms:
    """Differences of logarithms in standard deviations.

    Args:
        measured: [angle] signal.
        gain: signal of one count.
        used: [angle] bool; the others are held out.
    """

    def __init__(self, measured: Real[np.ndarray, " angle"], gain: float, used: Bool[np.ndarray, " angle"]):
        self.used = used
        self.floor = 0.3 * gain
        self.target = np.log(measured + self.floor)
        self.inverse = used / np.sqrt(gain / (measured + gain) + MODEL_ERROR**2)

    def of(
        self, signal: Real[np.ndarray, " angle"], slopes: Real[np.ndarray, "parameter angle"]
    ) -> tuple[Float[np.ndarray, " angle"], Float[np.ndarray, "parameter angle"]]:
        """Residuals [m] and their derivatives [n, m]."""
        lifted = signal + self.floor
        return self.inverse * (np.log(lifted) - self.target), slopes * (self.inverse / lifted)


@dataclass(frozen=True, eq=False)
class SplineFit:
    """What was found for one curve.

    Attributes:
        model: with its observation.
        point: [n] of the fit.
        covariance: [n, n].
        signal: [angle] expected.
        residuals: [angle] in standard deviations, also where an angle was held out.
        error: mean |log10| of signal over measured, at the angles that were used.
        held_out: the same at those held out, nan if none was.
    """

    model: SplineModel
    point: Float[np.ndarray, " parameter"]
    covariance: Float[np.ndarray, "parameter parameter"]
    signal: Float[np.ndarray, " angle"]
    residuals: Float[np.ndarray, " angle"]
    error: float
    held_out: float


def fit_splines(
    reflection: Reflection,
    seconds: Float[np.ndarray, " angle"],
    measured: Real[np.ndarray, " angle"],
    *,
    pi_weight: float = 0.0,
    gain: float | None = None,
    used: Bool[np.ndarray, " angle"] | None = None,
) -> SplineFit:
    """Fits one curve.

    Args:
        reflection: of the substrate.
        seconds: [angle] theta_B - theta, arc-seconds, increasing, `first_look.aligned`.
        measured: [angle] signal.
        pi_weight: as in `physics.reflectivity`.
        gain: signal of one count; by default estimated from the scatter of neighbours.
        used: [angle] bool, the others are held out; default: all.
    """
    used = np.ones(len(measured), dtype=bool) if used is None else used
    gain = estimated_gain(measured) if gain is None else gain
    guess = _first_guess(reflection, seconds, measured, gain, pi_weight)
    best = _followed(guess, guess.starts(), measured, gain, used)
    signal = best.model.signal(best.minimum.point)
    errors = np.abs(np.log10(np.maximum(signal, 1e-300) / np.maximum(measured, 0.5 * gain)))
    every = Logarithms(measured, gain, np.ones(len(measured), dtype=bool))
    residuals, _ = every.of(signal, np.empty((0, len(signal))))
    return SplineFit(
        best.model, best.minimum.point, np.linalg.pinv(best.minimum.normal, hermitian=True), signal, residuals,
        float(errors[used].mean()), float(errors[~used].mean()) if (~used).any() else math.nan,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Guess:
    """What is read off a curve before any search.

    Attributes:
        observation: with first values of the instrument.
        reach: largest strain that the signal speaks of, per cent; its sign is that of the side where the layers are.
        depths: to be tried, Angstrom.
    """

    observation: Observation
    reach: float
    depths: Float[np.ndarray, " depth"]

    def starts(self) -> list[Float[np.ndarray, " parameter"]]:
        """Points for the first stage: every depth with a few shapes and strengths of strain and disorder."""
        strain, disorder = STAGES[0]
        heights = np.arange(1, strain + 1) / strain  # from the lower end upwards
        shapes = [np.exp(-(((heights - top) / 0.45) ** 2)) for top in (0.4, 0.75, 1.1)]
        rest = self.observation.coordinates(self.observation.instrument)
        return [
            np.concatenate([part * self.reach * shape, np.full(disorder, E), [math.log(depth)], rest])
            for depth in self.depths
            for shape in shapes
            for part, E in ((0.9, 0.8), (0.6, 0.5))
        ]


@dataclass(frozen=True, eq=False)
class _Found:
    model: SplineModel
    minimum: Minimum


def _first_guess(
    reflection: Reflection,
    seconds: Float[np.ndarray, " angle"],
    measured: Real[np.ndarray, " angle"],
    gain: float,
    pi_weight: float,
) -> _Guess:
    look = first_look(seconds, measured, gain)
    at, background, fwhm = look.peak, look.background, look.fwhm
    step = float(np.median(np.diff(seconds)))
    tangent = math.tan(reflection.bragg_angle)
    # How far clear signal reaches; where layers are hardly above the background, how far anything above it does.
    averaged = np.convolve(measured, np.full(5, 0.2), "same")
    faint = 1.5 * background + 5 * math.sqrt(gain * background / 5)
    clear, any_signal = (
        _reach(seconds, at, strong) for strong in (measured > 4 * background + 10 * gain, averaged > faint)
    )
    reach = any_signal if abs(any_signal) > 2 * abs(clear) else clear
    reach_strain = math.radians(reach / 3600) / tangent / (1 + abs(math.radians(reach / 3600)) * tangent)
    finest = max(2.5 * step, 0.5 * fwhm)
    deepest = reflection.wavelength / (2 * math.cos(reflection.bragg_angle) * math.radians(finest / 3600))
    depths = np.geomspace(SHALLOWEST * 1.5, float(np.clip(deepest, 2 * SHALLOWEST, DEEPEST)), 7)
    fwhms = (max(fwhm / 2.5, 0.3 * step), 1.6 * fwhm)
    instrument = Instrument(fwhm, 1.0, background, diffuse=background, centre=0.0, width=abs(reach) / 2 + fwhm)
    bare = replace(instrument, background=0.0, diffuse=0.0)
    first = Observation(reflection, seconds, bare, depth=float(depths[-1]), fwhms=fwhms, pi_weight=pi_weight, fine=1.0)
    peak = float(SplineModel(first, (1, 1), 1).signal(np.array([0.0, 1.0, 0.0])).max())
    # The damaged region takes from the substrate's peak.
    instrument = replace(instrument, scale=1.3 * float(measured[at]) / peak)
    observation = Observation(
        reflection, seconds, instrument, FREE, depth=float(depths[-1]), fwhms=fwhms, pi_weight=pi_weight, fine=1.0
    )
    return _Guess(observation, 100 * reach_strain, depths)


def _reach(seconds: Float[np.ndarray, " angle"], at: int, strong: Bool[np.ndarray, " angle"]) -> float:
    """From the peak to the end of the signal on the side where it goes farther: arc-seconds, with the side's sign."""
    ends = seconds[strong | (np.arange(len(seconds)) == at)]
    up, down = float(ends.max() - seconds[at]), float(seconds[at] - ends.min())
    return up if up >= down else -down


def _followed(
    guess: _Guess,
    starts: list[Float[np.ndarray, " parameter"]],
    measured: Real[np.ndarray, " angle"],
    gain: float,
    used: Bool[np.ndarray, " angle"],
) -> _Found:
    """The best of the starts, followed through all stages."""
    smooth = [_Masked(Smoothed(measured[used], width, gain), used) for width in (20.0, 6.0)]
    logarithms = Logarithms(measured, gain, used)
    weights = STAGES[0]
    models = {depth: SplineModel(guess.observation, weights, _slices(depth)) for depth in guess.depths}
    found = []
    for start in starts:
        model = models[min(guess.depths, key=lambda depth: abs(math.log(depth) - start[sum(weights)]))]
        minimum = _search(model, smooth[0], start, guess, most=6, tolerance=3e-2)
        found.append((minimum, model))
    found = sorted(found, key=lambda pair: pair[0].cost)[:FIRST]
    found = [(_search(model, smooth[1], m.point, guess, most=12, tolerance=1e-2), model) for m, model in found]
    found = [(_search(model, logarithms, m.point, guess, most=15, tolerance=1e-2), model) for m, model in found]
    for after, kept in zip(STAGES[1:], KEPT, strict=True):
        found = sorted(found, key=lambda pair: pair[0].cost)[:kept]
        found = [_with_more(minimum, model, after, logarithms, guess) for minimum, model in found]
    minimum, model = min(found, key=lambda pair: pair[0].cost)
    return _Found(model, minimum)


def _with_more(
    minimum: Minimum, model: SplineModel, weights: tuple[int, int], logarithms: Logarithms, guess: _Guess
) -> tuple[Minimum, SplineModel]:
    """The next stage of one search."""
    point = refined(minimum.point, model.weights, weights)
    finer = SplineModel(guess.observation, weights, _slices(math.exp(point[sum(weights)])))
    return _search(finer, logarithms, point, guess, most=20, tolerance=2e-3), finer


class _Masked:
    """Smoothed residuals of the angles that are used."""

    def __init__(self, smoothed: Smoothed, used: Bool[np.ndarray, " angle"]):
        self.smoothed, self.used = smoothed, used

    def of(
        self, signal: Real[np.ndarray, " angle"], slopes: Real[np.ndarray, "parameter angle"]
    ) -> tuple[Float[np.ndarray, " residual"], Float[np.ndarray, "parameter residual"]]:
        return self.smoothed.of(signal[self.used], slopes[:, self.used])


def _slices(depth: float) -> int:
    return int(np.clip(depth / 50, 40, 250))


def refined(
    point: Float[np.ndarray, " parameter"], before: tuple[int, int], after: tuple[int, int]
) -> Float[np.ndarray, " finer"]:
    """The point with more weights for nearly the same profile, by least squares over its depth."""
    parts, start = [], 0
    for old, new, fixed in zip(before, after, (0.0, 1.0), strict=True):
        coarse, fine = basis(200, old), basis(200, new)
        wanted = fixed * coarse[:, :FIXED].sum(1) + coarse[:, FIXED:] @ point[start : start + old]
        weights, *_ = np.linalg.lstsq(fine[:, FIXED:], wanted - fixed * fine[:, :FIXED].sum(1), rcond=None)
        parts.append(weights)
        start += old
    return np.concatenate([*parts, point[start:]])


def _search(
    model: SplineModel, comparison: Comparison, start: Float[np.ndarray, " parameter"], guess: _Guess, **how: Any
) -> Minimum:
    """Down from a start, with the expectation that profiles are smooth as further residuals."""
    first, second = model.weights
    reach = abs(guess.reach) + 0.05
    low, high = _bounds(model, guess)
    bends = np.zeros((first + second, len(start)))
    for rows, offset, count, size in ((0, 0, first, reach), (first, first, second, 1.0)):
        for i in range(count):
            # Beyond the lower end stand the fixed weights of the perfect crystal.
            for j, factor in ((i - 1, 1.0), (i, -2.0), (i + 1, 1.0)):
                if 0 <= j < count:
                    bends[rows + i, offset + j] += factor / (ROUGHNESS * size)
    ends = np.zeros(len(bends))
    ends[first] = 1.0 / ROUGHNESS  # the Debye-Waller factor below is 1
    for row in (first - 1, first + second - 1):
        bends[row], ends[row] = 0.0, 0.0  # nothing is known beyond the surface

    def residuals(
        point: Float[np.ndarray, " parameter"],
    ) -> tuple[Float[np.ndarray, " residual"], Float[np.ndarray, "parameter residual"]]:
        r, J = comparison.of(*model.signal_and_slopes(point))
        return np.concatenate([r, bends @ point + ends]), np.concatenate([J, bends.T], axis=1)

    return minimise(residuals, start, low, high, **how)


def _bounds(
    model: SplineModel, guess: _Guess
) -> tuple[Float[np.ndarray, " parameter"], Float[np.ndarray, " parameter"]]:
    first, second = model.weights
    o = model.observation
    at = o.coordinates(o.instrument)
    spread = {"scale": 2.0, "background": 2.0, "diffuse": 9.0, "width": 2.5}
    low, high = at.copy(), at.copy()
    for i, name in enumerate(o.free):
        if name in spread:
            low[i], high[i] = at[i] - spread[name], at[i] + spread[name]
        elif name == "fwhm":
            low[i], high[i] = np.log(o.fwhms)
        elif name == "shift":
            low[i], high[i] = -LARGEST_SHIFT, LARGEST_SHIFT
        else:
            low[i], high[i] = o.seconds[0], o.seconds[-1]
    a, b = sorted((-0.3 * guess.reach, 1.5 * guess.reach))
    lows = [np.full(first, a), np.zeros(second), [math.log(SHALLOWEST)], low]
    highs = [np.full(first, b), np.full(second, 1.0), [math.log(1.3 * guess.depths[-1])], high]
    return np.concatenate(lows), np.concatenate(highs)
