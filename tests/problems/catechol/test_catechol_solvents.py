"""Solvents that somebody asks about: found by name, computed by SMILES, refused with reasons."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, UnknownNameError, UsageError
from probatum.problems.catechol.features import descriptors
from probatum.problems.catechol.problem import Catechol
from probatum.problems.catechol.solvents import REACTION, by_name, by_smiles, drfp, fragprints, inputs, training_range
from probatum.problems.text_table import read

pytestmark = pytest.mark.real
CYRENE = "Dihydrolevoglucosenone (Cyrene)"

needs_extra = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("rdkit", "drfp")), reason="needs probatum[catechol]"
)


@pytest.fixture
def folder(real_data: Path) -> Path:
    return real_data / "catechol"


def tabulated(folder: Path, file: str) -> dict[str, np.ndarray]:
    """All columns of a fingerprint's table, by solvent."""
    table = read(folder / file)
    columns = [table.numbers(name) for name in table.columns if name != "SOLVENT NAME"]
    return dict(zip(table.labels("SOLVENT NAME").tolist(), np.stack(columns, axis=1), strict=True))


def smiles(folder: Path) -> dict[str, str]:
    table = read(folder / "smiles_lookup.csv")
    return dict(zip(table.labels("SOLVENT NAME").tolist(), table.labels("solvent smiles").tolist(), strict=True))


@pytest.mark.parametrize("name", ["THF [Tetrahydrofuran]", "thf", "TETRAHYDROFURAN", " Thf "])
def test_names_are_known_in_any_case_and_by_what_stands_in_brackets(folder: Path, name: str):
    found = by_name(name, folder)
    assert (found.name, found.smiles) == ("THF [Tetrahydrofuran]", "C1CCOC1")
    assert {block: len(values) for block, values in found.descriptors.items()} == {
        "spange": 13,
        "acs": 5,
        "drfp": 122,
        "fragprints": 144,
    }
    assert not any(found.unseen.values())


def test_an_unknown_name_is_answered_with_the_nearest(folder: Path):
    with pytest.raises(UnknownNameError, match="unknown solvent 'etanol'; did you mean 'ethanol' or 'methanol'"):
        by_name("Etanol", folder)


@needs_extra
def test_published_drfp_is_reproduced_but_for_cyrene_whose_row_knows_no_solvent(folder: Path):
    published = tabulated(folder, "drfps_catechol_lookup.csv")
    known = smiles(folder)
    differ = [name for name, bits in published.items() if not np.array_equal(drfp(known[name]), bits)]
    assert differ == [CYRENE]
    from drfp import DrfpEncoder

    np.testing.assert_array_equal(published[CYRENE], DrfpEncoder.encode(REACTION.replace(".{}", ""))[0])


@needs_extra
def test_published_fragprints_are_reproduced(folder: Path):
    known = smiles(folder)
    for name, values in tabulated(folder, "fragprints_lookup.csv").items():
        np.testing.assert_array_equal(fragprints(known[name]), values, err_msg=name)


@needs_extra
@pytest.mark.parametrize("written", ["OCC", "C(C)O", "[CH3][CH2][OH]"])
def test_a_smiles_of_a_tabulated_solvent_is_that_solvent(folder: Path, written: str):
    found = by_smiles(written, folder)
    assert found.name == "Ethanol"
    assert "spange" in found.descriptors


@needs_extra
def test_a_new_solvent_has_what_can_be_computed_and_refuses_the_rest(folder: Path):
    propanol = by_smiles("CCCO", folder)
    assert set(propanol.descriptors) == {"drfp", "fragprints"}
    table = descriptors(read(folder / "fragprints_lookup.csv"))
    for column, value in zip(table.columns, propanol.block("fragprints"), strict=True):
        assert value == fragprints("CCCO")[int(column)]
    with pytest.raises(DataError, match=r"'spange' is not known of CCCO: .* cannot be computed from a SMILES; use"):
        inputs(["spange", "kinetics"], propanol, propanol, np.zeros(1), np.full(1, 200.0), np.ones(1))


@needs_extra
def test_water_has_no_fingerprint_in_the_tables_but_one_by_its_smiles(folder: Path):
    water = by_name("water", folder)
    assert "spange" in water.descriptors
    with pytest.raises(DataError, match="no table has 'drfp' of Water; give its SMILES, 'O'"):
        water.block("drfp")
    computed = by_smiles("[OH2]", folder)
    assert computed.name == "Water"
    np.testing.assert_array_equal(computed.block("spange"), water.block("spange"))
    assert len(computed.block("drfp")) == 122


@needs_extra
def test_bits_that_no_tabulated_solvent_has_are_counted(folder: Path):
    assert by_smiles("c1ccccc1Br", folder).unseen["fragprints"] > 3
    toluene = by_smiles("Cc1ccccc1", folder)
    table = tabulated(folder, "fragprints_lookup.csv")
    anywhere = np.any(list(table.values()), axis=0)
    assert toluene.unseen["fragprints"] == ((fragprints("Cc1ccccc1") > 0) & ~anywhere).sum()


@needs_extra
@pytest.mark.parametrize("written", ["C1CC", "ethanol", "", "C(C"])
def test_a_smiles_that_cannot_be_read_is_refused_without_noise(
    folder: Path, written: str, capfd: pytest.CaptureFixture
):
    with pytest.raises(DataError, match="no SMILES that RDKit can read"):
        by_smiles(written, folder)
    assert capfd.readouterr().err == ""


def test_without_rdkit_the_remedy_is_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(UsageError, match=r"rdkit, which is not installed; pip install probatum\[catechol\]"):
        by_smiles("CCO", folder)


def test_inputs_of_a_query_are_those_of_the_measured_rows(folder: Path):
    problem = Catechol()
    full = problem.dataset("full")
    ramp = np.flatnonzero(full.groups["ramp"] == full.groups["ramp"][0])
    rows = full.take(ramp)
    o = {name: np.asarray(values) for name, values in rows.observations.items()}
    assert len(set(o["solvent_a"].tolist())) == 1
    a, b = by_name(o["solvent_a"][0], folder), by_name(o["solvent_b"][0], folder)
    names = list(problem.features)
    expected = np.concatenate([problem.features[name].compute(rows) for name in names], axis=1)
    found = inputs(names, a, b, o["fraction_b"], o["temperature"], o["residence_time"])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("conditions", "what"),
    [((1.5, 200, 5), "fraction of solvent B"), ((0.5, -300, 5), "deg C"), ((0.5, 200, 0), "minutes")],
)
def test_impossible_conditions_are_refused(folder: Path, conditions: tuple[float, float, float], what: str):
    water = by_name("water.acetonitrile", folder)
    with pytest.raises(DataError, match=f"is impossible; give .*{what}"):
        inputs(["kinetics"], water, water, *(np.array([value]) for value in conditions))


def test_a_feature_that_nobody_knows_is_refused(folder: Path):
    ethanol = by_name("ethanol", folder)
    with pytest.raises(UnknownNameError, match="did you mean 'spange'"):
        inputs(["spang"], ethanol, ethanol, np.zeros(1), np.full(1, 200.0), np.ones(1))


def test_the_training_range_is_that_of_the_named_solvents(folder: Path):
    names, low, high = training_range("spange", ["Ethanol", "Cyclohexane"], folder)
    assert names[0] == "dielectric constant"
    assert low[0] == by_name("cyclohexane", folder).block("spange")[0] == 2.02
    assert high[0] == by_name("ethanol", folder).block("spange")[0] > 20
    assert (low <= high).all()
