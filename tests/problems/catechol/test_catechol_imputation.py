"""Descriptors that nobody measured: what follows from mixtures, and what structure tells of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError
from probatum.problems.catechol.features import descriptors
from probatum.problems.catechol.imputation import (
    BLOCKS,
    PROPERTIES,
    Structures,
    _left_out_errors,
    properties,
    structures,
    with_guesses,
)
from probatum.problems.catechol.solvents import MIXTURES, by_name, by_smiles
from probatum.problems.text_table import read

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("rdkit", "drfp")), reason="needs probatum[catechol]"
    ),
]
ACS = "acs_pca_descriptors_lookup.csv"


@pytest.fixture
def folder(real_data: Path) -> Path:
    return real_data / "catechol"


@pytest.fixture
def known(folder: Path) -> Structures:
    return structures(folder)


def test_water_follows_alike_from_both_of_its_mixtures(folder: Path):
    table = descriptors(read(folder / ACS))
    acetonitrile, wet, alcohol, wet_alcohol = table.of(
        np.array(["Acetonitrile", "Water.Acetonitrile", "2,2,2-Trifluoroethanol", "Water.2,2,2-Trifluoroethanol"])
    )
    found = by_name("water", folder).block("acs")
    np.testing.assert_allclose(found, (wet - 0.4 * acetonitrile) / 0.6, atol=1e-9)
    np.testing.assert_allclose(found, (wet_alcohol - 0.4 * alcohol) / 0.6, atol=1e-5)


def test_the_table_of_mixtures_is_what_the_published_descriptors_were_made_by(folder: Path):
    """Spange's table has all parts, so that the shares can be checked."""
    for name, ((one, share), (other, rest)) in MIXTURES.items():
        assert share + rest == 1
        mean = share * by_name(one, folder).block("spange") + rest * by_name(other, folder).block("spange")
        np.testing.assert_allclose(by_name(name, folder).block("spange"), mean, rtol=2e-4)


def test_compounds_are_known_and_mixtures_are_not(known: Structures):
    assert len(known.names) == 23
    assert not set(known.names) & set(MIXTURES)
    assert known.properties.shape == (23, len(PROPERTIES))
    assert known.descriptors.shape == (23, 18)


def test_properties_are_those_of_the_molecule():
    ethanol, glycol = properties("CCO"), properties("OCCO")
    named = {name: (a, b) for name, a, b in zip(PROPERTIES, ethanol, glycol, strict=True)}
    assert named["NumHDonors"] == (1, 2)
    assert named["NumHAcceptors"] == (1, 2)
    assert named["RingCount"] == (0, 0)
    assert named["TPSA"] == pytest.approx((20.23, 40.46), abs=0.01)


def test_leaving_out_in_closed_form_is_leaving_out(known: Structures):
    """Against kriging fitted again without each solvent, by the equations with a Lagrange multiplier."""
    center, scale = known.properties.mean(axis=0), known.properties.std(axis=0)
    inputs, length, noise = (known.properties - center) / scale, 2.0, 0.1
    closed = _left_out_errors(inputs, known.descriptors, length, noise)
    for out in range(len(inputs)):
        rest = np.delete(np.arange(len(inputs)), out)
        kernel = np.exp(-((inputs[:, None] - inputs[None]) ** 2).mean(axis=2) / (2 * length**2))
        size = len(rest)
        system = np.ones((size + 1, size + 1))
        system[:size, :size] = kernel[np.ix_(rest, rest)] + noise * np.eye(size)
        system[size, size] = 0
        weights = np.linalg.solve(system, np.append(kernel[out, rest], 1.0))[:size]
        np.testing.assert_allclose(closed[out], known.descriptors[out] - weights @ known.descriptors[rest], atol=1e-7)


def test_what_does_not_differ_is_guessed_as_it_is(known: Structures):
    constant = Structures(known.names, known.properties, np.full((23, 2), 3.5), known.columns)
    np.testing.assert_allclose(constant.guessed(properties("CCCCO")[None]), [[3.5, 3.5]])


def test_a_solvent_left_out_does_not_tell_its_own_guess(known: Structures):
    changed = known.descriptors.copy()
    changed[5] += 100
    other = Structures(known.names, known.properties, changed, known.columns)
    np.testing.assert_array_equal(known.left_out()[5], other.left_out()[5])
    assert (known.left_out()[6] != other.left_out()[6]).any()


def test_structure_tells_polarity_and_acidity_and_little_else(known: Structures):
    explained = known.explained()
    assert len(explained) == 18
    assert min(explained[f"spange: {name}"] for name in ("ET(30)", "alpha", "SA")) > 0.7
    assert explained["acs: PC5"] < 0.1
    assert 0.3 < np.mean(list(explained.values())) < 0.5


def test_guesses_fill_what_is_missing_and_nothing_else(folder: Path, known: Structures):
    propanol = with_guesses(by_smiles("CCCO", folder), known)
    table = known.descriptors.mean(axis=0)
    assert [len(propanol.block(block)) for block in BLOCKS] == [13, 5]
    alpha = known.columns["spange"].index("alpha")
    assert propanol.block("spange")[alpha] > table[alpha]  # an alcohol gives hydrogen bonds
    ethanol = by_name("ethanol", folder)
    assert with_guesses(ethanol, known) is ethanol


def test_more_than_one_molecule_is_refused(folder: Path, known: Structures):
    with pytest.raises(DataError, match="more than one molecule"):
        with_guesses(by_smiles("CCCO.CCCCO", folder), known)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("MeCN", "Acetonitrile"),
        ("hfip", "1,1,1,3,3,3-Hexafluoropropan-2-ol"),
        ("EtOAc", "Ethyl Acetate"),
        ("h2o", "Water"),
    ],
)
def test_what_chemists_write_is_understood(folder: Path, alias: str, name: str):
    assert by_name(alias, folder).name == name
