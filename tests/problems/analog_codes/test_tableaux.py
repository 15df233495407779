"""Tableaux are those of information sets of the same code, in an order that does not know rows, columns and signs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.errors import DataError
from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.heights import height_profiles
from probatum.problems.analog_codes.tableaux import TableauView, describe, views

SHAPES = [(2, 2), (4, 5), (6, 3), (8, 8)]
SEEDS = st.integers(0, 2**32 - 1)


def _codes(k: int, redundancy: int, count: int = 6, draw: int = 0) -> np.ndarray:
    return random_codes("uniform", k + redundancy, k, 0, count, draw=draw)


def _moved(P: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    _, k, redundancy = P.shape
    P = P[:, rng.permutation(k)][:, :, rng.permutation(redundancy)]
    return P * rng.choice([-1, 1], (k, 1)) * rng.choice([-1, 1], (1, redundancy))


@pytest.mark.parametrize(("k", "redundancy"), [(4, 5), (6, 3)])
def test_every_view_is_a_tableau_of_the_same_code(k: int, redundancy: int):
    P = _codes(k, redundancy)
    seen = views(P, 5)
    seen[:, 0] *= 100
    heights = height_profiles(P)
    for view in range(5):
        np.testing.assert_allclose(height_profiles(seen[:, view]), heights, rtol=1e-7)


@pytest.mark.parametrize(("k", "redundancy"), SHAPES)
def test_no_exchange_enlarges_the_volume_of_the_second_view(k: int, redundancy: int):
    assert np.abs(views(_codes(k, redundancy, 50), 2)[:, 1]).max() <= 1 + 1e-9


def test_the_first_view_is_p_in_another_order():
    P = _codes(4, 5)
    np.testing.assert_allclose(
        np.sort(np.abs(views(P, 1)).reshape(6, -1)), np.sort(np.abs(P / 100).reshape(6, -1)), rtol=1e-15
    )


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_signed_permutations_change_nothing_that_is_seen(seed: int):
    rng = np.random.default_rng(seed)
    P = rng.uniform(-100, 100, (4, 4, 5))
    view = TableauView(3, (0, 1))
    np.testing.assert_allclose(describe(_moved(P, rng), view), describe(P, view), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("k", "redundancy"), SHAPES)
def test_what_is_seen_of_a_code_does_not_depend_on_its_company(k: int, redundancy: int):
    P, view = _codes(k, redundancy, 1030), TableauView(2, (0, 1), 4, 4)
    together = describe(P, view)
    assert together.shape == (1030, view.columns(k, redundancy))
    for code in (0, 700, 1029):
        np.testing.assert_array_equal(describe(P[code : code + 1], view)[0], together[code])


def test_sizes_are_entries_minors_norms_of_neighbours_and_the_smallest():
    k, redundancy, largest, smallest = 3, 4, 5, 6
    P = _codes(k, redundancy, 3)
    X = views(P, 1)[:, 0]
    columns = 2.0 ** describe(P, TableauView(1, (0,), largest, smallest))[:, k * redundancy :].astype(np.float64)
    entries, columns = columns[:, : k * redundancy], columns[:, k * redundancy :]
    np.testing.assert_allclose(entries, np.abs(X).reshape(3, -1), rtol=1e-5)
    pairs = [(r, c) for r in combinations(range(k), 2) for c in combinations(range(redundancy), 2)]
    minors = np.array([[abs(np.linalg.det(x[np.ix_(r, c)])) for r, c in pairs] for x in X])
    np.testing.assert_allclose(columns[:, : len(pairs)], minors, rtol=1e-4)
    columns = columns[:, len(pairs) :]
    by_column, by_row = _norms_of_neighbours(X)
    np.testing.assert_allclose(columns[:, :largest], by_column[:, :largest], rtol=1e-4)
    np.testing.assert_allclose(columns[:, largest : 2 * largest], by_row[:, :largest], rtol=1e-4)
    columns = columns[:, 2 * largest :]
    np.testing.assert_allclose(columns[:, :smallest], np.sort(minors)[:, :smallest], rtol=1e-4)
    np.testing.assert_allclose(columns[:, smallest:], np.sort(np.abs(X).reshape(3, -1))[:, :smallest], rtol=1e-5)


def _norms_of_neighbours(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From G_I^-1 G for every basis I one exchange away, largest first."""
    k, redundancy = X.shape[1:]
    columns, rows = [], []
    for x in X:
        G = np.hstack([np.eye(k), x])
        found: tuple[list[float], list[float]] = ([], [])
        for i in range(k):
            for j in range(redundancy):
                basis = [j + k if r == i else r for r in range(k)]
                others = [c for c in range(k + redundancy) if c not in basis]
                size = np.abs(np.linalg.solve(G[:, basis], G[:, others]))
                found[0].extend(size.sum(axis=0))
                found[1].extend(size.sum(axis=1))
        columns.append(sorted(found[0], reverse=True))
        rows.append(sorted(found[1], reverse=True))
    return np.array(columns), np.array(rows)


def test_a_zero_entry_gives_finite_numbers():
    assert np.isfinite(describe(np.zeros((2, 3, 3)), TableauView(1, (0,), 3, 3))).all()


def test_views_that_there_are_none_of_are_refused():
    for views_and_full in ((0, ()), (1, (1,))):
        with pytest.raises(DataError):
            TableauView(*views_and_full)
    with pytest.raises(DataError):
        TableauView(largest=-1)
    with pytest.raises(DataError, match="views"):
        views(_codes(2, 2), 7)
