"""The soup as written chooses by what it reports and keeps what it did not score; the audit sees both."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from probatum.audit.importers import read_runs
from probatum.audit.inspection import inspect
from probatum.learning.metrics import metric
from probatum.problems.gas_chromatography.family_network_regressor import FamilyNetworkRegressor
from probatum.problems.gas_chromatography.written_soup import Continued, WrittenSoup, mean_weights, written_soup

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(90, 6))
Y = (GENERATOR.random((90, 2)) < 1 / (1 + np.exp(-X[:, :2]))).astype(float)
TRAIN, SCORED = np.arange(60), np.arange(60, 90)
PARAMETERS = {"hidden": (8,), "epochs": 6, "loss": "bce", "output": "sigmoid", "batch": 20, "rate": 1e-2}


@pytest.fixture(scope="module")
def soup() -> WrittenSoup:
    return written_soup(PARAMETERS, X, Y, TRAIN, SCORED, members=3, rounds=6)


def test_the_best_of_all_averages_trained_on_is_reported(soup: WrittenSoup):
    assert soup.reported == min(soup.soups)
    assert soup.swaps == len(soup.soups) > 0
    assert len(soup.members) == 9


def test_what_is_kept_scores_otherwise(soup: WrittenSoup):
    again = FamilyNetworkRegressor(**PARAMETERS).restore(soup.weights).predict(X[SCORED])
    assert metric("log_loss").score(Y[SCORED], again) == soup.saved
    assert abs(soup.saved - soup.reported) > 1e-3


def test_an_audit_finds_both(soup: WrittenSoup, tmp_path: Path):
    table = tmp_path / "runs.jsonl"
    table.write_text(json.dumps(soup.as_line("soup", "fold 1")) + "\n")
    codes = {finding.code for finding in inspect(read_runs(table)).findings}
    assert {"PB501", "PB405"} <= codes


def test_a_training_goes_on_from_the_weights_that_it_is_given():
    first = FamilyNetworkRegressor(**PARAMETERS).fit(X[TRAIN], Y[TRAIN])
    unmoved = Continued(**{**PARAMETERS, "rate": 1e-30, "weight_decay": 0.0}).starting_from(first.weights_)
    np.testing.assert_allclose(unmoved.fit(X[TRAIN], Y[TRAIN]).predict(X[SCORED]), first.predict(X[SCORED]), atol=1e-5)


def test_the_mean_of_equal_members_is_each_of_them():
    weights = FamilyNetworkRegressor(**PARAMETERS).fit(X[TRAIN], Y[TRAIN]).weights_
    for name, array in mean_weights([weights, weights, weights]).items():
        np.testing.assert_allclose(array, weights[name], rtol=1e-6)
