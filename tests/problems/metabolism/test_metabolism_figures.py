"""Pictures of reaction networks can be drawn, for good estimates and for those that ran away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from probatum.errors import UsageError
from probatum.pictures import new_figure, write_figure
from probatum.problems.metabolism import figures, simulator
from probatum.problems.metabolism.estimate import from_differences
from probatum.problems.metabolism.structure import cycles

COURSE = simulator.drawn(cycles(12, 20), 3, frames=200)
ESTIMATE = from_differences(COURSE.metabolism, COURSE.measured(0.0), errors=True)


def drawn(draw: Callable[[Figure], None], path: Path) -> Figure:
    """The figure, after it was written to a file that holds something."""
    with new_figure(7.0, 5.0) as figure:
        draw(figure)
        write_figure(figure, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 5000
    return figure


def written_text(figure: Figure) -> str:
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.findobj(Text) if isinstance(text, Text))


def test_constants_are_drawn_with_those_that_cannot_be_known(tmp_path: Path):
    known = ESTIMATE.identifiability.identifiable
    assert 0 < known.sum() < len(known)
    figure = drawn(
        lambda f: figures.draw_constants(f, COURSE.constants, ESTIMATE.constants, known, ESTIMATE.standard_errors),
        tmp_path / "k.png",
    )
    assert f"identifiable, {known.sum()}" in written_text(figure)
    assert f"not identifiable, {(~known).sum()}" in written_text(figure)


def test_learned_functions_stand_beside_the_true_ones(tmp_path: Path):
    c = np.linspace(0, 9, 30)
    learned = [
        figures.LearnedFunction("substrate", c, np.stack([c, 1.1 * c]), c, (1.0, 8.0)),
        figures.LearnedFunction("homeostasis", c, 4 - c),
    ]
    text = written_text(drawn(lambda f: figures.draw_functions(f, learned), tmp_path / "f.png"))
    assert {"substrate", "homeostasis", "all 2 fits", "true"} <= set(text.splitlines())


def test_a_course_that_runs_away_leaves_the_colours_of_the_true_one(tmp_path: Path):
    away = COURSE.concentrations * np.exp(np.arange(200))[:, None]
    away[150:] = np.nan
    figure = drawn(
        lambda f: figures.draw_kinographs(f, {"true": COURSE.concentrations, "model": away}, 0.1), tmp_path / "c.png"
    )
    for axes in figure.axes[:2]:
        np.testing.assert_allclose(axes.images[0].get_clim(), (0.0, np.quantile(COURSE.concentrations, 0.995)))


def test_the_spectrum_of_a_course_and_rates_of_a_measurement_are_drawn(tmp_path: Path):
    text = written_text(drawn(lambda f: figures.draw_spectrum(f, COURSE.concentrations), tmp_path / "s.png"))
    assert "activity rank" in text
    figures.rates_figure(ESTIMATE, COURSE.concentrations, 0.9, tmp_path / "r.png")
    assert (tmp_path / "r.png").stat().st_size > 5000


@pytest.mark.parametrize("runs_away", [False, True])
def test_rollouts_are_drawn_until_they_part(tmp_path: Path, runs_away: bool):
    model = COURSE.concentrations * (1 + 0.01 * np.arange(200))[:, None]
    if runs_away:
        model[50:] = np.inf
        model[60:] = np.nan
    names = cycles(12, 20).metabolites
    figure = drawn(lambda f: figures.draw_rollout(f, COURSE.concentrations, model, 0.1, names), tmp_path / "o.png")
    assert "parted at time" in written_text(figure)


def test_ticks_of_logarithmic_axes_are_plain_numbers(tmp_path: Path):
    figure = drawn(lambda f: figures.draw_spectrum(f, COURSE.concentrations), tmp_path / "s.png")
    ticks = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert ticks
    assert all(float(tick) > 0 for tick in ticks)


def test_the_distance_of_a_rollout_is_in_units_of_the_initial_spread():
    spread = COURSE.concentrations[0].std()
    distance = figures.rollout_distance(COURSE.concentrations, COURSE.concentrations + 3 * spread)
    np.testing.assert_allclose(distance, 3.0)


def test_a_file_that_no_picture_can_be_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be written as"):
        figures.rates_figure(ESTIMATE, COURSE.concentrations, 0.9, tmp_path / "s.bmp")
