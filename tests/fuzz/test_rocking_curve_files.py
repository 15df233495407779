"""Measured rocking curves: .xrdml, .ras, two columns of text, and packed files."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest

from fuzz.reading import Reader, Sample, holds
from probatum.errors import DataError
from probatum.problems import packed_files
from probatum.problems.rocking_curve.readers import Scan, read_scan

POINTS = 12
COUNTS = " ".join(str(10 * (i + 1)) for i in range(POINTS))
XRDML = f"""<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5"><xrdMeasurement><usedWavelength>
<kAlpha1 unit="Angstrom">1.5405980</kAlpha1></usedWavelength><scan scanAxis="2Theta-Omega" status="Completed">
<dataPoints>
<positions axis="2Theta" unit="deg"><startPosition>65.5</startPosition><endPosition>66.5</endPosition></positions>
<positions axis="Omega" unit="deg"><startPosition>32.75</startPosition><endPosition>33.25</endPosition></positions>
<beamAttenuationFactors>{" ".join(["1.0"] * POINTS)}</beamAttenuationFactors>
<commonCountingTime unit="seconds">1.0</commonCountingTime><counts unit="counts">{COUNTS}</counts></dataPoints></scan>
</xrdMeasurement></xrdMeasurements>"""
LISTED = XRDML.replace(
    "<startPosition>65.5</startPosition><endPosition>66.5</endPosition>",
    f"<listPositions>{' '.join(str(65 + i / 10) for i in range(POINTS))}</listPositions>",
)
RAS = (
    '*RAS_DATA_START\n*RAS_HEADER_START\n*MEAS_SCAN_AXIS_X "Omega"\n*HW_XG_WAVE_LENGTH_ALPHA1 "1.540593"\n'
    "*RAS_HEADER_END\n*RAS_INT_START\n"
    + "".join(f"{32 + i / 100:.2f} {100 + i}.0 1.0\n" for i in range(POINTS))
    + "*RAS_INT_END\n*RAS_DATA_END\n"
)
TEXT = "# omega counts\n" + "".join(f"{32 + i / 100:.2f}\t{100 + i}\n" for i in range(POINTS))
SECONDS = "angle,intensity\n" + "".join(f"{-60 + 10 * i},{1 + i % 7}e2\n" for i in range(POINTS))


def read(path: Path) -> Scan:
    scan = read_scan(path, bragg_angle=0.5756)
    scan.deviations(0.5756)
    return scan


def can_be_drawn(scan: Scan) -> None:
    assert len(scan.angles) == len(scan.intensities) >= 10
    assert np.isfinite(scan.angles).all()
    assert np.isfinite(scan.intensities).all()
    assert (np.diff(scan.angles) > 0).all()
    assert (scan.intensities >= 0).all()
    assert scan.wavelength is None or np.isfinite(scan.wavelength)


READERS = [
    Reader(
        "xrdml", read, [Sample.of("a.xrdml", XRDML), Sample.of("b.xrdml", LISTED)], sound=can_be_drawn, examples=300
    ),
    Reader("ras", read, [Sample.of("a.ras", RAS), Sample.of("two.ras", RAS + RAS)], sound=can_be_drawn, examples=300),
    Reader("text", read, [Sample.of("a.txt", TEXT), Sample.of("b.csv", SECONDS)], sound=can_be_drawn, examples=300),
    Reader(
        "packed",
        read,
        [
            Sample.of("a.xrdml.gz", gzip.compress(XRDML.encode())),
            Sample.of("a.ras.bz2", bz2.compress(RAS.encode())),
            Sample.of("a.txt.xz", lzma.compress(TEXT.encode())),
        ],
        sound=can_be_drawn,
    ),
]


@pytest.mark.parametrize("reader", READERS, ids=str)
def test_a_damaged_curve_is_read_or_refused(reader: Reader):
    holds(reader)


LAUGHS = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "1 2 3 4 5 6 7 8"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<xrdMeasurements><scan>&b;</scan></xrdMeasurements>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>
<xrdMeasurements><scan>&secret;</scan></xrdMeasurements>"""


@pytest.mark.parametrize("content", [LAUGHS, OUTSIDE])
def test_an_xrdml_that_declares_entities_is_refused(content: str, tmp_path: Path):
    path = tmp_path / "a.xrdml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="document type"):
        read_scan(path)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_a_small_file_that_unpacks_to_more_than_is_read_is_refused(suffix, pack, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(packed_files, "LARGEST", 1 << 20)
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(pack(b"0" * ((1 << 20) + 1)))
    assert path.stat().st_size < 1 << 15
    with pytest.raises(DataError, match="unpacks to more than"):
        read_scan(path)
