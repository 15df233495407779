import numpy as np

from probatum.learning.networks.residual_mlp import Category, embedded, initial_residual_mlp

TABLES = [np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]], dtype=np.float32)]
CATEGORIES = (Category(1, 3, 2),)


def test_a_category_is_replaced_by_its_vector_at_the_end() -> None:
    rows = np.array([[5.0, 0.0, 7.0], [6.0, 2.0, 8.0]], dtype=np.float32)
    assert np.array_equal(embedded(rows, TABLES, CATEGORIES), [[5, 7, 1, 10], [6, 8, 3, 30]])


def test_numbers_nearly_whole_are_whole_and_unknown_ones_the_nearest() -> None:
    rows = np.array([[0, 0.9999, 0], [0, 1.0001, 0], [0, -4, 0], [0, 9, 0]], dtype=np.float32)
    assert np.array_equal(embedded(rows, TABLES, CATEGORIES)[:, 2], [2, 2, 1, 3])


def test_a_category_matters_by_its_level_only() -> None:
    network = initial_residual_mlp(3, (8,), 1, "relu", "layer", np.random.default_rng(0), categories=((1, 3, 4),))
    rows = np.tile(np.array([[0.5, 1.0, -0.5]], dtype=np.float32), (3, 1))
    rows[1, 1], rows[2, 1] = 1.2, 2.0
    outputs, _ = network(rows, np.ones(3, np.float32))
    assert outputs[0] == outputs[1]
    assert outputs[0] != outputs[2]


def test_widths_may_grow_and_shrink() -> None:
    network = initial_residual_mlp(3, (8, 16, 4), 2, "relu", "none", np.random.default_rng(0))
    assert [block.skip is None for block in network.blocks] == [True, False, False]
    assert network.head.weight.shape == (4, 2)
