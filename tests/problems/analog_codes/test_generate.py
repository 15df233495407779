"""Random codes are those of their distribution, and can be regenerated."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from probatum.errors import DataError, UnknownNameError
from probatum.problems.analog_codes.generate import BLOCK, random_codes
from probatum.problems.analog_codes.heights import height_profiles


def test_uniform_codes_fill_their_range_evenly():
    entries = np.sort(random_codes("uniform", 9, 5, 0, 5000).ravel())
    expected = np.linspace(-100, 100, entries.size)
    assert np.abs(entries - expected).max() < 200 * 1.95 / entries.size**0.5  # Kolmogorov's 0.1 % point


@pytest.mark.parametrize("k", [4, 5, 6])
def test_integer_codes_look_like_course_data(k: int):
    codes = random_codes("integer", 9, k, 0, 20_000)
    assert (codes == np.floor(codes)).all()
    low, median = np.quantile(np.abs(codes).max(axis=(1, 2)), [0.05, 0.5])
    assert 3 <= low <= 13
    assert 30 <= median <= 92
    infinite = np.isinf(height_profiles(codes)[:, -1]).mean()
    assert 0.085 < infinite < 0.125
    assert np.abs(codes).max() == 100


def test_integer_entries_are_evenly_spread_at_each_scale():
    codes = random_codes("integer", 9, 4, 0, 50_000)
    small = codes[np.abs(codes).max(axis=(1, 2)) == 7]
    values, counts = np.unique(small, return_counts=True)
    assert values.tolist() == [v for v in range(-7, 8) if v]
    expected = small.size / 14
    assert np.abs(counts - expected).max() < 6 * expected**0.5 + 0.05 * expected  # the condition favours 7 a little


@pytest.mark.parametrize("distribution", ["uniform", "integer"])
def test_a_stream_does_not_depend_on_how_it_is_cut(distribution: str):
    whole = random_codes(distribution, 9, 4, 0, 2 * BLOCK + 7, seed=1, draw=2)
    cuts = [0, 3, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7]
    parts = [random_codes(distribution, 9, 4, a, b, seed=1, draw=2) for a, b in pairwise(cuts)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert random_codes(distribution, 9, 4, 5, 5).shape == (0, 4, 5)


def test_seed_draw_shape_and_distribution_give_streams_of_their_own():
    first = {
        float(random_codes(*asked[:3], 0, 1, seed=asked[3], draw=asked[4])[0, 0, 0])
        for asked in [
            ("uniform", 9, 4, 0, 0),
            ("uniform", 9, 5, 0, 0),
            ("uniform", 8, 4, 0, 0),
            ("uniform", 9, 4, 1, 0),
            ("uniform", 9, 4, 0, 1),
            ("uniform", 9, 4, 1, 1),
        ]
    }
    assert len(first) == 6


def test_impossible_streams_are_refused():
    with pytest.raises(UnknownNameError, match="integer"):
        random_codes("integers", 9, 4, 0, 1)
    for arguments, options in [
        ((9, 9, 0, 1), {}),
        ((9, 0, 0, 1), {}),
        ((9, 4, 2, 1), {}),
        ((9, 4, 0, 1), {"seed": -1}),
    ]:
        with pytest.raises(DataError):
            random_codes("uniform", *arguments, **options)
