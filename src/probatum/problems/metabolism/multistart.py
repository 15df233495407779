"""Multistart maximum likelihood: fits from many starts, the waterfall of their ends, errors at the best.

Starts are a Latin hypercube over the bounds, on the parameters' own scales (Raue et al., PLOS ONE 8, e74335, 2013).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.stats import qmc

from probatum.errors import FitError
from probatum.problems.metabolism.fisher_scoring import Asked, Fit, Optimum, Told, scoring, together
from probatum.problems.metabolism.likelihood import Likelihood
from probatum.problems.metabolism.petab_problem import PetabProblem, linear

STARTS = 48
CANDIDATES = 10
"""Points that are looked at for each start: many have courses in which nothing happens, and no slope to follow."""
SAME = 0.1
"""Ends whose log-likelihoods differ by less are the same."""
AT_BOUND = 1e-3
"""Part of its range within which a parameter counts as at its bound."""
FLAT = 1e-6
"""Relative to the largest: directions of the scaled information below this are not determined."""
DIFFERENCE = 1e-4
"""Part of a parameter's range over which the gradient is differenced."""
FEW_EVALUATIONS = 30
"""Of a start, before the better half of those that have not ended goes on: what creeps on ends at worse optima."""


@dataclass(frozen=True, eq=False)
class Multistart:
    """Fits from many starts.

    Attributes:
        problem: that was fitted.
        ends: of all starts, the best first.
        information: observed, second derivatives of -log L at the best, [parameter, parameter] float64; 0 for what is
            at a bound.
    """

    problem: PetabProblem
    ends: tuple[Optimum, ...]
    information: Float[np.ndarray, "parameter parameter"]

    @property
    def best(self) -> Optimum:
        """The end with the largest likelihood."""
        return self.ends[0]

    @property
    def log_likelihood(self) -> float:
        """At the best."""
        return -self.best.loss

    @cached_property
    def values(self) -> Float[np.ndarray, " parameter"]:
        """Estimates, linear, [parameter] float64."""
        scales = [one.scale for one in self.problem.estimated]
        return np.array([linear(x, scale) for x, scale in zip(self.best.parameters, scales, strict=True)])

    @property
    def waterfall(self) -> Float[np.ndarray, " start"]:
        """Log-likelihoods of the ends, falling, [start] float64; minus infinity where the start failed."""
        return -np.array([end.loss for end in self.ends])

    @property
    def found_again(self) -> int:
        """Starts that ended at the best log-likelihood."""
        return int((self.waterfall >= self.log_likelihood - SAME).sum())

    @cached_property
    def at_bound(self) -> tuple[str | None, ...]:
        """For each free parameter 'lower', 'upper' or None."""
        return _at_bound(self.best.parameters, *self.problem.bounds)

    @cached_property
    def standard_errors(self) -> Float[np.ndarray, " parameter"]:
        """From the observed information, on the parameters' scales, [parameter] float64.

        Those at a bound are held, as no Gaussian describes them: not a number. Infinite where -log L is flat, or not
        curved upwards, in a direction that moves the parameter, or so little that the error is wider than the bounds.
        """
        found = np.full(len(self.at_bound), np.nan)
        free = np.array([i for i, bound in enumerate(self.at_bound) if bound is None], dtype=np.int64)
        if not len(free):
            return found
        information = self.information[np.ix_(free, free)]
        size = np.sqrt(np.maximum(np.diag(information), 0.0))
        unit = np.where(size > 0, size, 1.0)
        values, vectors = np.linalg.eigh(information / np.outer(unit, unit))
        flat = values <= FLAT * max(values[-1], 1e-300)
        variance = (vectors[:, ~flat] ** 2 / values[~flat]).sum(axis=1)
        lost = (np.abs(vectors[:, flat]) > 1e-3).any(axis=1) | (size == 0)
        found[free] = np.where(lost, np.inf, np.sqrt(variance) / unit)
        low, high = self.problem.bounds
        found[found > high - low] = np.inf
        return found


def multistart(likelihood: Likelihood, starts: int = STARTS, seed: int = 0, with_nominal: bool = False) -> Multistart:
    """Fits a problem from many starts.

    Args:
        likelihood: of the problem.
        starts: how many.
        seed: of the starts.
        with_nominal: whether one start is the nominal parameters.

    Raises:
        FitError: the model can be simulated from no start.
    """
    problem = likelihood.problem
    low, high = problem.bounds
    cube = qmc.LatinHypercube(len(low), rng=np.random.default_rng(seed)).random(CANDIDATES * starts)
    candidates = together((_tried(point, low, high) for point in low + cube * (high - low)), likelihood)
    losses = np.array([one.loss if one.finite else np.inf for one in candidates])
    points = [candidates[i].parameters for i in np.argsort(losses, kind="stable")[:starts]]
    if with_nominal:
        points[:0] = [np.clip(problem.nominal, low, high)]
    ends = together((scoring(point, low, high, FEW_EVALUATIONS) for point in points), likelihood)
    ends.sort(key=lambda end: end.loss)
    open_ = [i for i, end in enumerate(ends[: (len(ends) + 1) // 2]) if np.isfinite(end.loss) and not end.converged]
    goes_on = (scoring(ends[i].parameters, low, high) for i in open_)
    for i, end in zip(open_, together(goes_on, likelihood), strict=True):
        ends[i] = replace(end, evaluations=end.evaluations + ends[i].evaluations)
    ends.sort(key=lambda end: end.loss)
    if not np.isfinite(ends[0].loss):
        raise FitError(
            f"the model can be simulated from none of {len(points)} starts",
            where=problem.name,
            remedy="narrow the bounds of the parameters, or check the signs of the rate laws",
        )
    return Multistart(problem, tuple(ends), _observed_information(likelihood, ends[0].parameters))


def _observed_information(
    likelihood: Likelihood, best: Float[np.ndarray, " parameter"]
) -> Float[np.ndarray, "parameter parameter"]:
    """Central differences of the gradient, for what is at no bound."""
    low, high = likelihood.problem.bounds
    free = [i for i, bound in enumerate(_at_bound(best, low, high)) if bound is None]
    steps = DIFFERENCE * (high - low)

    def moved(i: int, side: float) -> Float[np.ndarray, " parameter"]:
        point = best.copy()
        point[i] += side * steps[i]
        return point

    points = [moved(i, side) for i in free for side in (1.0, -1.0)]
    # A point that is its own bounds keeps its noise parameters, too.
    told = together((_tried(point, point, point) for point in points), likelihood)
    found = np.zeros((len(best), len(best)))
    for place, i in enumerate(free):
        found[i, free] = (told[2 * place].gradient - told[2 * place + 1].gradient)[free] / (2 * steps[i])
    return (found + found.T) / 2


def _at_bound(
    parameters: Float[np.ndarray, " parameter"],
    low: Float[np.ndarray, " parameter"],
    high: Float[np.ndarray, " parameter"],
) -> tuple[str | None, ...]:
    reach = AT_BOUND * (high - low)
    return tuple(
        "lower" if near_low else "upper" if near_high else None
        for near_low, near_high in zip(parameters - low <= reach, high - parameters <= reach, strict=True)
    )


def _tried(
    point: Float[np.ndarray, " parameter"],
    lower: Float[np.ndarray, " parameter"],
    upper: Float[np.ndarray, " parameter"],
) -> Fit[Told]:
    """One evaluation."""
    return (yield Asked(point, lower, upper))
