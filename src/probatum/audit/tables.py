"""Tables as an audit reads them: pandas frames, and Parquet files, which are read piece by piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from probatum.errors import DataError

PIECE = 65_536
"""Rows of a Parquet file that are read at once."""


class Table(ABC):
    """Named columns of equal length.

    Attributes:
        columns: their names, each once.
        where: what messages call the table.
    """

    columns: tuple[str, ...]
    where: str

    @abstractmethod
    def is_numeric(self, column: str) -> bool:
        """Whether all values of a column are numbers, true, false, or missing."""

    @abstractmethod
    def numbers(self, columns: Sequence[str]) -> np.ndarray:
        """[row, column] float64 of columns that are numeric; NaN where a value is missing."""

    @abstractmethod
    def labels(self, column: str) -> np.ndarray:
        """[row] values of a column, None or NaN where one is missing."""


def table(values: Any, where: str) -> Table:
    """What an audit can read of a frame or file.

    Args:
        values: a pandas frame, or the path of a Parquet file.
        where: what messages call it.

    Raises:
        DataError: it is neither, or names a column twice.
    """
    read = _Parquet(Path(values), where) if isinstance(values, str | PathLike) else _Frame(values, where)
    twice = [name for name in read.columns if read.columns.count(name) > 1]
    if twice:
        raise DataError(f"column '{twice[0]}' stands there twice", where=where, remedy="give each column its own name")
    return read


class _Frame(Table):
    def __init__(self, frame: Any, where: str):
        if not hasattr(frame, "columns") or not hasattr(frame, "dtypes"):
            remedy = "give a pandas frame or a Parquet file; for arrays there is probatum.audit.split"
            raise DataError(f"{type(frame).__name__} is no table", where=where, remedy=remedy)
        self._names = {str(name): name for name in frame.columns}
        self._frame, self.where = frame, where
        self.columns = tuple(map(str, frame.columns))

    def is_numeric(self, column: str) -> bool:
        return self._frame[self._names[column]].infer_objects().dtype.kind in "iufb"

    def numbers(self, columns: Sequence[str]) -> np.ndarray:
        return self._frame[[self._names[c] for c in columns]].to_numpy(dtype=np.float64, na_value=np.nan)

    def labels(self, column: str) -> np.ndarray:
        return self._frame[self._names[column]].to_numpy(dtype=object, na_value=None)


class _Parquet(Table):
    def __init__(self, path: Path, where: str):
        # pyarrow takes a tenth of a second to import, which frames need not pay.
        import pyarrow.parquet as pq

        self._path = path
        try:
            with self._damage():
                self._file = pq.ParquetFile(path)
                names = self._file.schema_arrow.names
        except FileNotFoundError:
            raise DataError("no such table", where=str(path), remedy="give a Parquet file or a pandas frame") from None
        self.where = where
        self.columns = tuple(names)

    def is_numeric(self, column: str) -> bool:
        import pyarrow as pa

        kind = self._file.schema_arrow.field(column).type
        return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)

    def numbers(self, columns: Sequence[str]) -> np.ndarray:
        with self._damage():
            values = np.empty((self._file.metadata.num_rows, len(columns)))
            for start, piece in self._pieces(columns):
                for place, column in enumerate(piece.columns):
                    values[start : start + len(column), place] = np.asarray(
                        column.cast("float64", safe=False).to_numpy(zero_copy_only=False), dtype=np.float64
                    )
        return values

    def labels(self, column: str) -> np.ndarray:
        known: dict[Any, int] = {}
        with self._damage():
            codes = np.empty(self._file.metadata.num_rows, dtype=np.int64)
            for start, piece in self._pieces([column]):
                encoded = piece.columns[0].dictionary_encode(null_encoding="encode")
                own = [known.setdefault(value, len(known)) for value in encoded.dictionary.to_pylist()]
                codes[start : start + len(encoded)] = np.array(own, dtype=int)[
                    encoded.indices.to_numpy(zero_copy_only=False)
                ]
        names = np.array([*known, None], dtype=object)[:-1]
        return names[codes]

    def _pieces(self, columns: Sequence[str]) -> Iterator[tuple[int, Any]]:
        start = 0
        for piece in self._file.iter_batches(batch_size=PIECE, columns=list(columns)):
            yield start, piece.select(list(columns))
            start += len(piece)
        if start != self._file.metadata.num_rows:
            raise ValueError(f"{start} rows, where it says {self._file.metadata.num_rows}")

    @contextmanager
    def _damage(self) -> Generator[None]:
        """Turns what a damaged file raises, at its opening or while it is read, into an error that names it."""
        import pyarrow as pa

        try:
            yield
        except FileNotFoundError:
            raise
        # A damaged footer may say any number of rows, for which there is no memory.
        except (pa.ArrowException, OSError, ValueError, TypeError, IndexError, MemoryError):
            raise DataError(
                "is no Parquet file, or a damaged one", where=str(self._path), remedy="write it again, or give a frame"
            ) from None
