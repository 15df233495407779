"""Many trainings in one compiled program: jit(vmap(scan)) over chunks of one width, one chunk a thread.

A program's shape follows from the fit itself (its rows, its model), never from its neighbours: chunks are padded to
their width with copies, and fits whose mini-batches differ in number go into different chunks. So a fit's bits do not
depend on its company, nor on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from probatum.learning.compilation import compiled
from probatum.learning.noise import word

Network = Any
"""A callable pytree: (rows, weight, dropout) -> (outputs, statistics)."""
Numbers = dict[str, np.ndarray]
"""Numeric hyper-parameters of a replica; traced, so that they do not split a program."""


@dataclass(frozen=True)
class Procedure:
    """What a program does, apart from the shapes of its arrays. Equal procedures compile once.

    Attributes:
        loss: (outputs [row, quantity], targets [row, quantity], numbers) to [row].
        optimiser: from traced numbers to a gradient transformation.
        dropping: whether units are dropped, at rate `numbers['dropout']`.
    """

    loss: Callable[[jax.Array, jax.Array, Any], jax.Array]
    optimiser: Callable[[Any], optax.GradientTransformation]
    dropping: bool


@dataclass(frozen=True, eq=False)
class Replica:
    """One training.

    Attributes:
        network: untrained, arrays of float32.
        numbers: numeric hyper-parameters, float32.
        rows: [row] int64, of the training set.
        seed: uint32 of the noise inside the training.
        generator: orders the rows, epoch by epoch.
        inputs: [2, column] float32: what is subtracted from the shared inputs and what they are multiplied by.
        targets: [2, quantity] float32: the same for the shared targets.
    """

    network: Network
    numbers: Numbers
    rows: np.ndarray
    seed: int
    generator: np.random.Generator
    inputs: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training gave.

    Attributes:
        network: trained, arrays of float32.
        statistics: of the network over its whole training set, as the network returns them.
        outputs: [case, quantity] float32, of every shared input row.
        losses: [epoch] float32, mean training loss.
    """

    network: Network
    statistics: Any
    outputs: np.ndarray
    losses: np.ndarray


def train(
    procedure: Procedure,
    replicas: Sequence[Replica],
    inputs: np.ndarray,
    targets: np.ndarray,
    epochs: int,
    batch: int,
    cores: int = 1,
) -> list[Trained]:
    """Trains replicas whose networks have one structure.

    Args:
        procedure: how they are trained.
        replicas: what is trained.
        inputs: [case, column] float32, shared by all.
        targets: [case, quantity] float32, shared by all.
        epochs: passes over the training set.
        batch: most rows in a mini-batch.
        cores: threads to use.
    """
    by_steps: dict[int, list[int]] = {}
    for place, replica in enumerate(replicas):
        by_steps.setdefault(steps_per_epoch(len(replica.rows), batch), []).append(place)
    width = chunk_width(replicas[0].network) if replicas else 1
    chunks = [
        (steps, places[first : first + width])
        for steps, places in sorted(by_steps.items())
        for first in range(0, len(places), width)
    ]

    def run(chunk: tuple[int, list[int]]) -> list[Trained]:
        steps, places = chunk
        chosen = [replicas[place] for place in places]
        return _train_chunk(procedure, chosen, width, inputs, targets, (epochs, steps, batch))

    trained: dict[int, Trained] = {}
    with ThreadPoolExecutor(max(1, cores)) as pool:
        for (_, places), results in zip(chunks, pool.map(run, chunks), strict=True):
            trained.update(zip(places, results, strict=True))
    return [trained[place] for place in range(len(replicas))]


def steps_per_epoch(rows: int, batch: int) -> int:
    """Mini-batches in an epoch: enough for `rows`, raised to 1-8, 10, 12, 14, 16, 20, ... so that few programs do.

    Rows are dealt evenly over them, so a raised number makes mini-batches a little smaller and leaves none empty.
    """
    needed = -(-rows // batch)
    grain = 1 << max(0, (needed - 1).bit_length() - 3)
    return min(-(-needed // grain) * grain, rows)


def chunk_width(network: Network) -> int:
    """Replicas in a chunk: small networks share the cost of a step, large ones fill the cache alone."""
    parameters = sum(np.size(leaf) for leaf in jax.tree.leaves(network))
    return 8 if parameters < 100_000 else 4 if parameters < 500_000 else 1


def _train_chunk(
    procedure: Procedure,
    replicas: list[Replica],
    width: int,
    inputs: np.ndarray,
    targets: np.ndarray,
    shape: tuple[int, int, int],
) -> list[Trained]:
    orders = [_order(replica, shape) for replica in replicas]
    lanes = [
        (r.network, r.numbers, order, weight, _membership(r.rows, len(inputs)), np.uint32(r.seed), r.inputs, r.targets)
        for r, (order, weight) in zip(replicas, orders, strict=True)
    ]
    lanes += [lanes[-1]] * (width - len(lanes))
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *lanes)
    program = compiled(procedure, _program(procedure), (*stacked, inputs, targets))
    networks, statistics, outputs, losses = jax.tree.map(np.asarray, program(*stacked, inputs, targets))
    return [
        Trained(*jax.tree.map(lambda leaf, lane=lane: leaf[lane], (networks, statistics, outputs, losses)))
        for lane in range(len(replicas))
    ]


def _order(replica: Replica, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The rows of every mini-batch, [epoch, step, place] int32, and which places count, [step, place] float32."""
    epochs, steps, batch = shape
    rows = replica.rows.astype(np.int32)
    sizes = np.full(steps, len(rows) // steps)
    sizes[: len(rows) % steps] += 1
    filled = np.arange(batch) < sizes[:, None]
    # Empty places hold a row of the fit's own, never another's: 0 x NaN is NaN.
    order = np.full((epochs, steps, batch), rows[0], dtype=np.int32)
    order[:, filled] = replica.generator.permuted(np.broadcast_to(rows, (epochs, len(rows))), axis=1)
    return order, filled.astype(np.float32)


def _membership(rows: np.ndarray, cases: int) -> np.ndarray:
    member = np.zeros(cases, dtype=np.float32)
    member[rows] = 1
    return member


def _program(procedure: Procedure) -> Callable[..., Any]:
    """The training of a chunk; every argument but the shared inputs and targets has the replica as leading axis."""

    def train_one(network, numbers, order, weight, member, seed, input_scaling, target_scaling, inputs, targets):
        optimiser = procedure.optimiser(numbers)

        def standardised(rows: jax.Array) -> jax.Array:
            return (rows - input_scaling[0]) * input_scaling[1]

        def objective(network, rows, weight, step):
            dropout = (numbers["dropout"], word(seed, step)) if procedure.dropping else None
            outputs, _ = network(standardised(inputs[rows]), weight, dropout)
            losses = procedure.loss(outputs, (targets[rows] - target_scaling[0]) * target_scaling[1], numbers)
            return (losses * weight).sum() / weight.sum()

        def step(carry, mini_batch):
            network, state, count = carry
            rows, weight = mini_batch
            loss, gradient = jax.value_and_grad(objective)(network, rows, weight, count)
            updates, state = optimiser.update(gradient, state, network)
            return (optax.apply_updates(network, updates), state, count + 1), loss * weight.sum()

        def epoch(carry, order):
            carry, losses = jax.lax.scan(step, carry, (order, weight), unroll=2)
            return carry, losses.sum() / weight.sum()

        start = (network, optimiser.init(network), jnp.zeros((), jnp.int32))
        (network, _, _), losses = jax.lax.scan(epoch, start, order)
        outputs, statistics = network(standardised(inputs), member)
        return network, statistics, outputs, losses

    return jax.vmap(train_one, (0, 0, 0, 0, 0, 0, 0, 0, None, None))
