"""Reflectivity agrees with an integrated differential equation, closed formulas, long double arithmetic, and itself."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from probatum.problems.rocking_curve import kernel, physics, prior
from probatum.problems.rocking_curve.crystals import GGG_444, Reflection, reflection
from probatum.problems.rocking_curve.physics import angles_below
from probatum.problems.rocking_curve.profile import sublayers

GARNET_PI_WEIGHT = math.sqrt(math.cos(2 * GGG_444.bragg_angle))
SCAN = np.linspace(-80.36, 2732.4, 701)
ANGLES = angles_below(GGG_444, SCAN)
SILICON = reflection("Si", (0, 0, 4))
TRANSPARENT = Reflection("no absorption", 1.54056, SILICON.bragg_angle, -15e-6 + 0j, 8e-6 + 0j, 8e-6 + 0j)


COMPILED = jax.jit(physics.reflectivity, static_argnames=("reflection", "pi_weight"))


def by_jax(of: Reflection, angles, strain, thickness, debye_waller=None, pi_weight: float = 0.0) -> np.ndarray:
    E = np.ones_like(strain) if debye_waller is None else np.asarray(debye_waller)
    with jax.enable_x64(True):
        return np.asarray(COMPILED(of, *map(np.asarray, (angles, strain, thickness, E)), pi_weight=pi_weight))


def integrated(of: Reflection, angle: float, strain, thickness, debye_waller, C: float) -> float:
    """|X|^2 by solving the Takagi-Taupin equation through the layers, from the substrate upwards."""
    sine_B = math.sin(of.bragg_angle)
    rate = math.pi / (of.wavelength * sine_B)

    def misfit(strain: float) -> complex:
        sine_n = sine_B / (1 + strain)
        return 2 * sine_n * (math.sin(angle) - sine_n) + of.chi_0

    coupling = C * of.chi
    a, b, c = coupling, -2 * misfit(0.0), coupling
    X = min(np.roots([a, b, c]), key=abs)
    for e, t, E in list(zip(strain, thickness, debye_waller, strict=True))[::-1]:
        coupling, detuning = C * E * of.chi, misfit(e)

        def slope(_, x, coupling=coupling, detuning=detuning):
            return -1j * rate * (coupling * x * x - 2 * detuning * x + coupling)

        solved = solve_ivp(slope, (0, t), [complex(X)], method="DOP853", rtol=1e-12, atol=1e-16)
        X = solved.y[0, -1]
    return abs(X) ** 2 * abs(of.chi_h / of.chi_minus_h)


@pytest.mark.parametrize("of", [GGG_444, SILICON], ids=lambda of: of.name)
def test_layers_agree_with_the_differential_equation(of: Reflection):
    generator = np.random.default_rng(0)
    strain, E = generator.uniform(-0.002, 0.01, 6), generator.uniform(0.3, 1, 6)
    thickness = np.array([100.0, 40.0, 800.0, 100.0, 0.0, 2500.0])
    angles = angles_below(of, np.linspace(-200, 1500, 12))
    sigma, pi = of.polarisations
    expected = [
        (integrated(of, t, strain, thickness, E, sigma) + 0.6 * integrated(of, t, strain, thickness, E, pi)) / 1.6
        for t in angles
    ]
    for found in (
        by_jax(of, angles, strain, thickness, E, 0.6),
        kernel.reflectivity(of, angles, strain, thickness, E, 0.6),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_compiled_and_jax_curves_agree_over_the_prior():
    strain, thickness = sublayers(prior.draw(60, np.random.default_rng(1)))
    E = np.random.default_rng(2).uniform(0.2, 1, strain.shape)
    for arguments in ((), (E,)):
        found = kernel.reflectivity(GGG_444, ANGLES, strain, thickness, *arguments, pi_weight=GARNET_PI_WEIGHT)
        expected = by_jax(GGG_444, ANGLES, strain, thickness, *arguments, pi_weight=GARNET_PI_WEIGHT)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-0.03, 0.03), st.floats(0, 1), st.floats(0, 20_000)), min_size=5, max_size=5),
    st.lists(st.floats(-6000, 6000), min_size=33, max_size=33),
    st.sampled_from([0.0, 0.7]),
)
def test_compiled_and_jax_curves_agree_for_any_layers(layers, seconds, pi_weight):
    strain, E, thickness = np.array(layers).T
    angles = angles_below(SILICON, seconds)
    found = kernel.reflectivity(SILICON, angles, strain, thickness, E, pi_weight)
    expected = by_jax(SILICON, angles, strain, thickness, E, pi_weight)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)
    assert ((found >= 0) & (found <= 1 + 1e-9)).all()


def test_curves_lose_little_against_long_double_arithmetic():
    long, long_complex = np.longdouble, np.clongdouble
    if np.finfo(long).eps > 1e-18:
        pytest.skip("long double is no longer than double here")
    strain, thickness = sublayers(prior.draw(1, np.random.default_rng(3))[0])
    sine_B, sines = np.sin(long(GGG_444.bragg_angle)), np.sin(ANGLES.astype(long))
    rate = 4 * np.arctan(long(1)) / (long(GGG_444.wavelength) * sine_B)
    chi, chi_0 = long_complex(GGG_444.chi), long_complex(GGG_444.chi_0)
    eta = (2 * sine_B * (sines - sine_B) + chi_0) / chi
    root = np.sqrt(eta * eta - 1)
    X = np.where(abs(eta + root) <= 1, eta + root, eta - root)
    for e, t in zip(strain.astype(long)[::-1], thickness.astype(long)[::-1], strict=True):
        if t:
            # The recursion for X itself, with the exponential: another form than the one under test.
            sine_n = sine_B / (1 + e)
            eta = (2 * sine_n * (sines - sine_n) + chi_0) / chi
            r = np.sqrt(eta * eta - 1)
            grown = np.exp(-2j * (rate * t * chi) * r)
            q = (1 - grown) / ((1 + grown) * r)
            a = X - eta
            X = eta + (a + r**2 * q) / (1 + a * q)
    expected = abs(X) ** 2
    for found in (kernel.reflectivity(GGG_444, ANGLES, strain, thickness), by_jax(GGG_444, ANGLES, strain, thickness)):
        assert np.abs(found / expected - 1).max() < 1e-9


def test_perfect_crystal_has_the_darwin_curve():
    chi, sine_B = 8e-6, math.sin(TRANSPARENT.bragg_angle)
    eta = np.array([-5.0, -1.5, -1 - 1e-9, -0.99, 0.0, 0.5, 0.99, 1.2, 40.0])
    angles = np.arcsin(sine_B + (eta * chi + 15e-6) / (2 * sine_B))
    darwin = np.where(np.abs(eta) <= 1, 1.0, (np.abs(eta) - np.sqrt(np.maximum(eta**2 - 1, 0))) ** 2)
    for found in (by_jax(TRANSPARENT, angles, [0.0], [0.0]), kernel.reflectivity(TRANSPARENT, angles, [0.0], [0.0])):
        np.testing.assert_allclose(found, darwin, rtol=1e-5)
    width = 2 * abs(SILICON.chi) / math.sin(2 * SILICON.bragg_angle)
    assert math.degrees(width) * 3600 == pytest.approx(3.65, rel=0.01)
    assert math.degrees(width * SILICON.polarisations[1]) * 3600 == pytest.approx(1.30, rel=0.01)


def test_unstrained_layers_change_nothing():
    for thickness in (np.full(5, 100.0), np.full(3, 5e6)):
        layers = np.zeros(len(thickness)), thickness
        bare = by_jax(SILICON, ANGLES, [0.0], [0.0], pi_weight=0.5)
        np.testing.assert_allclose(kernel.reflectivity(SILICON, ANGLES, *layers, pi_weight=0.5), bare, rtol=1e-7)


def test_one_thick_layer_is_many_thin_ones():
    one = kernel.reflectivity(GGG_444, ANGLES, [0.004], [6400.0])
    np.testing.assert_allclose(
        kernel.reflectivity(GGG_444, ANGLES, np.full(640, 0.004), np.full(640, 10.0)), one, rtol=1e-8
    )


def test_strained_layer_diffracts_where_its_planes_do():
    seconds = np.linspace(1200, 1600, 4001)
    found = kernel.reflectivity(SILICON, angles_below(SILICON, seconds), [0.01], [3000.0])
    refraction = -math.degrees(SILICON.chi_0.real / math.sin(2 * SILICON.bragg_angle)) * 3600
    shift = math.degrees(SILICON.bragg_angle - math.asin(math.sin(SILICON.bragg_angle) / 1.01)) * 3600
    assert seconds[found.argmax()] + refraction == pytest.approx(shift, abs=1)
    # The linear law, strain times tan theta_B, is 1421 and 1.2 % too large.
    assert shift == pytest.approx(1421 / 1.012, rel=1e-3)


def test_weak_scattering_is_kinematic():
    weak = Reflection("weak", 1.54056, SILICON.bragg_angle, 1e-6j, 1e-10 + 0j, 1e-10 + 0j)
    strain, thickness = np.array([0.004, 0.001, 0.006]), np.array([500.0, 300.0, 900.0])
    angles = angles_below(weak, np.linspace(100, 1500, 40))
    sine_B = math.sin(weak.bragg_angle)
    rate = math.pi / (weak.wavelength * sine_B)
    X = weak.chi / (2 * (2 * sine_B * (np.sin(angles) - sine_B) + weak.chi_0))
    for e, t in zip(strain[::-1], thickness[::-1], strict=True):
        sine_n = sine_B / (1 + e)
        k = rate * (2 * sine_n * (np.sin(angles) - sine_n) + weak.chi_0)
        # The wave so far, shifted in phase, and the sum of exp(2 i k height) over the layer.
        X = X * np.exp(2j * k * t) - 1j * rate * weak.chi * (np.exp(2j * k * t) - 1) / (2j * k)
    for found in (by_jax(weak, angles, strain, thickness), kernel.reflectivity(weak, angles, strain, thickness)):
        np.testing.assert_allclose(found, abs(X) ** 2, rtol=1e-6)


def test_destroyed_layer_only_absorbs():
    angles, path = ANGLES[:50], 20_000.0
    found = kernel.reflectivity(GGG_444, angles, [0.0], [path], [0.0])
    exponent = 4 * math.pi * GGG_444.chi_0.imag * path / (GGG_444.wavelength * math.sin(GGG_444.bragg_angle))
    np.testing.assert_allclose(found, by_jax(GGG_444, angles, [0.0], [0.0]) * math.exp(-exponent), rtol=1e-9)


def test_batches_of_any_shape_are_the_curves_one_by_one():
    strain, thickness = sublayers(prior.draw(6, np.random.default_rng(4)))
    together = kernel.reflectivity(GGG_444, ANGLES, strain.reshape(2, 3, -1), thickness.reshape(2, 3, -1))
    assert together.shape == (2, 3, len(ANGLES))
    for i in range(6):
        one = kernel.reflectivity(GGG_444, ANGLES, strain[i], thickness[i])
        assert one.shape == (len(ANGLES),)
        assert (one == together.reshape(6, -1)[i]).all()


def test_curve_agrees_with_another_program():
    # DynamicalModel of xrayutilities 1.8.0 with its own structure factors of silicon: six layers on Si (004), sigma. It
    # solves the dispersion equation of every layer with the structure factors of the strained cell, so it is near only.
    expected = [
        1.64261186e-03, 1.02139662e-02, 1.43670452e-03, 1.91207463e-03, 2.75333224e-03, 2.83865354e-03, 2.05866435e-03,
        1.05283559e-03, 4.15170028e-04, 1.95266625e-04, 1.31558964e-04, 7.25053785e-05, 3.46858597e-05,
    ]  # fmt: skip
    chi = 8.262406595655927e-06 - 3.571985776418861e-07j
    chi_0 = -1.515684868398203e-05 + 3.571985776470212e-07j
    silicon = Reflection("Si (0 0 4)", 1.5405935822371772, math.radians(34.564186647963645), chi_0, chi, chi)
    strain = np.linspace(0.0012, 0.0005, 6)
    thickness = [250.0, 350.0, 500.0, 200.0, 300.0, 400.0]
    angles = angles_below(silicon, np.linspace(-20, 300, 13))
    for found in (kernel.reflectivity(silicon, angles, strain, thickness), by_jax(silicon, angles, strain, thickness)):
        np.testing.assert_allclose(found, expected, rtol=3e-3)
        assert np.median(np.abs(found / expected - 1)) < 1e-3
