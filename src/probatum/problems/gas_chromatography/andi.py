"""Runs in the ANDI/MS exchange format (ASTM E2077): netCDF-3 files with the suffix .cdf."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.io import netcdf_file

from probatum.errors import DataError
from probatum.problems.gas_chromatography.run import Run, checked
from probatum.problems.packed_files import opened, read_from

REQUIRED = ("scan_acquisition_time", "scan_index", "point_count", "mass_values", "intensity_values")
MAGIC = b"CDF"


def read_andi(path: Path) -> Run:
    """Reads one run; scan times are seconds in this format.

    Raises:
        DataError: no netCDF-3 file, one that was cut short, one that lacks a variable, or numbers that no run has.
    """
    with opened(path) as stream:
        content = read_from(stream, path)
    if not content.startswith(MAGIC):
        raise DataError("is no netCDF-3 file", where=str(path), remedy="export the run as ANDI/netCDF (.cdf)")
    try:
        with np.errstate(all="ignore"), netcdf_file(io.BytesIO(content), "r", mmap=False) as file:
            missing = [name for name in REQUIRED if name not in file.variables]
            values = [] if missing else [_values(file, name) for name in REQUIRED]
            # The only place where SciPy keeps them all by name.
            content_of = file._attributes  # pyright: ignore[reportPrivateUsage]
            attributes = {name: _text(value) for name, value in content_of.items()}
    except Exception as error:  # counts and offsets of a damaged header lead SciPy anywhere
        raise DataError(
            f"cannot be read as netCDF-3: {error}",
            where=str(path),
            remedy="it was cut short or is damaged; copy or export it again",
        ) from None
    if missing:
        raise DataError(
            f"has no {', '.join(missing)}",
            where=str(path),
            remedy="export the run with its mass spectra (ANDI/MS, not ANDI chromatography)",
        )
    times, first, counts, masses, intensities = values
    if not (np.isfinite(first).all() and np.isfinite(counts).all()):
        raise DataError("has not one point count for each scan", where=str(path), remedy="export the run again")
    first, counts = first.astype(np.int64), counts.astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    if not len(times) == len(counts) == len(first) or counts.min(initial=0) < 0:
        raise DataError("has not one point count for each scan", where=str(path), remedy="export the run again")
    if (first[counts > 0] != offsets[:-1][counts > 0]).any() or offsets[-1] != len(masses):
        raise DataError(
            f"says that its scans have {offsets[-1]} points, and has {len(masses)}",
            where=str(path),
            remedy="it was cut short or is damaged; copy or export it again",
        )
    title = attributes.get("experiment_title") or path.stem
    return checked(title, times, offsets, masses, intensities, where=str(path), metadata=attributes)


def _values(file: netcdf_file, name: str) -> Float[np.ndarray, " ..."]:
    variable = file.variables[name]
    scale = float(getattr(variable, "scale_factor", 1.0))
    offset = float(getattr(variable, "add_offset", 0.0))
    return np.asarray(variable.data, dtype=np.float64) * scale + offset


def _text(value: object) -> str:
    return value.decode("latin-1").strip("\x00 ") if isinstance(value, bytes) else str(value)
