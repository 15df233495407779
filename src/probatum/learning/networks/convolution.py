"""One-dimensional convolutions as matrix products of patches: inside a compiled loop on a CPU, 30 times as fast."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.networks.layers import Array, dense

LARGEST_BLOCK = 1 << 18
"""Numbers in the patches of a block, 1 MiB."""


class Convolution(eqx.Module):
    """y_p = b + sum_t x_(s p + d (t - (taps - 1) / 2)) W_t, zeros beyond the ends, as many on either side.

    With stride 1 there are as many positions as before; where the stride is as long as the taps, patches are cut
    side by side.

    Attributes:
        weight: [taps x inputs, outputs] float32, tap after tap.
        bias: [outputs] float32.
        taps, dilation, stride: how many points are seen, how far apart, how far from one position to the next.
    """

    weight: Array
    bias: Array
    taps: int = eqx.field(static=True)
    dilation: int = eqx.field(static=True)
    stride: int = eqx.field(static=True)

    def __call__(self, x: jax.Array) -> jax.Array:
        """[row, position, channel] float32 to [row, position / stride rounded up, outputs]."""
        if self.stride == 1:
            return convolved(x, jnp.asarray(self.weight), self.taps, self.dilation) + self.bias
        return dense(_strided_patches(x, self.taps, self.dilation, self.stride), self.weight, self.bias)


def initial_convolution(
    inputs: int,
    outputs: int,
    taps: int,
    generator: np.random.Generator,
    *,
    gain: float = 1.0,
    dilation: int = 1,
    stride: int = 1,
) -> Convolution:
    """Normal weights of variance gain / (taps x inputs), biases 0."""
    weight = np.sqrt(gain / (taps * inputs)) * generator.standard_normal((taps * inputs, outputs))
    return Convolution(weight.astype(np.float32), np.zeros(outputs, dtype=np.float32), taps, dilation, stride)


def convolved(x: jax.Array, weight: jax.Array, taps: int, dilation: int) -> jax.Array:
    """The convolution of stride 1 without bias, with a gradient of its own; as in `Convolution`."""
    return _convolved(taps, dilation, x, weight)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _convolved(taps: int, dilation: int, x: jax.Array, weight: jax.Array) -> Any:
    return _in_blocks(lambda block: _product(_patches(block, taps, dilation, left(taps, dilation)), weight), x, taps)


def _convolved_forward(
    taps: int, dilation: int, x: jax.Array, weight: jax.Array
) -> tuple[Any, tuple[jax.Array, jax.Array]]:
    return _convolved(taps, dilation, x, weight), (x, weight)


def _convolved_backward(
    taps: int, dilation: int, kept: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The gradients as products of patches again.

    What automatic differentiation makes of overlapping slices is one addition a tap over the whole signal: half as
    fast. Patches are cut once more rather than kept, which is faster than reading them back from memory.
    """
    x, weight = kept
    inputs, outputs = x.shape[2], gradient.shape[2]
    on_the_left = left(taps, dilation)
    turned = jnp.flip(weight.reshape(taps, inputs, outputs), 0).swapaxes(1, 2).reshape(taps * outputs, inputs)

    def step(total: jax.Array, block: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        seen, wanted = block
        patches = _patches(seen, taps, dilation, on_the_left).reshape(-1, taps * inputs)
        total = total + _product(patches.T, wanted.reshape(-1, outputs))
        return total, _product(_patches(wanted, taps, dilation, dilation * (taps - 1) - on_the_left), turned)

    patch = taps * max(inputs, outputs)
    of_weight, of_x = jax.lax.scan(step, jnp.zeros_like(weight), (_blocked(x, patch), _blocked(gradient, patch)))
    return of_x.reshape(-1, *x.shape[1:])[: len(x)], of_weight


_convolved.defvjp(_convolved_forward, _convolved_backward)


def left(taps: int, dilation: int) -> int:
    """How many points a position sees on its left."""
    return dilation * (taps - 1) // 2


def _in_blocks(function: Callable[[jax.Array], jax.Array], x: jax.Array, taps: int) -> jax.Array:
    blocks = jax.lax.map(function, _blocked(x, taps * x.shape[2]))
    return blocks.reshape(-1, *blocks.shape[2:])[: len(x)]


def _blocked(x: jax.Array, patch: int) -> jax.Array:
    """[block, row, position, channel]: rows in blocks whose patches fit the cache, the last one filled with zeros.

    On a CPU this halves the time and quarters the memory of one product of all patches; other devices take one block.

    Args:
        x: [row, position, channel].
        patch: numbers in the patch of a position.
    """
    rows, positions = x.shape[:2]
    most = max(1, LARGEST_BLOCK // (positions * patch)) if jax.default_backend() == "cpu" else rows
    blocks = max(1, -(-rows // most))
    size = -(-rows // blocks)
    return jnp.pad(x, ((0, blocks * size - rows), (0, 0), (0, 0))).reshape(blocks, size, *x.shape[1:])


def _patches(x: jax.Array, taps: int, dilation: int, before: int) -> jax.Array:
    """[row, position, taps x channel]: what each position sees, `before` points to its left at most."""
    positions = x.shape[1]
    padded = jnp.pad(x, ((0, 0), (before, dilation * (taps - 1) - before), (0, 0)))
    slices = [padded[:, tap * dilation : tap * dilation + positions] for tap in range(taps)]
    return jnp.concatenate(slices, axis=2)


def _strided_patches(x: jax.Array, taps: int, dilation: int, stride: int) -> jax.Array:
    rows, positions, channels = x.shape
    places = -(-positions // stride)
    span = (places - 1) * stride + dilation * (taps - 1) + 1
    before = max(0, span - positions) // 2
    if taps == stride and dilation == 1:
        padded = jnp.pad(x, ((0, 0), (before, span - positions - before), (0, 0)))
        return padded.reshape(rows, places, taps * channels)
    padded = jnp.pad(x, ((0, 0), (before, max(0, span - positions - before)), (0, 0)))
    slices = [padded[:, tap * dilation : tap * dilation + (places - 1) * stride + 1 : stride] for tap in range(taps)]
    return jnp.concatenate(slices, axis=2)


def _product(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)
