"""The height network is a learner like any other: trained on given rows, many fits at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probatum.campaigns.fit_inputs import inputs_of
from probatum.errors import CampaignFileError
from probatum.learning.learner import RowSet, learner_kind
from probatum.problems.analog_codes.height_network_regressor import HeightNetworkRegressor
from probatum.problems.analog_codes.problem import AnalogCodes

KIND = "probatum.problems.analog_codes.height_network_regressor:HeightNetworkRegressor"
PROBLEM = AnalogCodes(codes=300)


def _task(task: str = "k=4") -> tuple[np.ndarray, np.ndarray]:
    dataset = PROBLEM.dataset(task)
    return inputs_of(PROBLEM, dataset, ["m", "entries"]), dataset.targets()


def _small(**changed) -> HeightNetworkRegressor:
    return HeightNetworkRegressor(width=16, layers=1, epochs=15, batch=64, rate=3e-3, **changed)


def test_heights_of_codes_left_out_are_predicted_better_than_by_the_mean_and_rise_with_m():
    inputs, targets = _task()
    train, test = np.arange(900), np.arange(900, 1200)
    model = _small().fit(inputs[train], targets[train, 0])
    predicted = model.predict(inputs[test])
    assert ((predicted - targets[test, 0]) ** 2).mean() < 0.5 * targets[test].var()
    asked = inputs[test[:4]].copy()
    asked[:] = asked[0]
    asked[:, :5] = np.eye(5)[:4]
    assert (np.diff(model.predict(asked)) >= 0).all()


def test_a_fit_is_the_same_alone_and_among_others():
    inputs, targets = _task("k=6")
    sets = [RowSet(np.arange(0, 400), np.arange(400, 500), 1), RowSet(np.arange(100, 500), np.arange(0, 100), 2)]
    together = HeightNetworkRegressor.fit_many([_small(k=6)] * 2, inputs, targets, sets)
    for rows, outcome in zip(sets, together, strict=True):
        assert outcome.error is None
        alone = HeightNetworkRegressor.fit_many([_small(k=6)], inputs, targets, [rows])[0]
        np.testing.assert_array_equal(alone.prediction, outcome.prediction)


def test_what_was_kept_predicts_the_same():
    inputs, targets = _task("k=5")
    rows = RowSet(np.arange(600), np.arange(600, 700), 0)
    outcome = HeightNetworkRegressor.fit_many([_small(k=5)], inputs, targets, [rows])[0]
    restored = _small(k=5).restore(outcome.weights)
    assert restored.n_features_in_ == inputs.shape[1]
    np.testing.assert_allclose(restored.predict(inputs[600:700]), outcome.prediction[:, 0], rtol=1e-5)


def test_recipes_name_it_by_its_import_path():
    assert learner_kind(KIND).estimator_class() is HeightNetworkRegressor


def test_other_features_and_parameters_are_refused():
    inputs, targets = _task()
    with pytest.raises(CampaignFileError, match="columns"):
        _small(k=5).fit(inputs, targets)
    with pytest.raises(CampaignFileError, match="columns"):
        _small().fit(inputs + 1, targets)
    for wrong in ({"k": 0}, {"views": 1, "full": (1,)}, {"activation": "step"}, {"layers": 0}):
        with pytest.raises(CampaignFileError):
            replace(_small(), **wrong).validate()
    with pytest.raises(ValueError, match="deviations"):
        _small().fit(inputs[:64], targets[:64]).predict(inputs, return_std=True)
