"""PB302 and PB303: two metrics of one run against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.planted import found, predicted
from probatum.audit.history import Run

# ---------------------------------------------------------------------- PB302


@pytest.mark.parametrize(
    ("metrics", "figure"),
    [
        ({"rate_constants_R2": 0.0443, "trimmed_R2": 0.9234, "test_R2": -766043.0}, "trimmed"),
        ({"R2": 0.2, "pearson": 0.95}, "pearson"),
        ({"R2": 0.97, "pearson": 0.9}, "pearson"),
        ({"MAE": 5.0, "MedAE": 1.0}, "median"),
        ({"mean squared error": 40.0, "median squared error": 1.0}, "median"),
    ],
)
def test_metrics_that_contradict_each_other(metrics, figure):
    (finding,) = found("PB302", Run("r", metrics=metrics))
    assert finding.severity == "warning"
    assert finding.figures[figure] == metrics[next(m for m in metrics if figure[:3] in m.lower())]


@pytest.mark.parametrize(
    "metrics",
    [
        {"R2": 0.80, "trimmed_R2": 0.90},
        {"R2": 0.88, "pearson": 0.94, "slope": 0.9},
        {"R2": 0.81, "pearson": 0.9},
        {"R2": -0.2, "pearson": 0.1},
        {"MAE": 1.3, "MedAE": 1.0},
        {"mse": 2.2, "median squared error": 1.0},
        {"R2": -50.0, "pearson": 0.9},
    ],
)
def test_metrics_that_agree(metrics):
    assert not found("PB302", Run("r", metrics=metrics))


def test_a_score_counts_among_the_metrics():
    assert found("PB302", Run("r", metric="R2", score=0.0443, metrics={"trimmed_R2": 0.9234}))


def fit(errors, scale=1.0, rows=100, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.normal(0, 1, (rows, 1))
    return truth, scale * (truth + errors(generator, (rows, 1)))


def test_a_few_rows_that_carry_the_error_are_found_in_the_predictions():
    def outliers(generator, shape):
        return np.where(np.arange(shape[0])[:, None] % 25 == 0, 5.0, generator.normal(0, 0.1, shape))

    (finding,) = found("PB302", predicted([fit(outliers)]))
    assert finding.figures["share"] == pytest.approx(1 - 0.01 * 95 / (4 * 25 + 0.96), abs=0.01)


def test_predictions_right_in_order_and_wrong_in_scale_are_found():
    (finding,) = found("PB302", predicted([fit(lambda g, s: g.normal(0, 0.1, s), scale=0.3)]))
    assert finding.figures["pearson"] > 0.98
    assert finding.figures["r2"] == pytest.approx(1 - 0.7**2, abs=0.05)


@given(seed=st.integers(0, 10_000), heavy=st.booleans())
def test_gaussian_and_double_exponential_errors_contradict_nothing(seed, heavy):
    errors = (lambda g, s: g.laplace(0, 0.3, s)) if heavy else (lambda g, s: g.normal(0, 0.3, s))
    assert not found("PB302", predicted([fit(errors, seed=seed)]))


# ---------------------------------------------------------------------- PB303


def scaled(seed=0):
    """Predictions of half the right size: r^2 is high, R2 is not."""
    truth, prediction = fit(lambda g, s: g.normal(0, 0.2, s), scale=0.5, seed=seed)
    r2 = 1 - ((prediction - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    squared = np.corrcoef(truth.ravel(), prediction.ravel())[0, 1] ** 2
    return (truth, prediction), float(r2), float(squared)


def test_a_squared_correlation_under_the_name_of_r2_is_found_in_the_predictions():
    pair, r2, squared = scaled()
    (finding,) = found("PB303", predicted([pair], metrics={"R2": squared}))
    assert finding.severity == "error"
    assert finding.figures["r2"] == pytest.approx(r2)
    assert finding.figures["squared correlation"] == pytest.approx(squared)
    assert found("PB303", predicted([pair], metric="R2", score=round(squared, 3)))


def test_an_r2_of_its_predictions_is_silent():
    pair, r2, squared = scaled()
    assert not found("PB303", predicted([pair], metrics={"R2": r2}))
    assert not found("PB303", predicted([pair], metrics={"R2": 0.3})), "of other rows perhaps; not r^2"
    assert not found("PB303", predicted([pair], metrics={"pearson": squared**0.5}))


@given(scale=st.floats(0.2, 3), offset=st.floats(-2, 2), noise=st.floats(0.05, 1), seed=st.integers(0, 1000))
def test_no_true_r2_is_ever_called_a_squared_correlation_by_its_slope(scale, offset, noise, seed):
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=50)
    prediction = scale * truth + offset + generator.normal(0, noise, 50)
    r2 = 1 - ((prediction - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    pearson = np.corrcoef(truth, prediction)[0, 1]
    for x, y in ((truth, prediction), (prediction, truth)):
        slope = np.polyfit(x, y, 1)[0]
        metrics = {"R2": float(r2), "pearson": float(pearson), "slope": float(slope)}
        assert not [f for f in found("PB303", Run("r", metrics=metrics)) if f.severity == "error"]


def test_slope_and_correlation_unmask_a_squared_correlation():
    (finding,) = found("PB303", Run("r", metrics={"R2": 0.9025, "pearson": 0.95, "slope": 0.6}))
    assert finding.severity == "error"
    assert finding.figures["most"] == pytest.approx(2 * 0.6 - 0.36 / 0.9025)


def test_equal_in_three_decimals_is_a_note():
    (finding,) = found("PB303", Run("r", metrics={"R2": 0.9025, "pearson": 0.95}))
    assert finding.severity == "note"
    assert not found("PB303", Run("r", metrics={"R2": 0.89, "pearson": 0.95}))
    assert not found("PB303", Run("r", metrics={"R2": 0.89}))
