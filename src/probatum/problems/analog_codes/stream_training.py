"""Trains a network on a stream that never repeats, so that there is nothing to over-fit: the loss is a held-out score.

AdamW's step without decay (Kingma and Ba 2015), gradients clipped, a short warm-up, then half a cosine to zero: at the
end steps are so small that averaging weights would add nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

from probatum.errors import CampaignFileError, FitError
from probatum.learning.compilation import ONE_THREAD
from probatum.learning.networks.network import Network

AnyNetwork = TypeVar("AnyNetwork", bound=Network)
Rows = tuple[np.ndarray, np.ndarray]
"""Inputs [row, column] and targets [row, quantity], both float32; targets that are not finite do not count."""


@dataclass(frozen=True)
class StreamTraining:
    """How long, and in which steps.

    Attributes:
        rows: how many are shown in all; rounded up to whole mini-batches.
        batch: rows in a mini-batch.
        rate: the highest learning rate.
        warm_up: steps in which the rate rises to it.
        clip_norm: gradients longer than this are shortened to it.
        together: mini-batches that are made at once.
    """

    rows: int
    batch: int = 1024
    rate: float = 2e-3
    warm_up: int = 100
    clip_norm: float = 1.0
    together: int = 8

    def __post_init__(self) -> None:
        if min(self.rows, self.batch, self.together) < 1 or self.rate <= 0 or self.warm_up < 0 or self.clip_norm <= 0:
            raise CampaignFileError(f"{self} cannot be used", remedy="choose numbers above 0")

    @property
    def steps(self) -> int:
        return -(-self.rows // self.batch)


@dataclass(frozen=True)
class StreamOutcome:
    """What a training took.

    Attributes:
        rows: shown.
        cpu_seconds: of this process, compilation included.
        making_seconds: the part of it that made the rows.
        losses: [steps / together, rounded up] float32, of the last mini-batch of each that were made at once.
    """

    rows: int
    cpu_seconds: float
    making_seconds: float
    losses: np.ndarray


def train_on_stream(
    network: AnyNetwork, make: Callable[[int, int], Rows], weights: np.ndarray, training: StreamTraining
) -> tuple[AnyNetwork, StreamOutcome]:
    """The trained network, and what it took; equal arguments give equal bits on one machine.

    Args:
        network: untrained.
        make: rows start..stop-1 of the stream.
        weights: [quantity], of the squared errors.
        training: how.

    Raises:
        FitError: the loss is no number any more.
    """
    began, making = time.process_time(), 0.0
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, training.rate, min(training.warm_up, training.steps // 2), training.steps
    )
    optimiser = optax.chain(optax.clip_by_global_norm(training.clip_norm), optax.adam(schedule, b2=0.98))
    share = np.asarray(weights / np.sum(weights), np.float32)
    ones = np.ones(training.batch, np.float32)

    def loss_of(network: AnyNetwork, inputs: jax.Array, targets: jax.Array) -> jax.Array:
        counts = jnp.isfinite(targets)
        errors = network(inputs, jnp.asarray(ones))[0] - jnp.where(counts, targets, 0.0)
        return (jnp.where(counts, errors**2, 0.0).mean(axis=0) * share).sum()

    def step(network: AnyNetwork, state: optax.OptState, inputs: jax.Array, targets: jax.Array) -> tuple[Any, ...]:
        loss, gradient = jax.value_and_grad(loss_of)(network, inputs, targets)
        moves, state = optimiser.update(gradient, state)  # type: ignore[arg-type]
        return optax.apply_updates(network, moves), state, loss  # type: ignore[arg-type]

    network = jax.tree.map(jnp.array, network)
    state = optimiser.init(network)  # type: ignore[arg-type]
    run = jax.jit(step, donate_argnums=(0, 1), compiler_options=ONE_THREAD)
    losses = []
    for first in range(0, training.steps, training.together):
        last = min(first + training.together, training.steps)
        began_making = time.process_time()
        inputs, targets = make(first * training.batch, last * training.batch)
        making += time.process_time() - began_making
        loss = np.float32(np.nan)
        for at in range(0, len(inputs), training.batch):
            part = slice(at, at + training.batch)
            network, state, loss = run(network, state, inputs[part], targets[part])
        losses.append(np.float32(loss))
        if not np.isfinite(losses[-1]):
            raise FitError(f"the loss is {losses[-1]} after {last} steps of {training.steps}")
    trained = jax.tree.map(np.asarray, network)
    shown = training.steps * training.batch
    return trained, StreamOutcome(shown, time.process_time() - began, making, np.array(losses, np.float32))
