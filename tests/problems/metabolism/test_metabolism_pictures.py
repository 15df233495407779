"""Pictures of metabolisms: predicted constants drive the rollout, learned functions are drawn where fits kept them."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.problems.metabolism.learned import HOMEOSTASIS_POINTS, LAW_POINTS, Learned, reach_of, table_points
from probatum.problems.metabolism.problem import MetabolismProblem
from problems.drawings import drawn, named, panel, words

PROBLEM = MetabolismProblem(metabolites=20, reactions=48, frames=200, structure_seed=7)
DATASET = PROBLEM.dataset("all")
TRUTH = DATASET.truth.open_for_scoring()
EVERY = np.arange(len(DATASET))


def true_model() -> Learned:
    """What a perfect learner would keep."""
    course = PROBLEM.course(0)
    largest = reach_of(course.concentrations)
    c = table_points(largest, HOMEOSTASIS_POINTS)
    away = -course.metabolism.decay[:, None] * (c - course.metabolism.level[:, None])
    return Learned(np.log10(course.constants), largest, table_points(largest, LAW_POINTS), away)


def test_right_constants_follow_a_held_out_course_to_its_end():
    pictures = named(PROBLEM.pictures(DATASET, EVERY, TRUTH))
    assert "learned-functions" not in pictures
    assert "together to the end" in words(drawn(pictures["rollout"]))
    assert "R2 on the identity line 1.00000" in words(drawn(pictures["rate-constants"]))


def test_wrong_constants_part_from_it():
    pictures = named(PROBLEM.pictures(DATASET, EVERY, TRUTH + 0.5))
    assert "parted at time" in words(drawn(pictures["rollout"]))


def test_constants_that_no_data_can_determine_are_marked():
    lost = int((DATASET.groups["identifiability"] != "identifiable").sum())
    assert lost
    picture = named(PROBLEM.pictures(DATASET, EVERY, TRUTH))["rate-constants"]
    assert f"not identifiable, {lost}" in words(drawn(picture))
    assert f"crosses are the {lost} that no data of this kind can determine" in picture.caption


def test_constants_that_nobody_predicted_are_the_true_ones_and_said_to_be():
    some = EVERY[::2]
    caption = named(PROBLEM.pictures(DATASET, some, TRUTH[some]))["rollout"].caption
    assert f"({len(EVERY) - len(some)} constants that were not predicted are the true ones)" in caption


def test_learned_functions_are_drawn_beside_the_true_ones_and_rolled_out():
    model = true_model()
    pictures = named(PROBLEM.pictures(DATASET, EVERY, TRUTH, [model.curves(), {}, model.curves()]))
    functions = drawn(pictures["learned-functions"])
    assert "2 fits learned" in pictures["learned-functions"].caption
    for title in ("substrate function", "homeostasis"):
        for axes in (a for a in functions.axes if a.get_title(loc="left").startswith(title)):
            lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.lines}
            scale = np.abs(lines["true"]).max()
            np.testing.assert_allclose(lines["median"], lines["true"], atol=2e-2 * scale)
    assert "the learned constants" in pictures["rollout"].caption
    assert "together to the end" in words(drawn(pictures["rollout"]))


def test_curves_of_another_network_are_not_drawn():
    other = MetabolismProblem(metabolites=10, reactions=12, frames=100, structure_seed=7, distinct=True)
    model = Learned(np.zeros(3), 10.0, np.ones(LAW_POINTS), np.ones((10, HOMEOSTASIS_POINTS)))
    dataset = other.dataset("identifiable")
    truth = dataset.truth.open_for_scoring()
    assert "learned-functions" not in named(other.pictures(dataset, np.arange(len(truth)), truth, [model.curves()]))


@pytest.mark.parametrize("name", ["kinographs", "singular-spectrum"])
def test_the_course_itself_is_shown(name: str):
    figure = drawn(named(PROBLEM.pictures(DATASET, EVERY, TRUTH))[name])
    title = {"kinographs": "true course", "singular-spectrum": "Singular values"}[name]
    assert panel(figure, title)
