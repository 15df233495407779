"""One run from whatever file an instrument or a challenge wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from probatum.errors import DataError
from probatum.problems.gas_chromatography.run import Run, TimeUnit
from probatum.problems.packed_files import OPENERS


def read_run(path: Path, unit: TimeUnit | None = None) -> Run:
    """Reads one run; the suffix tells the format: .csv, .cdf, .mzML, .mzXML, .D, .jdx or .dx; packed ones as well.

    Args:
        path: of the file, or of the folder NAME.D.
        unit: of times in formats that do not say it (.csv: minutes by default; .jdx: as it says, or seconds).

    Raises:
        DataMissingError: there is no such file.
        UsageError: the format needs a package that is not installed.
        DataError: no run, a file that was cut short, or numbers that no run has.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in OPENERS]
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in _READERS:
        raise DataError(
            f"has the suffix '{suffix}'", where=str(path), remedy=f"formats that can be read: {', '.join(_READERS)}"
        )
    return _READERS[suffix](path, unit)


def _csv(path: Path, unit: TimeUnit | None) -> Run:
    from probatum.problems.gas_chromatography.challenge_csv import read_challenge_csv

    return read_challenge_csv(path, unit or "min")


def _cdf(path: Path, unit: TimeUnit | None) -> Run:
    from probatum.problems.gas_chromatography.andi import read_andi

    return read_andi(path)


def _mzml(path: Path, unit: TimeUnit | None) -> Run:
    from probatum.problems.gas_chromatography.mzml import read_mzml

    return read_mzml(path)


def _mzxml(path: Path, unit: TimeUnit | None) -> Run:
    from probatum.problems.gas_chromatography.mzml import read_mzxml

    return read_mzxml(path)


def _agilent(path: Path, unit: TimeUnit | None) -> Run:
    from probatum.problems.gas_chromatography.agilent import read_agilent

    return read_agilent(path)


def _jcamp_dx(path: Path, unit: TimeUnit | None) -> Run:
    from probatum.problems.gas_chromatography.jcamp_dx import read_jcamp_dx

    return read_jcamp_dx(path, unit)


_READERS: dict[str, Callable[[Path, TimeUnit | None], Run]] = {
    ".csv": _csv,
    ".cdf": _cdf,
    ".nc": _cdf,
    ".mzml": _mzml,
    ".mzxml": _mzxml,
    ".d": _agilent,
    ".jdx": _jcamp_dx,
    ".dx": _jcamp_dx,
}
SUFFIXES = tuple(_READERS)
"""Of runs, in lower case; .d is a folder's."""
