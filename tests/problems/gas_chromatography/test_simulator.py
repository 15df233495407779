"""Simulated runs look like the real one, and hold what was injected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import find_peaks, peak_widths

from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.run import Run
from probatum.problems.gas_chromatography.samples import BLANK, PREVALENCE, SHARES, composition, splits
from probatum.problems.gas_chromatography.simulator import Injection, Instrument, simulated_run
from probatum.problems.gas_chromatography.spectra import LIBRARY, Spectrum, read_library

EVEN = Instrument(sensitivity_spread=0.0)


@pytest.fixture
def library(real_data: Path) -> tuple[Spectrum, ...]:
    return read_library(real_data / "gas_chromatography" / LIBRARY)


@pytest.fixture
def real_run(real_data: Path) -> Run:
    return read_run(real_data / "gas_chromatography" / "agilent-gcms.cdf")


def trace(run: Run, mass: int) -> np.ndarray:
    """[scan] intensity of one whole m/z."""
    here = np.rint(run.masses).astype(int) == mass
    return np.bincount(run.scan_of_point[here], run.intensities[here], minlength=len(run))


def width_of_peaks(run: Run) -> float:
    """Median full width at half maximum, s."""
    current = run.total_ion_current
    peaks, _ = find_peaks(current, prominence=0.01 * current.max())
    return float(np.median(peak_widths(current, peaks, 0.5)[0])) * float(np.median(np.diff(run.times)))


def test_a_simulated_run_has_the_medians_of_the_real_one(library: tuple[Spectrum, ...], real_run: Run):
    minutes = real_run.times[-1] / 60
    run = simulated_run(Injection("sample", minutes, library[200:1400:40]), EVEN, np.random.default_rng(0))
    assert np.median(np.diff(run.times)) == pytest.approx(np.median(np.diff(real_run.times)))
    assert np.median(np.diff(run.offsets)) == pytest.approx(np.median(np.diff(real_run.offsets)), rel=0.3)
    assert width_of_peaks(run) == pytest.approx(width_of_peaks(real_run), rel=0.15)
    for mass in (18, 28, 32, 40, 44):
        assert np.median(trace(run, mass)) == pytest.approx(np.median(trace(real_run, mass)), rel=0.35)
    for end in (slice(None, 600), slice(-600, None)):
        assert np.median(trace(run, 207)[end]) == pytest.approx(np.median(trace(real_run, 207)[end]), rel=0.3)
    assert np.median(trace(run, 281)[-600:]) == pytest.approx(np.median(trace(real_run, 281)[-600:]), rel=0.3)
    assert run.intensities.min() == pytest.approx(real_run.intensities.min(), rel=0.1)
    off = np.abs(run.masses - np.rint(run.masses))
    assert np.quantile(off, 0.9) == pytest.approx(
        np.quantile(np.abs(real_run.masses - np.rint(real_run.masses)), 0.9), abs=0.051
    )


def test_counts_vary_as_gained_poisson_ones_do():
    instrument = Instrument(sensitivity_spread=0.0, chemical_noise=0.0)
    water = trace(simulated_run(Injection("empty", 40.0), instrument, np.random.default_rng(1)), 18)
    assert water.var() / water.mean() == pytest.approx(instrument.gain, rel=0.1)


def test_a_compound_comes_out_at_its_retention_index_with_its_spectrum(library: tuple[Spectrum, ...]):
    spectrum = next(s for s in library if s.retention_index is not None and 1500 < s.retention_index < 1600)
    instrument = Instrument(sensitivity_spread=0.0, shift=0.0, amplitude=1e6, amplitude_spread=0.0)
    run = simulated_run(Injection("one", 30.0, [spectrum]), instrument, np.random.default_rng(2))
    base = int(np.rint(spectrum.masses[spectrum.intensities.argmax()]))
    top = int(trace(run, base).argmax())
    assert 0.2 < run.times[top] / 1800 < 0.6
    masses, intensities = run.scan(top)
    assert np.rint(masses[intensities.argmax()]) == base
    later = Injection("two", 30.0, [next(s for s in library if (s.retention_index or 0) > 2500)])
    assert simulated_run(later, instrument, np.random.default_rng(2)).total_ion_current.argmax() > top


def test_saturated_peaks_are_cut(library: tuple[Spectrum, ...]):
    instrument = Instrument(amplitude=1e8, amplitude_spread=0.0)
    run = simulated_run(Injection("much", 30.0, library[300:302]), instrument, np.random.default_rng(3))
    assert run.intensities.max() == instrument.saturation


def test_the_same_generator_gives_the_same_run(library: tuple[Spectrum, ...]):
    injection = Injection("same", 10.0, library[10:13], minerals=True, derivatised=True, carried_over=library[20:22])
    first, second = (simulated_run(injection, Instrument(), np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first.intensities, second.intensities)
    np.testing.assert_array_equal(first.masses, second.masses)


@pytest.mark.parametrize("split", SHARES)
def test_families_are_as_common_as_in_the_challenge(library: tuple[Spectrum, ...], split: str):
    belongs = splits(library)
    made = composition([spectrum for spectrum in library if belongs[spectrum.compound] == split])
    np.testing.assert_allclose(made.prevalence, list(PREVALENCE.values()), rtol=1e-5)
    assert made.blank == pytest.approx(BLANK, abs=0.03)
    assert (made.rates > 0).all()
    rng = np.random.default_rng(5)
    labels = np.zeros((4000, len(FAMILIES)), dtype=bool)
    for row in labels:
        compounds, minerals = made.draw(rng)
        row[:] = made.members[compounds].any(axis=0)
        row[FAMILIES.index("mineral")] |= minerals
    np.testing.assert_allclose(labels.mean(axis=0), list(PREVALENCE.values()), atol=0.03)
    assert (~labels.any(axis=1)).mean() == pytest.approx(made.blank, abs=0.03)


def test_every_split_has_its_share_of_the_structures_and_of_each_family(library: tuple[Spectrum, ...]):
    belongs = splits(library)
    assert set(belongs) == {spectrum.compound for spectrum in library}
    for name, share in SHARES.items():
        assert list(belongs.values()).count(name) / len(belongs) == pytest.approx(share, abs=0.03)
    assert splits(library[::-1]) == belongs
    assert splits(library, seed=1) != belongs
    for seed in range(12):
        other = splits(library, seed)
        for name in SHARES:
            composition([spectrum for spectrum in library if other[spectrum.compound] == name])
