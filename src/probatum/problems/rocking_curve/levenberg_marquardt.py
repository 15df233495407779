"""Levenberg and Marquardt's method for least squares within a box, with a Jacobian that comes with the residuals.

Each step solves (J'J + mu D) p = -J'r with D the largest diagonal of J'J seen so far, for the coordinates that are not
held at a bound by the gradient; mu follows the ratio of the gained to the predicted decrease (Nielsen, 1999). Moré's
scaling by D makes the method indifferent to the coordinates' units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from probatum.problems.rocking_curve.diffraction_kernel import compiled

Residuals = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From a point [n] to residuals [m] and their derivatives [n, m]."""
_SMALLEST_MU, _LARGEST_MU = 1e-12, 1e10


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a search ended.

    Attributes:
        point: [n] within the box.
        cost: sum of squared residuals there.
        normal: [n, n] J'J there.
        evaluations: of residuals with their derivatives.
    """

    point: np.ndarray
    cost: float
    normal: np.ndarray
    evaluations: int


def minimise(
    residuals: Residuals,
    start: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    most: int = 50,
    tolerance: float = 1e-4,
    mu: float = 1e-2,
) -> Minimum:
    """Searches from one start.

    Args:
        residuals: of a point.
        start: [n], moved into the box.
        low, high: [n] the box.
        most: evaluations.
        tolerance: ends when a step is expected to lower the cost by less than this share of it.
        mu: of the first step; 1e-2 for a start that may be far, less for one that is near.
    """
    point = np.clip(start, low, high)
    r, J = residuals(point)
    cost, evaluations, grow = float(r @ r), 1, 2.0
    normal, gradient = J @ J.T, J @ r
    scale = np.maximum(normal.diagonal(), 1e-12)
    while evaluations < most:
        step, cut = _step(normal, gradient, scale, mu, point, low, high)
        predicted = -float(step @ (2 * gradient + normal @ step))
        if predicted <= tolerance * cost + 1e-300:
            if not cut or mu > _LARGEST_MU:
                break
            # A step that a bound cuts short may lead uphill; shorter ones turn to where the cost falls.
            mu, grow = mu * grow, 2 * grow
            continue
        r, J = residuals(point + step)
        evaluations += 1
        new_cost = float(r @ r)
        ratio = (cost - new_cost) / predicted if np.isfinite(new_cost) else -1.0
        if ratio > 1e-4:
            point, cost = np.clip(point + step, low, high), new_cost
            normal, gradient = J @ J.T, J @ r
            scale = np.maximum(scale, normal.diagonal())
            mu, grow = max(mu * max(1 / 3, 1 - (2 * ratio - 1) ** 3), _SMALLEST_MU), 2.0
        else:
            mu, grow = mu * grow, 2 * grow
            if mu > _LARGEST_MU:
                break
    return Minimum(point, cost, normal, evaluations)


@compiled
def _step(
    normal: np.ndarray,
    gradient: np.ndarray,
    scale: np.ndarray,
    mu: float,
    point: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[np.ndarray, bool]:
    """The step within the box, and whether a bound cuts it short: coordinates held at a bound by the gradient stay,
    those that would leave go to their bound, and the others are solved for again."""
    n, cut = len(point), False
    step, free = np.zeros(n), np.ones(n, dtype=np.bool_)
    for i in range(n):
        if (point[i] <= low[i] and gradient[i] > 0) or (point[i] >= high[i] and gradient[i] < 0):
            free[i] = False
    for _ in range(n):
        places = np.flatnonzero(free)
        if len(places) == 0:
            break
        A, b = np.empty((len(places), len(places))), np.empty(len(places))
        for row, i in enumerate(places):
            b[row] = -gradient[i]
            for j in range(n):
                if not free[j]:
                    b[row] -= normal[i, j] * step[j]
            for column, j in enumerate(places):
                A[row, column] = normal[i, j]
            A[row, row] += mu * scale[i] + 1e-14 * normal[i, i] + 1e-300
        solved = np.linalg.solve(A, b)
        out = False
        for row, i in enumerate(places):
            step[i] = solved[row]
            if not low[i] <= point[i] + step[i] <= high[i]:
                step[i] = min(max(point[i] + step[i], low[i]), high[i]) - point[i]
                free[i], out, cut = False, True, True
        if not out:
            break
    return step, cut
