"""Files that fuzzing found: each once ended in a traceback, a warning, a leak or a number that is none."""

from __future__ import annotations

import gc
import io
import json
import re
import socket
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.test_campaign_file import PROBLEM, PROPOSALS, SPACE
from fuzz.test_gas_chromatography_files import AMDIS, CHALLENGE, MEMBERS, RUN, agilent, read_release, release, written
from fuzz.test_metabolism_files import small_petab
from fuzz.test_rocking_curve_files import RAS, XRDML
from fuzz.test_tables import WHOLE, look_at_table
from fuzz.watching import watched
from probatum.audit.importers import read_runs
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.ledgers.lock import HOLDER, holder_of
from probatum.errors import CampaignFileError, DataError, ProbatumError, StorageError
from probatum.planning.round_file import read_proposals
from probatum.planning.space import space_of
from probatum.problems.analog_codes.matrix_file import read_matrix
from probatum.problems.gas_chromatography.amdis_library import read_amdis_library
from probatum.problems.gas_chromatography.challenge_folder import read_folder
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.spectra import read_library
from probatum.problems.metabolism.petab_reading import read_petab
from probatum.problems.metabolism.sbml import read_sbml
from probatum.problems.metabolism.time_course import _heading, read_time_course
from probatum.problems.rocking_curve.readers import read_scan
from probatum.problems.table import Table, unit_of
from probatum.problems.text_table import read
from problems.gas_chromatography import run_files

RIDGE = '[[experiment]]\nname = "line"\nmodel = "ridge"\n'
DIGITS = "9" * 5000


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")
    return buffer.getvalue()


def refused(read, path: Path, content: bytes | str, kind: type[ProbatumError] = DataError) -> str:
    """What is said of a file that cannot be used."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(kind) as raised, watched():
        read(path)
    return str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        RIDGE + '[[experiment]]\nname = "b"\nparent = []\nmodel = "ridge"\n',
        RIDGE + '[[experiment]]\nname = "b"\nmodel = { kind = "mlp", symmetry = 1 }\n',
        RIDGE + f'[[experiment]]\nname = "b"\nmodel = {{ kind = "ridge", alpha = {DIGITS} }}\n',
        RIDGE + '[[experiment]]\nname = "b"\ncomponents = ["line", "line"]\nmodel.weights = [nan, 1.0]\n',
        RIDGE + '[[experiment]]\nname = "b"\ncomponents = ["line", "line"]\nmodel.weights = [1e308, inf]\n',
        RIDGE + '[[experiment]]\nname = "b"\ncomponents = ["line", "line"]\nmodel.weights = "inner"\n'
        'model.inner_folds = "a"\n',
        RIDGE + "x = " + "[" * 3000 + "]" * 3000,
        "x." * 60_000 + "y = 1",
    ],
)
def test_campaign_files(text: str, tmp_path: Path):
    from campaigns.small_campaigns import write_table

    write_table(tmp_path / "batches.csv")
    assert "a.toml" in refused(read_campaign_file, tmp_path / "a.toml", PROBLEM + text, CampaignFileError)


@pytest.mark.parametrize("text", [PROPOSALS.replace("pairs = 3", "pairs = inf"), 'proposal = "text"', "proposal = 1"])
def test_proposals(text: str, tmp_path: Path):
    refused(read_proposals, tmp_path / "round.toml", text, CampaignFileError)


def test_a_parquet_file_whose_pages_are_damaged(tmp_path: Path):
    said = refused(look_at_table, tmp_path / "a.parquet", WHOLE[:4] + b"nan" + WHOLE[7:])
    assert "is no Parquet file, or a damaged one" in said


@pytest.mark.parametrize(
    "content",
    [
        b"\x93NUMPY\x01\x00v\x00{'descr': \x00",
        b"\x93NUMPY\x01\x00v\x00{\x93NUMPY" + b" " * 110,
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 999999), }".ljust(118),
        b"\x93NUMPY\x01\x00v\x00" + b"(" * 118,
        zipped(),
    ],
)
def test_arrays_whose_header_is_damaged(content: bytes, tmp_path: Path):
    assert "is no NumPy array" in refused(read_matrix, tmp_path / "a.npy", content)


def test_a_matrix_of_wider_floats_that_are_too_large(tmp_path: Path):
    buffer = io.BytesIO()
    np.save(buffer, np.array([[np.longdouble("1e400")]]))
    assert "is not finite" in refused(read_matrix, tmp_path / "a.npy", buffer.getvalue())


@pytest.mark.parametrize(
    "line",
    [
        f'{{"name": "a", "score": {"9" * 400}}}',
        f'{{"name": "a", "score": {DIGITS}}}',
        f'{{"name": "a", "metrics": {{"mae": {"9" * 400}}}}}',
        f'{{"name": "a", "curves": {{"loss": [{"9" * 400}]}}}}',
        '{"name": "a", "config": {"x": ' + "[" * 100_000 + "}}",
    ],
)
def test_runs_with_numbers_and_lists_without_end(line: str, tmp_path: Path):
    assert "runs.jsonl:1" in refused(read_runs, tmp_path / "runs.jsonl", line)


def test_a_configuration_of_thousands_of_digits_is_text(tmp_path: Path):
    path = tmp_path / "runs.csv"
    path.write_text(f"name,score,config.rate\na,0.5,{DIGITS}\nb,0.5,{'[' * 50_000}\n", encoding="utf-8")
    assert read_runs(path).runs[0].recipe == {"rate": DIGITS}


@pytest.mark.parametrize("number", ["nan", "-1", "0", "1e999", "one", "1 2"])
def test_wavelengths_that_are_none(number: str, tmp_path: Path):
    refused(read_scan, tmp_path / "a.ras", RAS.replace("1.540593", number))
    refused(read_scan, tmp_path / "a.xrdml", XRDML.replace("1.5405980", number))


def test_a_wavelength_that_is_left_blank_is_not_known(tmp_path: Path):
    path = tmp_path / "a.xrdml"
    path.write_text(XRDML.replace("1.5405980", " "), encoding="utf-8")
    assert read_scan(path).wavelength is None


def test_positions_without_a_number(tmp_path: Path):
    text = XRDML.replace("<startPosition>65.5", "<startPosition>")
    assert "positions of 2Theta" in refused(read_scan, tmp_path / "a.xrdml", text)


@pytest.mark.parametrize("old", ["65.5", "66.5"])
def test_angles_beyond_every_number(old: str, tmp_path: Path):
    refused(read_scan, tmp_path / "a.xrdml", XRDML.replace(old, "-1e308"))


def test_deviations_that_no_goniometer_reaches(tmp_path: Path):
    lines = [f"{-(10.0 ** (9 - i))},5" for i in range(6)] + [f"{i},5" for i in range(8)]
    assert "arc-seconds" in refused(read_scan, tmp_path / "a.txt", "\n".join(lines))


def test_a_time_beyond_every_number(tmp_path: Path):
    text = RUN.decode().splitlines()
    text[1] = "-1e308" + text[1][text[1].index(",") :]
    refused(read_run, tmp_path / "a.csv", "\n".join(text))


def test_an_mzml_whose_counts_are_no_numbers(tmp_path: Path):
    text = written("mzML").decode().replace('defaultArrayLength="5"', 'defaultArrayLength="nan"')
    assert "\n" not in refused(read_run, tmp_path / "a.mzML", text)


@pytest.mark.parametrize("suffix", ["mzML", "mzXML"])
def test_mass_spectra_that_declare_entities(suffix: str, tmp_path: Path):
    text = written(suffix).decode()
    root = suffix
    text = text.replace(f"<{root} ", f'<!DOCTYPE {root} [<!ENTITY x SYSTEM "file:///etc/passwd">]><{root} ', 1)
    assert "document type" in refused(read_run, tmp_path / f"a.{suffix}", text)


def test_a_damaged_folder_of_agilent_is_not_left_open(tmp_path: Path):
    (tmp_path / "a.D").mkdir()
    (tmp_path / "a.D" / "data.ms").write_bytes(agilent()["small.D/data.ms"][:900])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError):
            read_run(tmp_path / "a.D")
        gc.collect()


def test_a_library_of_spectra_that_is_not_text(tmp_path: Path):
    assert "line 2" in refused(read_library, tmp_path / "a.jsonl", b"\n\x80")


@pytest.mark.parametrize("peaks", [f"[[{'9' * 400}, 1]]", "[" * 100_000, '"text"'])
def test_a_library_of_spectra_with_peaks_that_are_none(peaks: str, tmp_path: Path):
    assert "line 1" in refused(read_library, tmp_path / "a.jsonl", f'{{"acc": "a", "peaks": {peaks}}}')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("NUM PEAKS:3", "NUM PEAKS:" + DIGITS),
        ("NUM PEAKS:3", "NUM PEAKS:\xb3"),
        ("(41 300) (43 250)\n(74 999)", f"(41 {'9' * 400}) ({'9' * 400} 250)\n(74 0)"),
    ],
)
def test_a_library_of_amdis_with_numbers_beyond_every_number(old: str, new: str, tmp_path: Path):
    refused(read_amdis_library, tmp_path / "a.msl", AMDIS.replace(old, new).encode("latin-1"))


@pytest.mark.parametrize("number", [1e308, -1e308, np.inf, np.nan])
def test_an_andi_file_with_numbers_beyond_every_number(number: float, tmp_path: Path):
    content = bytearray(written("cdf"))
    place = content.index(np.array(run_files.small_run().times[:1], dtype=">f8").tobytes())
    content[place : place + 16] = np.array([number, -number], dtype=">f8").tobytes()
    refused(read_run, tmp_path / "a.cdf", bytes(content))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 12, 40])
def test_a_release_that_is_cut(size: int, tmp_path: Path):
    refused(read_release, tmp_path / "a.tar.gz", release(MEMBERS)[:size])


@pytest.mark.parametrize("encoding", ["UTFnan", "utf-7", "shift_jis", "rot13", "ascii"])
def test_models_in_encodings_that_nobody_reads(encoding: str, tmp_path: Path):
    text = small_petab.DECAY.replace("UTF-8", encoding).replace('id="decay"', 'id="decay" name="é"')
    refused(read_sbml, tmp_path / "a.xml", text.encode())


def test_a_lock_that_holds_anything(tmp_path: Path):
    for content in (b"\x80id 1", b"pid " + b"9" * 5000 + f" on {socket.gethostname()} since".encode(), b""):
        (tmp_path / HOLDER).write_bytes(content)
        assert holder_of(tmp_path) is not None


@pytest.mark.parametrize(
    "name", ["../../secret.npz", "/etc/passwd", "..", "", "a" * 64, f"{'a' * 64}.npz/../x", "/dev/zero"]
)
def test_a_ledger_that_names_a_file_outside_the_store(name: str, tmp_path: Path):
    (tmp_path / "secret.npz").write_bytes(b"secret")
    store = ArtifactStore(tmp_path / "a.probatum" / "artifacts")
    with pytest.raises(StorageError, match="no name of an artifact"):
        store.read_arrays(name)


# Patterns that once took the square, or worse, of what they looked at.


@pytest.mark.parametrize("middle", ["[" * 50_000, "()" * 30_000, "( " * 40_000, "(" + " " * 60_000 + "x", "x" * 99_000])
def test_headings_of_brackets_and_blanks_without_end(middle: str, tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text(f"time,glucose {middle} [mM]\n0,1\n1,2\n", encoding="utf-8")
    with watched():
        assert read_time_course(path).metabolites[0].startswith("glucose")
        assert unit_of(f"glucose {middle} [mM]") == "mM"
        assert unit_of(f"glucose {middle}!") == "1"


@given(st.text("ab []()%", max_size=12))
def test_units_of_columns_are_what_a_pattern_says_of_short_names(column: str):
    found = re.search(r"[\[(]\s*([^\[\]()]+?)\s*[\])]\s*$", column)
    assert unit_of(column) == (found[1].strip() or "1" if found else "1")
    found = re.match(r"^(.*?)\s*[\[(]([^\])]*)[\])]\s*$", column)
    said = (found[1].strip(), found[2].strip()) if found and found[1].strip() else (column, "")
    assert _heading(column) == said


def test_headers_of_scans_without_end(tmp_path: Path):
    refused(read_scan, tmp_path / "a.ras", "*RAS_HEADER_START\n" * 60_000)
    refused(read_scan, tmp_path / "a.ras", "*RAS_HEADER_START\n*RAS_INT_START\n" * 30_000)


def test_a_score_with_blanks_without_end(tmp_path: Path):
    line = json.dumps({"name": "a", "score": "1" + " " * 20_000 + "x"})
    assert "is no number" in refused(read_runs, tmp_path / "runs.jsonl", line)


def test_paths_that_hold_a_null_byte(tmp_path: Path):
    campaign = PROBLEM.replace("batches.csv", "a\\u0000b.csv") + RIDGE
    assert "U+0000" in refused(read_campaign_file, tmp_path / "a.toml", campaign, CampaignFileError)
    with pytest.raises(DataError, match=r"U\+0000"):
        Table("a\0b.csv", "y")
    for name, content in CHALLENGE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    table = CHALLENGE["metadata.csv"].replace(b"train_features/", b"\0")
    assert "lies outside" in refused(lambda path: read_folder(path.parent), tmp_path / "metadata.csv", table)
    yaml = small_petab.YAML.replace("[model.xml]", '["a\\0b.xml"]')
    assert "names no 'sbml_files'" in refused(read_petab, tmp_path / "problem.yaml", yaml)


@pytest.mark.parametrize("files", ["5", "{a: b}", "[1]", "[]", "null"])
def test_a_petab_problem_whose_files_are_none(files: str, tmp_path: Path):
    yaml = small_petab.YAML.replace("[model.xml]", files)
    assert "names no 'sbml_files'" in refused(read_petab, tmp_path / "problem.yaml", yaml)


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 400, "nan", "inf"])
def test_a_space_that_ends_beyond_every_number(number: str, tmp_path: Path):
    for key in ("low", "high"):
        text = SPACE.replace({"low": "0.0", "high": "0.5"}[key], number)
        refused(lambda path: space_of(path.with_name("a.toml"), {}), tmp_path / "space.toml", text, CampaignFileError)


def test_cells_without_end(tmp_path: Path):
    assert "is no CSV" in refused(read_runs, tmp_path / "runs.csv", "name" + "x" * 200_000 + "\n")
    assert "line 1" in refused(read_matrix, tmp_path / "a.csv", "1," + "9" * 200_000 + "\n")
    assert "is no CSV" in refused(read, tmp_path / "a.csv", "a,b\n1," + "9" * 200_000 + "\n")
