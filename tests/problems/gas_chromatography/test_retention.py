"""Retention indices: laws of the axis, and ladders found in simulated runs whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import DataError
from probatum.problems.gas_chromatography.amdis_library import FAME_LIBRARY, TMS_LIBRARY, read_amdis_library
from probatum.problems.gas_chromatography.peaks import Peak, peak_list
from probatum.problems.gas_chromatography.retention import RetentionAxis, axis_of, ester_indices, find_ladder
from probatum.problems.gas_chromatography.simulator import Injection, Instrument, retention_time, simulated_run
from probatum.problems.gas_chromatography.spectra import LIBRARY, Spectrum, read_library

STEADY = Instrument(sensitivity_spread=0.0, shift=0.0, amplitude=2e5, amplitude_spread=0.0)
LADDER = np.array([300.0, 420.0, 560.0, 720.0, 910.0])
INDICES = np.array([1000.0, 1100.0, 1200.0, 1300.0, 1400.0])


@pytest.mark.parametrize("dead_time", [None, 90.0])
@given(st.floats(100.0, 2000.0))
def test_an_index_leads_back_to_its_time(dead_time: float | None, time: float):
    axis = RetentionAxis(LADDER, INDICES, dead_time)
    assert axis.time(axis.index(time)) == pytest.approx(time)


def test_rungs_have_their_indices_and_what_lies_between_lies_between():
    for dead_time in (None, 90.0):
        axis = RetentionAxis(LADDER, INDICES, dead_time)
        np.testing.assert_allclose(axis.index(LADDER), INDICES)
        assert (np.diff(axis.index(np.linspace(120, 1500, 500))) > 0).all()
        assert axis.covers(np.array([299.0, 300.0, 910.0, 911.0])).tolist() == [False, True, True, False]


def test_the_linear_index_is_van_den_dool_and_kratz():
    axis = RetentionAxis(LADDER, INDICES)
    assert axis.index(490.0) == pytest.approx(100 * (11 + (490 - 420) / (560 - 420)))
    assert axis.index(180.0) == pytest.approx(900.0)  # as on the first step
    assert axis.index(1005.0) == pytest.approx(1450.0)


def test_the_kovats_index_is_linear_in_the_logarithm_of_adjusted_times():
    axis = RetentionAxis(LADDER, INDICES, 90.0)
    expected = 100 * (11 + np.log((490 - 90) / (420 - 90)) / np.log((560 - 90) / (420 - 90)))
    assert axis.index(490.0) == pytest.approx(expected)
    assert np.isnan(axis.index(80.0))
    # At one temperature log(t - t0) of alkanes is linear in their carbons: then two rungs tell all others.
    carbons = np.arange(8, 16)
    times = 60 + np.exp(0.4 * carbons)
    np.testing.assert_allclose(RetentionAxis(times[[1, 5]], 100.0 * carbons[[1, 5]], 60.0).index(times), 100 * carbons)


@pytest.mark.parametrize(
    ("times", "indices", "dead_time", "message"),
    [
        ([300.0], [1000.0], None, "a ladder of 1 times"),
        ([300.0, 200.0], [1000.0, 1100.0], None, "times of the ladder do not increase"),
        ([300.0, 400.0], [1000.0, 1000.0], None, "indices of the ladder do not increase"),
        ([300.0, np.nan], [1000.0, 1100.0], None, "times of the ladder"),
        ([300.0, 400.0], [1000.0, 1100.0], 300.0, "not before the first rung"),
    ],
)
def test_ladders_that_are_none_are_refused(
    times: list[float], indices: list[float], dead_time: float | None, message: str
):
    with pytest.raises(DataError, match=message):
        RetentionAxis(np.array(times), np.array(indices), dead_time)


def esters(folder: Path) -> list[Spectrum]:
    """One spectrum of each straight saturated ester but C13, which the library has at two indices."""
    library = read_amdis_library(folder / FAME_LIBRARY)
    wanted = {f"(C{carbons}:0) ME" for carbons in range(12, 29) if carbons != 13}
    found = {s.name: s for s in library if any(name in s.name for name in wanted) and "-" not in s.name}
    return list(found.values())


def test_the_ladder_of_methyl_esters_is_found_in_a_run_and_gives_the_indices_of_others(real_data: Path):
    folder = real_data / "gas_chromatography"
    indices = ester_indices(read_amdis_library(folder / FAME_LIBRARY))
    others = [s for s in read_library(folder / LIBRARY) if 1650 < (s.retention_index or 0) < 2900][::60]
    rng = np.random.default_rng(1)
    run = simulated_run(Injection("ladder", 40.0, [*esters(folder), *others]), STEADY, rng)
    peaks = peak_list(run, fits=False)
    rungs = find_ladder(peaks, "fatty-acid methyl esters", indices)
    assert len(rungs) >= 12
    assert [rung.index for rung in rungs] == [indices[rung.carbons] for rung in rungs]
    axis = axis_of(rungs)
    known = [*esters(folder), *others]
    centres = np.array([retention_time(s, STEADY, 2400.0, rng) for s in known])
    # Apices lie about 0.4 s after mu, those of the ladder as well; one second is 2.6 units here.
    found = axis.index(centres + 0.4)
    truth = np.array([s.retention_index for s in known])
    inside = axis.covers(centres)
    assert inside.sum() > 15
    assert np.abs(found - truth)[inside].max() < 1.5
    np.testing.assert_allclose(axis.time(truth)[inside], centres[inside] + 0.4, atol=1.6)


def alkane(carbons: int) -> Spectrum:
    """As textbooks describe it: alkyl ions that fall off from m/z 57, and a weak molecular ion."""
    series = np.arange(3, carbons - 1)
    masses = np.concatenate([14 * series + 1, 14 * series - 1, [14 * carbons + 2]])
    intensities = np.concatenate(
        [np.exp(-0.35 * np.abs(series - 4)), 0.15 * np.exp(-0.35 * np.abs(series - 4)), [0.03]]
    )
    order = np.argsort(masses)
    name = f"C{carbons}"
    return Spectrum(
        name, name, "", "", name, 100.0 * carbons, "", "", "", masses[order].astype(float), intensities[order]
    )


def test_a_ladder_of_alkanes_is_found_by_molecular_ions():
    run = simulated_run(
        Injection("alkanes", 40.0, [alkane(n) for n in range(10, 24)]), STEADY, np.random.default_rng(0)
    )
    rungs = find_ladder(peak_list(run, fits=False), "alkanes")
    assert [rung.carbons for rung in rungs] == list(range(10, 24))
    assert [rung.index for rung in rungs] == [100.0 * n for n in range(10, 24)]


def peak_at(apex: float, carbons: int) -> Peak:
    spectrum = alkane(carbons)
    return Peak(
        apex, apex - 2, apex + 3, 1e5, 2e5, 2.4, 1e3, spectrum.masses.astype(int), 1e5 * spectrum.intensities, None
    )


def test_a_rung_out_of_order_is_left_out_and_a_run_without_a_ladder_has_none():
    peaks = [peak_at(300, 10), peak_at(420, 11), peak_at(350, 15), peak_at(560, 12), peak_at(700, 13)]
    assert [rung.carbons for rung in find_ladder(peaks, "alkanes")] == [10, 11, 12, 13]
    with pytest.raises(DataError, match="2 of the alkanes were found") as raised:
        find_ladder(peaks[:2], "alkanes")
    assert raised.value.remedy
    with pytest.raises(DataError, match="0 of the fatty-acid"):
        find_ladder(peaks, "fatty-acid methyl esters", {16: 1927.0})
    with pytest.raises(DataError, match="no indices"):
        find_ladder(peaks, "fatty-acid methyl esters")


def test_compounds_of_the_library_are_not_taken_for_a_ladder(real_data: Path):
    library = read_library(real_data / "gas_chromatography" / LIBRARY)
    chosen = [s for s in library if 900 < (s.retention_index or 0) < 3000][::40]
    run = simulated_run(Injection("no ladder", 40.0, chosen), STEADY, np.random.default_rng(0))
    peaks = peak_list(run, fits=False)
    for ladder in ("alkanes", "fatty-acid methyl esters"):
        with pytest.raises(DataError, match="were found in the run"):
            find_ladder(peaks, ladder, {n: 100.0 * n + 325 for n in range(10, 30)})


@pytest.mark.parametrize(("name", "count"), [(FAME_LIBRARY, 481), (TMS_LIBRARY, 331)])
def test_amdis_libraries_are_read(real_data: Path, name: str, count: int):
    spectra = read_amdis_library(real_data / "gas_chromatography" / name)
    assert len(spectra) == count
    assert all((np.diff(s.masses) >= 0).all() and s.intensities.max() == 1 for s in spectra)
    assert sum(s.retention_index is not None for s in spectra) > 0.9 * count


def test_damaged_amdis_libraries_are_refused_with_the_line(tmp_path: Path):
    path = tmp_path / "a.msl"
    whole = "NAME:A\nRI:900\nNUM PEAKS:2\n(43 999) (57 20)\n\nNAME:B\nNUM PEAKS:1\n( 74.0 1 )\n"
    path.write_text(whole)
    first, second = read_amdis_library(path)
    assert (first.retention_index, second.retention_index) == (900.0, None)
    assert first.masses.tolist() == [43.0, 57.0]
    for old, new, message in (
        ("(43 999) ", "", "says 2 and has 1"),
        ("NAME:B", "RT:3", "has no NAME"),
        ("( 74.0 1 )", "( 74.0 0 )", "above 0"),
    ):
        path.write_text(whole.replace(old, new))
        with pytest.raises(DataError, match=message) as raised:
            read_amdis_library(path)
        assert "line" in str(raised.value.where)
    path.write_text("")
    with pytest.raises(DataError, match="has no spectra"):
        read_amdis_library(path)
