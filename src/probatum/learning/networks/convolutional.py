"""Convolutional networks for curves and spectra: residual dilated convolutions, pooling, a frequency branch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.networks.attention import AttentionPool, initial_attention_pool
from probatum.learning.networks.convolution import Convolution, initial_convolution
from probatum.learning.networks.fourier import SpectrumBranch, initial_spectrum_branch
from probatum.learning.networks.layers import (
    Array,
    Dense,
    Norm,
    before,
    initial_dense,
    initial_norm,
)
from probatum.learning.networks.network import ForwardPass, Network, pre_activated


class ConvolutionalNetwork(Network):
    """Signal -> stem -> residual blocks -> pool; beside it the spectrum and further columns; then dense layers.

    The first channels x points columns are the signal, channel after channel; columns after them join after pooling.

    Attributes:
        stem: the first convolution, of patches where it strides.
        blocks: residual convolutions.
        norm: after the blocks.
        pool: over positions; None takes the mean.
        spectrum: the frequency branch; None has none.
        hidden: dense layers after pooling, each with the norm that follows it.
        head: the last layer.
        shape: channels and points of the signal.
        position: whether a channel says where in the signal it is, from -1 to 1.
        activation: its name.
    """

    stem: Convolution
    blocks: list[ConvolutionalBlock]
    norm: Norm
    pool: AttentionPool | None
    spectrum: SpectrumBranch | None
    hidden: list[tuple[Dense, Norm]]
    head: Dense
    shape: tuple[int, int] = eqx.field(static=True)
    position: bool = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        activate = partial(forward.activate, self.activation)
        channels, points = self.shape
        signal = rows[:, : channels * points].reshape(len(rows), channels, points).swapaxes(1, 2)
        x = self.stem(with_position(signal) if self.position else signal)
        for block in self.blocks:
            x = block(x, forward, self.activation)
        x = activate(forward.normalise(self.norm, x))
        parts = [x.mean(axis=1) if self.pool is None else self.pool(x)]
        if self.spectrum is not None:
            parts.append(self.spectrum(signal, forward))
        x = jnp.concatenate([*parts, rows[:, channels * points :]], axis=1)
        for layer, norm in self.hidden:
            x = forward.drop(activate(forward.normalise(norm, layer(x))))
        return self.head(x)


class ConvolutionalBlock(eqx.Module):
    """x -> P x + C2 drop(a(n2(C1 a(n1(x))))), two convolutions; P is the identity at equal widths (He et al. 2016).

    Attributes:
        norms: before each convolution.
        convolutions: the two of them.
        skip: P, [inputs, outputs] float32; None for the identity.
    """

    norms: tuple[Norm, Norm]
    convolutions: tuple[Convolution, Convolution]
    skip: Array | None

    def __call__(self, x: jax.Array, forward: ForwardPass, activation: str) -> jax.Array:
        return pre_activated(x, self.norms, self.convolutions, self.skip, forward, activation)


def with_position(signal: jax.Array) -> jax.Array:
    """[row, point, channel] with one more channel, which runs from -1 to 1 along the points."""
    rows, points, _ = signal.shape
    place = jnp.broadcast_to(jnp.linspace(-1, 1, points, dtype=jnp.float32)[:, None], (rows, points, 1))
    return jnp.concatenate([signal, place], axis=2)


def initial_convolutional_network(
    columns: int,
    shape: tuple[int, int],
    widths: Sequence[int],
    outputs: int,
    activation: str,
    norm: str,
    generator: np.random.Generator,
    *,
    taps: int = 15,
    dilations: Sequence[int] | None = None,
    stride: int = 1,
    position: bool = True,
    pool: str = "attention",
    spectrum: int = 0,
    hidden: Sequence[int] = (64,),
) -> ConvolutionalNetwork:
    """An untrained convolutional network.

    Args:
        columns: of the inputs: channels x points, and any that join after pooling.
        shape: channels and points of the signal.
        widths: channels of each block.
        outputs: columns of the last layer; heads make quantities of them.
        activation, norm: names.
        generator: where the weights are drawn from.
        taps: points that a convolution sees.
        dilations: distance between them in each block; None doubles it from 1, block by block.
        stride: above 1, the stem cuts the signal into patches of so many points, which do not overlap.
        position: whether a channel says where in the signal it is.
        pool: 'attention' or 'mean', over positions.
        spectrum: units of the frequency branch; 0 for none.
        hidden: units of dense layers after pooling.
    """
    channels, points = shape
    widths = [int(width) for width in widths]
    steps = [2**block for block in range(len(widths))] if dilations is None else [int(d) for d in dilations]
    gain = before(activation)
    first = widths[0]
    stem = initial_convolution(
        channels + position, first, stride if stride > 1 else taps, generator, gain=1.0, stride=stride
    )
    blocks = [
        initial_convolutional_block(inputs, width, taps, step, activation, norm, generator, gain / len(widths))
        for (inputs, width), step in zip(pairwise([first, *widths]), steps, strict=True)
    ]
    joined = widths[-1] + spectrum + columns - channels * points
    sizes = [joined, *map(int, hidden)]
    return ConvolutionalNetwork(
        stem=stem,
        blocks=blocks,
        norm=initial_norm(widths[-1], norm),
        pool=initial_attention_pool(widths[-1], 1, generator) if pool == "attention" else None,
        spectrum=(
            initial_spectrum_branch(points, channels, spectrum, activation, norm, generator) if spectrum else None
        ),
        hidden=[
            (initial_dense(inputs, units, generator, gain), initial_norm(units, norm))
            for inputs, units in pairwise(sizes)
        ],
        head=initial_dense(sizes[-1], outputs, generator),
        shape=(channels, points),
        position=position,
        activation=activation,
    )


def initial_convolutional_block(
    inputs: int,
    outputs: int,
    taps: int,
    dilation: int,
    activation: str,
    norm: str,
    generator: np.random.Generator,
    last_gain: float,
) -> ConvolutionalBlock:
    """An untrained block whose branch ends with weights of variance last_gain / (taps x outputs)."""
    convolutions = (
        initial_convolution(inputs, outputs, taps, generator, gain=before(activation), dilation=dilation),
        initial_convolution(outputs, outputs, taps, generator, gain=last_gain, dilation=dilation),
    )
    skip = None if inputs == outputs else initial_dense(inputs, outputs, generator).weight
    return ConvolutionalBlock((initial_norm(inputs, norm), initial_norm(outputs, norm)), convolutions, skip)
