"""The group mean predicts by the training rows of a label; it exists where splits leave labels on both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probatum.campaigns.splits import Split
from probatum.evidence.group_mean import coarser_groupings, group_means
from probatum.problems.problem import Dataset, Origin, Quantity, Truth

TRUTH = np.arange(16.0).reshape(8, 2)
DATASET = Dataset(
    problem="p",
    task="t",
    cases=np.array(list("abcdefgh")),
    observations={},
    units={},
    quantities=(Quantity("y", "1"), Quantity("z", "1")),
    truth=Truth(TRUTH),
    groups={"run": np.array(list("11223344")), "kind": np.array(list("xxyyxxxz"))},
    origin=Origin(),
)
SPLITS = [
    Split("t", 0, run, np.flatnonzero(DATASET.groups["run"] != run), np.flatnonzero(DATASET.groups["run"] == run), "d")
    for run in "1234"
]


def test_rows_of_a_known_label_get_its_mean_and_others_the_mean_of_all():
    first, second, _, last = group_means("kind", {("t", 0): DATASET}, SPLITS)
    assert first.prediction == pytest.approx(np.tile(TRUTH[[4, 5, 6]].mean(axis=0), (2, 1)))
    assert second.prediction == pytest.approx(np.tile(TRUTH[[0, 1, 4, 5, 6, 7]].mean(axis=0), (2, 1)))  # no y is left
    assert last.prediction == pytest.approx(np.array([TRUTH[[0, 1, 4, 5]].mean(axis=0), TRUTH[:6].mean(axis=0)]))
    assert [p.split_digest for p in (first, last)] == [SPLITS[0].digest, SPLITS[3].digest]


def test_only_groupings_that_stand_on_both_sides_count():
    assert coarser_groupings({("t", 0): DATASET}, SPLITS, ["run"]) == ["kind"]
    assert coarser_groupings({("t", 0): DATASET}, SPLITS, []) == ["kind"]  # no run is on both sides
    assert coarser_groupings({("t", 0): DATASET}, SPLITS, ["kind"]) == []
    assert coarser_groupings({("t", 0): replace(DATASET, groups={})}, SPLITS, []) == []


def test_a_grouping_that_one_task_lacks_makes_no_arm():
    other = replace(DATASET, task="u", groups={"run": DATASET.groups["run"]})
    assert coarser_groupings({("t", 0): DATASET, ("u", 0): other}, SPLITS, ["run"]) == []


def test_hidden_quantities_have_no_group_mean():
    assert coarser_groupings({("t", 0): replace(DATASET, supervised=False)}, SPLITS, ["run"]) == []
