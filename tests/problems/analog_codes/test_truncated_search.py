"""Truncated searches give lower bounds that come to the exact heights with enough steps."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.errors import DataError
from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.heights import height_profiles
from probatum.problems.analog_codes.truncated_search import (
    covering_walk,
    local_bounds,
    minor_bounds,
    random_walk,
    sorting_network,
    subsets_by_exchanges,
    vertex_bounds,
)

ROUNDING = 1e-6
SEARCHES = [(vertex_bounds, 20), (minor_bounds, 60), (local_bounds, 2)]


@pytest.mark.parametrize(("search", "steps"), SEARCHES)
@pytest.mark.parametrize(("n", "k"), [(6, 3), (9, 4), (9, 6), (12, 6)])
def test_bounds_are_never_above_the_heights_and_rise_with_m(search, steps: int, n: int, k: int):
    P = random_codes("uniform", n, k, 0, 50)
    bounds = search(P, steps)
    assert (bounds <= height_profiles(P) * (1 + ROUNDING)).all()
    assert (bounds >= 1).all()
    assert (np.diff(bounds, axis=1) >= 0).all()


@pytest.mark.parametrize(("search", "few", "many"), [(vertex_bounds, 50, 4000), (minor_bounds, 50, 6000)])
def test_many_steps_find_the_heights_of_short_codes(search, few: int, many: int):
    P = random_codes("uniform", 7, 3, 0, 100)
    exact = height_profiles(P)
    np.testing.assert_allclose(search(P, many), exact, rtol=ROUNDING)
    assert (search(P, few) < exact * 0.999).any()


def test_a_code_is_bounded_alike_in_any_company():
    P = random_codes("uniform", 9, 4, 0, 37)
    for search, steps in SEARCHES:
        np.testing.assert_array_equal(search(P[20:23], steps), search(P, steps)[20:23])


def test_seeds_look_elsewhere():
    P = random_codes("uniform", 9, 4, 0, 20)
    for search, steps in SEARCHES:
        assert (search(P, steps, seed=1) != search(P, steps)).any()


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=13))
def test_sorting_networks_sort(values: list[int]):
    found = values.copy()
    for i, j in sorting_network(len(values)):
        found[i], found[j] = max(found[i], found[j]), min(found[i], found[j])
    assert found == sorted(values, reverse=True)


@pytest.mark.parametrize(("size", "k"), [(4, 4), (6, 1), (7, 3), (9, 5)])
def test_all_subsets_follow_one_another_by_single_exchanges(size: int, k: int):
    subsets = [set(s) for s in subsets_by_exchanges(size, k)]
    assert subsets[0] == set(range(k))
    assert len({frozenset(s) for s in subsets}) == len(subsets) == math.comb(size, k)
    assert all(len(a - b) == 1 for a, b in pairwise(subsets))


@settings(max_examples=20, deadline=None)
@given(k=st.integers(1, 5), redundancy=st.integers(1, 5), steps=st.integers(1, 300), seed=st.integers(0, 5))
def test_walks_have_the_steps_asked_for_and_complete_sets_have_all_their_bases(
    k: int, redundancy: int, steps: int, seed: int
):
    for walk in (random_walk(k, redundancy, steps, seed), covering_walk(k, redundancy, steps, seed)):
        assert len(walk.exchanges) == len(walk.ends) == steps
        assert walk.afresh[0]
    n, visited = k + redundancy, []
    for step in range(steps):
        basis = frozenset(range(n)) - set(walk.labels[step].tolist())
        visited.append(basis)
        m = int(walk.ends[step])
        if m > 0:
            T = frozenset(range(n)) - set(walk.labels[step][walk.outside[step]].tolist())
            assert len(T) == n - m
            assert len({b for b in visited if b <= T}) == math.comb(n - m, k)
        if m:
            visited = []


def test_searches_of_no_steps_and_other_shapes_are_refused():
    for search, _ in SEARCHES:
        with pytest.raises(DataError, match="steps"):
            search(np.ones((1, 2, 2)), 0)
        with pytest.raises(DataError, match="shape"):
            search(np.ones((2, 2)), 1)
