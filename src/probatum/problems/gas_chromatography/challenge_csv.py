"""Runs as DrivenData's Mars Spectrometry 2 challenge hands them out: text in three columns, sorted by time, then mass.

The first line is `time,mass,intensity`; times are minutes, masses fractional m/z, intensities counts a second. Files
are read in blocks, so that memory holds the run and no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
from jaxtyping import Bool, Float, UInt8

from probatum.errors import DataError
from probatum.problems.gas_chromatography.csv_kernel import (
    COLUMNS,
    EMPTY,
    FINE,
    NEWLINE,
    NOT_A_NUMBER,
    TOO_FEW,
    TOO_MANY,
    parse_rows,
)
from probatum.problems.gas_chromatography.run import SECONDS, Run, TimeUnit, check_length, checked
from probatum.problems.packed_files import opened, read_from

HEADER = ("time", "mass", "intensity")
BLOCK = 4 << 20
"""Bytes read at once."""
ROWS = 1 << 18
"""Rows parsed at once."""


@np.errstate(over="ignore", invalid="ignore")  # what becomes infinite is refused as such
def read_challenge_csv(path: Path, unit: TimeUnit = "min") -> Run:
    """Reads one run.

    Args:
        path: of the file; .gz, .bz2 and .xz are opened on the way.
        unit: of the times.

    Raises:
        DataError: another header, a line that is not three numbers, times that fall, or numbers that no run has, with
            the line.
    """
    times, counts, masses, intensities = [], [], [], []
    previous, line = -np.inf, 2
    for rows in _rows(path):
        steps = np.diff(rows[:, 0], prepend=previous)
        _refuse(steps < 0, rows[:, 0], "the time", path, line, "sort the file by time, then mass")
        _refuse(~(rows[:, 2] >= 0), rows[:, 2], "the intensity", path, line, "give counts as measured, 0 or more")
        begins = np.flatnonzero(steps != 0)
        # Points before the first new time belong to the last scan of the rows before.
        sizes = np.diff(np.concatenate([[0], begins, [len(rows)]]))
        if sizes[0]:
            counts[-1] += int(sizes[0])
        counts.extend(sizes[1:].tolist())
        times.append(rows[begins, 0] * SECONDS[unit])
        masses.append(rows[:, 1].copy())
        intensities.append(rows[:, 2].copy())
        previous = rows[-1, 0]
        line += len(rows)
    if not times:
        raise DataError("has no rows below its header", where=str(path), remedy="export the run again")
    check_length(float(previous) * SECONDS[unit], str(path))
    return checked(
        path.name.split(".")[0],
        np.concatenate(times),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        _joined(masses),
        _joined(intensities),
        where=str(path),
    )


def _joined(parts: list[Float[np.ndarray, " _part"]]) -> Float[np.ndarray, " point"]:
    """One array of all parts, which are given up: both kept would double the memory."""
    joined = np.concatenate(parts)
    parts.clear()
    return joined


def _refuse(
    wrong: Bool[np.ndarray, " row"], values: Float[np.ndarray, " row"], what: str, path: Path, line: int, remedy: str
) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"{what} is {values[row]:g}", where=f"{path}, line {line + row}", remedy=remedy)


def _rows(path: Path) -> Iterator[Float[np.ndarray, "row 3"]]:
    """[row, 3] float64, block after block."""
    with opened(path) as stream:
        rest = read_from(stream, path, BLOCK)
        newline = rest.find(b"\n")
        header = rest[: newline if newline >= 0 else len(rest)]
        names = tuple(name.strip().lower() for name in header.decode("utf-8-sig", "replace").split(","))
        if names != HEADER:
            raise DataError(
                f"begins with '{header[:60].decode('utf-8', 'replace').strip()}'",
                where=f"{path}, line 1",
                remedy=f"the first line is {','.join(HEADER)}",
            )
        rest, line, more = rest[newline + 1 :] if newline >= 0 else b"", 2, True
        values = np.empty((ROWS, COLUMNS))
        while more:
            block = read_from(stream, path, BLOCK)
            more = len(block) > 0
            # The last line may lack its newline.
            text = np.frombuffer(rest + block + (b"" if more or rest.endswith(b"\n") or not rest else b"\n"), np.uint8)
            position, stop = 0, _after_the_last_newline(text)
            while position < stop:
                count, position, status = map(int, parse_rows(text, position, stop, values))
                if count:
                    yield values[:count]
                line += count
                if (
                    status == EMPTY
                    and not text[position:].tobytes().strip()
                    and not read_from(stream, path, BLOCK).strip()
                ):
                    return
                if status != FINE:
                    _complain(status, text, position, path, line)
            rest = text[position:].tobytes()


def _after_the_last_newline(text: UInt8[np.ndarray, " byte"]) -> int:
    for width in (1 << 10, len(text)):
        found = np.flatnonzero(text[-width:] == NEWLINE)
        if len(found):
            return max(len(text) - width, 0) + int(found[-1]) + 1
    return 0


def _complain(status: int, text: UInt8[np.ndarray, " byte"], position: int, path: Path, line: int) -> NoReturn:
    content = text[position : position + 80].tobytes().split(b"\n")[0].decode("utf-8", "replace").strip()
    what = {
        EMPTY: "is empty",
        TOO_FEW: f"'{content}' has fewer than {COLUMNS} numbers",
        TOO_MANY: f"'{content}' has more than {COLUMNS} numbers",
        NOT_A_NUMBER: f"'{content}' is not {COLUMNS} numbers",
    }[status]
    remedy = "the file was cut short; export or download it again" if status == TOO_FEW else "repair that line"
    raise DataError(what, where=f"{path}, line {line}", remedy=remedy)
