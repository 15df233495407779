"""Trains the exploration's networks, several side by side in one compiled program of fixed width.

Adam with a rate for each group of parameters; mini-batches of frames drawn with replacement. A training is cut into
parts; after each part its loss is noted, and constants are solved for where that is asked. A part's program has one
width whatever is trained, padded with copies, so a training's bits do not depend on its company.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from probatum.learning.compilation import compiled
from probatum.problems.metabolism.losses import Coefficients, loss
from probatum.problems.metabolism.networks import Form, MetabolismNetwork, Perceptron

WIDTH = 4
"""Trainings in a program."""
PARTS = 20
"""Of a training."""


class Rates(NamedTuple):
    """Of Adam, for each group of parameters; `embedding` moves with MLP_node."""

    k: jax.Array | float
    node: jax.Array | float
    sub: jax.Array | float


Numbers = tuple[Rates, Coefficients]
"""What a training has of its own, traced."""


@dataclass(frozen=True, eq=False)
class Training:
    """One training.

    Attributes:
        network: untrained.
        rates, coefficients: numbers.
        generator: draws the frames.
        solved: from a model to log10 k [reaction], asked before the first part and after each; None steps them.
    """

    network: MetabolismNetwork
    rates: Rates
    coefficients: Coefficients
    generator: np.random.Generator
    solved: Callable[[MetabolismNetwork], np.ndarray] | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """What it gave.

    Attributes:
        network: the model.
        losses: mean loss of each part, [part] float32.
        changes: 'MLP_sub' and 'MLP_node' to |after - before| / |before| of their weights in each part, [part] float64.
    """

    network: MetabolismNetwork
    losses: np.ndarray
    changes: Mapping[str, np.ndarray]


def train(
    trainings: Sequence[Training],
    concentrations: np.ndarray,
    targets: np.ndarray,
    ends: np.ndarray,
    form: Form,
    steps: int,
    batch: int,
    cores: int = 1,
) -> list[Trained]:
    """Trains models of one structure on one trajectory.

    Args:
        trainings: what is trained.
        concentrations, targets: c and dc/dt, [frame, metabolite].
        ends: [2, reaction] int, as `networks.slopes` takes them.
        form: of the models.
        steps: of Adam.
        batch: frames in a mini-batch.
        cores: threads that may be used.
    """
    c, y = (np.asarray(values, dtype=np.float32) for values in (concentrations, targets))
    chunks = [trainings[first : first + WIDTH] for first in range(0, len(trainings), WIDTH)]

    def run(chunk: Sequence[Training]) -> list[Trained]:
        return _train_chunk(chunk, c, y, np.asarray(ends, dtype=np.int32), form, steps, batch)

    with ThreadPoolExecutor(max(1, cores)) as pool:
        return [one for results in pool.map(run, chunks) for one in results]


def _train_chunk(
    chunk: Sequence[Training], c: np.ndarray, y: np.ndarray, ends: np.ndarray, form: Form, steps: int, batch: int
) -> list[Trained]:
    padded = [*chunk, *[chunk[-1]] * (WIDTH - len(chunk))]
    networks = [one.network for one in chunk]
    if any(one.solved for one in chunk):
        networks = _with_constants(chunk, networks)
    networks += [networks[-1]] * (WIDTH - len(chunk))
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *networks)
    optimiser = optax.scale_by_adam()
    state = jax.vmap(optimiser.init)(stacked)
    numbers = jax.tree.map(
        lambda *leaves: np.stack(leaves).astype(np.float32), *[(p.rates, p.coefficients) for p in padded]
    )
    losses, changes = [], []
    ends_of_parts = np.linspace(0, steps, min(PARTS, steps) + 1).astype(int)
    for length in np.diff(ends_of_parts):
        orders = [one.generator.integers(len(c), size=(length, batch), dtype=np.int32) for one in chunk]
        order = np.stack(orders + [orders[-1]] * (WIDTH - len(chunk)), axis=1)
        arguments = (stacked, state, numbers, order, c, y, ends)
        program = compiled(("metabolism", form), _part(form), arguments)
        before = stacked
        stacked, state, of_part = jax.tree.map(np.asarray, program(*arguments))
        losses.append(of_part)
        changes.append({"MLP_sub": _changed(before.sub, stacked.sub), "MLP_node": _changed(before.node, stacked.node)})
        if any(one.solved for one in chunk):
            apart = [jax.tree.map(lambda leaf, i=i: leaf[i], stacked) for i in range(len(chunk))]
            apart = _with_constants(chunk, apart)
            stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *apart, *[apart[-1]] * (WIDTH - len(chunk)))
    return [
        Trained(
            jax.tree.map(lambda leaf, i=i: leaf[i], stacked),
            np.array([part[i] for part in losses]),
            {name: np.array([part[name][i] for part in changes]) for name in changes[0]},
        )
        for i in range(len(chunk))
    ]


def _changed(before: Perceptron, after: Perceptron) -> np.ndarray:
    """|after - before| / |before| of all weights, biases left out, of models side by side: [model] float64."""

    def norm(leaves: Sequence[np.ndarray]) -> np.ndarray:
        return np.sqrt(sum((np.asarray(leaf, np.float64) ** 2).sum(axis=(1, 2)) for leaf in leaves))

    steps = [np.asarray(b) - np.asarray(a) for a, b in zip(before.weights, after.weights, strict=True)]
    return norm(steps) / (norm([np.asarray(leaf) for leaf in before.weights]) + 1e-30)


def _with_constants(chunk: Sequence[Training], networks: Sequence[MetabolismNetwork]) -> list[MetabolismNetwork]:
    """The models with constants that were solved for, where that is asked."""
    return [
        eqx.tree_at(lambda m: m.log_k, network, one.solved(network).astype(np.float32)) if one.solved else network
        for one, network in zip(chunk, networks, strict=True)
    ]


def _part(form: Form) -> Callable[..., Any]:
    """The program of one part: Adam's steps in a scan, trainings side by side."""
    optimiser = optax.scale_by_adam()

    def step(
        network: MetabolismNetwork, state: optax.OptState, numbers: Numbers,
        frames: jax.Array, c: jax.Array, y: jax.Array, ends: jax.Array,
    ) -> tuple[MetabolismNetwork, optax.OptState, jax.Array]:  # fmt: skip
        rates, coefficients = numbers
        value, gradient = jax.value_and_grad(loss)(network, c[frames], y[frames], ends, form, coefficients)
        found, state = optimiser.update(gradient, state)
        direction: Any = found
        of_groups = MetabolismNetwork(
            sub=jax.tree.map(lambda d: rates.sub * d, direction.sub),
            node=jax.tree.map(lambda d: rates.node * d, direction.node),
            embeddings=rates.node * direction.embeddings,
            log_k=rates.k * direction.log_k,
        )
        return jax.tree.map(jnp.subtract, network, of_groups), state, value

    def part(
        networks: MetabolismNetwork, states: optax.OptState, numbers: Numbers,
        order: jax.Array, c: jax.Array, y: jax.Array, ends: jax.Array,
    ) -> tuple[MetabolismNetwork, optax.OptState, jax.Array]:  # fmt: skip
        def all_of_them(carry: tuple[Any, Any], frames: jax.Array) -> tuple[tuple[Any, Any], jax.Array]:
            networks, states = carry
            side_by_side = jax.vmap(step, in_axes=(0, 0, 0, 0, None, None, None))
            networks, states, values = side_by_side(networks, states, numbers, frames, c, y, ends)
            return (networks, states), values

        (networks, states), values = jax.lax.scan(all_of_them, (networks, states), order)
        return networks, states, values.mean(axis=0)

    return part
