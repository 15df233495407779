"""Electron-ionisation spectra of known compounds, one JSON object a line, as re-packed from MassBank."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from probatum.errors import DataError
from probatum.problems.packed_files import opened, read_from

LIBRARY = "massbank_2025.05.1_EI_ccby_ccbysa.jsonl.gz"
UNDERIVATISED = ("", "None", "0 TMS")
"""What the field of derivatisation says where a compound was measured as it is."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One record.

    Attributes:
        accession: its identifier.
        name: of the compound.
        formula, smiles: of the compound, before any derivatisation.
        compound: the first block of the InChIKey, equal for stereoisomers; the SMILES where the record has none.
        retention_index: Kovats; None where it was not measured.
        derivatisation: '3 TMS' and so on; '' for a compound measured as it is.
        laboratory: its authors.
        licence: of the record.
        masses: [peak] float64, m/z, increasing.
        intensities: [peak] float64, above 0, relative to the largest.
    """

    accession: str
    name: str
    formula: str
    smiles: str
    compound: str
    retention_index: float | None
    derivatisation: str
    laboratory: str
    licence: str
    masses: Float[np.ndarray, " peak"]
    intensities: Float[np.ndarray, " peak"]


@lru_cache(maxsize=4)
def read_library(path: Path) -> tuple[Spectrum, ...]:
    """All spectra of a library, in its order.

    Raises:
        DataMissingError: there is no such file.
        DataError: a line that is no record, with its number.
    """
    with opened(path) as stream:
        content = read_from(stream, path)
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError("is not UTF-8", where=f"{path}, line {line}", remedy="copy the library again") from None
    spectra = tuple(_spectrum(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1))
    if not spectra:
        raise DataError("has no spectra", where=str(path), remedy="run 'probatum data fetch gas_chromatography'")
    return spectra


def _spectrum(line: str, where: str) -> Spectrum:
    try:
        record: Mapping[str, Any] = json.loads(line)
        peaks = np.array(record["peaks"], dtype=np.float64).reshape(-1, 2)
        text = {name: str(record.get(name) or "") for name in ("name", "formula", "smiles", "der", "authors", "lic")}
        accession = str(record["acc"])
        index = _retention_index(record.get("ri"))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(
            f"is no record of a spectrum ({type(error).__name__}: {error})",
            where=where,
            remedy="run 'probatum data fetch gas_chromatography' for an intact copy",
        ) from None
    peaks = peaks[(peaks[:, 0] > 0) & (peaks[:, 1] > 0)]
    if not len(peaks) or not np.isfinite(peaks).all():
        raise DataError("has no peaks that can be used", where=where, remedy="remove or repair that line")
    peaks = peaks[np.argsort(peaks[:, 0], kind="stable")]
    return Spectrum(
        accession=accession,
        name=text["name"],
        formula=text["formula"],
        smiles=text["smiles"],
        compound=str(record.get("inchikey") or "")[:14] or text["smiles"] or accession,
        retention_index=index,
        derivatisation="" if text["der"] in UNDERIVATISED else text["der"],
        laboratory=text["authors"],
        licence=text["lic"],
        masses=peaks[:, 0],
        intensities=peaks[:, 1] / peaks[:, 1].max(),
    )


def _retention_index(value: object) -> float | None:
    """None for what is missing; some records write 0 where nothing was measured."""
    try:
        index = float(str(value))
    except ValueError:
        return None
    return index if math.isfinite(index) and index > 0 else None
