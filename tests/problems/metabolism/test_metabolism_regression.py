"""Normal equations are the dense regressor's, bounded least squares is scipy's, forms are exact on Euler data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import lsq_linear

from probatum.errors import DataError, FitError
from probatum.problems.metabolism import simulator
from probatum.problems.metabolism.agreement import agreement, identity_r2
from probatum.problems.metabolism.box_descent import bounded_least_squares
from probatum.problems.metabolism.estimate import from_differences, from_integrals, linear
from probatum.problems.metabolism.forward_differences import forward_differences
from probatum.problems.metabolism.identifiability import identifiability
from probatum.problems.metabolism.integral_form import integral_form
from probatum.problems.metabolism.regression import Regression, common_metabolites, regression
from probatum.problems.metabolism.smoothing import smoothed, weighted
from probatum.problems.metabolism.structure import autocatalytic, cycles
from probatum.problems.metabolism.trajectory import Trajectory
from probatum.problems.metabolism.weak_form import weak_form

RINGS = cycles(12, 20)
STEP = 0.1
FORMS = [forward_differences(), weak_form(STEP), integral_form(STEP)]
named = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name.split(",")[0])


def dense(equations: Regression) -> tuple[np.ndarray, np.ndarray]:
    """X and y with weights, [window, metabolite and equation]."""
    S = equations.metabolism.network.stoichiometry.toarray()
    root = np.sqrt(equations.used)[:, :, None]
    X = np.einsum("ij,wje,wi->wiej", S, equations.regressors, root[..., 0])
    return X.reshape(-1, S.shape[1]), (equations.targets * root).ravel()


@named
def test_normal_equations_are_those_of_the_dense_regressor(form):
    course = simulator.drawn(RINGS, 1, frames=400)
    equations = regression(course.metabolism, course.measured(0.1, np.random.default_rng(0)), form)
    equations = equations.without(np.random.default_rng(1).random(equations.used.shape) < 0.2)
    X, y = dense(equations)
    normal = equations.normal_equations
    np.testing.assert_allclose(normal.gram.toarray(), X.T @ X, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(normal.right, X.T @ y, rtol=1e-9, atol=1e-9)
    k = course.constants * 1.1
    assert normal.residual_squares(k) == pytest.approx(((y - X @ k) ** 2).sum(), rel=1e-6)
    root = np.sqrt(equations.used)[:, :, None]
    np.testing.assert_allclose((equations.residuals(k) * root).ravel(), y - X @ k, atol=1e-9)
    np.testing.assert_allclose(equations.scores(k).sum(axis=0), X.T @ (y - X @ k), rtol=1e-8, atol=1e-8)
    assert normal.count == (equations.used > 0).sum() * equations.targets.shape[2]


def test_the_gram_matrix_is_sparse_where_networks_are():
    pattern = common_metabolites(simulator.two_types(cycles(1000, 2560)))
    assert pattern.nnz < 14 * 2560
    np.testing.assert_array_equal(pattern.toarray(), pattern.toarray().T)


@named
def test_every_form_is_exact_for_clean_data(form):
    for draw in range(3):
        course = simulator.drawn(RINGS, draw, frames=600)
        found = linear(course.metabolism, course.measured(0), form)
        known = found.identifiability.identifiable
        np.testing.assert_allclose(found.constants[known], course.constants[known], rtol=1e-7)


def test_clamped_rows_are_left_out():
    first, second = np.array([0, 1, 2]), np.array([1, 2, 0])
    metabolism = simulator.two_types(autocatalytic(first, second, 3))
    k, start = np.array([0.1, 0.11, 0.08]), np.array([2.0, 95.0, 5.0])
    course = simulator.simulate(metabolism, start, k, 400)
    assert 0 < course.clamped.sum() < 20
    equations = regression(metabolism, course.measured(0), forward_differences(5))
    assert (equations.used == 0).sum() > 0
    np.testing.assert_allclose(from_differences(metabolism, course.measured(0)).constants, k, rtol=1e-6)
    kept = bounded_least_squares(*_all_used(equations))
    assert np.abs(kept / k - 1).max() > 5e-5


def _all_used(equations: Regression) -> tuple[sparse.csr_array, np.ndarray]:
    whole = Regression(
        equations.metabolism,
        equations.form,
        equations.regressors,
        equations.targets,
        np.ones_like(equations.used),
    )
    return whole.normal_equations.gram, whole.normal_equations.right


def test_central_differences_and_smoothed_data_would_not_be_exact():
    course = simulator.drawn(RINGS, 0, frames=600)
    c = course.concentrations
    middle = Trajectory(STEP, (c[:-2] + c[1:-1] + c[2:]) / 3)
    found = from_differences(course.metabolism, middle)
    known = found.identifiability.identifiable
    assert np.abs(found.constants[known] / course.constants[known] - 1).max() > 1e-4


def test_errors_of_concentrations_stay_white_in_the_integral_and_the_weak_form():
    for form in (integral_form(STEP, 25), weak_form(STEP, 25, 10, 2)):
        difference = (np.eye(25, 26, 1) - np.eye(25, 26)) / STEP
        covariance = form.weights @ difference @ difference.T @ form.weights.T
        values = np.linalg.eigvalsh(covariance)
        # A projection: of every direction either all or nothing.
        assert np.minimum(np.abs(values), np.abs(values - 1)).max() < 1e-9
        # A constant concentration has no rate.
        np.testing.assert_allclose(form.weights @ difference @ np.ones(26), 0, atol=1e-9)


def test_windows_longer_than_the_trajectory_are_refused():
    course = simulator.drawn(RINGS, 0, frames=40)
    with pytest.raises(DataError, match="40 frames for windows of 61"):
        linear(course.metabolism, course.measured(0), integral_form(STEP))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 15))
def test_bounded_least_squares_is_that_of_scipy(seed, count):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(count + 5, count)) * (generator.random((count + 5, count)) < 0.6) + np.eye(
        count + 5, count
    )
    y = generator.normal(size=count + 5)
    low = np.where(generator.random(count) < 0.3, -np.inf, generator.uniform(-1, 0, count))
    high = np.where(generator.random(count) < 0.3, np.inf, generator.uniform(0, 1, count))
    if np.linalg.matrix_rank(X) < count or np.linalg.cond(X) > 1e4:
        return
    found = bounded_least_squares(sparse.csr_array(X.T @ X), X.T @ y, low, high)
    expected = lsq_linear(X, y, (low, high), method="bvls" if count > 1 else "trf", tol=1e-14).x
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (found >= low).all()
    assert (found <= high).all()


def test_bounded_least_squares_takes_a_constant_in_no_equation():
    gram = sparse.csr_array(np.diag([2.0, 0.0]))
    assert bounded_least_squares(gram, np.array([3.0, 0.0])).tolist() == [1.5, 0]


def test_bounds_that_exclude_each_other_are_refused():
    gram = sparse.csr_array(np.eye(1))
    with pytest.raises(FitError, match="exclude each other"):
        bounded_least_squares(gram, np.ones(1), 2.0, 1.0)
    with pytest.raises(FitError, match="not finite"):
        bounded_least_squares(gram, np.array([np.nan]))


def test_smoothing_takes_noise_off_and_weights_take_spikes_off():
    course = simulator.drawn(RINGS, 0, frames=900)
    measured = course.measured(0.1, np.random.default_rng(0))
    cleaner = smoothed(course.metabolism, course.constants, measured)
    errors = [np.sqrt(np.mean((t.concentrations - course.concentrations) ** 2)) for t in (measured, cleaner)]
    assert errors[1] < 0.6 * errors[0]
    assert smoothed(course.metabolism, course.constants, course.measured(0)).noise == 0
    equations = regression(course.metabolism, measured, integral_form(STEP))
    weights = weighted(equations, course.constants, measured).used
    assert 0 < weights.min() < weights.max() <= 1


def test_the_integral_form_beats_differences_where_there_is_noise():
    course = simulator.drawn(RINGS, 0, frames=1500)
    measured = course.measured(0.05, np.random.default_rng(0))
    known = identifiability(RINGS).identifiable

    def short(estimate) -> float:
        return 1 - agreement(course.constants, estimate.constants, known).identifiable

    differences = short(from_differences(course.metabolism, measured))
    assert short(from_integrals(course.metabolism, measured, smooth=False)) < 0.2 * differences
    assert short(from_integrals(course.metabolism, measured)) < 0.2 * differences


def test_agreement_is_on_the_identity_line():
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    assert identity_r2(truth, truth) == 1
    assert identity_r2(truth, 2 * truth) == pytest.approx(1 - 30 / 5)
    assert identity_r2(truth, np.full(4, 2.5)) == 0
    found = agreement(truth, np.array([1.0, 2.0, 3.0, 0.0]), np.array([True, True, True, False]))
    assert (found.identifiable, found.all, found.identifiable_count) == (1, 1 - 16 / 5, 3)
    assert "1 over 3 identifiable constants, -2.2 over all 4" in str(found)
    with pytest.raises(DataError, match="1 estimates for 4"):
        identity_r2(truth, np.ones(1))
    with pytest.raises(DataError, match="all the same"):
        identity_r2(np.ones(3), np.ones(3))
