"""The library is rebuilt from a release, record by record as published, and nothing in an archive reaches the disk."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from probatum.errors import DataError, DataMissingError
from probatum.problems import data_files
from probatum.problems.data_files import DataSource, fetch, locate
from probatum.problems.gas_chromatography import massbank_release
from probatum.problems.gas_chromatography.library import SOURCE
from probatum.problems.gas_chromatography.massbank_release import RELEASE, kept_record, rebuilt_library
from probatum.problems.gas_chromatography.problem import GasChromatography
from probatum.problems.gas_chromatography.spectra import LIBRARY, read_library

RECORD = """ACCESSION: MSBNK-Here-X0001
RECORD_TITLE: Nonsensol; GC-EI-TOF; MS; 2 TMS
AUTHORS: Somebody, Somewhere
LICENSE: CC BY
COMMENT: CH$NAME: not this
CH$NAME: Nonsensol
CH$NAME: another name
CH$COMPOUND_CLASS: N/A
CH$FORMULA: C2H6O
CH$SMILES: CCO
CH$LINK: CAS 64-17-5
CH$LINK: INCHIKEY LFQSCWFLJHTTHZ-UHFFFAOYSA-N
AC$INSTRUMENT: a box
AC$INSTRUMENT_TYPE: GC-EI-TOF
AC$MASS_SPECTROMETRY: MS_TYPE MS
AC$MASS_SPECTROMETRY: COLLISION_ENERGY 70 eV
AC$CHROMATOGRAPHY: KOVATS_RTI 500.5
AC$CHROMATOGRAPHY: RETENTION_TIME 61.5  sec
MS$FOCUSED_ION: DERIVATIVE_TYPE 2 TMS
PK$SPLASH: splash10-nothing
PK$ANNOTATION: m/z formula
  31 CH3O+
PK$NUM_PEAK: 3
PK$PEAK: m/z int. rel.int.
  31.018 100 999
  45 5.5e1 549
  46 20.25 202
//
"""
EXPECTED = {
    "acc": "MSBNK-Here-X0001",
    "path": "Here/MSBNK-Here-X0001.txt",
    "name": "Nonsensol",
    "formula": "C2H6O",
    "smiles": "CCO",
    "cls": None,
    "inchikey": "LFQSCWFLJHTTHZ-UHFFFAOYSA-N",
    "inst": "GC-EI-TOF",
    "ce": "70 eV",
    "rt": "61.5  sec",
    "ri": "500.5",
    "lic": "CC BY",
    "authors": "Somebody, Somewhere",
    "der": "2 TMS",
    "peaks": [[31.018, 100.0], [45.0, 55.0], [46.0, 20.25]],
}


def release(records: dict[str, str], folder: str = f"MassBank-data-{RELEASE}") -> bytes:
    """A .tar.gz as the code host makes them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for path, text in records.items():
            member = tarfile.TarInfo(f"{folder}/{path}" if folder else path)
            content = text.encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def lines(packed: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(packed).decode().splitlines()]


def test_a_record_is_kept_with_what_the_library_says_of_it():
    assert kept_record(EXPECTED["path"], RECORD, "here") == EXPECTED
    other = RECORD.replace("KOVATS_RTI 500.5", "RETENTION_INDEX 510\nAC$CHROMATOGRAPHY: KOVATS_RTI 500.5")
    found = kept_record("p", other, "here")
    assert found is not None
    assert found["ri"] == "510"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AC$INSTRUMENT_TYPE: GC-EI-TOF", "AC$INSTRUMENT_TYPE: LC-ESI-QTOF"),
        ("AC$INSTRUMENT_TYPE: GC-EI-TOF", "AC$INSTRUMENT_TYPE: GC-FI-TOF"),
        ("LICENSE: CC BY\n", "LICENSE: CC BY-NC-SA\n"),
        ("LICENSE: CC BY\n", "LICENSE: CC0\n"),
        ("LICENSE: CC BY\n", ""),
        ("CH$SMILES: CCO", "CH$SMILES: N/A"),
        ("ACCESSION: MSBNK-Here-X0001\n", "ACCESSION: MSBNK-Here-X0001\nDEPRECATED: 2020-01-01 a mistake\n"),
    ],
)
def test_other_kinds_of_records_are_left_out(old: str, new: str):
    assert old in RECORD
    assert kept_record("p", RECORD.replace(old, new, 1), "here") is None


@pytest.mark.parametrize(("old", "new", "said"), [("\n//", "", "has no end"), ("45 5.5e1", "45 much", "no number")])
def test_a_damaged_record_is_named(old: str, new: str, said: str):
    with pytest.raises(DataError, match=said) as raised:
        kept_record("Here/a.txt", RECORD.replace(old, new), "release")
    assert raised.value.where == "release, Here/a.txt"


def test_records_stand_in_the_order_of_their_paths():
    paths = ["B/MSBNK-B-1.txt", "A_b/MSBNK-A_b-2.txt", "A_b/MSBNK-A_b-10.txt"]
    packed = rebuilt_library(io.BytesIO(release(dict.fromkeys(paths, RECORD))), "here")
    assert [line["path"] for line in lines(packed)] == sorted(paths)


def test_only_records_of_contributors_are_looked_at_whatever_an_archive_says():
    good = EXPECTED["path"]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        for name in (
            f"r/{good}",
            "../../etc/MSBNK-x.txt",
            "/r/Here/MSBNK-y.txt",
            "r/../MSBNK-z.txt",
            "r/Here/notes.txt",
        ):
            member = tarfile.TarInfo(name)
            member.size = len(RECORD)
            packed.addfile(member, io.BytesIO(RECORD.encode()))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo("r/Here/MSBNK-link.txt")
            member.type, member.linkname = kind, f"r/{good}"
            packed.addfile(member)
    archive.seek(0)
    assert [line["path"] for line in lines(rebuilt_library(archive, "here"))] == [good]


def test_an_archive_larger_than_any_release_is_refused(monkeypatch: pytest.MonkeyPatch):
    content = release({f"A/MSBNK-A-{number}.txt": RECORD for number in range(5)})
    for limit, value in (("MOST_FILES", 4), ("MOST_BYTES", 3000)):
        with monkeypatch.context() as patched:
            patched.setattr(massbank_release, limit, value)
            with pytest.raises(DataError, match="which no release has"):
                rebuilt_library(io.BytesIO(content), "here")
    monkeypatch.setattr(massbank_release, "LARGEST_RECORD", 100)
    with pytest.raises(DataError, match="no record that is kept"):
        rebuilt_library(io.BytesIO(content), "here")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_an_archive_that_was_cut_short_is_refused(share: float):
    content = release({f"A/MSBNK-A-{number}.txt": RECORD + str(number) * 3000 for number in range(50)})
    with pytest.raises(DataError, match="is no whole release"):
        rebuilt_library(io.BytesIO(content[: int(share * len(content))]), "here")
    with pytest.raises(DataError, match="is no whole release"):
        rebuilt_library(io.BytesIO(b"<html>please log in</html>"), "here")


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a local server in place of the code host, and an empty cache."""
    folder = tmp_path / "published"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PROBATUM_GAS_CHROMATOGRAPHY_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("PROBATUM_OFFLINE", raising=False)
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


def small_source(records: dict[str, str]) -> DataSource:
    """The published source with the library alone, and the checksum of these records."""
    content = gzip.decompress(rebuilt_library(io.BytesIO(release(records)), "here"))
    file = replace(SOURCE.files[0], sha256=hashlib.sha256(content).hexdigest())
    return replace(SOURCE, files=(file,))


@pytest.fixture
def one_record(served: Path, monkeypatch: pytest.MonkeyPatch) -> DataSource:
    source = small_source({EXPECTED["path"]: RECORD})
    monkeypatch.setattr(GasChromatography, "data_source", source)
    (served / f"{RELEASE}.tar.gz").write_bytes(release({EXPECTED["path"]: RECORD}))
    return source


def test_fetching_rebuilds_the_library_and_keeps_it(one_record: DataSource, served: Path):
    (path,) = fetch("gas_chromatography")
    assert path == one_record.cache / LIBRARY
    (spectrum,) = read_library(path)
    assert (spectrum.name, spectrum.retention_index) == ("Nonsensol", 500.5)
    assert sorted(found.name for found in path.parent.iterdir()) == [LIBRARY]
    (served / f"{RELEASE}.tar.gz").unlink()
    assert fetch("gas_chromatography") == [path]
    assert locate(one_record, path.parent) == path.parent


def test_the_same_content_packed_otherwise_is_the_same_library(one_record: DataSource):
    (path,) = fetch("gas_chromatography")
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content, compresslevel=1, mtime=7))
    packed = path.read_bytes()
    assert fetch("gas_chromatography") == [path]
    assert path.read_bytes() == packed


def test_a_damaged_library_is_made_again(one_record: DataSource):
    (path,) = fetch("gas_chromatography")
    right = path.read_bytes()
    for damaged in (right[:-9], b"", gzip.compress(b"{}\n")):
        path.write_bytes(damaged)
        assert fetch("gas_chromatography") == [path]
        assert path.read_bytes() == right


def test_another_release_is_refused_and_leaves_nothing_behind(one_record: DataSource, served: Path):
    (served / f"{RELEASE}.tar.gz").write_bytes(release({EXPECTED["path"]: RECORD.replace("31.018", "31.019")}))
    with pytest.raises(DataError, match="is not the published file: expected sha256"):
        fetch("gas_chromatography")
    assert list(one_record.cache.glob("*")) == []


def test_what_cannot_be_downloaded_is_named(one_record: DataSource, served: Path, monkeypatch: pytest.MonkeyPatch):
    content = (served / f"{RELEASE}.tar.gz").read_bytes()
    (served / f"{RELEASE}.tar.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="is no whole release"):
        fetch("gas_chromatography")
    (served / f"{RELEASE}.tar.gz").write_bytes(content)
    monkeypatch.setattr(data_files, "LARGEST_DOWNLOAD", 50)
    with pytest.raises(DataError, match="has more than 50 bytes"):
        fetch("gas_chromatography")
    (served / f"{RELEASE}.tar.gz").unlink()
    with pytest.raises(DataMissingError, match=r"cannot be downloaded \(HTTP 404\)"):
        fetch("gas_chromatography")
    monkeypatch.setenv("PROBATUM_GAS_CHROMATOGRAPHY_URL", "http://127.0.0.1:9")
    with pytest.raises(DataMissingError, match="when online, run 'probatum data fetch gas_chromatography'"):
        fetch("gas_chromatography")
    assert list(one_record.cache.glob("*")) == []


def as_record(line: dict[str, Any]) -> str:
    """A record in MassBank's format with what the library says of it."""
    tags = [
        ("ACCESSION", line["acc"]),
        ("AUTHORS", line["authors"]),
        ("LICENSE", line["lic"]),
        ("CH$NAME", line["name"]),
        ("CH$COMPOUND_CLASS", line["cls"]),
        ("CH$FORMULA", line["formula"]),
        ("CH$SMILES", line["smiles"]),
        ("CH$LINK: INCHIKEY", line["inchikey"]),
        ("AC$INSTRUMENT_TYPE", line["inst"]),
        ("AC$MASS_SPECTROMETRY: COLLISION_ENERGY", line["ce"]),
        ("AC$CHROMATOGRAPHY: RETENTION_INDEX", line["ri"]),
        ("AC$CHROMATOGRAPHY: RETENTION_TIME", line["rt"]),
        ("MS$FOCUSED_ION: DERIVATIVE_TYPE", line["der"]),
    ]
    head = [f"{tag}{' ' if ': ' in tag else ': '}{value}" for tag, value in tags if value is not None]
    peaks = [f"  {mass!r} {intensity!r} 1" for mass, intensity in line["peaks"]]
    return "\n".join([*head, "PK$PEAK: m/z int. rel.int.", *peaks, "//", ""])


def test_a_release_gives_the_published_library_to_the_last_byte(served: Path, real_data: Path):
    """A release of the published records among others of other kinds, fetched whole and checked by its checksum."""
    published = gzip.decompress((real_data / "gas_chromatography" / LIBRARY).read_bytes())
    assert hashlib.sha256(published).hexdigest() == SOURCE.files[0].sha256
    records = {}
    for number, line in enumerate(map(json.loads, published.decode().splitlines())):
        text = records[line["path"]] = as_record(line)
        if number % 5 == 0:
            records[line["path"].replace(".txt", "NC.txt")] = text.replace("LICENSE: CC BY", "LICENSE: CC BY-NC")
        if number % 7 == 0:
            records[line["path"].replace(".txt", "ESI.txt")] = text.replace(line["inst"], "LC-ESI-QTOF")
    (served / f"{RELEASE}.tar.gz").write_bytes(release(records))
    for file in SOURCE.files[1:]:
        (served / file.name).write_bytes((real_data / "gas_chromatography" / file.name).read_bytes())
    paths = fetch("gas_chromatography")
    assert [path.name for path in paths] == [file.name for file in SOURCE.files]
    assert gzip.decompress(paths[0].read_bytes()) == published
