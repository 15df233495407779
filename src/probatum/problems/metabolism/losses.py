"""The exploration's loss, by its coefficients' names.

sum over frames |pred - dc/dt| + sub_diff |relu(f(c) - f(c + d))| + node_L1 mean |MLP_node|
    + sub_norm (f(1) - 1)^2 + k_floor sum relu(tau - log10 k)^2
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from probatum.learning.networks.layers import Array
from probatum.problems.metabolism.networks import Form, MetabolismNetwork, alpha, law, slopes

NUDGE = 0.1
"""d: how much more concentration should not lower a rate."""
TINY = 1e-12
"""Under square roots, so that their slope at 0 is finite."""


class Coefficients(NamedTuple):
    """Of the loss; numbers, traced.

    Attributes:
        sub_diff: of a rate law that falls.
        node_L1: of the size of MLP_node.
        sub_norm: of a scale that is not 1.
        k_floor: of constants below tau.
        tau: log10 k.
    """

    sub_diff: jax.Array | float
    node_L1: jax.Array | float
    sub_norm: jax.Array | float
    k_floor: jax.Array | float
    tau: jax.Array | float


def loss(
    network: MetabolismNetwork, c: Array, targets: Array, ends: Array, form: Form, numbers: Coefficients
) -> jax.Array:
    """The loss of a mini-batch, a number.

    Args:
        network: the model.
        c, targets: concentrations and dc/dt of the batch's frames, [frame, metabolite].
        ends: [2, reaction], as `networks.slopes` takes them.
        form: of the model.
        numbers: coefficients.
    """
    predicted, node = slopes(network, c, ends, form)
    misfit = jnp.sqrt(((predicted - targets) ** 2).sum(axis=1) + TINY).sum()
    falls = jax.nn.relu(law(network, c, form) - law(network, c + NUDGE, form))
    return (
        misfit
        + numbers.sub_diff * jnp.sqrt((falls**2).sum() + TINY)
        + numbers.node_L1 * jnp.abs(node).mean()
        + numbers.sub_norm * (alpha(network) - 1) ** 2
        + numbers.k_floor * (jax.nn.relu(numbers.tau - network.log_k) ** 2).sum()
    )
