"""The frequency branch: how much of every frequency a curve holds, wherever it stands in the curve."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.networks.layers import Dense, Norm, before, initial_dense, initial_norm
from probatum.learning.networks.network import ForwardPass

SMALLEST_POWER = 1e-6


class SpectrumBranch(eqx.Module):
    """log amplitudes of the real Fourier transform -> normalise -> dense -> activate -> drop.

    Attributes:
        norm: of the log amplitudes.
        layer: to the branch's units.
        activation: its name.
    """

    norm: Norm
    layer: Dense
    activation: str = eqx.field(static=True)

    def __call__(self, signal: jax.Array, forward: ForwardPass) -> jax.Array:
        """[row, point, channel] float32 to [row, unit]."""
        amplitudes = log_amplitudes(signal)
        x = forward.normalise(self.norm, amplitudes.reshape(len(signal), -1))
        return forward.drop(forward.activate(self.activation, self.layer(x)))


def log_amplitudes(signal: jax.Array) -> jax.Array:
    """log(|F_f|^2 / points + 1e-6) / 2 of [row, point, channel] signals, [row, frequency, channel] float32.

    Circular shifts of the signal change nothing; the constant keeps a silent frequency, and its gradient, finite.
    """
    transform = jnp.fft.rfft(signal, axis=1)
    power = (transform.real**2 + transform.imag**2) / signal.shape[1]
    return 0.5 * jnp.log(power + SMALLEST_POWER)


def initial_spectrum_branch(
    points: int, channels: int, units: int, activation: str, norm: str, generator: np.random.Generator
) -> SpectrumBranch:
    """An untrained branch for signals of so many points and channels."""
    columns = (points // 2 + 1) * channels
    return SpectrumBranch(
        initial_norm(columns, norm), initial_dense(columns, units, generator, before(activation)), activation
    )
