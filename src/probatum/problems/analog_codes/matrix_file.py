"""A matrix from a file: CSV of numbers, or NumPy's .npy."""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError, DataMissingError, nearest


def read_matrix(path: Path) -> Float[np.ndarray, "row column"]:
    """Reads a matrix of real numbers.

    Args:
        path: '.npy', or text with one row a line, numbers apart by ',', ';', tabs or blanks; fractions like 1/3 and
            lines that begin with '#' are allowed.

    Returns:
        [row, column] float64, all finite.

    Raises:
        DataMissingError: there is no such file.
        DataError: it cannot be read, is empty or ragged, or a cell is no finite number.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        beside = sorted(p.name for p in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
        raise DataMissingError("there is no such file", where=str(path), remedy=nearest(path.name, beside)) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path), remedy="name a readable file") from None
    return _of_array(path, content) if path.suffix.lower() == ".npy" else _of_text(path, content)


def _of_array(path: Path, content: bytes) -> Float[np.ndarray, "row column"]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers in an older form
            array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except Exception:  # a damaged header is evaluated as a literal of Python, which may fail in any way
        raise DataError("is no NumPy array", where=str(path), remedy="write it with numpy.save") from None
    if array.ndim != 2 or array.dtype.kind not in "iuf" or not array.size:
        raise DataError(
            f"holds {array.dtype} of shape {array.shape}", where=str(path), remedy="save a matrix of real numbers"
        )
    with np.errstate(over="ignore"):  # of wider floats; what is too large is refused as infinite
        matrix = array.astype(np.float64)
    bad = np.argwhere(~np.isfinite(matrix)).tolist()
    if bad:
        row, column = bad[0]
        raise DataError(
            f"entry {matrix[row, column]} is not finite",
            where=f"{path}, row {row + 1}, column {column + 1}",
            remedy="correct it",
        )
    return matrix


def _of_text(path: Path, content: bytes) -> Float[np.ndarray, "row column"]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError("is not UTF-8", where=str(path), remedy="save it as CSV in UTF-8, or as .npy") from None
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        delimiter = next((d for d in (";", ",", "\t") if d in line), None)
        where = f"{path}, line {number}"
        try:
            cells = next(csv.reader([line], delimiter=delimiter)) if delimiter else line.split()
        except csv.Error as error:
            raise DataError(f"is no CSV: {error}", where=where, remedy="write numbers apart by ',' or ';'") from None
        rows.append([_number(cell.strip(), f"{where}, column {i}") for i, cell in enumerate(cells, 1)])
        if len(rows[-1]) != len(rows[0]):
            raise DataError(
                f"has {len(rows[-1])} numbers, the first row {len(rows[0])}",
                where=where,
                remedy="give all rows the same number of columns",
            )
    if not rows:
        raise DataError("the file is empty", where=str(path), remedy="write one row of numbers a line")
    return np.array(rows)


def _number(cell: str, where: str) -> float:
    numerator, slash, denominator = cell.partition("/")
    try:
        value = float(numerator) / float(denominator) if slash else float(cell)
    except (ValueError, ZeroDivisionError):
        value = np.nan
    if "_" in cell or not np.isfinite(value):
        what = "the cell is empty" if not cell else f"'{cell}' is no finite number"
        raise DataError(what, where=where, remedy="write a number like -1.5, 2e-3 or 1/3, without a header line")
    return value
