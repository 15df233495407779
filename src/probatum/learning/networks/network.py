"""What every network is, and a batch's way through it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning.networks.layers import (
    ACTIVATIONS,
    Array,
    Moments,
    Norm,
    batch_moments,
    layer_moments,
    normalised,
)
from probatum.learning.noise import kept

Dropout = tuple[jax.Array, jax.Array]
"""The rate, and the uint32 word that the noise derives from."""


class Network(eqx.Module):
    """A pytree of float32 arrays that maps rows of columns to rows of outputs.

    Concrete networks describe by static fields which columns mean what, branch on no values, and may be mapped over a
    leading axis of replicas.
    """

    @abstractmethod
    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        """[row, output] float32 for [row, column] float32; heads make quantities of them."""

    def __call__(
        self,
        rows: jax.Array,
        weight: jax.Array,
        dropout: Dropout | None = None,
        moments: Sequence[Moments] | None = None,
    ) -> tuple[jax.Array, list[Moments]]:
        """Outputs of a batch.

        Args:
            rows: [row, column] float32, standardised.
            weight: [row] float32; rows of weight 0 do not count in batch statistics.
            dropout: the rate and the uint32 word that its noise derives from; None drops nothing.
            moments: mean and variance of every batch normalisation, in order; None takes the batch's own.

        Returns:
            [row, output] float32, and the moments used, [] without batch normalisation.
        """
        forward = ForwardPass(weight, dropout, moments)
        return self.outputs(rows, forward), forward.used

    def activations(self, rows: jax.Array, weight: jax.Array) -> list[jax.Array]:
        """Sizes of all activated units, a layer [row, unit]; of a channel, its largest at any position."""
        forward = ForwardPass(weight, None, None)
        self.outputs(rows, forward)
        return forward.active


class ForwardPass:
    """One batch on its way through a network: which rows count, what is dropped, normalised by what, and active.

    Lives while a network is called; layers are told apart by the order in which they come.

    Args:
        weight: [row] float32; rows of weight 0 do not count in batch statistics.
        dropout: None drops nothing.
        moments: of every batch normalisation, in order; None takes the batch's own.
    """

    def __init__(self, weight: jax.Array, dropout: Dropout | None, moments: Sequence[Moments] | None):
        self.used: list[Moments] = []
        self.active: list[jax.Array] = []
        self._weight = weight
        self._dropout = dropout
        self._moments = moments
        self._drops = 0

    def normalise(self, norm: Norm, x: jax.Array) -> jax.Array:
        """[row, ..., unit] normalised; batch moments are added to `used`."""
        if norm.gain is None or norm.shift is None:
            return x
        if norm.kind == "batch":
            if self._moments is None:
                used = batch_moments(x, self._weight, np.ndim(norm.gain))
            else:
                used = self._moments[len(self.used)]
            self.used.append(used)
        else:
            used = layer_moments(x)
        return normalised(x, used) * norm.gain + norm.shift

    def activate(self, activation: str, x: jax.Array) -> jax.Array:
        """[row, ..., unit] activated; sizes are noted in `active`, for a channel its largest at any position."""
        x = ACTIVATIONS[activation](x)
        self.active.append(jnp.abs(x).max(axis=tuple(range(1, x.ndim - 1))))
        return x

    def drop(self, x: jax.Array, share: float = 1.0) -> jax.Array:
        """Units dropped from [row, unit]; whole channels, at all positions, from [row, ..., unit].

        Neighbouring positions say nearly the same, so dropping them apart would drop nothing (Tompson et al. 2015).

        Args:
            x: what is dropped from.
            share: of the dropout rate that counts here, up to 1, for layers that drop less than others.
        """
        if self._dropout is None:
            return x
        rate, word = self._dropout
        rate = rate if share == 1.0 else share * rate
        self._drops += 1
        shape = (x.shape[0], *(1 for _ in x.shape[1:-1]), x.shape[-1])
        return jnp.where(kept(shape, rate, word, self._drops), x / (1 - rate), 0)


def pre_activated(
    x: jax.Array,
    norms: tuple[Norm, Norm],
    maps: tuple[Callable[[jax.Array], jax.Array], Callable[[jax.Array], jax.Array]],
    skip: Array | None,
    forward: ForwardPass,
    activation: str,
) -> jax.Array:
    """P x + M2 drop(a(n2(M1 a(n1(x))))): a residual block, normalised and activated before its maps (He et al. 2016).

    Args:
        x: [row, ..., unit] float32.
        norms: n1 and n2.
        maps: M1 and M2.
        skip: P, [inputs, outputs]; None for the identity.
        forward: of the batch.
        activation: name of a.
    """
    branch = maps[0](forward.activate(activation, forward.normalise(norms[0], x)))
    branch = maps[1](forward.drop(forward.activate(activation, forward.normalise(norms[1], branch))))
    if skip is not None:
        x = jnp.matmul(x, skip, precision=jax.lax.Precision.HIGHEST)
    return x + branch
