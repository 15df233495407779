"""Courses agree with a literal Euler loop, with scipy and diffrax at small steps; bad trajectories are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from probatum.errors import DataError, UnknownNameError, UsageError
from probatum.problems.metabolism import simulator
from probatum.problems.metabolism.activity import activity_rank
from probatum.problems.metabolism.continuous import simulate_continuous
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.structure import cycles, network
from probatum.problems.metabolism.trajectory import observed

RINGS = cycles(12, 20)


def slope(metabolism: Metabolism, k: np.ndarray, c: np.ndarray) -> np.ndarray:
    """dc/dt with dense matrices."""
    S, n = metabolism.network.stoichiometry.toarray(), metabolism.network.orders.toarray()
    p = np.prod(c[:, None] ** n, axis=0)
    return S @ (k * p) - metabolism.decay * (c - metabolism.level)


def test_a_course_is_eulers_loop():
    course = simulator.drawn(RINGS, 3, frames=200)
    c = course.concentrations[0]
    for t in range(1, 200):
        c = np.maximum(c + 0.1 * slope(course.metabolism, course.constants, c), 0)
        np.testing.assert_allclose(course.concentrations[t], c, rtol=1e-9, atol=1e-12)


def test_whole_and_broken_orders_are_taken():
    metabolism = simulator.two_types(network(np.array([[-2.0, 1.0], [1.0, -1.0]]), np.array([[2.0, 0.0], [0.5, 1.5]])))
    k, start = np.array([0.02, 0.03]), np.array([2.0, 3.0])
    course = simulator.simulate(metabolism, start, k, 2, 0.1)
    np.testing.assert_allclose(course.concentrations[1], start + 0.1 * slope(metabolism, k, start), rtol=1e-12)


def test_where_a_concentration_is_lifted_to_zero_is_marked():
    metabolism = simulator.two_types(network(np.array([[-1.0], [1.0]])))
    course = simulator.simulate(metabolism, np.array([5.0, 1.0]), np.array([30.0]), 4)
    assert course.clamped[1].tolist() == [True, False]
    assert course.concentrations[1, 0] == 0


def test_eulers_error_falls_with_the_step():
    start = simulator.starts(RINGS, np.random.default_rng(0))
    k = simulator.constants(RINGS, np.random.default_rng(1))
    metabolism = simulator.two_types(RINGS)
    exact = solve_ivp(lambda _, c: slope(metabolism, k, c), (0, 2), start, rtol=1e-10, atol=1e-12).y[:, -1]
    errors = []
    for step in (0.02, 0.01, 0.005):
        course = simulator.simulate(metabolism, start, k, round(2 / step) + 1, step)
        errors.append(np.abs(course.concentrations[-1] - exact).max())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("solver", ["Tsit5", "Kvaerno5"])
def test_continuous_time_agrees_with_scipy(solver):
    pytest.importorskip("diffrax", reason="needs the extra 'metabolism'")
    start = simulator.starts(RINGS, np.random.default_rng(0))
    k = simulator.constants(RINGS, np.random.default_rng(1))
    metabolism = simulator.two_types(RINGS)
    course = simulate_continuous(metabolism, start, k, 11, 0.2, solver)
    exact = solve_ivp(
        lambda _, c: slope(metabolism, k, c), (0, 2), start, t_eval=np.arange(11) * 0.2, rtol=1e-11, atol=1e-12
    ).y.T
    np.testing.assert_allclose(course.concentrations, exact, rtol=1e-6)


def test_continuous_time_without_its_library_or_solver_says_so(monkeypatch):
    metabolism = simulator.two_types(RINGS)
    with pytest.raises(UnknownNameError, match="unknown solver"):
        simulate_continuous(metabolism, np.ones(12), np.ones(20), 2, 0.1, "Euler")
    monkeypatch.setitem(__import__("sys").modules, "diffrax", None)
    with pytest.raises(UsageError, match="probatum\\[metabolism\\]"):
        simulate_continuous(metabolism, np.ones(12), np.ones(20), 2, 0.1)


def test_a_course_that_runs_away_is_refused():
    doubling = simulator.two_types(network(np.array([[1.0]]), np.array([[2.0]])))
    with pytest.raises(DataError, match=r"'M1' runs away to .*; take a smaller step"):
        simulator.simulate(doubling, np.array([5.0]), np.array([1.0]), 500)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": np.ones(3)}, "start: of shape"),
        ({"start": -np.ones(12)}, "start: of shape"),
        ({"constants": np.full(20, np.nan)}, "constants: of shape"),
        ({"step": 0.0}, "frames of 0"),
        ({"process_noise": 0.1}, "noise without a generator"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(change, message):
    arguments = {"start": np.ones(12), "constants": np.ones(20), "frames": 5, "step": 0.1}
    with pytest.raises(DataError, match=message):
        simulator.simulate(simulator.two_types(RINGS), **{**arguments, **change})
    with pytest.raises(DataError, match="one finite number for each"):
        replace(simulator.two_types(RINGS), decay=np.ones(3))


def test_draws_repeat_and_held_out_courses_share_constants_alone():
    course, again = (simulator.drawn(RINGS, 1, frames=50) for _ in range(2))
    np.testing.assert_array_equal(course.concentrations, again.concentrations)
    others = simulator.held_out(course, 3, seed=1)
    starts = np.array([course.concentrations[0], *(other.concentrations[0] for other in others)])
    assert len(np.unique(starts, axis=0)) == 4
    assert all(np.array_equal(other.constants, course.constants) for other in others)
    assert len(simulator.held_out(course, 1, 1, frames=7)[0].concentrations) == 7
    k = simulator.constants(RINGS, np.random.default_rng(0), "rank 20")
    assert 10**-2.5 <= k.min() <= k.max() <= 0.1
    with pytest.raises(UnknownNameError, match="unknown regime"):
        simulator.constants(RINGS, np.random.default_rng(0), "rank 51")


def test_measurement_and_process_noise_have_the_spread_that_was_asked_for():
    course = simulator.drawn(RINGS, 1, frames=2000)
    measured = course.measured(0.3, np.random.default_rng(2))
    errors = measured.concentrations - course.concentrations
    assert errors.std() == pytest.approx(0.3, rel=0.02)
    assert measured.noise == 0.3
    assert course.measured(0.0).concentrations is course.concentrations
    with pytest.raises(DataError, match="noise without a generator"):
        course.measured(0.1)
    start = course.concentrations[0]
    moved = simulator.simulate(course.metabolism, start, course.constants, 2, 0.01, 0.5, np.random.default_rng(0))
    drift = simulator.simulate(course.metabolism, start, course.constants, 2, 0.01)
    kicks = moved.concentrations[1] - drift.concentrations[1]
    assert kicks == pytest.approx(np.random.default_rng(0).normal(scale=0.05, size=12))


def test_the_activity_rank_counts_components():
    t = np.linspace(0, 20, 400)
    waves = np.column_stack([np.sin(t), np.sin(2 * t), np.sin(3 * t)])
    mixed = waves @ np.random.default_rng(0).normal(size=(3, 30))
    assert activity_rank(mixed) == 3
    assert activity_rank(np.outer(t, np.ones(4))) == 1
    assert activity_rank(np.eye(5), share=1.0) == 5


def test_the_regime_of_the_exploration_has_a_rank_of_about_50():
    assert 40 <= activity_rank(simulator.drawn(cycles(), 0).concentrations) <= 60


PAIR = network(np.array([[-1.0], [1.0]]), metabolites=["glucose", "lactate"])
TIMES, CONCENTRATIONS = np.arange(10.0), np.random.default_rng(0).uniform(1, 2, (10, 2))


def changed(frame: int, column: int, value: float) -> np.ndarray:
    c = CONCENTRATIONS.copy()
    c[frame, column] = value
    return c


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"concentrations": changed(3, 1, -0.2)}, "frame 4: 'lactate' has the concentration -0.2; correct it"),
        ({"concentrations": changed(3, 1, np.nan)}, "frame 4: no concentration of 'lactate'; interpolate"),
        ({"concentrations": changed(5, 0, np.inf)}, "frame 6: 'glucose' runs away to inf; cut"),
        ({"concentrations": changed(5, 0, 1e12)}, "frame 6: 'glucose' runs away to 1e+12; cut"),
        ({"concentrations": np.where([True, False], np.nan, CONCENTRATIONS)}, "'glucose' was never observed; measure"),
        ({"concentrations": CONCENTRATIONS[:, :1]}, "1 columns for 2 metabolites"),
        ({"concentrations": CONCENTRATIONS[:, :1], "metabolites": ["lactate"]}, "'glucose' was never observed"),
        ({"metabolites": ["glucose", "lactat"]}, "no metabolite 'lactat'; did you mean 'lactate'?"),
        ({"metabolites": ["glucose", "glucose"]}, "2 names, 1 of them different, for 2 columns"),
        ({"times": TIMES[:9]}, "9 times for concentrations of shape (10, 2)"),
        ({"times": np.r_[TIMES[:5], TIMES[4:9]]}, "frames 5 and 6: the time 4 stands there twice; average"),
        ({"times": np.r_[TIMES[:5], 3.5, TIMES[6:]]}, "frame 6: time goes back from 4 to 3.5; sort"),
        ({"times": np.r_[TIMES[:9], 12.0]}, "frame 10: uneven times: a step of 4 where most are 1"),
        ({"times": np.r_[TIMES[:9], np.nan]}, "frame 10: a time that is not finite"),
        ({"times": TIMES[:3], "concentrations": CONCENTRATIONS[:3]}, "3 frames; give 8 or more"),
        ({"noise": -1.0}, "a noise of -1"),
    ],
)
def test_a_trajectory_that_cannot_be_used_is_refused_in_one_sentence(arguments, message):
    with pytest.raises(DataError) as raised:
        observed(PAIR, **{"times": TIMES, "concentrations": CONCENTRATIONS, **arguments})
    assert message in str(raised.value)


def test_named_columns_are_put_in_order_and_noise_may_cross_zero():
    found = observed(PAIR, 0.5 * TIMES, changed(2, 1, -0.05)[:, ::-1], ["lactate", "glucose"], noise=0.1)
    np.testing.assert_array_equal(found.concentrations, changed(2, 1, -0.05))
    assert (found.step, found.noise, len(found)) == (0.5, 0.1, 10)
