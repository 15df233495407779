"""Tables of runs: those that follow the columns of the audit, and wide ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from probatum.errors import DataError, DataMissingError, UnknownNameError
from probatum.interop.from_tables import table_runs
from probatum.interop.grouping import Choice
from probatum.interop.import_campaign import import_runs
from probatum.interop.import_request import Wanted
from probatum.laboratory import Laboratory

LONG = """\
name,parent,score,claim,baseline,config.lr,metrics.r2
ridge,,0.5,,true,0.1,0.4
ridge,,0.6,,true,0.1,0.5
deep,ridge,~0.2 (est),twice as good,,0.01,0.8
"""
WIDE = """\
Name,State,lr,depth,fold,val_rmse,runtime
a,finished,0.1,2,0,1.0,5
a,finished,0.1,2,1,1.2,5
b,crashed,0.2,2,0,,5
c,finished,0.3,2,0,NaN,5
"""


def written(folder: Path, text: str, name: str = "runs.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_with_the_columns_of_the_audit_is_imported_with_all_that_it_says(tmp_path: Path):
    source = table_runs(written(tmp_path, LONG), None)
    assert source.metric == "score"
    found = import_runs(source, tmp_path / "t.toml", Wanted(Choice("score", same="name"), "lower"))
    assert (found.experiments, found.repeats, found.baseline) == (2, 3, "ridge")
    laboratory = Laboratory.open(tmp_path / "t.toml")
    runs = {r.name: r for r in laboratory.auditor.history(laboratory.results()).runs}
    assert runs["ridge"].metrics == {"r2": pytest.approx(0.45)}
    assert (runs["deep"].estimated, runs["deep"].claims, runs["deep"].parent) == (True, ("twice as good",), "ridge")
    assert runs["deep"].changed == ("lr",)


def test_a_wide_table_says_which_columns_it_took_for_what(tmp_path: Path):
    source = table_runs(written(tmp_path, WIDE), "val_rmse")
    assert "parameters: 'lr', 'depth', 'fold' (--parameter COLUMN says it otherwise)" in source.remarks
    assert "metrics: 'val_rmse', 'runtime'" in source.remarks
    runs = list(source.runs)
    assert runs[0].parameters == {"lr": 0.1, "depth": 2, "fold": 0}
    assert [r.state for r in runs] == ["finished", "finished", "failed", "finished"]
    assert runs[2].metrics == {"runtime": 5.0}


def test_parameters_of_a_wide_table_can_be_named(tmp_path: Path):
    runs = list(table_runs(written(tmp_path, WIDE), "val_rmse", ["lr", "fold"]).runs)
    assert runs[0].parameters == {"lr": 0.1, "fold": 0}


def test_json_lines_are_read_as_tables(tmp_path: Path):
    lines = "\n".join(json.dumps({"run": f"r{i}", "lr": 0.1, "seed": i, "val_rmse": "0.5"}) for i in range(3))
    runs = list(table_runs(written(tmp_path, lines, "runs.jsonl"), "val_rmse").runs)
    assert [r.metrics["val_rmse"] for r in runs] == [0.5] * 3


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("", "runs.csv", "holds no runs"),
        ("name,lr\n", "runs.csv", "unknown column 'rmse'|holds no runs"),
        ("name,rmse\na,1,2\n", "runs.csv", "more fields"),
        ("name,rmse,rmse\na,1,2\n", "runs.csv", "2 times"),
        ("name,state,rmse\na,odd,2\n", "runs.csv", "unknown state of a run 'odd'"),
        ('{"rmse": 1\n', "runs.jsonl", "no valid JSON"),
        ("[1]\n", "runs.jsonl", "must be an object"),
        ("name\n", "runs.xlsx", "kind of run table"),
    ],
)
def test_what_cannot_be_read_says_where(tmp_path: Path, text: str, name: str, said: str):
    with pytest.raises((DataError, UnknownNameError), match=said):
        list(table_runs(written(tmp_path, text, name), "rmse").runs)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(DataMissingError):
        table_runs(tmp_path / "gone.csv", "rmse")
