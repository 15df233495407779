"""Pictures of reaction networks are written, for good estimates and for those that ran away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.errors import UsageError
from probatum.problems.metabolism import figures, simulator
from probatum.problems.metabolism.estimate import from_differences
from probatum.problems.metabolism.structure import cycles

COURSE = simulator.drawn(cycles(12, 20), 3, frames=200)


def written(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000


def test_every_picture_is_written(tmp_path: Path):
    estimate = from_differences(COURSE.metabolism, COURSE.measured(0.0), errors=True)
    known = estimate.identifiability.identifiable
    figures.constants_figure(COURSE.constants, estimate.constants, known, tmp_path / "k.png", estimate.standard_errors)
    c = np.linspace(0, 9, 30)
    learned = [
        figures.LearnedFunction("substrate", c, np.stack([c, 1.1 * c]), c, (1.0, 8.0)),
        figures.LearnedFunction("homeostasis", c, 4 - c),
    ]
    figures.functions_figure(learned, tmp_path / "f.png")
    figures.kinograph_figure({"true": COURSE.concentrations, "model": COURSE.concentrations}, 0.1, tmp_path / "c.png")
    figures.spectrum_figure(COURSE.concentrations, tmp_path / "s.png")
    figures.rates_figure(estimate, COURSE.concentrations, 0.9, tmp_path / "r.png")
    assert all(written(tmp_path / f"{name}.png") for name in "kfcsr")


@pytest.mark.parametrize("runs_away", [False, True])
def test_rollouts_are_drawn_until_they_part(tmp_path: Path, runs_away: bool):
    model = COURSE.concentrations * (1 + 0.01 * np.arange(200))[:, None]
    if runs_away:
        model[50:] = np.inf
        model[60:] = np.nan
    figures.rollout_figure(COURSE.concentrations, model, 0.1, cycles(12, 20).metabolites, tmp_path / "o.png")
    assert written(tmp_path / "o.png")


def test_the_distance_of_a_rollout_is_in_units_of_the_initial_spread():
    spread = COURSE.concentrations[0].std()
    distance = figures.rollout_distance(COURSE.concentrations, COURSE.concentrations + 3 * spread)
    np.testing.assert_allclose(distance, 3.0)


def test_a_file_that_no_picture_can_be_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be written as"):
        figures.spectrum_figure(COURSE.concentrations, tmp_path / "s.bmp")
