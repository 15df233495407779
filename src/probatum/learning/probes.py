"""What is watched inside a training, for next to nothing: scores, gradients, changes, numbers that are not finite.

Gradients are those of an epoch's last mini-batch, which the step computes anyway; the rest is looked at once an epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.parameters import layers

TRAINING, VALIDATION = "training loss", "validation loss"
GRADIENT, CHANGE, NOT_FINITE = "gradient norm", "relative change", "not finite"
DEAD = "dead units"
FREE_SCALE = "free scale"
"""Before the name of a part whose scale another part can make up for, as a curve that ends at 1 where it is pinned."""


def probed(before: Any, after: Any, gradient: Any) -> dict[str, jax.Array]:
    """What an epoch did to a network.

    Args:
        before, after: networks at its start and end.
        gradient: of its last mini-batch, shaped as the network.

    Returns:
        'gradient norm' [layer]; 'relative change' [layer], |after - before| / |before|; 'not finite', how many
        parameters are NaN or infinite.
    """
    change = jax.tree.map(jnp.subtract, after, before)
    not_finite = [leaf.size - jnp.isfinite(leaf).sum() for leaf in jax.tree.leaves(after)]
    return {
        GRADIENT: _norms(gradient),
        CHANGE: _norms(change) / (_norms(before) + 1e-30),
        NOT_FINITE: jnp.stack(not_finite).sum().astype(jnp.float32),
    }


def named(curves: Mapping[str, np.ndarray], network: Any) -> dict[str, np.ndarray]:
    """Curves [epoch] by name, those of [epoch, layer] taken apart: 'gradient norm weights.0'."""
    apart: dict[str, np.ndarray] = {}
    for name, values in curves.items():
        if values.ndim == 1:
            apart[name] = values
        else:
            apart |= {f"{name} {layer}": values[:, place] for place, layer in enumerate(layers(network))}
    return apart


def divergence(epoch: int) -> str:
    """What is said of a training whose loss or parameters stopped being finite."""
    return f"the training diverged at epoch {epoch}; lower the rate"


def largest_activations(network: Any, rows: jax.Array, weight: jax.Array) -> list[jax.Array]:
    """The largest size of every hidden unit over the rows of weight above 0, a layer [unit]; [] if there are none.

    A network shows its units by a method `activations(rows, weight) -> list of [row, unit]`.
    """
    if not hasattr(network, "activations"):
        return []
    return [jnp.where(weight[:, None] > 0, jnp.abs(x), 0).max(axis=0) for x in network.activations(rows, weight)]


def dead_share(largest: Sequence[jax.Array]) -> jax.Array:
    """The share of hidden units that give 0 for every training row; NaN where no units are shown.

    Args:
        largest: of `largest_activations` over all training rows.
    """
    return (jnp.concatenate(largest) == 0).mean(dtype=jnp.float32) if largest else jnp.full((), jnp.nan)


def _norms(tree: Any) -> jax.Array:
    leaves = jax.tree.leaves(tree)
    squares = [sum((leaves[place] ** 2).sum() for place in places) for places in layers(tree).values()]
    return jnp.sqrt(jnp.stack(squares)) if squares else jnp.zeros((0,))
