"""Heights learned from P: networks of one shape of codes, trained on a stream of fresh ones with exact labels.

What a network sees is what `tableaux.describe` gives, no maximal minors beyond these: from all of them, heights are a
known formula. Networks that see different tableaux of a code are mixed: averaging over pivots.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from probatum.errors import DataError
from probatum.learning.scaling import Scaling
from probatum.problems.analog_codes.generate import VERSIONS
from probatum.problems.analog_codes.tableaux import TableauView, describe
from probatum.problems.analog_codes.training_stream import CodeStream
from probatum.problems.analog_codes.truncated_search import minor_bounds, vertex_bounds
from probatum.problems.model_file import cached, key_of

if TYPE_CHECKING:
    from probatum.problems.analog_codes.height_network import HeightNetwork

SEEN = TableauView()
VERSION = 1
"""Rises whenever the same training would give another network."""
LEAST_SCALED = 8192
"""Codes, the first of the stream, that inputs and losses are scaled by."""
TRAINING_DRAW = 1
"""Of the stream that seed 0 trains on; further seeds take the next ones. Draw 0 is for evaluation."""
MIXING_DRAW = 1_000_000
"""Where the weights of mixtures are found."""
BLOCK = 2048
"""Codes predicted at once."""


@dataclass(frozen=True)
class HeightTraining:
    """How heights of one shape of codes are learned.

    Attributes:
        n, k: length and dimension.
        codes: shown in training.
        distribution: of P.
        view: what the network sees.
        vertex_bases, minor_steps: what truncated searches it sees the lower bounds of (`truncated_search`); 0 for none.
        width, layers: hidden units, and hidden layers after the first.
        activation: its name.
        batch, rate: of the training.
        pool: codes after which the stream begins again, in the same order; None never does, as where labels are cheap.
        seed: of the weights and the stream.
    """

    n: int
    k: int
    codes: int
    distribution: str = "uniform"
    view: TableauView = SEEN
    vertex_bases: int = 0
    minor_steps: int = 0
    width: int = 256
    layers: int = 3
    activation: str = "silu"
    batch: int = 1024
    rate: float = 2e-3
    pool: int | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class LearnedHeights:
    """A trained network and what its training took.

    Attributes:
        training: how it was trained.
        weights: of the network, in the order of its parameters.
        inputs: scaling of what is seen.
        codes: shown in training.
        cpu_seconds: of the training, with drawing, labelling and describing codes.
    """

    training: HeightTraining
    weights: tuple[np.ndarray, ...]
    inputs: Scaling
    codes: int
    cpu_seconds: float

    def __call__(self, P: np.ndarray) -> np.ndarray:
        """log2 of h_1 .. h_(n-k), [code, n - k] float64, rising along each row; for P [code, k, n - k] float64.

        Raises:
            DataError: for codes of another shape.
        """
        shape = (self.training.k, self.training.n - self.training.k)
        if P.ndim != 3 or P.shape[1:] != shape:
            raise DataError(f"P has shape {P.shape}", remedy=f"pass [code, {shape[0]}, {shape[1]}]")
        return self.of_columns(seen(P, self.training))

    def of_columns(self, columns: np.ndarray) -> np.ndarray:
        """The same for [code, column] float32 as `seen` gives."""
        import jax

        run, network = self._program
        found = [np.empty((0, self.training.n - self.training.k), np.float32)]
        for start in range(0, len(columns), BLOCK):
            part = columns[start : start + BLOCK]
            if len(part) < BLOCK:  # one program for all lengths
                part = np.concatenate([part, np.zeros((BLOCK - len(part), columns.shape[1]), np.float32)])
            found.append(np.asarray(jax.block_until_ready(run(network, part)))[: len(columns) - start])
        return np.concatenate(found).astype(np.float64)

    @cached_property
    def _program(self) -> tuple[Callable[..., Any], HeightNetwork]:
        """The compiled network, and its parameters with the scaling of the inputs worked into the first layer."""
        import equinox as eqx
        import jax

        from probatum.learning.compilation import ONE_THREAD
        from probatum.learning.networks.layers import Dense
        from probatum.problems.analog_codes.height_network import profile_of_rows

        empty = _untrained(self.training, self.inputs.subtract.size, np.zeros(self.training.n - self.training.k))
        network = jax.tree.unflatten(jax.tree.structure(empty), self.weights)
        weight = network.stem.weight * self.inputs.multiply[:, None]
        bias = network.stem.bias - self.inputs.subtract @ weight
        stem = Dense(weight.astype(np.float32), bias.astype(np.float32))
        network = jax.device_put(eqx.tree_at(lambda whole: whole.stem, network, stem))
        return jax.jit(profile_of_rows, compiler_options=ONE_THREAD), network


def learn_heights(training: HeightTraining) -> LearnedHeights:
    """Trains a network as it is said; equal trainings give equal bits on one machine.

    Raises:
        DataError: for codes or views that there are none of.
        FitError: the training diverged.
    """
    import jax

    from probatum.problems.analog_codes.stream_training import StreamTraining, train_on_stream

    began = time.process_time()
    stream = CodeStream(training.n, training.k, training.distribution, draw=TRAINING_DRAW + training.seed)
    P, targets = stream.labelled(0, training.pool or LEAST_SCALED)
    columns = seen(P, training)
    inputs = Scaling.of(columns.astype(np.float64), ignore_constant=True)
    finite = np.where(np.isfinite(targets), targets, np.nan)
    subtract, multiply = inputs.subtract.astype(np.float32), inputs.multiply.astype(np.float32)

    def fresh(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        P, targets = stream.labelled(start, stop)
        return _scaled(seen(P, training), subtract, multiply), targets.astype(np.float32)

    def again(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.arange(start, stop) % len(columns)
        return _scaled(columns[rows], subtract, multiply), targets[rows].astype(np.float32)

    network = _untrained(training, inputs.subtract.size, np.nanmean(finite, axis=0))
    trained, outcome = train_on_stream(
        network,
        again if training.pool else fresh,
        1 / np.nanvar(finite, axis=0),
        StreamTraining(training.codes, batch=training.batch, rate=training.rate),
    )
    weights = tuple(np.asarray(leaf) for leaf in jax.tree.leaves(trained))
    return LearnedHeights(training, weights, inputs, outcome.rows, time.process_time() - began)


def seen(P: np.ndarray, training: HeightTraining) -> np.ndarray:
    """What a network is given of codes [code, k, n - k]: [code, column] float32."""
    columns = [describe(P, training.view)]
    if training.vertex_bases:
        columns.append(np.log2(vertex_bounds(P, training.vertex_bases)).astype(np.float32))
    if training.minor_steps:
        columns.append(np.log2(minor_bounds(P, training.minor_steps)).astype(np.float32))
    return np.concatenate(columns, axis=1) if len(columns) > 1 else columns[0]


def learned_heights(training: HeightTraining) -> LearnedHeights:
    """`learn_heights` of the same training, from the user's cache where it was done before."""
    key = key_of(f"learned_heights/{VERSION}", repr(training), VERSIONS[training.distribution])
    return cached("analog_codes/learned_heights", key, lambda: learn_heights(training))


@dataclass(frozen=True, eq=False)
class MixedHeights:
    """The weighted mean of what several networks predict, with weights of its own for every m.

    Attributes:
        models: of codes of one shape; they may see different things.
        weights: [model, n - k] float64, not negative, with sum 1 over the models.
    """

    models: tuple[LearnedHeights, ...]
    weights: np.ndarray

    def __call__(self, P: np.ndarray) -> np.ndarray:
        """log2 of h_1 .. h_(n-k), [code, n - k] float64, rising along each row; errors as `LearnedHeights`."""
        mixed = sum(w * model(P) for w, model in zip(self.weights, self.models, strict=True))
        return np.maximum.accumulate(mixed, axis=1)


def mixed_heights(models: Sequence[LearnedHeights], codes: int = 16_384) -> MixedHeights:
    """The mixture of least squared error on fresh codes, of no training and no evaluation.

    The weights S^-1 1 / (1' S^-1 1) of every m are best where they are not negative, S being the second moments of the
    models' errors; negative ones count as 0.

    Args:
        models: of codes of one shape.
        codes: how many codes the weights are found on.
    """
    one = models[0].training
    P, truth = CodeStream(one.n, one.k, one.distribution, draw=MIXING_DRAW).labelled(0, codes)
    errors = np.stack([model(P) - truth for model in models])
    weights = np.empty((len(models), truth.shape[1]))
    for m in range(truth.shape[1]):
        finite = errors[:, np.isfinite(truth[:, m]), m]
        best = np.maximum(np.linalg.pinv(finite @ finite.T) @ np.ones(len(models)), 0.0)
        weights[:, m] = best / best.sum()
    return MixedHeights(tuple(models), weights)


def _untrained(training: HeightTraining, columns: int, profile: np.ndarray) -> HeightNetwork:
    from probatum.problems.analog_codes.height_network import initial_height_network

    return initial_height_network(
        columns,
        training.n - training.k,
        training.width,
        training.layers,
        training.activation,
        np.random.default_rng(training.seed),
        profile=profile.tolist(),
    )


def _scaled(columns: np.ndarray, subtract: np.ndarray, multiply: np.ndarray) -> np.ndarray:
    """(columns - subtract) * multiply, in place: [code, column] float32."""
    columns -= subtract
    columns *= multiply
    return columns
