"""Networks of matrices whose rows and columns have no order and no sign: exactly invariant, not by training.

P -> D R P C D' with permutations R, C and diagonal signs D, D' leaves the outputs as they are, to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

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

SMALLEST_SQUARE = 1e-6


class SetNetwork(Network):
    """Even features of entries (+ minors) -> exchangeable layers, odd channels beside them -> pool -> dense layers.

    The first m x n columns are the matrix, row after row, in one common scale and not centred; columns after them join
    after pooling. Even channels [row, m, n, channel] do not change under signs; odd ones change as the entries do.

    Attributes:
        entry: from what is even in an entry to even channels.
        lift: [odd] float32, what the entry is multiplied by; None has no odd channels.
        minors: what an entry learns from its 2 x 2 minors; None leaves them out.
        layers: exchangeable layers.
        hidden: dense layers after pooling, each with the norm that follows it.
        head: the last layer.
        shape: m and n.
        activation: its name.
    """

    entry: Dense
    lift: Array | None
    minors: Minors | None
    layers: list[ExchangeableLayer]
    hidden: list[tuple[Dense, Norm]]
    head: Dense
    shape: tuple[int, int] = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        activate = partial(forward.activate, self.activation)
        size = self.shape[0] * self.shape[1]
        matrix = rows[:, :size].reshape(len(rows), *self.shape)
        even = self.entry(even_features(matrix))
        if self.minors is not None:
            even = even + self.minors(matrix, forward, self.activation)
        odd = None if self.lift is None else matrix[..., None] * self.lift
        for layer in self.layers:
            even, odd = layer(even, odd, forward, self.activation)
        x = jnp.concatenate([even.mean(axis=(1, 2)), even.max(axis=(1, 2)), rows[:, size:]], axis=1)
        for dense, norm in self.hidden:
            x = forward.drop(activate(forward.normalise(norm, dense(x))))
        return self.head(x)


class ExchangeableLayer(eqx.Module):
    """even + W2 drop(a(n(W1 [even, its row, column and overall means and maxima, products of odd channels]))).

    Row, column and overall means make the most general linear layer that keeps both orders free (Hartford et al. 2018).

    Attributes:
        norm: inside.
        layers: W1 and W2.
        odd: what becomes of the odd channels; None without them.
    """

    norm: Norm
    layers: tuple[Dense, Dense]
    odd: OddPart | None

    def __call__(
        self, even: jax.Array, odd: jax.Array | None, forward: ForwardPass, activation: str
    ) -> tuple[jax.Array, jax.Array | None]:
        parts = [even]
        for axes in (2, 1, (1, 2)):
            parts += [even.mean(axis=axes, keepdims=True), even.max(axis=axes, keepdims=True)]
        if odd is not None and self.odd is not None:
            odd, products = self.odd(odd, even)
            parts.append(products)
        shape = even.shape[:3]
        joined = jnp.concatenate([jnp.broadcast_to(part, (*shape, part.shape[3])) for part in parts], axis=3)
        inner = forward.activate(activation, forward.normalise(self.norm, self.layers[0](joined)))
        return even + self.layers[1](forward.drop(inner)), odd


class OddPart(eqx.Module):
    """O -> (S + T) * (G even), S = O A, T = (O B)(O B)^T (O B) C; beside it S * T, which is even.

    In O O^T O the signs of the rows and columns summed over meet themselves, so that it changes sign as entries do; the
    product with O tells apart matrices whose entries are of equal size (the signs around its 2 x 2 minors).

    Attributes:
        straight, crossed, joined: A, B and C, [odd, odd] float32.
        gate: G, from even to odd channels; None in the last layer, whose odd channels nothing follows.
    """

    straight: Array
    crossed: Array
    joined: Array
    gate: Dense | None

    def __call__(self, odd: jax.Array, even: jax.Array) -> tuple[jax.Array, jax.Array]:
        high = jax.lax.Precision.HIGHEST
        straight = jnp.matmul(odd, self.straight, precision=high)
        b = _of_size_one(jnp.matmul(odd, self.crossed, precision=high))
        # In two steps by hand: left to itself, einsum may take the order that costs more.
        rowwise = jnp.einsum("rilc,rklc->rikc", b, b, precision=high)
        triple = _of_size_one(jnp.einsum("rikc,rkjc->rijc", rowwise, b, precision=high))
        crossed = jnp.matmul(triple, self.joined, precision=high)
        products = straight * crossed
        if self.gate is None:
            return odd, products
        return _of_size_one((straight + crossed) * self.gate(even)), products


class Minors(eqx.Module):
    """What entry a = P_ij learns from every minor ad - bc through it: W2 of the mean over them of a(W1 features).

    Features are even: logarithms of the sizes of a, b (same row), c (same column), d (neither), ad - bc and ad + bc.

    Attributes:
        layers: W1 and W2.
    """

    layers: tuple[Dense, Dense]

    def __call__(self, matrix: jax.Array, forward: ForwardPass, activation: str) -> jax.Array:
        """[row, m, n] to [row, m, n, channel]."""
        m, n = matrix.shape[1:]
        others = [np.array([[k for k in range(size) if k != i] for i in range(size)]) for size in (m, n)]
        # Axes: the matrix, i, j, another row, another column.
        a = matrix[:, :, :, None, None]
        b = matrix[:, :, others[1]][:, :, :, None, :]
        c = matrix[:, others[0]].transpose(0, 1, 3, 2)[..., None]
        d = matrix[:, others[0]][..., others[1]].transpose(0, 1, 3, 2, 4)
        features = jnp.broadcast_arrays(a, b, c, d, a * d - b * c, a * d + b * c)
        sizes = jnp.log(jnp.stack(features, axis=-1) ** 2 + SMALLEST_SQUARE) / 2
        return self.layers[1](forward.activate(activation, self.layers[0](sizes)).mean(axis=(3, 4)))


def even_features(matrix: jax.Array) -> jax.Array:
    """Size, logarithm of the size, and size relative to the largest in the row and in the column: [row, m, n, 4]."""
    size = jnp.sqrt(matrix**2 + SMALLEST_SQUARE)
    log_size = jnp.log(size)
    rowwise, columnwise = (log_size - log_size.max(axis=axis, keepdims=True) for axis in (2, 1))
    return jnp.stack([size, log_size, rowwise, columnwise], axis=-1)


def initial_set_network(
    columns: int,
    shape: tuple[int, int],
    width: int,
    layers: int,
    outputs: int,
    activation: str,
    norm: str,
    generator: np.random.Generator,
    *,
    minors: bool = True,
    odd: int = 0,
    hidden: Sequence[int] = (64,),
) -> SetNetwork:
    """An untrained set network.

    Args:
        columns: of the inputs: m x n, and any that join after pooling.
        shape: m and n of the matrix.
        width: even channels.
        layers: exchangeable layers.
        outputs: columns of the last layer; heads make quantities of them.
        activation, norm: names.
        generator: where the weights are drawn from.
        minors: whether entries see their 2 x 2 minors; for m and n of 2 or more.
        odd: odd channels; 0 for none.
        hidden: units of dense layers after pooling.
    """
    gain = before(activation)
    sizes = [2 * width + columns - shape[0] * shape[1], *map(int, hidden)]
    tokens = minors and min(shape) > 1
    return SetNetwork(
        entry=initial_dense(4, width, generator),
        lift=generator.standard_normal(odd).astype(np.float32) if odd else None,
        minors=(
            Minors((initial_dense(6, width, generator, gain), initial_dense(width, width, generator)))
            if tokens
            else None
        ),
        layers=[
            _initial_layer(width, odd, activation, norm, generator, layers, last=layer == layers - 1)
            for layer in range(layers)
        ],
        hidden=[
            (initial_dense(inputs, units, generator, gain), initial_norm(units, norm))
            for inputs, units in pairwise(sizes)
        ],
        head=initial_dense(sizes[-1], outputs, generator),
        shape=(int(shape[0]), int(shape[1])),
        activation=activation,
    )


def _initial_layer(
    width: int, odd: int, activation: str, norm: str, generator: np.random.Generator, layers: int, last: bool
) -> ExchangeableLayer:
    inner = initial_dense(7 * width + odd, width, generator, before(activation))
    outer = initial_dense(width, width, generator, 1 / layers)
    part = None
    if odd:
        straight, crossed, joined = (initial_dense(odd, odd, generator).weight for _ in range(3))
        part = OddPart(straight, crossed, joined, None if last else initial_dense(width, odd, generator))
    return ExchangeableLayer(initial_norm(width, norm), (inner, outer), part)


def _of_size_one(odd: jax.Array) -> jax.Array:
    """Each channel of [row, m, n, channel] divided by its root mean square over the matrix."""
    return odd * jax.lax.rsqrt((odd**2).mean(axis=(1, 2), keepdims=True) + SMALLEST_SQUARE)
