"""Blocks share no compound, and by laboratory no laboratory; each has every family, as common as in the challenge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError
from probatum.problems.gas_chromatography.compound_blocks import Apart, blocks
from probatum.problems.gas_chromatography.families import families_of
from probatum.problems.gas_chromatography.samples import BLANK, PREVALENCE
from probatum.problems.gas_chromatography.spectra import LIBRARY, read_library

pytestmark = pytest.mark.real
CASES: list[tuple[int, Apart]] = [(2, "compounds"), (5, "compounds"), (8, "compounds"), (2, "laboratories")]


@pytest.fixture
def library(real_data: Path) -> Path:
    return real_data / "gas_chromatography" / LIBRARY


@pytest.mark.parametrize(("count", "apart"), CASES)
def test_no_compound_is_in_two_blocks(library: Path, count: int, apart: Apart):
    compounds = [set(spectra) for spectra, _ in blocks(library, count, apart, 0, 0)]
    assert len(compounds) == count
    assert sum(map(len, compounds)) == len(set.union(*compounds))
    if apart == "compounds":
        assert set.union(*compounds) == {spectrum.compound for spectrum in read_library(library)}


@pytest.mark.parametrize(("count", "apart"), CASES)
def test_families_are_as_common_in_each_block_as_in_the_challenge(library: Path, count: int, apart: Apart):
    for spectra, made in blocks(library, count, apart, 0, 0):
        np.testing.assert_allclose(made.prevalence, list(PREVALENCE.values()), rtol=1e-4)
        assert made.blank == pytest.approx(BLANK, abs=0.05)
        assert set(made.compounds) <= set(spectra)


def test_compounds_of_the_same_families_are_dealt_evenly(library: Path):
    counts: dict[bytes, list[int]] = {}
    for number, (spectra, _) in enumerate(blocks(library, 5, "compounds", 3, 1)):
        for records in spectra.values():
            counts.setdefault(families_of(records[0].smiles).tobytes(), [0] * 5)[number] += 1
    assert max(max(of_kind) - min(of_kind) for of_kind in counts.values()) <= 1


def test_no_laboratory_contributes_to_two_blocks(library: Path):
    laboratories = [
        {record.laboratory for records in spectra.values() for record in records}
        for spectra, _ in blocks(library, 2, "laboratories", 0, 0)
    ]
    assert not laboratories[0] & laboratories[1]
    assert all(laboratories)


def test_draws_and_seeds_divide_anew(library: Path):
    first = [set(spectra) for spectra, _ in blocks(library, 5, "compounds", 0, 0)]
    for seed, draw in ((0, 1), (1, 0)):
        assert [set(spectra) for spectra, _ in blocks(library, 5, "compounds", seed, draw)] != first
    blocks.cache_clear()
    assert [set(spectra) for spectra, _ in blocks(library, 5, "compounds", 0, 0)] == first


def test_more_blocks_than_hydrocarbons_are_refused(library: Path):
    with pytest.raises(DataError, match=r"block .* of 20 cannot be made.*; use fewer blocks"):
        blocks(library, 20, "compounds", 0, 0)


def test_more_blocks_than_laboratories_allow_are_refused(library: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("probatum.problems.gas_chromatography.compound_blocks.MOST_TRIES", 5)
    with pytest.raises(DataError, match="no division of the laboratories into 10 blocks"):
        blocks(library, 10, "laboratories", 0, 0)
