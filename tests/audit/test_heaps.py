"""Two heaps of values that a factor between units makes one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probatum.audit.heaps import FACTORS, kolmogorov, two_heaps

LEVEL = 1e-4


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(FACTORS), st.integers(60, 200), st.booleans())
def test_the_rows_of_each_heap_are_told(seed: int, factor: float, larger: int, signed: bool):
    generator = np.random.default_rng(seed)
    values = generator.uniform(0.3, 1, 260) * (generator.choice([-1, 1], 260) if signed else 1)
    planted = generator.permutation(260) < larger
    values[planted] *= factor
    values[:2] = 0.0, np.nan
    found = two_heaps(values, LEVEL)
    if found is None:  # they may differ by chance, once in twenty times
        assert kolmogorov(factor * values[2:][~planted[2:]], values[2:][planted[2:]])[1] < 0.06
        return
    assert abs(np.log(found.factor / factor)) < np.log(2)
    np.testing.assert_array_equal(found.larger[2:], planted[2:])
    np.testing.assert_array_equal(found.smaller[2:], ~planted[2:])
    assert not (found.larger | found.smaller)[:2].any()


def test_one_heap_is_not_two():
    generator = np.random.default_rng(0)
    for rows in (0, 5, 60, 5_000):
        for values in (generator.normal(size=rows), 10 ** generator.uniform(-4, 4, rows), np.zeros(rows)):
            assert two_heaps(values, 0.01) is None


def test_heaps_of_another_shape_or_distance_are_no_units():
    generator = np.random.default_rng(1)
    few, many = generator.uniform(0.3, 1, 150), 100 * generator.uniform(0.3, 1, 150)
    assert two_heaps(np.concatenate([few, many]), LEVEL) is not None
    assert two_heaps(np.concatenate([few, 4.4 * many]), LEVEL) is None  # 440: no factor between units
    assert two_heaps(np.concatenate([few, 100 * few.mean() + 0.01 * many]), LEVEL) is None  # a narrow heap


def test_the_statistic_is_the_largest_distance_of_the_distribution_functions():
    one, other = np.random.default_rng(2).normal(size=(2, 40))
    at = np.concatenate([one, other])
    steps = [np.searchsorted(np.sort(heap), at, side="right") / 40 for heap in (one, other)]
    statistic, probability = kolmogorov(one, other)
    assert statistic == pytest.approx(np.abs(steps[0] - steps[1]).max())
    assert probability == pytest.approx(stats.ks_2samp(one, other, method="exact").pvalue)  # pyright: ignore[reportAttributeAccessIssue]
