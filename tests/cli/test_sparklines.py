"""A learning curve in a line of text: as high as the losses are, and in signs that the terminal knows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from probatum.cli.sparklines import ASCII, BLOCKS, WIDTH, knows_blocks, learning_curve, sparkline
from probatum.learning.probes import TRAINING, VALIDATION

NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.just(np.nan) | st.just(np.inf), max_size=60)


def test_a_falling_loss_falls_and_a_rising_one_rises():
    assert sparkline(np.arange(8.0)) == BLOCKS
    assert sparkline(np.arange(8.0)[::-1]) == BLOCKS[::-1]
    assert sparkline(np.arange(8.0), ascii_only=True) == ASCII


def test_losses_over_decades_are_shown_by_their_logarithm():
    assert sparkline(10.0 ** -np.arange(8)) == BLOCKS[::-1]


@given(NUMBERS, st.integers(2, 20), st.booleans())
def test_a_line_is_never_longer_than_asked_and_has_the_signs_of_its_kind(values: list[float], width: int, plain: bool):
    line = sparkline(np.array(values), width=width, ascii_only=plain)
    finite = int(np.isfinite(values).sum()) if values else 0
    assert len(line) == (min(width, finite) if finite > 1 else 0)
    assert set(line) <= set(ASCII if plain else BLOCKS)


@given(st.floats(1e-6, 1e6), st.integers(2, 30))
def test_a_constant_loss_is_a_flat_line(value: float, count: int):
    assert set(sparkline(np.full(count, value))) == {BLOCKS[0]}


@pytest.mark.parametrize(("encoding", "known"), [("utf-8", True), ("ascii", False), ("latin-1", False)])
def test_blocks_are_written_where_the_encoding_has_them(encoding: str, known: bool):
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert knows_blocks(console) == known
    console.print(sparkline(np.arange(9.0), ascii_only=not known))  # raises where it cannot be written


def test_the_curve_of_an_experiment_is_the_median_validation_loss_of_its_trainings():
    curves = [
        {VALIDATION: np.array([3.0, 2.0, np.nan]), TRAINING: np.array([9.0, 9.0, 9.0])},
        {VALIDATION: np.array([5.0, 4.0, 1.0])},
        {VALIDATION: np.array([7.0])},
    ]
    np.testing.assert_array_equal(learning_curve(curves), [5.0, 3.0, 1.0])
    np.testing.assert_array_equal(learning_curve([{TRAINING: np.array([2.0, 1.0])}]), [2.0, 1.0])


@pytest.mark.parametrize("curves", [[], [{}], [{"gradient norm": np.ones((3, 2))}], [{TRAINING: np.full(4, np.nan)}]])
def test_a_model_that_kept_no_losses_has_no_curve(curves: list[dict[str, np.ndarray]]):
    assert sparkline(learning_curve(curves)) == ""
    assert len(learning_curve(curves)) == 0


def test_most_signs_are_few_enough_for_a_table():
    assert len(sparkline(np.random.default_rng(0).normal(size=1000))) == WIDTH
