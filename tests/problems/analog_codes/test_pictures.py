"""Pictures of heights have a panel for each length, dimension and m, with its own error."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.problems.analog_codes.problem import AnalogCodes
from problems.drawings import drawn, panel

GROUPS = ((3, 2), (3, 3), (4, 2))


@pytest.mark.parametrize("cases", ["heights", "profiles", "all"])
def test_every_group_of_a_task_has_a_panel(cases: str):
    problem = AnalogCodes(codes=6, groups=GROUPS, n=8, cases=cases)  # type: ignore[arg-type]
    for task in problem.tasks:
        dataset = problem.dataset(task)
        truth = dataset.truth.open_for_scoring()
        (picture,) = problem.pictures(dataset, np.arange(len(dataset)), truth + 0.5)
        figure = drawn(picture)
        titles = {axes.get_title(loc="left") for axes in figure.axes} - {""}
        asked = [(k, m) for k, m in GROUPS if task in ("all", f"k={k}")]
        assert titles == {f"n = 8, k = {k}, m = {m}" for k, m in asked}
        for k, m in asked:
            written = [text.get_text() for text in panel(figure, f"n = 8, k = {k}, m = {m}").texts]
            assert written == ["error 0.25\n6 codes"]


def test_infinite_heights_are_left_out_and_counted():
    problem = AnalogCodes(distribution="integer", codes=60, groups=((4, 5),))
    dataset = problem.dataset("k=4")
    endless = int((~dataset.scorable).sum())
    assert endless
    (picture,) = problem.pictures(dataset, np.arange(len(dataset)), np.ones((len(dataset), 1)))
    assert f"{endless} cases without a finite height" in picture.caption
    assert f"{60 - endless} heights in 1 groups" in picture.caption
