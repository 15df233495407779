"""The kinetic scheme: what its closed form must obey, and that rates put in are found again."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from probatum.problems.catechol.kinetic_fit import Samples, fit
from probatum.problems.catechol.kinetics import (
    PARAMETERS,
    inverse_temperature,
    species,
    yields,
    yields_and_derivatives,
)

RATES = st.lists(st.floats(1e-6, 20.0), min_size=6, max_size=6)
TYPICAL = np.array([-3.3, -1.7, -1.8, -3.0, -6.2, -4.7, 118, 96, 91, 158, 131, 68, 2.5], dtype=np.float64)


def at(rates: list[float] | np.ndarray, time: float) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(jax.jit(species)(np.asarray(rates, dtype=np.float64), np.float64(time)))


def integrated(rates: list[float] | np.ndarray, time: float) -> np.ndarray:
    """The same scheme by numerical integration of its differential equations."""
    k1, k2, k3, k4, k5, k6 = rates

    def slope(_: float, y: np.ndarray) -> list[float]:
        sm, i, second, third = y
        return [-k1 * sm, k1 * sm - (k2 + k3 + k4) * i, k2 * i - k5 * second, k3 * i - k6 * third]

    return solve_ivp(slope, (0, time), [1.0, 0, 0, 0], method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]


@given(RATES, st.floats(0.01, 20.0))
@settings(max_examples=30, deadline=None)
def test_the_closed_form_solves_the_differential_equations(rates: list[float], time: float):
    np.testing.assert_allclose(at(rates, time), integrated(rates, time), atol=1e-7)


@pytest.mark.parametrize("gap", [0.0, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2])
def test_equal_and_nearly_equal_rates_are_no_exception(gap: float):
    rates = [0.3, 0.1, 0.1 + gap, 0.1, 0.3 - gap, 0.3 + 2 * gap]
    np.testing.assert_allclose(at(rates, 7.0), integrated(rates, 7.0), atol=1e-9)


@given(RATES, st.floats(0.0, 15.0), st.floats(0.0, 15.0))
@settings(max_examples=200, deadline=None)
def test_mass_never_grows(rates: list[float], one: float, other: float):
    early, late = at(rates, min(one, other)), at(rates, max(one, other))
    assert (early >= -1e-12).all()
    assert early.sum() <= 1 + 1e-9
    assert late.sum() <= early.sum() + 1e-9


def test_at_the_start_there_is_starting_material_alone():
    np.testing.assert_allclose(at([0.5, 1, 2, 3, 0.1, 0.2], 0.0), [1, 0, 0, 0], atol=1e-15)


def test_in_the_end_stable_products_share_what_the_intermediate_gave():
    end = at([0.5, 1.0, 2.0, 3.0, 0.0, 0.0], 1e4)
    np.testing.assert_allclose(end, [0, 0, 1 / 6, 2 / 6], atol=1e-12)
    np.testing.assert_allclose(at([0.5, 1.0, 2.0, 3.0, 0.01, 0.02], 1e5), 0, atol=1e-12)


@given(st.lists(st.floats(-2.5, 2.5), min_size=13, max_size=13), st.floats(175, 225), st.floats(2, 15))
@settings(max_examples=100, deadline=None)
def test_measured_yields_and_their_sum_lie_between_0_and_1(moved: list[float], celsius: float, minutes: float):
    scale = np.array([1.0] * 6 + [15.0] * 6 + [1.0])
    found = yields((TYPICAL + scale * moved)[None], np.array([celsius]), np.array([minutes]))
    assert (found >= 0).all()
    assert found.sum() <= 1 + 1e-9


def test_derivatives_agree_with_finite_differences():
    rng = np.random.default_rng(5)
    scale = np.array([1.0] * 6 + [15.0] * 6 + [1.0])
    parameters = TYPICAL + 0.7 * scale * rng.standard_normal((20, 13))
    celsius, minutes = rng.uniform(175, 225, 20), rng.uniform(2, 15, 20)
    _, derivatives = yields_and_derivatives(parameters, celsius, minutes)
    for column in range(len(PARAMETERS)):
        step = 1e-4 * scale * (np.arange(13) == column)
        ahead, behind = (yields(parameters + sign * step, celsius, minutes) for sign in (1, -1))
        np.testing.assert_allclose(derivatives[:, :, column], (ahead - behind) / (2 * step.sum()), atol=2e-7)


def test_arrhenius_rates_are_those_at_the_temperature():
    assert inverse_temperature(np.array([200.0]))[0] == 0
    parameters = np.full(13, -30.0)
    parameters[[0, 6, 12]] = np.log(0.02), 100.0, 30.0
    k = 0.02 * np.exp(-100e3 / 8.314462618 * (1 / 493.15 - 1 / 473.15))
    found = yields(parameters[None], np.array([220.0]), np.array([5.0]))
    np.testing.assert_allclose(found[0, 0], np.exp(-5 * k), rtol=1e-9)


def made(solvents: int, noise: float, mixing: float) -> tuple[Samples, np.ndarray]:
    """Solvents of known parameters, each at all conditions, and mixtures of neighbours."""
    rng = np.random.default_rng(3)
    truth = TYPICAL + np.array([0.7] * 4 + [0.2] * 2 + [8.0] * 6 + [0.5]) * rng.standard_normal((solvents, 13))
    celsius, minutes, b = (
        g.ravel() for g in np.meshgrid([175, 190, 205, 215, 225.0], [2, 4, 8, 15.0], [0, 0.3, 0.5, 0.7])
    )
    rows = len(b)
    a = np.repeat(np.arange(solvents), rows)
    other = (a + 1) % solvents
    celsius, minutes, b = (np.tile(v, solvents) for v in (celsius, minutes, b))
    parameters = (1 - b)[:, None] * truth[a] + b[:, None] * truth[other]
    parameters[:, 0] += 4 * b * (1 - b) * mixing
    targets = yields(parameters, celsius, minutes) + noise * rng.standard_normal((len(b), 3))
    return Samples(a, other, b, celsius, minutes, targets, solvents), truth


def test_known_rates_are_found_again():
    samples, truth = made(solvents=4, noise=0.002, mixing=0.0)
    found = fit(samples, noise=0.002, spread=1.0, excess=0.0)
    error = found.mean + found.solvents - truth
    assert abs(error[:, 0]).max() < 0.02, "ln k of the first step"
    assert abs(error[:, 1:4]).max() < 0.15, "ln k of the steps from the intermediate"
    assert abs(error[:, 6]).max() < 1.5, "activation energy of the first step, kJ/mol"


def test_what_mixing_adds_is_found_again():
    samples, _ = made(solvents=4, noise=0.002, mixing=0.5)
    found = fit(samples, noise=0.002, spread=1.0, excess=0.5)
    assert found.mixing[0] == pytest.approx(0.5, abs=0.1)
    assert not fit(samples, noise=0.002, spread=1.0, excess=0.0).mixing.any()


def test_a_solvent_of_few_rows_is_drawn_to_the_mean_of_all():
    samples, _ = made(solvents=4, noise=0.002, mixing=0.0)
    kept = (samples.fraction_b == 0) & ((samples.solvent_a > 0) | (samples.celsius == 175) & (samples.minutes == 2))
    few = Samples(
        *(getattr(samples, name)[kept] for name in ("solvent_a", "solvent_b", "fraction_b", "celsius", "minutes")),
        samples.targets[kept],
        samples.solvents,
    )
    found = fit(few, noise=0.03, spread=1.0, excess=0.0)
    assert abs(found.solvents[0, :12]).max() < 0.3 * abs(found.solvents[1:, :12]).max()
