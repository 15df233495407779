"""What learners see of a run is what the run says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.problems.gas_chromatography.features import (
    ALL,
    COARSE,
    FEATURES,
    LEAST_VARYING,
    MOST_VARYING,
    STRONGEST,
    WINDOW,
)
from probatum.problems.gas_chromatography.images import image, without_background
from probatum.problems.gas_chromatography.observed_runs import BIN, BINS, HIGHEST, LOWEST, observed
from probatum.problems.gas_chromatography.problem import TASK, GasChromatography, dataset_of
from probatum.problems.gas_chromatography.run import Run, run_of_scans
from probatum.problems.gas_chromatography.seven_blocks import seven_blocks
from probatum.problems.problem import Dataset, Origin


def a_run(seed: int, minutes: float = 20.0) -> Run:
    rng = np.random.default_rng(seed)
    scans = (
        (float(time), np.sort(rng.uniform(2, 335, 12)), rng.exponential(500.0, 12))
        for time in np.arange(3.0, 60 * minutes, 4.0)
    )
    return run_of_scans(f"run {seed}", scans, where="here")


def data(*runs: Run) -> Dataset:
    names = np.array([run.name for run in runs], dtype=str)
    return dataset_of(observed(runs), names, {}, Origin(generator="test", seed=0, count=len(runs)))


def counts_of(run: Run) -> np.ndarray:
    """[bin, m/z] by another way: points summed one by one."""
    found = np.zeros((BINS, HIGHEST - LOWEST + 1))
    for number, time in enumerate(run.times):
        for mass, intensity in zip(*run.scan(number), strict=True):
            if LOWEST <= round(mass) <= HIGHEST:
                found[int(time // BIN), round(mass) - LOWEST] += intensity
    scans = np.bincount((run.times // BIN).astype(int), minlength=BINS)
    return found / np.maximum(scans, 1)[:, None]


def test_seven_blocks_are_those_of_each_run():
    runs = [a_run(0), a_run(1)]
    for name, along in (("seven-blocks", "rows"), ("seven-blocks-time", "time")):
        found = FEATURES[name].compute(data(*runs)).reshape(2, 7, -1)
        for run, of_run in zip(runs, found, strict=True):
            np.testing.assert_allclose(of_run, seven_blocks(run, LOWEST, HIGHEST, along), rtol=1e-5, atol=1e-6)
    means = FEATURES["mean-intensities"].compute(data(*runs))
    np.testing.assert_array_equal(means, FEATURES["seven-blocks"].compute(data(*runs)).reshape(2, 7, -1)[:, 0])


def test_ten_masses_are_left_out_of_each_block():
    runs = data(a_run(0))
    whole = FEATURES["seven-blocks"].compute(runs).reshape(7, -1)
    kept = FEATURES["seven-blocks-324"].compute(runs).reshape(7, -1)
    assert kept.shape == (7, 324)
    np.testing.assert_array_equal(kept, whole[:, ~np.isin(ALL, LEAST_VARYING)])


@pytest.mark.real
def test_the_ten_masses_are_among_those_that_vary_least(real_data: Path):
    runs = GasChromatography(runs=200, seed=2).dataset(TASK)
    spread = FEATURES["mean-intensities"].compute(runs).std(axis=0)
    assert spread[~MOST_VARYING].max() < np.quantile(spread, 0.08)


def test_an_image_holds_the_mean_of_the_scans_of_each_bin():
    run = a_run(3)
    found = FEATURES["images-with-background"].compute(data(run)).reshape(-1, BINS).T
    np.testing.assert_allclose(np.expm1(found), counts_of(run), rtol=1e-5, atol=1e-4)


def test_bins_of_a_run_longer_than_forty_minutes_are_wider_so_that_nothing_is_cut_off():
    run = a_run(4, minutes=63.0)
    image_of_all = observed([run]).images[0]
    scans = np.bincount(np.minimum(run.times / (run.times[-1] / BINS), BINS - 1).astype(int), minlength=BINS)
    inside = (np.rint(run.masses) >= LOWEST) & (np.rint(run.masses) <= HIGHEST)
    assert (image_of_all * scans[:, None]).sum() == pytest.approx(run.intensities[inside].sum(), rel=1e-5)
    short = observed([a_run(4, minutes=39.0)]).images[0]
    np.testing.assert_allclose(
        short, image(a_run(4, minutes=39.0), BIN * np.arange(BINS + 1), LOWEST, HIGHEST), rtol=1e-6
    )


def test_shares_of_an_image_are_of_its_largest_count_of_each_mass_or_of_all():
    run = a_run(5)
    above = without_background(observed([run]).images[0].astype(float), WINDOW)

    def shown(name: str) -> np.ndarray:
        return FEATURES[name].compute(data(run)).reshape(-1, BINS).T

    np.testing.assert_allclose(np.expm1(shown("images")), above, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(shown("images-of-largest"), above / above.max(), rtol=1e-9)
    np.testing.assert_allclose(shown("images-of-sum"), above / above.sum(), rtol=1e-9)
    of_each = shown("images-of-each-mass")
    assert set(np.unique(of_each.max(axis=0))) <= {0.0, 1.0}
    coarse = FEATURES["coarse-images"].compute(data(run)).reshape(-1, BINS // COARSE).T
    np.testing.assert_allclose(np.expm1(coarse[2]), above[2 * COARSE : 3 * COARSE].max(axis=0), rtol=1e-9, atol=1e-9)


def test_the_strongest_spectra_are_those_with_most_counts_strongest_first():
    run = a_run(6)
    above = without_background(observed([run]).images[0].astype(float), WINDOW)
    found = np.expm1(FEATURES["strongest-spectra"].compute(data(run)).reshape(STRONGEST, -1))
    sums = np.sort(above.sum(axis=1))[::-1][:STRONGEST]
    np.testing.assert_allclose(found.sum(axis=1), sums, rtol=1e-9)
    assert all((np.abs(above - one).max(axis=1) < 1e-6).any() for one in found)


def test_largest_shares_do_not_depend_on_how_much_there_is():
    times = np.arange(3.0, 900.0, 3.0)
    peak = np.exp(-(((times - 300) / 6) ** 2))

    def of(amount: float) -> np.ndarray:
        scans = (
            (t, np.array([60.0, 91.0]), amount * p * np.array([0.3, 1.0])) for t, p in zip(times, peak, strict=True)
        )
        return FEATURES["largest-shares"].compute(data(run_of_scans("run", scans, where="here")))[0]

    np.testing.assert_allclose(of(1e4), of(1e6), rtol=1e-5)
    assert of(1e4)[91 - LOWEST] == pytest.approx(1.0)
    assert of(1e4)[60 - LOWEST] == pytest.approx(0.3, rel=1e-5)
    assert not of(1.0).any()
