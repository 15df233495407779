"""Hashes of rows, and the step of rounded readings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.audit.rows import reading_step, row_hashes


def test_minus_zero_is_zero_and_missing_values_are_equal():
    inputs = np.array([[0.0, np.nan, 1.0], [-0.0, np.nan, 1.0], [0.0, 2.0, 1.0]])
    hashes = row_hashes(inputs)
    assert hashes[0] == hashes[1] != hashes[2]
    assert row_hashes(inputs[:, [0, 1]], inputs[:, [2]]).tolist() == hashes.tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, -1.5]), min_size=3, max_size=3), min_size=1, max_size=20))
def test_hashes_are_equal_exactly_where_rows_are(rows: list[list[float]]):
    hashes = row_hashes(np.array(rows))
    assert len(np.unique(hashes)) == len({tuple(row) for row in rows})


def test_the_step_of_readings_is_found():
    spread = np.random.default_rng(22).normal(size=50)
    assert reading_step(np.round(spread, 2)) == pytest.approx(0.01)
    assert reading_step(np.round(spread * 20) / 20) == pytest.approx(0.05)
    assert reading_step(np.array([1.0, 1.2, 1.5, 2.2])) == pytest.approx(0.1)
    assert reading_step(np.array([20.0, 50.0, 90.0])) == pytest.approx(10)
    assert reading_step(spread) == reading_step(np.ones(3)) == 0
