"""Files of the user's own in the published format: what works, and what every mistake is answered with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import CampaignFileError, DataError, DataMissingError
from probatum.problems.catechol.data import clusters
from probatum.problems.catechol.problem import Catechol
from probatum.problems.registry import build

SINGLE, FULL = "catechol_single_solvent_yields.csv", "catechol_full_data_yields.csv"
SINGLE_TEXT = """SOLVENT NAME,Temperature,Residence Time,SM,Product 2,Product 3
Water,175,2.0,0.9,0.05,0.01
Water,175,2.04,0.8,0.05,0.01
Ethanol,200,4.0,0.5,0.2,0.1
"""
FULL_TEXT = """SOLVENT A NAME,SOLVENT B NAME,SolventB%,Temperature,Residence Time,SM,Product 2,Product 3,RAMP NUM
Water,Ethanol,0.0,175,2.0,0.9,0.05,0.01,2
Ethanol,Water,0.5,175,2.0,0.7,0.06,0.02,10
Decanol,THF,1,200,4.0,0.5,0.2,0.1,11
"""
SPANGE_TEXT = "SOLVENT NAME,polarity,constant\nWater,80.1,1\nEthanol,24.5,1.0\nTHF,7.6,1\nDecanol,8.0,1\n"
SPANGE = "spange_descriptors_lookup.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / SINGLE).write_text(SINGLE_TEXT)
    (tmp_path / FULL).write_text(FULL_TEXT)
    (tmp_path / SPANGE).write_text(SPANGE_TEXT)
    return tmp_path


def spoil(folder: Path, name: str, old: str, new: str) -> Catechol:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    return Catechol(folder=str(folder))


def message(error: Callable[[], object], kind: type[DataError] = DataError) -> str:
    with pytest.raises(kind) as raised:
        error()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_folder_of_ones_own_is_read_in_place_of_the_published_data(folder: Path):
    problem = build("catechol", {"folder": str(folder)})
    single, full = problem.dataset("single"), problem.dataset("full")
    assert single.groups["solvent"].tolist() == ["Water", "Water", "Ethanol"]
    assert single.replicates is not None
    assert single.replicates.tolist() == [0, 0, 1]
    assert full.groups["ramp"].tolist() == ["Ethanol | Water", "Ethanol | Water", "Decanol | THF"]
    assert full.groups["run"].tolist() == ["02", "10", "11"]
    assert full.dependence is not None
    assert full.dependence.tolist() == ["Ethanol", "Ethanol", "Decanol"]
    np.testing.assert_allclose(problem.features["spange"].compute(full), [[80.1], [52.3], [7.6]])


def test_changed_files_show_in_digest_and_origin(folder: Path):
    before = Catechol(str(folder)).dataset("single")
    after = spoil(folder, SINGLE, "0.9", "0.8").dataset("single")
    assert before.digest != after.digest
    assert before.origin.files[SINGLE] != after.origin.files[SINGLE]


def test_single_solvents_alone_are_enough_for_the_single_task(folder: Path):
    (folder / FULL).unlink()
    dependence = Catechol(str(folder)).dataset("single").dependence
    assert dependence is not None
    assert dependence.tolist() == ["Water", "Water", "Ethanol"]
    assert FULL in message(lambda: Catechol(str(folder)).dataset("full"), DataMissingError)


def test_a_missing_column_is_named_with_the_nearest(folder: Path):
    said = message(lambda: spoil(folder, SINGLE, "Product 2", "Product2").dataset("single"))
    assert SINGLE in said
    assert "no column 'Product 2'; did you mean 'Product2'" in said


@pytest.mark.parametrize(("value", "what"), [("n.d.", "'n.d.' is no finite number"), ("", "the cell is empty")])
def test_a_cell_that_is_no_number_is_named_by_line_and_column(folder: Path, value: str, what: str):
    said = message(lambda: spoil(folder, SINGLE, "0.5,0.2", f"{value},0.2").dataset("single"))
    assert f"{SINGLE}, line 4, column 'SM': {what}; correct the cell or remove the row" in said


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1_000"])
def test_yields_must_be_finite_numbers(folder: Path, value: str):
    said = message(lambda: spoil(folder, FULL, "0.5,0.2", f"{value},0.2").dataset("full"))
    assert f"line 4, column 'SM': '{value}' is no finite number" in said


def test_yields_in_percent_are_recognised(folder: Path):
    said = message(lambda: spoil(folder, SINGLE, "0.5,0.2", "50,20").dataset("single"))
    assert "line 4, column 'SM': a yield of 50 looks like percent; divide by 100" in said


@pytest.mark.parametrize(
    ("value", "remedy"), [("50", "looks like percent; divide by 100"), ("-0.1", "correct the cell")]
)
def test_fractions_of_solvent_lie_between_zero_and_one(folder: Path, value: str, remedy: str):
    said = message(lambda: spoil(folder, FULL, "Water,0.5", f"Water,{value}").dataset("full"))
    assert f"line 3, column 'SolventB%': {value} is no fraction from 0 to 1; " in said
    assert remedy in said


@pytest.mark.parametrize(("old", "new", "unit"), [("4.0", "0", "minutes"), ("200", "-300", "deg C")])
def test_impossible_conditions_are_refused(folder: Path, old: str, new: str, unit: str):
    said = message(lambda: spoil(folder, SINGLE, f"{old},", f"{new},").dataset("single"))
    assert f"{new} is impossible; give it in {unit}" in said


def test_a_solvent_without_descriptors_is_named(folder: Path):
    problem = spoil(folder, SINGLE, "Ethanol", "Ethanal")
    said = message(lambda: problem.features["spange"].compute(problem.dataset("single")))
    assert f"{SPANGE}, column 'SOLVENT NAME': solvent 'Ethanal' is not in this table" in said
    assert "did you mean 'Ethanol'" in said


def test_a_solvent_with_two_rows_of_descriptors_is_refused(folder: Path):
    problem = spoil(folder, SPANGE, "THF", "Water")
    said = message(lambda: problem.features["spange"].compute(problem.dataset("single")))
    assert "line 4, column 'SOLVENT NAME': 'Water' stands twice" in said


def test_a_lookup_table_that_is_not_there_is_named(folder: Path):
    problem = Catechol(str(folder))
    said = message(lambda: problem.features["acs"].compute(problem.dataset("single")), DataMissingError)
    assert "acs_pca_descriptors_lookup.csv: there is no such file" in said


@pytest.mark.parametrize(("text", "what"), [("", "the file is empty"), (SINGLE_TEXT.split("\n")[0], "has no rows")])
def test_an_empty_file_is_refused(folder: Path, text: str, what: str):
    (folder / SINGLE).write_text(text)
    assert what in message(lambda: Catechol(str(folder)).dataset("single"))


def test_a_folder_that_is_not_there_is_named_with_what_to_do(tmp_path: Path):
    said = message(lambda: Catechol(str(tmp_path / "nowhere")).dataset("single"), DataMissingError)
    assert "nowhere: there is no such folder; run 'probatum data fetch catechol'" in said


def test_an_unknown_option_is_refused():
    with pytest.raises(CampaignFileError, match="unknown key 'foldr' of problem 'catechol'; did you mean 'folder'"):
        build("catechol", {"foldr": "x"})


def test_features_can_be_listed_without_any_data(tmp_path: Path):
    problem = Catechol(str(tmp_path / "nowhere"))
    assert set(problem.default_features) <= set(problem.features)
    assert all(feature.description for feature in problem.features.values())


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=12))
def test_clusters_are_the_finest_that_no_ramp_leaves(pairs: list[tuple[str, str]]):
    found = clusters("abcdefgh", pairs)
    assert all(found[one] == found[other] for one, other in pairs)
    assert all(found[found[name]] == found[name] <= name for name in found)
    # Joining by flooding from each solvent gives the same number of clusters.
    reached = {name: {name} for name in found}
    for _ in found:
        for one, other in pairs:
            union = reached[one] | reached[other]
            reached[one] = reached[other] = union
            for name in union:
                reached[name] = union
    assert len(set(found.values())) == len({frozenset(s) for s in reached.values()})
