"""Predictions and residuals show every group and quantity, its score and its count."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.reporting.figures import Panel, residuals_figure, scatter_figure
from probatum.reporting.figures.predictions import MOST_PANELS, MOST_QUANTITIES
from reporting.figures.drawn import texts


def panel(title: str, rows: int = 20, quantities: int = 1, seeds: int = 2) -> Panel:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(rows, quantities))
    return Panel(title, truth, truth + rng.normal(0, 0.1, (seeds, rows, quantities)), 0.0123)


def test_a_panel_shows_every_prediction_the_line_the_score_and_the_count():
    panels = [panel("(4,2)"), panel("(4,3)", rows=5)]
    figure = scatter_figure(panels, [("log2 height", "log2")], "run-5", "mse")
    axes = [a for a in figure.axes if a.get_visible()]
    assert [a.get_title(loc="left") or a.get_title() for a in axes] == [
        "(4,2)\nmse 0.0123, n = 20", "(4,3)\nmse 0.0123, n = 5",
    ]  # fmt: skip
    for one, given in zip(axes, panels, strict=True):
        line, points = one.lines
        assert line.get_xdata() == pytest.approx(line.get_ydata())
        np.testing.assert_array_equal(points.get_xdata(), np.tile(given.truth[:, 0], 2))
        np.testing.assert_array_equal(points.get_ydata(), given.predictions[:, :, 0].ravel())
    assert figure.get_supxlabel() == "true log2 height, log2"
    assert "2 predictions a row" in figure.get_supylabel()


def test_several_quantities_are_told_apart_and_many_groups_cut():
    panels = [panel(f"g{i}", rows=3, quantities=2) for i in range(MOST_PANELS + 3)]
    figure = scatter_figure(panels, [("SM", "fraction"), ("P2", "fraction")], "net", "mse")
    assert len([a for a in figure.axes if a.get_visible()]) == MOST_PANELS
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == ["SM", "P2"]
    assert f"the first {MOST_PANELS} of {MOST_PANELS + 3} groups" in figure.get_suptitle()


def test_the_hardest_of_many_groups_are_said_to_be_that():
    figure = scatter_figure([panel("a"), panel("b")], [("y", "1")], "net", "mse", total=37)
    assert "the 2 hardest of 37 groups" in figure.get_suptitle()


def test_residuals_have_their_mean_spread_and_trend():
    rng = np.random.default_rng(1)
    truth = rng.uniform(0, 1, (400, 2))
    predicted = np.stack([0.5 * truth[:, 0], truth[:, 1] + 0.2], axis=1)  # shrunk, and shifted
    figure = residuals_figure(truth, predicted, [("a", "mm"), ("b", "1")], "net")
    said = texts(figure)
    assert "mean +0.2, sd " in said
    assert "a (mm)" in said
    assert "400 rows" in said
    shrunk, shifted = (np.asarray(axes.lines[-1].get_ydata()) for axes in figure.axes)
    assert (np.diff(shrunk) < 0).all()  # what is predicted high is predicted too low
    np.testing.assert_allclose(shifted, 0.2)


def test_rows_that_are_not_finite_are_left_out_of_residuals():
    truth = np.array([[1.0], [np.nan], [3.0]])
    figure = residuals_figure(truth, np.array([[1.5], [2.0], [np.inf]]), [("y", "1")], "net")
    assert "mean +0.5" in texts(figure)


def test_of_many_quantities_twelve_are_drawn():
    truth = np.zeros((4, MOST_QUANTITIES + 2))
    figure = residuals_figure(truth, truth, [(f"q{i}", "1") for i in range(truth.shape[1])], "net")
    assert f"the first {MOST_QUANTITIES} of {truth.shape[1]} quantities" in figure.get_suptitle()
