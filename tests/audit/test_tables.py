"""Frames and Parquet files, read alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from probatum.audit import tables
from probatum.audit.tables import table
from probatum.errors import DataError

FRAME = pd.DataFrame({
    "real": [0.5, np.nan, np.inf, -1.0, 2.0],
    "whole": [1, 2, 3, 2**60, -5],
    "flag": [True, False, True, True, False],
    "missing": pd.array([1, None, 3, None, 5], dtype="Int64"),
    "text": ["a", "b", "a", None, "c"],
})  # fmt: skip


@pytest.fixture(params=["frame", "file", "file in pieces"])
def read(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tables.Table:
    if request.param == "frame":
        return table(FRAME, "train")
    if request.param == "file in pieces":
        monkeypatch.setattr(tables, "PIECE", 2)
    FRAME.to_parquet(tmp_path / "table.parquet", row_group_size=3)
    return table(tmp_path / "table.parquet", "train")


def test_columns_of_numbers_are_told_from_text(read: tables.Table):
    assert read.columns == tuple(FRAME.columns)
    assert [c for c in read.columns if read.is_numeric(c)] == ["real", "whole", "flag", "missing"]


def test_numbers_are_read_in_the_order_that_is_asked_for_and_missing_ones_are_nan(read: tables.Table):
    expected = [[1, 1, 1, 0.5], [0, np.nan, 2, np.nan], [1, 3, 3, np.inf], [1, np.nan, 2**60, -1], [0, 5, -5, 2]]
    found = read.numbers(["flag", "missing", "whole", "real"])
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64))


def test_labels_are_the_values_and_none(read: tables.Table):
    assert read.labels("text").tolist() == ["a", "b", "a", None, "c"]
    assert read.labels("whole").tolist() == FRAME["whole"].tolist()


def test_an_empty_file_has_no_rows(tmp_path: Path):
    FRAME.iloc[:0].to_parquet(tmp_path / "empty.parquet")
    read = table(tmp_path / "empty.parquet", "test")
    assert read.numbers(["real", "whole"]).shape == (0, 2)
    assert read.labels("text").shape == (0,)


def test_a_column_that_stands_twice_is_refused():
    with pytest.raises(DataError, match="train: column 'real' stands there twice"):
        table(pd.concat([FRAME, FRAME["real"]], axis=1), "train")
