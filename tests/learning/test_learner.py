from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import CampaignFileError, UnknownNameError
from probatum.learning.learner import RowSet, fit_many, learner_kind, program, takes_columns

MODULE = """
class Doubling:
    def __init__(self, factor=2.0):
        self.factor = factor
    def get_params(self, deep=True):
        return {"factor": self.factor}
    def fit(self, X, y):
        return self
    def predict(self, X):
        return self.factor * X[:, 0]
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "learner_of_my_own.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return "learner_of_my_own:Doubling"


def test_an_estimator_of_the_users_own_stands_in_by_its_import_path(own_module: str) -> None:
    kind = learner_kind(own_module)
    kind.check({"factor": 3.0})
    inputs = np.arange(6.0).reshape(6, 1)
    rows = RowSet(np.arange(4), np.array([4, 5]), seed=0)
    (outcome,) = fit_many([kind.build({"factor": 3.0}, 0)], inputs, inputs, [rows], quantities=1)
    assert outcome.prediction.tolist() == [[12.0], [15.0]]
    assert kind.deterministic({})


def test_its_parameters_are_checked_too(own_module: str) -> None:
    with pytest.raises(CampaignFileError, match="did you mean 'factor'"):
        learner_kind(own_module).check({"facto": 1})


def test_an_import_path_that_leads_nowhere_says_so() -> None:
    with pytest.raises(CampaignFileError, match="cannot be imported"):
        learner_kind("no_such_module_here:Thing")


def test_a_misspelt_name_is_answered_by_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'ridge'"):
        learner_kind("rigde")


def test_estimators_with_other_parameters_have_other_programs() -> None:
    kind = learner_kind("ridge")
    assert program(kind.build({"alpha": 1.0}, 0)) == program(kind.build({"alpha": 1.0}, 1))
    assert program(kind.build({"alpha": 1.0}, 0)) != program(kind.build({"alpha": 2.0}, 0))


def test_a_failing_estimator_says_why() -> None:
    kind = learner_kind("ridge")
    rows = RowSet(np.arange(3), np.arange(3, 4), 0)
    (outcome,) = fit_many([kind.build({"alpha": -1.0}, 0)], np.eye(4), np.ones((4, 1)), [rows], quantities=1)
    assert "alpha" in str(outcome.error)


def test_values_are_checked_where_the_estimator_knows_how() -> None:
    with pytest.raises(CampaignFileError, match=r"experiment 'a': dropout = 1.5.*at least 0 and below 1"):
        learner_kind("mlp").check({"dropout": 1.5}, where="experiment 'a'")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("ridge", {}),
        ("extra_trees", {"n_estimators": 5}),
        ("mlp", {"hidden": [4], "epochs": 3}),
        ("gaussian_process", {"restarts": 0, "iterations": 3}),
    ],
)
def test_a_column_that_a_fit_may_not_look_at_changes_nothing(name: str, parameters: dict[str, object]) -> None:
    rng = np.random.default_rng(0)
    inputs, other = rng.normal(size=(30, 4)), rng.normal(size=(30, 4))
    seen = np.array([True, False, True, True])
    other[:, seen] = inputs[:, seen]
    targets = inputs[:, :1] - inputs[:, 1:2]
    rows = RowSet(np.arange(20), np.arange(20, 30), seed=1, columns=seen)
    kind = learner_kind(name)
    assert takes_columns(kind.estimator_class())
    first, second, whole = (
        fit_many([kind.build(parameters, 1)], x, targets, [r], quantities=1)[0]
        for x, r in ((inputs, rows), (other, rows), (inputs, replace(rows, columns=None)))
    )
    assert first.error is None
    np.testing.assert_array_equal(first.prediction, second.prediction)
    assert abs(first.prediction - whole.prediction).max() > 1e-3


def test_a_row_of_weight_2_is_as_two_rows_where_the_estimator_takes_weights() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(40, 2))
    targets = inputs[:, :1] ** 2
    kind = learner_kind("sklearn.linear_model:LinearRegression")
    twice = np.concatenate([np.arange(30), np.arange(10)])
    weights = np.where(np.arange(30) < 10, 2.0, 1.0)
    weighted, repeated = (
        fit_many([kind.build({}, 0)], inputs, targets, [rows], quantities=1)[0]
        for rows in (
            RowSet(np.arange(30), np.arange(30, 40), 0, weights=weights),
            RowSet(twice, np.arange(30, 40), 0),
        )
    )
    assert weighted.error is None
    np.testing.assert_allclose(weighted.prediction, repeated.prediction, rtol=1e-6)


def test_an_estimator_that_takes_no_weights_says_so(own_module: str) -> None:
    inputs = np.arange(6.0).reshape(6, 1)
    rows = RowSet(np.arange(4), np.array([4, 5]), seed=0, weights=np.ones(4))
    (outcome,) = fit_many([learner_kind(own_module).build({}, 0)], inputs, inputs, [rows], quantities=1)
    assert "Doubling takes no weights of rows" in str(outcome.error)
