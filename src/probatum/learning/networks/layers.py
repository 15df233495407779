"""What networks are built from: dense layers, activations, normalisation."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array | np.ndarray
Moments = tuple[Array, Array]
"""Mean and variance that one batch normalisation used."""

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
}
NORMS = ("batch", "layer", "none")
SMALLEST_VARIANCE = 1e-5


class Dense(eqx.Module):
    """x W + b along the last axis.

    Attributes:
        weight: [inputs, outputs] float32.
        bias: [outputs] float32.
    """

    weight: Array
    bias: Array

    def __call__(self, x: jax.Array) -> jax.Array:
        return dense(x, self.weight, self.bias)


def initial_dense(inputs: int, outputs: int, generator: np.random.Generator, gain: float = 1.0) -> Dense:
    """Normal weights of variance gain / inputs, biases 0.

    Args:
        inputs, outputs: sizes.
        generator: where the weights are drawn from.
        gain: `before(activation)` where an activation follows.
    """
    weight = np.sqrt(gain / max(inputs, 1)) * generator.standard_normal((inputs, outputs))
    return Dense(weight.astype(np.float32), np.zeros(outputs, dtype=np.float32))


def before(activation: str) -> float:
    """The gain of weights before an activation: 2 before a rectifier (He et al. 2015), else 1 (LeCun 1998)."""
    return 1.0 if activation == "tanh" else 2.0


def dense(x: jax.Array, weight: Array, bias: Array) -> jax.Array:
    """x W + b along the last axis."""
    return product(x, jnp.asarray(weight)) + bias


@jax.custom_vjp
def product(x: jax.Array, weight: jax.Array) -> jax.Array:
    """x W in full float32, which accelerators otherwise leave; to be differentiated backwards only.

    Its gradient with respect to W comes out as W lies in memory. What automatic differentiation makes comes out
    transposed, and an optimiser that reads it across the lines of the cache takes a third longer for large networks.

    Args:
        x: [..., inputs] float32.
        weight: [inputs, outputs] float32.
    """
    return jnp.matmul(x, weight, precision=jax.lax.Precision.HIGHEST)


def _product_forward(x: jax.Array, weight: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return product(x, weight), (x, weight)


def _product_backward(kept: tuple[jax.Array, jax.Array], gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, weight = kept
    leading = tuple(range(x.ndim - 1))
    of_weight = jax.lax.dot_general(x, gradient, ((leading, leading), ((), ())), precision=jax.lax.Precision.HIGHEST)
    return jnp.matmul(gradient, weight.T, precision=jax.lax.Precision.HIGHEST), of_weight


product.defvjp(_product_forward, _product_backward)


class Norm(eqx.Module):
    """Normalisation with a gain and a shift; 'none' has neither and changes nothing.

    'batch' (Ioffe and Szegedy 2015) takes moments over rows and positions, 'layer' (Ba et al. 2016) over the last axis.

    Attributes:
        gain, shift: of the last axis, or of the last axes where these keep moments of their own; float32.
        kind: 'batch', 'layer' or 'none'.
    """

    gain: Array | None
    shift: Array | None
    kind: str = eqx.field(static=True)


def initial_norm(shape: int | tuple[int, ...], kind: str) -> Norm:
    """A normalisation of units of this shape that starts with gain 1 and shift 0."""
    if kind == "none":
        return Norm(None, None, kind)
    return Norm(np.ones(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32), kind)


def normalised(x: jax.Array, moments: Moments) -> jax.Array:
    """(x - mean) / sqrt(variance + smallest)."""
    mean, variance = moments
    return (x - mean) * jax.lax.rsqrt(variance + SMALLEST_VARIANCE)


def batch_moments(x: jax.Array, weight: jax.Array, kept_axes: int = 1) -> Moments:
    """Mean and variance over the weighted rows of [row, ..., unit] and over positions.

    Args:
        x: [row, ..., unit].
        weight: [row].
        kept_axes: how many of the last axes keep moments of their own.
    """
    positions = tuple(range(1, x.ndim - kept_axes))
    share = (weight / weight.sum()).reshape(-1, *(1 for _ in range(kept_axes)))

    def average(values: jax.Array) -> jax.Array:
        return (share * (values.mean(axis=positions) if positions else values)).sum(axis=0)

    mean = average(x)
    return mean, average((x - mean) ** 2)


def layer_moments(x: jax.Array) -> Moments:
    """Mean and variance over the last axis, which is kept with length 1."""
    return x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
