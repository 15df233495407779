"""Interquartile means and performance profiles are what their papers define."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from probatum.evidence.aggregates import (
    interquartile_interval,
    interquartile_mean,
    performance_profiles,
    score_distributions,
)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30))
def test_the_interquartile_mean_is_scipys_trimmed_mean(values: list[float]):
    assert interquartile_mean(np.array(values)) == pytest.approx(stats.trim_mean(values, 0.25), abs=1e-10)


def test_one_wild_run_does_not_move_the_interquartile_mean():
    values = np.arange(8.0)
    wild = np.where(values == 7, 1e9, values)
    assert interquartile_mean(wild) == interquartile_mean(values) == 3.5


def test_the_interval_is_that_of_runs_drawn_within_each_problem():
    scores = np.random.default_rng(0).gamma(3, 1, (10, 6))
    generator = np.random.default_rng(1)
    drawn = [
        stats.trim_mean(np.concatenate([generator.choice(runs, len(runs)) for runs in scores]), 0.25)
        for _ in range(2000)
    ]
    assert interquartile_interval(scores) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.05)


def test_score_distributions_are_one_minus_the_distribution_function():
    scores = np.random.default_rng(1).normal(size=(7, 5, 2))
    thresholds = np.linspace(-2, 2, 9)
    found = score_distributions(scores, thresholds)
    for i in range(2):
        assert found[:, i] == pytest.approx(stats.ecdf(scores[:, :, i].ravel()).sf.evaluate(thresholds), abs=1e-10)


def test_with_one_run_a_problem_problems_are_drawn():
    scores = np.random.default_rng(2).normal(size=(20, 1))
    low, high = interquartile_interval(scores)
    assert low < interquartile_mean(scores.ravel()) < high


def test_runs_are_drawn_within_their_problem():
    """Problems of one score each leave nothing to draw, however different they are."""
    scores = np.repeat(np.arange(8.0)[:, None], 5, axis=1)
    assert interquartile_interval(scores) == (3.5, 3.5)


def test_a_performance_profile_by_hand():
    costs = np.array([[1.0, 2.0, 4.0], [3.0, 1.0, np.inf], [2.0, 2.0, 2.0], [5.0, 1.0, 1.0]])
    found = performance_profiles(costs, np.array([1.0, 2.0, 4.0]))
    assert found.tolist() == [[0.5, 0.75, 0.5], [0.5, 1.0, 0.5], [0.75, 1.0, 0.75]]


def test_a_problem_that_nobody_solves_counts_for_nobody():
    costs = np.array([[1.0, 2.0], [np.inf, np.inf]])
    assert performance_profiles(costs, np.array([10.0])).tolist() == [[0.5, 0.5]]


def test_costs_must_have_ratios():
    with pytest.raises(ValueError, match="above 0"):
        performance_profiles(np.array([[0.0, 1.0]]), np.ones(1))
