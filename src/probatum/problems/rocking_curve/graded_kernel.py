"""Curves of layers whose strain has a gradient, and their derivatives, compiled: thicker slices for the same accuracy.

In a slice of thickness h where the strain changes evenly, the waves' phase runs ahead of that of a slice of even
strain, by 2 d(u) with d a parabola over the slice: with a the phase a length and g = da/de de/dz,

    mean of d = g h^2 / 12,   variance of 2 d = g^2 h^4 / 180.

So the slice scatters as an even one does, with its amplitude turned by twice the mean and weakened by half the
variance. The turns are (P, Q) -> (P exp(i t), Q exp(-i t)) between slices, which leaves det(dx, x) as it is, so that
the derivatives of `slope_kernel` hold unchanged; those of the turns themselves, of the order of the slices' error, are
left out. Notation and layout as in `diffraction_kernel`. Importing this module imports numba.
"""

from __future__ import annotations

import math

import numpy as np

from probatum.problems.rocking_curve.diffraction_kernel import (
    ABSORPTION,
    AMPLITUDES,
    BLOCK,
    CONSTANTS,
    PHASES,
    STEP,
    STEPS,
    compiled,
    cross,
    intensities_into,
    layer_constants_into,
    phases_into,
    restrain,
)
from probatum.problems.rocking_curve.slope_kernel import (
    CAUSES,
    TO_LOG_THICKNESS,
    TO_STRAIN,
    TO_TRANSFER,
    add_causes,
    add_slopes,
    causes_into,
    restrain_with_sums,
)


@compiled
def graded_curve_into(
    reflectivity: np.ndarray,
    slopes: np.ndarray,
    sines: np.ndarray,
    substrate: np.ndarray,
    strain: np.ndarray,
    rise: np.ndarray,
    thickness: np.ndarray,
    debye_waller: np.ndarray,
    directions: np.ndarray,
    lattice: tuple[float, float, float, float],
    chi: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Writes one reflectivity and its derivatives.

    Args:
        reflectivity: [block, BLOCK] float64, written.
        slopes: [direction, block, BLOCK] float64, written; with no direction only the curve is computed.
        sines, substrate, lattice, chi, weights: as in `diffraction_kernel.curves_into`.
        strain, thickness, debye_waller: [layer] float64, from the surface downwards, the mean of each slice.
        rise: [layer] float64, by how much the strain at a slice's lower end exceeds that at its upper one.
        directions: [3, layer, direction] float64: how strain, thickness and Debye-Waller factor change.
    """
    layers, polarisations, count = len(strain), len(chi), slopes.shape[0]
    constants, transfers = np.empty((layers, CONSTANTS)), np.empty((layers, polarisations), np.complex128)
    turns, weakened = np.empty(layers + 1), np.empty(layers)
    turns[layers] = 0.0
    sine_B, rate = lattice[0], lattice[1]
    for n in range(layers):
        sine = sine_B / (1.0 + strain[n])
        bend = 2.0 * rate * sine * sine / (1.0 + strain[n]) * rise[n] * thickness[n]
        turns[n] = bend / 12.0
        weakened[n] = debye_waller[n] * math.exp(-bend * bend / 360.0)
    layer_constants_into(constants, transfers, strain, thickness, weakened, lattice, chi)
    row, causes = np.empty(PHASES), np.empty(CAUSES)
    amplitudes, sums = np.empty((polarisations, AMPLITUDES)), np.empty((polarisations, count, 2 * BLOCK))
    for block in range(len(sines)):
        amplitudes[:] = substrate[:, block]
        sums[:] = 0.0
        below = layers
        for n in range(layers - 1, -1, -1):
            steps = int(constants[n, STEPS])
            if steps == 0:
                continue
            phases_into(row, sines[block], constants[n])
            turn = turns[n] - turns[below]
            below = n
            turn_re, turn_im = math.cos(turn), math.sin(turn)
            for polarisation in range(polarisations):
                T = transfers[n, polarisation]
                unit = constants[n, STEP] * chi[polarisation]
                x = amplitudes[polarisation]
                turned(x, turn_re, turn_im)
                for step in range(steps):
                    if count:
                        causes_into(causes, x, row, sines[block], constants[n], T.real, T.imag)
                    for d in range(count):
                        of_strain, of_thickness, of_E = directions[:, n, d]
                        into = sums[polarisation, d]
                        if of_strain != 0.0:
                            add_causes(into, causes, TO_STRAIN, of_strain, 0.0)
                        if of_thickness != 0.0:
                            add_causes(into, causes, TO_LOG_THICKNESS, of_thickness / thickness[n], 0.0)
                        if of_E != 0.0:
                            factor = of_E * unit
                            add_causes(into, causes, TO_TRANSFER, factor.real, factor.imag)
                    cross(x, row, constants[n, ABSORPTION], T.real, T.imag)
                    if step % 64 == 63:
                        if count:
                            restrain_with_sums(x, sums[polarisation])
                        else:
                            restrain(x)
        intensities_into(reflectivity[block], amplitudes, weights)
        for d in range(count):
            slopes[d, block] = 0.0
            for polarisation in range(polarisations):
                add_slopes(slopes[d, block], sums[polarisation, d], amplitudes[polarisation], weights[polarisation])


@compiled
def turned(amplitudes: np.ndarray, re: float, im: float) -> None:
    """(P, Q) becomes (P exp(i t), Q exp(-i t)), with re + i im = exp(i t), for one block."""
    for i in range(BLOCK):
        P_re, P_im = amplitudes[i], amplitudes[BLOCK + i]
        Q_re, Q_im = amplitudes[2 * BLOCK + i], amplitudes[3 * BLOCK + i]
        amplitudes[i], amplitudes[BLOCK + i] = P_re * re - P_im * im, P_re * im + P_im * re
        amplitudes[2 * BLOCK + i], amplitudes[3 * BLOCK + i] = Q_re * re + Q_im * im, Q_im * re - Q_re * im
