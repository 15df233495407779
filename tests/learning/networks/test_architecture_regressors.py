"""Estimators of architectures: what they refuse, and that what they keep predicts the same again."""

import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.learning.learner import RowSet, fit_many, learner_kind
from probatum.learning.networks.convolutional_regressor import ConvolutionalRegressor
from probatum.learning.networks.residual_mlp_regressor import ResidualMLPRegressor
from probatum.learning.networks.set_network_regressor import SetNetworkRegressor

INPUTS = np.random.default_rng(0).normal(size=(60, 12))
TARGETS = INPUTS[:, :2] - INPUTS[:, 2:4]
PARAMETERS = {
    "residual_mlp": {"widths": [6, 8], "norm": "batch", "epochs": 3},
    "set_network": {"shape": [2, 5], "width": 4, "hidden": [5], "epochs": 3},
    "convolutional": {"shape": [2, 5], "widths": [4], "taps": 3, "spectrum": 3, "hidden": [5], "epochs": 3},
}


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_kept_weights_predict_the_same_again(name: str) -> None:
    kind = learner_kind(name)
    rows = RowSet(np.arange(40), np.arange(40, 60), 0)
    (outcome,) = fit_many([kind.build(PARAMETERS[name], 0)], INPUTS, TARGETS, [rows], quantities=2)
    assert outcome.error is None
    again = kind.build(PARAMETERS[name], 0).restore(outcome.weights)
    np.testing.assert_allclose(again.predict(INPUTS[40:]), outcome.prediction, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("residual_mlp", {"widths": [0]}, r"widths\[0\]"),
        ("residual_mlp", {"norm": "layr"}, "did you mean 'layer'"),
        ("residual_mlp", {"categories": [[0, 3]]}, r"categories\[0\]"),
        ("residual_mlp", {"categories": [[0, 3, 2], [0, 4, 2]]}, "name a column twice"),
        ("set_network", {"shape": [3]}, "rows, columns"),
        ("convolutional", {"shape": [3]}, "channels, points"),
        ("convolutional", {"shape": [0, 3]}, r"shape\[0\]"),
        ("convolutional", {"widths": []}, "widths is empty"),
        ("convolutional", {"widths": [4, 4], "dilations": [1]}, "1 dilations, but 2 widths"),
        ("convolutional", {"taps": 0}, "at least 1"),
        ("convolutional", {"pool": "attn"}, "attention, mean|did you mean 'attention'"),
    ],
)
def test_values_that_cannot_be_used_are_refused_by_name(name: str, changes: dict, message: str) -> None:
    with pytest.raises(CampaignFileError, match=message):
        learner_kind(name).check(changes)


def test_a_signal_longer_than_the_inputs_is_refused() -> None:
    with pytest.raises(CampaignFileError, match="needs 14 columns, but there are 12"):
        ConvolutionalRegressor(shape=(2, 7), epochs=1).fit(INPUTS, TARGETS)


def test_a_set_network_does_not_see_order_and_signs_of_rows_and_columns() -> None:
    generator = np.random.default_rng(3)
    matrices = generator.normal(scale=5, size=(60, 3, 4))
    heights = np.log(np.abs(matrices).max(axis=(1, 2)) / np.abs(matrices).mean(axis=(1, 2)))
    fitted = SetNetworkRegressor(shape=(3, 4), width=8, hidden=(8,), epochs=40, rate=3e-3).fit(
        matrices.reshape(60, 12), heights
    )
    turned = matrices[:, generator.permutation(3)][:, :, generator.permutation(4)]
    turned = turned * generator.choice([-1, 1], (1, 3, 1)) * generator.choice([-1, 1], (1, 1, 4))
    first, second = (fitted.predict(m.reshape(60, 12)) for m in (matrices, turned))
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-4)
    assert np.std(first) > 0.05


def test_categories_are_names_not_sizes() -> None:
    """A residual network with an embedding learns a table of levels in no order; without it, only a smooth curve."""
    generator = np.random.default_rng(5)
    level = generator.integers(0, 6, 240).astype(float)
    table = np.array([1.0, -1.0, 0.8, -0.7, 1.2, -1.1])
    inputs = np.column_stack([level, generator.normal(size=240)])
    targets = table[level.astype(int)] + 0.05 * generator.normal(size=240)
    fitted = ResidualMLPRegressor(widths=(16,), categories=[(0, 6, 4)], epochs=120, rate=1e-2).fit(
        inputs[:200], targets[:200]
    )
    assert ((fitted.predict(inputs[200:]) - targets[200:]) ** 2).mean() < 0.05
