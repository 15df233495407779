"""A split of one's own, as arrays or tables, audited alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from probatum import audit
from probatum.audit.finding import Finding
from probatum.errors import CampaignFileError, DataError, UnknownNameError


def numbers(rows: int, seed: int = 0, columns: int = 4) -> np.ndarray:
    return np.random.default_rng([seed, rows]).normal(size=(rows, columns))


def serious(found: audit.Audit) -> list[str]:
    return [f.code for f in found.findings if f.severity != "note"]


def test_independent_rows_are_silent():
    found = audit.split(numbers(80), numbers(20), numbers(80, 1)[:, 0], numbers(20, 1)[:, 0])
    assert serious(found) == []
    assert {"PB101", "PB102", "PB103", "PB104", "PB105", "PB106"} <= set(found.checked)
    assert found.errors == ()


def test_copied_rows_are_an_error_that_names_the_split_and_the_figure():
    train, test = numbers(80), numbers(20)
    test[:3] = train[:3]
    found = audit.split(train, test, name="2024 / 2025")
    (finding,) = (f for f in found.findings if f.code == "PB101")
    assert isinstance(finding, Finding)
    assert (finding.severity, finding.subject, finding.figures["rows"]) == ("error", "2024 / 2025", 3)
    assert found.errors == found.against("2024 / 2025") == (finding,)


def test_what_is_ignored_with_a_reason_does_not_block():
    train, test = numbers(80), numbers(20)
    test[0] = train[0]
    found = audit.split(train, test, ignore={"PB101": "a blank, measured every day"})
    assert found.errors == ()
    assert [f.ignored for f in found.findings if f.code == "PB101"] == ["a blank, measured every day"]
    with pytest.raises(CampaignFileError, match="without a reason"):
        audit.split(train, test, ignore={"PB101": ""})


def test_groups_samples_sources_and_origins_are_looked_at():
    train, test = numbers(40), numbers(10)
    torn = audit.split(train, test, groups=(np.arange(40) // 8, np.repeat(4, 10)))
    assert serious(torn) == ["PB103"]
    assert "'group'" in torn.findings[0].message
    named = audit.split(train, test, groups={"batch": (np.arange(40), np.arange(40, 50)), "day": ([1] * 40, [1] * 10)})
    assert ["'day'" in f.message for f in named.findings if f.code == "PB103"] == [True]
    samples = audit.split(train, test, replicates=(np.arange(40), np.arange(38, 48)))
    assert serious(samples) == ["PB103"]
    assert samples.findings[0].figures["groups"] == 2
    origins = audit.split(train, test, origins=(["seed 1"] * 40, ["seed 1"] * 10))
    assert serious(origins) == ["PB603"]
    train[20:30] = train[:10]
    sources = audit.split(train, test, sources=(["a"] * 20 + ["b"] * 20, ["a"] * 10))
    assert "PB104" in serious(sources)


def test_labels_that_are_not_finite_are_an_error():
    y = numbers(80, 1)[:, 0]
    y[:8] = np.inf
    found = audit.split(numbers(80), numbers(20), y, numbers(20, 1)[:, 0])
    assert serious(found) == ["PB106"]
    assert found.findings[0].figures["share"] == 0.08


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    both = pd.DataFrame(numbers(100), columns=["t", "T", "c", "yield"])
    both["lab"] = ["north", "south"] * 50
    both["remark"] = [f"row {i}" for i in range(100)]
    return both.iloc[:80], both.iloc[80:]


def test_tables_are_audited_by_the_names_of_their_columns():
    train, test = frames()
    assert serious(audit.split_of_tables(train, test, target=("yield",))) == []
    torn = audit.split_of_tables(train, test, target=("yield",), group=("lab",))
    assert "2 groups of 'lab'" in next(f.message for f in torn.findings if f.code == "PB103")
    test = test.assign(T=25.0)
    still = audit.split_of_tables(train, pd.concat([test, test.assign(t=test["t"] + 0.31)]), target=("yield",))
    assert "'T' is 25" in next(f.message for f in still.findings if f.code == "PB105")


def test_tables_name_their_sources():
    train, test = frames()
    train = pd.concat([train, train.iloc[:10].assign(lab="south")])
    found = audit.split_of_tables(train, test, target=("yield",), source="lab")
    assert "PB104" in serious(found)


def test_labels_are_equal_where_their_values_are():
    train, test = numbers(40), numbers(10)
    torn = audit.split(train, test, groups=(np.arange(40), np.full(10, 7.0)))
    assert serious(torn) == ["PB103"]
    assert serious(audit.split(train, test, groups=(np.arange(40).astype(str), np.full(10, 7, dtype=object)))) == [
        "PB103"
    ]
    assert serious(audit.split(train, test, groups=(np.arange(40), np.arange(40, 50.0)))) == []


def test_sides_without_rows_or_columns_are_silent():
    for rows in ((0, 5), (5, 0), (0, 0)):
        sides = [numbers(n) for n in rows]
        here, there = (np.arange(n) + 10 * n for n in rows)
        found = audit.split(*sides, *(s[:, 0] for s in sides), groups=(here, there))
        assert serious(found) == []
    assert serious(audit.split(np.zeros((9, 0)), np.zeros((4, 0)))) == []


def test_a_frame_and_an_array_fit_by_the_order_of_their_columns():
    train, test = frames()
    inputs = ["t", "T", "c"]
    found = audit.split(train[inputs], test[inputs].to_numpy() + np.array([0, 50, 0]))
    assert "column 'T'" in next(f.message for f in found.findings if f.code == "PB604")


def test_columns_in_another_order_are_taken_by_their_names():
    train, test = frames()
    copies = pd.concat([test, train.iloc[:3]])[["lab", "yield", "c", "T", "t", "remark"]]
    (finding,) = (f for f in audit.split_of_tables(train, copies, target="yield").findings if f.code == "PB101")
    assert finding.figures["rows"] == 3


@pytest.mark.parametrize("kind", [object, "Float64", "float64[pyarrow]"])
def test_numbers_of_any_dtype_are_numbers_and_missing_ones_are_missing(kind):
    train, test = (side.drop(columns="remark").astype({"c": kind}) for side in frames())
    train.loc[train.index[:4], "T"] = None
    train["T"] = train["T"].astype("Float64")
    test.iloc[:3, :2] = train.iloc[4:7, :2]
    test.iloc[:3, 2:4] = train.iloc[4:7, 2:4]
    (finding,) = (f for f in audit.split_of_tables(train, test, target="yield").findings if f.code == "PB101")
    assert finding.figures["rows"] == 3


def test_parquet_files_are_read_as_frames_are(tmp_path: Path):
    train, test = frames()
    train = pd.concat([train, train.iloc[:10].assign(lab="south")]).astype({"t": "float32"})
    train["switched"], test = train["t"] > 0, test.assign(switched=test["t"] > 0, t=test["t"].astype("float32"))
    train.loc[train.index[5], "c"] = np.nan
    for name, frame in (("train", train), ("test", test)):
        frame.to_parquet(tmp_path / f"{name}.parquet", row_group_size=17, index=False)
    found = [
        audit.split_of_tables(*sides, target="yield", group="lab", source="lab")
        for sides in ((tmp_path / "train.parquet", str(tmp_path / "test.parquet")), (train, test))
    ]
    assert found[0].findings == found[1].findings
    assert {"PB103", "PB104"} <= set(serious(found[0]))


def test_files_that_are_no_tables_are_refused(tmp_path: Path):
    (tmp_path / "text.parquet").write_text("no table")
    for name, what in (("text.parquet", "is no Parquet file"), ("none.parquet", "no such table")):
        with pytest.raises(DataError, match=what):
            audit.split_of_tables(tmp_path / name, frames()[1])
    train, test = frames()
    train.loc[train.index[3], "lab"] = None
    train.to_parquet(tmp_path / "train.parquet")
    for side in (train, tmp_path / "train.parquet"):
        with pytest.raises(DataError, match="lab is missing in 1 of 80 rows"):
            audit.split_of_tables(side, test, target="yield", group="lab")


MANY = """
import resource, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from probatum import audit

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

folder, rng = sys.argv[1], np.random.default_rng(0)
for name, pieces in (("train", 8), ("test", 2)):
    with pq.ParquetWriter(f"{folder}/{name}.parquet", pa.schema([(c, pa.float64()) for c in "abc"])) as writer:
        for _ in range(pieces):
            writer.write_table(pa.table({c: rng.normal(size=100_000) for c in "abc"}))
small = f"{folder}/small.parquet"
pq.write_table(pa.table({c: rng.normal(size=100) for c in "abc"}), small)
audit.split_of_tables(small, small)
before = peak()
audit.split_of_tables(f"{folder}/train.parquet", f"{folder}/test.parquet")
print((peak() - before) / (1_000_000 * 3 * 8))
"""


def test_tables_of_many_rows_take_a_few_times_their_size_of_memory(tmp_path: Path):
    run = subprocess.run([sys.executable, "-c", MANY, str(tmp_path)], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 8


def test_arrays_that_do_not_fit_are_refused():
    good, y = numbers(10), np.zeros(10)
    with pytest.raises(DataError, match="train has 4 columns, test has 3"):
        audit.split(good, numbers(5, columns=3))
    with pytest.raises(DataError, match="only one side has targets"):
        audit.split(good, good, y)
    with pytest.raises(DataError, match="targets has 3 rows, the inputs have 10"):
        audit.split(good, good, y[:3], y)
    with pytest.raises(DataError, match="batch has 2 rows, the inputs have 10"):
        audit.split(good, good, groups={"batch": ([1, 2], list(range(10)))})
    with pytest.raises(DataError, match="origins has 1 rows"):
        audit.split(good, good, origins=([1], [1]))
    with pytest.raises(DataError, match="is no array of numbers"):
        audit.split([["red"]], [["blue"]])
    with pytest.raises(DataError, match="has 1 axes"):
        audit.split(y, y)
    with pytest.raises(DataError, match="complex numbers have no order"):
        audit.split(good + 1j, good)
    with pytest.raises(DataError, match="y_train has 2 columns, y_test has 1"):
        audit.split(good, good, good[:, :2], y)
    for wrong in (y, (y, y, y)):
        with pytest.raises(DataError, match="group is no pair"):
            audit.split(good, good, groups=wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(DataError, match="group is missing in 1 of 10 rows"):
        audit.split(good, good, groups=(["a", None, *"bcdefghi"], ["z"] * 10))
    with pytest.raises(DataError, match="replicates is missing in 10 of 10 rows"):
        audit.split(good, good, replicates=(y * np.nan, y))
    with pytest.raises(DataError, match="columns differ, first at 'a'"):
        audit.split(pd.DataFrame({"a": y}), pd.DataFrame({"b": y}))


def test_tables_that_do_not_fit_are_refused():
    train, test = frames()
    with pytest.raises(UnknownNameError, match="unknown column 'yeild'; did you mean 'yield'"):
        audit.split_of_tables(train, test, target=("yeild",))
    with pytest.raises(DataError, match="'c' stands in train and not in test"):
        audit.split_of_tables(train, test.drop(columns="c"), target=("yield",))
    with pytest.raises(DataError, match="'d' stands in test and not in train"):
        audit.split_of_tables(train, test.assign(d=1.0), target=("yield",))
    for one, other in (("train", "test"), ("test", "train")):
        sides = {one: frames()[0], other: frames()[1].assign(c="red")}
        with pytest.raises(DataError, match=f"'c' holds numbers in {one} and text in {other}"):
            audit.split_of_tables(sides["train"], sides["test"], target=("yield",))
    with pytest.raises(DataError, match="train: target 'lab' holds text"):
        audit.split_of_tables(train, test, target=("lab",))
    with pytest.raises(DataError, match="'t' stands there twice"):
        audit.split_of_tables(pd.concat([train, train["t"]], axis=1), test, target=("yield",))
    with pytest.raises(DataError, match="ndarray is no table"):
        audit.split_of_tables(numbers(10), numbers(10))
    with pytest.raises(DataError, match="no column of numbers is left"):
        audit.split_of_tables(train[["remark", "yield"]], test, target=("yield",))


def test_a_clean_split_is_silent_in_more_than_99_of_100_cases():
    alarms = 0
    for seed in range(150):
        x = numbers(90, seed)
        y = x[:, :1] + np.random.default_rng(seed).normal(0, 0.5, (90, 1))
        group = np.arange(90) // 6
        test = group % 5 == seed % 5
        sides = (group[~test], group[test])
        alarms += bool(serious(audit.split(x[~test], x[test], y[~test], y[test], groups=sides, sources=sides)))
    assert alarms <= 4  # 1.5 expected at most, 5 or more with a probability of 2 %
