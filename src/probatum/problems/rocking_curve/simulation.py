"""Simulated scans: curves of drawn strain profiles as a detector counts them.

The random numbers of a curve follow from (seed, draw, its place), so curves come out the same however many are asked
for at once, and a stream may start anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from probatum.errors import DataError
from probatum.problems.rocking_curve import kernel, prior
from probatum.problems.rocking_curve.crystals import Reflection
from probatum.problems.rocking_curve.measurement import Resolution, counts, intensity
from probatum.problems.rocking_curve.physics import angles_below
from probatum.problems.rocking_curve.profile import sublayers
from probatum.problems.rocking_curve.profile_kernel import sublayers_and_slopes

VERSION = "rocking_curve/1"
FIRST, LAST = -80.36, 2732.4
"""theta_B - theta of the scan's ends for GGG (444), arc-seconds; the last is where a strain of .0277 diffracts."""
GARNET_TANGENT = math.tan(math.radians(25.529))
FWHM = 30.0
"""Of the instrument function, arc-seconds."""
ROWS = 500
"""Curves simulated at once, which bounds the memory."""

PEAK = (20_000.0, 140_000.0)
"""Counts at the peak of the unstrained crystal."""
BACKGROUND = (20.0, 80.0)
"""Counts."""
DIFFUSE = (1e-4, 1e-2)
"""Height of the diffuse scattering, of the peak of the unstrained crystal."""
DIFFUSE_WIDTH = (100.0, 1000.0)
"""Its half width at half maximum, arc-seconds."""
CONDITIONS = np.array([PEAK, BACKGROUND, DIFFUSE, DIFFUSE_WIDTH]).T
"""[2, 4]: ends of the ranges from which the conditions of a measurement are drawn, evenly in their logarithms."""


@dataclass(frozen=True, eq=False)
class Scan:
    """A reflection and the angles at which it is measured.

    Attributes:
        reflection: of the substrate.
        resolution: of the angles, with the grid on which reflectivity is computed.
        weights: [angle, tap] of the instrument function.
        pi_weight: share of pi to sigma polarisation in the beam.
        peak: signal of the unstrained crystal at its brightest measured angle, of a perfect mirror's.
    """

    reflection: Reflection
    resolution: Resolution
    weights: Float[np.ndarray, "angle tap"]
    pi_weight: float
    peak: float

    @classmethod
    def over(cls, reflection: Reflection, points: int) -> Scan:
        """Evenly spaced angles over the strains of the prior, as far as a usual scan reaches.

        Args:
            reflection: of the substrate; a beam without monochromator has sqrt(|cos 2 theta_B|) of pi polarisation.
            points: how many angles, 2 or more.
        """
        stretch = math.tan(reflection.bragg_angle) / GARNET_TANGENT  # a strain shifts by tan theta_B
        resolution = Resolution.around(np.linspace(FIRST * stretch, LAST * stretch, points), FWHM)
        weights = resolution.weights(FWHM)
        pi_weight = math.sqrt(reflection.polarisations[1])
        angles = angles_below(reflection, resolution.grid)
        bare = kernel.reflectivity(reflection, angles, np.zeros(1), np.zeros(1), pi_weight=pi_weight)
        return cls(reflection, resolution, weights, pi_weight, float(intensity(bare, resolution, weights).max()))

    @property
    def seconds(self) -> Float[np.ndarray, " angle"]:
        """[angle] float64: theta_B - theta, arc-seconds."""
        return self.resolution.seconds

    def signal(self, parameters: Real[np.ndarray, "curve 7"]) -> Float[np.ndarray, "curve angle"]:
        """What reaches the detector, in units of the unstrained crystal's peak.

        Args:
            parameters: [curve, 7] float64 in the order of `profile.PARAMETERS`.

        Returns:
            [curve, angle] float64.
        """
        strain, thickness = sublayers(np.asarray(parameters, dtype=np.float64))
        angles = angles_below(self.reflection, self.resolution.grid)
        R = kernel.reflectivity(self.reflection, angles, strain, thickness, pi_weight=self.pi_weight)
        return intensity(R, self.resolution, self.weights) / self.peak

    def signal_and_slopes(
        self, parameters: Real[np.ndarray, "curve 7"]
    ) -> tuple[Float[np.ndarray, "curve angle"], Float[np.ndarray, "curve 7 angle"]]:
        """`signal` and its derivatives by the parameters: [curve, angle] and [curve, 7, angle] float64."""
        strain, thickness, strain_slopes, thickness_slopes = sublayers_and_slopes(parameters)
        R, slopes = kernel.reflectivity_and_slopes(
            self.reflection, angles_below(self.reflection, self.resolution.grid), strain, thickness,
            pi_weight=self.pi_weight, strain_slopes=strain_slopes, thickness_slopes=thickness_slopes,
        )  # fmt: skip
        seen, turned = (intensity(one, self.resolution, self.weights) / self.peak for one in (R, slopes))
        return seen, turned


def simulated(
    scan: Scan, start: int, stop: int, *, seed: int, draw: int, noise: bool
) -> tuple[Float[np.ndarray, "curve 7"], Float[np.ndarray, "curve angle"]]:
    """Curves start..stop-1 of a stream.

    Args:
        scan: how they are measured.
        start, stop: places in the stream.
        seed, draw: which stream.
        noise: whether the conditions of each measurement are drawn and its counts are Poisson; else curves are the
            signal alone, at the geometric middle of `PEAK`.

    Returns:
        [curve, 7] float64 parameters and [curve, angle] float64 counts.

    Raises:
        DataError: for a negative start, seed or draw, or a stop before the start.
    """
    if min(start, seed, draw) < 0 or stop < start:
        raise DataError(
            f"curves {start} to {stop} of seed {seed}, draw {draw}", remedy="give 0 <= start <= stop, and no negatives"
        )
    blocks = [_simulated(scan, first, min(first + ROWS, stop), seed, draw, noise) for first in range(start, stop, ROWS)]
    if not blocks:
        return np.empty((0, 7)), np.empty((0, len(scan.seconds)))
    parameters, curves = zip(*blocks, strict=True)
    return np.concatenate(parameters), np.concatenate(curves)


def _simulated(
    scan: Scan, start: int, stop: int, seed: int, draw: int, noise: bool
) -> tuple[Float[np.ndarray, "curve 7"], Float[np.ndarray, "curve angle"]]:
    generators = [np.random.default_rng([seed, draw, place]) for place in range(start, stop)]
    uniform = np.array([generator.random(7 + CONDITIONS.shape[1]) for generator in generators])
    parameters = prior.from_unit_cube(uniform[:, :7])
    signal = scan.signal(parameters)
    if not noise:
        return parameters, math.sqrt(PEAK[0] * PEAK[1]) * signal
    expected = measured(scan, signal, CONDITIONS[0] * (CONDITIONS[1] / CONDITIONS[0]) ** uniform[:, 7:])
    return parameters, np.array(
        [counts(curve, generator) for curve, generator in zip(expected, generators, strict=True)], dtype=np.float64
    )


def measured(
    scan: Scan, signal: Float[np.ndarray, "curve angle"], conditions: Float[np.ndarray, "curve 4"]
) -> Float[np.ndarray, "curve angle"]:
    """Expected counts: [curve, angle] float64.

    Args:
        scan: whose angles they are.
        signal: [curve, angle] in units of the unstrained crystal's peak.
        conditions: [curve, 4]: peak in counts, background in counts, height of the diffuse scattering as a share of the
            peak, its half width in arc-seconds, in the order of `CONDITIONS`.
    """
    peak, background, diffuse, width = np.moveaxis(conditions[:, :, None], 1, 0)
    return peak * (signal + diffuse / (1 + (scan.seconds / width) ** 2)) + background


def condition_slopes(
    scan: Scan, signal: Float[np.ndarray, " angle"], conditions: Float[np.ndarray, " 4"]
) -> Float[np.ndarray, "4 angle"]:
    """Derivatives of one curve's expected counts by its conditions: [4, angle], from [angle] and [4]."""
    peak, _, diffuse, width = conditions
    away = (scan.seconds / width) ** 2
    fall = 1 / (1 + away)
    return np.stack(
        [signal + diffuse * fall, np.ones_like(signal), peak * fall, peak * diffuse * 2 * away / width * fall**2]
    )
