"""Predictions of a trained network, from what was kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from probatum.learning import augmentation
from probatum.learning.choices import imported
from probatum.learning.compilation import compiled
from probatum.learning.heads import HEADS
from probatum.learning.networks.layers import Moments
from probatum.learning.parameters import paths
from probatum.learning.scaling import Scaling

if TYPE_CHECKING:
    from probatum.learning.networks.estimator import NetworkRegressor

VALUES_IN_A_BLOCK = 2**15
"""Inputs that are predicted at once: few enough that activations stay in the cache, and one row costs little more."""
ROWS_IN_A_BLOCK = (16, 512)
"""Least and most rows in it."""


def predict_with(
    estimator: NetworkRegressor, weights: Mapping[str, np.ndarray], inputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Predictions [row, quantity] and, where there are any, their standard deviations, from kept weights."""
    head = HEADS[estimator.head]
    seen = inputs[None] if estimator.symmetry is None else augmentation.images(inputs, imported(estimator.symmetry))
    network, statistics = _restored(estimator, weights)
    rows = Scaling.from_array(weights["inputs"]).apply(np.concatenate(seen)).astype(np.float32)
    raw = _in_blocks(network, rows, statistics)
    return averaged(*head.undo(raw, Scaling.from_array(weights["targets"])), len(inputs))


def averaged(prediction: np.ndarray, spread: np.ndarray | None, rows: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Predictions and standard deviations [row, quantity], from those of all images of the rows, one after another."""
    if len(prediction) == rows:
        return prediction, spread
    shape = (-1, rows, prediction.shape[1])
    return augmentation.mean_over_images(prediction.reshape(shape), None if spread is None else spread.reshape(shape))


def _restored(estimator: NetworkRegressor, weights: Mapping[str, np.ndarray]) -> tuple[Any, list[Moments]]:
    columns, quantities = weights["inputs"].shape[1], weights["targets"].shape[1]
    outputs = quantities * HEADS[estimator.head].columns
    empty = estimator.initial_network(columns, outputs, np.random.default_rng(0))
    network = jax.tree.unflatten(jax.tree.structure(empty), [weights[f"network.{path}"] for path in paths(empty)])
    count = sum(name.startswith("statistics.") for name in weights)
    moments = [weights[f"statistics.{place}"] for place in range(count)]
    return network, list(zip(moments[::2], moments[1::2], strict=True))


def _in_blocks(network: Any, rows: np.ndarray, statistics: Any) -> np.ndarray:
    """Raw outputs [row, output] of [row, column] float32, in blocks of one size, the last one filled up with zeros.

    So a row's outputs do not depend on how many are predicted with it (on its place among them, at most by rounding),
    and another number of rows compiles nothing again.
    """
    size = int(np.clip(VALUES_IN_A_BLOCK // max(rows.shape[1], 1), *ROWS_IN_A_BLOCK))
    blocks = np.zeros((-(-len(rows) // size), size, rows.shape[1]), dtype=np.float32)
    blocks.reshape(-1, rows.shape[1])[: len(rows)] = rows
    network, ones, statistics = jax.device_put((network, np.ones(size, dtype=np.float32), statistics))
    forward = compiled("predict", _forward, (network, blocks[0], ones, statistics))
    raw = [forward(network, block, ones, statistics) for block in blocks]
    return np.concatenate([np.asarray(one) for one in raw])[: len(rows)]


def _forward(network: Any, rows: jax.Array, weight: jax.Array, statistics: Any) -> jax.Array:
    return network(rows, weight, None, statistics)[0]
