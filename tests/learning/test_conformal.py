import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import DataError
from probatum.learning.conformal import cross_intervals, left_out_half_widths, quantile, split_half_widths


@given(st.integers(1, 60), st.floats(0.05, 0.95), st.integers(0, 100))
def test_the_quantile_is_the_finite_sample_one(rows: int, coverage: float, seed: int) -> None:
    errors = np.random.default_rng(seed).exponential(size=rows)
    place = int(np.ceil((rows + 1) * coverage - 1e-9))
    wanted = np.sort(errors)[place - 1] if place <= rows else np.inf
    assert quantile(errors, coverage) == wanted


@pytest.mark.parametrize("rows", [12, 40])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_split_intervals_cover_as_often_as_they_say(rows: int, coverage: float) -> None:
    generator = np.random.default_rng(0)
    held = []
    for _ in range(4000):
        truth = generator.standard_t(3, size=(rows + 1, 1))
        (width,) = split_half_widths(truth[:-1], np.zeros((rows, 1)), coverage)
        held.append(abs(truth[-1, 0]) <= width)
    error = np.sqrt(coverage * (1 - coverage) / len(held))
    assert coverage - 3 * error < np.mean(held) < coverage + 1 / (rows + 1) + 3 * error


def test_a_new_group_is_covered_though_rows_of_a_group_are_alike() -> None:
    generator = np.random.default_rng(1)
    by_group, by_row = [], []
    for _ in range(3000):
        sizes = generator.integers(1, 20, size=21)
        groups = np.repeat(np.arange(21), sizes)
        # Large groups are easier: counting rows would promise too much for the group that is next.
        errors = (generator.normal(size=21) / np.sqrt(sizes))[groups][:, None]
        seen, new = groups < 20, np.flatnonzero(groups == 20)[0]
        zeros = np.zeros_like(errors[seen])
        (grouped,) = split_half_widths(errors[seen], zeros, 0.9, groups[seen])
        (naive,) = split_half_widths(errors[seen], zeros, 0.9)
        by_group.append(abs(errors[new, 0]) <= grouped)
        by_row.append(abs(errors[new, 0]) <= naive)
    assert np.mean(by_group) > 0.9 - 3 * np.sqrt(0.09 / 3000)
    assert np.mean(by_row) < 0.88


def test_cross_intervals_cover() -> None:
    generator = np.random.default_rng(2)
    held = []
    for _ in range(600):
        x, noise = generator.normal(size=41), generator.normal(size=41)
        y = 2 * x + noise
        folds = np.arange(40) % 5
        slopes = np.array([(x[:40] * y[:40])[folds != f].sum() / (x[:40] ** 2)[folds != f].sum() for f in range(5)])
        out_of_fold = (slopes[folds] * x[:40])[:, None]
        low, high = cross_intervals(y[:40, None], out_of_fold, folds, (slopes * x[40])[:, None, None], 0.9)
        held.append(low[0, 0] <= y[40] <= high[0, 0])
    assert 0.86 < np.mean(held) < 0.96


def test_a_predicted_spread_makes_intervals_wide_where_noise_is() -> None:
    spread = np.array([[0.1], [10.0]] * 50)
    truth = spread * np.random.default_rng(0).normal(size=spread.shape)
    (multiple,) = split_half_widths(truth, np.zeros_like(truth), 0.9, spread=spread)
    assert 1.2 < multiple < 2.3


def test_too_few_rows_give_infinite_intervals_and_none_an_error() -> None:
    assert split_half_widths(np.ones((3, 1)), np.zeros((3, 1)), 0.9) == np.inf
    with pytest.raises(DataError, match="no calibration rows"):
        split_half_widths(np.ones((0, 1)), np.zeros((0, 1)))
    with pytest.raises(DataError, match="between 0 and 1"):
        split_half_widths(np.ones((3, 1)), np.zeros((3, 1)), 90)


def test_a_left_out_interval_is_that_of_the_other_groups() -> None:
    generator = np.random.default_rng(4)
    groups = np.repeat(np.arange(15), generator.integers(1, 6, size=15))
    truth, prediction, spread = (generator.normal(size=(len(groups), 2)) for _ in range(3))
    spread = np.exp(spread)
    widths = left_out_half_widths(truth, prediction, 0.8, groups, spread)
    for group in range(15):
        own, others = groups == group, groups != group
        calibrated = split_half_widths(truth[others], prediction[others], 0.8, groups[others], spread[others])
        np.testing.assert_allclose(widths[own], calibrated * spread[own])


def test_left_out_intervals_hold_the_truth_of_about_the_share_they_say() -> None:
    generator = np.random.default_rng(5)
    held = []
    for _ in range(100):
        groups = np.repeat(np.arange(30), 4)
        errors = (generator.normal(size=30)[groups] + 0.3 * generator.normal(size=120))[:, None]
        held.append((np.abs(errors) <= left_out_half_widths(errors, 0 * errors, 0.8, groups)).mean())
    assert 0.78 < np.mean(held) < 0.85


def test_a_change_of_a_rows_own_truth_does_not_move_its_interval() -> None:
    truth = np.random.default_rng(6).normal(size=(20, 1))
    changed = truth.copy()
    changed[3] = 1e6
    before, after = (left_out_half_widths(t, np.zeros((20, 1)), 0.7) for t in (truth, changed))
    assert before[3] == after[3]
    assert (after >= before).all()


def test_cross_intervals_are_scaled_by_the_spread_of_the_new_row() -> None:
    generator = np.random.default_rng(7)
    folds, truth = np.arange(40) % 4, generator.normal(size=(40, 1))
    ones, new = np.ones((40, 1)), np.zeros((4, 3, 1))
    wider = np.ones((4, 3, 1)) * [[1.0], [2.0], [5.0]]
    plain = cross_intervals(truth, 0 * truth, folds, new, 0.8)
    low, high = cross_intervals(truth, 0 * truth, folds, new, 0.8, spread=ones, spreads=wider)
    np.testing.assert_allclose(high[:, 0], plain[1][:, 0] * [1, 2, 5])
    np.testing.assert_allclose(low[:, 0], plain[0][:, 0] * [1, 2, 5])
    with pytest.raises(DataError, match="one side only"):
        cross_intervals(truth, 0 * truth, folds, new, 0.8, spread=ones)
    with pytest.raises(DataError, match="not above 0"):
        cross_intervals(truth, 0 * truth, folds, new, 0.8, spread=0 * ones, spreads=wider)
