"""Reflectivity of a strained crystal by dynamical diffraction in symmetric Bragg geometry, in JAX: differentiable.

With t the height above the substrate, the amplitude ratio X of diffracted to incident wave obeys (Takagi, Taupin)

    dX/dt = -i pi C E chi / (lambda sin theta_B) (X^2 - 2 eta X + 1),
    eta = (2 sin theta_n (sin theta - sin theta_n) + chi_0) / (C E chi),   sin theta_n = sin theta_B / (1 + strain),

chi = sqrt(chi_h chi_-h), C the polarisation factor, E the static Debye-Waller factor. In the unstrained half-space
below, X = eta +- sqrt(eta^2 - 1) with |X| <= 1. Across a uniform layer of thickness t (Bartels, Hornstra and Lobeek,
Acta Cryst. A42, 539, 1986) X = P / Q with

    P' = (c + i v s) P - i T s Q,   Q' = i T s P + (c - i v s) Q,   c = cos w,  s = sin w / w,  w^2 = v^2 - T^2,
    T = pi C E chi t / (lambda sin theta_B),   v = T eta,

a form that stays finite where chi or t vanish, is even in w, so that no branch is chosen, and divides once, at the end.
R = |X|^2 |chi_h / chi_-h|. `kernel` computes the same faster, with derivatives of its own.
Call inside `jax.enable_x64()`: float32 loses five of nine digits. Under `jax.jit`, reflection and pi_weight are static.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing
from jax.typing import ArrayLike
from jaxtyping import Float

from probatum.problems.rocking_curve.crystals import Reflection

SMALL = 0.01
"""|w^2| below which cos w and sin w / w are taken from their series."""


def reflectivity(
    reflection: Reflection,
    angles: ArrayLike,
    strain: ArrayLike,
    thickness: ArrayLike,
    debye_waller: ArrayLike | None = None,
    pi_weight: float = 0.0,
) -> jax.Array:
    """R = (R_sigma + M R_pi) / (1 + M) of layers on a perfect substrate.

    Args:
        reflection: of the substrate.
        angles: [angle] glancing angles theta, radians.
        strain: [..., layer] relative change of the planes' distance, from the surface downwards.
        thickness: [..., layer] Angstrom; layers of thickness 0 do nothing.
        debye_waller: [..., layer] E, 1 for a perfect layer and the default.
        pi_weight: M, the share of pi to sigma in the incident beam; 0 for sigma alone, sqrt(cos 2 theta_B) or so for a
            tube without monochromator.

    Returns:
        [..., angle] reflectivity.
    """
    strain, thickness = jnp.broadcast_arrays(jnp.asarray(strain), jnp.asarray(thickness))
    E = jnp.broadcast_to(1.0 if debye_waller is None else jnp.asarray(debye_waller), strain.shape)
    sigma, pi = reflection.polarisations
    found = _one_polarisation(reflection, jnp.asarray(angles), strain, thickness, E, sigma)
    if not pi_weight:
        return found
    other = _one_polarisation(reflection, jnp.asarray(angles), strain, thickness, E, pi)
    return (found + pi_weight * other) / (1 + pi_weight)


def _one_polarisation(
    reflection: Reflection, angles: jax.Array, strain: jax.Array, thickness: jax.Array, E: jax.Array, C: float
) -> jax.Array:
    sine_B = math.sin(reflection.bragg_angle)
    sines = jnp.sin(angles)
    rate = math.pi / (reflection.wavelength * sine_B)

    def cross(amplitudes: tuple[jax.Array, jax.Array], layer: jax.Array):
        P, Q = amplitudes
        strain, thickness, E = layer[..., None]
        sine_n = sine_B / (1 + strain)
        v = rate * thickness * (2 * sine_n * (sines - sine_n) + reflection.chi_0)
        T = rate * thickness * C * E * reflection.chi
        c, s = _cosine_and_sine_ratio(v * v - T * T)
        return ((c + 1j * v * s) * P - 1j * T * s * Q, 1j * T * s * P + (c - 1j * v * s) * Q), None

    X = jnp.broadcast_to(substrate_ratio(reflection, angles, C), (*strain.shape[:-1], len(sines)))
    upwards = jnp.moveaxis(jnp.stack([strain, thickness, E]), -1, 0)[::-1]
    (P, Q), _ = jax.lax.scan(cross, (X, jnp.ones_like(X)), upwards)
    return jnp.abs(P / Q) ** 2 * abs(reflection.chi_h / reflection.chi_minus_h)


def substrate_ratio(reflection: Reflection, angles: ArrayLike, C: float) -> jax.Array:
    """X of the perfect crystal: [angle] complex, |X| <= 1."""
    sine_B = math.sin(reflection.bragg_angle)
    eta = (2 * sine_B * (jnp.sin(jnp.asarray(angles)) - sine_B) + reflection.chi_0) / (C * reflection.chi)
    # The product of both roots is 1, so the smaller one is one over the larger, without cancellation.
    root = jnp.sqrt(eta * eta - 1)
    larger = jnp.where(jnp.real(eta * jnp.conj(root)) >= 0, eta + root, eta - root)
    return 1 / larger


def _cosine_and_sine_ratio(square: jax.Array) -> tuple[jax.Array, jax.Array]:
    """cos w and sin w / w from w^2, with derivatives that are right at w = 0 as well."""
    small = jnp.abs(square) < SMALL
    few, many = jnp.where(small, square, 0.0), jnp.where(small, 1.0, square)
    cosine = sum((-few) ** n / float(math.factorial(2 * n)) for n in range(7))
    ratio = sum((-few) ** n / float(math.factorial(2 * n + 1)) for n in range(7))
    w = jnp.sqrt(many)
    turn = jnp.exp(1j * w)
    back = 1 / turn  # cheaper than a sine and a cosine of complex numbers
    return jnp.where(small, cosine, (turn + back) / 2), jnp.where(small, ratio, (turn - back) / (2j * w))


def angles_below(reflection: Reflection, seconds: numpy.typing.ArrayLike) -> Float[np.ndarray, "*angle"]:
    """Glancing angles, radians, from theta_B - theta in arc-seconds: positive where expanded layers diffract."""
    return reflection.bragg_angle - np.radians(np.asarray(seconds, dtype=np.float64) / 3600)
