"""The champion's way: a step down for each that was proven better, and no step for luck or errors."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from probatum.reporting.figures import trajectory_figure
from reporting.figures.drawn import campaign, experiment, texts

TREE = [
    experiment("base", 1.0), experiment("lucky", 0.1), experiment("first", 0.8), experiment("wrong", 0.2),
    experiment("second", 0.6), experiment("weaker", 0.7), experiment("waiting", None),
]  # fmt: skip
OUTCOMES = {"lucky": "undecided", "first": "better", "wrong": "better", "second": "better", "weaker": "better"}


def champion_line(figure: Figure) -> np.ndarray:
    (axes,) = figure.axes
    return np.asarray(next(line.get_ydata() for line in axes.lines if line.get_label() == "champion so far"))


def test_the_champion_changes_only_for_what_is_proven_and_unblocked():
    figure = trajectory_figure(campaign(TREE, OUTCOMES, "second") | {"blocked": {"wrong": ["PB405"]}})
    np.testing.assert_allclose(champion_line(figure), [1.0, 1.0, 0.8, 0.8, 0.6, 0.6])
    said = texts(figure)
    assert "second" in said
    assert "The champion over 6 experiments" in said


def test_without_errors_the_best_of_the_proven_is_champion():
    figure = trajectory_figure(campaign(TREE, OUTCOMES, "wrong"))
    np.testing.assert_allclose(champion_line(figure), [1.0, 1.0, 0.8, 0.2, 0.2, 0.2])


def test_where_rounds_were_judged_the_champions_are_theirs():
    """An early one that the test at the end promoted stays; a better score that no round promoted changes nothing."""
    values = campaign(TREE, OUTCOMES, "second") | {"champions_of_rounds": ["base", "second", "second", "first"]}
    np.testing.assert_allclose(champion_line(trajectory_figure(values)), [1.0, 1.0, 0.8, 0.8, 0.8, 0.8])
    values |= {"champions_of_rounds": ["base", "first", "second"]}
    np.testing.assert_allclose(champion_line(trajectory_figure(values)), [1.0, 1.0, 0.8, 0.8, 0.6, 0.6])


def test_a_proven_experiment_replaces_a_baseline_that_happens_to_score_better():
    """Scores of the baseline may be better on paper where verdicts pair the folds."""
    tree = [experiment("base", 0.5), experiment("proven", 0.6)]
    figure = trajectory_figure(campaign(tree, {"proven": "better"}, "proven"))
    np.testing.assert_allclose(champion_line(figure), [0.5, 0.6])


def test_noise_floor_and_target_are_lines_with_their_values():
    figure = trajectory_figure(campaign(TREE, OUTCOMES, None), floors=[("single", 0.05)], target=0.3)
    said = texts(figure)
    assert "noise floor: single, 0.05" in said
    assert "target: 0.3" in said


@pytest.mark.parametrize(("scores", "scale"), [((1.0, 0.5), "linear"), ((1.0, 0.01), "log"), ((1.0, -0.5), "linear")])
def test_scores_far_apart_are_on_a_logarithmic_axis(scores: tuple[float, float], scale: str):
    tree = [experiment("base", scores[0]), experiment("a", scores[1])]
    (axes,) = trajectory_figure(campaign(tree, {"a": "undecided"}, None)).axes
    assert axes.get_yscale() == scale


def test_a_campaign_of_one_experiment_has_a_trajectory():
    assert "base" in texts(trajectory_figure(campaign([experiment("base", 1.0)], {}, None)))
