"""`probatum rocking-curve fit`: measured and simulated curves, folders, pictures, and curves that cannot be fitted."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from probatum.errors import DataError, FitError, UnknownNameError, UsageError
from probatum.problems.rocking_curve import kernel, splines
from probatum.problems.rocking_curve.commands import fit
from probatum.problems.rocking_curve.crystals import reflection
from probatum.problems.rocking_curve.first_look import estimated_gain
from probatum.problems.rocking_curve.physics import angles_below
from probatum.problems.rocking_curve.profile import sublayers

GARNET = reflection("GGG", (4, 4, 4))
SECONDS = np.linspace(-120, 1800, 400)
PARAMETERS = np.array([0.012, 0.005, 3000.0, 1200.0, 0.006, 1500.0, -900.0])


@pytest.fixture(autouse=True)
def small_cache(tmp_path_factory, monkeypatch):
    from probatum.problems.rocking_curve import starts

    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: folder / name)
    monkeypatch.setattr(starts.Library.simulated.__func__, "__defaults__", (600, 0))


def simulated() -> np.ndarray:
    grid = np.arange(SECONDS[0] - 70, SECONDS[-1] + 70, 1.0)
    weight = float(np.sqrt(np.cos(2 * GARNET.bragg_angle)))
    R = kernel.reflectivity(GARNET, angles_below(GARNET, grid), *sublayers(PARAMETERS), pi_weight=weight)
    weights = np.exp(-(((SECONDS[:, None] - grid) / 12.74) ** 2) / 2)
    expected = weights @ R / weights.sum(1)
    return np.random.default_rng(0).poisson(50_000 * expected / expected.max() + 40)


CURVE = simulated()


def written(path: Path, angles: np.ndarray = SECONDS, counts: np.ndarray = CURVE) -> Path:
    np.savetxt(path, np.column_stack([angles, counts]), fmt="%.5f")
    return path


def test_a_simulated_garnet_gives_its_profile_with_intervals_and_a_picture(tmp_path):
    answer = fit(written(tmp_path / "a.txt"), "GGG", "4,4,4", figure=tmp_path / "a.png").values
    assert answer["profile"] == "two-part"
    found = {one["name"]: one for one in answer["parameters"]}
    for name, truth in zip(("Dmax1", "D01", "L1", "Rp1", "D02"), PARAMETERS, strict=False):
        one = found[name]
        assert abs(one["value"] - truth) < 4 * max(one["high"] - one["low"], 0.005 * truth), name
    assert found["Dmax1"]["value"] == pytest.approx(0.012, rel=0.03)
    assert found["L1"]["value"] == pytest.approx(3000, rel=0.03)
    assert len(answer["depth"]) == len(answer["strain_low"]) == len(answer["strain_high"])
    assert "Rp2" not in found
    assert any("axis deviation" in remark for remark in answer["remarks"])
    assert any("sign as in the file" in remark for remark in answer["remarks"])
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_is_fitted_in_one_call_and_a_bad_file_stops_no_other(tmp_path):
    written(tmp_path / "a.txt")
    written(tmp_path / "b.txt", SECONDS[:3], CURVE[:3])
    (tmp_path / "notes.md").write_text("not a curve")
    answer = fit(tmp_path, "GGG", "4,4,4")
    good, bad = answer.values["curves"]
    assert good["profile"] == "two-part"
    assert bad["profile"] is None
    assert "3 points" in bad["failure"]
    assert len(answer.shown) > 4


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("unsorted", lambda a, y: (a[np.r_[0:50, 60, 50:60, 61:400]], y), "not sorted"),
        ("repeated", lambda a, y: (np.where(np.arange(400) == 50, a[49], a), y), "twice"),
        ("negative", lambda a, y: (a, np.where(np.arange(400) == 50, -3, y)), "below 0"),
        ("saturated", lambda a, y: (a, np.minimum(y, 9000)), "saturated"),
        ("no peak", lambda a, y: (a[100:], y[100:]), "no substrate peak"),
        ("three points", lambda a, y: (a[:3], y[:3]), "3 points"),
        ("dark", lambda a, y: (a, 0 * y), "every intensity is 0"),
    ],
)
def test_what_cannot_be_a_curve_is_said_in_a_sentence(tmp_path, name, change, says):
    path = written(tmp_path / "curve.txt", *change(SECONDS, CURVE))
    with pytest.raises(DataError, match=says) as caught:
        fit(path, "GGG", "4,4,4")
    assert "curve.txt" in str(caught.value)


def test_a_file_cut_short_is_said_to_be(tmp_path):
    whole = written(tmp_path / "curve.txt").read_bytes()
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(whole)[:500])
    with pytest.raises(DataError, match=r"no whole \.gz file"):
        fit(tmp_path / "cut.txt.gz", "GGG", "4,4,4")


def test_the_peak_of_another_reflection_is_refused(tmp_path):
    angles = 2 * np.degrees(angles_below(GARNET, SECONDS))[::-1]
    path = written(tmp_path / "curve.txt", angles, CURVE[::-1])
    with pytest.raises(DataError, match="degrees from the Bragg angle"):
        fit(path, "GGG", "8,8,8")


def test_a_curve_of_no_profile_gets_none(tmp_path):
    shuffled = np.random.default_rng(0).permutation(CURVE)
    with pytest.raises(FitError, match="allowed"):
        fit(written(tmp_path / "curve.txt", counts=shuffled), "YSZ", "4,0,0", profile="splines", axis="deviation")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"crystal": "GGX"}, UnknownNameError),
        ({"reflection": "4,4"}, UsageError),
        ({"profile": "spline"}, UsageError),
        ({"axis": "theta"}, UsageError),
        ({"fwhm": -1.0}, UsageError),
        ({"figure": Path("curve.gif")}, UsageError),
    ],
)
def test_options_that_mean_nothing_are_refused(tmp_path, options, error):
    with pytest.raises(error):
        fit(written(tmp_path / "curve.txt"), **{"crystal": "GGG", "reflection": "4,4,4", **options})


@pytest.mark.real
def test_irradiated_zirconia_is_fitted_better_than_by_the_program_it_comes_with(real_data: Path):
    folder = real_data / "rocking_curve" / "radmax"
    answer = fit(folder / "YSZ_YSZ-XRD.txt", "YSZ", "4,0,0", wavelength=1.5406).values
    _, observed, theirs = np.loadtxt(folder / "YSZ_test_out_XRD_fit.txt").T
    assert answer["error"] < 0.3 * np.abs(np.log10(theirs / observed)).mean()
    assert answer["profile"] == "splines"
    # Its starting profile there: strain up to .6 %, within 1998 Angstrom.
    assert 0.4e-2 < max(answer["strain"]) < 0.75e-2
    assert (
        1200 < np.interp(0.05, np.array(answer["strain"])[::-1] / max(answer["strain"]), answer["depth"][::-1]) < 2600
    )


def test_splines_come_back_from_their_curve():
    from probatum.problems.rocking_curve.spline_fit import fit_splines

    zirconia = reflection("YSZ", (4, 0, 0))
    strain = splines.strain(np.array([0.05, 0.2, 0.45, 0.6, 0.62, 0.5]) / 100, 100)
    disorder = splines.debye_waller(np.array([1.0, 0.95, 0.85, 0.8, 0.75, 0.75]), 100)
    seconds = np.arange(-300.0, 1300.0, 4.0)
    grid = np.arange(-380.0, 1380.0, 0.5)
    R = kernel.reflectivity(zirconia, angles_below(zirconia, grid), strain, np.full(100, 15.0), disorder)
    weights = np.exp(-(((seconds[:, None] - grid) / 15) ** 2) / 2)
    expected = 1e5 * (weights @ R) / weights.sum(1) + 100
    held_out = np.arange(len(seconds)) % 5 == 2
    found = fit_splines(zirconia, seconds, np.random.default_rng(0).poisson(expected), used=~held_out)
    assert found.error < 0.06
    assert found.held_out < 0.08
    profile, _, depth = found.model.profile(found.point)
    depths = (np.arange(found.model.slices) + 0.5) * depth / found.model.slices
    truth = np.interp(depths, np.arange(7.5, 1500, 15), strain, right=0.0)
    assert np.abs(profile - truth).mean() < 0.1 * strain.max()


def test_the_unit_of_a_count_is_read_off_the_scatter():
    counts = np.random.default_rng(0).poisson(np.linspace(20, 400, 500)).astype(float)
    assert estimated_gain(counts) == 1.0
    assert estimated_gain(0.25 * counts) == pytest.approx(0.25, rel=0.3)


def test_the_profile_shown_lies_within_its_intervals_where_several_describe_the_curve(tmp_path):
    from probatum.problems.rocking_curve.problem import RockingCurve

    problem = RockingCurve(curves=2)
    curve = problem.dataset("parameters").observations["intensity"][1]
    answer = fit(written(tmp_path / "b.txt", problem.scan.seconds, curve), "GGG", "4,4,4").values
    assert any("profiles describe the curve" in remark for remark in answer["remarks"])
    for one in answer["parameters"]:
        assert one["low"] <= one["value"] <= one["high"], one["name"]
