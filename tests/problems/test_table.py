"""A table of the user's own is a problem, and every mistake in it is answered by file, line, column and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probatum.errors import CampaignFileError, DataError, DataMissingError
from probatum.problems.problem import Dataset
from probatum.problems.registry import build
from probatum.problems.table import Table, unit_of

TEXT = """mass (mg),solvent,batch,sample,yield [%]
1.5,water,b1,s1,10
2.5,ethanol,b1,s1,12
3.5,water,b2,s2,20.5
4.5,ethanol,b2,s3,30
"""
ROLES = {"target": "yield [%]", "group": "batch", "replicate": "sample"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "my.csv").write_text(TEXT)
    return tmp_path / "my.csv"


def read(path: Path, **options: Any) -> Dataset:
    return build("table", {"path": str(path), **ROLES, **options}).dataset("table")


def message(path: Path, old: str, new: str, **options: Any) -> str:
    assert old in TEXT
    path.write_text(TEXT.replace(old, new, 1))
    return said(path, **options)


def said(path: Path, kind: type[DataError] = DataError, **options: Any) -> str:
    with pytest.raises(kind) as raised:
        read(path, **options)
    assert "\n" not in str(raised.value)
    assert path.name in str(raised.value)
    return str(raised.value)


def test_columns_are_inputs_unless_they_have_another_role(path: Path):
    dataset = read(path)
    assert list(dataset.observations) == ["mass (mg)", "solvent"]
    assert dataset.units == {"mass (mg)": "mg", "solvent": "1"}
    assert dataset.quantities[0].name == "yield [%]"
    assert dataset.quantities[0].unit == "%"
    assert dataset.targets().tolist() == [[10.0], [12.0], [20.5], [30.0]]
    assert dataset.groups["batch"].tolist() == ["b1", "b1", "b2", "b2"]
    assert dataset.replicates is not None
    assert dataset.replicates.tolist() == [0, 0, 1, 2]
    assert dataset.cases.tolist() == ["line 2", "line 3", "line 4", "line 5"]


def test_features_are_numbers_categories_and_each_column(path: Path):
    problem = build("table", {"path": str(path), **ROLES})
    dataset = problem.dataset("table")
    assert set(problem.features) == {"numbers", "categories", "mass (mg)", "solvent"}
    assert problem.default_features == ("numbers", "categories")
    assert problem.features["numbers"].compute(dataset).tolist() == [[1.5], [2.5], [3.5], [4.5]]
    assert problem.features["categories"].compute(dataset).tolist() == [[0, 1], [1, 0], [0, 1], [1, 0]]


def test_without_a_group_rows_are_independent(path: Path):
    assert read(path, group=None).groups == {}


def test_several_columns_may_be_predicted_at_once(path: Path):
    dataset = read(path, target=["yield [%]", "mass (mg)"])
    assert dataset.quantity_names == ("yield [%]", "mass (mg)")
    assert dataset.targets().shape == (4, 2)


def test_numbers_can_be_declared_categories_and_columns_ignored(path: Path):
    problem = build("table", {"path": str(path), "target": "yield [%]", "ignore": ["sample", "solvent"]})
    assert problem.features["batch"].compute(problem.dataset("table")).tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    path.write_text("plate,y\n1,2\n1,3\n2,4\n")
    problem = build("table", {"path": str(path), "target": "y", "categorical": ["plate"]})
    assert problem.default_features == ("categories",)


def test_parquet_reads_as_the_same_cases(path: Path, tmp_path: Path):
    pd.read_csv(path).to_parquet(tmp_path / "my.parquet", index=False)
    csv, parquet = read(path), read(tmp_path / "my.parquet")
    assert parquet.targets().tolist() == csv.targets().tolist()
    assert parquet.groups["batch"].tolist() == csv.groups["batch"].tolist()
    assert parquet.cases.tolist() == ["row 1", "row 2", "row 3", "row 4"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_a_byte_order_mark_are_understood(path: Path, delimiter: str):
    path.write_text(TEXT.replace(",", delimiter), encoding="utf-8-sig")
    assert read(path).targets().tolist() == [[10.0], [12.0], [20.5], [30.0]]


def test_quoted_cells_may_hold_line_breaks_and_errors_still_name_the_right_line(path: Path):
    path.write_text('note,x,y\n"two\nlines",1,2\na,2,3\na,bad,5\na,4,6\n')
    with pytest.raises(DataError, match="line 5, column 'x': 'bad' is no finite number"):
        Table(str(path), "y").dataset("table")


def test_relative_paths_start_at_the_current_folder(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(path.parent)
    assert read(Path("my.csv")).digest == read(path).digest


def test_a_changed_file_is_read_again(path: Path):
    before = read(path).digest
    path.write_text(TEXT.replace("20.5", "20.6"))
    assert read(path).digest != before


def test_a_missing_file_is_answered_with_the_nearest(path: Path):
    assert "there is no such file; did you mean 'my.csv'" in said(path.with_name("myy.csv"), DataMissingError)
    assert "there is no such file" in said(path.parent / "nowhere" / "x.csv", DataMissingError)


@pytest.mark.parametrize("role", ["target", "group", "replicate", "ignore", "categorical"])
def test_a_missing_column_is_answered_with_the_nearest(path: Path, role: str):
    value = ["bath"] if role in ("ignore", "categorical") else "bath"
    assert f"{role}: no column 'bath'; did you mean 'batch'" in said(path, **{role: value})


@pytest.mark.parametrize(("cell", "what"), [("n/a", "'n/a' is no"), ("inf", "'inf' is no"), ("", "the cell is empty")])
def test_a_bad_cell_in_a_number_column_is_named(path: Path, cell: str, what: str):
    assert f"line 4, column 'mass (mg)': {what}" in message(path, "3.5", cell)
    assert "name the column in 'categorical' or 'ignore'" in message(path, "3.5", cell)


@pytest.mark.parametrize(("cell", "what"), [("high", "'high'"), ("nan", "'nan'"), ("-inf", "'-inf'"), ("", "empty")])
def test_a_bad_target_is_named(path: Path, cell: str, what: str):
    answer = message(path, "20.5", cell)
    assert "line 4, column 'yield [%]'" in answer
    assert what in answer


def test_an_empty_label_is_named(path: Path):
    assert "line 2, column 'batch': the label is empty" in message(path, "b1", "")
    assert "line 2, column 'solvent': the label is empty" in message(path, "water", "")


def test_two_columns_of_one_name_are_refused(path: Path):
    assert "2 columns are named 'batch'; give each its own name" in message(path, "solvent", "batch")


def test_a_column_without_a_name_is_refused(path: Path):
    assert "column 1 has no name" in message(path, "mass (mg)", "")


def test_a_table_needs_rows_and_inputs(path: Path):
    assert "no column is left as input" in said(path, ignore=["mass (mg)", "solvent"])
    path.write_text(TEXT.splitlines()[0])
    assert "the table has no rows" in said(path)
    path.write_text("")
    assert "the file is empty" in said(path)


def test_a_row_with_too_few_cells_is_named(path: Path):
    assert "line 3: 4 cells under a header of 5" in message(path, "ethanol,b1", "ethanol")


def test_a_target_that_never_varies_is_refused(path: Path):
    path.write_text("x,y\n1,5\n2,5\n")
    with pytest.raises(DataError, match="column 'y': the target is 5 in every row; choose a column that varies"):
        Table(str(path), "y").dataset("table")


def test_a_text_column_without_repetition_is_refused_as_input(path: Path):
    path.write_text("id,x,y\na,1,5\nb,2,6\nc,3,7\n")
    with pytest.raises(
        DataError, match=r"column 'id': every row holds a text of its own.*; name the column in 'ignore'"
    ):
        Table(str(path), "y").dataset("table")


def test_a_target_has_no_second_role(path: Path):
    assert "is target and group at once; give it one role" in said(path, group="yield [%]")
    assert "is target and target at once" in said(path, target=["yield [%]", "yield [%]"])
    assert "no target is named" in said(path, target=[])


def test_a_file_that_is_not_utf8_is_named_by_line(path: Path):
    path.write_bytes(TEXT.replace("water,b2", "wässer,b2").encode("latin-1"))
    assert "line 4: byte 0xe4 is not UTF-8; save the file as CSV in UTF-8" in said(path)


def test_a_parquet_file_that_is_none_is_refused(path: Path):
    path.with_suffix(".parquet").write_text(TEXT)
    assert "is no Parquet file" in said(path.with_suffix(".parquet"))


def test_a_folder_is_no_table(tmp_path: Path):
    assert "cannot be read" in said(tmp_path)


def test_options_are_checked_before_the_file():
    with pytest.raises(CampaignFileError, match="target: Field required"):
        build("table", {"path": "x.csv"})
    with pytest.raises(CampaignFileError, match=r"unknown key 'targets'.*did you mean 'target'"):
        build("table", {"path": "x.csv", "targets": "y"})


@pytest.mark.parametrize(
    ("name", "unit"), [("yield [%]", "%"), ("mass (mg)", "mg"), ("T / K", "1"), ("f(n)", "n"), ("rate [ 1/s ] ", "1/s")]
)
def test_units_are_read_from_the_end_of_a_name(name: str, unit: str):
    assert unit_of(name) == unit


numbers = st.floats(allow_nan=False, allow_infinity=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    rows=st.lists(
        st.tuples(numbers, st.sampled_from(["a", "b", 'say "c", d', "line\nbreak", "é;µ"]), numbers),
        min_size=2,
        max_size=12,
    )
)
def test_every_number_and_text_comes_back_with_the_same_bits(path: Path, rows: list[tuple[float, str, float]]):
    frame = pd.DataFrame([*rows, *rows, (0.0, "a", 1.0), (0.0, "a", 2.0)], columns=["x", "kind", "y"])
    for file, write in ((path, frame.to_csv), (path.with_suffix(".parquet"), frame.to_parquet)):
        write(file, index=False)
        dataset = Table(str(file), "y").dataset("table")
        assert np.asarray(dataset.observations["x"]).tobytes() == frame["x"].to_numpy().tobytes()
        assert dataset.targets()[:, 0].tobytes() == frame["y"].to_numpy().tobytes()
        assert np.asarray(dataset.observations["kind"]).tolist() == frame["kind"].tolist()
