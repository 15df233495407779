"""Numbers are shown with enough digits, whatever they are."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.reporting import numbers

anything = st.floats(allow_nan=True, allow_infinity=True)


def test_the_examples_of_the_docstrings_hold():
    found = doctest.testmod(numbers)
    assert found.attempted > 0
    assert found.failed == 0


@given(st.none() | anything)
def test_a_figure_keeps_its_digits(value: float | None):
    shown = numbers.figure(value)
    if value is None:
        assert shown == "-"
    elif abs(value) < 1e300:
        assert float(shown) == pytest.approx(value, rel=5.001e-4, abs=1e-320)
    elif not math.isfinite(value):
        assert shown in ("nan", "inf", "-inf")


@given(anything)
def test_a_difference_has_a_sign(value: float):
    assert numbers.signed(value)[0] in "+-"


@given(st.none() | st.tuples(anything, anything))
def test_an_interval_names_both_ends(bounds: tuple[float, float] | None):
    shown = numbers.interval(bounds)
    assert shown == "-" if bounds is None else shown.split(" to ") == [numbers.signed(b) for b in bounds]


@given(st.none() | st.floats(0, 1))
def test_a_probability_is_never_shown_as_zero(value: float | None):
    shown = numbers.probability(value)
    assert shown
    if value is not None:
        assert shown != "0"
        assert shown == "< 0.0001" if value < 1e-4 else float(shown) == pytest.approx(value, rel=0.06)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0.0 s"), (0.94, "0.9 s"), (0.97, "1.0 s"), (1.4, "1 s"), (59.4, "59 s"), (59.6, "1 min 00 s"),
        (200, "3 min 20 s"), (3599.7, "1 h 00 min"), (7500, "2 h 05 min"), (90_000, "25 h 00 min"),
    ],
)  # fmt: skip
def test_durations(seconds: float, shown: str):
    assert numbers.duration(seconds) == shown


@given(st.floats(0, 1e9))
def test_a_duration_never_shows_sixty(seconds: float):
    shown = numbers.duration(seconds)
    assert " 60 " not in f" {shown} "
    assert shown.endswith((" s", " min"))
