"""What the instrument does to a reflectivity, compiled: a Gaussian over angles as dense as each part needs.

The reflectivity R of layers down to a depth t has fringes of period p = lambda / (2 t cos theta_B) and nothing
narrower, except for the substrate's peak. The sum over nodes a step h apart of R times a Gaussian of deviation s leaves
an error of exp(-2 (pi s)^2 (1/h - 1/p)^2), so h follows from the deviation and p; across the substrate's peak nodes
stand closer. Importing this module imports numba.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from probatum.problems.rocking_curve.crystals import Reflection
from probatum.problems.rocking_curve.diffraction_kernel import compiled

REACH = 4.5
"""Standard deviations to which the Gaussian is followed."""
_DEVIATION = 1 / math.sqrt(8 * math.log(2))
_SHARPNESS = 0.75
"""Of s (1/h - 1/p); the error is exp(-11)."""
SECONDS_A_RADIAN = 180 * 3600 / math.pi


@dataclass(frozen=True, eq=False)
class Nodes:
    """Where reflectivity is computed for one scan.

    Attributes:
        seconds: [node] theta_B - theta, arc-seconds, increasing.
        widths: [node] arc-seconds that each node stands for.
    """

    seconds: np.ndarray
    widths: np.ndarray


def nodes_for(
    reflection: Reflection, seconds: np.ndarray, narrowest: float, widest: float, depth: float, fine: float = 0.5
) -> Nodes:
    """Nodes for a scan and instrument functions of FWHM from `narrowest` to `widest`.

    Args:
        reflection: of the substrate.
        seconds: [angle] increasing theta_B - theta of the scan, arc-seconds.
        narrowest, widest: arc-seconds, above 0.
        depth: of the layers, Angstrom.
        fine: step across the substrate's peak, in units of a fifth of its half width.
    """
    s = narrowest * _DEVIATION
    period = reflection.wavelength / (2 * depth * math.cos(reflection.bragg_angle)) * SECONDS_A_RADIAN
    step = 1 / (_SHARPNESS / s + 1 / period)
    first, last = seconds[0] - REACH * widest * _DEVIATION, seconds[-1] + REACH * widest * _DEVIATION
    centre, half = substrate_peak(reflection)
    rungs = [first]
    position = first
    while position < last:
        away = abs(position - centre) / half
        # The peak's flanks fall as 1 / away^2, and with them what a coarser step can miss.
        position += min(step, 0.2 * fine * half * max(1.0, away / 1.2))
        rungs.append(position)
    places = np.array(rungs)
    widths = np.gradient(places)
    widths[[0, -1]] /= 2
    return Nodes(places, widths)


def substrate_peak(reflection: Reflection) -> tuple[float, float]:
    """Centre, off 0 by refraction, and half width of the total reflection: theta_B - theta in arc-seconds."""
    double = math.sin(2 * reflection.bragg_angle)
    return (
        complex(reflection.chi_0).real / double * SECONDS_A_RADIAN,
        max(abs(reflection.chi) / double * SECONDS_A_RADIAN, 0.05),
    )


@dataclass(frozen=True, eq=False)
class Blur:
    """The instrument function at every angle of a scan, and its derivative to the FWHM.

    Attributes:
        first, count: [angle] int64, the first node that counts and how many do.
        weights, slopes: [angle, tap] float64; beyond an angle's count they mean nothing.
    """

    first: np.ndarray
    count: np.ndarray
    weights: np.ndarray
    slopes: np.ndarray

    @classmethod
    def of(cls, nodes: Nodes, seconds: np.ndarray, fwhm: float) -> Blur:
        """For angles between the nodes' ends, with a FWHM in arc-seconds."""
        s = fwhm * _DEVIATION
        first = np.searchsorted(nodes.seconds, seconds - REACH * s)
        last = np.searchsorted(nodes.seconds, seconds + REACH * s)
        # A Gaussian narrower than the distance of the nodes still sees the two beside it.
        first = np.minimum(first, np.clip(np.searchsorted(nodes.seconds, seconds) - 1, 0, len(nodes.seconds) - 2))
        count = np.maximum(last - first, 2)
        weights, slopes = (np.zeros((len(seconds), int(count.max()))) for _ in range(2))
        _weights_into(weights, slopes, first, count, nodes.seconds, nodes.widths, seconds, fwhm, s)
        return cls(first, count, weights, slopes)

    def of_curves_into(self, blurred: np.ndarray, curves: np.ndarray) -> None:
        """Writes the signal [row, angle] of curves [row, node]."""
        _sums_into(blurred, curves, self.first, self.count, self.weights)

    def slope_into(self, blurred: np.ndarray, curves: np.ndarray) -> None:
        """Writes the signal's derivative to the FWHM, likewise."""
        _sums_into(blurred, curves, self.first, self.count, self.slopes)


@compiled
def _weights_into(
    weights: np.ndarray,
    slopes: np.ndarray,
    first: np.ndarray,
    count: np.ndarray,
    nodes: np.ndarray,
    widths: np.ndarray,
    seconds: np.ndarray,
    fwhm: float,
    s: float,
) -> None:
    for i in range(len(seconds)):
        total = spread = 0.0
        for tap in range(count[i]):
            square = ((nodes[first[i] + tap] - seconds[i]) / s) ** 2
            height = widths[first[i] + tap] * math.exp(-0.5 * square)
            weights[i, tap], slopes[i, tap] = height, square
            total += height
            spread += height * square
        inverse = 1.0 / max(total, 1e-300)
        for tap in range(count[i]):
            weights[i, tap] *= inverse
            slopes[i, tap] = weights[i, tap] * (slopes[i, tap] - spread * inverse) / fwhm


@compiled
def _sums_into(
    blurred: np.ndarray, curves: np.ndarray, first: np.ndarray, count: np.ndarray, weights: np.ndarray
) -> None:
    for row in range(len(curves)):
        for i in range(len(first)):
            total, start = 0.0, first[i]
            for tap in range(count[i]):
                total += weights[i, tap] * curves[row, start + tap]
            blurred[row, i] = total


def glancing_angles(reflection: Reflection, nodes: Nodes) -> np.ndarray:
    """theta at the nodes, radians, as `physics.angles_below` has it; that module would import JAX."""
    return reflection.bragg_angle - nodes.seconds / SECONDS_A_RADIAN
