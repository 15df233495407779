import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probatum.learning.networks.layers import SMALLEST_VARIANCE, batch_moments, initial_norm
from probatum.learning.networks.mlp import MLP, initial_mlp
from probatum.learning.networks.network import ForwardPass
from probatum.learning.noise import kept

X = np.random.default_rng(0).normal(2.0, 3.0, size=(9, 4, 5)).astype(np.float32)
WEIGHT = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0], dtype=np.float32)


def test_batch_moments_are_those_of_the_rows_that_count_at_all_positions() -> None:
    mean, variance = batch_moments(jnp.asarray(X), jnp.asarray(WEIGHT))
    counted = X[:6].reshape(-1, 5)
    np.testing.assert_allclose(mean, counted.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(variance, counted.var(axis=0), rtol=1e-4)


def test_units_in_groups_may_keep_moments_of_their_own() -> None:
    forward = ForwardPass(jnp.asarray(WEIGHT), None, None)
    normalised = np.asarray(forward.normalise(initial_norm((4, 5), "batch"), jnp.asarray(X)))
    np.testing.assert_allclose(normalised[:6].mean(axis=0), np.zeros((4, 5)), atol=1e-5)
    np.testing.assert_allclose(normalised[:6].std(axis=0), np.ones((4, 5)), rtol=1e-3)


def test_channels_are_dropped_at_all_positions() -> None:
    forward = ForwardPass(jnp.asarray(WEIGHT), (jnp.float32(0.5), jnp.uint32(1)), None)
    dropped = np.asarray(forward.drop(jnp.ones((50, 4, 6)))) == 0
    assert np.array_equal(dropped.all(axis=1), dropped.any(axis=1))
    assert 0.4 < dropped.mean() < 0.6


def spelled_out(network: MLP, rows: jax.Array, weight: jax.Array, rate: jax.Array, word: jax.Array) -> jax.Array:
    """The perceptron written out operation by operation."""

    def dense(x: jax.Array, layer: int) -> jax.Array:
        return jnp.matmul(x, network.weights[layer], precision=jax.lax.Precision.HIGHEST) + network.biases[layer]

    x = dense(rows, 0)
    for layer in range(1, len(network.weights)):
        if network.norm == "batch":
            share = (weight / weight.sum())[:, None]
            mean = (share * x).sum(axis=0)
            variance = (share * (x - mean) ** 2).sum(axis=0)
            x = (x - mean) * jax.lax.rsqrt(variance + SMALLEST_VARIANCE)
        elif network.norm == "layer":
            mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
            x = (x - mean) * jax.lax.rsqrt(variance + SMALLEST_VARIANCE)
        if network.norm != "none":
            x = x * network.gains[layer - 1] + network.shifts[layer - 1]
        x = jax.nn.relu(x)
        x = jnp.where(kept(x.shape, rate, word, layer), x / (1 - rate), 0)
        x = dense(x, layer)
    return x


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_layers_put_together_have_the_bits_of_the_perceptron_spelled_out(norm: str) -> None:
    rows = X.reshape(9, 20)
    network = initial_mlp((20, 7, 6, 2), "relu", norm, "linear", np.random.default_rng(0))
    dropout = (np.float32(0.3), np.uint32(5))

    def together(network: MLP, rows: jax.Array, weight: jax.Array, rate: jax.Array, word: jax.Array) -> jax.Array:
        return network(rows, weight, (rate, word))[0]

    bits = []
    for outputs in (together, spelled_out):
        gradient = jax.jit(jax.grad(lambda *arguments, of=outputs: (of(*arguments) ** 2).sum()))
        bits.append(jax.tree.leaves(gradient(network, rows, WEIGHT, *dropout)))
    assert all(np.array_equal(a, b) for a, b in zip(*bits, strict=True))
