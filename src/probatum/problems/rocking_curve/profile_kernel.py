"""Sublayers of the seven-parameter profile with their derivatives, compiled; formulas as in `profile`."""

from __future__ import annotations

import math

import numpy as np

from probatum.problems.rocking_curve.diffraction_kernel import compiled
from probatum.problems.rocking_curve.profile import LEAST, MAX_SUBLAYERS, NEAREST, SUBLAYER


def sublayers_and_slopes(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """As `profile.sublayers`, with derivatives.

    Args:
        parameters: [curve, 7] float64.

    Returns:
        strain, thickness: [curve, MAX_SUBLAYERS] float64.
        strain_slopes, thickness_slopes: [curve, MAX_SUBLAYERS, 7] float64, derivatives to the parameters. Layers below
            the end, of thickness 0, have none.
    """
    parameters = np.ascontiguousarray(parameters, dtype=np.float64)
    strain, thickness = (np.zeros((len(parameters), MAX_SUBLAYERS)) for _ in range(2))
    strain_slopes, thickness_slopes = (np.zeros((len(parameters), MAX_SUBLAYERS, 7)) for _ in range(2))
    _sublayers_into(strain, thickness, strain_slopes, thickness_slopes, parameters)
    return strain, thickness, strain_slopes, thickness_slopes


@compiled
def _sublayers_into(
    strain: np.ndarray,
    thickness: np.ndarray,
    strain_slopes: np.ndarray,
    thickness_slopes: np.ndarray,
    parameters: np.ndarray,
) -> None:
    slopes, end_slopes = np.empty(8), np.empty(7)
    for curve in range(len(parameters)):
        values = parameters[curve]
        end = values[3] + max(values[2] - values[3], NEAREST)
        for _ in range(12):
            total = strain_into(slopes, end, values)
            end -= math.log(total / LEAST) * total / slopes[7]
        strain_into(slopes, end, values)
        for i in range(7):
            end_slopes[i] = -slopes[i] / slopes[7]
        for n in range(MAX_SUBLAYERS):
            top = n * SUBLAYER
            if top >= end:
                break
            thickness[curve, n] = min(end - top, SUBLAYER)
            strain[curve, n] = strain_into(slopes, top + thickness[curve, n] / 2, values)
            for i in range(7):
                strain_slopes[curve, n, i] = slopes[i]
                if end - top < SUBLAYER:
                    strain_slopes[curve, n, i] += slopes[7] * end_slopes[i] / 2
                    thickness_slopes[curve, n, i] = end_slopes[i]


@compiled
def strain_into(slopes: np.ndarray, z: float, values: np.ndarray) -> float:
    """Returns eps1 + eps2 at depth z; writes its derivatives to the seven parameters and to z."""
    Dmax1, D01, L1, Rp1, D02, L2, Rp2 = values
    slopes[:] = 0.0
    if z < Rp1:
        width, g, power = Rp1, (z - Rp1) / Rp1, math.log(D01 / Dmax1)
    else:
        width = max(L1 - Rp1, NEAREST)
        g, power = (z - Rp1) / width, math.log(LEAST / Dmax1)
    eps1 = Dmax1 * math.exp(power * g * g)
    steep = 2 * power * g / width * eps1
    slopes[0] = (1 - g * g) / Dmax1 * eps1
    if z < Rp1:
        slopes[1], slopes[3] = g * g / D01 * eps1, -steep * (1 + g)
    else:
        slopes[2], slopes[3] = -steep * g, steep * (g - 1)
    w, u, fall = L2 / (L2 - 2 * Rp2), z / L2, math.log(LEAST / D02)
    q = (w * u + 1 - w) * u
    eps2 = D02 * math.exp(fall * q)
    by_u, by_w = (2 * w * u + 1 - w) * fall * eps2, (u - 1) * u * fall * eps2
    slopes[4] = (1 - q) / D02 * eps2
    slopes[5] = -by_u * u / L2 - by_w * 2 * Rp2 / (L2 - 2 * Rp2) ** 2
    slopes[6] = by_w * 2 * L2 / (L2 - 2 * Rp2) ** 2
    slopes[7] = steep + by_u / L2
    return eps1 + eps2
