"""Choices, claims and baselines that nothing confirms."""

from dataclasses import replace

import numpy as np
import pytest

from probatum.audit.history import History, Run, Training
from probatum.audit.inspection import inspect
from probatum.learning.probes import VALIDATION

CODES = ("PB501", "PB502", "PB503", "PB504")


def found(history: History) -> list[tuple[str, str | None]]:
    return [(f.code, f.subject) for f in inspect(history, codes=CODES).findings]


def with_curve(score: float, *points: float) -> History:
    run = Run("run", score=score, trainings=(Training("", "", 0, {VALIDATION: np.array(points)}),))
    return History("h", runs=(run,), source="table")


def test_the_best_epoch_of_the_reported_curve_is_a_selection():
    history = with_curve(0.31, 0.5, 0.31, 0.42)
    (finding,) = inspect(history, codes=CODES).findings
    assert finding.code == "PB501"
    assert "point 2 of 3" in finding.message


@pytest.mark.parametrize("score", [0.42, 0.33])
def test_the_last_epoch_and_a_score_from_elsewhere_are_none(score: float):
    assert found(with_curve(score, 0.5, 0.31, 0.42)) == []


def test_a_best_epoch_that_is_the_last_shows_nothing():
    assert found(with_curve(0.31, 0.5, 0.42, 0.31)) == []


def test_rows_that_chose_and_are_reported_are_found():
    run = Run("soup", scored_on={"rows": "validation", "selected_on": "validation"})
    assert found(History("h", runs=(run,))) == [("PB501", "soup")]
    assert found(History("h", runs=(replace(run, scored_on={"rows": "test", "selected_on": "validation"}),))) == []


def test_predictions_that_know_the_scored_targets_are_found():
    assert found(History("h", runs=(Run("r", poisoned_difference=0.2),))) == [("PB501", "r")]
    assert found(History("h", runs=(Run("r", poisoned_difference=0.0),))) == []


def test_the_best_of_several_needs_confirmation():
    runs = (Run("mean", trivial=True), Run("a"), Run("b"))
    assert found(History("h", runs=runs, chosen="b")) == [("PB502", "b")]
    assert found(History("h", runs=runs, chosen="b", confirmed=True)) == []
    assert found(History("h", runs=runs)) == []
    assert found(History("h", runs=runs[:2], chosen="a")) == []  # one run and a trivial arm: nothing was chosen


@pytest.mark.parametrize("claim", ["YES (p<0.001)", "p = .03", "differences are highly significant", "p <= 0.05"])
def test_significance_of_one_run_is_no_evidence(claim: str):
    assert found(History("h", runs=(Run("r", claims=(claim,)),))) == [("PB503", "r")]
    assert found(History("h", runs=(Run("r", claims=(claim,), scores=np.array([1.0, 2.0])),))) == []


@pytest.mark.parametrize("claim", ["better than before", "step = 3", "insignificant-looking"])
def test_other_claims_are_left_alone(claim: str):
    assert found(History("h", runs=(Run("r", claims=(claim,)),))) == []


def test_an_estimate_is_no_baseline():
    estimate, other = Run("old", estimated=True, score=0.012), Run("new", "old", score=0.014)
    assert found(History("h", runs=(estimate, other))) == [("PB504", "old")]
    assert found(History("h", runs=(estimate, replace(other, parent=None)), baseline="old")) == [("PB504", "old")]
    assert found(History("h", runs=(estimate, replace(other, parent=None)), baseline="new")) == []
