"""Runs side by side in every group: the campaign's own scores, differences and counts, and their mean."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from probatum.errors import UnknownNameError
from probatum.laboratory import Laboratory
from probatum.reporting.group_comparison import group_comparison_table, group_comparison_values

CAMPAIGN = """\
problem = { kind = "analog_codes", cases = "all", codes = 30, groups = [[4, 2], [4, 5], [6, 3]] }

[protocol]
splits = "grouped-k-fold"
folds = 3
seeds = 2
baseline = "ridge"

[[experiment]]
name = "ridge"
features = ["k,m", "sorted"]
model.kind = "ridge"

[[experiment]]
name = "trees"
parent = "ridge"
model = { kind = "extra_trees", n_estimators = 5 }
"""


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    file = tmp_path_factory.mktemp("codes") / "codes.toml"
    file.write_text(CAMPAIGN, encoding="utf-8")
    laboratory = Laboratory.open(file)
    laboratory.run()
    return laboratory


def test_every_group_has_the_scores_of_every_run_and_how_they_differ(laboratory: Laboratory):
    values = group_comparison_values(laboratory, ["trees"], "ridge", "k,m")
    assert [row["group"] for row in values["rows"]] == ["(4,2)", "(4,5)", "(6,3)"]
    assert values["arms"] == ["ridge", "trees"]
    for row in values["rows"]:
        assert row["rows"] == 30
        found = row["differences"]["trees"]
        assert found["difference"] == pytest.approx(row["scores"]["trees"] - row["scores"]["ridge"])
        low, high = found["interval"]
        assert low < found["difference"] < high


def test_scores_are_mean_squared_errors_of_the_stored_predictions(laboratory: Laboratory):
    values = group_comparison_values(laboratory, ["trees"], "ridge", "k,m")
    dataset = laboratory.campaign.datasets["all"]
    losses: dict[str, list[float]] = {}
    for p in laboratory.campaign.predictions("trees"):
        squared = (p.prediction[:, 0] - dataset.targets()[p.rows, 0]) ** 2
        for label, loss in zip(dataset.groups["k,m"][p.rows].tolist(), squared.tolist(), strict=True):
            losses.setdefault(label, []).append(loss)
    for row in values["rows"]:
        assert row["scores"]["trees"] == pytest.approx(np.mean(losses[row["group"]]))
    mean = np.mean([np.mean(found) for found in losses.values()])
    assert values["mean"]["scores"]["trees"] == pytest.approx(mean)


def test_the_mean_of_groups_has_an_interval_as_wide_as_theirs_on_average(laboratory: Laboratory):
    values = group_comparison_values(laboratory, ["trees"], "ridge", "k,m")
    intervals = np.array([row["differences"]["trees"]["interval"] for row in values["rows"]])
    low, high = values["mean"]["differences"]["trees"]["interval"]
    assert high - low == pytest.approx(np.diff(intervals, axis=1).mean())


def test_the_table_says_grouping_runs_differences_and_counts(laboratory: Laboratory):
    table = group_comparison_table(group_comparison_values(laboratory, ["trees"], "ridge", "k,m"))
    stream = StringIO()
    Console(width=160, file=stream).print(table)
    said = stream.getvalue()
    for part in ("mse by k,m, with 95 % intervals", "trees - ridge", "(4,5)", "mean", "30"):
        assert part in said


def test_a_grouping_that_no_task_has_is_refused(laboratory: Laboratory):
    with pytest.raises(UnknownNameError, match="grouping"):
        group_comparison_values(laboratory, ["trees"], "ridge", "solvent")
