"""Labelled codes as Parquet files: made once, in pieces that can be made again alike, read back as a stream.

A folder holds `codes.json`, which says what was asked for, and `part-00000.parquet`, `part-00001.parquet`, ... A part
says in its own metadata which codes it holds and the sha256 of their numbers, so that an interrupted run goes on where
it was: a part that is there and is what it should be is not made again. Columns:

    code          int64, its place in the generator's stream
    P             k (n - k) float64, row by row; the generator matrix is [I_k | P]
    log2_heights  n - k float64, log2 of h_1 .. h_(n-k), inf where a height is infinite
    label         16 hexadecimal digits, equal for equivalent codes (`code_labels`)
    split         'train', 'validation' or 'test', by the label alone, so that equivalent codes are never apart, in
                  whatever folder, seed or draw they occur
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from probatum.errors import DataError, StorageError
from probatum.problems.analog_codes.code_labels import VERSION, code_labels
from probatum.problems.analog_codes.generate import VERSIONS, random_codes
from probatum.problems.analog_codes.heights import LONGEST, MAX_LENGTH, height_profile, height_profiles
from probatum.problems.analog_codes.problem import log2_heights

SCHEMA = 1
REQUEST = "codes.json"
SPLITS = ("train", "validation", "test")
METADATA = b"probatum"


@dataclass(frozen=True)
class CodeRequest:
    """What a folder of codes holds.

    Attributes:
        n, k: length and dimension, 1 <= k < n <= 24; above n = 16 heights take up to tenths of a second a code.
        codes: how many.
        distribution: 'uniform' or 'integer' (`generate.random_codes`).
        seed, draw: of the generator.
        rows: codes in a part.
        validation, test: shares of the labels in these splits; the others train.
    """

    n: int
    k: int
    codes: int
    distribution: str = "uniform"
    seed: int = 0
    draw: int = 0
    rows: int = 65536
    validation: float = 0.1
    test: float = 0.1

    def __post_init__(self) -> None:
        random_codes(self.distribution, self.n, self.k, 0, 0, seed=self.seed, draw=self.draw)  # refuses what cannot be
        if self.n > LONGEST:
            raise DataError(f"n is {self.n}", remedy=f"heights are exact up to n = {LONGEST}")
        if self.codes < 1 or self.rows < 1:
            raise DataError(f"{self.codes} codes in parts of {self.rows}", remedy="choose 1 or more of both")
        if not (0 <= self.validation < 1 and 0 <= self.test < 1 and self.validation + self.test < 1):
            raise DataError(
                f"validation is {self.validation:g} and test {self.test:g}",
                remedy="shares >= 0 that leave some to train",
            )

    @property
    def parts(self) -> int:
        """How many files."""
        return -(-self.codes // self.rows)


@dataclass(frozen=True, eq=False)
class LabelledCodes:
    """Some codes of a folder, in the order of the stream.

    Attributes:
        code: [code] int64.
        P: [code, k, n - k] float64.
        log2_heights: [code, n - k] float64, inf where infinite.
        label, split: [code] str.
    """

    code: Int[np.ndarray, " code"]
    P: Float[np.ndarray, "code dimension redundancy"]
    log2_heights: Float[np.ndarray, "code redundancy"]
    label: Shaped[np.ndarray, " code"]
    split: Shaped[np.ndarray, " code"]

    def __len__(self) -> int:
        return len(self.code)

    def take(self, rows: Bool[np.ndarray, " code"] | Int[np.ndarray, " place"]) -> LabelledCodes:
        """The chosen codes alone; [code] bool or places."""
        return LabelledCodes(*(column[rows] for column in self._columns()))

    def digest(self) -> str:
        """sha256 of all numbers and texts."""
        h = hashlib.sha256()
        for column in self._columns():
            if column.dtype.kind == "U":
                h.update("\n".join(column.tolist()).encode())
            else:
                h.update(np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<")).tobytes())
        return h.hexdigest()

    def _columns(self) -> tuple[Shaped[np.ndarray, "code ..."], ...]:
        return self.code, self.P, self.log2_heights, self.label, self.split


def labelled_codes(request: CodeRequest, start: int, stop: int, *, threads: int = 1) -> LabelledCodes:
    """Codes start..stop-1 of the stream that is asked for, with exact heights; nothing is written."""
    P = random_codes(request.distribution, request.n, request.k, start, stop, seed=request.seed, draw=request.draw)
    if request.n <= MAX_LENGTH:
        heights = height_profiles(P, threads=threads)
    else:
        unit = np.eye(request.k)
        heights = np.array([height_profile(np.concatenate([unit, one], axis=1), threads=threads) for one in P])
    label = code_labels(P)
    split = splits_of(label, validation=request.validation, test=request.test)
    return LabelledCodes(np.arange(start, stop, dtype=np.int64), P, log2_heights(heights), label, split)


def splits_of(labels: Shaped[np.ndarray, " code"], *, validation: float, test: float) -> Shaped[np.ndarray, " code"]:
    """Which split each label is in, [code] str: its place among all labels, which are spread evenly.

    Args:
        labels: [code] str, from `code_labels`.
        validation, test: shares of all labels.
    """
    place = np.array([int(label, 16) for label in labels.tolist()], dtype=np.float64) / 2**64
    names = np.array([SPLITS[2], SPLITS[1], SPLITS[0]])
    return names[np.searchsorted([test, test + validation], place, side="right")]


def write_codes(request: CodeRequest, folder: Path, *, threads: int = 1) -> Iterator[tuple[LabelledCodes, bool]]:
    """Writes what is asked for, part after part; more codes than before extend a folder.

    Yields:
        the codes of each part once it is on the disk, and whether it was made now.

    Raises:
        DataError: the folder holds other codes.
        StorageError: it cannot be written.
    """
    _agree(request, folder)
    for part in range(request.parts):
        start, stop = part * request.rows, min((part + 1) * request.rows, request.codes)
        path = folder / _name(part)
        known = _read(path, _description(request, start, stop))
        if known is not None:
            yield known, False
            continue
        made = labelled_codes(request, start, stop, threads=threads)
        _write(path, _parquet(made, _description(request, start, stop)))
        yield made, True


def read_codes(folder: Path, split: str | None = None) -> Iterator[LabelledCodes]:
    """Streams a folder part after part, each checked against its sha256.

    Args:
        folder: written by `write_codes`.
        split: 'train', 'validation' or 'test'; None gives all codes.

    Raises:
        DataError: no such folder or split; a part that is missing, damaged or of other codes, naming it.
    """
    if split is not None and split not in SPLITS:
        raise DataError(f"there is no split '{split}'", where=str(folder), remedy=f"valid: {', '.join(SPLITS)}")
    request = _request(folder)
    if request is None:
        raise DataError("no codes here", where=str(folder), remedy="make some: probatum analog-codes data")
    for part in range(request.parts):
        start, stop = part * request.rows, min((part + 1) * request.rows, request.codes)
        found = _read(folder / _name(part), _description(request, start, stop))
        if found is None:
            raise DataError(
                "missing, damaged or of other codes",
                where=str(folder / _name(part)),
                remedy="run 'probatum analog-codes data' again: it makes what is missing",
            )
        yield found if split is None else found.take(found.split == split)


# ---------------------------------------------------------------------- files


def _name(part: int) -> str:
    return f"part-{part:05d}.parquet"


def _description(request: CodeRequest, start: int, stop: int) -> dict[str, Any]:
    """What a part has to be: all that its content follows from."""
    asked = {name: value for name, value in asdict(request).items() if name not in ("codes", "rows")}
    generator = VERSIONS[request.distribution]
    return {"schema": SCHEMA, **asked, "generator": generator, "labels": VERSION, "start": start, "stop": stop}


def _agree(request: CodeRequest, folder: Path) -> None:
    """Notes the request in the folder, unless other codes are there."""
    known = _request(folder)
    if known is not None and (replace(known, codes=request.codes) != request or known.codes > request.codes):
        differs = [name for name, value in asdict(known).items() if asdict(request)[name] != value]
        name = next((name for name in differs if name != "codes"), "codes")
        raise DataError(
            f"{name} is {asdict(request)[name]} and was {asdict(known)[name]}",
            where=str(folder / REQUEST),
            remedy="choose another folder",
        )
    if known != request:
        _write(folder / REQUEST, json.dumps({"schema": SCHEMA, **asdict(request)}, indent=2).encode() + b"\n")


def _request(folder: Path) -> CodeRequest | None:
    try:
        values = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
        if values.pop("schema") != SCHEMA:
            raise ValueError
        return CodeRequest(**values)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DataError("cannot be read", where=str(folder / REQUEST), remedy="choose another folder") from None


def _parquet(codes: LabelledCodes, description: dict[str, Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def lists(values: Float[np.ndarray, "code ..."]) -> Any:
        flat = values.reshape(len(values), -1)
        return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])

    columns = {
        "code": pa.array(codes.code),
        "P": lists(codes.P),
        "log2_heights": lists(codes.log2_heights),
        "label": pa.array(codes.label.tolist()),
        "split": pa.array(codes.split.tolist()),
    }
    note = json.dumps({**description, "sha256": codes.digest()}, sort_keys=True)
    table = pa.table(columns).replace_schema_metadata({METADATA: note.encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", use_dictionary=False)
    return buffer.getvalue()


def _read(path: Path, description: dict[str, Any]) -> LabelledCodes | None:
    """A part that is what is described and what was written; else None."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        note = json.loads((table.schema.metadata or {})[METADATA])
        sha256 = note.pop("sha256")
        k, redundancy = description["k"], description["n"] - description["k"]
        P, heights = (np.asarray(table[name].combine_chunks().flatten()) for name in ("P", "log2_heights"))
        found = LabelledCodes(
            table["code"].to_numpy(),
            P.reshape(-1, k, redundancy),
            heights.reshape(-1, redundancy),
            *(np.array(table[name].to_pylist(), dtype=str) for name in ("label", "split")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):
        return None
    return found if note == description and found.digest() == sha256 else None


def _write(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            remedy="make room, or choose another folder",
        ) from error
