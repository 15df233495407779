"""Images keep what a run holds, bin by bin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError
from probatum.problems.gas_chromatography.images import NORMALISATIONS, image, normalised, without_background
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.run import run_of_scans


def small_run():
    scans = [(60.0 + 10 * t, np.array([40.4, 43.0, 43.4]), np.array([1.0, 10.0 * t, 1.0])) for t in range(12)]
    return run_of_scans("small", scans, where="here")


def test_a_bin_holds_the_mean_over_its_scans():
    found = image(small_run(), np.array([60.0, 80.0, 170.0, 1000.0]), 40, 44)
    # Bins of 2, 9 and 1 scans; m/z 43 and 43.4 are the same whole m/z.
    np.testing.assert_allclose(found[:, 3], [(0 + 10) / 2 + 1, np.mean(np.arange(2, 11) * 10) + 1, 111])
    np.testing.assert_allclose(found[:, 0], 1.0)
    assert not found[:, [1, 2, 4]].any()


def test_scans_and_masses_outside_are_left_out():
    found = image(small_run(), np.array([0.0, 60.0, 70.0]), 41, 43)
    assert not found[0].any()
    np.testing.assert_allclose(found[1], [0, 0, 1.0])


def test_images_of_the_real_run_hold_its_ions(real_data: Path):
    run = read_run(real_data / "gas_chromatography" / "agilent-gcms.cdf")
    edges = np.arange(0, 3810, 30.0)
    found = image(run, edges, 0, 500)
    bins = np.searchsorted(edges, run.times, side="right") - 1
    np.testing.assert_allclose((found.sum(1) * np.bincount(bins)).sum(), run.intensities.sum())


def test_a_slow_background_is_taken_off_and_peaks_stay():
    time = np.arange(400.0)
    background = 50 + 0.2 * time
    peak = 300 * np.exp(-(((time - 200) / 4) ** 2))
    found = without_background((background + peak)[:, None], 60)[:, 0]
    assert abs(found[200] - 300) < 12
    assert found[:150].max() < 12
    assert (without_background(np.full((30, 2), 7.0), 5) == 0).all()


@pytest.mark.parametrize("by", NORMALISATIONS)
def test_normalised_images_do_not_depend_on_the_gain(by: str):
    values = np.random.default_rng(0).exponential(size=(20, 5))
    values[:, 2] = 0
    found = normalised(values, by)  # pyright: ignore[reportArgumentType]
    assert np.isfinite(found).all()
    if by != "none":
        np.testing.assert_allclose(found, normalised(7 * values, by))  # pyright: ignore[reportArgumentType]


def test_what_makes_no_image_is_refused():
    run = small_run()
    for edges, low, high in (([1.0], 1, 2), ([2.0, 1.0], 1, 2), ([1.0, 2.0], 3, 2)):
        with pytest.raises(DataError):
            image(run, np.array(edges), low, high)
    with pytest.raises(DataError, match="window"):
        without_background(np.zeros((3, 3)), 0)
    with pytest.raises(DataError, match="normalisation"):
        normalised(np.zeros((3, 3)), "median")  # pyright: ignore[reportArgumentType]
