"""Predictions over measured targets: a panel a target, and the worst group apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from probatum.pictures import BLUE, VERMILION
from probatum.problems.problem import Dataset
from probatum.problems.table import Table
from probatum.problems.table_pictures import MOST_TARGETS
from problems.drawings import drawn, panel, words
from problems.fakes import Rows


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    lines = ["mass,batch,yield [%],purity"] + [f"{i},b{i % 4},{10 + i},{i % 7}" for i in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Table(str(tmp_path / "t.csv"), ("yield [%]", "purity"), group="batch").dataset("table")


def points(axes, colour: str) -> int:
    return sum(len(line.get_xdata()) for line in axes.lines if line.get_color() == colour)


def test_the_group_with_the_largest_error_is_apart(dataset: Dataset):
    predictions = dataset.targets().copy()
    predictions[dataset.groups["batch"] == "b2", 0] += 5.0
    (picture,) = Table("t.csv", "y").pictures(dataset, np.arange(40), predictions)
    figure = drawn(picture)
    axes = panel(figure, "yield [%]")
    assert (points(axes, BLUE), points(axes, VERMILION)) == (30, 10)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["b2"]
    assert "RMSE 2.5\n" in words(figure)
    assert "orange is the batch" in picture.caption


def test_what_lies_beyond_the_scale_of_the_truth_stands_at_its_edge(dataset: Dataset):
    predictions = dataset.targets().copy()
    predictions[0, 1], predictions[1, 1] = 1e6, -1e6
    (picture,) = Table("t.csv", "y").pictures(dataset, np.arange(40), predictions)
    axes = panel(drawn(picture), "purity")
    low, high = axes.get_ylim()
    assert -2 < low < high < 9
    edges = [(line.get_marker(), line.get_ydata()) for line in axes.lines if line.get_marker() in "^v"]
    assert {marker: list(values) for marker, values in edges} == {"v": [low], "^": [high]}


def test_of_many_targets_the_first_are_drawn_and_the_rest_counted():
    dataset = Rows().dataset("rows")
    count = MOST_TARGETS + 3
    quantities = tuple(replace(dataset.quantities[0], name=f"y{i}") for i in range(count))
    truth = replace(dataset.truth, _values=np.tile(dataset.targets(), (1, count)))
    wide = replace(dataset, quantities=quantities, truth=truth)
    (picture,) = Table("t.csv", "y").pictures(wide, np.arange(len(wide)), wide.targets())
    assert "3 more targets are not drawn" in picture.caption
    assert sum(axes.has_data() for axes in drawn(picture).axes) == MOST_TARGETS
