"""An evolution strategy with covariance matrix adaptation: a minimum without gradients.

N. Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772, with its default parameters but a larger
population: heights are cheap. Heights are not smooth, and many points are computed at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

GENERATIONS = 4000
"""At most."""
CONVERGED = 1e-9
"""Ends when steps are below this."""
WIDEST = 1e5
"""It also ends when they are above this; coordinates are cut there."""


def minimum(
    values_at: Callable[[Float[np.ndarray, "point coordinate"]], Float[np.ndarray, " point"]],
    d: int,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, " coordinate"], float]:
    """The lowest point met on the way from a random start.

    Args:
        values_at: from [point, d] float64 to [point] float64; infinite and not-a-number values are worse than all.
        d: coordinates, 1 or more.
        rng: of start and steps.

    Returns:
        [d] float64, and its value.
    """
    population = 4 * (4 + int(3 * np.log(d)))
    parents = population // 2
    weights = np.log(parents + 0.5) - np.log(np.arange(1, parents + 1))
    weights /= weights.sum()
    effective = 1 / (weights**2).sum()
    path_rate = (4 + effective / d) / (d + 4 + 2 * effective / d)
    step_rate = (effective + 2) / (d + effective + 5)
    one_rate = 2 / ((d + 1.3) ** 2 + effective)
    many_rate = min(1 - one_rate, 2 * (effective - 2 + 1 / effective) / ((d + 2) ** 2 + effective))
    damping = 1 + 2 * max(0.0, np.sqrt((effective - 1) / (d + 1)) - 1) + step_rate
    expected = np.sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d * d))

    mean, step = rng.normal(size=d), 0.5
    covariance, path, step_path = np.eye(d), np.zeros(d), np.zeros(d)
    best, lowest = mean, np.inf
    for generation in range(1, GENERATIONS + 1):
        values, axes = np.linalg.eigh(covariance)
        scales = np.sqrt(np.maximum(values, 1e-30))
        moves = (rng.normal(size=(population, d)) * scales) @ axes.T
        points = _usable(mean + step * moves)
        found = values_at(points)
        order = np.argsort(found)
        if found[order[0]] < lowest:
            best, lowest = points[order[0]], float(found[order[0]])
        chosen = moves[order[:parents]]
        shift = weights @ chosen
        mean = mean + step * shift
        white = axes @ ((axes.T @ shift) / scales)
        step_path = (1 - step_rate) * step_path + np.sqrt(step_rate * (2 - step_rate) * effective) * white
        length = np.linalg.norm(step_path)
        steady = length / np.sqrt(1 - (1 - step_rate) ** (2 * generation)) < (1.4 + 2 / (d + 1)) * expected
        path = (1 - path_rate) * path + steady * np.sqrt(path_rate * (2 - path_rate) * effective) * shift
        kept = 1 - one_rate - many_rate + (not steady) * one_rate * path_rate * (2 - path_rate)
        covariance = kept * covariance + one_rate * np.outer(path, path) + many_rate * (chosen.T * weights) @ chosen
        step *= np.exp(step_rate / damping * (length / expected - 1))
        size = step * scales.max()
        if size < CONVERGED or size > WIDEST:
            break
    return best, lowest


def _usable(points: Float[np.ndarray, "point coordinate"]) -> Float[np.ndarray, "point coordinate"]:
    """Points within reach; steps grow without end where the value does not depend on a scale."""
    return np.clip(np.where(np.abs(points) < 1 / WIDEST**2, 0.0, points), -WIDEST, WIDEST)
