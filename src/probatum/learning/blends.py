"""Weights of a blend: how much each component's prediction counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Real
from scipy.optimize import nnls

Weights = Real[np.ndarray, " component"] | Real[np.ndarray, "component quantity"]
SUM_TO_ONE = 1e3
"""Weight of the equation sum(w) = 1 beside the normalised data; large enough to hold it, the rest is divided out."""


def simplex_weights_by_quantity(
    predictions: Real[np.ndarray, "component row quantity"], truth: Real[np.ndarray, "row quantity"]
) -> Float[np.ndarray, "component quantity"]:
    """`simplex_weights` of each quantity alone, [component, quantity]."""
    quantities = range(truth.shape[1])
    return np.stack([simplex_weights(predictions[:, :, [q]], truth[:, [q]]) for q in quantities], axis=1)


def simplex_weights(
    predictions: Real[np.ndarray, "component row quantity"], truth: Real[np.ndarray, "row quantity"]
) -> Float[np.ndarray, " component"]:
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


def blend(
    predictions: Real[np.ndarray, "component row quantity"], weights: Weights
) -> Float[np.ndarray, "row quantity"]:
    """The weighted mean of predictions.

    Args:
        predictions: [component, row, quantity].
        weights: [component], or [component, quantity] where every quantity has its own; not necessarily of sum 1.

    Returns:
        [row, quantity].
    """
    shares = weights / weights.sum(axis=0)
    if shares.ndim == 1:
        return np.tensordot(shares, predictions, axes=1)
    return np.einsum("cq,crq->rq", shares, predictions)


def blended_spread(
    predictions: Real[np.ndarray, "component row quantity"],
    spreads: Sequence[Real[np.ndarray, "row quantity"] | None],
    weights: Weights,
) -> Float[np.ndarray, "row quantity"] | None:
    """The standard deviation of a mixture of Gaussians: the noise that components tell, and their disagreement.

    Components without a spread of their own say where the mean may lie, and nothing of the noise.

    Args:
        predictions: [component, row, quantity].
        spreads: [component] of [row, quantity] standard deviations, None where a component has none.
        weights: as in `blend`.

    Returns:
        [row, quantity]; None where a quantity has no component with a spread and a weight.
    """
    known = [number for number, spread in enumerate(spreads) if spread is not None]
    if not known or not weights[known].sum(axis=0).all():
        return None
    noise = blend(np.square([spread for spread in spreads if spread is not None]), weights[known])
    disagreement = blend((predictions - blend(predictions, weights)) ** 2, weights)
    return np.sqrt(noise + disagreement)
