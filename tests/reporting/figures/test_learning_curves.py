"""Learning curves show the median, the middle half and all trainings, as long as most of them run."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from probatum.learning.probes import TRAINING, VALIDATION
from probatum.reporting.figures import learning_curves_figure, sparkline
from reporting.figures.drawn import texts

FALLING = np.array([8.0, 4.0, 2.0, 1.0])
STOPPED = np.array([6.0, 2.0, 4.0, np.nan])
CURVES = [{TRAINING: FALLING, VALIDATION: FALLING + 1}, {TRAINING: STOPPED, VALIDATION: STOPPED + 1}]


def test_a_panel_shows_the_median_the_bands_and_each_best_epoch():
    (axes,) = learning_curves_figure({"run-5": CURVES}).axes
    lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.lines}
    np.testing.assert_allclose(lines[TRAINING], [7, 3, 3, 1])
    np.testing.assert_allclose(lines["best epoch"], [2, 3])
    assert axes.get_yscale() == "log"
    bands = [c.get_paths()[0].get_extents() for c in axes.collections if isinstance(c, PolyCollection)]
    assert bands[0].y0 == pytest.approx(1)
    assert bands[0].y1 == pytest.approx(8)
    assert len(bands) == 4  # all and the middle half, of both losses


def test_a_median_ends_where_most_trainings_have_stopped():
    curves = [{TRAINING: FALLING}, {TRAINING: FALLING[:2]}, {TRAINING: FALLING[:2]}]
    (axes,) = learning_curves_figure({"e": curves}).axes
    median = np.asarray(axes.lines[0].get_ydata())
    np.testing.assert_allclose(median, [8, 4, np.nan, np.nan])


def test_losses_that_reach_zero_are_on_a_linear_axis():
    (axes,) = learning_curves_figure({"e": [{TRAINING: FALLING - 1}]}).axes
    assert axes.get_yscale() == "linear"


def test_of_many_experiments_nine_are_drawn_and_that_is_said():
    said = texts(learning_curves_figure({f"e{i}": CURVES for i in range(12)}))
    assert "the first 9 of 12 experiments" in said
    assert "e8, 2 trainings" in said
    assert "e9" not in said


def test_a_sparkline_is_a_small_picture_with_words():
    svg = ElementTree.fromstring(sparkline(CURVES))
    label = svg.attrib["aria-label"]
    assert "training loss from 7 to 1" in label
    assert "median of 2 trainings" in label
    assert "4 epochs" in label
    first, second = ([tuple(map(float, point.split(","))) for point in line.attrib["points"].split()] for line in svg)
    assert len(first) == 4
    assert first[0][1] < first[-1][1]  # y grows downwards, the loss falls
    assert {line.attrib["stroke"] for line in svg} == {"var(--picture-blue)", "var(--picture-vermilion)"}
    assert second


@pytest.mark.parametrize("curves", [[], [{}], [{TRAINING: np.array([1.0])}], [{TRAINING: np.full(5, np.nan)}]])
def test_where_there_is_no_curve_there_is_no_sparkline(curves: list[dict[str, np.ndarray]]):
    assert sparkline(curves) == ""
