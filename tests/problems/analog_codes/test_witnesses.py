"""Witnesses are codewords, and their heights are those of the code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from probatum.errors import DataError
from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.generators import generator_of
from probatum.problems.analog_codes.heights import height_profile
from probatum.problems.analog_codes.witnesses import height_of, height_witnesses

GOLDEN = (1 + 5**0.5) / 2
ANGLES = np.arange(9) * np.pi / 9
STRUCTURED = {
    "repetition": np.ones((1, 9)),
    "single parity check": generator_of(np.ones((1, 9))),
    "polygon": np.array([np.cos(ANGLES), np.sin(ANGLES)]),
    "sine": generator_of([np.cos(ANGLES), np.sin(ANGLES)]),
    "icosahedron": np.array(
        [(0, 1, GOLDEN), (0, 1, -GOLDEN), (1, GOLDEN, 0), (1, -GOLDEN, 0), (GOLDEN, 0, 1), (-GOLDEN, 0, 1)]
    ).T,
    "two equal columns": np.array([[1, 0, 1, 1, 2], [0, 1, 2, 2, -1]]),
    "a zero column": np.array([[1, 0, 3, 0], [0, 1, 2, 0]]),
}


def check(G: np.ndarray) -> None:
    G = np.asarray(G, dtype=np.float64)
    heights, words = height_profile(G), height_witnesses(G)
    for m, (h, word) in enumerate(zip(heights, words, strict=True), 1):
        message = np.linalg.lstsq(G.T, word, rcond=None)[0]
        np.testing.assert_allclose(message @ G, word, atol=1e-7 * np.abs(word).max())
        assert word[np.argmax(np.abs(word))] > 0
        if np.isinf(h):
            assert 0 < np.count_nonzero(word) <= m
        else:
            assert height_of(word, m) == pytest.approx(h, rel=2e-9)


@pytest.mark.parametrize("name", sorted(STRUCTURED))
def test_structured_codes_have_witnesses(name: str):
    check(STRUCTURED[name])


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.integers(-2, 2)))
def test_codes_of_small_integers_have_witnesses(P: np.ndarray):
    check(np.hstack([np.eye(len(P)), P]))


@pytest.mark.parametrize(("n", "k"), [(9, 4), (9, 6), (12, 6), (14, 3), (17, 8)])
def test_random_codes_have_witnesses(n: int, k: int):
    rng = np.random.default_rng(n)
    check(np.hstack([np.eye(k), random_codes("uniform", n, k, 0, 1)[0]]))
    check(rng.normal(size=(k, n)))


def test_ill_conditioned_codes_have_witnesses_as_near_as_their_numbers_come():
    rng = np.random.default_rng(5)
    for shift in (1e-4, 1e-7):
        P = rng.uniform(-100, 100, (4, 5))
        P[3] = P[0] + P[1] + shift * P[3]
        G = np.hstack([np.eye(4), P])
        heights, words = height_profile(G), height_witnesses(G)
        for m, (h, word) in enumerate(zip(heights, words, strict=True), 1):
            assert height_of(word, m) == pytest.approx(h, rel=1e-6)


def test_the_height_of_a_codeword_is_the_ratio_of_its_sorted_entries():
    word = np.array([1.0, -8.0, 0.0, 2.0])
    assert [height_of(word, m) for m in (1, 2, 3)] == [4.0, 8.0, np.inf]
    assert height_of(np.zeros(3), 1) == 0.0


def test_codes_beyond_the_longest_are_refused():
    with pytest.raises(DataError, match="too long"):
        height_witnesses(np.hstack([np.eye(12), np.ones((12, 13))]))
