"""The library of real spectra, and the families that its structures belong to."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, DataMissingError
from probatum.problems.gas_chromatography.families import FAMILIES, families_of
from probatum.problems.gas_chromatography.spectra import LIBRARY, read_library


def test_the_library_holds_what_its_publishers_say(real_data: Path):
    spectra = read_library(real_data / "gas_chromatography" / LIBRARY)
    assert len(spectra) == 1722
    assert Counter(spectrum.licence for spectrum in spectra) == {"CC BY-SA": 1165, "CC BY": 557}
    assert len({spectrum.compound for spectrum in spectra}) == 819
    assert all((np.diff(spectrum.masses) >= 0).all() and spectrum.intensities.max() == 1 for spectrum in spectra)
    indices = [spectrum.retention_index for spectrum in spectra if spectrum.retention_index is not None]
    assert min(indices) > 600
    assert max(indices) < 5000


def test_structures_fall_into_families(real_data: Path):
    compounds = {s.compound: s.smiles for s in read_library(real_data / "gas_chromatography" / LIBRARY)}
    counts = dict(zip(FAMILIES, np.sum([families_of(smiles) for smiles in compounds.values()], axis=0), strict=True))
    # Counted before with other rules for what has no InChIKey: 241 acids, 171 alcohols, 113 with S, 13 hydrocarbons.
    assert counts["carboxylic_acid"] == 241
    assert counts["alcohol"] == 171
    assert counts["sulfur_bearing_compound"] == 113
    assert counts["hydrocarbon"] == 13
    assert counts["mineral"] == 0


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("c1ccccc1", {"aromatic", "hydrocarbon"}),
        ("CCCCCC", {"hydrocarbon"}),
        ("CCO", {"alcohol"}),
        ("Oc1ccccc1", {"aromatic", "other_oxygen_bearing_compound"}),
        ("CC(=O)O", {"carboxylic_acid"}),
        ("CC(=O)OC", {"other_oxygen_bearing_compound"}),
        ("NCC(=O)O", {"carboxylic_acid", "nitrogen_bearing_compound"}),
        ("OCC(O)=O", {"carboxylic_acid", "alcohol"}),
        ("ClCCl", {"chlorine_bearing_compound"}),
        ("c1ccsc1", {"aromatic", "sulfur_bearing_compound"}),
        ("CC(=O)[O-]", {"carboxylic_acid"}),
    ],
)
def test_families_of_common_compounds(smiles: str, expected: set[str]):
    assert {name for name, member in zip(FAMILIES, families_of(smiles), strict=True) if member} == expected


def test_what_is_no_structure_is_refused():
    for text in ("", "C1CC", "no structure"):
        with pytest.raises(DataError, match="no SMILES"):
            families_of(text)


def test_records_that_cannot_be_read_are_named(tmp_path: Path):
    good = {"acc": "A", "peaks": [[41.0, 3.0], [40.0, 1.0], [0.0, 5.0]], "ri": "0.0000", "der": "0 TMS"}
    path = tmp_path / "library.jsonl.gz"

    def write(*lines: str) -> Path:
        path.unlink(missing_ok=True)
        path.write_bytes(gzip.compress("\n".join(lines).encode()))
        read_library.cache_clear()
        return path

    (spectrum,) = read_library(write(json.dumps(good)))
    assert (spectrum.retention_index, spectrum.derivatisation, spectrum.compound) == (None, "", "A")
    np.testing.assert_allclose(spectrum.masses, [40, 41])
    np.testing.assert_allclose(spectrum.intensities, [1 / 3, 1])
    for bad in (
        "{",
        "{}",
        '{"acc": "A", "peaks": [[1]]}',
        '{"acc": "A", "peaks": []}',
        '{"acc": 1, "peaks": [[-1, 2]]}',
    ):
        with pytest.raises(DataError, match=r"line 2"):
            read_library(write(json.dumps(good), bad))
    with pytest.raises(DataError, match="no spectra"):
        read_library(write(""))
    with pytest.raises(DataMissingError):
        read_library(tmp_path / "other.jsonl.gz")
