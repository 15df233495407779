"""Scores have units, names fit, and a logarithmic axis has numbers that can be read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.pictures import new_figure
from probatum.reporting.figures.marks import MARKS, counted, logarithmic, score_unit, short
from reporting.figures.drawn import texts


@pytest.mark.parametrize(
    ("metric", "units", "shown"),
    [
        ("mse", ["fraction"], "mse (fraction²)"),
        ("mae", ["deg C"], "mae (deg C)"),
        ("r2", ["deg C"], "r2"),
        ("mse", ["1"], "mse"),
        ("rmse", ["m", "s"], "rmse (unit of the target)"),
    ],
)
def test_scores_have_units(metric: str, units: list[str], shown: str):
    assert score_unit({"protocol": {"metric": metric}, "units": units}) == shown


@given(st.text(max_size=80), st.integers(8, 40))
def test_a_short_name_is_one_line_and_no_longer_than_asked(name: str, width: int):
    found = short(name, width)
    assert len(found) <= width
    assert len(found.splitlines()) <= 1
    assert found == " ".join(name.split()) or found.endswith("...")


def test_counts_know_one_from_many():
    assert (counted(1, "pair"), counted(2, "pair"), counted(1234, "row")) == ("1 pair", "2 pairs", "1,234 rows")


def test_outcomes_differ_in_more_than_colour():
    told_apart = [marker for outcome, (_, marker) in MARKS.items() if outcome not in ("worked", "failed")]
    assert len(set(told_apart)) == len(told_apart)


@pytest.mark.parametrize("high", [1.5, 20.0, 1e6])
def test_a_logarithmic_axis_has_plain_numbers(high: float):
    with new_figure(4, 3) as figure:
        axes = figure.subplots()
        axes.plot(np.geomspace(1, high, 5))
        logarithmic(axes)
    said = texts(figure)
    assert "$" not in said
    inside = [float(line) for line in said.splitlines() if 1 <= float(line.replace("−", "-")) <= high]
    assert len(inside) >= 1
