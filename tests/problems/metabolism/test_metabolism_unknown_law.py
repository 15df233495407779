"""Nothing known but the structure: constants, rate law and homeostasis are found, whatever the law is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from probatum.errors import DataError
from probatum.problems.metabolism import simulator
from probatum.problems.metabolism.agreement import identity_r2
from probatum.problems.metabolism.grouping import grouped
from probatum.problems.metabolism.identifiability import identifiability
from probatum.problems.metabolism.natural_splines import knots_over, natural_spline
from probatum.problems.metabolism.rate_law import RateLaw
from probatum.problems.metabolism.structure import cycles
from probatum.problems.metabolism.trajectory import Trajectory
from probatum.problems.metabolism.variable_projection import (
    Settings,
    _Equations,
    _searched,
    variable_projection,
)

RINGS = cycles(20, 36, distinct=True)
STEP = 0.1


def simulated(
    law: Callable[[np.ndarray], np.ndarray], frames: int = 1100, seed: int = 3, bend: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Constants and course of a metabolism with another rate law than the simulator's, by a literal Euler loop."""
    generator = np.random.default_rng(seed)
    metabolism = simulator.two_types(RINGS)
    S, n = RINGS.stoichiometry.toarray(), RINGS.orders.toarray().astype(bool)
    k = 10 ** generator.uniform(-1.7, -1, S.shape[1])
    c = [generator.uniform(1, 9, len(S))]
    for _ in range(frames - 1):
        v = k * np.where(n, law(c[-1])[:, None], 1.0).prod(axis=0)
        away = c[-1] - metabolism.level
        slope = S @ v - metabolism.decay * away * (1 + bend * np.abs(away))
        c.append(np.maximum(c[-1] + STEP * slope, 0.0))
    return k, np.array(c)


LAWS = {
    "mass action": lambda c: c,
    "saturating": lambda c: c / (0.8 + 0.2 * c),
    "slow at little": lambda c: c * c / (1 + c),
}


@pytest.mark.parametrize("name", LAWS)
def test_constants_and_the_rate_law_are_found_whatever_the_law_is(name: str):
    law = LAWS[name]
    k, c = simulated(law)
    found = variable_projection(RINGS, Trajectory(STEP, c))
    assert found.converged
    scale = law(np.array(1.0)) ** 2  # f(1) = 1 puts it into the constants
    assert identity_r2(np.log10(k * scale), np.log10(found.constants)) > 0.999
    low, high = np.quantile(c, [0.01, 0.99])
    visited = np.linspace(low, high, 100)
    truth = law(visited) / law(np.array(1.0))
    assert np.abs(found.law(visited) - truth).max() < 0.01 * truth.max()


def test_homeostasis_and_who_has_which_are_found():
    _, c = simulated(LAWS["saturating"])
    found = variable_projection(RINGS, Trajectory(STEP, c))
    groups = found.homeostasis.groups
    assert len(set(groups[:10])) == len(set(groups[10:])) == 1
    assert groups[0] != groups[10]
    low, high = np.quantile(c, [0.01, 0.99])
    visited = np.linspace(low, high, 50)
    h = found.homeostasis(np.broadcast_to(visited[:, None], (50, 20)))
    for of_one, decay, level in ((h[:, 0], 0.001, 4.0), (h[:, 10], 0.002, 6.0)):
        truth = -decay * (visited - level)
        assert np.abs(of_one - truth).max() < 0.05 * np.abs(truth).max()


@pytest.mark.parametrize(("bend", "knots"), [(0.0, 2), (4.0, 4)])
def test_homeostasis_is_a_straight_line_unless_the_measurements_say_otherwise(bend: float, knots: int):
    _, c = simulated(LAWS["mass action"], bend=bend)
    noisy = c + np.random.default_rng(0).normal(scale=0.01, size=c.shape)
    found = variable_projection(RINGS, Trajectory(STEP, noisy, 0.01))
    assert len(found.homeostasis.knots) == knots


def test_noise_leaves_the_constants_almost_where_they_are():
    k, c = simulated(LAWS["mass action"])
    noisy = c + np.random.default_rng(0).normal(scale=0.01, size=c.shape)
    found = variable_projection(RINGS, Trajectory(STEP, noisy, 0.01))
    assert identity_r2(np.log10(k), np.log10(found.constants)) > 0.99


@given(st.floats(0.2, 1.6))
@settings(max_examples=3, deadline=None)
def test_where_the_search_starts_does_not_matter(exponent: float):
    k, c = simulated(LAWS["mass action"], frames=900)
    found = variable_projection(RINGS, Trajectory(STEP, c), Settings(start=exponent))
    np.testing.assert_allclose(found.constants, k, rtol=1e-5)


def test_the_scale_is_fixed_and_losses_only_fall():
    _, c = simulated(LAWS["slow at little"], frames=900)
    found = variable_projection(RINGS, Trajectory(STEP, c))
    assert found.law(np.array([1.0])) == pytest.approx(1.0, abs=1e-12)
    assert (found.law(np.linspace(0.01, 50, 100)) > 0).all()
    assert found.law(np.array([0.0])) == 0


def equations(c: np.ndarray) -> _Equations:
    known = identifiability(RINGS)
    knots = knots_over(np.log1p(c), 6, 1e-3)
    return _Equations.of(known, Trajectory(STEP, c), knots, np.quantile(c, [0.01, 0.5, 0.99]), np.arange(20) // 10)


def test_the_step_follows_the_slope_of_what_the_linear_unknowns_leave():
    _, c = simulated(LAWS["saturating"], frames=400)
    one = equations(c)
    law = RateLaw(knots_over(np.log1p(c), 6, 1e-3), np.array([-0.2, 0.1, 0.0, -0.1, 0.05]))
    slope = one.solved(law).downhill
    for place in range(5):
        nudge = 1e-5 * np.eye(5)[place]
        above, below = (one.solved(replace(law, weights=law.weights + s * nudge)).squares for s in (1, -1))
        assert -2 * slope[place] == pytest.approx((above - below) / 2e-5, rel=1e-4)


def test_every_step_lowers_the_sum_of_squares():
    _, c = simulated(LAWS["saturating"], frames=400)
    squares = _searched(equations(c), RateLaw(knots_over(np.log1p(c), 6, 1e-3), np.array([-0.5, 0, 0, 0, 0]))).squares
    assert len(squares) > 3
    assert (np.diff(squares) < 0).all()


def test_metabolites_lifted_to_zero_do_not_mislead():
    generator = np.random.default_rng(1)
    start, k = simulator.starts(RINGS, generator), 3 * simulator.constants(RINGS, generator)
    course = simulator.simulate(simulator.two_types(RINGS), start, k, 1100)
    assert course.clamped.any()
    found = variable_projection(RINGS, course.measured(0.0))
    assert identity_r2(np.log10(k), np.log10(found.constants)) > 1 - 1e-6


def test_trajectories_and_groups_that_cannot_be_are_refused():
    _, c = simulated(LAWS["mass action"], frames=70)
    with pytest.raises(DataError, match="40 frames for windows of 61; give a longer one"):
        variable_projection(RINGS, Trajectory(STEP, c[:40]))
    with pytest.raises(DataError, match="21 groups of 20 metabolites; choose 1 to all of them"):
        variable_projection(RINGS, Trajectory(STEP, c), Settings(groups=21))


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=7, unique=True), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_natural_splines_are_those_of_scipy_and_straight_beyond_their_knots(points: list[float], seed: int):
    knots = np.sort(points) + np.arange(len(points))
    values = np.random.default_rng(seed).normal(size=len(knots))
    weights = np.linalg.solve(natural_spline(knots, knots).T, values)
    inside = np.linspace(knots[0], knots[-1], 40)
    expected = CubicSpline(knots, values, bc_type="natural")(inside)
    np.testing.assert_allclose(
        weights @ natural_spline(inside, knots), expected, atol=1e-6 * (1 + np.abs(expected).max())
    )
    for beyond in (knots[-1] + np.arange(3.0), knots[0] - np.arange(3.0)):
        line = weights @ natural_spline(beyond, knots)
        assert line[2] - line[1] == pytest.approx(line[1] - line[0], abs=1e-6 * (1 + np.abs(line).max()))


def test_knots_that_do_not_increase_are_refused():
    with pytest.raises(DataError, match="do not increase"):
        natural_spline(np.zeros(3), np.array([1.0, 1.0]))


def test_lines_are_parted_by_what_is_known_well_of_them():
    generator = np.random.default_rng(2)
    spread = np.array([0.02, 3.0])  # the second number says nothing
    truth = np.repeat([[0.0, 0.0], [1.0, 0.0]], 30, axis=0)
    lines = truth + spread * generator.normal(size=(60, 2))
    precision = np.broadcast_to(np.diag(1 / spread**2), (60, 2, 2))
    found = grouped(lines, precision, 2)
    assert len(set(found[:30])) == len(set(found[30:])) == 1
    assert found[0] != found[30]
    assert set(grouped(lines, precision, 1)) == {0}
