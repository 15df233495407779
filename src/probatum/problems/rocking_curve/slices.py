"""The seven-parameter profile in slices as thin as its slope asks for, with derivatives to a fit's coordinates.

Within a slice of thickness h the strain changes by eps' h, and the phase with which its planes scatter differs from
that of an even slice by at most

    k |eps'| h^2 / 8,   k = 4 pi sin theta_B / lambda.

Slices are cut so that this stays below `detail` radians, and each takes its mean strain (Gauss, two points). The whole
slices of 100 Angstrom of `profile.sublayers` are too thick where the strain is steep and needlessly thin elsewhere.
Importing this module imports numba.
"""

from __future__ import annotations

import math

import numpy as np

from probatum.problems.rocking_curve.coordinates import parameters_into
from probatum.problems.rocking_curve.diffraction_kernel import compiled
from probatum.problems.rocking_curve.profile import LEAST, NEAREST
from probatum.problems.rocking_curve.profile_kernel import strain_into

THINNEST = 4.0
"""Angstrom."""
MOST_SLICES = 512
_GAUSS = 0.5 / math.sqrt(3.0)


@compiled
def slices_into(
    strain: np.ndarray,
    rise: np.ndarray,
    thickness: np.ndarray,
    strain_slopes: np.ndarray,
    thickness_slopes: np.ndarray,
    point: np.ndarray,
    bend: float,
    thickest: float,
) -> int:
    """Writes the slices of one profile.

    Args:
        strain, rise, thickness: [MOST_SLICES] float64, written as far as there are slices: the mean, lower end less
            upper end, Angstrom.
        strain_slopes, thickness_slopes: [MOST_SLICES, 7] float64, derivatives to the coordinates of `coordinates`,
            written likewise.
        point: [7] float64 in the unit cube.
        bend: 8 detail / k, Angstrom.
        thickest: Angstrom.

    Returns:
        how many slices there are.
    """
    parameters, chain = np.empty(7), np.empty((7, 7))
    parameters_into(parameters, chain, point)
    slopes, other, end_slopes = np.empty(8), np.empty(8), np.empty(7)
    end = parameters[3] + max(parameters[2] - parameters[3], NEAREST)
    for _ in range(12):
        total = strain_into(slopes, end, parameters)
        end -= math.log(total / LEAST) * total / slopes[7]
    strain_into(slopes, end, parameters)
    for i in range(7):
        end_slopes[i] = -slopes[i] / slopes[7]
    top, count = 0.0, 0
    while top < end and count < MOST_SLICES:
        strain_here = strain_into(slopes, top, parameters)
        at_top = abs(slopes[7])
        h = thickest
        for _ in range(3):
            steepest = at_top
            for part in (0.5, 1.0):
                strain_into(slopes, top + part * h, parameters)
                steepest = max(steepest, abs(slopes[7]))
            h = min(thickest, max(THINNEST, math.sqrt(bend / max(steepest, 1e-30))))
        last = top + h >= end or count == MOST_SLICES - 1
        if last:
            h = end - top
        rise[count] = strain_into(slopes, top + h, parameters) - strain_here
        mean = 0.5 * strain_into(slopes, top + (0.5 - _GAUSS) * h, parameters)
        mean += 0.5 * strain_into(other, top + (0.5 + _GAUSS) * h, parameters)
        for i in range(8):
            slopes[i] = 0.5 * (slopes[i] + other[i])
        strain[count], thickness[count] = mean, h
        for j in range(7):
            strain_slopes[count, j], thickness_slopes[count, j] = 0.0, 0.0
        for i in range(7):
            of_strain, of_end = slopes[i], 0.0
            if last:
                # A slice that grows downwards takes the strain of its lower end in: dmean = (eps(end) - mean) / h dend.
                of_end = end_slopes[i]
                of_strain += (LEAST - mean) / h * of_end
            for j in range(7):
                if chain[i, j] != 0.0:
                    strain_slopes[count, j] += of_strain * chain[i, j]
                    thickness_slopes[count, j] += of_end * chain[i, j]
        top += h
        count += 1
    return count


@compiled
def strains_into(strain: np.ndarray, strain_slopes: np.ndarray, depths: np.ndarray, point: np.ndarray) -> None:
    """Writes the strain [depth] and its derivatives [7, depth] to the coordinates, at depths in Angstrom."""
    parameters, chain, slopes = np.empty(7), np.empty((7, 7)), np.empty(8)
    parameters_into(parameters, chain, point)
    for n in range(len(depths)):
        strain[n] = strain_into(slopes, depths[n], parameters)
        for j in range(7):
            total = 0.0
            for i in range(7):
                total += slopes[i] * chain[i, j]
            strain_slopes[j, n] = total
