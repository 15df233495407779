"""Blends know nothing of the rows that they predict, and their calibration nothing of rows that trained it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from probatum.errors import CampaignFileError, FitError
from probatum.learning.ensembles import logit_mean
from probatum.learning.learner import RowSet, fit_many
from probatum.problems.gas_chromatography import calibrated_blend
from probatum.problems.gas_chromatography.calibrated_blend import CalibratedBlend
from probatum.problems.gas_chromatography.logistic import FamilyLogistic

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(160, 8))
Y = (GENERATOR.random((160, 2)) < 1 / (1 + np.exp(-2 * X[:, [0, 5]]))).astype(float)
GROUPS = np.repeat([f"group {i}" for i in range(8)], 15)
ROWS = RowSet(np.arange(120), np.arange(120, 160), seed=4, groups=GROUPS)
LOGISTIC = "probatum.problems.gas_chromatography.logistic:FamilyLogistic"
FIRST: dict[str, Any] = {"kind": LOGISTIC, "columns": [0, 4], "C": 1.0}
SECOND: dict[str, Any] = {"kind": LOGISTIC, "columns": [4, 8], "C": 0.3, "weight": 3.0}
NETWORK: dict[str, Any] = {"kind": "mlp", "members": 2, "hidden": [8], "epochs": 5, "loss": "bce", "output": "sigmoid"}


def predicted(blend: CalibratedBlend, targets: np.ndarray = Y, rows: RowSet = ROWS) -> np.ndarray:
    (outcome,) = fit_many([blend], X, targets, [rows], quantities=2)
    assert outcome.error is None, outcome.error
    return outcome.prediction


def test_log_odds_are_averaged_by_weight():
    found = predicted(CalibratedBlend([FIRST, SECOND], "none"))
    parts = [
        FamilyLogistic(C).fit(X[:120][:, columns], Y[:120]).predict(X[120:][:, columns])
        for C, columns in ((1.0, slice(4)), (0.3, slice(4, 8)))
    ]
    np.testing.assert_allclose(found, logit_mean(np.stack([parts[0], *[parts[1]] * 3])), atol=1e-4)


@pytest.mark.parametrize("calibration", ["temperature", "isotonic"])
def test_labels_of_predicted_rows_change_nothing(calibration: str):
    other = Y.copy()
    other[120:] = 1 - other[120:]
    blend = CalibratedBlend([FIRST], calibration)
    np.testing.assert_array_equal(predicted(blend), predicted(blend, other))


def test_inner_folds_tear_no_group_apart_and_predict_every_training_row_once():
    folds = calibrated_blend._RowSets.of(CalibratedBlend([FIRST], inner_folds=3), ROWS).inner
    assert len(folds) == 3
    assert sorted(np.concatenate([fold.predict for fold in folds])) == list(range(120))
    for fold in folds:
        assert not set(GROUPS[fold.train]) & set(GROUPS[fold.predict])
        assert not set(fold.predict) & set(ROWS.predict)


def test_a_fit_is_the_same_alone_and_in_company():
    blend = CalibratedBlend([FIRST, NETWORK], inner_folds=2)
    others = RowSet(np.arange(40, 160), np.arange(40), seed=9, groups=np.repeat(list("abcdef"), 20))
    together = fit_many([blend, blend], X, Y, [others, ROWS], quantities=2)
    np.testing.assert_array_equal(together[1].prediction, predicted(blend))
    assert together[1].curves["temperature"].shape == (1,)


def test_fitted_by_itself_it_predicts_as_in_a_campaign():
    blend = CalibratedBlend([FIRST, NETWORK], inner_folds=2, random_state=4)
    alone = blend.fit_grouped(X[:120], Y[:120], GROUPS).predict(X[120:])
    np.testing.assert_allclose(alone, predicted(CalibratedBlend([FIRST, NETWORK], inner_folds=2)), atol=2e-3)


def test_a_single_label_comes_back_as_one():
    assert CalibratedBlend([FIRST]).fit(X, Y[:, 0]).predict(X[:5]).shape == (5,)


def test_one_group_alone_cannot_be_parted():
    with pytest.raises(FitError, match="one group alone"):
        predicted(CalibratedBlend([FIRST]), rows=RowSet(np.arange(20), np.arange(20, 30), 0, np.full(20, "a")))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"components": []}, "components"),
        ({"components": [{"C": 1.0}]}, "names no kind"),
        ({"components": [{**FIRST, "columns": [4, 4]}]}, "columns"),
        ({"components": [{**FIRST, "c": 1.0}]}, "unknown key 'c'"),
        ({"components": [{"kind": "lightgbm"}]}, "one label at a time"),
        ({"components": [FIRST], "calibration": "platt"}, "calibration"),
    ],
)
def test_what_cannot_be_blended_is_refused(given: dict[str, Any], said: str):
    with pytest.raises(CampaignFileError, match=said):
        CalibratedBlend(**given).validate()


def test_columns_that_are_not_there_are_said_to_be_missing():
    with pytest.raises(FitError, match="columns 4 to 99 of 8"):
        predicted(CalibratedBlend([{**FIRST, "columns": [4, 99]}], "none"))
