"""Runs in the open formats of mass spectrometry, mzML and mzXML, read scan by scan with pyteomics."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Real

from probatum.errors import DataError, UsageError
from probatum.problems.gas_chromatography.run import EXTRA, Run, run_of_scans
from probatum.problems.packed_files import opened, read_from
from probatum.problems.xml_prolog import PIECE, refuse_document_type

MINUTES = {"minute": 60.0, "min": 60.0, "second": 1.0, "sec": 1.0, "s": 1.0}


def read_mzml(path: Path) -> Run:
    """Reads the mass spectra of one mzML file; the unit of times is as the file says.

    Raises:
        UsageError: pyteomics is not installed.
        DataError: no mzML, a file that was cut short, or numbers that no run has.
    """
    return _read(path, "mzml")


def read_mzxml(path: Path) -> Run:
    """Reads the mass spectra of one mzXML file.

    Raises:
        UsageError: pyteomics is not installed.
        DataError: no mzXML, a file that was cut short, or numbers that no run has.
    """
    return _read(path, "mzxml")


def _read(path: Path, kind: str) -> Run:
    try:
        with warnings.catch_warnings():
            # psims misses a plug-in for a packed format that is not read here.
            warnings.filterwarnings("ignore", "hdf5plugin is missing", UserWarning)
            import_module("psims")  # pyteomics asks for it when it opens an mzML
            from pyteomics import mzml, mzxml
    except ImportError:
        raise UsageError(f"{kind} files need the package pyteomics", where=str(path), remedy=EXTRA) from None
    with opened(path) as stream:
        refuse_document_type(iter(lambda: read_from(stream, path, PIECE), b""), str(path))
    with opened(path) as stream:
        if kind == "mzml":
            scans = _scans(lambda: mzml.MzML(stream, use_index=False, cv=_vocabulary()), path)
        else:
            scans = _scans(lambda: mzxml.MzXML(stream, use_index=False), path)
        return run_of_scans(path.name.split(".")[0], scans, where=str(path))


@lru_cache(maxsize=1)
def _vocabulary() -> Any:
    """The terms of mzML as psims ships them; reading them takes longer than reading a run."""
    from psims.controlled_vocabulary.controlled_vocabulary import load_psims

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # psims leaves its file to the garbage collector
        return load_psims()


def _scans(
    spectra: Callable[[], Iterable[dict[str, Any]]], path: Path
) -> Iterator[tuple[float, Real[np.ndarray, " point"], Real[np.ndarray, " point"]]]:
    try:
        for spectrum in spectra():
            if spectrum.get("ms level", spectrum.get("msLevel", 1)) != 1:
                continue
            time = spectrum.get("retentionTime")
            if time is None:
                time = spectrum["scanList"]["scan"][0]["scan start time"]
            unit = getattr(time, "unit_info", None) or "minute"
            if unit not in MINUTES:
                raise DataError(f"times are in '{unit}'", where=str(path), remedy="give seconds or minutes")
            yield float(time) * MINUTES[unit], spectrum["m/z array"], spectrum["intensity array"]
    except KeyError as error:
        raise DataError(
            f"a spectrum has no {error}", where=str(path), remedy="export the run with times and mass spectra"
        ) from None
    except DataError:
        raise
    except Exception as error:  # pyteomics and the libraries below it raise errors of many kinds
        raise DataError(
            f"cannot be read: {' '.join(str(error).split())[:240]}",
            where=str(path),
            remedy="it was cut short or is damaged; copy or export it again",
        ) from None
