"""Draws of the seven parameters, uniform over all that keeps the ranges and constraints of `profile`, none rejected.

The constraints tie (Dmax1, D01, D02) together, (L1, Rp1, L2) together, and Rp2 to nothing. Given D01 the other two
strains are independent and uniform, given L1 so are Rp1 and L2, and Rp2 always is. What is left are the densities of
D01 and L1: products of the lengths of those intervals, piecewise quadratic, whose distribution functions are inverted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Real

from probatum.problems.rocking_curve.profile import HIGH, LARGEST_AT_SURFACE, LOW


def draw(count: int, generator: np.random.Generator) -> Float[np.ndarray, "{count} 7"]:
    """Independent draws: [count, 7] float64 in the order of `profile.PARAMETERS`."""
    return from_unit_cube(generator.random((count, 7)))


def from_unit_cube(points: Real[np.ndarray, "*batch 7"]) -> Float[np.ndarray, "*batch 7"]:
    """The map of the unit cube onto the prior that takes uniform points to uniform ones.

    Args:
        points: [..., 7] float64 in 0..1; a regular grid or a Sobol sequence serves as well as random numbers.

    Returns:
        [..., 7] float64.
    """
    u = np.moveaxis(np.asarray(points, dtype=np.float64), -1, 0)
    D01 = _inverse(u[1], _strain_room, (LOW[1], LOW[0], LARGEST_AT_SURFACE - LOW[4]))
    L1 = _inverse(u[2], _depth_room, (LOW[2], HIGH[5], HIGH[3], HIGH[2]))
    intervals = [_strains_given(D01), _depths_given(L1)]
    (Dmax1, D02), (Rp1, L2) = (
        [low + part * (high - low) for part, (low, high) in zip(parts, interval, strict=True)]
        for parts, interval in zip(((u[0], u[4]), (u[3], u[5])), intervals, strict=True)
    )
    return np.stack([Dmax1, D01, L1, Rp1, D02, L2, LOW[6] + u[6] * (HIGH[6] - LOW[6])], axis=-1)


Values = Float[np.ndarray, "*batch"] | np.floating[Any]
"""Of one parameter at all points; numpy makes a number of one point's."""
Interval = tuple[Values, Values]


def _strains_given(D01: Values) -> tuple[Interval, Interval]:
    """Intervals of Dmax1 and of D02."""
    Dmax1 = np.maximum(D01, LOW[0]), np.full_like(D01, HIGH[0])
    # The lower end is repeated where rounding would put the upper one below it.
    D02 = np.full_like(D01, LOW[4]), np.maximum(np.minimum(LARGEST_AT_SURFACE - D01, HIGH[4]), LOW[4])
    return Dmax1, D02


def _depths_given(L1: Values) -> tuple[Interval, Interval]:
    """Intervals of Rp1 and of L2."""
    Rp1 = np.full_like(L1, LOW[3]), np.minimum(L1, HIGH[3])
    return Rp1, (np.full_like(L1, LOW[5]), np.minimum(L1, HIGH[5]))


def _strain_room(D01: Float[np.ndarray, " piece"]) -> Float[np.ndarray, " piece"]:
    return np.prod([high - low for low, high in _strains_given(D01)], axis=0)


def _depth_room(L1: Float[np.ndarray, " piece"]) -> Float[np.ndarray, " piece"]:
    return np.prod([high - low for low, high in _depths_given(L1)], axis=0)


def _inverse(
    probability: Values,
    density: Callable[[Float[np.ndarray, " piece"]], Float[np.ndarray, " piece"]],
    knots: tuple[float, ...],
) -> Values:
    """Where the distribution function of a density, quadratic between the knots, takes these values."""
    low, high = np.array(knots[:-1]), np.array(knots[1:])
    # Through three points of each piece; Simpson's rule is exact for it.
    left, middle, right = density(low), density((low + high) / 2), density(high)
    slope, bend = -3 * left + 4 * middle - right, 2 * (left - 2 * middle + right)
    areas = (high - low) * (left + 4 * middle + right) / 6
    target = probability * areas.sum()
    before = np.concatenate([[0.0], np.cumsum(areas)])
    piece = np.clip(np.searchsorted(before, target, side="right") - 1, 0, len(areas) - 1)
    wanted = (target - before[piece]) / (high - low)[piece]
    # The share t of the piece with left t + slope t^2 / 2 + bend t^3 / 3 = wanted, by bisection to the last bit.
    below, above = np.zeros_like(target), np.ones_like(target)
    for _ in range(54):
        t = (below + above) / 2
        short = t * (left[piece] + t * (slope[piece] / 2 + t * bend[piece] / 3)) < wanted
        below, above = np.where(short, t, below), np.where(short, above, t)
    return np.minimum(low[piece] + (high - low)[piece] * (below + above) / 2, high[piece])
