"""The program that trains a chunk of replicas: epochs in a loop, mini-batches in a scan, replicas side by side.

A replica that has stopped, or diverged, is frozen: its state is selected bit for bit from then on, and the loop ends
when none is left. All that differs between replicas of a chunk is an array.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from probatum.learning import probes
from probatum.learning.averaging import Average, over_epochs, over_steps
from probatum.learning.noise import normal, word
from probatum.learning.objective import Objective
from probatum.learning.optimisers import OPTIMISERS
from probatum.learning.parameters import paths, selected, under
from probatum.learning.procedure import Procedure, Stage
from probatum.learning.schedules import FACTORS, plateau_next, plateau_start

NOISE_OF_INPUTS = 0x2545F491
BLOCK = 4096
"""Rows evaluated at once, where they do not depend on each other."""


class Lane(NamedTuple):
    """What a replica brings and a training does not change; see `probatum.learning.replicas.Replica`."""

    numbers: Any
    filled: Any
    """[step, place]: which places of a mini-batch hold a row."""
    member: Any
    """[case]: how often a case is trained on in an epoch."""
    watched: Any
    """Row int32, whether it counts in batch statistics, whether it counts in the score, [place] each; or None."""
    weights: Any
    """[case], of mean 1 over the training rows; or None."""
    seed: Any
    inputs: Any
    targets: Any


class State(NamedTuple):
    """What an epoch hands to the next; None where the procedure has no use for it."""

    network: Any
    optimiser: Any
    active: Any
    diverged: Any
    """Epoch, counted from 1; 0 before."""
    plateau: Any
    average: Any
    """Of `probatum.learning.averaging`."""
    best: Any
    best_score: Any
    waited: Any


def chunk_program(procedure: Procedure) -> Callable[..., Any]:
    """The training of a chunk.

    Returns:
        (networks, lanes, order, inputs, targets) to (networks, statistics, raw outputs [replica, case, column], share
        of dead units [replica], epoch of divergence [replica], curves name to [epoch, replica, ...]). Networks and
        lanes have the replica as leading axis, order is [epoch, replica, step, place].
    """

    def run(networks: Any, lanes: Lane, order: jax.Array, inputs: jax.Array, targets: jax.Array) -> Any:
        width = order.shape[1]
        fresh = jnp.zeros(width, jnp.int32)
        state = State(networks, None, fresh == 0, fresh, None, None, None, None, None)
        if procedure.average != "none":
            state = state._replace(average=Average(networks, fresh))
        curves, done = [], 0
        for place, stage in enumerate(procedure.stages):
            one = _StageProgram(procedure, stage, place, done, inputs, targets)
            state, seen = one.run(lanes, state, order)
            curves.append(seen)
            done += stage.epochs
        networks = state.network if state.average is None else state.average.network
        evaluate = jax.vmap(lambda network, lane: _evaluated(network, lane, inputs, procedure.probing))
        together = jax.tree.map(lambda *parts: jnp.concatenate(parts), *curves)
        return networks, *evaluate(networks, lanes), state.diverged, together

    return run


def evaluation_program(objective: Objective) -> Callable[..., Any]:
    """A network on all cases, its batch statistics estimated anew from the training rows of its lane.

    Returns:
        (network, lane, numbers of the objective, which cases are scored [case], inputs, targets) to (statistics, raw
        outputs [case, column], share of dead units, mean loss of the scored cases), none with a replica axis.
    """

    def run(network: Any, lane: Lane, numbers: Any, scored: jax.Array, inputs: jax.Array, targets: jax.Array) -> Any:
        statistics, raw, dead = _evaluated(network, lane, inputs, True)
        losses = objective.rows(raw, (targets - lane.targets[0]) * lane.targets[1], numbers)
        # Other cases may hold what the loss cannot take: 0 x NaN is NaN.
        return statistics, raw, dead, jnp.where(scored > 0, losses, 0).sum() / scored.sum()

    return run


def has_statistics(network: Any, columns: int) -> bool:
    """Whether a network of inputs of so many columns normalises by statistics of its batch."""
    rows, weight = np.zeros((2, columns), np.float32), np.ones(2, np.float32)
    _, statistics = jax.eval_shape(lambda one: one(rows, weight, None), network)
    return bool(jax.tree.leaves(statistics))


def _standardised(lane: Lane, rows: jax.Array) -> jax.Array:
    return (rows - lane.inputs[0]) * lane.inputs[1]


def _evaluated(network: Any, lane: Lane, inputs: jax.Array, probing: bool) -> Any:
    """Statistics, raw outputs [case, column] and the share of dead units, NaN where nothing is probed.

    In blocks of `BLOCK` cases, so that memory for hidden units does not grow with the cases. Not so with batch
    statistics: those of a layer need the layer before it for all training rows, so that these go through whole.
    """

    def block(inputs: jax.Array, member: jax.Array) -> Any:
        rows = _standardised(lane, inputs)
        raw, statistics = network(rows, member, None)
        return statistics, raw, probes.largest_activations(network, rows, member) if probing else []

    whole = len(inputs) // BLOCK * BLOCK
    if whole == 0 or has_statistics(network, inputs.shape[1]):
        statistics, raw, units = block(inputs, lane.member)
        return statistics, raw, probes.dead_share(units)
    blocks = jax.tree.map(lambda x: x[:whole].reshape(-1, BLOCK, *x.shape[1:]), (inputs, lane.member))
    statistics, raw, units = jax.lax.map(lambda one: block(*one), blocks)
    raw, units = raw.reshape(whole, -1), [largest.max(axis=0) for largest in units]
    if whole < len(inputs):
        _, rest, others = block(inputs[whole:], lane.member[whole:])
        raw = jnp.concatenate([raw, rest])
        units = [jnp.maximum(a, b) for a, b in zip(units, others, strict=True)]
    return statistics, raw, probes.dead_share(units)


@dataclass(frozen=True, eq=False)
class _StageProgram:
    """The traced functions of one stage. All but `run` see one replica."""

    procedure: Procedure
    stage: Stage
    place: int
    first_epoch: int
    inputs: jax.Array
    targets: jax.Array

    def run(self, lanes: Lane, state: State, order: jax.Array) -> tuple[State, dict[str, jax.Array]]:
        state = jax.vmap(self.start)(state)
        step = jax.vmap(self.epoch, (0, 0, 0, None))
        _, shapes = jax.eval_shape(step, lanes, state, order[0], 0)
        curves = {name: jnp.full((self.stage.epochs, *s.shape), jnp.nan) for name, s in shapes.items()}

        def going(loop: Any) -> jax.Array:
            epoch, state, _ = loop
            return (epoch < self.stage.epochs) & state.active.any()

        def body(loop: Any) -> Any:
            epoch, state, curves = loop
            after, seen = step(lanes, state, order[self.first_epoch + epoch], epoch)
            kept = jax.tree.map(lambda new, old: _where(state.active, new, old), after, state)
            seen = {name: _where(state.active, value, jnp.full_like(value, jnp.nan)) for name, value in seen.items()}
            return epoch + 1, kept, {name: curves[name].at[epoch].set(seen[name]) for name in curves}

        _, state, curves = jax.lax.while_loop(going, body, (jnp.zeros((), jnp.int32), state, curves))
        if self.procedure.restoring:
            state = state._replace(network=state.best)
            if state.average is not None:
                state = state._replace(average=state.average._replace(network=state.best))
        return state, curves

    def start(self, state: State) -> State:
        trainable, _ = self._parted(state.network)
        state = state._replace(
            optimiser=OPTIMISERS[self.stage.optimiser]({"rate": 0.0, "weight_decay": 0.0}).init(trainable),
            active=state.diverged == 0,
            plateau=plateau_start() if self.stage.schedule == "plateau" else None,
        )
        if self.procedure.watching:
            best = state.network if self.procedure.restoring else None
            state = state._replace(best=best, best_score=jnp.full((), jnp.inf), waited=jnp.zeros(()))
        return state

    def epoch(self, lane: Lane, state: State, order: jax.Array, epoch: Any) -> tuple[State, dict[str, jax.Array]]:
        steps = order.shape[0]
        before = state.network
        mini_batches = (order, lane.filled, jnp.arange(steps))

        def without_gradient(state: State, mini_batch: Any) -> tuple[State, jax.Array]:
            state, loss, _ = self.step(lane, state, mini_batch, epoch, steps)
            return state, loss

        losses = jnp.zeros(0)
        if steps > 1:
            most = jax.tree.map(lambda x: x[:-1], mini_batches)
            state, losses = jax.lax.scan(without_gradient, state, most, unroll=2)
        last = jax.tree.map(lambda x: x[-1], mini_batches)
        state, loss, gradient = self.step(lane, state, last, epoch, steps)
        loss = (losses.sum() + loss) / lane.filled.sum()
        seen, lost = {probes.TRAINING: loss}, ~jnp.isfinite(loss)
        if self.procedure.probing:
            seen |= probes.probed(before, state.network, gradient)
            lost = lost | (seen[probes.NOT_FINITE] > 0)
        first = self.first_epoch + epoch + 1
        state = state._replace(diverged=jnp.where(lost, first, state.diverged).astype(jnp.int32), active=~lost)
        if self.procedure.average == "swa":
            epochs = sum(stage.epochs for stage in self.procedure.stages)
            started = self.first_epoch + epoch >= lane.numbers["average"] * epochs
            state = state._replace(average=over_epochs(state.average, state.network, started))
        score = loss
        if self.procedure.watching:
            score = seen[probes.VALIDATION] = self.score(lane, state)
            state = self._judged(lane, state, score)
        if state.plateau is not None:
            state = state._replace(plateau=plateau_next(state.plateau, score, self._numbers(lane)["schedule"]))
        return state, seen

    def step(self, lane: Lane, state: State, mini_batch: Any, epoch: Any, steps: int) -> tuple[State, Any, Any]:
        """One mini-batch: the new state, the loss summed over its rows, and the gradient, shaped as the network."""
        rows, filled, step = mini_batch
        numbers = self._numbers(lane)
        trainable, fixed = self._parted(state.network)
        done = epoch * steps + step
        count = filled.sum()
        salt = word(lane.seed, self.first_epoch * steps + done)
        weight = filled if lane.weights is None else filled * lane.weights[rows]

        def objective(trainable: Any) -> jax.Array:
            network = eqx.combine(trainable, fixed)
            x = _standardised(lane, self.inputs[rows])
            if self.procedure.noisy:
                spread = lane.numbers["input_noise"] * (lane.inputs[1] != 0)
                x = x + spread * normal(x.shape, salt ^ jnp.uint32(NOISE_OF_INPUTS))
            dropout = (lane.numbers["dropout"], salt) if self.procedure.dropping else None
            raw, _ = network(x, filled, dropout)
            wanted = (self.targets[rows] - lane.targets[0]) * lane.targets[1]
            return self.stage.objective.batch(raw, wanted, weight / count, numbers, salt)

        loss, gradient = jax.value_and_grad(objective)(trainable)
        raw_gradient = gradient
        if self.stage.clipping:
            gradient, _ = optax.clip_by_global_norm(numbers["clip_norm"]).update(gradient, optax.EmptyState())
        share = done / (self.stage.epochs * steps)
        rate = numbers["rate"] * FACTORS[self.stage.schedule](share, numbers.get("schedule", {}))
        if state.plateau is not None:
            rate = rate * state.plateau["factor"]
        optimiser = OPTIMISERS[self.stage.optimiser]({**numbers, "rate": rate})
        updates, optimiser_state = optimiser.update(gradient, state.optimiser, trainable)
        updates = self._paced(updates, numbers)
        network = eqx.combine(optax.apply_updates(trainable, updates), fixed)
        state = state._replace(network=network, optimiser=optimiser_state)
        if self.procedure.average == "ema":
            state = state._replace(average=over_steps(state.average, network, lane.numbers["average"]))
        whole = eqx.combine(raw_gradient, jax.tree.map(jnp.zeros_like, fixed))
        return state, loss * count, whole

    def score(self, lane: Lane, state: State) -> jax.Array:
        """The mean loss of the validation rows, no unit dropped, batch statistics from the training rows."""
        rows, counts, scored = lane.watched
        network = state.network if state.average is None else state.average.network
        raw, _ = network(_standardised(lane, self.inputs[rows]), counts, None)
        wanted = (self.targets[rows] - lane.targets[0]) * lane.targets[1]
        losses = self.stage.objective.rows(raw, wanted, self._numbers(lane))
        return (losses * scored).sum() / scored.sum()

    def _judged(self, lane: Lane, state: State, score: jax.Array) -> State:
        better = score < state.best_score
        waited = jnp.where(better, 0.0, state.waited + 1)
        if self.procedure.restoring:
            network = state.network if state.average is None else state.average.network
            state = state._replace(best=jax.tree.map(lambda new, old: jnp.where(better, new, old), network, state.best))
        return state._replace(
            best_score=jnp.where(better, score, state.best_score),
            waited=waited,
            active=state.active & (waited < lane.numbers["patience"]),
        )

    def _paced(self, updates: Any, numbers: Any) -> Any:
        if not self.stage.paces:
            return updates
        factors = [
            next((numbers["paces"][k] for k, p in enumerate(self.stage.paces) if under(path, p)), 1.0)
            for path in paths(updates)
        ]
        leaves, structure = jax.tree.flatten(updates)
        return jax.tree.unflatten(structure, [leaf * f for leaf, f in zip(leaves, factors, strict=True)])

    def _parted(self, network: Any) -> tuple[Any, Any]:
        frozen = selected(network, self.stage.frozen)
        return eqx.partition(network, jax.tree.map(lambda is_frozen: not is_frozen, frozen))

    def _numbers(self, lane: Lane) -> Any:
        return lane.numbers["stages"][self.place]


def _where(active: jax.Array, new: jax.Array, old: jax.Array) -> jax.Array:
    return jnp.where(active.reshape(active.shape + (1,) * (new.ndim - 1)), new, old)
