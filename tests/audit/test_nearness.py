"""Rows that come near each other, and set values that readings stand at."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from probatum.audit.nearness import near_rows, set_values


@pytest.mark.parametrize(("columns", "rows"), [(3, 2_500), (14, 2_500)])
def test_neighbours_are_those_that_all_distances_show(columns: int, rows: int):
    """A tree in few columns, products of matrices in many: both as `cdist` has it."""
    generator = np.random.default_rng(24)
    train, test = generator.normal(size=(rows, columns)), generator.normal(size=(300, columns))
    test[:20] = train[:20] + 1e-6 * generator.normal(size=(20, columns))
    found = near_rows(train, test)
    assert found is not None
    rows_of = np.concatenate([train, test])
    scaled = (rows_of - rows_of.mean(axis=0)) / rows_of.std(axis=0)
    away = np.sort(cdist(scaled[rows:], scaled[:rows]), axis=1)
    assert (found.rows, found.of) == (int((away[:, 0] < found.ratio * away[:, 4]).sum()), 300) == (20, 300)
    assert found.distance == pytest.approx(np.median(away[:20, 0]) / np.sqrt(columns), rel=1e-6)


def test_set_values_are_found_and_spread_values_are_left():
    generator = np.random.default_rng(8)
    exact = generator.integers(0, 4, 80) * 10.0
    taken = set_values(exact + generator.normal(0, 0.1, 80))
    assert len(np.unique(taken)) == 4
    assert np.abs(taken - exact).max() < 0.1
    spread = generator.uniform(size=80)
    assert (set_values(spread) == spread).all()


def test_too_few_rows_say_nothing():
    assert near_rows(np.zeros((0, 2)), np.ones((3, 2))) is None
    assert near_rows(np.arange(8.0).reshape(4, 2), np.ones((3, 2))) is None
    assert near_rows(np.ones((50, 2)), np.ones((3, 2))) is None


def test_rows_that_are_near_in_inputs_and_targets_are_counted_and_equal_inputs_are_not():
    generator = np.random.default_rng(0)
    x, y = generator.uniform(size=(160, 1)), generator.normal(size=(160, 1))
    train, test = np.arange(120), np.arange(120, 160)
    x[test[:6]], y[test[:6]] = x[:6] + 1e-6, y[:6] + 1e-6
    x[test[6:12]], y[test[6:12]] = x[6:12], y[6:12] + 1e-6  # measured again
    found = near_rows(x[train], x[test], (y[train], y[test]))
    assert found is not None
    assert (found.rows, found.of) == (6, 34)
    assert found.chance < 1e-6
    alone = near_rows(x[train], x[test])
    assert alone is not None
    assert alone.chance > found.chance


@pytest.mark.parametrize("tails", [0.3, 1.5])
def test_rows_that_are_surely_far_are_passed_over_and_counted(tails: float):
    """Among many rows of many columns not all distances are measured; the counts are those that all would give."""
    generator = np.random.default_rng(1)
    rows = np.exp(tails * generator.normal(size=(9_000, 12)))
    rows[6_000:6_040] = rows[:40] * (1 + 0.01 * generator.normal(size=(40, 12)))
    rows[6_040:6_045] = rows[40:45]  # equal ones are left out
    found = near_rows(rows[:6_000], rows[6_000:])
    assert found is not None
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    away = np.sort(cdist(scaled[6_000:], scaled[:6_000]), axis=1)
    near = (away[:, 0] > 0) & (away[:, 0] < found.ratio * away[:, 4])
    assert (found.rows, found.of) == (near.sum(), 2_995)
    assert found.rows > 20
