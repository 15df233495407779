"""Many trainings in one compiled program: chunks of one width, one chunk a thread.

A program's shape follows from the fit itself (its rows, its model), never from its neighbours: chunks are padded to
their width with copies, and fits whose mini-batches differ in number go into different chunks. So a fit's bits do not
depend on its company, nor on the number of threads. Where memory does not suffice for a chunk, it is trained again in
narrower ones, and `Trained.width` says so.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from probatum.errors import FitError
from probatum.learning import probes
from probatum.learning.compilation import compiled
from probatum.learning.curriculum import Curriculum
from probatum.learning.procedure import Procedure
from probatum.learning.program import Lane, chunk_program, evaluation_program, has_statistics

Network = Any
"""A callable pytree: (rows, weight, dropout, statistics) -> (outputs, statistics)."""
Numbers = dict[str, Any]
"""Numeric hyper-parameters of a replica, float32; traced, so that they do not split a program.

'dropout', 'input_noise', 'patience', 'average'; and 'stages', for each 'rate', 'weight_decay', 'clip_norm', 'paces',
'schedule' and those of its objective. Only what the procedure uses need be there.
"""


@dataclass(frozen=True, eq=False)
class Replica:
    """One training.

    Attributes:
        network: untrained, or trained before; arrays of float32.
        numbers: numeric hyper-parameters, float32.
        rows: [row] int64, of the training set; a row that stands twice is trained on twice.
        seed: uint32 of the noise inside the training.
        generator: orders the rows, epoch by epoch.
        inputs: [2, column] float32: what is subtracted from the shared inputs and what they are multiplied by.
        targets: [2, quantity] float32: the same for the shared targets.
        validation: [row] int64, scored every epoch; none of `rows`; None where the procedure does not watch.
        weights: [row] float32 of mean 1, of `rows`; None where the procedure does not weigh.
        curriculum: of `rows`, for each epoch of the procedure; None shows all rows in every epoch.
    """

    network: Network
    numbers: Numbers
    rows: np.ndarray
    seed: int
    generator: np.random.Generator
    inputs: np.ndarray
    targets: np.ndarray
    validation: np.ndarray | None = None
    weights: np.ndarray | None = None
    curriculum: Curriculum | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training gave.

    Attributes:
        network: trained, arrays of float32.
        statistics: of the network over its whole training set, as the network returns them.
        outputs: [case, column] float32, raw, of every shared input row.
        curves: name to [epoch] float32, NaN after it stopped; 'dead units' is [1].
        diverged: the epoch, counted from 1, whose loss or parameters were not finite; None if all were.
        width: replicas side by side in its program.
    """

    network: Network
    statistics: Any
    outputs: np.ndarray
    curves: dict[str, np.ndarray]
    diverged: int | None
    width: int


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A network on all cases.

    Attributes:
        statistics: of the network over the training rows, as the network returns them.
        outputs: [case, column] float32, raw.
        dead: share of hidden units that give 0 for every training row; NaN if the network does not show them.
        score: mean loss of the validation rows under the last stage's objective; NaN where there are none.
    """

    statistics: Any
    outputs: np.ndarray
    dead: float
    score: float


_most_side_by_side: ContextVar[int | None] = ContextVar("most replicas side by side", default=None)


@contextmanager
def at_most(width: int | None) -> Generator[None]:
    """Within it, no program holds more replicas than this: the width that memory has forced on a fit before.

    Args:
        width: `Trained.width` of the earlier fit; None for no limit.
    """
    before = _most_side_by_side.set(width)
    try:
        yield
    finally:
        _most_side_by_side.reset(before)


def train(
    procedure: Procedure,
    replicas: Sequence[Replica],
    inputs: np.ndarray,
    targets: np.ndarray,
    batch: int,
    cores: int = 1,
) -> list[Trained]:
    """Trains replicas whose networks have one structure.

    Args:
        procedure: how they are trained.
        replicas: what is trained.
        inputs: [case, column] float32, shared by all.
        targets: [case, quantity] float32, shared by all.
        batch: most rows in a mini-batch.
        cores: threads to use.

    Raises:
        FitError: memory does not suffice for one replica alone.
    """
    by_shape: dict[tuple[int, int], list[int]] = {}
    for place, replica in enumerate(replicas):
        by_shape.setdefault(_shape(replica, batch), []).append(place)
    width = chunk_width(replicas[0].network, len(replicas)) if replicas else 1
    width = min(width, _most_side_by_side.get() or width)
    chunks = [
        (shape, places[first : first + width])
        for shape, places in sorted(by_shape.items())
        for first in range(0, len(places), width)
    ]

    def run(chunk: tuple[tuple[int, int], list[int]]) -> list[Trained]:
        shape, places = chunk
        orders = [_order(replicas[place], procedure, shape[0], batch) for place in places]
        lanes = [
            _lane(replicas[place], filled, shape[1], len(inputs))
            for place, (_, filled) in zip(places, orders, strict=True)
        ]
        chosen = [
            (replicas[place].network, lane, order)
            for place, lane, (order, _) in zip(places, lanes, orders, strict=True)
        ]
        return _train_chunk(procedure, chosen, width, inputs, targets)

    trained: dict[int, Trained] = {}
    with ThreadPoolExecutor(max(1, cores)) as pool:
        for (_, places), results in zip(chunks, pool.map(run, chunks), strict=True):
            trained.update(zip(places, results, strict=True))
    return [trained[place] for place in range(len(replicas))]


def evaluated(
    procedure: Procedure, replica: Replica, network: Network, inputs: np.ndarray, targets: np.ndarray
) -> Evaluated:
    """What a network in the place of a replica's own gives, alone in its program.

    Args:
        procedure: whose last stage's objective scores.
        replica: its training rows, scalings, numbers and validation rows.
        network: of the structure of the replica's, such as a mean of several.
        inputs, targets: as `train` takes them.
    """
    lane = _lane(replace(replica, validation=None, weights=None), np.zeros((0, 0), np.float32), 0, len(inputs))
    scored = np.zeros(len(inputs), dtype=np.float32)
    scored[[] if replica.validation is None else replica.validation] = 1
    objective, numbers = procedure.stages[-1].objective, replica.numbers["stages"][-1]
    arguments = (network, lane, numbers, scored, inputs, targets)
    program = compiled(("evaluate", objective), evaluation_program(objective), arguments)
    statistics, outputs, dead, score = jax.tree.map(np.asarray, program(*arguments))
    return Evaluated(statistics, outputs, float(dead), float(score))


def steps_per_epoch(rows: int, batch: int) -> int:
    """Mini-batches in an epoch: enough for `rows`, raised to 1-8, 10, 12, 14, 16, 20, ... so that few programs do.

    Rows are dealt evenly over them, so a raised number makes mini-batches a little smaller and leaves none empty.
    """
    return min(_raised(-(-rows // batch)), rows)


def chunk_width(network: Network, count: int) -> int:
    """Replicas in a chunk: small networks share the cost of a step, large ones fill the cache alone.

    On a GPU a step costs its launches, so that a thousand small networks take hardly longer than a hundred.
    """
    parameters = sum(np.size(leaf) for leaf in jax.tree.leaves(network))
    if jax.default_backend() != "cpu":
        most = 1024 if parameters < 100_000 else 64 if parameters < 500_000 else 8
        return min(most, 128) if count <= 128 else most
    return 8 if parameters < 100_000 else 4 if parameters < 500_000 else 1


def _raised(count: int) -> int:
    """1-8, 10, 12, 14, 16, 20, ...: the next one that is not less."""
    grain = 1 << max(0, (count - 1).bit_length() - 3)
    return -(-count // grain) * grain


def _train_chunk(
    procedure: Procedure,
    chosen: list[tuple[Network, Lane, np.ndarray]],
    width: int,
    inputs: np.ndarray,
    targets: np.ndarray,
) -> list[Trained]:
    try:
        return _run_chunk(procedure, chosen, width, inputs, targets)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error) and "out of memory" not in str(error).lower():
            raise
        if width == 1:
            raise FitError(
                "memory does not suffice for one training", remedy="a smaller batch, network or table"
            ) from error
    narrower = width // 2
    return [
        one
        for first in range(0, len(chosen), narrower)
        for one in _train_chunk(procedure, chosen[first : first + narrower], narrower, inputs, targets)
    ]


def _run_chunk(
    procedure: Procedure,
    chosen: list[tuple[Network, Lane, np.ndarray]],
    width: int,
    inputs: np.ndarray,
    targets: np.ndarray,
) -> list[Trained]:
    padded = chosen + [chosen[-1]] * (width - len(chosen))
    networks, lanes = jax.tree.map(lambda *leaves: np.stack(leaves), *[(network, lane) for network, lane, _ in padded])
    order = np.stack([order for _, _, order in padded], axis=1)
    arguments = (networks, lanes, order, inputs, targets)
    program = compiled(procedure, chunk_program(procedure), arguments)
    *results, curves = jax.tree.map(np.asarray, program(*arguments))
    trained = []
    for lane in range(len(chosen)):
        network, statistics, outputs, dead, diverged = jax.tree.map(lambda leaf, lane=lane: leaf[lane], tuple(results))
        seen = probes.named({name: values[:, lane] for name, values in curves.items()}, chosen[lane][0])
        if np.isfinite(dead):
            seen[probes.DEAD] = np.asarray([dead], dtype=np.float32)
        trained.append(Trained(network, statistics, outputs, seen, int(diverged) or None, width))
    return trained


def _shape(replica: Replica, batch: int) -> tuple[int, int]:
    """Mini-batches in an epoch and rows looked at for its validation score: what splits programs."""
    watched = 0
    if replica.validation is not None:
        watched = _raised(len(replica.validation) + _counted(replica).size)
    return steps_per_epoch(len(replica.rows), batch), watched


def _counted(replica: Replica) -> np.ndarray:
    """The training rows that a validation score needs: all for batch statistics, none where there are none."""
    return np.unique(replica.rows) if has_statistics(replica.network, replica.inputs.shape[1]) else replica.rows[:0]


def _lane(replica: Replica, filled: np.ndarray, watched: int, cases: int) -> Lane:
    """What a replica brings to its program.

    Args:
        replica: the replica.
        filled: [step, place].
        watched: places for validation; 0 for none.
        cases: shared input rows.
    """
    member = np.bincount(replica.rows, minlength=cases).astype(np.float32)
    weights = None
    if replica.weights is not None:
        weights = np.zeros(cases, dtype=np.float32)
        weights[replica.rows] = replica.weights
    looked = None
    if replica.validation is not None:
        counted = _counted(replica)
        rows = np.full(watched, replica.rows[0], dtype=np.int32)
        rows[: len(counted)] = counted
        rows[len(counted) :][: len(replica.validation)] = replica.validation
        scored = np.zeros(watched, dtype=np.float32)
        scored[len(counted) :][: len(replica.validation)] = 1
        counts = member[rows] * (np.arange(watched) < len(counted)) if len(counted) else np.ones(watched)
        looked = (rows, counts.astype(np.float32), scored)
    return Lane(
        replica.numbers, filled, member, looked, weights, np.uint32(replica.seed), replica.inputs, replica.targets
    )


def _order(replica: Replica, procedure: Procedure, steps: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of every mini-batch, [epoch, step, place] int32, and which places count, [step, place] float32."""
    epochs = sum(stage.epochs for stage in procedure.stages)
    rows = replica.rows.astype(np.int32)
    sizes = np.full(steps, len(rows) // steps)
    sizes[: len(rows) % steps] += 1
    filled = np.arange(batch) < sizes[:, None]
    # Empty places hold a row of the fit's own, never another's: 0 x NaN is NaN.
    order = np.full((epochs, steps, batch), rows[0], dtype=np.int32)
    if replica.curriculum is not None:
        order[:, filled] = replica.curriculum.dealt(rows, replica.generator)
    else:
        order[:, filled] = replica.generator.permuted(np.broadcast_to(rows, (epochs, len(rows))), axis=1)
    return order, filled.astype(np.float32)
