"""A mixture of experts: perceptrons whose answers a gate weighs row by row, all of them computed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.networks.layers import (
    Array,
    Dense,
    Norm,
    before,
    initial_dense,
    initial_norm,
)
from probatum.learning.networks.network import ForwardPass, Network


class MixtureOfExperts(Network):
    """sum_e softmax_e(G x) f_e(x) with perceptrons f_e (Jacobs et al. 1991).

    Attributes:
        gate: from columns to experts.
        weights: a layer, [expert, inputs, outputs] float32.
        biases: a layer, [expert, outputs] float32.
        norms: a hidden layer, of [expert, unit].
        activation: its name.
    """

    gate: Dense
    weights: list[Array]
    biases: list[Array]
    norms: list[Norm]
    activation: str = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        high = jax.lax.Precision.HIGHEST
        x = jnp.einsum("ri,eio->reo", rows, self.weights[0], precision=high) + self.biases[0]
        for norm, matrix, bias in zip(self.norms, self.weights[1:], self.biases[1:], strict=True):
            hidden = forward.normalise(norm, x)
            # Side by side, so that experts are dropped, and seen to be dead, apart.
            flat = forward.drop(forward.activate(self.activation, hidden.reshape(len(rows), -1)))
            x = flat.reshape(hidden.shape)
            x = jnp.einsum("rei,eio->reo", x, matrix, precision=high) + bias
        return (self.shares(rows)[..., None] * x).sum(axis=1)

    def shares(self, rows: jax.Array) -> jax.Array:
        """What each expert counts for, [row, expert]; a row sums to 1."""
        return jax.nn.softmax(self.gate(rows), axis=1)


def initial_mixture_of_experts(
    sizes: Sequence[int],
    experts: int,
    activation: str,
    norm: str,
    generator: np.random.Generator,
) -> MixtureOfExperts:
    """An untrained mixture whose experts differ and count nearly the same.

    Args:
        sizes: columns, hidden units a layer of each expert, outputs.
        experts: how many.
        activation, norm: names.
        generator: where the weights are drawn from.
    """
    layers = [
        [
            initial_dense(inputs, outputs, generator, before(activation) if layer < len(sizes) - 2 else 1.0)
            for _ in range(experts)
        ]
        for layer, (inputs, outputs) in enumerate(pairwise(sizes))
    ]
    return MixtureOfExperts(
        gate=initial_dense(sizes[0], experts, generator, gain=1e-2),
        weights=[np.stack([np.asarray(dense.weight) for dense in layer]) for layer in layers],
        biases=[np.stack([np.asarray(dense.bias) for dense in layer]) for layer in layers],
        norms=[initial_norm((experts, units), norm) for units in sizes[1:-1]],
        activation=activation,
    )
