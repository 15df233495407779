"""The perceptron of an entry of the challenge: dense - batch norm - layer norm - rectifier, and a fixed prior bias."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import equinox as eqx
import jax
import numpy as np

from probatum.learning.networks.layers import Dense, Norm, before, initial_dense, initial_norm
from probatum.learning.networks.network import ForwardPass, Network

ACTIVATION = "relu"


class FamilyNetwork(Network):
    """x -> (dense -> norm* -> rectifier -> drop)* -> dense + prior.

    Attributes:
        layers: hidden ones, each with the normalisations after it.
        last: into logits.
        prior: [label] logits of the prior probabilities, which no training moves; () for none.
    """

    layers: list[tuple[Dense, list[Norm]]]
    last: Dense
    prior: tuple[float, ...] = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        x = rows
        for dense, norms in self.layers:
            x = dense(x)
            for norm in norms:
                x = forward.normalise(norm, x)
            x = forward.drop(forward.activate(ACTIVATION, x))
        return with_prior(self.last(x), self.prior)


def with_prior(logits: jax.Array, prior: Sequence[float]) -> jax.Array:
    """Logits [row, label] above those of the prior."""
    return logits + np.asarray(prior, dtype=np.float32) if len(prior) else logits


def initial_family_network(
    columns: int,
    outputs: int,
    hidden: Sequence[int],
    norms: Sequence[str],
    prior: tuple[float, ...],
    generator: np.random.Generator,
) -> FamilyNetwork:
    """An untrained network.

    Args:
        columns, outputs: sizes.
        hidden: units of each hidden layer.
        norms: after each of them, in order: 'batch', 'layer'.
        prior: see `FamilyNetwork`.
        generator: of the weights.
    """
    layers = [
        (initial_dense(inputs, units, generator, before(ACTIVATION)), [initial_norm(units, kind) for kind in norms])
        for inputs, units in pairwise((columns, *hidden))
    ]
    return FamilyNetwork(layers, initial_dense((columns, *hidden)[-1], outputs, generator), prior)
