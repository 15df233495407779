"""`probatum analog-codes` answers in numbers and in sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError
from probatum.problems.analog_codes.commands import COMMANDS, height


def matrix(folder: Path, rows: list[list[float]]) -> Path:
    file = folder / "matrix.csv"
    file.write_text("\n".join(",".join(map(repr, row)) for row in rows), encoding="utf-8")
    return file


def test_the_whole_profile_comes_with_witnesses(tmp_path: Path):
    values = height(matrix(tmp_path, [[1, -2, 4]])).values
    assert values["kind"] == "exact"
    assert (values["length"], values["dimension"], values["m"]) == (3, 1, [1, 2])
    assert values["heights"] == [2.0, 4.0]
    assert values["infinite"] == [False, False]
    assert values["witnesses"] == [[0.5, -1.0, 2.0], [1.0, -2.0, 4.0]]


def test_a_parity_check_stands_for_the_code_it_checks(tmp_path: Path):
    angles = np.arange(9) * np.pi / 9
    file = matrix(tmp_path, [np.cos(angles).tolist(), np.sin(angles).tolist()])
    values = height(file, parity_check=True, m=2).values
    assert values["dimension"] == 7
    assert values["m"] == [2]
    assert values["heights"][0] == pytest.approx(15.58171874, abs=1e-8)
    word = np.array(values["witnesses"][0])
    np.testing.assert_allclose([np.cos(angles) @ word, np.sin(angles) @ word], 0, atol=1e-10)


def test_fractions_are_printed_as_such(tmp_path: Path):
    file = matrix(tmp_path, [[3, 7, 0]])
    values = height(file, exact=True).values
    assert values["fractions"] == ["7/3", None]
    assert values["infinite"] == [False, True]
    shown = height(file, exact=True).shown
    assert "infinite from m = 2" in str(shown[-1])


def test_long_codes_are_answered_with_a_bracket_that_says_so(tmp_path: Path):
    G = np.random.default_rng(0).normal(size=(2, 26))
    values = height(matrix(tmp_path, G.tolist()), m=3, rounds=8).values
    assert values["kind"] == "bracket"
    assert values["lower"][0] <= values["upper"][0]
    assert "heights" not in values
    shown = height(matrix(tmp_path, G.tolist()), m=3, rounds=8).shown
    assert "not exact" in str(shown[0])


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([[1, 2], [3, 4]], {}, "protects nothing"),
        ([[1, 2, 3]], {"m": 3}, "no h_3"),
        ([[1, 2, 3], [2, 4, 6]], {}, "linearly dependent"),
        ([[1.0, 1e300]], {}, "cannot be used"),
        ([[0, 0, 0]], {}, "linearly dependent"),
        ([[1, *[2] * 15]], {"exact": True}, "length 16"),
    ],
)
def test_matrices_that_cannot_be_used_are_refused_in_a_sentence(tmp_path: Path, rows, options, message: str):
    with pytest.raises(DataError, match=message):
        height(matrix(tmp_path, rows), **options)


def test_every_command_has_a_line_of_help():
    assert all(command.__doc__ for command in COMMANDS.values())
