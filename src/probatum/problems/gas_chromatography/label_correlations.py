"""How labels go together in one split and in another: the grids that label-correlation losses compare.

See `probatum.learning.label_correlation` for what a grid is. That the grids of two splits differ says little: those of
any two handfuls of runs do. So the difference is set against that of splits to which the same runs are dealt at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Shaped

from probatum.errors import DataError
from probatum.learning.label_correlation import label_correlation

DEALS = 2000
AT_ONCE = 50
"""Deals that are compared together."""


@dataclass(frozen=True, eq=False)
class CorrelationComparison:
    """Two grids and whether they differ.

    Attributes:
        training, validation: [label, label] float64.
        runs: number of runs of each.
        difference: mean of |training - validation| over pairs of different labels.
        by_chance: (5 %, 50 %, 95 %) quantiles of it where the same runs are dealt to both splits at random.
        p_value: share of such deals with as large a difference or a larger one.
    """

    training: Float[np.ndarray, "label label"]
    validation: Float[np.ndarray, "label label"]
    runs: tuple[int, int]
    difference: float
    by_chance: tuple[float, float, float]
    p_value: float


def compare_correlations(
    training: Shaped[np.ndarray, "_run _label"], validation: Shaped[np.ndarray, "_run _label"], deals: int = DEALS
) -> CorrelationComparison:
    """The grids of two splits, and whether chance explains their difference.

    Args:
        training, validation: [run, label] of 0 and 1.
        deals: of all runs to both splits, for the p-value.

    Raises:
        DataError: fewer than two runs in a split, or other labels in one than in the other.
    """
    for name, labels in (("training", training), ("validation", validation)):
        if len(labels) < 2:
            raise DataError(f"{len(labels)} runs for {name} have no correlations", remedy="give two or more")
    if training.shape[1] != validation.shape[1]:
        raise DataError(
            f"{training.shape[1]} labels in one split and {validation.shape[1]} in the other",
            remedy="compare splits with the same labels",
        )
    labels = jnp.asarray(np.concatenate([training, validation]), dtype=jnp.float32)
    first = np.arange(len(labels)) < len(training)
    generator = np.random.default_rng(0)
    shares = np.stack([first, *(generator.permutation(first) for _ in range(deals))])
    differences = np.asarray(_differences(labels, jnp.asarray(shares)), dtype=np.float64)
    low, middle, high = (float(value) for value in np.quantile(differences[1:], [0.05, 0.5, 0.95]))
    # A deal that gives the same grids may differ from the first by rounding.
    as_large = int((differences[1:] >= differences[0] * (1 - 1e-5)).sum())
    return CorrelationComparison(
        np.asarray(_grid(labels, jnp.asarray(first)), dtype=np.float64),
        np.asarray(_grid(labels, jnp.asarray(~first)), dtype=np.float64),
        (len(training), len(validation)),
        float(differences[0]),
        (low, middle, high),
        (1 + as_large) / (1 + deals),
    )


def _grid(labels: jax.Array, chosen: jax.Array) -> jax.Array:
    """[label, label] of the chosen rows."""
    return label_correlation(labels, chosen / chosen.sum())


@jax.jit
def _differences(labels: jax.Array, shares: jax.Array) -> jax.Array:
    """[deal]: the mean over pairs of different labels of how much the grids of both splits differ."""
    count = labels.shape[1]

    def one(first: jax.Array) -> jax.Array:
        apart = jnp.abs(_grid(labels, first) - _grid(labels, ~first))
        return apart.sum() / (count * (count - 1))

    return jax.lax.map(one, shares, batch_size=AT_ONCE)
