"""Maximum likelihood between bounds by damped Fisher scoring, many fits in lockstep.

A step solves (F + mu D) d = -g for the parameters that are free: F the expected information, g the gradient of -log L,
D the diagonal of F (Marquardt's damping), at least the information that makes a tenth of the range one standard error,
and mu by Nielsen's rule (IMM-REP-1999-05). Without that floor steps run off along what the data do not see. A parameter
at its bound is held there while the gradient pushes it out.

A fit is a generator: it yields the point that it wants evaluated, and is sent the likelihood there. So fits of any
length fill the lanes of one compiled program, and a fit that ends leaves its lane to the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Float

from probatum.problems.metabolism.likelihood import Point

MOST_EVALUATIONS = 150
LONGEST = 0.1
"""Part of a parameter's range that one step may take."""
SETTLED = 1e-6
"""A step that can lower -log L by no more than this ends a fit."""


class Asked(NamedTuple):
    """A point to be evaluated: parameters and bounds, all [parameter] float64, scaled."""

    parameters: Float[np.ndarray, " parameter"]
    lower: Float[np.ndarray, " parameter"]
    upper: Float[np.ndarray, " parameter"]


class Told(NamedTuple):
    """The likelihood at a point: as `Point`, without lanes."""

    parameters: Float[np.ndarray, " parameter"]
    loss: float
    gradient: Float[np.ndarray, " parameter"]
    information: Float[np.ndarray, "parameter parameter"]

    @property
    def finite(self) -> bool:
        """Whether the model could be simulated, with its derivatives."""
        return bool(np.isfinite(self.loss) and np.isfinite(self.gradient).all() and np.isfinite(self.information).all())


@runtime_checkable
class Evaluation(Protocol):
    """What evaluates points, `width` at once: `likelihood.Likelihood`."""

    @property
    def width(self) -> int: ...

    def __call__(
        self,
        parameters: Float[np.ndarray, "lane parameter"],
        lower: Float[np.ndarray, "lane parameter"],
        upper: Float[np.ndarray, "lane parameter"],
    ) -> Point: ...


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where a fit ended.

    Attributes:
        parameters: [parameter] float64, scaled.
        loss: -log L; infinite where the model could not be simulated at the start.
        gradient: [parameter] float64.
        information: expected information, [parameter, parameter] float64.
        evaluations: it took.
        converged: whether it ended by itself.
    """

    parameters: Float[np.ndarray, " parameter"]
    loss: float
    gradient: Float[np.ndarray, " parameter"]
    information: Float[np.ndarray, "parameter parameter"]
    evaluations: int
    converged: bool


Result = TypeVar("Result")
Fit = Generator[Asked, Told, Result]


def scoring(
    start: Float[np.ndarray, " parameter"],
    lower: Float[np.ndarray, " parameter"],
    upper: Float[np.ndarray, " parameter"],
    most: int = MOST_EVALUATIONS,
) -> Fit[Optimum]:
    """One fit; parameters whose bounds are equal are held.

    Args:
        start, lower, upper: [parameter], scaled.
        most: evaluations it may take.
    """
    here = yield Asked(np.clip(start, lower, upper), lower, upper)
    evaluations, count = 1, len(start)
    if not here.finite:
        return Optimum(here.parameters, np.inf, np.full(count, np.nan), np.full((count, count), np.nan), 1, False)
    range_ = np.where(upper > lower, upper - lower, 1.0)
    floor, mu, growth = (0.1 * range_) ** -2, 1e-3, 2.0
    converged = False
    while evaluations < most:
        step = _step(here, lower, upper, mu * np.maximum(np.diag(here.information), floor))
        step = step / max(1.0, float(np.abs(step / range_).max()) / LONGEST)
        wanted = np.clip(here.parameters + step, lower, upper)
        taken = wanted - here.parameters
        expected = -float(here.gradient @ taken + taken @ here.information @ taken / 2)
        if not taken.any() or (mu <= 1e-2 and abs(expected) < SETTLED):
            converged = True
            break
        there = yield Asked(wanted, lower, upper)
        evaluations += 1
        gain = here.loss - there.loss if there.finite else -np.inf
        if gain > 0:
            ratio = gain / max(expected, 1e-300)
            settled = gain < SETTLED and abs(expected) < SETTLED
            here, growth = there, 2.0
            mu = max(mu * max(1 / 3, 1 - (2 * min(ratio, 1.0) - 1) ** 3), 1e-9)
            if settled:
                converged = True
                break
        else:
            mu, growth = mu * growth, growth * 2
            if mu > 1e12 or (abs(expected) < SETTLED and gain > -SETTLED):
                converged = True
                break
    return Optimum(here.parameters, here.loss, here.gradient, here.information, evaluations, converged)


def _step(
    here: Told,
    lower: Float[np.ndarray, " parameter"],
    upper: Float[np.ndarray, " parameter"],
    damping: Float[np.ndarray, " parameter"],
) -> Float[np.ndarray, " parameter"]:
    """The damped step, parameters that it would push out of their bounds held one after the other."""
    held = lower >= upper
    held |= (here.parameters <= lower) & (here.gradient > 0)
    held |= (here.parameters >= upper) & (here.gradient < 0)
    step = np.zeros(len(lower))
    free = np.flatnonzero(~held)
    if len(free):
        matrix = here.information[np.ix_(free, free)] + np.diag(damping[free])
        step[free] = np.linalg.lstsq(matrix, -here.gradient[free], rcond=None)[0]
    return step


def together(fits: Iterable[Fit[Result]], evaluate: Evaluation) -> list[Result]:
    """Runs fits, as many at once as the evaluation has lanes; results in the order of the fits."""
    waiting = deque(enumerate(fits))
    found: dict[int, Result] = {}
    running: dict[int, tuple[Fit[Result], Asked]] = {}
    while waiting or running:
        while waiting and len(running) < evaluate.width:
            place, fit = waiting.popleft()
            try:
                running[place] = fit, next(fit)
            except StopIteration as end:
                found[place] = end.value
        if not running:
            continue
        places = list(running)
        point = evaluate(*(np.stack(column) for column in zip(*(running[place][1] for place in places), strict=True)))
        for lane, place in enumerate(places):
            fit, _ = running[place]
            told = Told(point.parameters[lane], float(point.loss[lane]), point.gradient[lane], point.information[lane])
            try:
                running[place] = fit, fit.send(told)
            except StopIteration as end:
                found[place] = end.value
                del running[place]
    return [found[place] for place in sorted(found)]
