"""Tables as text: every cell with the line it stands on, so that an error names file, line, column and remedy."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from probatum.errors import DataError, DataMissingError, nearest

DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
"""Taken for categories, such numbers would silently become labels without order."""
DELIMITERS = (",", ";", "\t")
"""Spreadsheets of half the world write ';' between cells."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """A table as it stands in its file.

    Attributes:
        path: the file.
        sha256: of its bytes, in hexadecimal.
        columns: name to cells, stripped of blanks; an empty cell is ''.
        places: [row] where a row stands: 'line 2' (1-based, the header counted) in CSV, 'row 1' in Parquet.
    """

    path: Path
    sha256: str
    columns: Mapping[str, Sequence[str]]
    places: Sequence[str]

    def __len__(self) -> int:
        return len(self.places)

    def column(self, name: str) -> Sequence[str]:
        """The cells of a column.

        Raises:
            DataError: there is no such column; the message offers the nearest.
        """
        if name not in self.columns:
            raise DataError(f"no column '{name}'", where=str(self.path), remedy=nearest(name, self.columns))
        return self.columns[name]

    def numbers(self, name: str, remedy: str = "correct the cell or remove the row") -> np.ndarray:
        """A column as numbers: [row] float64, all finite.

        Raises:
            DataError: for the first cell that is empty, text, NaN or infinite.
        """
        cells = self.column(name)
        values = np.fromiter(map(number, cells), dtype=np.float64, count=len(cells))
        for row in np.flatnonzero(~np.isfinite(values)).tolist():
            cell = cells[row]
            what = "the cell is empty" if not cell else f"'{cell}' is no finite number"
            if DECIMAL_COMMA.fullmatch(cell):
                remedy = f"write decimals with a point ('{cell.replace(',', '.')}'), or {remedy}"
            raise self.error(what, row=row, column=name, remedy=remedy)
        return values

    def labels(self, name: str) -> np.ndarray:
        """A column as labels: [row] str, none empty.

        Raises:
            DataError: for the first empty cell.
        """
        cells = self.column(name)
        for row, cell in enumerate(cells):
            if not cell:
                raise self.error("the label is empty", row=row, column=name, remedy="fill it in or remove the row")
        return np.array(cells, dtype=np.str_)

    def error(self, what: str, *, row: int | None = None, column: str | None = None, remedy: str) -> DataError:
        """A DataError that names this file and, where given, the row's line and the column."""
        where = str(self.path)
        if row is not None:
            where += f", {self.places[row]}"
        if column is not None:
            where += f", column '{column}'"
        return DataError(what, where=where, remedy=remedy)


def read(path: Path) -> TextTable:
    """A CSV or, by its suffix, a Parquet file. The same bytes are parsed once.

    Raises:
        DataMissingError: there is no such file.
        DataError: the file is no such table: not UTF-8, no Parquet, without rows, with uneven rows or equal names.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        beside = sorted(p.name for p in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
        raise DataMissingError("there is no such file", where=str(path), remedy=nearest(path.name, beside)) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path), remedy="name a readable file") from None
    return _parse(path, content)


def number(cell: str) -> float:
    """The number a cell holds; NaN where it holds none. Python's digit groups ('1_000') are no numbers here."""
    try:
        return math.nan if "_" in cell else float(cell)
    except ValueError:
        return math.nan


def looks_numeric(cell: str) -> bool:
    """Whether a cell holds a number, be it NaN, infinite, or written with a decimal comma."""
    known = not math.isnan(number(cell)) or cell.lower().lstrip("+-") == "nan"
    return known or DECIMAL_COMMA.fullmatch(cell) is not None


def delimiter_of(text: str) -> str:
    """What stands between the cells of a table's first line."""
    return max(DELIMITERS, key=text.partition("\n")[0].count)


@lru_cache(maxsize=64)
def _parse(path: Path, content: bytes) -> TextTable:
    sha256 = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() in (".parquet", ".pq"):
        header, rows, places = _parquet_rows(path, content)
    else:
        header, rows, places = _csv_rows(path, content)
    if "" in header:
        # pandas writes its row index so; as an input it would be a hidden clue.
        raise DataError(
            f"column {header.index('') + 1} has no name", where=str(path), remedy="name it in the header, or remove it"
        )
    for name, count in Counter(header).items():
        if count > 1:
            raise DataError(f"{count} columns are named '{name}'", where=str(path), remedy="give each its own name")
    if not rows:
        raise DataError("the table has no rows", where=str(path), remedy="give it rows below its header")
    return TextTable(path, sha256, dict(zip(header, zip(*rows, strict=True), strict=True)), places)


def _csv_rows(path: Path, content: bytes) -> tuple[list[str], list[list[str]], list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            where=f"{path}, line {line}",
            remedy="save the file as CSV in UTF-8",
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    header: list[str] = []
    rows: list[list[str]] = []
    places: list[str] = []
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not header:
                header = [cell.strip() for cell in cells]
            elif cells:
                if len(cells) != len(header):
                    raise DataError(
                        f"{len(cells)} cells under a header of {len(header)}",
                        where=f"{path}, line {start}",
                        remedy="put cells that hold a comma in double quotes",
                    )
                rows.append([cell.strip() for cell in cells])
                places.append(f"line {start}")
    except csv.Error as error:
        raise DataError(f"is no CSV: {error}", where=f"{path}, line {line}", remedy="save it as CSV again") from None
    if not any(header):
        raise DataError("the file is empty", where=str(path), remedy="give it a header line and rows")
    return header, rows, places


def _parquet_rows(path: Path, content: bytes) -> tuple[list[str], list[list[str]], list[str]]:
    # pyarrow takes a tenth of a second to import, which CSV need not pay.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError, ValueError):
        raise DataError(
            "is no Parquet file", where=str(path), remedy="write it again, or name a CSV file '.csv'"
        ) from None
    # Python's shortest repr of a float reads back as the same bits.
    columns = [["" if cell is None else str(cell).strip() for cell in column.to_pylist()] for column in table.columns]
    places = [f"row {row}" for row in range(1, table.num_rows + 1)]
    return list(table.column_names), [list(cells) for cells in zip(*columns, strict=True)], places
