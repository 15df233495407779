"""What a run's parts are said to speak for is what the model goes by, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import exponnorm

from probatum.pictures import SUFFIXES
from probatum.problems.gas_chromatography.background import traces
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.figures import chromatogram_figure, prediction_figure
from probatum.problems.gas_chromatography.peaks import peak_list
from probatum.problems.gas_chromatography.prediction import AIR, Removal, predict_run, slow_bands
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.run import Run, run_of_scans
from probatum.problems.gas_chromatography.simulator import Injection, Instrument, simulated_run

AROMATIC, CHLORINE, MINERAL = (FAMILIES.index(n) for n in ("aromatic", "chlorine_bearing_compound", "mineral"))
TIMES = np.arange(5.0, 600.0, 0.59)


class RingModel:
    """Aromatic where m/z 91 exceeds 1,000 counts anywhere, mineral where m/z 64 does; chlorine by the sum of m/z 49."""

    def predict(self, runs: Sequence[Run]) -> np.ndarray:
        found = np.full((len(runs), len(FAMILIES)), 0.1)
        for row, run in zip(found, runs, strict=True):
            whole = np.rint(run.masses)
            row[AROMATIC] = 0.9 if (run.intensities[whole == 91] > 1000).any() else 0.05
            row[MINERAL] = 0.8 if (run.intensities[whole == 64] > 1500).any() else 0.2
            row[CHLORINE] = expit(np.log1p(run.intensities[whole == 49].sum()) - 12)
        return found


def drawn(peaks: dict[float, tuple[int, ...]], sulfur: float = 0.0) -> Run:
    """Peaks of 2e5 counts times seconds for each of their m/z, bleed, and a broad band of sulfur dioxide."""
    scans = []
    for time in TIMES:
        counts: dict[int, float] = {44: 70.0, 207: 200.0}
        for centre, masses in peaks.items():
            for mass in masses:
                counts[mass] = counts.get(mass, 0.0) + 2e5 * float(exponnorm.pdf(time, 0.7, centre, 0.85))
        for mass, share in ((64, 1.0), (48, 0.5)):
            counts[mass] = counts.get(mass, 0.0) + share * sulfur * float(np.exp(-(((time - 200) / 40) ** 2) / 2))
        kept = {mass: count for mass, count in sorted(counts.items()) if count >= 20}
        scans.append((time, np.array(list(kept), dtype=float), np.array(list(kept.values()))))
    return run_of_scans("drawn", scans, where="here")


def test_the_peak_that_a_family_rests_on_is_found():
    run = drawn({100.0: (43, 57, 71), 300.0: (91, 92, 65), 450.0: (49, 84, 86)})
    found = predict_run(run, RingModel())
    assert [
        peak.base_mass in masses
        for peak, masses in zip(found.peaks, ((43, 57, 71), (91, 92, 65), (49, 84, 86)), strict=True)
    ] == [True] * 3
    log_odds = np.log(0.9 / 0.1) - np.log(0.05 / 0.95)
    np.testing.assert_allclose(found.probabilities[AROMATIC], 0.9)
    np.testing.assert_allclose(found.peaks_say[:, AROMATIC], [0.0, log_odds, 0.0], atol=1e-9)
    assert found.peaks_say[2, CHLORINE] > 5
    np.testing.assert_allclose(found.peaks_say[:2, CHLORINE], 0.0, atol=1e-9)
    np.testing.assert_allclose(np.delete(found.peaks_say, [AROMATIC, CHLORINE], axis=1), 0.0, atol=1e-9)


def test_of_two_peaks_that_say_the_same_neither_is_missed_and_both_speak():
    found = predict_run(drawn({200.0: (91, 92, 65), 300.0: (91, 105, 106)}), RingModel())
    log_odds = np.log(0.9 / 0.1) - np.log(0.05 / 0.95)
    np.testing.assert_allclose(found.peaks_missed[:, AROMATIC], 0.0, atol=1e-9)
    np.testing.assert_allclose(found.peaks_alone[:, AROMATIC], log_odds)
    np.testing.assert_allclose(found.peaks_say[:, AROMATIC], log_odds / 2)


def test_slow_signals_speak_as_bands():
    run = drawn({100.0: (43, 57, 71)}, sulfur=3000.0)
    found = predict_run(run, RingModel())
    (band,) = found.bands
    assert band.masses.tolist() == [48, 64]
    assert 120 < band.start < 200 < band.end < 280
    assert found.bands_say[0, MINERAL] == pytest.approx(np.log(0.8 / 0.2) - np.log(0.2 / 0.8))
    np.testing.assert_allclose(found.bands_say[0, [AROMATIC, CHLORINE]], 0.0, atol=1e-9)
    assert slow_bands(traces(drawn({100.0: (43, 57, 71)}))) == ()


def test_a_peak_that_is_taken_away_leaves_its_background_and_all_else_as_it_was():
    run = drawn({100.0: (43, 57, 207), 300.0: (91, 92, 65)})
    peaks = peak_list(run, ignored=AIR)
    removal = Removal.of(run, traces(run), peaks, ())
    left = removal.without([0])
    near = np.abs(run.times - 100.4) < 4
    bleed = np.rint(left.masses) == 207
    np.testing.assert_allclose(left.intensities[bleed], 200.0, atol=400)  # a fiftieth of the peak is no part of it
    np.testing.assert_allclose(left.total_ion_current[near], 270.0, atol=1500)
    far = np.abs(run.times - 100.4) > 30
    np.testing.assert_allclose(left.total_ion_current[far], run.total_ion_current[far])
    assert np.array_equal(left.times, run.times)
    assert left.intensities.min() >= run.intensities.min()
    assert removal.without([]) is run
    again = removal.without([0, 1])
    np.testing.assert_allclose(again.total_ion_current, 270.0, atol=1500)


def test_only_the_largest_peaks_are_asked():
    run = drawn({100.0: (43, 57, 71, 85), 300.0: (91, 92), 450.0: (49, 84, 86)})
    told = []
    found = predict_run(run, RingModel(), most_peaks=2, progress=lambda done, total: told.append((done, total)))
    assert np.isnan(found.peaks_say).all(axis=1).tolist() == [False, True, False]
    assert told[-1] == (6, 6)
    none = predict_run(run, RingModel(), most_peaks=0)
    assert np.isnan(none.peaks_say).all()
    assert none.bands == ()
    np.testing.assert_array_equal(none.probabilities, found.probabilities)


def test_what_the_model_was_not_made_for_is_said():
    usual = simulated_run(Injection("usual", 20.0), Instrument(), np.random.default_rng(0))
    assert predict_run(usual, RingModel()).remarks == (
        "no peaks were found: a blank, or nothing that comes out of the column",
    )
    odd = run_of_scans(
        "odd", [(float(t), np.array([50.0, 120.0]), np.array([70.0, 80.0])) for t in range(1, 3000, 2)], where="here"
    )
    said = " / ".join(predict_run(odd, RingModel()).remarks)
    for part in ("lasts 50.0 min", "from m/z 50 on", "up to m/z 120 only", "no carrier gas", "no peaks"):
        assert part in said


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pictures_are_written_in_every_format(suffix: str, tmp_path: Path):
    found = predict_run(drawn({100.0: (43, 57, 71), 300.0: (91, 92, 65)}, sulfur=3000.0), RingModel())
    prediction_figure(found, tmp_path / f"families{suffix}")
    chromatogram_figure("drawn", found.traces, found.peaks, tmp_path / f"peaks{suffix}")
    assert all((tmp_path / f"{name}{suffix}").stat().st_size > 5000 for name in ("families", "peaks"))


def test_pictures_say_which_families_and_which_peaks(tmp_path: Path):
    run = drawn({100.0: (43, 57, 71), 300.0: (91, 92, 65)})
    prediction_figure(predict_run(run, RingModel()), tmp_path / "a.svg")
    prediction_figure(predict_run(run, RingModel()), tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_real_run_has_its_solvent_and_its_aromatic_compounds(real_data: Path):
    """A petrol essence in dichloromethane (m/z 49, 84, 86), with xylenes (91, 106) and trimethylbenzenes (105, 120)."""
    run = read_run(real_data / "gas_chromatography" / "agilent-gcms.cdf")
    found = predict_run(run, RingModel(), most_peaks=12)
    spoken = {
        family: {found.peaks[place].base_mass for place in np.flatnonzero(found.peaks_say[:, family] > 0.5)}
        for family in (AROMATIC, CHLORINE)
    }
    assert 91 in spoken[AROMATIC]
    assert spoken[CHLORINE] <= {49, 84}
    assert spoken[CHLORINE]
    assert any("63.0 min" in remark for remark in found.remarks)
