"""Exact heights agree with other ways to compute them, with published values, and with the symmetries of codes."""

from __future__ import annotations

import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from probatum.errors import DataError
from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.generators import generator_of, systematic
from probatum.problems.analog_codes.heights import MAX_LENGTH, height_profile, height_profiles, heights_of

# pytest imports tests by path, so a module beside this one has to be found by path as well.
_spec = importlib.util.spec_from_file_location("reference_heights", Path(__file__).with_name("reference_heights.py"))
assert _spec is not None
assert _spec.loader is not None
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

SMALL = settings(max_examples=60, deadline=None)
GOLDEN = (1 + 5**0.5) / 2
ICOSAHEDRON = np.array(
    [(0, 1, GOLDEN), (0, 1, -GOLDEN), (1, GOLDEN, 0), (1, -GOLDEN, 0), (GOLDEN, 0, 1), (-GOLDEN, 0, 1)]
).T
ANGLES = np.arange(9) * np.pi / 9
POLYGON = np.array([np.cos(ANGLES), np.sin(ANGLES)])


@st.composite
def integer_codes(draw: st.DrawFn, largest: int = 5, longest: int = 8) -> np.ndarray:
    n = draw(st.integers(2, longest))
    k = draw(st.integers(1, n - 1))
    return draw(arrays(np.int64, (k, n - k), elements=st.integers(-largest, largest))).astype(np.float64)


def test_published_heights_are_reproduced():
    assert height_profile(np.ones((1, 9))).tolist() == [1.0] * 8
    assert height_profile(generator_of(np.ones((1, 9)))).tolist() == [8.0]
    assert height_profile([[1, -2, 4]]).tolist() == [2.0, 4.0]
    assert height_profile([[1, 0, 1], [0, 1, 1]]).tolist() == [2.0]
    assert height_profile(generator_of(POLYGON))[1] == pytest.approx(15.58171874, abs=1e-8)
    np.testing.assert_allclose(height_profile(ICOSAHEDRON), [5**0.5, 5**0.5, 2 + 5**0.5], rtol=1e-12)
    polygonal = height_profile(POLYGON)
    assert polygonal[0] == pytest.approx(1 / np.cos(np.radians(20)), rel=1e-12)
    assert polygonal[6] == pytest.approx(1 / np.sin(np.radians(10)), rel=1e-12)


def test_dodecahedral_code_has_its_published_heights():
    vertices = [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)]
    for sign in (1, -1):
        vertices += [(0, 1 / GOLDEN, sign * GOLDEN), (1 / GOLDEN, sign * GOLDEN, 0), (sign * GOLDEN, 0, 1 / GOLDEN)]
    profile = height_profile(generator_of(np.array(vertices).T))
    np.testing.assert_allclose(profile, [4.23607, 6.23607, 17.94427], atol=1e-5)


@pytest.mark.parametrize(("n", "k"), [(4, 2), (5, 2), (5, 3), (6, 3), (6, 1), (6, 5)])
def test_heights_agree_with_linear_programs(n: int, k: int):
    for P in random_codes("uniform", n, k, 0, 4):
        expected = reference.heights_by_linear_programs(reference.identity_with(P))
        np.testing.assert_allclose(height_profiles(P[None])[0], expected, rtol=1e-9)


@pytest.mark.parametrize(("n", "k", "m"), [(4, 2, 1), (4, 2, 2), (5, 3, 2), (5, 2, 2), (5, 4, 1)])
def test_heights_agree_with_jiangs_theorem(n: int, k: int, m: int):
    for distribution in ("uniform", "integer"):
        P = random_codes(distribution, n, k, 0, 1, seed=m)
        expected = reference.height_by_jiangs_theorem(reference.identity_with(P[0]), m)
        assert height_profiles(P)[0, m - 1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("k", [2, 4, 5, 6, 7])
def test_heights_agree_with_sign_vectors_at_length_nine(k: int):
    for distribution in ("uniform", "integer"):
        codes = random_codes(distribution, 9, k, 0, 12, seed=3)
        expected = [reference.heights_by_sign_vectors(reference.identity_with(P)) for P in codes]
        np.testing.assert_allclose(height_profiles(codes), expected, rtol=1e-9)


@SMALL
@given(integer_codes())
def test_heights_of_integer_codes_agree_with_sign_vectors(P: np.ndarray):
    expected = reference.heights_by_sign_vectors(reference.identity_with(P))
    np.testing.assert_allclose(height_profiles(P[None])[0], expected, rtol=1e-9)


@SMALL
@given(integer_codes(largest=2))
def test_integer_heights_are_infinite_exactly_where_rank_says_so(P: np.ndarray):
    expected = reference.infinite_by_rank(reference.identity_with(P))
    assert np.isinf(height_profiles(P[None])[0]).tolist() == expected.tolist()


@SMALL
@given(integer_codes(largest=3), st.floats(1e-3, 1e3))
def test_zero_minors_of_real_codes_are_recognised(P: np.ndarray, scale: float):
    expected = reference.infinite_by_rank(reference.identity_with(P))  # scaling P by a factor keeps its zero minors
    assert np.isinf(height_profiles((P * scale)[None])[0]).tolist() == expected.tolist()


@SMALL
@given(integer_codes())
def test_heights_rise_with_m_from_one(P: np.ndarray):
    profile = height_profiles(P[None])[0]
    assert profile[0] >= 1
    assert (profile[1:] >= profile[:-1]).all()


@SMALL
@given(integer_codes(), st.randoms(use_true_random=False))
def test_signed_permutations_of_rows_and_columns_keep_heights(P: np.ndarray, random):
    rng = np.random.default_rng(random.getrandbits(32))
    k, redundancy = P.shape
    moved = P[rng.permutation(k)][:, rng.permutation(redundancy)]
    moved = moved * rng.choice([-1, 1], (k, 1)) * rng.choice([-1, 1], (1, redundancy))
    np.testing.assert_allclose(height_profiles(moved[None]), height_profiles(P[None]), rtol=1e-12)


@SMALL
@given(integer_codes(largest=4, longest=7), st.randoms(use_true_random=False))
def test_any_generator_of_a_code_gives_its_heights(P: np.ndarray, random):
    rng = np.random.default_rng(random.getrandbits(32))
    G = reference.identity_with(P)
    k, n = G.shape
    mixed = (np.eye(k) + np.triu(rng.integers(-3, 4, (k, k)), 1)) @ G[:, rng.permutation(n)] * rng.choice([-1, 1], n)
    np.testing.assert_allclose(height_profile(mixed), height_profiles(P[None])[0], rtol=1e-9)


def test_pivoting_to_another_information_set_keeps_heights():
    rng = np.random.default_rng(5)
    for P in random_codes("integer", 9, 4, 0, 50, seed=2):
        G = reference.identity_with(P)[:, rng.permutation(9)]
        if abs(np.linalg.det(G[:, :4])) > 0.5:
            pivoted = np.linalg.solve(G[:, :4], G)
            np.testing.assert_allclose(height_profile(pivoted), height_profiles(P[None])[0], rtol=1e-8)


def test_bits_do_not_depend_on_the_company_in_a_batch():
    codes = random_codes("uniform", 9, 4, 0, 50)
    together = height_profiles(codes)
    for i in (0, 15, 16, 33, 49):
        assert height_profiles(codes[i : i + 1]).tobytes() == together[i : i + 1].tobytes()
    assert height_profiles(codes[::-1]).tobytes() == np.ascontiguousarray(together[::-1]).tobytes()
    assert height_profiles(codes[:0]).shape == (0, 5)


@pytest.mark.parametrize(("n", "k"), [(9, 4), (9, 6), (5, 1), (5, 4), (2, 1)])
@pytest.mark.parametrize("distribution", ["uniform", "integer"])
def test_one_height_alone_is_that_of_the_profile_to_the_bit(n: int, k: int, distribution: str):
    codes = random_codes(distribution, n, k, 0, 40)
    profiles = height_profiles(codes)
    for m in range(1, n - k + 1):
        assert heights_of(codes, m).tobytes() == np.ascontiguousarray(profiles[:, m - 1]).tobytes()


def test_threads_do_not_change_heights():
    codes = random_codes("uniform", 9, 6, 0, 9000)
    assert height_profiles(codes, threads=2).tobytes() == height_profiles(codes).tobytes()


def test_a_height_beyond_the_redundancy_is_refused():
    for m in (0, 6):
        with pytest.raises(DataError, match=f"there is no h_{m} "):
            heights_of(random_codes("uniform", 9, 4, 0, 1), m)


def test_longest_codes_are_computed():
    profile = height_profiles(random_codes("uniform", MAX_LENGTH, MAX_LENGTH // 2, 0, 1))[0]
    assert np.isfinite(profile).all()
    assert (np.diff(profile) >= 0).all()


def test_random_codes_have_the_known_variance_of_log_heights():
    known = {(4, 2): 0.200, (4, 3): 0.252, (4, 4): 0.895, (4, 5): 3.42, (5, 2): 0.226, (5, 3): 0.850, (5, 4): 3.40}
    known |= {(6, 2): 0.648, (6, 3): 3.29}
    for k in (4, 5, 6):
        logs = np.log2(height_profiles(random_codes("uniform", 9, k, 0, 40_000, seed=11)))
        for m in (m for dimension, m in known if dimension == k):
            squares = (logs[:, m - 1] - logs[:, m - 1].mean()) ** 2
            error = squares.std() / len(squares) ** 0.5
            # The known values have errors of their own, and three digits.
            assert abs(squares.mean() - known[k, m]) < 5 * error + 0.01 * known[k, m], (k, m, squares.mean(), error)


def test_heights_need_no_folder_that_can_be_written(tmp_path: Path):
    source = Path(inspect.unwrap(height_profiles).__code__.co_filename).parents[3]
    copy = tmp_path / "copy"
    for file in source.rglob("*.py"):
        target = copy / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    # A file where the cache folder would be created keeps numba out, whoever runs the test.
    package = copy / "probatum" / "problems" / "analog_codes"
    (package / "__pycache__").write_text("")
    (tmp_path / "home").write_text("")
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home")}
    environment |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    program = (
        "import probatum.problems.analog_codes.heights as h; print(h.__file__, h.height_profile([[1, -2, 4]]).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(" ", 1) == [str(package / "heights.py"), "[2.0, 4.0]\n"]


@pytest.mark.parametrize(
    ("P", "message"),
    [
        (np.ones((2, 2)), "shape"),
        (np.ones((1, 0, 3)), "at least 1"),
        (np.ones((1, 3, 0)), "at least 1"),
        (np.ones((1, 8, MAX_LENGTH)), "too long"),
        (np.full((1, 2, 2), np.nan), "entry nan"),
        (np.full((1, 2, 2), np.inf), "entry inf"),
        (np.full((1, 2, 2), 1e-17), "rounding noise"),
        ([[["a"]]], "real numbers"),
    ],
)
def test_matrices_that_cannot_be_used_are_refused(P, message: str):
    with pytest.raises(DataError, match=message):
        height_profiles(P)


def test_systematic_form_generates_the_same_code():
    rng = np.random.default_rng(0)
    G = rng.normal(size=(4, 9))
    P, columns = systematic(G)
    A = np.linalg.solve(G[:, columns[:4]], G[:, columns])
    np.testing.assert_allclose(A, reference.identity_with(P), atol=1e-12)
    H = rng.normal(size=(3, 7))
    np.testing.assert_allclose(H @ generator_of(H).T, 0, atol=1e-12)


@pytest.mark.parametrize(
    "G", [np.ones((2, 4)), np.zeros((2, 4)), np.ones((4, 4)), np.ones(3), [[1, np.nan]], [["x", "y"]]]
)
def test_generators_that_cannot_be_used_are_refused(G):
    with pytest.raises(DataError):
        systematic(G)
