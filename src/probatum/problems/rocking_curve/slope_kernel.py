"""Derivatives of rocking curves beside the curves, in one pass upwards.

The amplitudes x = (P, Q) go through x' = M x with det M = 1, so det(dx, x) stays as it is once a layer has caused it,
and X = P / Q at the surface has dX = det(dx, x) / Q^2. A change of M causes det(M^-1 dM x, x). With M = c + s K,
K = i [[v, -T], [T, -v]] and K^2 = -w^2, and S = (s - c) / w^2 = -2 ds/d(w^2):

    to v: v (s^2 - c S) det K + 2 i c s P Q + s^2 T (Q^2 - P^2)
    to T: -T (s^2 - c S) det K - i c s (P^2 + Q^2) - s^2 v (Q^2 - P^2)
    to ln t: det K,      where det K = i (2 v P Q - T (P^2 + Q^2))

so neither a second pass nor stored amplitudes are needed. Notation and layout as in `diffraction_kernel`.
"""

from __future__ import annotations

import numpy as np

from probatum.problems.rocking_curve.diffraction_kernel import (
    ABSORPTION,
    AMPLITUDES,
    BLOCK,
    CONSTANTS,
    COS,
    PHASE,
    PHASES,
    S0,
    S1,
    S2,
    SMALL,
    STEP,
    STEPS,
    STRAIN_OFFSET,
    STRAIN_SLOPE,
    compiled,
    cross,
    intensities_into,
    layer_constants_into,
    phases_into,
)

TO_STRAIN, TO_LOG_THICKNESS, TO_TRANSFER = 0, 2 * BLOCK, 4 * BLOCK
"""Runs within a row of causes; the last is for one unit of T."""
CAUSES = 6 * BLOCK


@compiled
def causes_into(
    causes: np.ndarray,
    amplitudes: np.ndarray,
    row: np.ndarray,
    sines: np.ndarray,
    constants: np.ndarray,
    T_re: float,
    T_im: float,
) -> None:
    """Writes det(M^-1 dM x, x) for changes of one layer's strain, logarithm of thickness, and T."""
    q, by_strain, by_strain_0 = constants[ABSORPTION], constants[STRAIN_SLOPE], constants[STRAIN_OFFSET]
    T = complex(T_re, T_im)
    h = 0.5 * T * T
    k = 0.5 * h * h
    for i in range(BLOCK):
        s0 = complex(row[S0 + i], row[S0 + BLOCK + i])
        s1 = complex(row[S1 + i], row[S1 + BLOCK + i])
        s2 = complex(row[S2 + i], row[S2 + BLOCK + i])
        v = complex(row[PHASE + i], q)
        c = complex(row[COS + i], row[COS + BLOCK + i]) + h * s0 + k * s1
        s = s0 + h * s1 + k * s2
        # To second order: a shift of phase changes X much and |X| hardly, so the slope of |X|^2 is a small difference.
        p = row[PHASE + i]
        size = p * p + q * q
        inverse = 1.0 / size
        over = complex((p * p - q * q) * inverse * inverse, -2.0 * p * q * inverse * inverse)
        s3 = (5.0 * s2 - s1) * over
        small = size < SMALL
        S = s1 + h * s2 + k * complex(1 / 105 if small else s3.real, 0.0 if small else s3.imag)
        P, Q = (
            complex(amplitudes[i], amplitudes[BLOCK + i]),
            complex(amplitudes[2 * BLOCK + i], amplitudes[3 * BLOCK + i]),
        )
        PQ, PP, QQ = P * Q, P * P, Q * Q
        turned = 2.0 * v * PQ - T * (PP + QQ)
        K = complex(-turned.imag, turned.real)
        cs, ss = c * s, s * s
        bend, difference = (ss - c * S) * K, ss * (QQ - PP)
        product, total = cs * PQ, cs * (PP + QQ)
        to_v = v * bend + complex(-2.0 * product.imag, 2.0 * product.real) + T * difference
        to_T = complex(total.imag, -total.real) - T * bend - v * difference
        slope = by_strain * sines[i] + by_strain_0
        causes[TO_STRAIN + i], causes[TO_STRAIN + BLOCK + i] = slope * to_v.real, slope * to_v.imag
        causes[TO_LOG_THICKNESS + i], causes[TO_LOG_THICKNESS + BLOCK + i] = K.real, K.imag
        causes[TO_TRANSFER + i], causes[TO_TRANSFER + BLOCK + i] = to_T.real, to_T.imag


@compiled
def add_causes(sums: np.ndarray, causes: np.ndarray, run: int, factor_re: float, factor_im: float) -> None:
    """sums += factor causes, for one block and one run of causes."""
    if factor_im == 0.0:
        for i in range(2 * BLOCK):
            sums[i] += factor_re * causes[run + i]
    else:
        for i in range(BLOCK):
            re, im = causes[run + i], causes[run + BLOCK + i]
            sums[i] += factor_re * re - factor_im * im
            sums[BLOCK + i] += factor_re * im + factor_im * re


@compiled
def restrain_with_sums(amplitudes: np.ndarray, sums: np.ndarray) -> None:
    """`restrain`, with det(dx, x) divided by |Q|^2 to match."""
    for i in range(BLOCK):
        Q_re, Q_im = amplitudes[2 * BLOCK + i], amplitudes[3 * BLOCK + i]
        inverse = 1.0 / np.sqrt(Q_re * Q_re + Q_im * Q_im)
        for run in range(4):
            amplitudes[run * BLOCK + i] *= inverse
        for direction in range(len(sums)):
            sums[direction, i] *= inverse * inverse
            sums[direction, BLOCK + i] *= inverse * inverse


@compiled
def add_slopes(slopes: np.ndarray, sums: np.ndarray, amplitudes: np.ndarray, weight: float) -> None:
    """slopes += weight d|P / Q|^2 = 2 weight Re(conj(P Q) det(dx, x)) / |Q|^4, for one block and direction."""
    for i in range(BLOCK):
        P_re, P_im = amplitudes[i], amplitudes[BLOCK + i]
        Q_re, Q_im = amplitudes[2 * BLOCK + i], amplitudes[3 * BLOCK + i]
        size = Q_re * Q_re + Q_im * Q_im
        re, im = P_re * Q_re - P_im * Q_im, P_re * Q_im + P_im * Q_re
        slopes[i] += 2.0 * weight * (re * sums[i] + im * sums[BLOCK + i]) / (size * size)


@compiled
def curves_and_slopes_into(
    reflectivity: np.ndarray,
    slopes: np.ndarray,
    sines: np.ndarray,
    substrate: np.ndarray,
    strain: np.ndarray,
    thickness: np.ndarray,
    debye_waller: np.ndarray,
    directions: np.ndarray,
    lattice: tuple[float, float, float, float],
    chi: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Writes reflectivities and their derivatives.

    Args:
        reflectivity: [curve, block, BLOCK] float64, written.
        slopes: [curve, direction, block, BLOCK] float64, written.
        directions: [3, curve, layer, direction] float64: how strain, thickness and Debye-Waller factor change.
        sines, substrate, strain, thickness, debye_waller, lattice, chi, weights: as in
            `diffraction_kernel.curves_into`.
    """
    layers, polarisations, count = strain.shape[1], len(chi), directions.shape[3]
    constants, transfers = np.empty((layers, CONSTANTS)), np.empty((layers, polarisations), np.complex128)
    row, causes = np.empty(PHASES), np.empty(CAUSES)
    amplitudes, sums = np.empty((polarisations, AMPLITUDES)), np.empty((polarisations, count, 2 * BLOCK))
    for curve in range(len(strain)):
        layer_constants_into(constants, transfers, strain[curve], thickness[curve], debye_waller[curve], lattice, chi)
        for block in range(len(sines)):
            amplitudes[:] = substrate[:, block]
            sums[:] = 0.0
            for n in range(layers - 1, -1, -1):
                steps = int(constants[n, STEPS])
                if steps == 0:
                    continue
                phases_into(row, sines[block], constants[n])
                for polarisation in range(polarisations):
                    T = transfers[n, polarisation]
                    unit = constants[n, STEP] * chi[polarisation]
                    for step in range(steps):
                        x = amplitudes[polarisation]
                        causes_into(causes, x, row, sines[block], constants[n], T.real, T.imag)
                        for d in range(count):
                            of_strain, of_thickness, of_E = directions[:, curve, n, d]
                            into = sums[polarisation, d]
                            if of_strain != 0.0:
                                add_causes(into, causes, TO_STRAIN, of_strain, 0.0)
                            if of_thickness != 0.0:
                                add_causes(into, causes, TO_LOG_THICKNESS, of_thickness / thickness[curve, n], 0.0)
                            if of_E != 0.0:
                                factor = of_E * unit
                                add_causes(into, causes, TO_TRANSFER, factor.real, factor.imag)
                        cross(x, row, constants[n, ABSORPTION], T.real, T.imag)
                        if step % 64 == 63:
                            restrain_with_sums(x, sums[polarisation])
            intensities_into(reflectivity[curve, block], amplitudes, weights)
            for d in range(count):
                slopes[curve, d, block] = 0.0
                for polarisation in range(polarisations):
                    add_slopes(
                        slopes[curve, d, block], sums[polarisation, d], amplitudes[polarisation], weights[polarisation]
                    )
