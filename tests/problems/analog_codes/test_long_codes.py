"""Long codes, computed as a covering problem, have the heights of the same formula computed number by number."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from probatum.errors import DataError
from probatum.problems.analog_codes import long_codes
from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.heights import height_profile, height_profiles
from probatum.problems.analog_codes.long_codes import long_profile, minors_of
from probatum.problems.analog_codes.vertex_search import Vertices

_spec = importlib.util.spec_from_file_location("reference_heights", Path(__file__).with_name("reference_heights.py"))
assert _spec is not None
assert _spec.loader is not None
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

TOLERANCE = 64 * 2.0**-52


def profile(P: np.ndarray, threads: int = 2) -> np.ndarray:
    return long_profile(P, np.zeros_like(P), tolerance=TOLERANCE, threads=threads)


@pytest.mark.parametrize(("n", "k"), [(7, 1), (7, 6), (8, 3), (9, 2), (9, 4), (10, 7), (12, 6), (13, 4)])
@pytest.mark.parametrize("distribution", ["uniform", "integer"])
def test_covering_and_counting_agree(n: int, k: int, distribution: str):
    codes = random_codes(distribution, n, k, 0, 3, seed=n)
    expected = height_profiles(codes)
    found = np.array([profile(P) for P in codes])
    assert np.isinf(found).tolist() == np.isinf(expected).tolist()
    finite = np.isfinite(expected)
    np.testing.assert_allclose(found[finite], expected[finite], rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(2, 4), st.integers(5, 6)), elements=st.integers(-1, 1)))
def test_codes_with_many_zero_minors_agree(P: np.ndarray):
    P = P.astype(np.float64)
    np.testing.assert_allclose(profile(P), height_profiles(P[None])[0], rtol=1e-9)


@pytest.mark.parametrize(("n", "k"), [(18, 2), (20, 3), (17, 15)])
def test_codes_too_long_for_batches_agree_with_sign_vectors(n: int, k: int):
    P = random_codes("uniform", n, k, 0, 1)[0]
    if k > 10:  # too many signs: h_1 and h_(n-k) of the dual's complement are not known, so F1 decides
        expected = reference.heights_by_linear_programs(reference.identity_with(P))
    else:
        expected = reference.heights_by_sign_vectors(reference.identity_with(P))
    np.testing.assert_allclose(height_profile(reference.identity_with(P)), expected, rtol=1e-9)


def test_threads_and_order_of_columns_do_not_matter():
    P = random_codes("uniform", 17, 8, 0, 1)[0]
    rng = np.random.default_rng(0)
    one = profile(P, threads=1)
    np.testing.assert_allclose(profile(P, threads=3), one, rtol=1e-9)
    moved = P[rng.permutation(8)][:, rng.permutation(9)] * rng.choice([-1, 1], 9)
    np.testing.assert_allclose(profile(moved), one, rtol=1e-9)


@pytest.mark.parametrize("factor", [0.0, 1 + 1e-4, 1.5, 1e6])
def test_a_search_that_errs_does_not_change_heights(factor: float, monkeypatch: pytest.MonkeyPatch):
    P = random_codes("uniform", 11, 5, 0, 1)[0]
    right = height_profiles(P[None])[0]
    wrong = Vertices(right * factor, np.zeros((6, 11)), np.zeros((6, 5), np.int64), np.zeros(6, np.int64))
    monkeypatch.setattr(long_codes, "search", lambda P, rounds: wrong)
    np.testing.assert_allclose(profile(P), right, rtol=1e-9)


def test_minors_are_determinants():
    P = random_codes("uniform", 9, 4, 0, 1)[0]
    minors = minors_of(P, np.zeros_like(P), tolerance=TOLERANCE)
    shape, G = minors.shape, reference.identity_with(P)
    for s in range(5):
        for p in range(int(shape.choose[4, s])):
            for i in range(int(shape.choose[5, s])):
                R, C = int(shape.row_sets[s, p]), int(shape.column_sets[s, i])
                basis = [r for r in range(4) if not R >> r & 1] + [4 + c for c in range(5) if C >> c & 1]
                index = int(shape.first[s]) + p * int(shape.choose[5, s]) + i
                assert minors.sizes[index] == pytest.approx(abs(np.linalg.det(G[:, basis])), rel=1e-9)


def test_codes_beyond_the_longest_are_refused():
    with pytest.raises(DataError, match="length 25 are too long"):
        height_profile(reference.identity_with(np.ones((12, 13))))
