"""The seed log's residual network on P's raw entries, trained on the same stream of fresh codes as its rivals."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import numpy as np

from probatum.learning.compilation import ONE_THREAD
from probatum.learning.networks.network import ForwardPass, Network
from probatum.problems.analog_codes.branched_network import BranchedNetwork
from probatum.problems.analog_codes.branched_network_regressor import BranchedNetworkRegressor
from probatum.problems.analog_codes.generate import LARGEST_ENTRY
from probatum.problems.analog_codes.learned_heights import TRAINING_DRAW
from probatum.problems.analog_codes.stream_training import StreamTraining, train_on_stream
from probatum.problems.analog_codes.training_stream import CodeStream
from probatum.problems.model_file import cached, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = 1
"""Rises whenever the same training would give another network."""
EMBEDDED = 32
BLOCK = 8192
Fitted = tuple[tuple[np.ndarray, ...], int, float]
"""Weights, codes shown and CPU seconds."""


class ResidualHeights(Network):
    """softplus of the branched network, so that no log2 height is below 0; [row, 1] from (number of m, entries)."""

    inner: BranchedNetwork

    def outputs(self, rows: jax.Array, forward: ForwardPass) -> jax.Array:
        return jax.nn.softplus(self.inner.outputs(rows, forward))


def residual_heights(k: int, asked: Sequence[int], codes: int, width: int, seed: int) -> Fitted:
    """The trained network for n = 9, from the user's cache where it was trained before; every code with all m asked.

    Args:
        k: dimension of the codes.
        asked: the m.
        codes: shown in training.
        width: of the main network; the other layers in the log's proportions (1024: 256, 512 and 512, 256, 128).
        seed: of weights and stream.
    """
    key = key_of(f"residual_heights/{VERSION}", repr((k, tuple(asked), codes, width, seed)))
    return cached("analog_codes/residual_heights", key, lambda: _trained(k, asked, codes, width, seed))


def predicted(fitted: Fitted, P: np.ndarray, asked: Sequence[int], width: int) -> np.ndarray:
    """log2 h_m, [code, m] float64."""
    network = jax.tree.unflatten(jax.tree.structure(_untrained(P.shape, len(asked), width, 0)), fitted[0])
    run = jax.jit(lambda network, rows: network(rows, np.ones(len(rows), np.float32))[0], compiler_options=ONE_THREAD)
    rows = _rows(P, len(asked))
    found = [np.asarray(run(network, rows[i : i + BLOCK])) for i in range(0, len(rows), BLOCK)]
    return np.concatenate(found).reshape(len(P), -1).astype(np.float64)


def _trained(k: int, asked: Sequence[int], codes: int, width: int, seed: int) -> Fitted:
    began = time.process_time()
    stream, m = CodeStream(9, k, draw=TRAINING_DRAW + seed), np.array(asked) - 1
    network = _untrained((0, k, 9 - k), len(asked), width, seed)
    network = eqx.tree_at(lambda whole: whole.inner.tail[1].bias, network, np.full(1, 5.0, np.float32))
    rows = len(asked)

    def make(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        P, heights = stream.labelled(start // rows, stop // rows)
        return _rows(P, rows), heights[:, m].reshape(-1, 1).astype(np.float32)

    training = StreamTraining(codes * rows, batch=512 * rows, rate=1e-3)
    trained, outcome = train_on_stream(network, make, np.ones(1), training)
    weights = tuple(np.asarray(leaf) for leaf in jax.tree.leaves(trained))
    return weights, outcome.rows // rows, time.process_time() - began


def _untrained(shape: tuple[int, ...], asked: int, width: int, seed: int) -> ResidualHeights:
    _, k, redundancy = shape
    regressor = BranchedNetworkRegressor(
        embeddings=((asked, EMBEDDED),),
        branch=(width // 4, width // 2),
        width=width,
        tail=(width // 2, width // 4, width // 8),
    )
    return ResidualHeights(regressor.initial_network(1 + k * redundancy, 1, np.random.default_rng(seed)))


def _rows(P: np.ndarray, asked: int) -> np.ndarray:
    """[code x m, 1 + k (n - k)] float32: the number of m among those asked, and P / 100."""
    numbers = np.tile(np.arange(asked), len(P))[:, None]
    return np.hstack([numbers, np.repeat(P.reshape(len(P), -1) / LARGEST_ENTRY, asked, axis=0)]).astype(np.float32)
