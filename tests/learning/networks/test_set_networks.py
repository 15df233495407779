import jax
import numpy as np
import pytest

from probatum.learning.networks.set_networks import SetNetwork, initial_set_network

GENERATOR = np.random.default_rng(0)
MATRICES = GENERATOR.normal(size=(16, 4, 5)).astype(np.float32)
OTHERS = GENERATOR.normal(size=(16, 2)).astype(np.float32)
ONES = np.ones(16, dtype=np.float32)


@jax.jit
def outputs(network: SetNetwork, matrices: np.ndarray) -> jax.Array:
    rows = jax.numpy.concatenate([matrices.reshape(len(matrices), -1), OTHERS], axis=1)
    return network(rows, ONES)[0]


def network(*, minors: bool = True, odd: int = 4) -> SetNetwork:
    return initial_set_network(
        22, (4, 5), 16, 3, 3, "gelu", "batch", np.random.default_rng(1), minors=minors, odd=odd, hidden=(8,)
    )


@pytest.mark.parametrize("kind", [{"minors": True}, {"minors": False}, {"odd": 0}, {"minors": False, "odd": 0}])
def test_signed_permutations_of_rows_and_columns_change_nothing(kind: dict) -> None:
    one = network(**kind)
    before = outputs(one, MATRICES)
    assert before.std(axis=0).min() > 1e-2
    for seed in range(5):
        generator = np.random.default_rng(seed)
        moved = MATRICES[:, generator.permutation(4)][:, :, generator.permutation(5)]
        moved = moved * generator.choice([-1, 1], (16, 4, 1)) * generator.choice([-1, 1], (16, 1, 5))
        np.testing.assert_allclose(outputs(one, moved.astype(np.float32)), before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [{"minors": True, "odd": 0}, {"minors": False, "odd": 4}])
def test_a_sign_that_no_signs_of_rows_and_columns_undo_is_seen(kind: dict) -> None:
    flipped = MATRICES.copy()
    flipped[:, 1, 2] *= -1
    one = network(**kind)
    assert np.abs(outputs(one, flipped) - outputs(one, MATRICES)).max() > 1e-2


def test_without_minors_and_odd_channels_only_sizes_are_seen() -> None:
    one = network(minors=False, odd=0)
    np.testing.assert_allclose(outputs(one, np.abs(MATRICES)), outputs(one, MATRICES), rtol=1e-5)


def test_an_entry_that_moves_alone_is_seen() -> None:
    moved = MATRICES.copy()
    moved[:, 0, 0], moved[:, 1, 1] = MATRICES[:, 1, 1], MATRICES[:, 0, 0]
    one = network()
    assert np.abs(outputs(one, moved) - outputs(one, MATRICES)).max() > 1e-2
