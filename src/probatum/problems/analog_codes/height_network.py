"""A perceptron with one ordered head: log2 of all heights of a code, which never fall from one m to the next."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.networks.layers import Dense, before, initial_dense
from probatum.learning.networks.network import ForwardPass, Network
from probatum.learning.networks.ordered import increasing, ordered

LAST_GAIN = 0.05
"""Variance of the last layer's weights times its inputs: a training begins near the mean heights."""


class HeightNetwork(Network):
    """columns -> dense -> activate -> (+ activate(dense)) * -> dense -> ordered heights.

    Attributes:
        stem: into the hidden units.
        blocks: each adds its activated output to what came in.
        head: one number for each m.
        heights: n - k.
        activation: its name.
        from_zero: whether all heights are at least 0 (log2 heights), or begin anywhere (standardised ones).
        asked: whether `heights` columns at the end of the inputs choose one m (1 there, 0 elsewhere), which alone is
            given; else all are.
    """

    stem: Dense
    blocks: list[Dense]
    head: Dense
    heights: int = eqx.field(static=True)
    activation: str = eqx.field(static=True)
    from_zero: bool = eqx.field(static=True)
    asked: bool = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        seen = rows[:, : -self.heights] if self.asked else rows
        x = forward.activate(self.activation, self.stem(seen))
        for block in self.blocks:
            x = x + forward.drop(forward.activate(self.activation, block(x)))
        profile = (ordered if self.from_zero else increasing)(self.head(x))
        return (profile * rows[:, -self.heights :]).sum(axis=1, keepdims=True) if self.asked else profile


def initial_height_network(
    columns: int,
    heights: int,
    width: int,
    layers: int,
    activation: str,
    generator: np.random.Generator,
    *,
    profile: Sequence[float] | None = None,
    asked: bool = False,
) -> HeightNetwork:
    """An untrained network.

    Args:
        columns: of the inputs, without those that choose m.
        heights: n - k.
        width: hidden units.
        layers: hidden layers after the first.
        activation: its name.
        generator: where the weights are drawn from.
        profile: mean log2 heights, which the untrained network gives; None where heights are standardised.
        asked: whether the inputs end with columns that choose m.
    """
    head = initial_dense(width, heights, generator, LAST_GAIN)
    if profile is not None:
        steps = np.maximum(np.diff(profile, prepend=0.0), 0.01)
        head = Dense(head.weight, np.log(np.expm1(steps)).astype(np.float32))  # softplus(bias) = steps
    return HeightNetwork(
        stem=initial_dense(columns, width, generator),
        blocks=[initial_dense(width, width, generator, before(activation) / layers) for _ in range(layers)],
        head=head,
        heights=heights,
        activation=activation,
        from_zero=profile is not None,
        asked=asked,
    )


def profile_of_rows(network: HeightNetwork, rows: jax.Array) -> jax.Array:
    """[row, n - k] float32 for [row, column] float32, scaled as in training."""
    return network.outputs(rows, ForwardPass(jnp.ones(len(rows)), None, None))
