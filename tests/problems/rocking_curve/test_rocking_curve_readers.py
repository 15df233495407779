"""Instrument files are read as they are, and files that cannot be used are refused with the reason."""

from __future__ import annotations

import bz2
import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, DataMissingError
from probatum.problems.rocking_curve.readers import read_scan

PEAK = 1000 / (1 + np.linspace(-5, 15, 201) ** 2) + np.arange(201) / 100


def written(folder: Path, angles, intensities, name: str = "curve.txt") -> Path:
    path = folder / name
    path.write_text(
        "angle intensity\n" + "".join(f"{a:.6f} {i:.6g}\n" for a, i in zip(angles, intensities, strict=True))
    )
    return path


@pytest.mark.real
def test_panalytical_file_is_read(real_data: Path):
    scan = read_scan(real_data / "rocking_curve" / "simpack_xrd_AlGaAs.xrdml.gz")
    assert (scan.axis, scan.wavelength) == ("2-theta", 1.540598)
    assert scan.angles[[0, -1]].tolist() == [65.46, 66.6592]
    assert scan.intensities[:6].tolist() == [1, 1, 0, 2, 2, 1]
    assert "Omega-2Theta" in scan.remarks[0]
    # Between 65.88 and 65.9 stand the strongest counts of the file.
    assert scan.intensities.max() == 76182
    assert scan.angles[scan.intensities.argmax()] == pytest.approx(65.8904, abs=1e-4)


@pytest.mark.real
def test_rigaku_file_is_read_scan_by_scan(real_data: Path):
    path = real_data / "rocking_curve" / "inas_layer_radial_002_004.ras.bz2"
    first, second = read_scan(path), read_scan(path, part=1)
    assert (first.axis, first.wavelength, len(first.angles), len(second.angles)) == ("2-theta", 1.540593, 1501, 2501)
    assert first.angles[:2].tolist() == [26.5, 26.504]
    assert first.intensities[0] == 51.4986
    assert second.angles[[0, -1]].tolist() == [56.0, 66.0]
    assert "scan 1 of 2" in second.remarks[1]
    with pytest.raises(DataError, match="no scan 2"):
        read_scan(path, part=2)


@pytest.mark.real
@pytest.mark.parametrize("name", ["YSZ_YSZ-XRD.txt", "SiC-3C_SiC-XRD.txt", "SiC-pv_xrd.txt"])
def test_two_column_files_are_read_as_degrees_of_two_theta(real_data: Path, name: str):
    path = real_data / "rocking_curve" / "radmax" / name
    scan = read_scan(path)
    table = np.loadtxt(path)
    assert scan.axis == "2-theta"
    np.testing.assert_array_equal(scan.angles, table[:, 0])
    np.testing.assert_array_equal(scan.intensities, table[:, 1])
    assert any("unit deg" in remark for remark in scan.remarks)


@pytest.mark.real
@pytest.mark.parametrize("name", ["simpack_xrd_AlGaAs.xrdml.gz", "inas_layer_radial_002_004.ras.bz2"])
def test_compressed_file_cut_short_is_refused(real_data: Path, tmp_path: Path, name: str):
    content = (real_data / "rocking_curve" / name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="cut short"):
        read_scan(cut)
    opener = gzip.decompress if name.endswith(".gz") else bz2.decompress
    plain = tmp_path / Path(name).stem
    whole = opener(content)
    plain.write_bytes(whole[: int(len(whole) * 0.8)])
    with pytest.raises(DataError, match="again"):
        read_scan(plain, part=1 if name.startswith("inas") else 0)


def test_deviations_in_seconds_are_recognised_and_turned_so_that_expansion_is_positive(tmp_path: Path):
    seconds = np.linspace(-100, 300, 201)
    assert seconds[50] == 0
    for sign, said in ((1, "as in the file"), (-1, "turned round")):
        scan = read_scan(written(tmp_path, sign * seconds, PEAK))
        assert scan.axis == "deviation"
        found, intensities, remark = scan.deviations(0.4)
        np.testing.assert_allclose(found, seconds, atol=1e-5)
        np.testing.assert_allclose(intensities, PEAK, rtol=1e-5)
        assert said in remark
        assert ("angles were decreasing: the order is turned round" in scan.remarks) == (sign < 0)


def test_sign_of_a_scan_to_both_sides_is_that_of_its_signal(tmp_path: Path):
    seconds = np.linspace(-400, 500, 201)
    for sign in (1, -1):
        signal = 1e5 / (1 + seconds**2) + 50 * np.exp(-((seconds - sign * 200) ** 2) / 5000) + 0.1
        _, _, remark = read_scan(written(tmp_path, seconds, signal)).deviations(0.4)
        assert ("as in the file" in remark) == (sign > 0)


def test_angles_in_degrees_become_seconds_below_the_bragg_angle(tmp_path: Path):
    omega = np.linspace(25, 26, 201)
    path = written(tmp_path, omega, PEAK)
    for axis, theta in (("omega", omega), ("2-theta", omega / 2)):
        found, intensities, _ = read_scan(path, axis=axis).deviations(math.radians(25.5))
        np.testing.assert_allclose(found, (3600 * (25.5 - theta))[::-1], atol=4e-3)
        np.testing.assert_allclose(intensities, PEAK[::-1], rtol=1e-5)
    in_seconds = read_scan(written(tmp_path, omega * 3600, PEAK), axis="omega", unit="arcsec")
    np.testing.assert_allclose(in_seconds.angles, omega, atol=1e-6)


def test_bragg_angle_tells_omega_from_two_theta(tmp_path: Path):
    path = written(tmp_path, np.linspace(25, 26, 201), PEAK)
    assert read_scan(path).axis == "2-theta"
    for theta_B, axis in ((25.5, "omega"), (12.7, "2-theta")):
        scan = read_scan(path, bragg_angle=math.radians(theta_B))
        assert scan.axis == axis
        assert any("strongest peak" in remark for remark in scan.remarks)


@pytest.mark.parametrize(
    ("angles", "intensities", "message"),
    [
        ([30, 31, 32], [1, 2, 3], "3 points"),
        ([*np.arange(30, 50), 40.5], np.ones(21), "not sorted"),
        ([*np.arange(30, 50), 49], np.ones(21), "twice"),
        (np.arange(30, 50), [5] * 10 + [-1] + [5] * 9, "intensity 11 is -1"),
        (np.arange(30, 50), [5] * 10 + [np.nan] + [5] * 9, "intensity 11 is nan"),
        ([], [], "0 points"),
    ],
)
def test_curves_that_cannot_be_used_are_refused(tmp_path: Path, angles, intensities, message: str):
    with pytest.raises(DataError, match=message) as caught:
        read_scan(written(tmp_path, angles, intensities))
    assert "curve.txt" in str(caught.value)
    assert caught.value.remedy


def test_files_that_are_no_scans_are_refused(tmp_path: Path):
    with pytest.raises(DataMissingError, match="no such file"):
        read_scan(tmp_path / "none.xrdml")
    for name, content, message in (
        ("a.xrdml", "<a></a>", "no scan"),
        ("b.xrdml", "<a><scan scanAxis='Phi'><dataPoints><counts>1 2</counts></dataPoints></scan></a>", "'Phi'"),
        ("c.xrdml", "<a><scan scanAxis='Omega'></scan></a>", "no counts"),
        ("d.ras", "hello", "no scan"),
        ("e.txt", "1 2\n3 4\nfive 6\n", "line 3"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(DataError, match=message):
            read_scan(tmp_path / name)
    with pytest.raises(DataError, match="degrees"):
        read_scan(written(tmp_path, np.linspace(-5, 200, 201), PEAK), axis="2-theta", unit="deg")


def test_attenuated_counts_are_multiplied_and_that_is_said(tmp_path: Path):
    path = tmp_path / "a.xrdml"
    points = (
        "<positions axis='Omega'><listPositions>"
        + " ".join(f"{30 + i / 10}" for i in range(12))
        + "</listPositions></positions>"
        "<beamAttenuationFactors>"
        + "1 " * 6
        + "100 " * 6
        + "</beamAttenuationFactors><counts>"
        + "7 " * 12
        + "</counts>"
    )
    path.write_text(
        f"<a xmlns='http://example.org'><scan scanAxis='Omega'><dataPoints>{points}</dataPoints></scan></a>"
    )
    scan = read_scan(path)
    assert scan.axis == "omega"
    assert scan.wavelength is None
    assert scan.intensities.tolist() == [7] * 6 + [700] * 6
    assert "attenuation" in scan.remarks[1]
