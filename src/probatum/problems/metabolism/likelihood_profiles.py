"""Profiles of a likelihood: how far a parameter can move before the best fit of all others becomes significantly worse.

The profile of theta_j is min over all others of -log L with theta_j held (Raue et al., Bioinformatics 25, 1923, 2009).
Its interval ends where 2 (-log L + log L_best) reaches the quantile of chi^2 with one degree of freedom. A parameter
whose profile reaches a bound below that is practically unidentifiable: the data allow every value up to there.

`profile_likelihood` does the same where the likelihood is a quadratic of rate constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

from probatum.problems.metabolism.fisher_scoring import Fit, Optimum, scoring, together
from probatum.problems.metabolism.likelihood import Likelihood
from probatum.problems.metabolism.multistart import Multistart

LEVEL = 0.95
RISE = 0.25
"""Part of the threshold by which a step along a profile should raise it."""
FIRST, SHORTEST, LONGEST = 0.01, 1e-4, 0.1
"""Steps along a profile, parts of the parameter's range."""
MOST_POINTS = 80
REFINED = 3
"""Fits that close in on where a profile meets the threshold."""


@dataclass(frozen=True, eq=False)
class LikelihoodProfile:
    """Of one parameter.

    Attributes:
        id: of the parameter.
        values: where it was held, rising, scaled, [point] float64; the best is among them.
        rises: 2 (log L_best - log L), [point] float64.
        threshold: at which the interval ends.
        lower, upper: ends of the interval, scaled; the bound where it is open.
        open_below, open_above: whether the profile stays below the threshold up to the bound.
    """

    id: str
    values: Float[np.ndarray, " point"]
    rises: Float[np.ndarray, " point"]
    threshold: float
    lower: float
    upper: float
    open_below: bool
    open_above: bool

    @property
    def identifiable(self) -> bool:
        """Whether the data bound the parameter on both sides."""
        return not (self.open_below or self.open_above)


def likelihood_profiles(
    likelihood: Likelihood, found: Multistart, level: float = LEVEL, parameters: Sequence[str] | None = None
) -> tuple[LikelihoodProfile, ...]:
    """Profiles from the best fit.

    Args:
        likelihood: of the problem.
        found: its fits.
        level: of the intervals.
        parameters: whose; by default of all free ones.
    """
    ids = [one.id for one in found.problem.estimated]
    low, high = found.problem.bounds
    threshold = float(chi2.ppf(level, 1))
    chosen = [ids.index(name) for name in (ids if parameters is None else parameters)]
    errors = found.standard_errors
    first = np.where(np.isfinite(errors), np.minimum(errors / 2, FIRST * (high - low)), FIRST * (high - low))
    walks = [_walk(found.best, j, float(side * first[j]), low, high, threshold) for j in chosen for side in (-1.0, 1.0)]
    ended = together(walks, likelihood)
    return tuple(
        _profile(ids[j], float(found.best.parameters[j]), ended[2 * i], ended[2 * i + 1], threshold)
        for i, j in enumerate(chosen)
    )


@dataclass(frozen=True)
class _Walked:
    """One side of a profile: points outwards as (value, rise), its end, and whether it is open."""

    points: tuple[tuple[float, float], ...]
    end: float
    open: bool


def _profile(id: str, best: float, below: _Walked, above: _Walked, threshold: float) -> LikelihoodProfile:
    points = sorted([*below.points, (best, 0.0), *above.points])
    values, rises = np.array(points).T
    return LikelihoodProfile(id, values, rises, threshold, below.end, above.end, below.open, above.open)


def _walk(
    best: Optimum,
    j: int,
    first: float,
    low: Float[np.ndarray, " parameter"],
    high: Float[np.ndarray, " parameter"],
    threshold: float,
) -> Fit[_Walked]:
    """From the best outwards by a first step, then longer or shorter ones, until the threshold or the bound."""
    side, bound, range_ = (1.0, high[j], high[j] - low[j]) if first > 0 else (-1.0, low[j], high[j] - low[j])
    step, points = max(abs(first), SHORTEST * range_), []
    inside, before, rise = best.parameters, best.parameters, 0.0
    while len(points) < MOST_POINTS:
        value = float(inside[j] + side * step)
        value = max(value, bound) if side < 0 else min(value, bound)
        if value == inside[j]:
            return _Walked(tuple(points), bound, True)
        there = yield from _held(_ahead(before, inside, j, value), j, value, low, high)
        new = 2 * (there.loss - best.loss)
        if not new <= threshold:
            crossing = yield from _crossing(inside, rise, value, new, j, low, high, threshold, best.loss)
            return _Walked((*points, *crossing), crossing[-1][0], False)
        points.append((value, new))
        part = abs(new - rise) / threshold
        step *= 2.0 if part < RISE / 2 else 0.5 if part > 2 * RISE else 1.0
        step = min(max(step, SHORTEST * range_), LONGEST * range_)
        before, inside, rise = inside, there.parameters, new
    return _Walked(tuple(points), float(inside[j]), True)


def _crossing(
    inside: Float[np.ndarray, " parameter"], rise: float, outside: float, beyond: float, j: int,
    low: Float[np.ndarray, " parameter"], high: Float[np.ndarray, " parameter"], threshold: float, best: float,
) -> Fit[tuple[tuple[float, float], ...]]:  # fmt: skip
    """Points between the last below the threshold and the first above it; the last one is where it is reached."""
    points = []
    for _ in range(REFINED):
        # The root of the rise is nearly linear there, as the rise is nearly a parabola.
        r0, r1, rt = (np.sqrt(max(x, 0.0)) for x in (rise, beyond if np.isfinite(beyond) else 4 * threshold, threshold))
        share = float(np.clip((rt - r0) / max(r1 - r0, 1e-12), 0.1, 0.9))
        value = float(inside[j] + share * (outside - inside[j]))
        there = yield from _held(_ahead(inside, inside, j, value), j, value, low, high)
        new = 2 * (there.loss - best)
        if new <= threshold:
            points.append((value, new))
            inside, rise = there.parameters, new
        else:
            outside, beyond = value, new
    r0, r1, rt = (np.sqrt(max(x, 0.0)) for x in (rise, beyond if np.isfinite(beyond) else 4 * threshold, threshold))
    share = float(np.clip((rt - r0) / max(r1 - r0, 1e-12), 0.0, 1.0))
    return (*points, (float(inside[j] + share * (outside - inside[j])), threshold))


def _held(
    start: Float[np.ndarray, " parameter"],
    j: int,
    value: float,
    low: Float[np.ndarray, " parameter"],
    high: Float[np.ndarray, " parameter"],
) -> Fit[Optimum]:
    """The best fit with parameter j at a value."""
    lower, upper = low.copy(), high.copy()
    lower[j] = upper[j] = value
    return (yield from scoring(start, lower, upper, most=60))


def _ahead(
    before: Float[np.ndarray, " parameter"], here: Float[np.ndarray, " parameter"], j: int, value: float
) -> Float[np.ndarray, " parameter"]:
    """Where the others will be if they go on as they went."""
    moved = here[j] - before[j]
    start = here + (here - before) * ((value - here[j]) / moved) if moved else here.copy()
    start[j] = value
    return start
