"""From reflectivity to what a detector counts: instrument function, scale, background, diffuse scattering, noise.

    I(x) = scale (R * g)(x) + background + diffuse / (1 + ((x - centre) / width)^2)

x is theta_B - theta in arc-seconds and g a Gaussian of full width at half maximum FWHM. The Lorentzian stands for the
scattering of the crystal's defects under and beside the peaks; it describes, it does not explain. All of it is
differentiable and takes numpy or JAX arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Real

from probatum.errors import DataError

REACH = 4.0
"""Standard deviations to which the instrument function is followed."""
MOST_POINTS = 200_000
"""On the grid; more come from a scan with a gap or a mistaken step."""


@dataclass(frozen=True, eq=False)
class Resolution:
    """Where reflectivity is computed so that the instrument function can be applied at the measured angles.

    Attributes:
        grid: [point] float64, evenly spaced, beyond the ends of the scan by what the instrument function reaches;
            arc-seconds.
        seconds: [angle] float64, the measured angles.
        index: [angle, tap] int64, the points of the grid that each measured angle sees.
        offsets: [angle, tap] float64, arc-seconds from the measured angle to these points.
    """

    grid: Float[np.ndarray, " point"]
    seconds: Float[np.ndarray, " angle"]
    index: Int[np.ndarray, "angle tap"]
    offsets: Float[np.ndarray, "angle tap"]

    @classmethod
    def around(cls, seconds: Real[np.ndarray, " ..."], widest: float, step: float | None = None) -> Resolution:
        """For measured angles and FWHMs up to the widest.

        Args:
            seconds: [angle] theta_B - theta, arc-seconds, increasing.
            widest: FWHM in arc-seconds; above 0.
            step: of the grid, arc-seconds; by default the median step of the scan, or an eighth of `widest` where that
                is finer. Choose it below the width of the narrowest feature.

        Raises:
            DataError: fewer than two angles, angles that do not increase, a width or step that is not above 0, or a
                step too fine for the scan.
        """
        seconds = np.asarray(seconds, dtype=np.float64)
        if seconds.ndim != 1 or len(seconds) < 2 or not (np.diff(seconds) > 0).all():
            raise DataError("the angles do not increase", remedy="give two or more, sorted, each once")
        step = min(float(np.median(np.diff(seconds))), widest / 8) if step is None else step
        if not (0 < widest < math.inf and 0 < step < math.inf):
            raise DataError(f"FWHM {widest:g} and step {step:g} arc-seconds", remedy="give both above 0")
        reach = REACH * _deviation(widest)
        margin = math.ceil(reach / step)
        points = math.ceil((seconds[-1] - seconds[0]) / step - 1e-6) + 2 * margin + 1
        if points > MOST_POINTS:
            raise DataError(
                f"{points} points {step:g} arc-seconds apart for this scan",
                remedy="give a coarser step, or cut the scan",
            )
        grid = seconds[0] + step * np.arange(-margin, points - margin)
        nearest = np.rint((seconds - grid[0]) / step).astype(np.int64)
        index = np.clip(nearest[:, None] + np.arange(-margin, margin + 1), 0, points - 1)
        return cls(grid, seconds, index, grid[index] - seconds[:, None])

    def weights(self, fwhm: Any, xp: ModuleType = np) -> Any:
        """The Gaussian at the points that each angle sees: [angle, tap], rows of sum 1; differentiable in the FWHM."""
        heights = xp.exp(-((self.offsets / _deviation(fwhm)) ** 2) / 2)
        return heights / heights.sum(-1, keepdims=True)


def intensity(
    reflectivity: Any,
    resolution: Resolution,
    weights: Any,
    *,
    scale: Any = 1.0,
    background: Any = 0.0,
    diffuse: Any = 0.0,
    centre: Any = 0.0,
    width: Any = 300.0,
) -> Any:
    """The expected signal.

    Args:
        reflectivity: [..., point] on the grid of `resolution`.
        resolution: of the scan.
        weights: [angle, tap] from `Resolution.weights`.
        scale: signal of a perfect mirror; for batches [..., 1], as the others.
        background: constant signal.
        diffuse, centre, width: height, centre and half width at half maximum of the Lorentzian; arc-seconds.

    Returns:
        [..., angle], in the unit of `scale`.
    """
    blurred = (reflectivity[..., resolution.index] * weights).sum(-1)
    lorentzian = diffuse / (1 + ((resolution.seconds - centre) / width) ** 2)
    return scale * blurred + background + lorentzian


def counts(
    expected: Real[np.ndarray, "*batch angle"], generator: np.random.Generator
) -> Int[np.ndarray, "*batch angle"]:
    """Poisson counts around the expected ones: [..., angle] int64."""
    return generator.poisson(expected)


def _deviation(fwhm: Any) -> Any:
    return fwhm / math.sqrt(8 * math.log(2))
