"""Weights of a blend: how much each component's prediction counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

SUM_TO_ONE = 1e3
"""Weight of the equation sum(w) = 1 beside the normalised data; large enough to hold it, the rest is divided out."""


def simplex_weights(predictions: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Weights >= 0 with sum 1 that minimise the squared error of the blend.

    Non-negative least squares with one heavy equation for the sum (Lawson and Hanson, Solving Least Squares Problems,
    ch. 22: weighting of equality constraints).

    Args:
        predictions: [component, row, quantity] float64, made without having seen these rows.
        truth: [row, quantity] float64.

    Returns:
        [component] float64.
    """
    components = len(predictions)
    matrix = predictions.reshape(components, -1).T
    target = truth.ravel()
    scale = np.sqrt((matrix**2).mean() * len(target)) or 1.0
    matrix = np.vstack([matrix / scale, np.full(components, SUM_TO_ONE)])
    weights, _ = nnls(matrix, np.append(target / scale, SUM_TO_ONE))
    total = weights.sum()
    return weights / total if total > 0 else np.full(components, 1 / components)


def blend(predictions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted mean of predictions.

    Args:
        predictions: [component, row, quantity].
        weights: [component], not necessarily of sum 1.

    Returns:
        [row, quantity].
    """
    return np.tensordot(weights / weights.sum(), predictions, axes=1)


def blended_spread(
    predictions: np.ndarray, spreads: Sequence[np.ndarray | None], weights: np.ndarray
) -> np.ndarray | None:
    """The standard deviation of a mixture of Gaussians: the noise that components tell, and their disagreement.

    Components without a spread of their own say where the mean may lie, and nothing of the noise.

    Args:
        predictions: [component, row, quantity].
        spreads: [component] of [row, quantity] standard deviations, None where a component has none.
        weights: [component], not necessarily of sum 1.

    Returns:
        [row, quantity]; None where no component has a spread and a weight.
    """
    telling = [(spread, weight) for spread, weight in zip(spreads, weights, strict=True) if spread is not None]
    total = sum(weight for _, weight in telling)
    if not total:
        return None
    noise = sum(weight * spread**2 for spread, weight in telling) / total
    disagreement = blend((predictions - blend(predictions, weights)) ** 2, weights)
    return np.sqrt(noise + disagreement)
