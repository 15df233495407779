"""Estimators of architectures: what they refuse, and that what they keep predicts the same again."""

import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.learning.learner import RowSet, fit_many, learner_kind
from probatum.learning.networks.convolutional_regressor import ConvolutionalRegressor

INPUTS = np.random.default_rng(0).normal(size=(60, 12))
TARGETS = INPUTS[:, :2] - INPUTS[:, 2:4]
PARAMETERS = {
    "residual_mlp": {"widths": [6, 8], "norm": "batch", "epochs": 3},
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
