"""Folders in the challenge's layout: written from simulated runs, read with their checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, DataMissingError, StorageError
from probatum.problems.gas_chromatography.challenge_folder import (
    check,
    read_folder,
    submission_names,
    write_submission,
)
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.readers import read_run
from probatum.problems.gas_chromatography.simulated_folder import Samples, write_folder
from probatum.problems.gas_chromatography.spectra import LIBRARY


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    from conftest import real_data_folder

    data = real_data_folder()
    if data is None:
        pytest.skip("real data is absent")
    folder = tmp_path_factory.mktemp("challenge") / "folder"
    write_folder(folder, data / "gas_chromatography" / LIBRARY, {"train": 4, "validation": 2, "test": 2}, seed=3)
    return folder


def copied(made: Path, folder: Path) -> Path:
    for path in made.rglob("*"):
        if path.is_file():
            target = folder / path.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


def test_a_written_folder_is_read_again(made: Path, real_data: Path):
    samples = read_folder(made)
    assert [sample.split for sample in samples] == ["train"] * 4 + ["val"] * 2 + ["test"] * 2
    assert [sample.families is None for sample in samples] == [False] * 4 + [True] * 4
    assert submission_names(made) == tuple(sample.name for sample in samples[4:])
    stream = Samples(real_data / "gas_chromatography" / LIBRARY, "train", seed=3)
    for number, sample in enumerate(samples[:4]):
        check(sample)
        run, labels = stream.run(number)
        assert sample.families == tuple(map(bool, labels))
        read = read_run(sample.path)
        np.testing.assert_allclose(read.times, run.times, rtol=1e-12)
        np.testing.assert_array_equal(read.masses, run.masses)
        np.testing.assert_array_equal(read.intensities, run.intensities)


def test_samples_do_not_depend_on_how_many_are_made(real_data: Path):
    stream = Samples(real_data / "gas_chromatography" / LIBRARY, "test")
    alone = stream.injection(7)[0]
    again = [Samples(real_data / "gas_chromatography" / LIBRARY, "test").injection(i)[0] for i in range(8)][7]
    assert alone == again or [s.accession for s in alone.spectra] == [s.accession for s in again.spectra]
    assert alone.minutes == again.minutes
    other = Samples(real_data / "gas_chromatography" / LIBRARY, "test", draw=1).injection(7)[0]
    assert other.minutes != alone.minutes


def test_a_full_folder_is_left_alone(made: Path, real_data: Path):
    with pytest.raises(DataError, match="is not empty"):
        write_folder(made, real_data / "gas_chromatography" / LIBRARY, {"train": 1})


def test_a_changed_run_is_noticed(made: Path, tmp_path: Path):
    folder = copied(made, tmp_path / "copy")
    sample = read_folder(folder)[0]
    content = sample.path.read_bytes()
    sample.path.write_bytes(content[:-20])
    with pytest.raises(DataError, match="has the md5"):
        check(sample)
    sample.path.unlink()
    with pytest.raises(DataMissingError):
        check(sample)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("metadata.csv", "sample_id", "sample", "has no column sample_id"),
        ("metadata.csv", ",train,", ",training,", "split is 'training'"),
        ("metadata.csv", "train_features/", "../", "lies outside"),
        ("metadata.csv", ",val,", ",val,maybe,", "another number of columns"),
        ("metadata.csv", "S00000001", "S00000000", "a second time"),
        ("metadata.csv", "features_md5_hash", "hash", "has no checksum"),
        ("train_labels.csv", "aromatic", "aroma", "has no column aromatic"),
        ("train_labels.csv", ",0,", ",2,", "labels other than 0 and 1"),
        ("train_labels.csv", "S00000001", "S99999999", "has no labels"),
    ],
)
def test_tables_that_are_not_the_layout_are_refused(
    made: Path, tmp_path: Path, file: str, old: str, new: str, message: str
):
    folder = copied(made, tmp_path / "copy")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises((DataError, DataMissingError), match=message) as raised:
        read_folder(folder)
    assert raised.value.remedy


def test_a_submission_has_the_form_that_is_asked_for(made: Path, tmp_path: Path):
    names = submission_names(made)
    path = tmp_path / "submission.csv"
    write_submission(path, names, np.full((len(names), len(FAMILIES)), 0.25))
    asked, written = (made / "submission_format.csv").read_text().splitlines(), path.read_text().splitlines()
    assert asked[0] == written[0]
    assert [line.split(",")[0] for line in asked] == [line.split(",")[0] for line in written]
    for wrong in (np.full((len(names), 8), 0.5), np.full((len(names), 9), 1.5), np.full((len(names), 9), np.nan)):
        with pytest.raises(DataError):
            write_submission(path, names, wrong)
    with pytest.raises(StorageError):
        write_submission(tmp_path / "missing" / "submission.csv", names, np.full((len(names), 9), 0.5))


def test_folders_that_are_none_are_refused(tmp_path: Path):
    with pytest.raises(DataMissingError, match="no such folder"):
        read_folder(tmp_path / "missing")
    with pytest.raises(DataMissingError):
        read_folder(tmp_path)
