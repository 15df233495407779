"""Estimators of architectures: what they refuse, and that what they keep predicts the same again."""

import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.learning.learner import RowSet, fit_many, learner_kind
from probatum.learning.networks.attention_regressor import AttentionRegressor
from probatum.learning.networks.convolutional_regressor import ConvolutionalRegressor
from probatum.learning.networks.mixture_of_experts_regressor import MixtureOfExpertsRegressor
from probatum.learning.networks.residual_mlp_regressor import ResidualMLPRegressor
from probatum.learning.networks.set_network_regressor import SetNetworkRegressor

INPUTS = np.random.default_rng(0).normal(size=(60, 12))
TARGETS = INPUTS[:, :2] - INPUTS[:, 2:4]
PARAMETERS = {
    "residual_mlp": {"widths": [6, 8], "norm": "batch", "epochs": 3},
    "set_network": {"shape": [2, 5], "width": 4, "hidden": [5], "epochs": 3},
    "convolutional": {"shape": [2, 5], "widths": [4], "taps": 3, "spectrum": 3, "hidden": [5], "epochs": 3},
    "attention": {"shape": [5, 2], "width": 8, "heads": 2, "norm": "batch", "epochs": 3},
    "mixture_of_experts": {"experts": 3, "hidden": [5], "epochs": 3},
}


@pytest.mark.usefixtures("unoptimised")
@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_kept_weights_predict_the_same_again(name: str) -> None:
    kind = learner_kind(name)
    rows = RowSet(np.arange(40), np.arange(40, 60), 0)
    (outcome,) = fit_many([kind.build(PARAMETERS[name], 0)], INPUTS, TARGETS, [rows], quantities=2)
    assert outcome.error is None
    again = kind.build(PARAMETERS[name], 0).restore(outcome.weights)
    np.testing.assert_allclose(again.predict(INPUTS[40:]), outcome.prediction, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["mlp", *sorted(PARAMETERS)])
def test_a_prediction_does_not_depend_on_how_many_rows_are_predicted_with_it(name: str) -> None:
    parameters = {"epochs": 1, **PARAMETERS.get(name, {}), "norm": "layer"}
    fitted = learner_kind(name).build(parameters, 0).fit(INPUTS, TARGETS)
    rows = np.random.default_rng(1).normal(size=(1100, 12))
    together = fitted.predict(rows)
    for count in (1, 17, 1024):
        assert np.array_equal(fitted.predict(rows[:count]), together[:count])
    backwards = fitted.predict(rows[::-1])[::-1]
    np.testing.assert_allclose(backwards, together, rtol=1e-6, atol=1e-6)


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
        ("attention", {"shape": [3]}, "tokens, channels"),
        ("attention", {"width": 10, "heads": 4}, "4 heads do not divide a width of 10"),
        ("attention", {"blocks": 0}, "at least 1"),
        ("attention", {"norm": "layr"}, "did you mean 'layer'"),
        ("mixture_of_experts", {"experts": 0}, "at least 1"),
        ("mixture_of_experts", {"hidden": [4, 0]}, r"hidden\[1\]"),
        ("mixture_of_experts", {"activation": "rellu"}, "did you mean 'relu'"),
        ("convolutional", {"spectrum": -1}, "at least 0"),
        ("convolutional", {"pool": "attn"}, "attention, mean|did you mean 'attention'"),
    ],
)
def test_values_that_cannot_be_used_are_refused_by_name(name: str, changes: dict, message: str) -> None:
    with pytest.raises(CampaignFileError, match=message):
        learner_kind(name).check(changes)


@pytest.mark.parametrize("estimator", [ConvolutionalRegressor, AttentionRegressor])
def test_a_signal_longer_than_the_inputs_is_refused(estimator: type) -> None:
    with pytest.raises(CampaignFileError, match="needs 14 columns, but there are 12"):
        estimator(shape=(2, 7), epochs=1).fit(INPUTS, TARGETS)


def test_the_spectrum_finds_one_line_among_others_that_short_convolutions_blur() -> None:
    generator = np.random.default_rng(2)
    frequencies = np.arange(4, 11)
    sizes = generator.uniform(size=(300, 7, 1))
    phases = generator.uniform(0, 2 * np.pi, (300, 7, 1))
    curves = (sizes * np.cos(2 * np.pi * frequencies[:, None] * np.arange(64) / 64 + phases)).sum(axis=1)
    line = sizes[:, 3, 0]

    def error(spectrum: int) -> float:
        network = ConvolutionalRegressor(widths=(4,), taps=3, spectrum=spectrum, hidden=(16,), epochs=40, rate=1e-2)
        predicted = network.fit(curves[:240], line[:240]).predict(curves[240:])
        return float(((predicted - line[240:]) ** 2).mean() / line[240:].var())

    with_spectrum, without = error(16), error(0)
    assert with_spectrum < 0.4
    assert with_spectrum < 0.5 * without


def test_attention_sees_the_order_of_tokens_only_if_asked_to() -> None:
    swapped = INPUTS.reshape(60, 6, 2)[:, ::-1].reshape(60, 12)

    def difference(places: bool) -> float:
        network = AttentionRegressor(shape=(6, 2), width=8, heads=2, places=places, epochs=3)
        # Tokens of a set are scaled alike only where their columns are: standardised as they are here.
        standard = (INPUTS - INPUTS.mean(axis=0)) / INPUTS.std(axis=0)
        standard_swapped = (swapped - swapped.mean(axis=0)) / swapped.std(axis=0)
        fitted = network.fit(standard, TARGETS)
        return float(np.abs(fitted.predict(standard) - fitted.predict(standard_swapped)).max())

    assert difference(places=False) < 1e-4
    assert difference(places=True) > 1e-2


def test_attention_finds_the_token_that_matters_wherever_it_stands() -> None:
    generator = np.random.default_rng(4)
    tokens = generator.normal(size=(400, 5, 2))
    chosen = generator.integers(0, 5, 400)
    tokens[:, :, 0] = np.arange(5) == chosen[:, None]
    targets = tokens[np.arange(400), chosen, 1]
    network = AttentionRegressor(shape=(5, 2), width=16, heads=2, blocks=1, epochs=60, rate=5e-3)
    rows = tokens.reshape(400, 10)
    predicted = network.fit(rows[:320], targets[:320]).predict(rows[320:])
    assert ((predicted - targets[320:]) ** 2).mean() < 0.2


def test_experts_share_out_what_no_single_line_can_fit() -> None:
    generator = np.random.default_rng(6)
    inputs = generator.uniform(-2, 2, size=(400, 2))
    targets = np.where(inputs[:, 0] > 0, 1.0, -1.0) * inputs[:, 1]

    def error(experts: int) -> float:
        network = MixtureOfExpertsRegressor(experts, hidden=(), epochs=60, rate=3e-2)
        return float(((network.fit(inputs[:320], targets[:320]).predict(inputs[320:]) - targets[320:]) ** 2).mean())

    assert error(1) > 0.8 * targets.var()
    assert error(2) < 0.3 * targets.var()


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
