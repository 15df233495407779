"""The compiled loops behind `kernel`: matrices of layers applied to blocks of angles, real and imaginary parts apart.

Notation as in `physics`. The phase v = p + i q of a layer does not depend on the polarisation, and q, its absorption,
not on the angle; T is small. So cos w and sin w / w are expanded in h = T^2 / 2 about v, with w^2 = v^2 - 2 h,

    cos w = cos v + h s0 + h^2 / 2 s1,   sin w / w = s0 + h s1 + h^2 / 2 s2,
    s0 = sin v / v,   s1 = (s0 - cos v) / v^2,   s2 = (3 s1 - s0) / v^2,

to 1e-13 for |T| <= .02 (these are spherical Bessel functions over powers of v), and one sine and one cosine of a real
number serve both polarisations. Both may have the wrong sign: X = P / Q does not see it.

A block's quantities are runs of `BLOCK` numbers in one row, so that the compiler sees that they do not overlap and
turns every loop over a block into vector instructions. Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

Result = TypeVar("Result")
BLOCK = 64
"""Angles a block."""
LARGEST_T = 0.02
"""Thicker layers are crossed in equal steps."""

# Runs within a row of phases: Re and Im of cos v, s0, s1, s2, and p.
COS, S0, S1, S2, PHASE = 0, 2 * BLOCK, 4 * BLOCK, 6 * BLOCK, 8 * BLOCK
PHASES = 9 * BLOCK
# Runs within a row of amplitudes: Re and Im of P and of Q.
AMPLITUDES = 4 * BLOCK
# Columns of a layer's constants: p = SLOPE sin theta + OFFSET, q, its hyperbolic functions, how often it is crossed,
# dp = (STRAIN_SLOPE sin theta + STRAIN_OFFSET) dstrain, and T per E C chi.
SLOPE, OFFSET, ABSORPTION, COSH, SINH, STEPS, STRAIN_SLOPE, STRAIN_OFFSET, STEP = range(9)
CONSTANTS = 9

_INVERSE_PI, _PI, _PI_LOW = 0.3183098861837907, 3.141592651605606, 1.98418715936108088e-9
"""pi in two parts, the first with so few digits that small multiples of it are exact."""
_ROUND = 6755399441055744.0
"""1.5 2^52: adding and subtracting it rounds to an integer."""
_NEVER_ZERO = 1e-30
SMALL = 1e-3
"""|v|^2 below which s1 and s2 come from their series."""


def compiled(function: Callable[..., Result]) -> Callable[..., Result]:
    """The function compiled on first call, products and sums fused; kept on disk where numba finds a folder for it."""
    try:
        return _compiled(function, kept=True)
    except (RuntimeError, OSError):  # numba found nowhere to put its cache: compile anew in every process
        return _compiled(function, kept=False)


def _compiled(function: Callable[..., Result], *, kept: bool) -> Callable[..., Result]:
    decorate: Any = numba.njit(cache=kept, nogil=True, error_model="numpy", fastmath={"contract"})
    return decorate(function)


@compiled
def phases_into(row: np.ndarray, sines: np.ndarray, constants: np.ndarray) -> None:
    """Writes cos v, s0, s1, s2 and p of one layer for one block of sin theta."""
    slope, offset, q = constants[SLOPE], constants[OFFSET] + _NEVER_ZERO, constants[ABSORPTION]
    cosh, sinh = constants[COSH], constants[SINH]
    for i in range(BLOCK):
        p = slope * sines[i] + offset
        turns = (p * _INVERSE_PI + _ROUND) - _ROUND
        r = (p - turns * _PI) - turns * _PI_LOW
        y = r * r
        # Through Chebyshev's points of [0, (pi / 2)^2]; to the last bit.
        sine = 2.721370769912009e-15 * y - 7.643015472351755e-13
        sine = sine * y + 1.605894087238823e-10
        sine = sine * y - 2.50521069015882e-08
        sine = sine * y + 2.755731921151718e-06
        sine = sine * y - 0.00019841269841211785
        sine = sine * y + 0.008333333333333201
        sine = sine * y - 0.16666666666666666
        sine = (sine * y) * r + r
        cosine = 4.608961961139134e-14 * y - 1.1462900974790798e-11
        cosine = cosine * y + 2.087656182813465e-09
        cosine = cosine * y - 2.755731639138953e-07
        cosine = cosine * y + 2.4801587277427455e-05
        cosine = cosine * y - 0.0013888888888773133
        cosine = cosine * y + 0.04166666666666389
        cosine = cosine * y - 0.4999999999999997
        cosine = cosine * y + 1.0
        cos_re, cos_im = cosine * cosh, -sine * sinh
        sin_re, sin_im = sine * cosh, cosine * sinh
        size = p * p + q * q
        inverse = 1.0 / size
        s0_re, s0_im = (sin_re * p + sin_im * q) * inverse, (sin_im * p - sin_re * q) * inverse
        v2_re, v2_im = p * p - q * q, 2.0 * p * q
        over_re, over_im = v2_re * inverse * inverse, -v2_im * inverse * inverse
        top_re, top_im = s0_re - cos_re, s0_im - cos_im
        s1_re, s1_im = top_re * over_re - top_im * over_im, top_re * over_im + top_im * over_re
        top_re, top_im = 3.0 * s1_re - s0_re, 3.0 * s1_im - s0_im
        s2_re, s2_im = top_re * over_re - top_im * over_im, top_re * over_im + top_im * over_re
        # Near 0 the sign that was dropped above is that of cos v > 0, so the series agree with it.
        small = size < SMALL
        row[COS + i], row[COS + BLOCK + i] = cos_re, cos_im
        row[S0 + i], row[S0 + BLOCK + i] = s0_re, s0_im
        row[S1 + i] = 1 / 3 - v2_re / 30 + (v2_re * v2_re - v2_im * v2_im) / 840 if small else s1_re
        row[S1 + BLOCK + i] = -v2_im / 30 + v2_re * v2_im / 420 if small else s1_im
        row[S2 + i] = 1 / 15 - v2_re / 210 if small else s2_re
        row[S2 + BLOCK + i] = -v2_im / 210 if small else s2_im
        row[PHASE + i] = p


@compiled
def cross(amplitudes: np.ndarray, row: np.ndarray, q: float, T_re: float, T_im: float) -> None:
    """Takes the amplitudes P and Q of one block through one layer: P' = (c + i v s) P - i T s Q and so on."""
    h_re, h_im = 0.5 * (T_re * T_re - T_im * T_im), T_re * T_im
    k_re, k_im = 0.5 * (h_re * h_re - h_im * h_im), h_re * h_im
    for i in range(BLOCK):
        s0_re, s0_im = row[S0 + i], row[S0 + BLOCK + i]
        s1_re, s1_im = row[S1 + i], row[S1 + BLOCK + i]
        s2_re, s2_im = row[S2 + i], row[S2 + BLOCK + i]
        p = row[PHASE + i]
        c_re = row[COS + i] + h_re * s0_re - h_im * s0_im + k_re * s1_re - k_im * s1_im
        c_im = row[COS + BLOCK + i] + h_re * s0_im + h_im * s0_re + k_re * s1_im + k_im * s1_re
        s_re = s0_re + h_re * s1_re - h_im * s1_im + k_re * s2_re - k_im * s2_im
        s_im = s0_im + h_re * s1_im + h_im * s1_re + k_re * s2_im + k_im * s2_re
        # i v s and i T s
        vs_re, vs_im = -(p * s_im + q * s_re), p * s_re - q * s_im
        Ts_re, Ts_im = -(T_re * s_im + T_im * s_re), T_re * s_re - T_im * s_im
        a_re, a_im = c_re + vs_re, c_im + vs_im
        d_re, d_im = c_re - vs_re, c_im - vs_im
        P_re, P_im = amplitudes[i], amplitudes[BLOCK + i]
        Q_re, Q_im = amplitudes[2 * BLOCK + i], amplitudes[3 * BLOCK + i]
        amplitudes[i] = a_re * P_re - a_im * P_im - Ts_re * Q_re + Ts_im * Q_im
        amplitudes[BLOCK + i] = a_re * P_im + a_im * P_re - Ts_re * Q_im - Ts_im * Q_re
        amplitudes[2 * BLOCK + i] = Ts_re * P_re - Ts_im * P_im + d_re * Q_re - d_im * Q_im
        amplitudes[3 * BLOCK + i] = Ts_re * P_im + Ts_im * P_re + d_re * Q_im + d_im * Q_re


@compiled
def restrain(amplitudes: np.ndarray) -> None:
    """Divides P and Q by |Q|, which grows without bound through thick crystals; X = P / Q stays."""
    for i in range(BLOCK):
        Q_re, Q_im = amplitudes[2 * BLOCK + i], amplitudes[3 * BLOCK + i]
        inverse = 1.0 / np.sqrt(Q_re * Q_re + Q_im * Q_im)
        for run in range(4):
            amplitudes[run * BLOCK + i] *= inverse


@compiled
def layer_constants_into(
    constants: np.ndarray,
    transfers: np.ndarray,
    strain: np.ndarray,
    thickness: np.ndarray,
    debye_waller: np.ndarray,
    lattice: tuple[float, float, float, float],
    chi: np.ndarray,
) -> None:
    """Writes the constants of all layers, and T of each polarisation.

    Args:
        constants: [layer, CONSTANTS] float64, written.
        transfers: [layer, polarisation] complex128, written.
        strain, thickness, debye_waller: [layer] float64.
        lattice: (sin theta_B, pi / (lambda sin theta_B), Re chi_0, Im chi_0).
        chi: [polarisation] complex128, C chi.
    """
    sine_B, rate, chi_0_re, chi_0_im = lattice
    largest = 0.0
    for polarisation in range(len(chi)):
        largest = max(largest, abs(chi[polarisation]))
    for n in range(len(strain)):
        total = rate * thickness[n]
        steps = np.ceil(total * abs(debye_waller[n]) * largest / LARGEST_T)
        step = total / max(steps, 1.0)
        sine = sine_B / (1.0 + strain[n])
        by_strain = -2.0 * sine / (1.0 + strain[n]) * step
        q = step * chi_0_im
        row = constants[n]
        row[SLOPE], row[OFFSET] = 2.0 * step * sine, step * (chi_0_re - 2.0 * sine * sine)
        row[ABSORPTION], row[COSH], row[SINH] = q, np.cosh(q), np.sinh(q)
        row[STRAIN_SLOPE], row[STRAIN_OFFSET] = by_strain, -2.0 * sine * by_strain
        row[STEPS] = 0.0 if total == 0.0 else max(steps, 1.0)
        row[STEP] = step
        for polarisation in range(len(chi)):
            transfers[n, polarisation] = step * debye_waller[n] * chi[polarisation]


@compiled
def curves_into(
    reflectivity: np.ndarray,
    sines: np.ndarray,
    substrate: np.ndarray,
    strain: np.ndarray,
    thickness: np.ndarray,
    debye_waller: np.ndarray,
    lattice: tuple[float, float, float, float],
    chi: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Writes reflectivities.

    Args:
        reflectivity: [curve, block, BLOCK] float64, written.
        sines: [block, BLOCK] float64, sin theta.
        substrate: [polarisation, block, AMPLITUDES] float64, P = X and Q = 1 of the perfect crystal.
        strain, thickness, debye_waller: [curve, layer] float64, from the surface downwards.
        lattice, chi: as in `layer_constants_into`.
        weights: [polarisation] float64 of |X|^2 in the sum.
    """
    layers, polarisations = strain.shape[1], len(chi)
    constants, transfers = np.empty((layers, CONSTANTS)), np.empty((layers, polarisations), np.complex128)
    row, amplitudes = np.empty(PHASES), np.empty((polarisations, AMPLITUDES))
    for curve in range(len(strain)):
        layer_constants_into(constants, transfers, strain[curve], thickness[curve], debye_waller[curve], lattice, chi)
        for block in range(len(sines)):
            amplitudes[:] = substrate[:, block]
            for n in range(layers - 1, -1, -1):
                steps = int(constants[n, STEPS])
                if steps == 0:
                    continue
                phases_into(row, sines[block], constants[n])
                for polarisation in range(polarisations):
                    T = transfers[n, polarisation]
                    for step in range(steps):
                        cross(amplitudes[polarisation], row, constants[n, ABSORPTION], T.real, T.imag)
                        if step % 64 == 63:
                            restrain(amplitudes[polarisation])
            intensities_into(reflectivity[curve, block], amplitudes, weights)


@compiled
def intensities_into(reflectivity: np.ndarray, amplitudes: np.ndarray, weights: np.ndarray) -> None:
    """Writes the weighted sum of |P / Q|^2 over the polarisations, for one block."""
    for i in range(BLOCK):
        reflectivity[i] = 0.0
    for polarisation in range(len(weights)):
        row = amplitudes[polarisation]
        for i in range(BLOCK):
            P = row[i] ** 2 + row[BLOCK + i] ** 2
            Q = row[2 * BLOCK + i] ** 2 + row[3 * BLOCK + i] ** 2
            reflectivity[i] += weights[polarisation] * P / Q
