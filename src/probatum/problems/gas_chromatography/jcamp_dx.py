"""Runs as JCAMP-DX text: one page a scan, with its retention time and a peak table (XY..XY) of m/z and intensity.

P. Lampen et al., JCAMP-DX for mass spectrometry, Applied Spectroscopy 48, 1545 (1994). A page begins at ##PAGE= T = ..
or at ##RETENTION_TIME= in the older form that writes each scan as a block of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError
from probatum.problems.gas_chromatography.run import Run, TimeUnit, run_of_scans
from probatum.problems.packed_files import opened, read_from

PAGE = re.compile(r"(?:T|TIME|RETENTION TIME)\s*=\s*([-+.\dEe]+)", re.IGNORECASE)
TABLE = ("XYDATA", "PEAKTABLE", "XYPOINTS", "DATATABLE")
"""Labels, without blanks, that a table follows."""
TIME = ("RETENTIONTIME", "$RETENTIONTIME", "$RETTIME")
KEPT = ("TITLE", "OWNER", "ORIGIN", "DATE", "SAMPLEDESCRIPTION", "INSTRUMENTALPARAMETERS", "SPECTROMETERDATASYSTEM")


def read_jcamp_dx(path: Path, unit: TimeUnit | None = None) -> Run:
    """Reads one run.

    Args:
        path: of the file.
        unit: of the times; by default what ##UNITS= says of time, and seconds where it says nothing.

    Raises:
        DataError: no JCAMP-DX, no closing ##END=, a table of something else than pairs, pages without a time, or
            numbers that no run has.
    """
    with opened(path) as stream:
        text = read_from(stream, path).decode("latin-1")
    if not text.lstrip("\ufeff \r\n").startswith("##"):
        raise DataError("does not begin with ##TITLE=", where=str(path), remedy="choose a JCAMP-DX file")
    records = list(_records(text))
    if not records or records[-1][0] != "END":
        raise DataError("does not end with ##END=", where=str(path), remedy="it was cut short; copy or export it again")
    metadata = {label.lower(): value.strip() for label, value, _ in records[::-1] if label in KEPT}
    stated = next((value.upper() for label, value, _ in records if label == "UNITS"), "")
    unit = unit or ("min" if "MINUTE" in stated else "s")
    return run_of_scans(
        metadata.get("title") or path.stem, _scans(records, path), where=str(path), unit=unit, metadata=metadata
    )


Record = tuple[str, str, int]


def _records(text: str) -> Iterator[Record]:
    """Labels in capitals without blanks, dashes and underlines; values; and the lines that they begin at."""
    label, value, begins = "", [], 0
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.split("$$", 1)[0]
        if content.startswith("##") and "=" in content:
            if label:
                yield label, "\n".join(value), begins
            name, first = content[2:].split("=", 1)
            label, value, begins = re.sub(r"[\s\-/_]", "", name).upper(), [first], number
        elif label:
            value.append(content)
    if label:
        yield label, "\n".join(value), begins


def _scans(
    records: list[Record], path: Path
) -> Iterator[tuple[float, Float[np.ndarray, " point"], Float[np.ndarray, " point"]]]:
    time: float | None = None
    for label, value, line in records:
        if label == "PAGE":
            found = PAGE.search(value)
            time = _number(found.group(1), path, line) if found else None
        elif label in TIME:
            time = _number(value.strip(), path, line)
        elif label in TABLE:
            head, _, body = value.partition("\n")
            if "XY..XY" not in head.upper().replace(" ", ""):
                raise DataError(
                    f"a table in the form '{head.strip()}'",
                    where=f"{path}, line {line}",
                    remedy="export peak tables, (XY..XY)",
                )
            if time is None:
                raise DataError(
                    "a spectrum has no retention time",
                    where=f"{path}, line {line}",
                    remedy="choose a file of a whole run, not of one spectrum",
                )
            pairs = _pairs(body, path, line)
            yield time, pairs[:, 0], pairs[:, 1]
            time = None


def _pairs(body: str, path: Path, line: int) -> Float[np.ndarray, "pair 2"]:
    numbers = body.replace(",", " ").replace(";", " ").split()
    if len(numbers) % 2:
        raise DataError(
            f"a table has {len(numbers)} numbers, which are no pairs",
            where=f"{path}, line {line}",
            remedy="it was cut short or is damaged; export it again",
        )
    try:
        return np.array(numbers, dtype=np.float64).reshape(-1, 2)
    except ValueError as error:
        raise DataError(f"a table holds text: {error}", where=f"{path}, line {line}", remedy="repair it") from None


def _number(text: str, path: Path, line: int) -> float:
    try:
        return float(text.split()[0])
    except (ValueError, IndexError):
        raise DataError(f"'{text}' is no time", where=f"{path}, line {line}", remedy="give a number") from None
