"""What a Gaussian process does with rows, lanes, threads, means and outputs."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from probatum.errors import CampaignFileError
from probatum.learning.gaussian_processes import fitting
from probatum.learning.gaussian_processes.estimator import GaussianProcess
from probatum.learning.learner import RowSet

QUICK: dict[str, Any] = {"restarts": 0, "iterations": 30}


def data(rows: int = 90) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(11)
    inputs = generator.normal(size=(rows, 3))
    first = np.sin(inputs[:, 0]) + 0.5 * inputs[:, 1]
    targets = np.stack([first, 2 - first], axis=1) + 0.1 * generator.normal(size=(rows, 2))
    return inputs, targets


def test_unused_rows_change_no_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, targets = data(40)
    model = GaussianProcess(restarts=0, iterations=0)
    expected, likelihood = (
        model.fit(inputs, targets).predict(inputs + 0.1, return_std=True),
        model.weights_["likelihood"],
    )
    monkeypatch.setattr(fitting, "shape_of", lambda rows: rows + 37)
    found = model.fit(inputs, targets).predict(inputs + 0.1, return_std=True)
    assert np.abs(np.array(found) - np.array(expected)).max() < 1e-9
    assert np.abs(model.weights_["likelihood"] - likelihood).max() < 1e-9


@pytest.mark.parametrize("cores", [1, 2])
def test_the_bits_of_a_fit_depend_on_neither_company_nor_threads(cores: int) -> None:
    inputs, targets = data()
    row_sets = [RowSet(np.arange(first, first + 50), np.arange(first), 5) for first in (10, 20, 40)]
    models = [GaussianProcess(restarts=1, iterations=30) for _ in row_sets]
    together = GaussianProcess.fit_many(models, inputs, targets, row_sets, cores)
    for rows, outcome in zip(row_sets, together, strict=True):
        (alone,) = GaussianProcess.fit_many(models[:1], inputs, targets, [rows], 1)
        assert np.array_equal(alone.prediction, outcome.prediction)
        assert alone.spread is not None
        assert outcome.spread is not None
        assert np.array_equal(alone.spread, outcome.spread)


def test_a_stored_fit_predicts_the_same_bits() -> None:
    inputs, targets = data()
    rows = RowSet(np.arange(60), np.arange(60, 90), 0)
    (outcome,) = GaussianProcess.fit_many([GaussianProcess(**QUICK)], inputs, targets, [rows])
    mean, spread = GaussianProcess(**QUICK).restore(outcome.weights).predict(inputs[60:], return_std=True)
    assert np.array_equal(mean, outcome.prediction)
    assert np.array_equal(spread, outcome.spread)


def test_noise_and_predictive_spread_are_those_of_the_data() -> None:
    generator = np.random.default_rng(1)
    inputs = generator.uniform(-2, 2, size=(200, 1))
    targets = np.sin(2 * inputs[:, 0]) + 0.1 * generator.normal(size=200)
    model = GaussianProcess(**QUICK).fit(inputs[:150], targets[:150])
    mean, spread = model.predict(inputs[150:], return_std=True)
    assert 0.08 < np.sqrt(np.mean((mean - targets[150:]) ** 2)) < 0.13
    assert 0.08 < spread.mean() < 0.13


def test_far_from_all_rows_the_constant_and_the_amplitude_remain() -> None:
    inputs, targets = data()
    model = GaussianProcess(**QUICK).fit(inputs, targets[:, 0])
    _, near = model.predict(inputs[:1], return_std=True)
    _, far = model.predict(inputs[:1] + 1e6, return_std=True)
    hyper = model.hyper_parameters_
    total = np.sqrt(hyper["amplitude"][0, 0] + hyper["noise"][0, 0]) * targets[:, 0].std()
    assert far[0] == pytest.approx(total, rel=1e-6)
    assert near[0] < 0.5 * far[0]


def test_rows_of_weight_two_are_rows_that_stand_twice() -> None:
    inputs, targets = data(40)
    twice = np.r_[np.arange(40), np.arange(15)]
    weights = np.where(np.arange(40) < 15, 2.0, 1.0)
    model = GaussianProcess(restarts=0, iterations=0)
    repeated = model.fit(inputs[twice], targets[twice]).predict(inputs, return_std=True)
    likelihood = model.log_marginal_likelihood_
    weighted = model.fit(inputs, targets, weights).predict(inputs, return_std=True)
    assert np.abs(np.array(weighted) - np.array(repeated)).max() < 1e-9
    assert np.abs(model.log_marginal_likelihood_ - likelihood).max() < 1e-9


def test_a_search_on_some_rows_finds_nearly_what_all_show_and_predicts_with_all() -> None:
    rng = np.random.default_rng(4)
    x = rng.uniform(-2, 2, size=(240, 1))
    y = np.sin(3 * x[:, 0]) + rng.normal(0, 0.1, 240)
    whole, part = (GaussianProcess(restarts=0, search_rows=rows).fit(x[:200], y[:200]) for rows in (None, 60))
    ratio = part.hyper_parameters_["lengthscale"] / whole.hyper_parameters_["lengthscale"]
    assert abs(np.log(ratio)).max() < np.log(2)
    assert (ratio != 1).any()
    assert len(part.weights_["rows"]) == 200
    np.testing.assert_allclose(part.predict(x[200:]), whole.predict(x[200:]), atol=0.1)
    again = GaussianProcess(restarts=0, search_rows=60).fit(x[:200], y[:200]).predict(x[200:])
    np.testing.assert_array_equal(again, part.predict(x[200:]))


def test_a_mean_column_is_what_remains_far_away_and_moves_with_its_unit() -> None:
    generator = np.random.default_rng(2)
    inputs = generator.uniform(-1, 1, size=(60, 2))
    law = 40 * inputs[:, 0] ** 3
    targets = law + np.sin(3 * inputs[:, 1])
    model = GaussianProcess(mean_columns=[2], **QUICK).fit(np.column_stack([inputs, law]), targets)
    far = np.column_stack([inputs[:5] + 1e6, [0.0, 10.0, 20.0, 30.0, 40.0]])
    assert np.abs(np.diff(model.predict(far)) - 10).max() < 1e-6


def test_coregionalised_outputs_help_each_other() -> None:
    inputs, targets = data(60)
    together = GaussianProcess(outputs="coregionalised", **QUICK).fit(inputs[:30], targets[:30])
    loading = together.hyper_parameters_["loading"][0, :, 0]
    assert loading[0] * loading[1] < 0, "the two quantities fall and rise against each other"
    error = np.mean((together.predict(inputs[30:]) - targets[30:]) ** 2)
    assert error < 0.1 * np.var(targets)
    assert together.log_marginal_likelihood_.shape == (1,)


def test_float32_programs_stay_what_they_are() -> None:
    inputs, targets = data(20)
    GaussianProcess(**QUICK).fit(inputs, targets).predict(inputs)
    assert jnp.ones(1).dtype == jnp.float32


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kernel": "prodct"}, "did you mean 'product'"),
        ({"shape": ["rbf", "rbf"]}, "2 shapes for 1 blocks"),
        ({"blocks": [[3, 1]]}, "first, last"),
        ({"blocks": []}, "at least one block"),
        ({"outputs": "both"}, "valid: coregionalised, independent"),
        ({"rank": 0}, "rank = 0"),
        ({"restarts": -1}, "restarts = -1"),
        ({"start": {"noise": [0.0]}}, "start.noise must be above 0"),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_row_is_read(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(CampaignFileError, match=message):
        GaussianProcess(**parameters).validate()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"blocks": [[0, 7]]}, "there is no column 7"),
        ({"mean_columns": [0, 1]}, "2 mean columns for 1 quantities"),
        ({"start": {"lengthscale": [1.0, 2.0]}}, "start.lengthscale has 2 numbers"),
    ],
)
def test_what_does_not_fit_the_rows_is_refused_in_words(parameters: dict[str, Any], message: str) -> None:
    inputs, targets = data(20)
    with pytest.raises(CampaignFileError, match=message):
        GaussianProcess(**parameters).fit(inputs, targets[:, 0])
