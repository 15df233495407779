"""Optimisers by name, their numbers traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import optax


def _matrices(parameters: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.ndim > 1, parameters)


def _adam(numbers: Any) -> optax.GradientTransformation:
    """Adam on the loss plus weight_decay / 2 |W|^2."""
    penalty = optax.add_decayed_weights(numbers["weight_decay"], mask=_matrices)
    return optax.chain(penalty, optax.adam(numbers["rate"]))


def _adamw(numbers: Any) -> optax.GradientTransformation:
    """Adam with decay apart from the gradient (Loshchilov and Hutter 2019)."""
    return optax.adamw(numbers["rate"], weight_decay=numbers["weight_decay"], mask=_matrices)


def _sgd(numbers: Any) -> optax.GradientTransformation:
    """Gradient descent with Nesterov momentum 0.9 on the loss plus weight_decay / 2 |W|^2."""
    penalty = optax.add_decayed_weights(numbers["weight_decay"], mask=_matrices)
    return optax.chain(penalty, optax.sgd(numbers["rate"], momentum=0.9, nesterov=True))


OPTIMISERS: dict[str, Callable[[Any], optax.GradientTransformation]] = {"adam": _adam, "adamw": _adamw, "sgd": _sgd}
"""From the numbers 'rate' and 'weight_decay'. Decay spares biases and normalisation."""
