"""From a trajectory to rate constants, by the arrangement of estimators that fits its noise and its size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from probatum.problems.metabolism.box_descent import bounded_least_squares
from probatum.problems.metabolism.forward_differences import forward_differences
from probatum.problems.metabolism.identifiability import Identifiability, identifiability
from probatum.problems.metabolism.integral_form import integral_form
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.multiple_shooting import WHOLE, Schedule, shoot
from probatum.problems.metabolism.regression import Form, Regression, regression
from probatum.problems.metabolism.smoothing import smoothed, weighted
from probatum.problems.metabolism.standard_errors import sandwich
from probatum.problems.metabolism.trajectory import Trajectory

SMOOTHED_FRAMES = 30
"""Windows of the integral form on smoothed concentrations: longer ones gather the bias that smoothing leaves."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """Estimated rate constants.

    Attributes:
        identifiability: which of them mean anything.
        constants: k, [reaction] float64; those that are not identifiable are one choice of many.
        lumps: the identifiable combinations, [lump] float64.
        lump_errors: their standard errors, [lump] float64; None where they were not computed.
        method: how they were found.
        converged: whether the method ended by itself; if not, neither constants nor errors can be trusted.
    """

    identifiability: Identifiability
    constants: Float[np.ndarray, " reaction"]
    lumps: Float[np.ndarray, " lump"]
    lump_errors: Float[np.ndarray, " lump"] | None
    method: str
    converged: bool = True

    @property
    def standard_errors(self) -> Float[np.ndarray, " reaction"]:
        """Of k, [reaction] float64; infinite where a constant is not identifiable, not a number where unknown."""
        found = np.full(len(self.constants), np.inf)
        alone = self.identifiability.alone
        found[self.identifiability.kept[alone]] = np.nan if self.lump_errors is None else self.lump_errors[alone]
        return found

    def intervals(self, level: float = 0.9) -> Float[np.ndarray, "reaction 2"]:
        """Central intervals of k under Gaussian errors, [reaction, 2] float64, cut at 0."""
        reach = norm.ppf((1 + level) / 2) * self.standard_errors
        return np.maximum(np.column_stack([self.constants - reach, self.constants + reach]), 0.0)


def from_differences(metabolism: Metabolism, trajectory: Trajectory, errors: bool = False) -> Estimate:
    """By bounded least squares on forward differences: exact for clean data of Euler's method."""
    return linear(metabolism, trajectory, forward_differences(), errors)


def linear(metabolism: Metabolism, trajectory: Trajectory, form: Form, errors: bool = False) -> Estimate:
    """By bounded least squares under a form.

    Args:
        metabolism: whose constants are wanted; need not have full rank.
        trajectory: measured.
        form: of the equations.
        errors: whether standard errors are computed, which takes a dense matrix of all constants.
    """
    known = identifiability(metabolism.network)
    equations = regression(known.reduced(metabolism), trajectory, form)
    return _estimate(known, equations, solution(known, equations), errors)


def from_integrals(
    metabolism: Metabolism, trajectory: Trajectory, errors: bool = False, smooth: bool = True
) -> Estimate:
    """By the integral form, its windows weighed by the errors that noise leaves, on smoothed concentrations.

    Args:
        metabolism: whose constants are wanted; need not have full rank.
        trajectory: measured, its noise above 0.
        errors: whether standard errors are computed.
        smooth: whether a smoother of each metabolite comes in between (errors in variables).
    """
    known = identifiability(metabolism.network)
    reduced = known.reduced(metabolism)
    equations, lumps = _weighed(known, reduced, trajectory)
    if smooth:
        cleaner = smoothed(reduced, lumps, trajectory)
        equations = regression(reduced, cleaner, integral_form(trajectory.step, SMOOTHED_FRAMES))
        equations = weighted(equations, lumps, trajectory)
        lumps = solution(known, equations)
    return _estimate(known, equations, lumps, errors)


def from_trajectory(metabolism: Metabolism, trajectory: Trajectory, schedule: Schedule = WHOLE) -> Estimate:
    """By multiple shooting from the weighed integral form: as good as any estimate can be, for networks of some 100.

    A fit that did not converge says so in `converged`; one matrix alone (`ONE_MATRIX`) seldom does.

    Raises:
        FitError: the matrix is singular, or the first constants run away.
    """
    known = identifiability(metabolism.network)
    reduced = known.reduced(metabolism)
    _, lumps = _weighed(known, reduced, trajectory)
    fit = shoot(reduced, trajectory, lumps, schedule)
    method = f"multiple shooting, {fit.windows} windows, {fit.matrices} {'matrix' if fit.matrices == 1 else 'matrices'}"
    constants = known.expanded(fit.constants)
    return Estimate(known, constants, fit.constants, fit.standard_errors, method, fit.converged)


def solution(known: Identifiability, equations: Regression) -> Float[np.ndarray, " lump"]:
    """The lumps that fit best, [lump] float64: sums of constants not negative, differences free."""
    normal = equations.normal_equations
    return bounded_least_squares(normal.gram, normal.right, np.where(known.not_negative, 0.0, -np.inf))


def _weighed(
    known: Identifiability, reduced: Metabolism, trajectory: Trajectory
) -> tuple[Regression, Float[np.ndarray, " lump"]]:
    plain = regression(reduced, trajectory, integral_form(trajectory.step))
    equations = weighted(plain, solution(known, plain), trajectory)
    return equations, solution(known, equations)


def _estimate(
    known: Identifiability, equations: Regression, lumps: Float[np.ndarray, " lump"], errors: bool
) -> Estimate:
    of_lumps = np.sqrt(np.diag(sandwich(equations, lumps))) if errors else None
    return Estimate(known, known.expanded(lumps), lumps, of_lumps, equations.form.name)
