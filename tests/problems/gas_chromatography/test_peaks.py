"""Peak lists hold what was injected, and little else; those of the real run have the width that was published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import exponnorm

from probatum.errors import DataError
from probatum.problems.gas_chromatography.background import traces
from probatum.problems.gas_chromatography.peaks import (
    Peak,
    extracted_ion_chromatogram,
    peak_list,
    total_ion_chromatogram,
    typical_width,
)
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.run import Run, run_of_scans
from probatum.problems.gas_chromatography.simulator import Injection, Instrument, retention_time, simulated_run
from probatum.problems.gas_chromatography.spectra import LIBRARY, Spectrum, read_library

AIR = (18, 28, 32, 40, 44)
MINUTES, COMPOUNDS = 30.0, 12


@pytest.fixture(scope="module")
def retained() -> list[Spectrum]:
    """Spectra of compounds with a retention index within a run."""
    from conftest import real_data_folder

    data = real_data_folder()
    if data is None:
        pytest.skip("real data is absent")
    library = read_library(data / "gas_chromatography" / LIBRARY)
    return [s for s in library if s.retention_index is not None and 800 < s.retention_index < 3100]


def sample(retained: list[Spectrum], amplitude: float, seed: int) -> tuple[Run, np.ndarray, list[Spectrum]]:
    """A run, the times that its compounds come out (mu of their peaks), and their spectra."""
    instrument = Instrument(sensitivity_spread=0.0, shift=0.0, amplitude=amplitude, amplitude_spread=0.0)
    rng = np.random.default_rng(seed)
    chosen = [retained[i] for i in rng.choice(len(retained), COMPOUNDS, replace=False)]
    run = simulated_run(Injection("sample", MINUTES, chosen), instrument, rng)
    return run, np.array([retention_time(s, instrument, 60 * MINUTES, rng) for s in chosen]), chosen


def found_and_extra(peaks: tuple[Peak, ...], centres: np.ndarray) -> tuple[int, int]:
    """How many of the compounds have a peak, and how many peaks have no compound."""
    apices = np.array([peak.apex for peak in peaks])
    late = apices[:, None] - centres  # apices lie after mu, by up to about tau
    fits = (late > -1.0) & (late < 2.5)
    return int(fits.any(axis=0).sum()), int((~fits.any(axis=1)).sum())


def cosine(peak: Peak, spectrum: Spectrum) -> float:
    one = np.bincount(peak.masses, peak.spectrum, minlength=1200)
    other = np.bincount(np.rint(spectrum.masses).astype(int), spectrum.intensities, minlength=1200)
    other[:2] = other[601:] = 0.0
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.parametrize(("amplitude", "least"), [(60_000, 24), (6_000, 24), (600, 23), (100, 0)])
def test_compounds_are_found_and_noise_is_not(retained: list[Spectrum], amplitude: float, least: int):
    """Of 24 compounds; with 100 counts, five times the gain, few can be."""
    found = extra = 0
    for seed in range(2):
        run, centres, _ = sample(retained, amplitude, seed)
        here, more = found_and_extra(peak_list(run, fits=False), centres)
        found, extra = found + here, extra + more
    assert found >= least
    assert found < 12 or amplitude > 100
    assert extra <= 4


def test_blanks_have_no_peaks():
    blanks = [simulated_run(Injection("blank", 20.0), Instrument(), np.random.default_rng(seed)) for seed in range(4)]
    assert sum(len(peak_list(run)) for run in blanks) <= 1


def test_apices_spectra_and_shapes_are_those_of_what_was_injected(retained: list[Spectrum]):
    run, centres, chosen = sample(retained, 60_000, 5)
    peaks = peak_list(run)
    alone = [
        (centre, spectrum)
        for centre, spectrum in zip(centres, chosen, strict=True)
        if np.sort(np.abs(centres - centre))[1] > 12
    ]
    assert len(alone) >= 6
    for centre, spectrum in alone:
        peak = max((p for p in peaks if -1 < p.apex - centre < 2.5), key=lambda p: p.ratio)
        assert cosine(peak, spectrum) > 0.98
        assert peak.fit is not None
        assert abs(peak.fit.mu - centre) < 5 * peak.fit.errors[1] + 0.05
        assert peak.fit.apex == pytest.approx(peak.apex, abs=0.25)
        assert peak.fit.width == pytest.approx(peak.width, rel=0.15)
        assert peak.start < peak.apex < peak.end


def drawn(areas: list[float], centres: list[float], masses: list[tuple[int, ...]]) -> Run:
    """A run of peaks with sigma 0.85 s and tau 0.6 s and without noise, each m/z of a peak as high as the others."""
    times = np.arange(5.0, 400.0, 0.59)
    shapes = [
        area * exponnorm.pdf(times, 0.6 / 0.85, centre, 0.85) for area, centre in zip(areas, centres, strict=True)
    ]
    scans = []
    for number, time in enumerate(times):
        counts: dict[int, float] = {44: 70.0}
        for shape, own in zip(shapes, masses, strict=True):
            for mass in own:
                counts[mass] = counts.get(mass, 0.0) + shape[number]
        kept = {mass: count for mass, count in sorted(counts.items()) if count > 1}
        scans.append((time, np.array(list(kept), dtype=float), np.array(list(kept.values()))))
    return run_of_scans("drawn", scans, where="here")


def test_areas_and_widths_are_those_of_the_curve():
    (peak,) = peak_list(drawn([4e5], [200.0], [(57, 71, 85)]))
    assert peak.masses.tolist() == [57, 71, 85]
    assert peak.area == pytest.approx(3 * 4e5, rel=0.02)
    assert peak.fit is not None
    assert peak.fit.area == pytest.approx(3 * 4e5, rel=0.01)
    assert (peak.fit.mu, peak.fit.sigma, peak.fit.tau) == pytest.approx((200.0, 0.85, 0.6), abs=0.02)
    assert peak.width == pytest.approx(peak.fit.width, rel=0.03)
    np.testing.assert_allclose(peak.spectrum / peak.spectrum.max(), 1.0, rtol=1e-6)


def test_two_compounds_within_a_peaks_width_are_told_apart_by_their_ions():
    peaks = peak_list(drawn([4e5, 2e5], [200.0, 201.6], [(57, 71, 85), (91, 105, 120)]))
    assert [peak.masses.tolist() for peak in peaks] == [[57, 71, 85], [91, 105, 120]]
    assert peaks[1].apex - peaks[0].apex == pytest.approx(1.6, abs=0.1)


def test_a_single_ion_is_no_peak():
    assert peak_list(drawn([4e5], [200.0], [(57,)])) == ()


def test_ions_that_are_ignored_make_no_peak():
    run = drawn([4e5, 4e5], [100.0, 200.0], [(28, 32, 40), (57, 71, 85)])
    assert len(peak_list(run)) == 2
    (peak,) = peak_list(run, ignored=AIR)
    assert peak.base_mass in (57, 71, 85)


def test_chromatograms_are_sums_over_masses():
    run = drawn([4e5, 2e5], [100.0, 200.0], [(57, 71), (91, 105)])
    found = traces(run)
    total = total_ion_chromatogram(found)
    parts = [extracted_ion_chromatogram(found, masses) for masses in ((57, 71), (91, 105), (44,))]
    np.testing.assert_allclose(sum(parts), total, atol=1e-6)
    assert run.times[total.argmax()] == pytest.approx(100.4, abs=0.6)
    with pytest.raises(DataError, match="none of m/z 500"):
        extracted_ion_chromatogram(found, (500,))
    with pytest.raises(DataError, match="ratio of 0"):
        peak_list(run, least=0)


def test_peaks_of_the_real_run_have_the_published_width(real_data: Path):
    """Median 2.37 s, from 2.16 to 2.51 s."""
    run = read_run(real_data / "gas_chromatography" / "agilent-gcms.cdf")
    assert typical_width(traces(run)) == pytest.approx(2.37, abs=0.15)
    peaks = peak_list(run, ignored=AIR)
    clear = np.array([peak.width for peak in peaks if peak.ratio > 100])
    assert len(clear) > 50
    assert np.nanmedian(clear) == pytest.approx(2.37, abs=0.05)
    assert np.nanquantile(clear, 0.25) == pytest.approx(2.16, abs=0.06)
    assert np.nanquantile(clear, 0.75) == pytest.approx(2.51, abs=0.1)
    fitted = [peak.fit.width for peak in peaks if peak.ratio > 100 and peak.fit is not None]
    assert np.median(fitted) == pytest.approx(2.37, abs=0.12)
