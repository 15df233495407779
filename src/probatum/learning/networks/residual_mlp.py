"""The residual perceptron: pre-normalised residual blocks of any widths, embeddings for categorical columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

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
from probatum.learning.networks.network import ForwardPass, Network, pre_activated


class Category(NamedTuple):
    """A column that holds the number of a category and is replaced by a learned vector.

    Attributes:
        column: its place in the inputs; it must arrive as it is, not standardised.
        levels: how many categories there are, 0 to levels - 1; others count as the nearest.
        width: numbers in the vector.
    """

    column: int
    levels: int
    width: int


class ResidualMLP(Network):
    """(columns, embeddings) -> dense -> block* -> normalise -> activate -> dense.

    Attributes:
        tables: a category, [level, width] float32.
        stem: into the first width.
        blocks: one a width.
        norm: after the blocks.
        head: the last layer.
        categories: the columns that are embedded.
        activation: its name.
    """

    tables: list[Array]
    stem: Dense
    blocks: list[ResidualBlock]
    norm: Norm
    head: Dense
    categories: tuple[Category, ...] = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        x = self.stem(embedded(rows, self.tables, self.categories))
        for block in self.blocks:
            x = block(x, forward, self.activation)
        x = forward.activate(self.activation, forward.normalise(self.norm, x))
        return self.head(x)


class ResidualBlock(eqx.Module):
    """x -> P x + W2 drop(a(n2(W1 a(n1(x))))): pre-activation (He et al. 2016); P is the identity at equal widths.

    Attributes:
        norms: before each of the two layers.
        layers: the two layers.
        skip: P, [inputs, outputs] float32 without bias; None for the identity.
    """

    norms: tuple[Norm, Norm]
    layers: tuple[Dense, Dense]
    skip: Array | None

    def __call__(self, x: jax.Array, forward: ForwardPass, activation: str) -> jax.Array:
        return pre_activated(x, self.norms, self.layers, self.skip, forward, activation)


def initial_residual_mlp(
    columns: int,
    widths: Sequence[int],
    outputs: int,
    activation: str,
    norm: str,
    generator: np.random.Generator,
    categories: Sequence[tuple[int, int, int]] = (),
) -> ResidualMLP:
    """An untrained residual perceptron.

    A branch ends with weights of variance 2 / (inputs x blocks), so that the sum of all branches is as large as one
    layer at any depth (after Zhang et al. 2019).

    Args:
        columns: of the inputs, categorical ones included.
        widths: of each block; () is a perceptron without blocks, of 64 units.
        outputs: columns of the last layer; heads make quantities of them.
        activation, norm: names.
        generator: where the weights are drawn from.
        categories: (column, levels, width) of each categorical column.
    """
    embedded_columns = tuple(Category(*map(int, category)) for category in categories)
    inputs = columns - len(embedded_columns) + sum(category.width for category in embedded_columns)
    widths = [int(width) for width in widths] or [64]
    gain = before(activation)
    return ResidualMLP(
        tables=[generator.standard_normal((c.levels, c.width)).astype(np.float32) for c in embedded_columns],
        stem=initial_dense(inputs, widths[0], generator),
        blocks=[
            initial_residual_block(before_it, width, activation, norm, generator, gain / len(widths))
            for before_it, width in pairwise([widths[0], *widths])
        ],
        norm=initial_norm(widths[-1], norm),
        head=initial_dense(widths[-1], outputs, generator),
        categories=embedded_columns,
        activation=activation,
    )


def initial_residual_block(
    inputs: int, outputs: int, activation: str, norm: str, generator: np.random.Generator, last_gain: float
) -> ResidualBlock:
    """An untrained block between two widths whose branch ends with weights of variance last_gain / outputs."""
    layers = (
        initial_dense(inputs, outputs, generator, before(activation)),
        initial_dense(outputs, outputs, generator, last_gain),
    )
    skip = None if inputs == outputs else initial_dense(inputs, outputs, generator).weight
    return ResidualBlock((initial_norm(inputs, norm), initial_norm(outputs, norm)), layers, skip)


def embedded(rows: jax.Array, tables: Sequence[Array], categories: Sequence[Category]) -> jax.Array:
    """[row, column] with every category's column replaced by its vector, at the end.

    A product with indicators, since the gradient of a look-up is a scatter, which is slow inside a vmapped loop.
    """
    if not categories:
        return rows
    taken = {category.column for category in categories}
    others = [column for column in range(rows.shape[1]) if column not in taken]
    parts = [rows[:, np.array(others, dtype=np.int32)]]
    for table, category in zip(tables, categories, strict=True):
        # Rounded: scaling to and fro in float32 leaves whole numbers only nearly whole.
        level = jnp.clip(jnp.round(rows[:, category.column]), 0, category.levels - 1).astype(jnp.int32)
        indicator = jax.nn.one_hot(level, category.levels, dtype=jnp.float32)
        parts.append(jnp.matmul(indicator, table, precision=jax.lax.Precision.HIGHEST))
    return jnp.concatenate(parts, axis=1)
