"""Internal scores against a leaderboard: the form is chosen on left-out pairs and says what it can reach."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from probatum.errors import DataError
from probatum.evidence.calibration import ROOT, SQUARE, calibrate, reach

CV = np.array([0.0111, 0.0123, 0.0105, 0.0104, 0.0097, 0.0093, 0.0092, 0.0090, 0.0087])
LB = np.array([0.0982, 0.1065, 0.0972, 0.0969, 0.0946, 0.0932, 0.0936, 0.0913, 0.0893])
"""Nine submissions of a public log of work on the catechol data: MSE inside, the leaderboard's score outside."""
TARGET, FLOOR = 0.01727, 0.0005075


def form(name: str, x=CV, y=LB):
    return next(f for f in calibrate(x, y).fits if f.form.name == name)


def test_the_nine_pairs_look_like_a_root_and_not_like_a_line():
    found = calibrate(CV, LB)
    assert found.best.form.name == "y = b sqrt(x)"
    assert found.best.b == pytest.approx(0.956, abs=5e-4)
    assert found.unit_remark is not None
    assert found.unit_remark.startswith(ROOT)
    assert "y = a + b x^2 does nearly as well" in found.unit_remark
    line = stats.linregress(CV, LB)
    assert (found.line.a, found.line.b) == (pytest.approx(line.intercept), pytest.approx(line.slope))


def test_the_target_of_the_nine_pairs_is_out_of_reach_on_the_line_and_under_the_noise_floor_on_the_root():
    found = calibrate(CV, LB)
    floors = [("single", FLOOR)]
    line, root = (reach(f, TARGET, floors, lowest=CV.min()) for f in (found.line, found.best))
    assert line.needed is None
    assert "cannot be reached" in line.says
    assert "a = 0.05366 at x = 0" in line.says
    assert root.needed == pytest.approx((TARGET / found.best.b) ** 2)
    assert root.under_floor == ("single", FLOOR)
    assert "under the noise floor of single (0.0005075)" in root.says
    free = reach(found.best, TARGET, lowest=CV.min())
    assert "an extrapolation" in free.says
    inside = reach(found.best, 0.095, floors, lowest=CV.min())
    assert inside.needed is not None
    assert "noise floor" not in inside.says
    assert "extrapolation" not in inside.says


def test_the_highest_floor_that_is_undercut_is_named():
    found = calibrate(CV, LB).best
    assert reach(found, TARGET, [("full", 0.0004), ("single", FLOOR)], lowest=0.009).under_floor == ("single", FLOOR)
    assert reach(found, TARGET, [("low", 1e-5)], lowest=0.009).under_floor is None


TRANSFORMS = {
    "y = a + b x": (True, lambda x: x),
    "y = b x": (False, lambda x: x),
    "y = b sqrt(x)": (False, np.sqrt),
    "y = a + b sqrt(x)": (True, np.sqrt),
    "y = b x^2": (False, np.square),
    "y = a + b x^2": (True, np.square),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_form_is_the_least_squares_of_scikit_learn(name: str):
    intercept, transform = TRANSFORMS[name]
    inputs = transform(CV)[:, None]
    peer = LinearRegression(fit_intercept=intercept).fit(inputs, LB)
    left_out = cross_val_predict(LinearRegression(fit_intercept=intercept), inputs, LB, cv=LeaveOneOut())
    found = form(name)
    assert (found.a, found.b) == (pytest.approx(peer.intercept_), pytest.approx(peer.coef_[0]))
    assert found.predict(CV) == pytest.approx(peer.predict(inputs))
    assert found.left_out_error == pytest.approx(np.sqrt(np.mean((LB - left_out) ** 2)))


def test_fits_are_ordered_by_the_error_on_left_out_pairs():
    errors = [f.left_out_error for f in calibrate(CV, LB).fits]
    assert errors == sorted(errors)
    assert len(errors) == 6


def test_the_prediction_interval_is_that_of_one_new_pair():
    """The textbook's: s sqrt(1 + 1/n + (x - mean)^2 / sum (x - mean)^2), n - 2 degrees of freedom."""
    found, at = form("y = a + b x"), np.array([0.008, 0.01])
    low, high = found.interval(at, 0.9)
    residual = LB - found.predict(CV)
    s = np.sqrt(residual @ residual / 7)
    half = stats.t.ppf(0.95, 7) * s * np.sqrt(1 + 1 / 9 + (at - CV.mean()) ** 2 / ((CV - CV.mean()) ** 2).sum())
    assert high - low == pytest.approx(2 * half)
    assert (low + high) / 2 == pytest.approx(found.predict(at))


def test_prediction_intervals_hold_new_pairs_as_often_as_they_say():
    generator, repeats = np.random.default_rng(0), 500
    x, held = np.linspace(0.5, 2.0, 6), 0
    for _ in range(repeats):
        y = 1.5 * np.sqrt(x) + generator.normal(0, 0.1, 6)
        found = form("y = b sqrt(x)", x, y)
        low, high = found.interval(np.array([1.7]), 0.9)
        held += low[0] <= 1.5 * np.sqrt(1.7) + generator.normal(0, 0.1) <= high[0]
    assert abs(held / repeats - 0.9) < 3 * np.sqrt(0.9 * 0.1 / repeats)


@pytest.mark.parametrize(("power", "remark"), [(0.5, ROOT), (2.0, SQUARE), (1.0, None)])
def test_units_are_told_from_the_form(power: float, remark: str | None):
    x = np.linspace(0.1, 4, 12)
    y = 0.8 * x**power + np.random.default_rng(1).normal(0, 0.005, 12)
    said = calibrate(x, y).unit_remark
    assert (said is None) if remark is None else (said or "").startswith(remark)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.05, 3), st.floats(0.1, 5), st.sampled_from(sorted(TRANSFORMS)))
def test_what_a_target_needs_predicts_the_target(target: float, slope: float, name: str):
    x = np.array([0.2, 0.5, 0.9, 1.4])
    y = slope * x + np.array([0.01, -0.02, 0.015, -0.005])
    found = form(name, x, y)
    needed = found.needed(target)
    if needed is not None:
        assert found.predict(np.array([needed]))[0] == pytest.approx(target)
    else:
        least = optimize.minimize_scalar(
            lambda at: found.predict(np.array([at]))[0], bounds=(0, 2), method="bounded"
        ).fun
        assert target < least + 1e-6


def test_scores_below_zero_leave_only_lines():
    x = np.array([-0.2, 0.1, 0.4, 0.5])
    found = calibrate(x, 0.9 * x + 0.01)
    assert {f.form.name for f in found.fits} == {"y = a + b x", "y = b x"}
    assert found.line.needed(-0.5, negative=True) == pytest.approx(-0.51 / 0.9)
    assert reach(found.line, -0.5, lowest=-0.2).needed is not None


def test_a_second_submission_of_one_experiment_does_not_predict_itself():
    once = form("y = a + b x", CV, LB)
    twice = form("y = a + b x", np.tile(CV, 2), np.tile(LB, 2))
    assert twice.left_out_error == pytest.approx(once.left_out_error)
    assert twice.spread < once.spread * 1.01


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ([], [], "0 pairs with 0 different internal scores"),
        ([0.1], [0.2], "1 pair with 1 different internal score: nothing"),
        ([0.1, 0.2], [0.2, 0.3], "2 pairs with 2 different"),
        ([0.1] * 5, [0.2, 0.3, 0.4, 0.5, 0.6], "5 pairs with 1 different internal score: nothing"),
        ([0.1, 0.2, np.nan], [0.2, 0.3, 0.4], "not finite"),
        ([0.1, 0.2, 0.3], [0.2, np.inf, 0.4], "not finite"),
        ([0.1, 0.2, 0.3], [0.2, 1e308, 0.4], r"above 1e\+100 in size"),
    ],
)
def test_too_few_pairs_are_a_sentence_and_no_fit(x: list[float], y: list[float], says: str):
    with pytest.raises(DataError, match=says):
        calibrate(x, y)


def test_a_leaderboard_that_does_not_move_is_reached_by_nothing_else():
    found = calibrate(CV, np.full(9, 0.1))
    assert "cannot be reached" in reach(found.line, 0.05, lowest=0.0087).says or found.line.b != 0
    assert found.best.left_out_error == pytest.approx(0, abs=1e-12)
