"""Logistic regressions of labels, and why images scaled in other ways teach them nothing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from probatum.errors import CampaignFileError
from probatum.learning.learner import RowSet, fit_many
from probatum.problems.gas_chromatography.logistic import FamilyLogistic

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(300, 6)) * [1, 10, 0.1, 1, 1, 0]
LOGITS = np.stack([X[:, 0] - 0.2 * X[:, 1] - 1, 20 * X[:, 2] + 0.5], axis=1)
Y = (GENERATOR.random(LOGITS.shape) < 1 / (1 + np.exp(-LOGITS))).astype(float)


def test_it_agrees_with_scikit_learn_label_by_label():
    found = FamilyLogistic(C=0.5, iterations=2000).fit(X, Y).predict(X)
    scaled = StandardScaler().fit_transform(X)
    for label in range(2):
        other = LogisticRegression(l1_ratio=1.0, C=0.5, solver="saga", max_iter=20_000, tol=1e-8)
        expected = other.fit(scaled, Y[:, label]).predict_proba(scaled)[:, 1]
        np.testing.assert_allclose(found[:, label], expected, atol=2e-3)


def test_a_stronger_penalty_leaves_more_columns_out():
    counts = [np.count_nonzero(FamilyLogistic(C=C).fit(X, Y).coefficients_) for C in (1.0, 0.03, 1e-4)]
    assert counts[0] > counts[1] > counts[2] == 0


def test_shares_of_an_image_are_so_small_that_no_column_pays_for_itself():
    shares = np.abs(X[:, :3]) * 1e-4
    labels = (shares[:, 0] > np.median(shares[:, 0])).astype(float)[:, None]
    as_they_are = FamilyLogistic(C=1.0, scale="none").fit(shares, labels)
    assert not as_they_are.coefficients_.any()
    np.testing.assert_allclose(as_they_are.predict(shares), 0.5, atol=1e-3)
    by_size = FamilyLogistic(C=1.0, scale="largest").fit(shares, labels)
    assert ((by_size.predict(shares) > 0.5) == labels).mean() > 0.9


def test_a_column_of_one_run_alone_is_not_blown_up_by_its_largest_value():
    rare = np.zeros((300, 1))
    rare[7] = 3.0
    subtract, multiply = FamilyLogistic(scale="largest")._scaling(rare)
    assert ((rare - subtract) * multiply).max() == 1.0
    subtract, multiply = FamilyLogistic(scale="standard")._scaling(rare)
    assert ((rare - subtract) * multiply).max() > 17


def test_a_label_that_does_not_vary_is_given_its_share():
    p = FamilyLogistic().fit(X, np.column_stack([np.zeros(300), np.ones(300)])).predict(X[:3])
    np.testing.assert_allclose(p, [[0.5 / 301, 300.5 / 301]] * 3)


def test_it_trains_as_a_learner_of_a_recipe():
    rows = RowSet(np.arange(200), np.arange(200, 300), seed=0)
    (outcome,) = fit_many([FamilyLogistic()], X, Y, [rows], quantities=2)
    assert outcome.error is None
    np.testing.assert_array_equal(outcome.prediction, FamilyLogistic().fit(X[:200], Y[:200]).predict(X[200:]))


@pytest.mark.parametrize("given", [{"C": 0.0}, {"scale": "minmax"}, {"iterations": 0}])
def test_parameters_that_cannot_be_are_refused(given: dict):
    with pytest.raises(CampaignFileError, match=next(iter(given))):
        FamilyLogistic(**given).validate()
