"""Heights keep nine digits where float64 loses them, and fractions keep them all."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from probatum.errors import DataError
from probatum.problems.analog_codes.exact_heights import exact_profile, exact_profile_of_parity_check
from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.generators import generator_of
from probatum.problems.analog_codes.heights import float64_height_profiles, height_profile, height_profiles


def with_identity(P: np.ndarray) -> np.ndarray:
    return np.hstack([np.eye(len(P)), P])


def worst(heights: np.ndarray, exact: list) -> float:
    return max(abs(Fraction(float(h)) / e - 1) for h, e in zip(heights, exact, strict=True))


def nearly_singular(k: int, redundancy: int, shift: float, seed: int) -> np.ndarray:
    """Rows that depend on each other but for a small shift."""
    rng = np.random.default_rng(seed)
    P = rng.uniform(-100, 100, (k, redundancy))
    P[k - 1] = P[0] + P[1]
    P[k - 1] += shift * rng.uniform(-100, 100, redundancy)
    return P


@pytest.mark.parametrize("k", [3, 4, 5, 6])
def test_nearly_singular_codes_keep_nine_digits(k: int):
    lost = 0
    for seed, shift in enumerate((1e-5, 1e-6, 1e-7, 1e-8)):
        P = nearly_singular(k, 9 - k, shift, seed)
        exact = exact_profile(with_identity(P))
        assert worst(height_profiles(P[None])[0], exact) < 1e-9
        lost += worst(float64_height_profiles(P[None])[0], exact) > 1e-9
    assert lost > 0  # float64 alone does not: the case is as hard as it is meant to be


def test_nearly_singular_long_codes_keep_nine_digits():
    P = nearly_singular(6, 6, 1e-7, 0)
    assert worst(height_profile(with_identity(P)), exact_profile(with_identity(P))) < 1e-9


def test_ill_conditioned_generators_keep_nine_digits():
    rng = np.random.default_rng(1)
    for shift in (1e-3, 1e-6):
        G = rng.normal(size=(4, 9))
        G[3] = G[0] + G[1] + shift * G[3]
        assert worst(height_profile(G), exact_profile(G)) < 1e-9


def test_random_codes_agree_with_fractions():
    for P in random_codes("uniform", 8, 4, 0, 40):
        assert worst(height_profiles(P[None])[0], exact_profile(with_identity(P))) < 1e-9


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(5, 7)), elements=st.integers(-3, 3)))
def test_generators_of_integers_have_the_heights_of_their_fractions(G: np.ndarray):
    if np.linalg.matrix_rank(G) < len(G):
        with pytest.raises(DataError, match="linearly dependent"):
            exact_profile(G)
        return
    exact = exact_profile(G)
    heights = height_profile(G)
    assert np.isinf(heights).tolist() == [e == inf for e in exact]
    finite = np.isfinite(heights)
    np.testing.assert_allclose(heights[finite], [float(e) for e in exact if e != inf], rtol=1e-9)


def test_fractions_are_exact():
    assert exact_profile([[1, -2, 4]]) == [2, 4]
    assert exact_profile([[3, 7]]) == [Fraction(7, 3)]
    assert exact_profile([[1, 0, 1], [0, 1, 1]]) == [2]
    assert exact_profile([[1, 0, 0.5, 0], [0, 1, 3, 0]]) == [8, inf]
    assert exact_profile_of_parity_check(np.ones((1, 9))) == [8]


def test_heights_that_round_to_the_same_number_are_told_apart():
    # The second-largest and the third-largest entries differ by less than float64 can show in a quotient.
    big = 2.0**53
    assert exact_profile([[big, big - 1, big - 2]]) == [Fraction(2**53, 2**53 - 1), Fraction(2**53, 2**53 - 2)]


def test_a_parity_check_and_its_generator_have_the_same_fractions():
    H = np.array([[1, 2, 0, 1, -1], [0, 1, 1, 3, 1]])
    profile = exact_profile_of_parity_check(H)
    np.testing.assert_allclose(height_profile(generator_of(H)), [float(h) for h in profile], rtol=1e-9)


def test_fractions_of_long_codes_are_refused():
    with pytest.raises(DataError, match="length 15"):
        exact_profile(with_identity(np.ones((7, 8))))


def test_integers_above_float64s_exact_range_are_compared_with_zero_exactly():
    # The determinant is 1, and its terms are near 2^62: float64 would call it zero.
    a = 2**31
    P = np.array([[a, a + 1], [a - 1, a]], dtype=np.float64)
    exact = exact_profile(with_identity(P))
    assert worst(height_profiles(P[None])[0], exact) < 1e-9
    singular = np.array([[a, 2 * a], [a - 1, 2 * (a - 1)]], dtype=np.float64)
    assert np.isinf(height_profiles(singular[None])[0, -1])
