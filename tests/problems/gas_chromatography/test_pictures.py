"""Pictures of runs show the run of the largest loss, with its own peaks and families."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.errors import UnknownNameError
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.problem import GasChromatography
from problems.drawings import drawn, named, panel, words

pytestmark = pytest.mark.real
PROBLEM = GasChromatography(runs=20, blocks=2)


def test_the_run_with_the_largest_loss_is_drawn_with_its_families(real_data: Path):
    dataset = PROBLEM.dataset("families")
    truth = dataset.truth.open_for_scoring()
    predictions = 0.8 * truth + 0.1
    predictions[7] = 1 - predictions[7]
    pictures = named(PROBLEM.pictures(dataset, np.arange(20), predictions))
    assert set(pictures) == {"chromatogram-median", "chromatogram-worst", "label-correlations"}
    worst = pictures["chromatogram-worst"]
    assert str(dataset.cases[7]) in worst.caption
    assert f"{-np.log(0.1):.2f}" in worst.caption
    families = panel(drawn(worst), "Families")
    bars = sorted((round(p.get_y() + 0.3), p.get_width()) for p in families.patches)  # type: ignore[attr-defined]
    assert [place for place, _ in bars] == list(range(len(FAMILIES)))
    np.testing.assert_allclose([width for _, width in bars], predictions[7])


def test_right_probabilities_have_the_correlations_of_the_labels(real_data: Path):
    dataset = PROBLEM.dataset("families")
    pictures = named(PROBLEM.pictures(dataset, np.arange(20), dataset.targets()))
    grids = [axes.images[0].get_array() for axes in drawn(pictures["label-correlations"]).axes if axes.images]
    np.testing.assert_array_equal(grids[0], grids[1])
    assert not np.any(grids[2])
    assert "labels, 20 runs" in words(drawn(pictures["label-correlations"]))


def test_the_raw_run_of_a_case_is_the_one_that_was_looked_at(real_data: Path):
    again = PROBLEM.run_of("draw0-run000003")
    np.testing.assert_array_equal(again.intensities, PROBLEM.stream(0).run(3)[0].intensities)
    for wrong in ("draw1-run000003", "draw0-run3", "elsewhere"):
        with pytest.raises(UnknownNameError, match=wrong):
            PROBLEM.run_of(wrong)
