from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from probatum.learning import probes
from probatum.learning.networks.mlp import MLP, initial_mlp
from probatum.learning.objective import Objective
from probatum.learning.procedure import Procedure, Stage
from probatum.learning.replicas import Replica, Trained, train

GENERATOR = np.random.default_rng(0)
INPUTS = GENERATOR.normal(size=(12, 3)).astype(np.float32)
TARGETS = GENERATOR.normal(size=(12, 2)).astype(np.float32)
ONES = np.ones(12, dtype=np.float32)


def network() -> MLP:
    return initial_mlp((3, 6, 2), "relu", "none", "linear", np.random.default_rng(1))


def one_step(one: MLP, epochs: int = 1, probing: bool = True) -> Trained:
    """All rows in one mini-batch, plain gradient descent."""
    stage = {
        "rate": 0.1,
        "weight_decay": 0.0,
        "loss": {},
        "penalties": [],
        "schedule": {},
        "paces": [],
        "target_weights": np.ones(2),
        "units": np.stack([np.zeros(2), np.ones(2)]),
    }
    numbers = jax.tree.map(lambda number: np.asarray(number, dtype=np.float32), {"stages": [stage]})
    as_is = [np.stack([np.zeros(k), np.ones(k)]).astype(np.float32) for k in (3, 2)]
    replica = Replica(one, numbers, np.arange(12), 0, np.random.default_rng(0), inputs=as_is[0], targets=as_is[1])
    procedure = Procedure((Stage(epochs, Objective(), optimiser="sgd"),), probing=probing)
    (trained,) = train(procedure, [replica], INPUTS, TARGETS, batch=12)
    return trained


def test_the_gradient_norm_is_that_of_the_gradient_by_hand() -> None:
    start = network()

    def loss(one: MLP) -> jax.Array:
        hidden = jnp.maximum(INPUTS @ one.weights[0] + one.biases[0], 0)
        return ((hidden @ one.weights[1] + one.biases[1] - TARGETS) ** 2).mean()

    gradient = jax.grad(loss)(start)
    found = one_step(start).curves
    for layer in range(2):
        wanted = np.linalg.norm(np.asarray(gradient.weights[layer]))
        np.testing.assert_allclose(found[f"{probes.GRADIENT} weights.{layer}"], [wanted], rtol=1e-4)


def test_the_relative_change_is_that_of_the_weights() -> None:
    start = network()
    ended = one_step(start)
    for layer in range(2):
        before, after = start.weights[layer], ended.network.weights[layer]
        wanted = np.linalg.norm(after - before) / np.linalg.norm(before)
        np.testing.assert_allclose(ended.curves[f"{probes.CHANGE} weights.{layer}"], [wanted], rtol=1e-3)


def test_parameters_that_are_not_finite_are_counted() -> None:
    start = network()
    weights = [start.weights[0].copy(), start.weights[1].copy()]
    weights[0][0, :2] = np.nan
    weights[1][3, 1] = np.inf
    spoilt = eqx.tree_at(lambda one: one.weights, start, weights)
    assert int(probes.probed(start, spoilt, start)[probes.NOT_FINITE]) == 3
    assert int(probes.probed(start, start, start)[probes.NOT_FINITE]) == 0


def with_dead_units() -> MLP:
    """Units 1 and 4 of six never rise above 0."""
    biases = [network().biases[0].copy(), network().biases[1]]
    biases[0][[1, 4]] = -1e3
    return eqx.tree_at(lambda one: one.biases, network(), biases)


def test_units_that_are_always_0_are_dead() -> None:
    largest = probes.largest_activations(with_dead_units(), jnp.asarray(INPUTS), jnp.asarray(ONES))
    np.testing.assert_allclose(probes.dead_share(largest), 2 / 6)
    np.testing.assert_allclose(one_step(with_dead_units()).curves[probes.DEAD], [2 / 6])


def test_a_unit_that_only_rows_of_weight_0_excite_is_dead() -> None:
    rows = INPUTS.copy()
    rows[0] *= 1e4  # excites half of the units, however they are biased
    without = probes.largest_activations(with_dead_units(), jnp.asarray(rows), jnp.asarray(ONES).at[0].set(0))
    np.testing.assert_allclose(probes.dead_share(without), 2 / 6)


def test_a_network_that_shows_no_units_has_no_share() -> None:
    assert probes.largest_activations(object(), jnp.asarray(INPUTS), jnp.asarray(ONES)) == []
    assert np.isnan(probes.dead_share([]))


def test_without_probes_the_same_is_learned_and_only_the_loss_is_watched() -> None:
    with_them, without = one_step(network(), epochs=5), one_step(network(), epochs=5, probing=False)
    assert set(without.curves) == {probes.TRAINING}
    np.testing.assert_allclose(without.curves[probes.TRAINING], with_them.curves[probes.TRAINING], rtol=1e-5)
    np.testing.assert_allclose(without.outputs, with_them.outputs, rtol=1e-4, atol=1e-5)
    assert replace(Procedure(()), probing=False) != Procedure(())
