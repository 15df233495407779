"""Ordered heads: quantities that by nature never fall from one to the next, such as a code's profile of heights."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def ordered(x: jax.Array) -> jax.Array:
    """y_j = sum_{i <= j} softplus(x_i): 0 <= y_1 <= y_2 <= ... along the last axis."""
    return jnp.cumsum(jax.nn.softplus(x), axis=-1)


def increasing(x: jax.Array) -> jax.Array:
    """y_1 = x_1, y_j = y_(j-1) + softplus(x_j): ordered, from anywhere."""
    return jnp.cumsum(jnp.concatenate([x[..., :1], jax.nn.softplus(x[..., 1:])], axis=-1), axis=-1)
