"""Rollouts of learned tables follow the simulator; Lyapunov exponents are those of the tangent map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probatum.problems.metabolism import simulator
from probatum.problems.metabolism.diagnostics import diagnostics, of_constants, of_functions, of_rollouts
from probatum.problems.metabolism.learned import HOMEOSTASIS_POINTS, LAW_POINTS, Learned, table_points
from probatum.problems.metabolism.rollout import lyapunov_exponent, rollout
from probatum.problems.metabolism.simulator import Course
from probatum.problems.metabolism.structure import cycles, network

RINGS = cycles(20, 36, distinct=True)
COURSE = simulator.drawn(RINGS, 1, frames=600)


def true_model(course: Course, scale: float = 1.0) -> Learned:
    """Tables of the truth, with law and constants in another scale."""
    largest = 1.5 * float(course.concentrations.max())
    points = table_points(largest, HOMEOSTASIS_POINTS)
    metabolism = course.metabolism
    return Learned(
        np.log10(course.constants / scale**2),
        largest,
        scale * table_points(largest, LAW_POINTS),
        -metabolism.decay[:, None] * (points - metabolism.level[:, None]),
        alpha=scale,
    )


def test_a_rollout_of_the_truth_is_the_simulation():
    model = true_model(COURSE, scale=3.0)
    found = rollout(RINGS, model, COURSE.concentrations[0], 100, COURSE.step)
    np.testing.assert_allclose(found, COURSE.concentrations[:100], rtol=1e-3, atol=1e-3)


def test_with_softplus_reactions_run_where_nothing_is_there():
    model = replace(true_model(COURSE), softplus=True)
    start = np.zeros(20)
    found = rollout(RINGS, model, start, 2, COURSE.step)[1]
    k = COURSE.constants
    slope = RINGS.stoichiometry @ (k * np.log(2)) + COURSE.metabolism.decay * COURSE.metabolism.level
    np.testing.assert_allclose(found, np.maximum(COURSE.step * slope, 0), rtol=1e-6, atol=1e-9)


def test_a_rollout_that_runs_away_is_no_number_from_there_on():
    model = true_model(COURSE)
    away = replace(model, homeostasis=np.full_like(model.homeostasis, 1e9))
    found = rollout(RINGS, away, COURSE.concentrations[0], 50, COURSE.step)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[-1]).all()


def test_the_lyapunov_exponent_is_that_of_the_tangent_map():
    course = simulator.drawn(cycles(), 0, frames=800)
    n, S = (m.toarray() for m in (course.metabolism.network.orders, course.metabolism.network.stoichiometry))
    tangent, grown = np.random.default_rng(1).normal(size=100), []
    tangent /= np.linalg.norm(tangent)
    ends = [np.flatnonzero(column) for column in n.T]
    for c in course.concentrations[:-1]:
        change = np.zeros(100)
        for j, pair in enumerate(ends):
            if len(pair):
                a, b = pair
                change += S[:, j] * course.constants[j] * (c[b] * tangent[a] + c[a] * tangent[b])
        tangent = tangent + course.step * (change - course.metabolism.decay * tangent)
        size = np.linalg.norm(tangent)
        grown.append(np.log(size))
        tangent /= size
    expected = np.mean(grown[len(grown) // 4 :]) / course.step
    assert expected > 0
    assert lyapunov_exponent(course) == pytest.approx(expected, rel=0.15)


def test_courses_that_approach_each_other_have_no_horizon():
    metabolism = simulator.two_types(network(np.array([[-1.0], [1.0]])))
    course = simulator.simulate(metabolism, np.array([2.0, 3.0]), np.array([0.1]), 400)
    assert lyapunov_exponent(course) == 0


def test_a_model_comes_out_of_curves_as_it_went_in():
    model = replace(true_model(COURSE, 2.0), softplus=True, from_training=True, losses=np.array([3.0, 2.0]))
    again = Learned.of(model.curves())
    assert again is not None
    for name in ("log_constants", "law", "homeostasis", "losses"):
        np.testing.assert_allclose(getattr(again, name), getattr(model, name), rtol=1e-6)
    assert (again.alpha, again.softplus, again.from_training) == (2.0, True, True)
    assert again.largest == pytest.approx(model.largest, rel=1e-6)
    assert Learned.of({"training loss": np.zeros(3)}) is None
    assert diagnostics(COURSE, (), {}) == {}


def test_the_truth_has_perfect_diagnostics_in_any_scale():
    held_out = simulator.held_out(COURSE, 2, 0)
    for scale in (1.0, 0.3):
        told = diagnostics(COURSE, held_out, true_model(COURSE, scale).curves())
        assert told["identity_R2"] == pytest.approx(1, abs=1e-6)
        assert told["rate_constants_R2"] == pytest.approx(1, abs=1e-6)
        assert told["slope"] == pytest.approx(1, abs=1e-5)
        assert told["n_outliers"] == 0
        assert told["alpha"] == pytest.approx(scale)
        assert max(told["MLP_sub"], told["MLP_node"]) < 1e-4
        assert told["rollout_R2"] > 0.999


def test_the_exploration_s_r2_does_not_see_an_offset_and_the_identity_line_does():
    model = true_model(COURSE)
    off = replace(model, log_constants=model.log_constants + 0.2)
    told = of_constants(COURSE, off)
    assert told["rate_constants_R2"] == pytest.approx(1)
    assert told["n_outliers"] == 0
    truth = np.log10(COURSE.constants)
    assert told["identity_R2"] == pytest.approx(1 - 0.2**2 / truth.var())


def test_outliers_are_left_out_of_trimmed_figures():
    model = true_model(COURSE)
    log_constants = model.log_constants.copy()
    log_constants[:3] += [0.31, -5.0, 0.29]
    told = of_constants(COURSE, replace(model, log_constants=log_constants))
    truth = np.log10(COURSE.constants)
    kept = np.r_[2, 3:36]
    assert told["n_outliers"] == 2
    assert told["trimmed_R2"] == pytest.approx(np.corrcoef(truth[kept], log_constants[kept])[0, 1] ** 2)
    assert told["slope"] == pytest.approx(np.cov(truth[kept], log_constants[kept])[0, 1] / truth[kept].var(ddof=1))


def test_deviations_are_shares_of_the_largest_true_value():
    model = true_model(COURSE)
    wrong = replace(model, law=1.1 * model.law, homeostasis=0 * model.homeostasis)
    told = of_functions(COURSE, wrong)
    assert told["MLP_sub"] == pytest.approx(0.1, rel=1e-3)
    assert told["MLP_node"] == pytest.approx(1.0, rel=1e-3)


def test_a_model_that_starts_from_training_data_is_tested_on_it_as_the_exploration_was():
    held_out = simulator.held_out(COURSE, 1, 0)
    wrong = true_model(COURSE)
    wrong = replace(wrong, log_constants=wrong.log_constants + 0.1)
    here = of_rollouts(COURSE, held_out, replace(wrong, from_training=True))
    there = of_rollouts(COURSE, held_out, wrong)
    assert here["test_R2"] != there["test_R2"]
    assert here["rollout_R2"] == there["rollout_R2"]
