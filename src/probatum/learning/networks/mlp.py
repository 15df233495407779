"""The multilayer perceptron: dense layers with normalisation, activation and dropout between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.noise import kept

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "gelu": jax.nn.gelu,
}
OUTPUTS: dict[str, Callable[[jax.Array], jax.Array]] = {"linear": lambda x: x, "sigmoid": jax.nn.sigmoid}
SMALLEST_VARIANCE = 1e-5

Array = jax.Array | np.ndarray
Moments = tuple[Array, Array]


class MLP(eqx.Module):
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

    def __call__(
        self,
        rows: jax.Array,
        weight: jax.Array,
        dropout: tuple[jax.Array, jax.Array] | None = None,
        moments: Sequence[Moments] | None = None,
    ) -> tuple[jax.Array, list[Moments]]:
        """Outputs of a batch.

        Args:
            rows: [row, column] float32, standardised.
            weight: [row] float32; rows of weight 0 do not count in batch statistics.
            dropout: the rate and the uint32 word that its noise derives from; None drops nothing.
            moments: mean and variance of every hidden layer for batch normalisation; None takes the batch's own.

        Returns:
            [row, quantity] float32, and the moments used, one pair of [unit] a hidden layer, [] without batch
            normalisation.
        """
        used: list[Moments] = []
        x = _dense(rows, self.weights[0], self.biases[0])
        for layer in range(1, len(self.weights)):
            if self.norm == "batch":
                used.append(_moments(x, weight) if moments is None else moments[layer - 1])
                mean, variance = used[-1]
                x = (x - mean) * jax.lax.rsqrt(variance + SMALLEST_VARIANCE)
            elif self.norm == "layer":
                mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
                x = (x - mean) * jax.lax.rsqrt(variance + SMALLEST_VARIANCE)
            if self.norm != "none":
                x = x * self.gains[layer - 1] + self.shifts[layer - 1]
            x = ACTIVATIONS[self.activation](x)
            if dropout is not None:
                rate, word = dropout
                x = jnp.where(kept(x.shape, rate, word, layer), x / (1 - rate), 0)
            x = _dense(x, self.weights[layer], self.biases[layer])
        return OUTPUTS[self.output](x), used


def initial_mlp(sizes: Sequence[int], activation: str, norm: str, output: str, generator: np.random.Generator) -> MLP:
    """An untrained perceptron.

    Weights are normal with variance 2 / inputs before a rectifier (He et al. 2015), 1 / inputs elsewhere (LeCun 1998).

    Args:
        sizes: columns, hidden units a layer, quantities.
        activation, norm, output: as in `MLP`.
        generator: where the weights are drawn from.
    """
    weights = []
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        rectified = activation != "tanh" and layer < len(sizes) - 2
        spread = np.sqrt((2.0 if rectified else 1.0) / max(inputs, 1))
        weights.append((spread * generator.standard_normal((inputs, outputs))).astype(np.float32))
    normalised = [] if norm == "none" else sizes[1:-1]
    return MLP(
        weights=weights,
        biases=[np.zeros(units, dtype=np.float32) for units in sizes[1:]],
        gains=[np.ones(units, dtype=np.float32) for units in normalised],
        shifts=[np.zeros(units, dtype=np.float32) for units in normalised],
        activation=activation,
        norm=norm,
        output=output,
    )


def _dense(x: jax.Array, weight: Array, bias: Array) -> jax.Array:
    return jnp.matmul(x, weight, precision=jax.lax.Precision.HIGHEST) + bias


def _moments(x: jax.Array, weight: jax.Array) -> Moments:
    share = (weight / weight.sum())[:, None]
    mean = (share * x).sum(axis=0)
    return mean, (share * (x - mean) ** 2).sum(axis=0)
