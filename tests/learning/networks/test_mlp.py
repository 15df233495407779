import numpy as np
import pytest

from probatum.learning.networks.mlp import initial_mlp

ROWS = np.random.default_rng(0).normal(3.0, 2.0, size=(12, 5)).astype(np.float32)
ONES = np.ones(12, dtype=np.float32)


def network(norm: str = "batch", activation: str = "relu"):
    return initial_mlp((5, 7, 2), activation, norm, "sigmoid", np.random.default_rng(1))


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_outputs_have_a_row_a_row_and_a_column_a_quantity(norm: str, activation: str) -> None:
    outputs, moments = network(norm, activation)(ROWS, ONES)
    assert outputs.shape == (12, 2)
    assert len(moments) == (1 if norm == "batch" else 0)
    assert ((outputs > 0) & (outputs < 1)).all()


def test_rows_of_weight_0_do_not_count_in_batch_statistics() -> None:
    weight = ONES.copy()
    weight[8:] = 0
    spoilt = ROWS.copy()
    spoilt[8:] = 1e6
    outputs, _ = network()(ROWS, weight)
    others, _ = network()(spoilt, weight)
    short, _ = network()(ROWS[:8], ONES[:8])
    np.testing.assert_allclose(outputs[:8], others[:8], rtol=1e-5)
    np.testing.assert_allclose(outputs[:8], short, rtol=1e-5)


def test_given_moments_make_rows_independent_of_each_other() -> None:
    _, moments = network()(ROWS, ONES)
    outputs, _ = network()(ROWS, ONES, None, moments)
    one, _ = network()(ROWS[:1], ONES[:1], None, moments)
    np.testing.assert_allclose(outputs[:1], one, rtol=1e-5)
