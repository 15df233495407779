"""Fits end at the best point between their bounds, profiles at the quantile; the problem of Boehm as published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear
from scipy.stats import chi2

from probatum.errors import FitError
from probatum.problems.metabolism.fisher_scoring import scoring, together
from probatum.problems.metabolism.likelihood import Likelihood, Point, likelihood
from probatum.problems.metabolism.likelihood_profiles import likelihood_profiles
from probatum.problems.metabolism.multistart import multistart
from probatum.problems.metabolism.petab_problem import Parameter, PetabProblem
from probatum.problems.metabolism.petab_reading import read_petab


@dataclass(frozen=True)
class Wanted:
    """Stands for a problem: names and bounds are all that fits ask it."""

    low: np.ndarray
    high: np.ndarray
    name: str = "a fake"

    @property
    def estimated(self) -> tuple[Parameter, ...]:
        rows = zip(self.low, self.high, strict=True)
        return tuple(Parameter(f"p{i}", "lin", low, high, low) for i, (low, high) in enumerate(rows))

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return self.low, self.high


@dataclass(frozen=True)
class Residuals:
    """A likelihood with residuals of variance 1 that a function gives with its Jacobian."""

    problem: Any
    residuals: Any
    width: int = 3

    def __call__(self, parameters: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> Point:
        assert len(parameters) <= self.width
        assert ((lower <= parameters) & (parameters <= upper)).all()
        found = [self.residuals(x) for x in parameters]
        return Point(
            parameters,
            np.array([r @ r / 2 for r, _ in found]),
            np.stack([J.T @ r for r, J in found]),
            np.stack([J.T @ J for _, J in found]),
        )


def linear(A: np.ndarray, b: np.ndarray):
    return lambda x: (A @ x - b, A)


def rosenbrock(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_linear_fit_between_bounds_is_scipys(seed: int, count: int):
    generator = np.random.default_rng(seed)
    A, b = generator.normal(size=(count + 3, count)), 3 * generator.normal(size=count + 3)
    low, high = np.sort(generator.normal(size=(2, count)), axis=0) + np.array([[-0.1], [0.1]])
    evaluate = Residuals(Wanted(low, high), linear(A, b))
    (found,) = together([scoring(generator.uniform(low, high), low, high)], evaluate)
    expected = lsq_linear(A, b, (low, high), tol=1e-14)
    assert found.converged
    assert found.loss == pytest.approx(expected.cost, abs=2e-6)


def test_a_curved_valley_is_followed_to_its_end():
    low, high = np.full(2, -3.0), np.full(2, 3.0)
    (found,) = together([scoring(np.array([-2.0, 2.5]), low, high)], Residuals(Wanted(low, high), rosenbrock))
    np.testing.assert_allclose(found.parameters, [1, 1], atol=1e-3)
    assert found.converged


def test_results_stand_in_the_order_of_the_fits_however_long_each_takes():
    low, high = np.full(2, -3.0), np.full(2, 3.0)
    starts = [np.array([x, 1.0]) for x in (-2.0, 1.0, 2.0, 0.99, -1.0)]
    evaluate = Residuals(Wanted(low, high), rosenbrock, width=2)
    many = together([scoring(start, low, high) for start in starts], evaluate)
    alone = [together([scoring(start, low, high)], evaluate)[0] for start in starts]
    assert [one.evaluations for one in many] == [one.evaluations for one in alone]
    assert len({one.evaluations for one in many}) > 2


def test_a_start_that_cannot_be_simulated_is_an_end_of_its_own():
    def half(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (np.array([x[0] - 2.0]) if x[0] > 0 else np.array([np.nan])), np.ones((1, 1))

    evaluate = Residuals(Wanted(np.array([-4.0]), np.array([4.0])), half)
    found = multistart(evaluate, starts=3)  # pyright: ignore[reportArgumentType]
    assert found.log_likelihood == pytest.approx(0, abs=1e-6)
    never = Residuals(Wanted(np.array([-4.0]), np.array([-1.0])), half)
    with pytest.raises(FitError, match="from none of 3 starts"):
        multistart(never, starts=3)  # pyright: ignore[reportArgumentType]


def test_profiles_and_errors_of_a_linear_fit_are_the_normal_ones():
    generator = np.random.default_rng(1)
    A, b = generator.normal(size=(9, 3)), generator.normal(size=9)
    low, high = np.full(3, -10.0), np.full(3, 10.0)
    evaluate: Any = Residuals(Wanted(low, high), linear(A, b))
    found = multistart(evaluate, starts=4)
    covariance = np.linalg.inv(A.T @ A)
    np.testing.assert_allclose(found.values, np.linalg.lstsq(A, b, rcond=None)[0], atol=1e-3)
    np.testing.assert_allclose(found.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-6)
    for j, profile in enumerate(likelihood_profiles(evaluate, found, 0.9)):
        reach = np.sqrt(chi2.ppf(0.9, 1) * covariance[j, j])
        assert profile.identifiable
        np.testing.assert_allclose([profile.lower, profile.upper], found.values[j] + [-reach, reach], atol=5e-3 * reach)


def test_a_flat_direction_and_a_bound_are_open_ends():
    def only_product(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The sum of two parameters is seen, and a third that wants to lie beyond its bound."""
        return np.array([x[0] + x[1] - 1.0, 2 * (x[2] - 3.0)]), np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])

    low, high = np.array([-2.0, -2.0, -1.0]), np.array([2.0, 2.0, 1.0])
    evaluate: Any = Residuals(Wanted(low, high), only_product)
    found = multistart(evaluate, starts=4)
    assert found.at_bound[2] == "upper"
    assert np.isnan(found.standard_errors[2])
    flat = [j for j in (0, 1) if found.at_bound[j] is None]
    assert all(found.standard_errors[j] > 0.9 for j in flat)
    profiles = likelihood_profiles(evaluate, found, 0.95)
    assert profiles[0].open_above
    assert profiles[1].open_above
    assert profiles[2].open_above
    assert not profiles[2].open_below
    assert profiles[2].upper == 1.0


@pytest.mark.real
def test_boehm_is_fitted_and_its_two_unidentifiable_parameters_are_marked(real_data: Path):
    pytest.importorskip("diffrax", reason="needs the extra 'metabolism'")
    path = real_data / "metabolism" / "Boehm_JProteomeRes2014" / "Boehm_JProteomeRes2014.yaml"
    problem: PetabProblem = read_petab(path)
    of: Likelihood = likelihood(problem, width=8)
    found = multistart(of, starts=12, seed=2)
    assert found.log_likelihood >= -138.23
    bounded = {one.id for one, bound in zip(problem.estimated, found.at_bound, strict=True) if bound}
    assert "k_exp_hetero" in bounded
    profiles = likelihood_profiles(of, found, 0.95, ["k_exp_hetero", "k_imp_homo", "k_phos"])
    assert [one.identifiable for one in profiles] == [False, False, True]
    assert (profiles[0].open_below, profiles[1].open_above) == (True, True)
    # The quadratic at the best describes a well determined parameter.
    place = [one.id for one in problem.estimated].index("k_phos")
    width = profiles[2].upper - profiles[2].lower
    assert width == pytest.approx(2 * 1.96 * found.standard_errors[place], rel=0.1)
