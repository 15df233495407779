"""A matrix is read as it stands, and a file that is none is refused with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, DataMissingError
from probatum.problems.analog_codes.matrix_file import read_matrix


@pytest.mark.parametrize(
    "text",
    [
        "1,-2.5,4e1\n0,1/4,3\n",
        "1;-2.5;40\n\n0;.25;3",
        "# a comment\n1 -2.5 40\n0 .25 3\n",
        "\ufeff1\t-2.5\t40\n0\t.25\t3",
    ],
)
def test_text_with_any_delimiter_is_read(tmp_path: Path, text: str):
    file = tmp_path / "matrix.csv"
    file.write_text(text, encoding="utf-8")
    assert read_matrix(file).tolist() == [[1.0, -2.5, 40.0], [0.0, 0.25, 3.0]]


def test_numpy_files_are_read(tmp_path: Path):
    np.save(tmp_path / "matrix.npy", np.array([[1, 2], [3, 4]]))
    assert read_matrix(tmp_path / "matrix.npy").tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3\n", "line 2: has 1 numbers, the first row 2"),
        ("1,2\n3,x\n", "line 2, column 2: 'x' is no finite number"),
        ("1,nan\n", "line 1, column 2: 'nan'"),
        ("1,inf\n", "'inf' is no finite number"),
        ("1,,2\n", "line 1, column 2: the cell is empty"),
        ("1/0,2\n", "'1/0'"),
        ("1_000,2\n", "'1_000'"),
        ("", "empty"),
        ("# nothing\n", "empty"),
    ],
)
def test_text_that_is_no_matrix_is_refused_with_its_place(tmp_path: Path, text: str, message: str):
    file = tmp_path / "matrix.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as refused:
        read_matrix(file)
    assert message in str(refused.value)


def test_files_that_hold_something_else_are_refused(tmp_path: Path):
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    np.save(tmp_path / "words.npy", np.array([["a", "b"]]))
    np.save(tmp_path / "nan.npy", np.array([[1.0, np.nan]]))
    (tmp_path / "text.npy").write_text("1,2")
    (tmp_path / "latin.csv").write_bytes(b"1,2\n\xe9,3")
    for name, message in [
        ("cube.npy", "shape"),
        ("words.npy", "holds <U1"),
        ("nan.npy", "row 1, column 2"),
        ("text.npy", "no NumPy array"),
        ("latin.csv", "not UTF-8"),
    ]:
        with pytest.raises(DataError, match=message):
            read_matrix(tmp_path / name)
    with pytest.raises(DataMissingError, match="no such file"):
        read_matrix(tmp_path / "missing.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_matrix(tmp_path)
