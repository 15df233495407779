"""Runs of a gas chromatograph in every format, libraries of spectra, releases of them, and folders of the challenge."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pytest

from fuzz.reading import Reader, Sample, holds
from probatum.errors import DataError
from probatum.problems.gas_chromatography.amdis_library import read_amdis_library
from probatum.problems.gas_chromatography.challenge_folder import check, read_folder, submission_names
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.massbank_release import records
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.run import Run
from probatum.problems.gas_chromatography.spectra import Spectrum, read_library
from problems.gas_chromatography import run_files

WRITERS = {
    "csv": run_files.write_csv, "cdf": run_files.write_andi, "mzML": run_files.write_mzml,
    "mzXML": run_files.write_mzxml, "jdx": run_files.write_jcamp_dx,
}  # fmt: skip


def written(suffix: str) -> bytes:
    """A small run in one file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"small.{suffix}"
        WRITERS[suffix](run_files.small_run(), path)
        return path.read_bytes()


def agilent() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.D"
        run_files.write_agilent(run_files.small_run(), path)
        return {f"small.D/{file.name}": file.read_bytes() for file in path.iterdir()}


def is_a_run(run: Run) -> None:
    assert len(run.times) >= 10
    assert len(run.masses) == len(run.intensities) == run.offsets[-1]
    for values in (run.times, run.masses, run.intensities):
        assert np.isfinite(values).all()
    assert (np.diff(run.times) > 0).all()
    assert (np.diff(run.offsets) >= 0).all()


def are_spectra(spectra: tuple[Spectrum, ...]) -> None:
    for one in spectra:
        assert len(one.masses) == len(one.intensities) > 0
        assert np.isfinite(one.masses).all()
        assert np.isfinite(one.intensities).all()


RECORDS = [
    {"acc": f"MSBNK-{i}", "name": "decane", "formula": "C10H22", "smiles": "CCCCCCCCCC", "inchikey": "DIOQZVSQGTUSAI",
     "ri": 1000 + i, "der": "None", "authors": "a", "lic": "CC BY", "peaks": [[41.0, 100.0], [57.5, 999.0]]}
    for i in range(3)
]  # fmt: skip
LIBRARY = "".join(json.dumps(record) + "\n" for record in RECORDS).encode()
AMDIS = (
    "NAME:Methyl octanoate\nFORM:C9H18O2\nCASNO:111-11-5\nRI:1128.5\nNUM PEAKS:3\n(41 300) (43 250)\n(74 999)\n\n" * 2
)
HEAD = "sample_id,split,derivatized,features_path,features_md5_hash\n"
RUN = written("csv")
MD5 = hashlib.md5(RUN, usedforsecurity=False).hexdigest()
LABELS = f"sample_id,{','.join(FAMILIES)}\nS0,{','.join('1' for _ in FAMILIES)}\n"
CHALLENGE = {
    "metadata.csv": (HEAD + f"S0,train,1,train_features/S0.csv,{MD5}\nS1,test,,test_features/S1.csv,{MD5}\n").encode(),
    "train_labels.csv": LABELS.encode(),
    "submission_format.csv": LABELS.replace("S0", "S1").encode(),
    "train_features/S0.csv": RUN,
    "test_features/S1.csv": RUN,
}


def import_folder(folder: Path) -> None:
    """As `probatum data import` does."""
    for sample in read_folder(folder):
        check(sample)
        assert sample.path.resolve().is_relative_to(folder.resolve())
    submission_names(folder)


def release(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def read_release(path: Path) -> list[tuple[str, str]]:
    return list(records(io.BytesIO(path.read_bytes() if path.exists() else b""), path.name))


MEMBERS = {
    "MassBank-data-1/A/MSBNK-A-1.txt": b"ACCESSION: MSBNK-A-1\n",
    "MassBank-data-1/list.md": b"no record\n",
    "MassBank-data-1/B/MSBNK-B-1.txt": b"ACCESSION: MSBNK-B-1\n",
}
READERS = [
    Reader("challenge CSV", read_run, [Sample.of("a.csv", RUN)], sound=is_a_run),
    Reader("packed CSV", read_run, [Sample.of("a.csv.gz", gzip.compress(RUN))], sound=is_a_run, examples=60),
    Reader("ANDI", read_run, [Sample.of("a.cdf", written("cdf"))], sound=is_a_run, examples=300),
    Reader("mzML", read_run, [Sample.of("a.mzML", written("mzML"))], sound=is_a_run, examples=120),
    Reader("mzXML", read_run, [Sample.of("a.mzXML", written("mzXML"))], sound=is_a_run, examples=120),
    Reader("Agilent", read_run, [Sample(agilent(), "small.D")], sound=is_a_run, examples=120),
    Reader("JCAMP-DX", read_run, [Sample.of("a.jdx", written("jdx"))], sound=is_a_run),
    Reader("spectra", read_library, [Sample.of("a.jsonl", LIBRARY)], sound=are_spectra),
    Reader("AMDIS", read_amdis_library, [Sample.of("a.msl", AMDIS)], sound=are_spectra),
    Reader("challenge folder", import_folder, [Sample(CHALLENGE, ".", damage=tuple(CHALLENGE)[:3])]),
    Reader("release", read_release, [Sample.of("a.tar.gz", release(MEMBERS))], examples=80),
]


@pytest.mark.parametrize("reader", READERS, ids=str)
def test_a_damaged_run_or_library_is_read_or_refused(reader: Reader):
    holds(reader)


def test_a_release_is_read_as_a_stream_and_nothing_of_it_is_unpacked(tmp_path: Path):
    climbing = {"MassBank-data-1/../../evil/MSBNK-A-1.txt": b"x", "/tmp/MSBNK-A-1.txt": b"x", **MEMBERS}
    path = tmp_path / "release.tar.gz"
    path.write_bytes(release(climbing))
    read_release(path)
    assert [file.name for file in tmp_path.rglob("*")] == [path.name]


@pytest.mark.parametrize("place", ["../S0.csv", "/etc/passwd", "train_features/../../S0.csv"])
def test_a_folder_whose_table_names_a_run_outside_is_refused(place: str, tmp_path: Path):
    for name, content in CHALLENGE.items():
        path = tmp_path / "given" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(b"train_features/S0.csv", place.encode()))
    (tmp_path / "S0.csv").write_bytes(RUN)
    with pytest.raises(DataError, match="lies outside"):
        import_folder(tmp_path / "given")
