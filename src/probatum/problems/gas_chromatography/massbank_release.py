"""The library of spectra, rebuilt from a release of MassBank: electron ionisation, under CC BY or CC BY-SA.

A release is one .tar.gz with a text file for each record, in a folder for each contributor. It is read as a stream and
nothing of it is written to disk: what its names say cannot reach any file. Kept are records

    whose AC$INSTRUMENT_TYPE has 'EI' among its parts (EI-B, GC-EI-TOF, ...; not ESI, FI or APCI),
    whose LICENSE is CC BY or CC BY-SA, which may be passed on and used for anything,
    with a structure and with peaks, and which were not withdrawn,

in the order of their paths, one JSON object a line. The format of records is MassBank Record Format 2.
"""

from __future__ import annotations

import gzip
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

from probatum.errors import DataError

RELEASE = "2025.05.1"
LICENCES = ("CC BY", "CC BY-SA")
LARGEST_RECORD = 8 * 2**20
"""Bytes; records of electron ionisation have some ten thousand."""
MOST_FILES, MOST_BYTES = 1_000_000, 16 * 2**30
"""Of a release, unpacked; that of 2025 has an eighth and a tenth of it."""
_RECORD = re.compile(r"(?:\./)?[^/]+/(?P<path>[A-Za-z0-9_-]+/MSBNK-[A-Za-z0-9_-]+\.txt)")
_ABSENT = ("", "N/A")


def rebuilt_library(release: IO[bytes], where: str) -> bytes:
    """The library of spectra, packed, from a release.

    Args:
        release: its .tar.gz, read once from beginning to end.
        where: what an error names as the place.

    Raises:
        DataError: no .tar.gz, one that was cut short, one larger than any release, a record that is damaged, or one
            without any record that is kept.
    """
    kept = {}
    for path, text in records(release, where):
        record = kept_record(path, text, where)
        if record is not None:
            kept[path] = json.dumps(record)
    if not kept:
        raise DataError("has no record that is kept", where=where, remedy="name a release of MassBank-data")
    lines = "".join(kept[path] + "\n" for path in sorted(kept))
    return gzip.compress(lines.encode(), compresslevel=9, mtime=0)


def records(release: IO[bytes], where: str) -> Iterator[tuple[str, str]]:
    """(path below the release's folder, text) of all records of a release, in its order.

    Raises:
        DataError: as `rebuilt_library`.
    """
    files = unpacked = 0
    try:
        with tarfile.open(fileobj=release, mode="r|gz") as archive:
            for member in archive:
                files, unpacked = files + 1, unpacked + max(member.size, 0)
                if files > MOST_FILES or unpacked > MOST_BYTES:
                    raise DataError(
                        f"has more than {files - 1} files or {MOST_BYTES} bytes, which no release has",
                        where=where,
                        remedy="name a release of MassBank-data",
                    )
                named = _RECORD.fullmatch(member.name)
                if named is None or not member.isreg() or member.size > LARGEST_RECORD:
                    continue  # images, lists, links, and what is no record
                content = archive.extractfile(member)
                if content is not None:
                    yield named["path"], content.read().decode("utf-8")
    except DataError:
        raise
    # tarfile lets a TypeError through where the header of the stream is cut, and Python 3.11.2 fails to name its own.
    except (
        tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, TypeError, AttributeError,
    ) as error:  # fmt: skip
        raise DataError(
            f"is no whole release ({type(error).__name__}: {error})",
            where=where,
            remedy="it was cut short or is damaged; download it again",
        ) from None


def kept_record(path: str, text: str, where: str) -> dict[str, Any] | None:
    """What the library keeps of one record; None for a record that it leaves out.

    Args:
        path: of the record below the release's folder.
        text: of the record.
        where: of the release, for errors.

    Raises:
        DataError: a record of the right kind that is damaged.
    """
    fields = _fields(text)
    instrument, licence = _first(fields, "AC$INSTRUMENT_TYPE"), _first(fields, "LICENSE")
    if instrument is None or "EI" not in instrument.split("-") or licence not in LICENCES or "DEPRECATED" in fields:
        return None
    smiles, peaks = _first(fields, "CH$SMILES"), _peaks(text, f"{where}, {path}")
    if smiles is None or not peaks:
        return None
    gas = "AC$CHROMATOGRAPHY"
    return {
        "acc": _first(fields, "ACCESSION"),
        "path": path,
        "name": _first(fields, "CH$NAME"),
        "formula": _first(fields, "CH$FORMULA"),
        "smiles": smiles,
        "cls": _first(fields, "CH$COMPOUND_CLASS"),
        "inchikey": _first(fields, "CH$LINK", "INCHIKEY"),
        "inst": instrument,
        "ce": _first(fields, "AC$MASS_SPECTROMETRY", "COLLISION_ENERGY"),
        "rt": _first(fields, gas, "RETENTION_TIME"),
        "ri": _first(fields, gas, "RETENTION_INDEX") or _first(fields, gas, "KOVATS_RTI"),
        "lic": licence,
        "authors": _first(fields, "AUTHORS"),
        "der": _first(fields, "MS$FOCUSED_ION", "DERIVATIVE_TYPE"),
        "peaks": peaks,
    }


def _fields(text: str) -> dict[str, list[str]]:
    """The values of each tag, up to the peaks."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        tag, colon, value = line.partition(": ")
        if tag.startswith("PK$PEAK"):
            break
        if colon and not line.startswith(" "):
            found.setdefault(tag, []).append(value.strip())
    return found


def _first(fields: dict[str, list[str]], tag: str, subtag: str = "") -> str | None:
    """The first value of a tag, or of its subtag; None where there is none, or 'N/A'."""
    for value in fields.get(tag, ()):
        if subtag:
            name, _, value = value.partition(" ")
            if name != subtag:
                continue
        if value.strip() not in _ABSENT:
            return value.strip()
    return None


def _peaks(text: str, where: str) -> list[list[float]]:
    """[peak][m/z, intensity]: the indented lines after PK$PEAK, up to //."""
    _, marker, rest = text.partition("\nPK$PEAK:")
    if not marker:
        return []
    body, end, _ = rest.partition("\n//")
    if not end:
        raise DataError("has no end", where=where, remedy="it was cut short; download the release again")
    try:
        return [[float(number) for number in line.split()[:2]] for line in body.splitlines()[1:] if line.strip()]
    except ValueError:
        raise DataError("has a peak that is no number", where=where, remedy="download the release again") from None
