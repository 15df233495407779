"""A run is the same run in every format; what is no run is refused with the place and what to do."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.errors import DataError, DataMissingError
from probatum.problems.gas_chromatography.csv_kernel import FINE, parse_rows
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.run import Run
from problems.gas_chromatography import run_files

WRITERS: dict[str, Callable[[Run, Path], None]] = {
    "small.csv": run_files.write_csv,
    "small.cdf": run_files.write_andi,
    "small.mzML": run_files.write_mzml,
    "small.mzXML": run_files.write_mzxml,
    "small.jdx": run_files.write_jcamp_dx,
    "small.D": run_files.write_agilent,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_run_is_the_same_in_every_format(name: str, tmp_path: Path):
    run = run_files.small_run()
    WRITERS[name](run, tmp_path / name)
    read = read_run(tmp_path / name)
    assert read.name == "small"
    np.testing.assert_allclose(read.times, run.times, rtol=1e-12)
    np.testing.assert_array_equal(read.offsets, run.offsets)
    np.testing.assert_allclose(read.masses, run.masses, rtol=1e-12)
    np.testing.assert_allclose(read.intensities, run.intensities, rtol=1e-12)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", ["small.csv", "small.mzML", "small.jdx", "small.cdf"])
def test_packed_files_are_read_and_cut_ones_refused(name: str, pack: Callable[[bytes], bytes], tmp_path: Path):
    WRITERS[name](run_files.small_run(), tmp_path / name)
    packed = tmp_path / (name + (".gz" if pack is gzip.compress else ".bz2"))
    content = pack((tmp_path / name).read_bytes())
    packed.write_bytes(content)
    assert len(read_run(packed)) == run_files.SCANS
    packed.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="cut short"):
        read_run(packed)


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "small.D"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.3, 0.6, 0.95])
def test_a_file_cut_anywhere_is_refused(name: str, kept: float, tmp_path: Path):
    path = tmp_path / name
    WRITERS[name](run_files.small_run(), path)
    content = path.read_bytes()
    cut = content[: int(kept * len(content))]
    if name == "small.csv":
        # Text that ends in the middle of a number is a whole file with another number; one that ends between is not.
        cut = cut[: cut.rfind(b",") + 1] if kept else cut
    path.write_bytes(cut)
    with pytest.raises(DataError) as raised:
        read_run(path)
    assert raised.value.remedy


# rainbow leaves the file open where it gives up.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cut_agilent_file_is_refused(tmp_path: Path):
    folder = tmp_path / "small.D"
    run_files.write_agilent(run_files.small_run(), folder)
    content = (folder / "data.ms").read_bytes()
    (folder / "data.ms").write_bytes(content[:-100])
    with pytest.raises(DataError, match="cut short"):
        read_run(folder)
    (folder / "data.ms").unlink()
    with pytest.raises(DataError):
        read_run(folder)


HEAD = "time,mass,intensity\n"
ROWS = [f"{0.5 + number // 2:g},{40 + number % 2:g},7" for number in range(40)]


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        ("", "begins with ''", 1),
        ("time,intensity\n", "begins with 'time,intensity'", 1),
        (HEAD, "no rows", None),
        (HEAD + "\n".join([*ROWS, "30,41"]), "fewer than 3 numbers", 42),
        (HEAD + "\n".join([*ROWS, "30,"]), "fewer than 3 numbers", 42),
        (HEAD + "\n".join([*ROWS, "30,41,7,8"]), "more than 3 numbers", 42),
        (HEAD + "\n".join([*ROWS, "30,41,high"]), "not 3 numbers", 42),
        (HEAD + "\n".join([*ROWS, "30,41,nan"]), "not 3 numbers", 42),
        (HEAD + "\n".join([*ROWS, "30;41;7"]), "not 3 numbers", 42),
        (HEAD + "\n".join([*ROWS[:20], "", *ROWS[20:]]), "is empty", 22),
        (HEAD + "\n".join([*ROWS, "1,41,7"]), "the time is 1", 42),
        (HEAD + "\n".join([*ROWS, "30,41,-7"]), "the intensity is -7", 42),
        (HEAD + "\n".join([*ROWS, "30,-41,7"]), "m/z -41", None),
        (HEAD + "\n".join(f"{60 * t},41,7" for t in range(20)), "seconds that were read as minutes", None),
        (HEAD + "\n".join(f"{t / 1000},41,7" for t in range(20)), "minutes that were read as seconds", None),
        (HEAD + "\n".join(ROWS[:6]), "has 3 scans", None),
    ],
)
def test_what_is_no_run_is_refused_with_its_line(content: str, message: str, line: int | None, tmp_path: Path):
    path = tmp_path / "run.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as raised:
        read_run(path)
    assert raised.value.remedy
    if line is not None:
        assert str(raised.value.where).endswith(f"line {line}")


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n\n"])
def test_the_end_of_the_last_line_does_not_matter(ending: str, tmp_path: Path):
    path = tmp_path / "run.csv"
    path.write_bytes((HEAD + "\n".join(ROWS) + ending).encode())
    assert len(read_run(path).masses) == 40
    path.write_bytes((HEAD + "\r\n".join(r for r in (HEAD + "\n".join(ROWS)).splitlines()[1:]) + ending).encode())
    assert len(read_run(path).masses) == 40


def test_the_unit_of_times_can_be_said(tmp_path: Path):
    path = tmp_path / "run.csv"
    path.write_text(HEAD + "\n".join(f"{60 * t},41,7" for t in range(20)))
    assert read_run(path, "s").times[-1] == 1140.0


numbers = st.one_of(
    st.floats(1e-300, 1e300), st.floats(0, 1e6), st.integers(0, 10**25).map(float), st.sampled_from([0.0, 1e-320])
)


@given(numbers, st.sampled_from(["r", ".3f", ".25f", "e", ".17g", "g"]))
def test_numbers_are_read_to_the_last_places(value: float, form: str):
    text = repr(value) if form == "r" else format(value, form)
    line = np.frombuffer(f"{text},{text},-{text}\n".encode(), np.uint8)
    values = np.empty((1, 3))
    assert tuple(map(int, parse_rows(line, 0, len(line), values))) == (1, len(line), FINE)
    expected = float(text)
    np.testing.assert_allclose(values[0], [expected, expected, -expected], rtol=5e-16, atol=1e-323)


def test_blocks_split_a_file_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = run_files.small_run()
    run_files.write_csv(run, tmp_path / "small.csv")
    whole = read_run(tmp_path / "small.csv")
    for block in (1, 7, 64, 1000):
        monkeypatch.setattr("probatum.problems.gas_chromatography.challenge_csv.BLOCK", block)
        monkeypatch.setattr("probatum.problems.gas_chromatography.challenge_csv.ROWS", 3)
        if block < 20:
            with pytest.raises(DataError, match="line 1"):
                read_run(tmp_path / "small.csv")  # the header has to be in the first block
            continue
        read = read_run(tmp_path / "small.csv")
        np.testing.assert_array_equal(read.intensities, whole.intensities)
        np.testing.assert_array_equal(read.offsets, whole.offsets)


def test_masses_out_of_order_are_put_in_order_and_said(tmp_path: Path):
    path = tmp_path / "run.csv"
    path.write_text(HEAD + "\n".join(f"{t + 1},{m},{m}" for t in range(12) for m in (43, 41, 57)))
    run = read_run(path)
    np.testing.assert_array_equal(run.masses.reshape(12, 3), np.tile([41.0, 43.0, 57.0], (12, 1)))
    np.testing.assert_array_equal(run.masses, run.intensities)
    assert "order" in run.remarks[0]


def test_missing_files_and_unknown_formats_are_named(tmp_path: Path):
    (tmp_path / "run1.csv").write_text(HEAD)
    with pytest.raises(DataMissingError, match="no such file") as raised:
        read_run(tmp_path / "run2.csv")
    assert "run1.csv" in str(raised.value)
    with pytest.raises(DataMissingError, match="no such folder"):
        read_run(tmp_path / "run.D")
    (tmp_path / "run.txt").write_text("")
    with pytest.raises(DataError, match=r"suffix '\.txt'"):
        read_run(tmp_path / "run.txt")


def test_the_real_run_is_read(real_data: Path):
    run = read_run(real_data / "gas_chromatography" / "agilent-gcms.cdf")
    assert (len(run), len(run.masses)) == (6401, 157201)
    assert (run.times[0], run.times[-1]) == (5.25, 3779.754)
    assert (run.masses.min(), round(run.masses.max(), 1)) == (12.0, 429.2)
    assert run.metadata["test_ionization_mode"] == "Electron Impact"
