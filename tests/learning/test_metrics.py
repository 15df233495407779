import numpy as np
import pytest
from sklearn import metrics as reference

from probatum.errors import UnknownNameError
from probatum.learning.metrics import METRICS, metric

GENERATOR = np.random.default_rng(0)
TRUTH, PREDICTION = GENERATOR.normal(size=(30, 3)), GENERATOR.normal(size=(30, 3))
WEIGHTS = GENERATOR.uniform(size=30)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("mse", reference.mean_squared_error),
        ("mae", reference.mean_absolute_error),
        ("r2", reference.r2_score),
    ],
)
def test_scores_agree_with_scikit_learn(name: str, other, weights: np.ndarray | None) -> None:
    ours = metric(name).score(TRUTH, PREDICTION, weights)
    assert ours == pytest.approx(other(TRUTH, PREDICTION, sample_weight=weights), rel=1e-12)


def test_rmse_is_the_root_of_the_pooled_mse() -> None:
    assert metric("rmse").score(TRUTH, PREDICTION) ** 2 == pytest.approx(metric("mse").score(TRUTH, PREDICTION))


def test_log_loss_agrees_with_scikit_learn_and_stays_finite() -> None:
    truth, p = (TRUTH[:, :1] > 0).astype(float), 1 / (1 + np.exp(-PREDICTION[:, :1]))
    assert metric("log_loss").score(truth, p) == pytest.approx(reference.log_loss(truth[:, 0], p[:, 0]))
    assert np.isfinite(metric("log_loss").score(truth, 1 - truth))


@pytest.mark.parametrize("name", [name for name, m in METRICS.items() if m.additive])
def test_additive_scores_are_the_mean_of_their_row_losses(name: str) -> None:
    truth, p = np.clip(np.abs(TRUTH), 0, 1), np.clip(np.abs(PREDICTION), 0, 1)
    losses = metric(name).row_losses(truth, p)
    assert losses.shape == truth.shape
    assert metric(name).score(truth, p) == pytest.approx(losses.mean())


def test_what_is_no_mean_over_rows_has_no_row_losses() -> None:
    with pytest.raises(TypeError, match="rmse"):
        metric("rmse").row_losses(TRUTH, PREDICTION)


def test_r2_of_a_constant_truth_is_unknown() -> None:
    assert np.isnan(metric("r2").score(np.ones((4, 1)), np.zeros((4, 1))))


def test_an_unknown_metric_names_its_neighbour() -> None:
    with pytest.raises(UnknownNameError, match="rmse"):
        metric("rmsse")


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(30, 3\)"):
        metric("mse").score(TRUTH, PREDICTION[:, 0])


def test_the_calibration_error_is_that_of_each_bin_weighed_by_its_share() -> None:
    truth = np.array([[1.0], [0.0], [1.0], [1.0]])
    p = np.array([[0.11], [0.19], [0.92], [0.98]])
    # Bin .1-.2: mean .15, half are ones. Bin .9-1: mean .95, all are.
    assert metric("calibration_error").score(truth, p) == pytest.approx(0.5 * 0.35 + 0.5 * 0.05)
    assert metric("calibration_error").score(truth, p, np.array([0, 0, 1, 1])) == pytest.approx(0.05)
    assert metric("calibration_error").score(truth, truth) == 0.0


def test_frequencies_that_are_right_leave_no_calibration_error() -> None:
    p = GENERATOR.uniform(size=(200_000, 2))
    assert metric("calibration_error").score((GENERATOR.random(p.shape) < p).astype(float), p) < 0.005
