"""What every architecture keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probatum.learning.learner import RowSet, fit_many
from probatum.learning.networks.attention import initial_attention_network
from probatum.learning.networks.convolutional import initial_convolutional_network
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mixture_of_experts import initial_mixture_of_experts
from probatum.learning.networks.mlp import initial_mlp
from probatum.learning.networks.network import Network
from probatum.learning.networks.residual_mlp import initial_residual_mlp
from probatum.learning.networks.set_networks import initial_set_network

COLUMNS = 14
GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(24, COLUMNS)).astype(np.float32)
ONES = np.ones(len(ROWS), dtype=np.float32)
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
Initial = Callable[[str, np.random.Generator], Network]


def mlp(norm: str, generator: np.random.Generator) -> Network:
    return initial_mlp((COLUMNS, 12, 8, 2), "relu", norm, "linear", generator)


def residual(norm: str, generator: np.random.Generator) -> Network:
    return initial_residual_mlp(COLUMNS, (8, 16, 16), 2, "gelu", norm, generator)


def embedding(norm: str, generator: np.random.Generator) -> Network:
    return initial_residual_mlp(COLUMNS, (12,), 2, "relu", norm, generator, categories=((3, 4, 2), (0, 3, 5)))


def experts(norm: str, generator: np.random.Generator) -> Network:
    return initial_mixture_of_experts((COLUMNS, 8, 6, 2), 3, "relu", norm, generator)


def convolutional(norm: str, generator: np.random.Generator) -> Network:
    return initial_convolutional_network(
        COLUMNS, (1, 12), (4, 6), 2, "relu", norm, generator, taps=3, spectrum=5, hidden=(8,)
    )


def patched(norm: str, generator: np.random.Generator) -> Network:
    return initial_convolutional_network(
        COLUMNS, (2, 7), (6, 6), 2, "silu", norm, generator, taps=3, stride=3, position=False, pool="mean", hidden=()
    )


def attentive(norm: str, generator: np.random.Generator) -> Network:
    return initial_attention_network(COLUMNS, 6, 2, 8, 2, 2, 2, "gelu", norm, generator)


def of_sets(norm: str, generator: np.random.Generator) -> Network:
    return initial_set_network(COLUMNS, (3, 4), 8, 2, 2, "relu", norm, generator, odd=3, hidden=(8,))


INITIAL = (mlp, residual, embedding, experts, convolutional, patched, attentive, of_sets)


@pytest.fixture(params=INITIAL, ids=lambda initial: initial.__name__)
def initial(request: pytest.FixtureRequest) -> Initial:
    return request.param


def made(initial: Initial, norm: str, seed: int = 0) -> Network:
    return initial(norm, np.random.default_rng(seed))


@jax.jit
def run(network: Network, rows: Any, weight: Any = ONES, dropout: Any = None, moments: Any = None) -> Any:
    return network(rows, weight, dropout, moments)


def loss_of(network: Network, rows: Any, word: Any) -> jax.Array:
    outputs, _ = network(rows, jnp.asarray(ONES), (jnp.float32(0.3), word))
    return (outputs**2).mean()


gradient = jax.jit(jax.grad(loss_of))
gradients_side_by_side = jax.jit(jax.vmap(jax.grad(loss_of), (0, None, 0)))


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_outputs_have_a_row_a_row_and_are_finite(initial: Initial, norm: str) -> None:
    outputs, _ = run(made(initial, norm), ROWS)
    assert outputs.shape == (len(ROWS), 2)
    assert outputs.dtype == np.float32
    assert np.isfinite(outputs).all()


def test_parameters_are_float32_and_follow_the_generator(initial: Initial) -> None:
    one, again, other = (jax.tree.leaves(made(initial, "batch", seed)) for seed in (0, 0, 1))
    assert all(isinstance(leaf, np.ndarray) and leaf.dtype == np.float32 for leaf in one)
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_rows_of_weight_0_do_not_matter(initial: Initial, norm: str) -> None:
    weight, spoilt = ONES.copy(), ROWS.copy()
    weight[16:], spoilt[16:] = 0, 100.0
    network = made(initial, norm)
    np.testing.assert_allclose(run(network, ROWS, weight)[0][:16], run(network, spoilt, weight)[0][:16], **CLOSE)


def test_given_moments_make_rows_independent_of_each_other(initial: Initial) -> None:
    network = made(initial, "batch")
    outputs, moments = run(network, ROWS)
    others = ROWS.copy()
    others[1:] *= 3
    np.testing.assert_allclose(outputs[0], run(network, others, ONES, None, moments)[0][0], **CLOSE)


def test_gradients_are_finite_and_reach_every_matrix(initial: Initial) -> None:
    leaves, _ = jax.tree_util.tree_flatten_with_path(gradient(made(initial, "batch"), ROWS, np.uint32(3)))
    assert all(np.isfinite(leaf).all() for _, leaf in leaves)
    assert [jax.tree_util.keystr(path) for path, leaf in leaves if leaf.ndim > 1 and not np.any(leaf)] == []


def test_gradients_are_finite_where_inputs_are_zero(initial: Initial) -> None:
    leaves = jax.tree.leaves(gradient(made(initial, "batch"), np.zeros_like(ROWS), np.uint32(3)))
    assert all(np.isfinite(leaf).all() for leaf in leaves)


def test_replicas_side_by_side_are_as_one_at_a_time(initial: Initial) -> None:
    networks = [made(initial, "batch", seed) for seed in range(3)]
    words = np.arange(3, dtype=np.uint32)
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *networks)
    together = gradients_side_by_side(stacked, ROWS, words)
    for place, network in enumerate(networks):
        alone = jax.tree.leaves(gradient(network, ROWS, words[place]))
        largest = max(np.abs(leaf).max() for leaf in alone)
        for a, b in zip(jax.tree.leaves(together), alone, strict=True):
            np.testing.assert_allclose(a[place], b, rtol=1e-3, atol=1e-4 * largest)


def test_dropout_follows_its_word_and_off_is_deterministic(initial: Initial) -> None:
    network = made(initial, "layer")
    off, off_again = run(network, ROWS)[0], run(network, ROWS)[0]
    one, again, other = (run(network, ROWS, ONES, (np.float32(0.5), np.uint32(word)))[0] for word in (1, 1, 2))
    assert np.array_equal(off, off_again)
    assert np.array_equal(one, again)
    assert not np.allclose(one, other)
    assert not np.allclose(one, off)


def test_dead_units_can_be_seen(initial: Initial) -> None:
    shapes = jax.eval_shape(lambda network: network.activations(ROWS, ONES), made(initial, "batch"))
    assert shapes
    assert all(units.ndim == 2 and len(units) == len(ROWS) for units in shapes)


@dataclass(eq=False, repr=False)
class Architecture(NetworkRegressor):
    """Any network as an estimator."""

    initial: Initial = mlp

    def architecture(self) -> str:
        return self.initial.__name__

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> Network:
        return self.initial("batch", generator)


def task() -> tuple[np.ndarray, np.ndarray]:
    """A sum of the last columns, and the mean size of the others: no architecture's symmetries forbid both."""
    inputs = np.random.default_rng(2).normal(size=(200, COLUMNS))
    size = np.log(np.abs(inputs[:, :12]) + 0.1).mean(axis=1)
    return inputs, np.stack([inputs[:, 12] + 0.5 * inputs[:, 13], (size - size.mean()) / size.std()], axis=1)


def test_a_function_of_its_columns_is_learned_and_company_does_not_matter(initial: Initial) -> None:
    inputs, targets = task()
    rows, scored = np.arange(160), np.arange(160, 200)
    row_sets = [RowSet(rows, scored, seed) for seed in range(3)]
    estimators = [Architecture(initial=initial, epochs=30, batch=32, rate=1e-2, dropout=0.05) for _ in row_sets]
    together = fit_many(estimators, inputs, targets, row_sets, quantities=2)
    (alone,) = fit_many(estimators[:1], inputs, targets, row_sets[:1], quantities=2)
    assert np.array_equal(together[0].prediction, alone.prediction)
    assert all(np.array_equal(together[0].weights[name], alone.weights[name]) for name in alone.weights)
    for result in together:
        assert result.error is None
        share = ((result.prediction - targets[scored]) ** 2).mean(axis=0) / targets[scored].var(axis=0)
        assert share.min() < 0.7
