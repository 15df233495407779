"""Pictures of predicted strain profiles show the right curves, and the band holds nine of ten errors."""

from __future__ import annotations

import numpy as np

from probatum.problems.rocking_curve.pictures import DEPTHS, MOST_CASES, _profiles
from probatum.problems.rocking_curve.problem import RockingCurve
from problems.drawings import drawn, panel

PROBLEM = RockingCurve(curves=21, points=16)
DATASET = PROBLEM.dataset("parameters")
TRUTH = DATASET.truth.open_for_scoring()


def test_the_best_and_the_worst_curve_are_those_with_the_least_and_largest_error_over_depth():
    generator = np.random.default_rng(0)
    predictions = np.clip(TRUTH + generator.normal(0, 0.1, TRUTH.shape), 0, 1)
    predictions[4] = TRUTH[4]
    predictions[9] = 1 - TRUTH[9]
    (picture,) = PROBLEM.pictures(DATASET, np.arange(21), predictions)
    figure = drawn(picture)
    errors = np.sqrt(((_profiles(predictions) - _profiles(TRUTH)) ** 2).mean(axis=1))
    worst, middle = int(errors.argmax()), int(np.argsort(errors)[10])
    assert panel(figure, "best").get_title(loc="left") == f"best: {DATASET.cases[4]}\noff by 0.000 %"
    assert str(DATASET.cases[worst]) in panel(figure, "worst").get_title(loc="left")
    assert str(DATASET.cases[middle]) in panel(figure, "median").get_title(loc="left")
    curves = {str(line.get_label()): line.get_ydata() for line in panel(figure, "best").lines}
    np.testing.assert_allclose(curves["predicted"], curves["true"])


def test_errors_of_all_curves_are_taken_off_the_prediction_in_the_band():
    # Every profile is predicted as the same one, so its band is where the true ones lie.
    predictions = np.tile(TRUTH[3], (21, 1))
    (picture,) = PROBLEM.pictures(DATASET, np.arange(21), predictions)
    (band,) = panel(drawn(picture), "best").collections
    outline = np.asarray(band.get_paths()[0].vertices)
    depth = DEPTHS[50]
    low, high = np.sort(np.unique(outline[np.isclose(outline[:, 0], depth), 1]))[[0, -1]]
    np.testing.assert_allclose([low, high], np.percentile(_profiles(TRUTH)[:, 50], [5, 95]))


def test_shares_outside_the_ranges_are_taken_to_their_ends():
    np.testing.assert_allclose(_profiles(np.full((1, 7), 7.0)), _profiles(np.ones((1, 7))))
    assert np.isfinite(_profiles(np.full((1, 7), -1e9))).all()


def test_of_many_curves_an_even_choice_is_looked_at():
    many = np.resize(np.arange(21), MOST_CASES + 500)
    dataset = DATASET.take(many)
    (picture,) = PROBLEM.pictures(dataset, np.arange(len(many)), TRUTH[many])
    assert f"{MOST_CASES} curves of {len(many)}" in picture.caption
