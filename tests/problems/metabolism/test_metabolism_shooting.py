"""Derivatives agree with finite differences, elimination with a dense solution, standard errors with repeated noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.stats import norm

from probatum.errors import DataError, FitError
from probatum.problems.metabolism import simulator
from probatum.problems.metabolism.arrow import factorised
from probatum.problems.metabolism.estimate import from_integrals, from_trajectory
from probatum.problems.metabolism.identifiability import identifiability
from probatum.problems.metabolism.integral_form import integral_form
from probatum.problems.metabolism.multiple_shooting import (
    ONE_MATRIX,
    _Shooting,
    _weighed_into,
    shoot,
    window_starts,
)
from probatum.problems.metabolism.profile_likelihood import profile
from probatum.problems.metabolism.regression import NormalEquations, regression
from probatum.problems.metabolism.shooting_kernel import rate_slopes_into, slopes_into
from probatum.problems.metabolism.standard_errors import cramer_rao, sandwich
from probatum.problems.metabolism.structure import cycles, network
from probatum.problems.metabolism.trajectory import Trajectory

RINGS = cycles(9, 12, distinct=True)
BROKEN = simulator.two_types(
    network(
        np.array([[-2.0, 1.0, 0.0], [1.0, -1.0, 1.0], [0.0, 0.5, -1.0]]),
        np.array([[2.0, 0.0, 0.5], [0.5, 1.5, 0.0], [0.0, 1.0, 1.0]]),
    )
)


@pytest.mark.parametrize("metabolism", [simulator.two_types(RINGS), BROKEN], ids=["rings", "broken orders"])
def test_slopes_of_a_window_agree_with_finite_differences(metabolism):
    m, r = (len(names) for names in (metabolism.network.metabolites, metabolism.network.reactions))
    generator = np.random.default_rng(0)
    head, k = generator.uniform(1, 5, m), generator.uniform(0.02, 0.05, r)
    states = metabolism.euler(head, k, 9, 0.1)[0]
    slopes = np.empty((9, m, m + r))
    slopes_into(slopes, states[:-1], states[-1], k, 0.1, *metabolism.packed)
    for q in range(m + r):
        shift = np.zeros(m + r)
        shift[q] = 1e-5
        up, down = (metabolism.euler(head + s * shift[:m], k + s * shift[m:], 9, 0.1)[0] for s in (1, -1))
        np.testing.assert_allclose(slopes[:, :, q], (up - down) / 2e-5, rtol=1e-5, atol=1e-7)


def test_variances_of_rates_are_the_squares_of_their_slopes():
    k, c = np.array([0.3, 0.2, 0.5]), np.array([[1.0, 2.0, 3.0]])
    found = np.empty_like(c)
    rate_slopes_into(found, c, k, *BROKEN.packed)
    S, n = BROKEN.network.stoichiometry.toarray(), BROKEN.network.orders.toarray()
    expected = np.zeros(3)
    for j in range(3):
        p = np.prod(c[0] ** n[:, j])
        expected += S[:, j] ** 2 * k[j] ** 2 * ((n[:, j] * p / c[0]) ** 2).sum()
    np.testing.assert_allclose(found[0], expected)


def scene() -> tuple[_Shooting, np.ndarray, np.ndarray]:
    course = simulator.drawn(RINGS, 0, frames=60)
    measured = course.measured(0.1, np.random.default_rng(0))
    starts = np.array([0, 7, 8, 30, 59])
    heads = measured.concentrations[starts[:-1]] + 0.3
    return _Shooting(course.metabolism, measured, starts, 3), heads, course.constants * 1.05


def test_the_adjoint_is_the_gradient_of_the_merit():
    shooting, heads, k = scene()
    of_heads, of_constants = shooting.gradient(shooting.run(heads, k, 0.05), 0.05)
    for name, at, gradient in (("heads", heads, of_heads), ("constants", k, of_constants)):
        for index in np.ndindex(at.shape):
            merits = []
            for sign in (1, -1):
                moved = at.copy()
                moved[index] += sign * 1e-5
                point = (moved, k) if name == "heads" else (heads, moved)
                merits.append(shooting.run(*point, 0.05).merit)
            slope = -(merits[0] - merits[1]) / 2e-5 / 2
            assert gradient[index] == pytest.approx(slope, rel=1e-4, abs=1e-4), (name, index)


def test_elimination_along_windows_is_the_dense_solution():
    generator = np.random.default_rng(0)
    states, shared, windows, weight = 4, 3, 5, 7.0
    J = [generator.normal(size=(20, states + shared)) for _ in range(windows)]
    E = [generator.normal(size=(states, states + shared)) for _ in range(windows)]
    size = windows * states + shared
    A = np.zeros((size, size))
    for w in range(windows):
        own = [*range(w * states, (w + 1) * states), *range(windows * states, size)]
        rows = np.zeros((20, size))
        rows[:, own] = J[w]
        A += rows.T @ rows
        if w < windows - 1:
            ties = np.zeros((states, size))
            ties[:, own] = E[w]
            ties[:, (w + 1) * states : (w + 2) * states] -= np.eye(states)
            A += weight * ties.T @ ties
    right = generator.normal(size=size)
    factors = factorised([(j.T @ j, e) for j, e in zip(J, E, strict=True)], windows, states, shared, weight)
    heads, k = factors.solve(right[:-shared].reshape(windows, states), right[-shared:])
    np.testing.assert_allclose([*heads.ravel(), *k], np.linalg.solve(A, right), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(np.linalg.inv(factors.shared), np.linalg.inv(A)[-shared:, -shared:], rtol=1e-8)


@pytest.mark.parametrize("stride", [1, 3, 5, 9])
def test_frames_of_a_window_weigh_as_many_as_there_are(stride):
    for count in range(1, 40):
        slopes = np.stack([np.ones(count), np.arange(count)], axis=1)[:, None, :]  # one metabolite, two unknowns
        found = _weighed_into(np.empty_like(slopes), slopes, stride)
        weights, frames = found[:, 0] ** 2, found[:, 1] / found[:, 0]
        assert weights.sum() == pytest.approx(count)
        assert weights @ frames == pytest.approx(count * (count - 1) / 2)
        assert len(set(frames.round(6).tolist())) == len(frames)
        assert len(frames) <= count / stride + stride or count < 2 * stride


def test_windows_are_short_where_the_course_moves_fast():
    course = simulator.drawn(RINGS, 0, frames=300)
    slow = window_starts(course.metabolism, course.constants / 10, course.concentrations, 0.1)
    fast = window_starts(course.metabolism, course.constants * 10, course.concentrations, 0.1)
    assert slow.tolist() == [*range(0, 299, 30), 299]
    assert len(fast) > 3 * len(slow)
    assert (np.diff(fast) > 0).all()
    assert (fast[0], fast[-1]) == (0, 299)


def test_the_fit_is_the_single_course_that_fits_best():
    course = simulator.drawn(RINGS, 0, frames=240)
    measured = course.measured(0.05, np.random.default_rng(0))
    fit = shoot(course.metabolism, measured, course.constants * 1.1)
    assert fit.converged
    assert fit.miss < 1e-3

    def residuals(x):
        return (course.metabolism.euler(x[:9], x[9:], 240, 0.1)[0] - measured.concentrations).ravel() / 0.05

    start = np.concatenate([course.concentrations[0], course.constants])
    whole = least_squares(residuals, start, xtol=1e-12, ftol=1e-12, x_scale=np.maximum(start, 1e-3))
    covariance = np.linalg.inv(whole.jac.T @ whole.jac)
    errors = np.sqrt(np.diag(covariance))[9:]
    assert (np.abs(fit.constants - whole.x[9:]) < 0.15 * errors).all()
    np.testing.assert_allclose(fit.standard_errors, errors, rtol=0.1)


def test_intervals_of_the_fit_cover_as_often_as_they_say():
    inside = []
    for draw in range(12):
        course = simulator.drawn(RINGS, draw, frames=400)
        found = from_trajectory(course.metabolism, course.measured(0.1, np.random.default_rng(draw)))
        assert found.converged
        low, high = found.intervals(0.9).T
        inside.append((low <= course.constants) & (course.constants <= high))
    # 144 intervals, of which errors in one draw depend on each other: 90 % give or take four standard deviations.
    assert 0.8 <= np.mean(inside) <= 0.99


def test_one_matrix_goes_most_of_the_way_where_noise_is_small():
    course = simulator.drawn(RINGS, 0, frames=600)
    measured = course.measured(0.01, np.random.default_rng(0))
    linear, quick, whole = (
        found(course.metabolism, measured).constants
        for found in (from_integrals, lambda m, c: from_trajectory(m, c, ONE_MATRIX), from_trajectory)
    )
    assert np.linalg.norm(quick - whole) < 0.5 * np.linalg.norm(linear - whole)


def test_a_fit_needs_noise_and_full_rank():
    course = simulator.drawn(RINGS, 0, frames=100)
    with pytest.raises(DataError, match="a trajectory without noise"):
        shoot(course.metabolism, course.measured(0), course.constants)
    whole = simulator.drawn(cycles(9, 13), 0, frames=100)
    with pytest.raises(FitError, match="reduce the network to identifiable constants"):
        shoot(whole.metabolism, whole.measured(0.1, np.random.default_rng(0)), whole.constants)


def test_constants_that_are_not_identifiable_have_no_standard_error():
    course = simulator.drawn(cycles(9, 13), 1, frames=300)
    found = from_integrals(course.metabolism, course.measured(0.05, np.random.default_rng(0)), errors=True)
    known = found.identifiability.identifiable
    assert not known[-1]
    np.testing.assert_array_equal(np.isfinite(found.standard_errors), known)
    assert found.intervals()[-1].tolist() == [0, np.inf]


def test_windowed_standard_errors_are_the_spread_under_repeated_noise():
    course = simulator.drawn(RINGS, 0, frames=1500)
    estimates, errors = [], []
    for repeat in range(60):
        found = from_integrals(
            course.metabolism, course.measured(0.02, np.random.default_rng(repeat)), errors=True, smooth=False
        )
        estimates.append(found.constants)
        errors.append(found.standard_errors)
    ratio = np.mean(errors, axis=0) / np.std(estimates, axis=0)
    assert 0.7 < np.median(ratio) < 1.3


def test_standard_errors_of_a_regressor_without_full_rank_are_refused():
    course = simulator.drawn(cycles(9, 13), 0, frames=300)
    equations = regression(course.metabolism, course.measured(0.1, np.random.default_rng(0)), integral_form(0.1))
    with pytest.raises(FitError, match="rank is not full"):
        sandwich(equations, course.constants)


def test_the_cramer_rao_bound_is_that_of_the_dense_information():
    course = simulator.drawn(RINGS, 0, frames=41)
    truth = Trajectory(0.1, course.concentrations, 0.1)
    information = np.zeros((12, 12))
    for start in (0, 20):
        head = course.concentrations[start]

        def states(x):
            return course.metabolism.euler(x[:9], x[9:], 20, 0.1)[0].ravel()

        x = np.concatenate([head, course.constants])
        J = np.column_stack([
            (states(x + 1e-6 * e) - states(x - 1e-6 * e)) / 2e-6 for e in np.eye(21)
        ])  # fmt: skip
        information += np.linalg.inv(np.linalg.inv(J.T @ J)[9:, 9:])
    expected = 0.01 * np.diag(np.linalg.inv(information))
    np.testing.assert_allclose(cramer_rao(course.metabolism, truth, course.constants, 20), expected, rtol=1e-3)
    longer = cramer_rao(course.metabolism, truth, course.constants, 40)
    assert (longer < expected).all()


def test_profiles_without_bounds_are_gaussian_intervals():
    course = simulator.drawn(RINGS, 0, frames=600)
    equations = regression(
        course.metabolism, course.measured(0.05, np.random.default_rng(0)), integral_form(0.1)
    ).normal_equations
    covariance = 0.05**2 * np.linalg.inv(equations.gram.toarray())
    found = profile(equations, 4, 0.05**2, lower=-np.inf)
    reach = norm.ppf(0.95) * np.sqrt(covariance[4, 4])
    assert (found.upper - found.best, found.best - found.lower) == pytest.approx((reach, reach), rel=1e-5)
    assert found.identifiable


def test_a_profile_that_stays_flat_up_to_a_bound_is_open_there():
    course = simulator.drawn(cycles(9, 13), 0, frames=300)
    known = identifiability(course.metabolism.network)
    equations = regression(course.metabolism, course.measured(0.05, np.random.default_rng(0)), integral_form(0.1))
    empty = profile(equations.normal_equations, 12, 0.05**2, upper=1.0)
    assert (empty.lower, empty.upper, empty.identifiable) == (0, 1, False)
    assert empty.open_below
    assert empty.open_above
    j = int(np.flatnonzero(known.identifiable)[0])
    assert profile(equations.normal_equations, j, 0.05**2, upper=1.0).identifiable
    assert isinstance(equations.normal_equations, NormalEquations)
