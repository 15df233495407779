"""Reliability: shares by bin with Wilson's interval, and an error that is zero for honest probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from probatum.reporting.figures import are_probabilities, reliability_figure
from probatum.reporting.figures.reliability import expected_calibration_error, reliability_bins, wilson
from reporting.figures.drawn import texts


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_are_those_of_wilson(case: tuple[int, int]):
    assert wilson(*case) == pytest.approx(proportion_confint(*case, method="wilson"), abs=1e-9)


def test_bins_hold_every_prediction_once_and_ends_belong_to_them():
    predicted = np.array([0.0, 0.05, 0.1, 0.95, 1.0])
    bins = reliability_bins(np.array([0, 1, 0, 1, 1.0]), predicted)
    assert [b.count for b in bins] == [2, 1, 2]
    assert bins[0].observed == 0.5
    assert bins[-1].predicted == pytest.approx(0.975)


def test_the_error_of_honest_probabilities_is_small_and_of_overconfident_ones_large():
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 20_000)
    truth = (rng.uniform(size=p.size) < p).astype(float)
    assert expected_calibration_error(reliability_bins(truth, p)) < 0.015
    certain = np.round(p)
    # a coin of probability p that is called certain is wrong by min(p, 1 - p), 1/4 on average
    assert expected_calibration_error(reliability_bins(truth, certain)) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    ("truth", "predicted", "are"),
    [([0, 1], [0.2, 0.9], True), ([0, 0.5], [0.2, 0.9], False), ([0, 1], [0.2, 1.1], False), ([np.nan], [0.5], False)],
)
def test_probabilities_are_known_by_their_truth_and_range(truth: list[float], predicted: list[float], are: bool):
    assert are_probabilities(np.array(truth), np.array(predicted)) is are


def test_a_panel_for_all_quantities_and_one_for_each_with_counts():
    rng = np.random.default_rng(2)
    predicted = rng.uniform(0, 1, (60, 3))
    truth = (rng.uniform(size=predicted.shape) < predicted).astype(float)
    said = texts(reliability_figure(truth, predicted, ["a", "b", "c"], "net"))
    assert "all together" in said
    assert f"{int(truth.sum())} of 180 came true" in said
    assert f"{int(truth[:, 1].sum())} of 60 came true" in said
