"""Somebody's table of runs becomes a history, or a refusal that names the line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from probatum.audit.importers import read_runs
from probatum.audit.inspection import inspect
from probatum.errors import DataError, ProbatumError, UnknownNameError


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_becomes_runs_with_their_parents_and_figures(tmp_path):
    path = write(
        tmp_path,
        "runs.csv",
        "name,parent,score,metric,baseline,chosen,trivial,claim,external,config.rate,config.hidden,scored_on.rows,"
        "metrics.R2,curve.validation loss\n"
        'base,,0.5,mse,true,,,,0.7,0.01,"[8, 8]",all,0.4,3 2 nan 1\n'
        'wide,base,0.4,mse,,yes,,better; p < .05,0.63,0.01,"[32, 8]",all,0.5,\n'
        "mean,,1.0,mse,,,true,,,,,all,0,\n",
    )
    history = read_runs(path, target=0.1)
    base, wide, mean = history.runs
    assert (history.baseline, history.chosen, history.target, history.source) == ("base", "wide", 0.1, "table")
    assert history.external == ((0.5, 0.7), (0.4, 0.63))
    assert base.recipe == {"rate": 0.01, "hidden": [8, 8]}
    assert wide.changed == ("hidden",)
    assert wide.claims == ("better", "p < .05")
    assert (base.changed, base.metrics, base.scored_on) == (None, {"R2": 0.4}, {"rows": "all"})
    np.testing.assert_array_equal(base.trainings[0].curves["validation loss"], [3, 2, np.nan, 1])
    assert wide.trainings == ()
    assert mean.trivial


def test_lines_of_one_name_are_repeats_of_one_run(tmp_path):
    history = read_runs(write(tmp_path, "runs.csv", "name,score\na,1\nb,2\na,3\n"))
    a, b = history.runs
    assert a.score == 2
    np.testing.assert_array_equal(a.scores, [1, 3])
    np.testing.assert_array_equal(a.seed_scores, [1, 3])
    assert (len(b.scores), len(b.seed_scores)) == (0, 0)


@pytest.mark.parametrize(
    ("text", "score", "estimated"),
    [
        ("~0.012 (est)", 0.012, True),
        ("0.012", 0.012, False),
        ("~5", 5, True),
        ("1e-3 est.", 0.001, True),
        ("2E+4", 20000, False),
        ("inf", np.inf, False),
        ("-Infinity", -np.inf, False),
        ("", None, False),
    ],
)
def test_scores_marked_as_estimates(tmp_path, text, score, estimated):
    (run,) = read_runs(write(tmp_path, "runs.csv", f"name,score\na,{text}\n")).runs
    assert (run.score, run.estimated) == (score, estimated)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("runs.csv", "name,score\na,nan\nb,inf\nb,-inf\nc,1e308\nc,1e308\nd,0.5\n"),
        (
            "runs.jsonl",
            '{"name": "a", "score": NaN}\n{"name": "b", "score": Infinity}\n{"name": "b", "score": -Infinity}\n'
            '{"name": "c", "score": 1e308}\n{"name": "c", "score": 1e308}\n{"name": "d", "score": 0.5}\n',
        ),
    ],
)
def test_a_run_that_diverged_is_read_and_found(tmp_path, name, text):
    history = read_runs(write(tmp_path, name, text))
    assert [run.name for run in history.runs if run.score is not None and not np.isfinite(run.score)] == ["a", "b", "c"]
    found = {f.subject for f in inspect(history, codes=["PB201"]).findings}
    assert found == {"a", "b", "c"}


def test_json_lines_hold_curves_with_gaps(tmp_path):
    line = {
        "name": "a",
        "score": 1,
        "curves": {"epoch": [10, 20, 30], "training loss": [2, None, 1.5]},
        "claim": "best",
    }
    path = write(tmp_path, "runs.jsonl", json.dumps(line) + "\n\n" + json.dumps({"name": "b", "claim": ["x", "y"]}))
    a, b = read_runs(path, better="higher").runs
    np.testing.assert_array_equal(a.trainings[0].curves["training loss"], [2, np.nan, 1.5])
    assert (a.claims, b.claims) == (("best",), ("x", "y"))


@pytest.mark.parametrize(
    ("name", "text", "kind", "says"),
    [
        ("runs.csv", "name,score\n,1\n", DataError, ["runs.csv:2", "without a name"]),
        ("runs.csv", "name,skore\na,1\n", UnknownNameError, ["runs.csv:1", "'skore'", "'score'"]),
        ("runs.csv", "name,score\na,good\n", DataError, ["runs.csv:2", "'good' is no number"]),
        ("runs.csv", "name,score\na,1\nb,1.2.3\n", DataError, ["runs.csv:3", "no number"]),
        ("runs.csv", "name,score,score\na,1,2\n", DataError, ["runs.csv:1", "'score' stands here 2 times"]),
        ("runs.csv", "name, score,score\na,1,2\n", DataError, ["runs.csv:1", "'score' stands here 2 times"]),
        ("runs.csv", "name,parent\na,b\nb,a\n", DataError, ["runs.csv:2", "circle: 'a' from 'b' from 'a'"]),
        ("runs.csv", "name,parent\nx,a\na,c\nb,a\nc,b\n", DataError, ["runs.csv:3", "'a' from 'c' from 'b' from 'a'"]),
        ("runs.csv", "name,parent\na,a\n", DataError, ["runs.csv:2", "its own parent"]),
        ("runs.csv", "name,parent\na,b\n", UnknownNameError, ["runs.csv:2", "unknown parent 'b'"]),
        ("runs.csv", "", DataError, ["runs.csv", "holds no runs"]),
        ("runs.csv", "name,score\n", DataError, ["runs.csv", "holds no runs"]),
        ("runs.csv", "name,score\na,1,2\n", DataError, ["runs.csv:2", "more fields"]),
        ("runs.csv", "name,trivial\na,perhaps\n", DataError, ["runs.csv:2", "neither true nor false"]),
        ("runs.csv", "name,metrics.R2\na,high\n", DataError, ["runs.csv:2", "'R2'", "no number"]),
        ("runs.csv", "name,external\na,?\n", DataError, ["runs.csv:2", "'external'"]),
        ("runs.csv", "name,curve.training loss\na,1 2 x\n", DataError, ["runs.csv:2", "'training loss'"]),
        ("runs.jsonl", '{"name": "a"\n', DataError, ["runs.jsonl:1", "no valid JSON"]),
        ("runs.jsonl", '{"name": "a"}\n[1]\n', DataError, ["runs.jsonl:2", "must be an object"]),
        ("runs.jsonl", '{"score": 1}\n', DataError, ["runs.jsonl:1", "without a name"]),
        ("runs.jsonl", '{"name": "a", "loss": 1}\n', UnknownNameError, ["runs.jsonl:1", "'loss'"]),
        ("runs.jsonl", '{"name": "a", "score": true}\n', DataError, ["runs.jsonl:1", "no number"]),
        ("runs.jsonl", '{"name": "a", "metrics": 3}\n', DataError, ["runs.jsonl:1", "'metrics' must be an object"]),
        ("runs.jsonl", '{"name": "a", "curves": {"epoch": 3}}\n', DataError, ["runs.jsonl:1", "no list"]),
        ("runs.jsonl", '{"name": "a", "parent": "b"}\n', UnknownNameError, ["runs.jsonl:1", "parent 'b'"]),
        ("runs.jsonl", '{"name": "a", "score": 1, "score": 2}', DataError, ["runs.jsonl:1", "'score'", "twice"]),
        ("runs.jsonl", '{"name": "a", "config": {"x": 1, "x": 2}}', DataError, ["runs.jsonl:1", "'x'", "twice"]),
        ("runs.jsonl", "\n", DataError, ["runs.jsonl", "holds no runs"]),
        ("runs.xlsx", "x", UnknownNameError, [".xlsx", ".csv"]),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, name, text, kind, says):
    with pytest.raises(kind) as raised:
        read_runs(write(tmp_path, name, text))
    message = str(raised.value)
    assert "\n" not in message
    for part in says:
        assert part in message


def test_a_long_circle_is_named_in_short_and_a_long_line_of_parents_is_none(tmp_path):
    ring = "".join(f"r{n},r{(n + 1) % 50}\n" for n in range(50))
    with pytest.raises(DataError, match=r"circle: 'r0' from 'r1' from 'r2' from 'r3' from 'r4' from \.\.\. from 'r0';"):
        read_runs(write(tmp_path, "ring.csv", "name,parent\n" + ring))
    chain = "r0,\n" + "".join(f"r{n},r{n - 1}\n" for n in range(1, 5000))
    assert len(read_runs(write(tmp_path, "chain.csv", "name,parent\n" + chain)).runs) == 5000


def test_files_that_are_not_there_or_no_text(tmp_path):
    with pytest.raises(DataError, match="no such table"):
        read_runs(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"name\n\xff\xfe\x00")
    with pytest.raises(ProbatumError, match="UTF-8"):
        read_runs(tmp_path / "bytes.csv")
