"""The exploration's networks: MLP_sub, how a rate depends on a substrate; MLP_node, what pulls a metabolite back.

    dc_i/dt = MLP_node(c_i, a_i) + sum_j S_ij 10^(log k_j) link(prod_a |MLP_sub(c_a, n_aj)|)

with embeddings a_i in two dimensions. Importing this module imports JAX.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.networks.layers import Array

EMBEDDING = 2
FIRST_LOG_K = (-2.0, 1.0)
"""Constants start uniform in this range of log10 k."""


class Perceptron(eqx.Module):
    """x -> (dense -> tanh)* -> dense.

    Attributes:
        weights: a layer, [inputs, outputs] float32.
        biases: a layer, [outputs] float32.
    """

    weights: list[Array]
    biases: list[Array]

    def __call__(self, x: Array) -> jax.Array:
        """[..., outputs] from [..., inputs]."""
        x = jnp.asarray(x)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = jnp.tanh(x @ weight + bias)
        return x @ self.weights[-1] + self.biases[-1]


class MetabolismNetwork(eqx.Module):
    """All that is trained.

    Attributes:
        sub: MLP_sub, (c, n) to a vector whose length is the law.
        node: MLP_node, (c, a) to a rate.
        embeddings: a, [metabolite, 2] float32.
        log_k: log10 k, [reaction] float32.
    """

    sub: Perceptron
    node: Perceptron
    embeddings: Array
    log_k: Array


class Form(NamedTuple):
    """What is chosen of the model once and for all, and changes its program.

    Attributes:
        softplus: whether the link is softplus, which is .693 at 0, not the identity.
        fixed_scale: whether MLP_sub is divided by its length at c = 1.
    """

    softplus: bool
    fixed_scale: bool


def initial_network(
    metabolites: int, reactions: int, width: int, layers: int, generator: np.random.Generator, zero_start: bool
) -> MetabolismNetwork:
    """An untrained model; with `zero_start` all weights and biases of MLP_node are 0, as the exploration had it.

    Then only its output bias ever has a gradient: that of the last weights is the last hidden layer's tanh(0) = 0,
    that of all others passes through the last weights, which stay 0.
    """
    hidden = [width] * layers
    node = _initial([1 + EMBEDDING, *hidden, 1], generator)
    if zero_start:
        node = jax.tree.map(np.zeros_like, node)
    return MetabolismNetwork(
        _initial([2, *hidden, 1], generator),
        node,
        generator.normal(size=(metabolites, EMBEDDING)).astype(np.float32),
        generator.uniform(*FIRST_LOG_K, reactions).astype(np.float32),
    )


def law(network: MetabolismNetwork, c: Array, form: Form) -> jax.Array:
    """|MLP_sub(c, 1)| at concentrations, of their shape."""
    found = _length(network.sub(jnp.stack([c, jnp.ones_like(c)], axis=-1)))
    return found / alpha(network) if form.fixed_scale else found


def alpha(network: MetabolismNetwork) -> jax.Array:
    """|MLP_sub(1, 1)|."""
    return _length(network.sub(jnp.ones(2)))


def homeostasis(network: MetabolismNetwork, c: Array) -> jax.Array:
    """MLP_node of concentrations [..., metabolite], of their shape."""
    a = jnp.broadcast_to(network.embeddings, (*c.shape, EMBEDDING))
    return network.node(jnp.concatenate([c[..., None], a], axis=-1))[..., 0]


def slopes(network: MetabolismNetwork, c: Array, ends: Array, form: Form) -> tuple[jax.Array, jax.Array]:
    """dc/dt and the homeostasis in it, [frame, metabolite] each, of concentrations [frame, metabolite].

    Args:
        network: the model.
        c: concentrations.
        ends: [2, reaction] int, A and B of A + B -> 2 B; the number of metabolites where a reaction is empty.
        form: of the model.
    """
    node = homeostasis(network, c)
    f = jnp.concatenate([law(network, c, form), jnp.zeros((len(c), 1))], axis=1)
    product = f[:, ends[0]] * f[:, ends[1]]
    rates = 10**network.log_k * (jax.nn.softplus(product) if form.softplus else product)
    change = jnp.zeros((len(c), c.shape[1] + 1)).at[:, ends[0]].add(-rates).at[:, ends[1]].add(rates)
    return node + change[:, :-1], node


def _initial(sizes: list[int], generator: np.random.Generator) -> Perceptron:
    """Weights of variance 1 / inputs, no biases."""
    weights: list[Array] = [
        (generator.normal(size=(inputs, outputs)) / np.sqrt(inputs)).astype(np.float32)
        for inputs, outputs in pairwise(sizes)
    ]
    biases: list[Array] = [np.zeros(outputs, dtype=np.float32) for outputs in sizes[1:]]
    return Perceptron(weights, biases)


def _length(vectors: jax.Array) -> jax.Array:
    """[...] from [..., 1]: with one output, the length is the size; differentiable everywhere but at 0."""
    return jnp.abs(vectors[..., 0])
