"""Brackets enclose the heights that are known, and say where their bounds come from."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.errors import DataError
from probatum.problems.analog_codes.brackets import height_bracket
from probatum.problems.analog_codes.heights import height_profile
from probatum.problems.analog_codes.witnesses import height_of


@pytest.mark.parametrize(("n", "k", "part"), [(14, 2, 7), (16, 3, 8), (18, 4, 9), (12, 4, 12), (13, 5, 6)])
def test_brackets_enclose_exact_heights(n: int, k: int, part: int):
    G = np.random.default_rng(n).normal(size=(k, n))
    heights, bracket = height_profile(G), height_bracket(G, rounds=60, part=part)
    assert (bracket.lower <= heights * (1 + 1e-9)).all()
    assert (bracket.upper >= heights * (1 - 1e-9)).all()
    assert (np.diff(bracket.lower) >= 0).all()
    assert (np.diff(bracket.upper[np.isfinite(bracket.upper)]) >= 0).all()
    for m, (low, word) in enumerate(zip(bracket.lower, bracket.codewords, strict=True), 1):
        message = np.linalg.lstsq(G.T, word, rcond=None)[0]
        np.testing.assert_allclose(message @ G, word, atol=1e-8 * np.abs(word).max())
        assert height_of(word, m) >= low


def test_integer_codes_with_zero_minors_are_enclosed():
    G = np.random.default_rng(0).integers(-2, 3, (3, 14)).astype(np.float64)
    heights, bracket = height_profile(G), height_bracket(G, rounds=60, part=7)
    assert (bracket.lower <= heights * (1 + 1e-9)).all()
    assert (bracket.upper >= heights * (1 - 1e-9)).all()


def test_parts_are_disjoint_and_hold_a_basis():
    G = np.random.default_rng(3).normal(size=(4, 30))
    bracket = height_bracket(G, rounds=8, part=12)
    columns = [c for part in bracket.parts for c in part]
    assert len(columns) == len(set(columns))
    assert all(len(part) <= 12 and np.linalg.matrix_rank(G[:, list(part)]) == 4 for part in bracket.parts)
    assert np.isfinite(bracket.upper[:8]).all()


def test_where_no_part_holds_a_basis_nothing_bounds_from_above():
    bracket = height_bracket(np.random.default_rng(3).normal(size=(14, 28)), rounds=4, part=13)
    assert bracket.parts == ()
    assert np.isinf(bracket.upper).all()
    assert (bracket.lower >= 1).all()


def test_parts_too_long_to_be_exact_are_refused():
    with pytest.raises(DataError, match="24 columns"):
        height_bracket(np.random.default_rng(3).normal(size=(3, 30)), part=24)
