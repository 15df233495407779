"""Levenberg and Marquardt's method finds the minima that are known, within the box and on its faces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from probatum.problems.rocking_curve.levenberg_marquardt import minimise

WIDE = np.full(2, 10.0)


def test_the_bottom_of_rosenbrocks_valley_is_found():
    def residuals(x):
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), np.array([[-20 * x[0], -1.0], [10.0, 0.0]])

    found = minimise(residuals, np.array([-1.2, 1.0]), -WIDE, WIDE, most=200, tolerance=1e-12)
    np.testing.assert_allclose(found.point, 1.0, atol=1e-6)
    assert found.evaluations < 60


@given(st.integers(0, 10_000))
@example(2687)  # the full step goes to a corner that lies higher
@example(5951)
@example(8560)
def test_linear_problems_in_a_box_are_solved_as_scipy_solves_them(seed):
    generator = np.random.default_rng(seed)
    A, b = generator.normal(size=(12, 4)), 3 * generator.normal(size=12)
    expected = lsq_linear(A, b, (-0.5, 0.5), tol=1e-14)
    found = minimise(
        lambda x: (A @ x - b, A.T), np.zeros(4), np.full(4, -0.5), np.full(4, 0.5), most=200, tolerance=1e-14
    )
    assert found.cost == pytest.approx(2 * expected.cost, rel=1e-6)
    assert (np.abs(found.point) <= 0.5).all()


def test_units_of_the_coordinates_do_not_matter():
    def residuals(x, unit=1.0):
        y = x * unit
        return np.array([y[0] ** 2 + y[1] - 3, y[0] - y[1] ** 2 + 1]), np.array([[2 * y[0], 1.0], [1.0, -2 * y[1]]]) * (
            np.array([[1.0], [1.0]]) * unit
        )

    first = minimise(residuals, np.array([1.0, 0.5]), -WIDE, WIDE, tolerance=1e-12)
    scaled = minimise(lambda x: residuals(x, 100.0), np.array([0.01, 0.005]), -WIDE, WIDE, tolerance=1e-12)
    assert scaled.evaluations == first.evaluations
    np.testing.assert_allclose(100 * scaled.point, first.point, rtol=1e-6)


def test_a_start_outside_the_box_is_moved_in_and_a_hopeless_step_is_not_taken():
    def residuals(x):
        return (np.full(1, np.nan) if x[0] < 0.5 else x.copy()), np.ones((1, 1))

    found = minimise(residuals, np.array([30.0]), np.zeros(1), np.ones(1))
    assert 0.5 <= found.point[0] <= 1
