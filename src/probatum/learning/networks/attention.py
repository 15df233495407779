"""Attention: heads over a set of tokens, pooling by attention, and a network of both."""

from __future__ import annotations

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


class SelfAttention(eqx.Module):
    """softmax(Q K^T / sqrt(d)) V in every head, joined by a dense layer (Vaswani et al. 2017).

    Attributes:
        queries_keys_values: from the channels to three times as many.
        joined: of all heads' values.
        heads: how many; they divide the channels.
    """

    queries_keys_values: Dense
    joined: Dense
    heads: int = eqx.field(static=True)

    def __call__(self, x: jax.Array) -> jax.Array:
        """[row, token, channel] float32 to the same shape; equivariant under permutations of tokens."""
        rows, tokens, channels = x.shape
        split = self.queries_keys_values(x).reshape(rows, tokens, 3, self.heads, channels // self.heads)
        queries, keys, values = (split[:, :, part].transpose(0, 2, 1, 3) for part in range(3))
        high = jax.lax.Precision.HIGHEST
        scores = jnp.matmul(queries, keys.swapaxes(2, 3), precision=high) / np.sqrt(channels // self.heads)
        mixed = jnp.matmul(jax.nn.softmax(scores, axis=-1), values, precision=high)
        return self.joined(mixed.transpose(0, 2, 1, 3).reshape(rows, tokens, channels))


class AttentionPool(eqx.Module):
    """sum_t softmax_t(s_h(x_t)) x_t with a learned score for each head's share of the channels (Ilse et al. 2018).

    Attributes:
        score: from the channels to a number a head.
    """

    score: Dense

    def __call__(self, x: jax.Array) -> jax.Array:
        """[row, token, channel] float32 to [row, channel]; invariant under permutations of tokens."""
        share = jax.nn.softmax(self.score(x), axis=1)
        rows, tokens, heads = share.shape
        values = x.reshape(rows, tokens, heads, -1)
        return (share[..., None] * values).sum(axis=1).reshape(rows, -1)


class AttentionBlock(eqx.Module):
    """x + attention(n1(x)), then x + W2 a(W1 n2(x)).

    Attributes:
        norms: before each part.
        attention: over tokens.
        layers: of the second part, token by token.
    """

    norms: tuple[Norm, Norm]
    attention: SelfAttention
    layers: tuple[Dense, Dense]

    def __call__(self, x: jax.Array, forward: ForwardPass, activation: str) -> jax.Array:
        x = x + forward.drop(self.attention(forward.normalise(self.norms[0], x)))
        hidden = forward.activate(activation, self.layers[0](forward.normalise(self.norms[1], x)))
        return x + forward.drop(self.layers[1](hidden))


class AttentionNetwork(Network):
    """Tokens -> dense (+ place) -> attention blocks -> normalise -> attention pool -> dense.

    The first tokens x channels columns are the tokens, one after another; columns after them join after pooling.

    Attributes:
        stem: from a token's channels to the width.
        places: [token, width] float32, added to tell tokens apart; None leaves them a set.
        blocks, norm, pool, head: what follows.
        tokens: how many there are.
        activation: its name.
    """

    stem: Dense
    places: Array | None
    blocks: list[AttentionBlock]
    norm: Norm
    pool: AttentionPool
    head: Dense
    tokens: int = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        columns = self.tokens * np.shape(self.stem.weight)[0]
        x = self.stem(rows[:, :columns].reshape(len(rows), self.tokens, -1))
        if self.places is not None:
            x = x + self.places
        for block in self.blocks:
            x = block(x, forward, self.activation)
        pooled = self.pool(forward.normalise(self.norm, x))
        return self.head(jnp.concatenate([pooled, rows[:, columns:]], axis=1))


def initial_attention_network(
    columns: int,
    tokens: int,
    channels: int,
    width: int,
    heads: int,
    blocks: int,
    outputs: int,
    activation: str,
    norm: str,
    generator: np.random.Generator,
    ordered: bool = True,
) -> AttentionNetwork:
    """An untrained attention network.

    Args:
        columns: of the inputs: tokens x channels, and any that join after pooling.
        tokens, channels: of the first columns.
        width: channels inside.
        heads: that divide the width.
        blocks: how many.
        outputs: columns of the last layer; heads make quantities of them.
        activation, norm: names.
        generator: where the weights are drawn from.
        ordered: whether the place of a token matters.
    """
    return AttentionNetwork(
        stem=initial_dense(channels, width, generator),
        places=(0.5 * generator.standard_normal((tokens, width))).astype(np.float32) if ordered else None,
        blocks=[_initial_block(width, heads, activation, norm, generator, 1 / blocks) for _ in range(blocks)],
        norm=initial_norm(width, norm),
        pool=initial_attention_pool(width, heads, generator),
        head=initial_dense(width + columns - tokens * channels, outputs, generator),
        tokens=tokens,
        activation=activation,
    )


def initial_self_attention(
    channels: int, heads: int, generator: np.random.Generator, last_gain: float = 1.0
) -> SelfAttention:
    """Untrained heads whose joined values have weights of variance last_gain / channels."""
    return SelfAttention(
        initial_dense(channels, 3 * channels, generator), initial_dense(channels, channels, generator, last_gain), heads
    )


def initial_attention_pool(channels: int, heads: int, generator: np.random.Generator) -> AttentionPool:
    """A pool that starts near the mean over tokens; heads divide the channels."""
    return AttentionPool(initial_dense(channels, heads, generator, gain=1e-2))


def _initial_block(
    width: int, heads: int, activation: str, norm: str, generator: np.random.Generator, last_gain: float
) -> AttentionBlock:
    layers = (
        initial_dense(width, 2 * width, generator, before(activation)),
        initial_dense(2 * width, width, generator, last_gain),
    )
    attention = initial_self_attention(width, heads, generator, last_gain)
    return AttentionBlock((initial_norm(width, norm), initial_norm(width, norm)), attention, layers)
