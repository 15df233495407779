"""Metrics are called many things."""

from __future__ import annotations

import pytest

from probatum.audit.history import Run
from probatum.audit.metric_names import (
    is_correlation,
    is_mean_error,
    is_median_error,
    is_r2,
    is_squared,
    is_trimmed_r2,
    named_figures,
    partner,
)


@pytest.mark.parametrize(
    "name", ["R2", "r2", "test_R2", "R²", "R^2", "R**2", "r-squared", "rate_constants_R2", "r2_score"]
)
def test_spellings_of_r2(name):
    assert is_r2(name)
    assert not is_trimmed_r2(name)
    assert not is_correlation(name)


@pytest.mark.parametrize("name", ["mse", "rank", "n_outliers", "error", "slope", "run2", "spearman_r2x"])
def test_other_metrics_are_no_r2(name):
    assert not is_r2(name)


@pytest.mark.parametrize("name", ["trimmed_R2", "R2 (trimmed)", "robust r2", "trimmedR2"])
def test_spellings_of_trimmed_r2(name):
    assert is_trimmed_r2(name)
    assert not is_r2(name)


@pytest.mark.parametrize("name", ["pearson", "test_pearson", "Pearson r", "pearsonR", "corr", "correlation", "r"])
def test_spellings_of_correlation(name):
    assert is_correlation(name)
    assert not is_r2(name)


@pytest.mark.parametrize("name", ["spearman_correlation", "rank correlation", "pearson_r2", "rate"])
def test_ranks_and_squares_are_no_correlation(name):
    assert not is_correlation(name)


def test_spellings_of_mean_and_median_errors():
    for name in ("MAE", "mean_absolute_error", "mean absolute error", "test_mae"):
        assert is_mean_error(name)
        assert not is_squared(name)
    for name in ("MedAE", "median_absolute_error", "medae", "median error"):
        assert is_median_error(name)
    assert is_mean_error("MSE")
    assert is_squared("mse")
    assert not is_mean_error("rmse")


def test_partners_are_of_the_same_rows():
    names = ("train_R2", "test_R2", "train_pearson", "test_pearson")
    assert partner("test_R2", names, is_r2, is_correlation) == "test_pearson"
    assert partner("R2", ("R2", "pearson r"), is_r2, is_correlation) == "pearson r"
    assert partner("rates_R2", ("rates_R2", "other_pearson"), is_r2, is_correlation) == "other_pearson"
    assert partner("rates_R2", ("rates_R2", "test_R2", "other_pearson"), is_r2, is_correlation) is None
    assert partner("R2", ("R2",), is_r2, is_correlation) is None


def test_a_score_stands_among_the_metrics_by_its_name():
    assert named_figures(Run("r", metric="R2", score=0.5, metrics={"mae": 1.0})) == {"mae": 1.0, "R2": 0.5}
    assert named_figures(Run("r", score=0.5)) == {"score": 0.5}
    assert named_figures(Run("r")) == {}
