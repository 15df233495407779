"""Units are cut whole, into folds of about the same size, and the same generator cuts the same way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from probatum.campaigns.folds import hold_out, k_folds, stratified_folds
from probatum.errors import DataError

units = st.lists(st.integers(0, 12), min_size=2, max_size=60).map(np.array)


@given(units, st.integers(2, 6), st.integers(0, 99))
def test_each_unit_is_in_one_fold_and_no_fold_exceeds_another_by_more_than_the_largest_unit(
    of_row: np.ndarray, folds: int, seed: int
):
    names, counts = np.unique(of_row, return_counts=True)
    assume(len(names) >= folds)
    masks = k_folds(of_row, folds, np.random.default_rng(seed), of="rows", where="here")
    assert np.array_equal(np.sum(masks, axis=0), np.ones(len(of_row)))
    for name in names:
        assert sum(mask[of_row == name].any() for mask in masks) == 1
    sizes = [mask.sum() for mask in masks]
    assert min(sizes) > 0
    assert max(sizes) - min(sizes) <= counts.max()
    again = k_folds(of_row, folds, np.random.default_rng(seed), of="rows", where="here")
    assert np.array_equal(masks, again)


def test_more_folds_than_units_are_refused():
    with pytest.raises(DataError, match=r"^here: 2 groups of rows cannot make 3 folds; use at most 2 folds$"):
        k_folds(np.array([1, 1, 2]), 3, np.random.default_rng(0), of="rows", where="here")


def test_a_label_that_units_can_share_out_evenly_is_in_every_fold_as_often():
    of_row, labels = np.repeat(np.arange(12), 3), np.zeros((36, 1))
    labels[:18] = 1  # all rows of the first six units
    fold_of = stratified_folds(of_row, labels, 3, np.random.default_rng(1))
    assert np.bincount(fold_of[:6], minlength=3).tolist() == [2, 2, 2]
    assert np.bincount(fold_of, minlength=3).tolist() == [4, 4, 4]


@given(units, st.sampled_from([0.1, 0.3, 0.5]), st.integers(0, 99))
def test_a_hold_out_takes_its_share_of_the_units_whole(of_row: np.ndarray, fraction: float, seed: int):
    names = np.unique(of_row)
    assume(len(names) >= 2)
    held = hold_out(of_row, fraction, np.random.default_rng(seed), where="here")
    inside = set(of_row[held].tolist())
    assert not inside & set(of_row[~held].tolist())
    assert len(inside) == max(1, round(fraction * len(names)))


def test_a_single_unit_cannot_be_held_out():
    with pytest.raises(DataError, match="1 groups cannot be held out"):
        hold_out(np.zeros(5), 0.2, np.random.default_rng(0), where="here")
