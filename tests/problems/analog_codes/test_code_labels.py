"""Equivalent codes have one label: signed permutations of all columns, and every information set."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.errors import DataError
from probatum.problems.analog_codes.code_labels import _cells, _exact_cells, code_labels
from probatum.problems.analog_codes.generate import random_codes
from probatum.problems.analog_codes.heights import height_profiles

SHAPES = st.sampled_from([(1, 1), (1, 3), (2, 2), (2, 4), (3, 2), (4, 5), (6, 3), (8, 8)])


def generator(P: np.ndarray) -> np.ndarray:
    return np.concatenate([np.eye(len(P)), P], axis=1)


def label(P: np.ndarray) -> str:
    return str(code_labels(np.asarray(P, dtype=np.float64)[None])[0])


@settings(max_examples=60, deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1, 3, 100, 10**12]))
def test_signed_permutations_of_rows_and_columns_keep_the_label(shape: tuple[int, int], seed: int, scale: int):
    rng = np.random.default_rng(seed)
    k, redundancy = shape
    for P in (rng.integers(-scale, scale + 1, shape).astype(float), rng.uniform(-scale, scale, shape)):
        moved = P[rng.permutation(k)][:, rng.permutation(redundancy)]
        moved = moved * rng.choice([-1, 1], (k, 1)) * rng.choice([-1, 1], redundancy)
        assert label(moved) == label(P)


@settings(max_examples=60, deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 2**32 - 1), distribution=st.sampled_from(["uniform", "integer"]))
def test_every_information_set_and_order_of_the_columns_keeps_the_label(
    shape: tuple[int, int], seed: int, distribution: str
):
    rng = np.random.default_rng(seed)
    k, redundancy = shape
    P = random_codes(distribution, k + redundancy, k, 0, 1, seed=seed)[0]
    G = generator(P)[:, rng.permutation(k + redundancy)] * rng.choice([-1, 1], k + redundancy)
    if np.linalg.cond(G[:, :k]) < 1e5:
        assert label(np.linalg.solve(G[:, :k], G[:, k:])) == label(P)


def test_integer_codes_pivoted_exactly_have_exactly_one_label():
    P = np.array([[1, 2, 3], [0, 1, 5]])  # the columns 2 and 3 of G have determinant 1, so P stays integer
    G = generator(P)
    inverse = np.round(np.linalg.inv(G[:, [2, 3]]))
    pivoted = inverse @ G[:, [0, 1, 4]]
    np.testing.assert_array_equal(pivoted, np.round(pivoted))
    np.testing.assert_array_equal(np.sort(_exact_cells(pivoted), axis=0), np.sort(_exact_cells(P * 1.0), axis=0))
    assert label(pivoted) == label(P)


@settings(max_examples=40, deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1, 100, 10**9]))
def test_cells_that_are_not_in_doubt_are_those_of_exact_arithmetic(shape: tuple[int, int], seed: int, scale: int):
    rng = np.random.default_rng(seed)
    P = np.stack([rng.integers(-scale, scale + 1, shape), np.round(rng.uniform(-scale, scale, shape), 3)]) * 1.0
    cells, doubtful = _cells(P)
    for code in np.flatnonzero(~doubtful):
        np.testing.assert_array_equal(cells[code], _exact_cells(P[code]))


def test_codes_in_doubt_are_computed_exactly():
    P = np.array([[[3e14, 1.0], [2.0, 7e14]]])
    assert _cells(P)[1].all()
    assert label(P[0]) == label(-P[0][::-1])


def canonical(P: tuple[tuple[int, ...], ...]) -> tuple:
    """The least of all signed permutations of a code's exact projector, by trying all of them."""
    k, redundancy = len(P), len(P[0])
    n = k + redundancy
    G = [[Fraction(int(i == j)) for j in range(k)] + [Fraction(x) for x in P[i]] for i in range(k)]
    gram = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in G] for x in G]
    if k == 2:
        (a, b), (c, d) = gram
        scale = a * d - b * c
        inverse = [[d / scale, -b / scale], [-c / scale, a / scale]]
    else:
        inverse = [[1 / gram[0][0]]]
    projector = [
        [sum(G[r][i] * inverse[r][s] * G[s][j] for r in range(k) for s in range(k)) for j in range(n)] for i in range(n)
    ]
    least = None
    for order in permutations(range(n)):
        for signs in product((1, -1), repeat=n - 1):
            sign = (1, *signs)
            moved = tuple(sign[i] * sign[j] * projector[order[i]][order[j]] for i in range(n) for j in range(i, n))
            least = moved if least is None or moved < least else least
    assert least is not None
    return least


def test_labels_of_all_small_codes_are_their_classes_by_brute_force():
    entries = [0, 1, 2, -1]
    matrices = [((a, b), (c, d)) for a, b, c, d in product(entries, repeat=4)]
    by_label: dict[str, set] = {}
    by_class: dict[tuple, set] = {}
    for m in matrices:
        name, form = label(np.array(m)), canonical(m)
        by_label.setdefault(name, set()).add(form)
        by_class.setdefault(form, set()).add(name)
    assert len(by_class) > 10
    assert all(len(names) == 1 for names in by_class.values())  # never split
    assert all(len(forms) == 1 for forms in by_label.values())  # nor, here, merged


def test_random_codes_differ_and_so_do_shapes():
    for distribution in ("uniform", "integer"):
        P = random_codes(distribution, 9, 4, 0, 3000)
        assert len(set(code_labels(P).tolist())) == 3000
    square = np.array([[1.0, 2.0], [3.0, 5.0]])
    assert label(square) != label(square + 1)
    assert label(np.ones((1, 3))) != label(np.ones((3, 1)))


def test_codes_of_one_label_have_one_profile():
    P = np.array(list(product([-2.0, 0.0, 1.0], repeat=6))).reshape(-1, 2, 3)
    labels, profiles = code_labels(P), height_profiles(P)
    for name in set(labels.tolist()):
        ours = profiles[labels == name]
        np.testing.assert_allclose(ours, np.broadcast_to(ours[0], ours.shape), rtol=1e-9)


def test_labels_do_not_depend_on_company():
    P = random_codes("uniform", 9, 5, 0, 5000)
    assert code_labels(P)[4990:].tolist() == code_labels(P[4990:]).tolist()
    assert len(code_labels(P[:0])) == 0


def test_long_codes_are_labelled():
    P = random_codes("integer", 24, 12, 0, 3)
    moved = -P[:, ::-1, ::-1]
    assert code_labels(moved).tolist() == code_labels(P).tolist()
    assert len(set(code_labels(P).tolist())) == 3


@pytest.mark.parametrize("P", [np.zeros((2, 3)), np.zeros((1, 0, 3)), np.full((1, 2, 2), np.nan)])
def test_what_is_no_batch_of_codes_is_refused(P: np.ndarray):
    with pytest.raises(DataError):
        code_labels(P)


def test_the_projector_behind_the_label_knows_which_minors_vanish():
    """Labels tell codes with another pattern of dependent columns apart, whatever their size."""
    a = np.array([[1.0, 1.0], [1.0, 2.0]])
    b = np.array([[1.0, 1.0], [1.0, 1.0]])
    vanishing = [
        sum(abs(np.linalg.det(generator(P)[:, list(c)])) < 1e-9 for c in combinations(range(4), 2)) for P in (a, b)
    ]
    assert vanishing == [0, 1]
    assert label(a) != label(b)
