"""Fits of the curve from a start that a network leaves: in comparable units they end nearer to the truth."""

import numpy as np

from probatum.problems.rocking_curve import prior
from probatum.problems.rocking_curve.problem import RockingCurve, in_ranges
from probatum.problems.rocking_curve.profile import HIGH, LOW
from probatum.problems.rocking_curve.refinement import by_least_squares, by_slsqp, perturbed, within

SCAN = RockingCurve(points=128).scan
TRUTH = prior.draw(6, np.random.default_rng(4))
CURVES = SCAN.signal(TRUTH)


def errors(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.abs(in_ranges(found) - in_ranges(truth))


def misfit(parameters: np.ndarray, curve: np.ndarray) -> float:
    return float(((np.log10(SCAN.signal(parameters[None])[0]) - np.log10(curve)) ** 2).mean())


def test_starts_are_off_by_as_much_as_is_asked():
    starts = perturbed(np.tile((LOW + HIGH) / 2, (4000, 1)), 0.06, np.random.default_rng(0))
    off = errors(starts, np.tile((LOW + HIGH) / 2, (4000, 1)))
    np.testing.assert_allclose(off.mean(axis=0), 0.06, atol=0.003)
    assert (starts[:, 3] <= starts[:, 2]).all()


def test_what_is_outside_the_ranges_is_brought_inside():
    kept = within(np.array([1.0, 1.0, 3000.0, 9000.0, -1.0, 1000.0, 10.0]))
    assert ((kept >= LOW) & (kept <= HIGH)).all()
    assert kept[3] == kept[2]


def test_a_close_start_ends_at_the_truth():
    starts = perturbed(TRUTH, 0.001, np.random.default_rng(0))
    found = np.array([by_least_squares(SCAN, c, s) for c, s in zip(CURVES, starts, strict=True)])
    assert np.median(errors(found, TRUTH)[:, :4]) < 1e-4
    assert (errors(found, TRUTH)[:, 2] < 1e-3).sum() >= 5


def test_slsqp_in_raw_units_makes_the_misfit_smaller_and_hardly_moves_depths():
    starts = perturbed(TRUTH, 0.02, np.random.default_rng(1))
    found = np.array([by_slsqp(SCAN, c, s) for c, s in zip(CURVES, starts, strict=True)])
    better = [misfit(f, c) <= misfit(s, c) + 1e-12 for f, s, c in zip(found, starts, CURVES, strict=True)]
    assert all(better)
    moved = errors(found, starts)
    assert np.median(moved[:, [2, 3, 5, 6]]) < 0.1 * np.median(moved[:, [0, 1, 4]])


def test_comparable_units_and_true_derivatives_fit_better_than_raw_ones():
    starts = perturbed(TRUTH, 0.02, np.random.default_rng(1))
    ours, logs = (
        [misfit(fit(SCAN, c, s), c) for c, s in zip(CURVES, starts, strict=True)]
        for fit in (by_least_squares, by_slsqp)
    )
    assert np.median(ours) < 0.5 * np.median(logs)
