"""The multilayer perceptron: dense layers with normalisation, activation and dropout between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import equinox as eqx
import jax
import numpy as np

from probatum.learning.networks.layers import (
    Array,
    Norm,
    before,
    dense,
    initial_dense,
)
from probatum.learning.networks.network import ForwardPass, Network

OUTPUTS: dict[str, Callable[[jax.Array], jax.Array]] = {"linear": lambda x: x, "sigmoid": jax.nn.sigmoid}


class MLP(Network):
    """x -> dense -> (normalise -> activate -> drop -> dense)* -> output.

    Attributes:
        weights: a layer, [inputs, outputs] float32.
        biases: a layer, [outputs] float32.
        gains, shifts: a hidden layer, [unit] float32, of its normalisation; empty without one.
        activation, norm, output: names of what stands between layers and at the end.
    """

    weights: list[Array]
    biases: list[Array]
    gains: list[Array]
    shifts: list[Array]
    activation: str = eqx.field(static=True)
    norm: str = eqx.field(static=True)
    output: str = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        x = dense(rows, self.weights[0], self.biases[0])
        for layer in range(1, len(self.weights)):
            if self.norm != "none":
                x = forward.normalise(Norm(self.gains[layer - 1], self.shifts[layer - 1], self.norm), x)
            x = forward.drop(forward.activate(self.activation, x))
            x = dense(x, self.weights[layer], self.biases[layer])
        return OUTPUTS[self.output](x)


def initial_mlp(sizes: Sequence[int], activation: str, norm: str, output: str, generator: np.random.Generator) -> MLP:
    """An untrained perceptron.

    Weights are normal with variance 2 / inputs before a rectifier (He et al. 2015), 1 / inputs elsewhere (LeCun 1998).

    Args:
        sizes: columns, hidden units a layer, quantities.
        activation, norm, output: as in `MLP`.
        generator: where the weights are drawn from.
    """
    layers = [
        initial_dense(inputs, outputs, generator, before(activation) if layer < len(sizes) - 2 else 1.0)
        for layer, (inputs, outputs) in enumerate(pairwise(sizes))
    ]
    normalised = [] if norm == "none" else sizes[1:-1]
    return MLP(
        weights=[layer.weight for layer in layers],
        biases=[layer.bias for layer in layers],
        gains=[np.ones(units, dtype=np.float32) for units in normalised],
        shifts=[np.zeros(units, dtype=np.float32) for units in normalised],
        activation=activation,
        norm=norm,
        output=output,
    )
