"""Backgrounds follow what changes slowly and stay below the peaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import DataError
from probatum.problems.gas_chromatography.background import background, noise_gain, run_without_background, traces
from probatum.problems.gas_chromatography.run import Run, run_of_scans
from probatum.problems.gas_chromatography.simulator import BLEED, Injection, Instrument, simulated_run

EVEN = Instrument(sensitivity_spread=0.0, chemical_noise=0.0)
TIMES = np.arange(0.0, 1200.0, 0.59)


@given(st.floats(0, 1e6), st.floats(-300, 300))
def test_a_straight_line_is_all_background(level: float, slope: float):
    line = level + 3.6e5 + slope * TIMES
    np.testing.assert_allclose(background(line[:, None], TIMES)[:, 0], line, rtol=0.05, atol=60 * abs(slope))


def test_narrow_peaks_leave_the_background_as_it_is():
    slow = 200.0 * np.exp(TIMES / 500)
    with_peaks = slow + sum(5e4 * np.exp(-(((TIMES - at) / 1.0) ** 2) / 2) for at in range(40, 1160, 16))
    found = background(with_peaks[:, None], TIMES)[:, 0]
    np.testing.assert_allclose(found[80:-80], slow[80:-80], rtol=0.15)


def test_bleed_of_a_simulated_run_is_found():
    run = simulated_run(Injection("blank", 30.0), EVEN, np.random.default_rng(0))
    found = traces(run)
    first, last = EVEN.bleed
    truth = BLEED[207] * first * (last / first) ** (run.times / 1800)
    column = found.background[:, 207 - found.lowest]
    # Counts come in steps of the gain, 21, so that a weak background is known to a part of that.
    np.testing.assert_allclose(column[150:-150], truth[150:-150], rtol=0.1, atol=12)
    # The median of Poisson counts is a third of a count below their mean: of the gain, here.
    assert found.peaks[:, 207 - found.lowest].mean() == pytest.approx(EVEN.gain / 3, abs=6)
    assert noise_gain(found) == pytest.approx(EVEN.gain, rel=0.2)


def test_a_run_without_background_keeps_its_peaks_and_loses_its_bleed():
    scans = []
    for time in TIMES:
        peak = 1e5 * np.exp(-(((time - 600) / 1.2) ** 2) / 2)
        points = [(57.1, peak), (207.0, 300.0), (281.0, 250 + peak)]
        kept = np.array([point for point in points if point[1] > 20])
        scans.append((time, kept[:, 0], kept[:, 1]))
    run = run_of_scans("one", scans, where="here")
    clean = run_without_background(run)
    assert len(clean) == len(run)
    assert "background" in clean.remarks[-1]
    near = np.abs(run.times - 600) < 6
    np.testing.assert_allclose(clean.total_ion_current[~near], 0, atol=100)
    np.testing.assert_allclose(clean.total_ion_current[near], run.total_ion_current[near] - 550, rtol=1e-3, atol=100)
    assert set(np.rint(clean.masses).astype(int)) == {57, 281}


def test_points_of_one_whole_mass_share_its_background():
    scans = [(time, np.array([207.0, 207.2]), np.array([100.0, 300.0])) for time in TIMES]
    scans[1000] = (float(TIMES[1000]), np.array([207.0, 207.2]), np.array([1000.0, 3000.0]))
    clean = run_without_background(run_of_scans("split", scans, where="here"))
    np.testing.assert_allclose(clean.masses, [207.0, 207.2])
    np.testing.assert_allclose(clean.intensities, [900.0, 2700.0])


def test_a_short_run_has_a_background_too():
    run = Run("short", np.arange(10.0) + 1, np.arange(11), np.full(10, 44.0), np.full(10, 70.0))
    np.testing.assert_allclose(traces(run).background, 70.0)


def test_a_window_narrower_than_peaks_is_refused():
    with pytest.raises(DataError, match="a window of 3 s"):
        background(np.ones((100, 1)), np.arange(100.0), 3.0)
