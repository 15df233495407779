"""Calibrated probabilities mean what they say on rows that nothing was learned from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from probatum.learning.metrics import metric
from probatum.problems.gas_chromatography.calibration import SMALLEST, learned_calibration, log_odds_of

GENERATOR = np.random.default_rng(0)
TRUE_LOG_ODDS = GENERATOR.normal(-1.5, 1.5, (6000, 3))
LABELS = (GENERATOR.random(TRUE_LOG_ODDS.shape) < expit(TRUE_LOG_ODDS)).astype(float)


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_the_temperature_undoes_log_odds_that_are_too_large_or_too_small(factor: float):
    calibration = learned_calibration("temperature", factor * TRUE_LOG_ODDS, LABELS)
    assert calibration.temperature == pytest.approx(factor, rel=0.05)
    np.testing.assert_allclose(calibration(factor * TRUE_LOG_ODDS), expit(TRUE_LOG_ODDS), atol=0.02)


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_calibration_lowers_the_error_on_other_rows(method: str):
    half, overconfident = 3000, 3 * TRUE_LOG_ODDS
    calibration = learned_calibration(method, overconfident[:half], LABELS[:half])
    before, after = (
        metric("calibration_error").score(LABELS[half:], p)
        for p in (expit(overconfident[half:]), calibration(overconfident[half:]))
    )
    assert after < 0.02 < before


def test_isotonic_steps_are_those_of_scikit_learn_and_never_fall():
    calibration = learned_calibration("isotonic", TRUE_LOG_ODDS, LABELS)
    order = np.argsort(TRUE_LOG_ODDS[:, 0])
    found = calibration(TRUE_LOG_ODDS)[:, 0]
    assert (np.diff(found[order]) >= 0).all()
    other = IsotonicRegression(y_min=0, y_max=1).fit_transform(expit(TRUE_LOG_ODDS[:, 0]), LABELS[:, 0])
    np.testing.assert_allclose(found, np.clip(other, SMALLEST, 1 - SMALLEST), atol=1e-9)


def test_none_changes_nothing_but_what_is_too_sure():
    p = learned_calibration("none", TRUE_LOG_ODDS, LABELS)(np.array([[-50.0, 0.0, 50.0]]))
    np.testing.assert_allclose(p, [[SMALLEST, 0.5, 1 - SMALLEST]])
    np.testing.assert_allclose(expit(log_odds_of(np.array([0.0, 0.3, 1.0]))), [SMALLEST, 0.3, 1 - SMALLEST])
