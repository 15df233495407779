"""Pictures of yields follow the lines of conditions that were measured, for the right solvents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.problems.catechol.pictures import MOST_LINES
from probatum.problems.catechol.problem import Catechol
from problems.drawings import drawn, words

pytestmark = pytest.mark.real


def test_the_worst_solvent_is_the_one_with_the_largest_error(real_data: Path):
    problem = Catechol()
    dataset = problem.dataset("single")
    predictions = dataset.targets().copy()
    predictions[dataset.groups["solvent"] == "Decanol"] += 0.3
    predictions[dataset.groups["solvent"] == "Methanol"] += 0.1
    (picture,) = problem.pictures(dataset, np.arange(len(dataset)), predictions)
    text = words(drawn(picture))
    assert "worst: Decanol, mean squared error 0.09" in text
    assert "of 24, along lines" in picture.caption


@pytest.mark.parametrize("task", ["single", "full"])
def test_predictions_that_are_right_run_through_the_measured_points(task: str, real_data: Path):
    problem = Catechol()
    dataset = problem.dataset(task)
    (picture,) = problem.pictures(dataset, np.arange(len(dataset)), dataset.targets())
    figure = drawn(picture)
    panels = [axes for axes in figure.axes if axes.lines]
    assert 3 <= len(panels) <= 3 * MOST_LINES
    for axes in panels:
        predicted, measured = axes.lines[::2], axes.lines[1::2]
        for one, other in zip(predicted, measured, strict=True):
            np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())
            assert (np.diff(np.asarray(one.get_xdata())) >= 0).all()
            assert np.ptp(np.asarray(one.get_xdata())) > 0


def test_a_line_holds_all_other_conditions_fixed(real_data: Path):
    problem = Catechol()
    dataset = problem.dataset("single")
    chosen = np.flatnonzero(dataset.groups["solvent"] == "Methanol")
    (picture,) = problem.pictures(dataset, chosen, dataset.targets()[chosen])
    titles = {axes.get_title(loc="left") for axes in drawn(picture).axes} - {""}
    assert titles == {"at 175 °C", "at 225 °C", "at 15 min"}
