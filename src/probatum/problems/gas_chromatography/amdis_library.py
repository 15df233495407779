"""Libraries of spectra in the text format of AMDIS (.msl): a block of 'KEY:value' lines and '(m/z intensity)' pairs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from probatum.errors import DataError
from probatum.problems.gas_chromatography.spectra import Spectrum
from probatum.problems.packed_files import opened, read_from

FAME_LIBRARY, TMS_LIBRARY = "FAME.msl", "TMS.msl"
"""Fatty-acid methyl esters and trimethylsilyl derivatives, in the data folder."""
_PAIR = re.compile(r"\(\s*(\d+(?:\.\d*)?)[\s,]+(\d+(?:\.\d*)?)\s*\)")
_FIELD = re.compile(r"^([A-Z][A-Z ]*):(.*)$")


def read_amdis_library(path: Path) -> tuple[Spectrum, ...]:
    """All spectra of a library, in its order; structures, formulas and licences are '' as the format has none.

    Args:
        path: of the file, packed or not.

    Raises:
        DataMissingError: there is no such file.
        DataError: no library, or a spectrum that has not as many peaks as it says, with its line.
    """
    with opened(path) as stream:
        lines = read_from(stream, path).decode("latin-1").splitlines()
    spectra, block, first = [], [], 1
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            if not block:
                first = number
            block.append(line.strip())
        elif block:
            spectra.append(_spectrum(block, f"{path}, line {first}"))
            block = []
    if not spectra:
        raise DataError("has no spectra", where=str(path), remedy="give a library in the format of AMDIS (.msl)")
    return tuple(spectra)


def _spectrum(block: list[str], where: str) -> Spectrum:
    fields, pairs = {}, []
    for line in block:
        if line.startswith("("):
            pairs += _PAIR.findall(line)
        elif (match := _FIELD.match(line)) is not None:
            fields.setdefault(match[1], match[2].strip())
    named = fields.get("NAME", "")
    count = fields.get("NUM PEAKS", "")
    if not named or count.lstrip("0") != str(len(pairs)) or not pairs:
        said = f"says {count[:20] or 'not how many'} and has {len(pairs)} peaks" if named else "has no NAME"
        raise DataError(f"spectrum '{named}' {said}", where=where, remedy="copy the library again")
    peaks = np.array(pairs, dtype=np.float64)
    peaks = peaks[((peaks > 0) & np.isfinite(peaks)).all(axis=1)]
    if not len(peaks):
        raise DataError(f"spectrum '{named}' has no intensities above 0", where=where, remedy="remove that block")
    peaks = peaks[np.argsort(peaks[:, 0], kind="stable")]
    return Spectrum(
        accession=fields.get("CASNO", ""),
        name=named,
        formula=fields.get("FORM", ""),
        smiles="",
        compound=fields.get("CASNO", "") or named,
        retention_index=_index(fields.get("RI", "")),
        derivatisation="",
        laboratory=fields.get("SOURCE", ""),
        licence="",
        masses=peaks[:, 0],
        intensities=peaks[:, 1] / peaks[:, 1].max(),
    )


def _index(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if np.isfinite(found) and found > 0 else None
