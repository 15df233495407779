"""A network with a branch for P and embeddings of k and m: the residual model of the seed log, and what it had before.

A layer is dense -> activation -> normalisation -> dropout, in this order, as the log has it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.networks.attention import AttentionNetwork, initial_attention_network
from probatum.learning.networks.layers import Array, Dense, Norm, before, initial_dense, initial_norm
from probatum.learning.networks.mixture_of_experts import MixtureOfExperts, initial_mixture_of_experts
from probatum.learning.networks.network import ForwardPass, Network
from probatum.learning.networks.residual_mlp import Category, embedded

if TYPE_CHECKING:
    from probatum.problems.analog_codes.branched_network_regressor import Shape


class Layer(eqx.Module):
    """drop(n(a(W x + b))).

    Attributes:
        dense, norm: the parameters.
        share: of the dropout rate that counts here; 0 drops nothing.
    """

    dense: Dense
    norm: Norm
    share: float = eqx.field(static=True)

    def __call__(self, x: jax.Array, forward: ForwardPass, activation: str) -> jax.Array:
        x = forward.normalise(self.norm, forward.activate(activation, self.dense(x)))
        return forward.drop(x, self.share) if self.share else x


class BranchedNetwork(Network):
    """(embeddings, branch of P) -> layer -> residual block* -> tail -> dense.

    Attributes:
        tables: an embedded column, [level, width] float32.
        branch: of P's entries: layers, or attention between the entries.
        stem: into the main width.
        blocks: pairs of layers whose result is added to what came in.
        tail: narrower layers and the last one, or experts of these widths.
        activation: its name.
    """

    tables: list[Array]
    branch: list[Layer] | AttentionNetwork
    stem: Layer
    blocks: list[tuple[Layer, Layer]]
    tail: tuple[list[Layer], Dense] | MixtureOfExperts
    activation: str = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        count = len(self.tables)
        categories = [Category(column, *np.shape(table)) for column, table in enumerate(self.tables)]
        x = rows[:, count:]
        if isinstance(self.branch, AttentionNetwork):
            x = self.branch.outputs(x, forward)
        else:
            for layer in self.branch:
                x = layer(x, forward, self.activation)
        x = jnp.concatenate([embedded(rows[:, :count], self.tables, categories), x], axis=1)
        x = self.stem(x, forward, self.activation)
        for first, second in self.blocks:
            x = x + second(first(x, forward, self.activation), forward, self.activation)
        if isinstance(self.tail, MixtureOfExperts):
            return self.tail.outputs(x, forward)
        layers, last = self.tail
        for layer in layers:
            x = layer(x, forward, self.activation)
        return last(x)


def initial_branched_network(
    columns: int, outputs: int, shape: Shape, generator: np.random.Generator
) -> BranchedNetwork:
    """An untrained network.

    Args:
        columns: of the inputs: those that are embedded, then P's entries.
        outputs: of the last layer; heads make quantities of them.
        shape: of the rest.
        generator: where the weights are drawn from.
    """

    def layer(inputs: int, units: int, third: int) -> Layer:
        """`third`: how far dropout has fallen, in thirds of the rate; the last third stays."""
        share = max(1 - third / 3, 1 / 3) if shape.falling else 1.0
        return _initial_layer(inputs, units, shape, generator, share)

    entries = columns - len(shape.embeddings)
    widths = [entries, *shape.branch]
    if shape.heads:
        branch = initial_attention_network(
            columns=entries,
            tokens=entries,
            channels=1,
            width=shape.branch[0],
            heads=shape.heads,
            blocks=1,
            outputs=shape.branch[-1],
            activation=shape.activation,
            norm=shape.norm,
            generator=generator,
        )
    else:
        branch = [layer(inputs, units, place) for place, (inputs, units) in enumerate(pairwise(widths))]
    joined = widths[-1] + sum(width for _, width in shape.embeddings)
    sizes = [shape.width, *shape.tail]
    if shape.experts > 1:
        tail = initial_mixture_of_experts([*sizes, outputs], shape.experts, shape.activation, shape.norm, generator)
    else:
        tail = (
            [layer(inputs, units, place + 1) for place, (inputs, units) in enumerate(pairwise(sizes))],
            initial_dense(sizes[-1], outputs, generator),
        )
    return BranchedNetwork(
        tables=[generator.standard_normal(one).astype(np.float32) for one in shape.embeddings],
        branch=branch,
        stem=layer(joined, shape.width, 0),
        blocks=[
            (layer(shape.width, shape.width, 1), _initial_layer(shape.width, shape.width, shape, generator, 0.0))
            for _ in range(shape.blocks)
        ],
        tail=tail,
        activation=shape.activation,
    )


def _initial_layer(inputs: int, units: int, shape: Shape, generator: np.random.Generator, share: float) -> Layer:
    dense = initial_dense(inputs, units, generator, before(shape.activation))
    return Layer(dense, initial_norm(units, shape.norm), share)
