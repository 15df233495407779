"""Runs in Agilent's folders NAME.D, read with rainbow."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from probatum.errors import DataError, DataMissingError, UsageError
from probatum.problems.gas_chromatography.run import EXTRA, SECONDS, Run, run_of_scans

GRID = 0.05
"""m/z; quadrupoles record no finer ones in these files."""


def read_agilent(path: Path) -> Run:
    """Reads the mass spectra of one folder.

    Args:
        path: of the folder, whose name ends in .D.

    Raises:
        UsageError: rainbow is not installed.
        DataMissingError: there is no such folder.
        DataError: it holds no mass spectra, a file was cut short, or numbers that no run has.
    """
    if not path.is_dir():
        raise DataMissingError(
            "there is no such folder", where=str(path), remedy="a .D is a folder; copy it with all its files"
        )
    try:
        import rainbow
    except ImportError:
        raise UsageError("Agilent's folders need the package rainbow-api", where=str(path), remedy=EXTRA) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # rainbow leaves a damaged file to the garbage collector
        folder, wrong = _read(rainbow, path)
    if folder is None:
        raise DataError(
            f"cannot be read: {wrong}", where=str(path), remedy="it was cut short or is damaged; copy the folder again"
        )
    spectra = [file for file in folder.datafiles if file.detector == "MS"]
    if not spectra:
        raise DataError("holds no mass spectra", where=str(path), remedy="choose the folder that has a data.ms")
    file = spectra[0]
    seconds = np.asarray(file.xlabels, dtype=np.float64) * SECONDS["min"]
    masses = np.asarray(file.ylabels, dtype=np.float64)
    scans = ((time, masses[row > 0], row[row > 0]) for time, row in zip(seconds, file.data, strict=True))
    metadata = {str(key): str(value) for key, value in {**folder.metadata, **file.metadata}.items()}
    return run_of_scans(path.stem, scans, where=str(path), metadata=metadata)


def _read(rainbow: Any, path: Path) -> tuple[Any, str]:
    """The folder, or None and what is wrong with it; not raised, since an error would keep damaged files open."""
    try:
        return rainbow.read(str(path), bin_width=GRID), ""
    except Exception as error:  # rainbow raises Exception itself where a folder is none of its kind
        return None, " ".join(str(error).split()) or type(error).__name__
