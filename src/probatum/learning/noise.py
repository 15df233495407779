"""Random bits inside a compiled training: an integer hash of where they are used.

Ten times cheaper than threefry inside a loop, and good enough to drop units.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

GOLDEN = np.uint32(0x9E3779B9)


def word(seed: jax.Array, step: jax.Array) -> jax.Array:
    """The uint32 word of one training step, from the fit's uint32 seed and the step's number."""
    return scramble(seed ^ scramble(step.astype(jnp.uint32) + GOLDEN))


def kept(shape: tuple[int, ...], rate: jax.Array, word: jax.Array, layer: int) -> jax.Array:
    """Which units stay, bool of the shape: each with probability 1 - rate, by (word, layer, position)."""
    position = jnp.arange(int(np.prod(shape)), dtype=jnp.uint32).reshape(shape)
    bits = scramble(position * GOLDEN + (word ^ np.uint32(layer * 0x85EBCA6B & 0xFFFFFFFF)))
    return (bits >> 8).astype(jnp.float32) * np.float32(2**-24) >= rate


def scramble(x: jax.Array) -> jax.Array:
    """A bijection of uint32 in which every input bit moves every output bit (Wellons' lowbias32)."""
    x = (x ^ (x >> 16)) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * np.uint32(0x846CA68B)
    return x ^ (x >> 16)


def normal(shape: tuple[int, ...], word: jax.Array) -> jax.Array:
    """Standard normal float32 of the shape, by (word, position): Box and Muller's transform of two hashes."""
    position = jnp.arange(int(np.prod(shape)), dtype=jnp.uint32).reshape(shape)
    first, second = (scramble(position * GOLDEN + scramble(word + np.uint32(k))) for k in (1, 2))
    # The first uniform is above 0, so that its logarithm is finite.
    uniform = ((first >> 8).astype(jnp.float32) + 1) * np.float32(2**-24)
    angle = (second >> 8).astype(jnp.float32) * np.float32(2**-24 * 2 * np.pi)
    return jnp.sqrt(-2 * jnp.log(uniform)) * jnp.cos(angle)
