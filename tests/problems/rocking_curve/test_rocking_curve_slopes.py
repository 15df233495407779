"""Derivatives of rocking curves are those of finite differences and of automatic differentiation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from probatum.problems.rocking_curve import kernel, physics, prior
from probatum.problems.rocking_curve.crystals import GGG_444, reflection
from probatum.problems.rocking_curve.physics import angles_below
from probatum.problems.rocking_curve.profile import HIGH, LOW, sublayers
from probatum.problems.rocking_curve.profile_kernel import sublayers_and_slopes

SILICON = reflection("Si", (0, 0, 4))


def test_derivatives_are_those_of_finite_differences():
    parameters = np.array([0.012, 0.004, 2500.0, 900.0, 0.006, 1500.0, -700.0])
    angles = angles_below(GGG_444, np.linspace(-60, 1500, 131))

    def curve(parameters):
        return physics.reflectivity(GGG_444, angles, *sublayers(parameters, jnp), pi_weight=0.8)

    strain, thickness, strain_slopes, thickness_slopes = sublayers_and_slopes(parameters[None])
    _, found = kernel.reflectivity_and_slopes(
        GGG_444, angles, strain[0], thickness[0], pi_weight=0.8, strain_slopes=strain_slopes[0],
        thickness_slopes=thickness_slopes[0],
    )  # fmt: skip
    with jax.enable_x64(True):
        by_tracing = np.asarray(jax.jit(jax.jacfwd(curve))(jnp.asarray(parameters))).T
    for i in range(7):
        h = np.zeros(7)
        h[i] = 2e-6 * (HIGH[i] - LOW[i])
        at = [
            kernel.reflectivity(GGG_444, angles, *sublayers(parameters + m * h), pi_weight=0.8) for m in (1, -1, 2, -2)
        ]
        slope = (8 * (at[0] - at[1]) - (at[2] - at[3])) / (12 * h[i])
        largest = np.abs(slope).max()
        np.testing.assert_allclose(by_tracing[i], slope, rtol=0, atol=1e-6 * largest)
        np.testing.assert_allclose(found[i], slope, rtol=0, atol=1e-6 * largest)
        np.testing.assert_allclose(found[i], by_tracing[i], rtol=0, atol=1e-9 * largest)


def test_derivatives_to_every_layer_agree_with_jax_where_layers_are_thick_or_damaged():
    strain, E = np.array([0.004, 0.0, 0.002]), np.array([0.9, 0.4, 0.7])
    thickness = np.array([150.0, 6e5, 4000.0])
    angles = angles_below(SILICON, np.linspace(-40, 700, 75))
    unit = np.eye(3)
    _, found = kernel.reflectivity_and_slopes(
        SILICON, angles, strain, thickness, E, 0.5,
        strain_slopes=np.hstack([unit, 0 * unit, 0 * unit]), thickness_slopes=np.hstack([0 * unit, unit, 0 * unit]),
        debye_waller_slopes=np.hstack([0 * unit, 0 * unit, unit]),
    )  # fmt: skip
    with jax.enable_x64(True):
        jacobian = jax.jacfwd(lambda *x: physics.reflectivity(SILICON, angles, *x, pi_weight=0.5), argnums=(0, 1, 2))
        expected = np.concatenate([np.asarray(part).T for part in jacobian(*map(jnp.asarray, (strain, thickness, E)))])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-7 * np.abs(other).max())


def test_compiled_slopes_of_the_profile_are_those_of_jax():
    parameters = prior.draw(200, np.random.default_rng(5))
    strain, thickness, strain_slopes, thickness_slopes = sublayers_and_slopes(parameters)
    with jax.enable_x64(True):
        slopes = jax.jit(jax.vmap(jax.jacfwd(lambda p: sublayers(p, jnp))))(jnp.asarray(parameters))
    expected = sublayers(parameters)
    there = thickness > 0
    np.testing.assert_allclose(strain[there], expected[0][there], rtol=1e-11)
    np.testing.assert_allclose(thickness, expected[1], atol=1e-8)
    scale = HIGH - LOW
    np.testing.assert_allclose(
        (strain_slopes * scale)[there], (np.asarray(slopes[0]) * scale)[there], rtol=1e-7, atol=1e-10
    )
    np.testing.assert_allclose(thickness_slopes * scale, np.asarray(slopes[1]) * scale, rtol=1e-7, atol=1e-6)
