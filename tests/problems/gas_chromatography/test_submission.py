"""`data import`, `gas-chromatography submit` and `correlations` with the challenge's folder, and with what is none."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cli.small_lab import program
from probatum.errors import DataError, DataMissingError, UsageError
from probatum.problems.data_import import import_folder
from probatum.problems.gas_chromatography import commands, family_model
from probatum.problems.gas_chromatography.challenge_folder import METADATA, SUBMISSION, read_folder
from probatum.problems.gas_chromatography.imported_folder import RECORD, imported_folder
from probatum.problems.gas_chromatography.library import SOURCE
from probatum.problems.gas_chromatography.simulated_folder import Samples, write_folder
from probatum.problems.gas_chromatography.spectra import LIBRARY
from problems.gas_chromatography.answers import text_of

SIMPLE = {
    "components": (
        {"kind": "probatum.problems.gas_chromatography.logistic:FamilyLogistic", "columns": [0, 334], "C": 0.1},
    ),
    "calibration": "temperature",
    "inner_folds": 2,
}
"""A model that is trained in a second."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def challenge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the challenge's layout. Not to be changed."""
    from conftest import real_data_folder

    data = real_data_folder()
    if data is None:
        pytest.skip("real data is absent")
    folder = tmp_path_factory.mktemp("challenge") / "folder"
    counts = {"train": 24, "validation": 3, "test": 4}
    write_folder(folder, data / "gas_chromatography" / LIBRARY, counts, seed=3)  # type: ignore[arg-type]
    return folder


def test_the_folder_of_the_challenge_is_imported_by_its_checksums(challenge: Path, tmp_path: Path):
    said = program(tmp_path, "data", "import", "gas_chromatography", str(challenge), "--json")
    assert said.code == 0, said.err
    values = json.loads(said.out)
    assert values["samples"] == {"train": 24, "val": 3, "test": 4}
    assert (values["labelled"], values["asked"]) == (24, 7)
    labels = [sample.families for sample in read_folder(challenge) if sample.families is not None]
    assert list(values["positives"].values()) == np.sum(labels, axis=0).tolist()
    assert imported_folder() == challenge.resolve()
    told = []
    answer = import_folder("gas_chromatography", challenge, lambda done, total: told.append((done, total)))
    assert answer.values == values
    assert told == [(done, 31) for done in range(1, 32)]
    assert "every run checked against its md5" in text_of(answer)


def test_only_whole_folders_are_imported(challenge: Path, tmp_path: Path):
    with pytest.raises(DataMissingError, match="no folder of the challenge was imported"):
        imported_folder()
    folder = tmp_path / "copy"
    shutil.copytree(challenge, folder)
    run = read_folder(folder)[3].path
    content = run.read_bytes()
    run.write_bytes(content[:-100])
    with pytest.raises(DataError, match="has the md5"):
        import_folder("gas_chromatography", folder)
    assert not (SOURCE.cache / RECORD).exists()
    run.write_bytes(content)
    import_folder("gas_chromatography", folder)
    with (folder / METADATA).open("a") as stream:
        stream.write("\n")
    with pytest.raises(DataError, match="has changed since it was imported"):
        imported_folder()
    shutil.rmtree(folder)
    with pytest.raises(DataMissingError, match="is not there any more"):
        imported_folder()
    (SOURCE.cache / RECORD).write_text("{")
    with pytest.raises(DataError, match="no record of an imported folder"):
        imported_folder()
    (tmp_path / "empty").mkdir()
    for problem, place, message in (
        ("gas_chromatography", tmp_path / "empty", "cannot be read"),
        ("gas_chromatography", tmp_path / "nowhere", "no such folder"),
        ("catechol", challenge, "catechol imports no data"),
        ("gas_cromatography", challenge, "unknown problem"),
    ):
        with pytest.raises(UsageError, match=message) as raised:
            import_folder(problem, place)
        assert raised.value.remedy


@pytest.fixture
def simple_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family_model, "COMPONENTS", SIMPLE["components"])
    monkeypatch.setattr(family_model, "LEARNER", SIMPLE)


@pytest.mark.usefixtures("simple_model")
def test_a_submission_has_the_challenges_form_and_is_better_than_chance(
    challenge: Path, tmp_path: Path, real_data: Path
):
    import_folder("gas_chromatography", challenge)
    out = tmp_path / "submission.csv"
    values = commands.submit(out, folds=3, cores=1).values
    assert (values["trained_on"], values["samples"], values["folds"]) == (24, 7, 3)
    with out.open(newline="") as written, (challenge / SUBMISSION).open(newline="") as asked:
        rows, form = list(csv.reader(written)), list(csv.reader(asked))
    assert rows[0] == form[0]
    assert [row[0] for row in rows] == [row[0] for row in form]
    probabilities = np.array([row[1:] for row in rows[1:]], dtype=float)
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert values["log_loss"] == pytest.approx(np.mean(list(values["log_losses"].values())))
    # 24 samples teach little, but not less than to say 1/2 of everything.
    assert 0 < values["log_loss"] < np.log(2)
    library = real_data / "gas_chromatography" / LIBRARY
    truth = np.array(
        [
            Samples(library, split, seed=3).injection(number)[1]
            for split, count in (("validation", 3), ("test", 4))
            for number in range(count)
        ]
    )
    assert -np.log(np.where(truth, probabilities, 1 - probabilities)).mean() < np.log(2)
    again = tmp_path / "again.csv"
    assert "trained on 24 labelled samples; 7 predicted" in text_of(commands.submit(again, challenge, cores=1))
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.usefixtures("simple_model")
def test_submissions_that_cannot_be_made_are_refused(challenge: Path, tmp_path: Path):
    folder = tmp_path / "copy"
    shutil.copytree(challenge, folder)
    for out in (tmp_path / "a.txt", tmp_path / "nowhere" / "a.csv"):
        with pytest.raises(UsageError, match=r"is no \.csv file"):
            commands.submit(out, folder)
    with pytest.raises(DataMissingError, match="no folder of the challenge was imported"):
        commands.submit(tmp_path / "a.csv")
    with pytest.raises(DataError, match="30 folds"):
        commands.submit(tmp_path / "a.csv", folder, folds=30)
    form = (folder / SUBMISSION).read_text()
    (folder / SUBMISSION).write_text(form + "S99,0,0,0,0,0,0,0,0,0\n")
    with pytest.raises(DataError, match="sample S99 is not in metadata"):
        commands.submit(tmp_path / "a.csv", folder)
    (folder / SUBMISSION).write_text(form.splitlines()[0] + "\n")
    with pytest.raises(DataError, match="names no samples"):
        commands.submit(tmp_path / "a.csv", folder)
    (folder / SUBMISSION).unlink()
    with pytest.raises(DataMissingError):
        commands.submit(tmp_path / "a.csv", folder)
    (folder / SUBMISSION).write_text(form)
    table = (folder / METADATA).read_text()
    fewer = [line for line in table.splitlines() if ",train," not in line or line < "S00000010"]
    (folder / METADATA).write_text("\n".join(fewer) + "\n")
    with pytest.raises(DataError, match="has 10 labelled samples"):
        commands.submit(tmp_path / "a.csv", folder)
    (folder / METADATA).unlink()
    with pytest.raises(DataMissingError, match=r"metadata\.csv"):
        commands.submit(tmp_path / "a.csv", folder)
    assert not (tmp_path / "a.csv").exists()


def test_label_correlations_are_drawn_for_simulated_samples_and_for_a_folder(
    challenge: Path, tmp_path: Path, real_data: Path
):
    for place, runs in ((None, [809, 312]), (challenge, [18, 6])):
        values = commands.correlations(tmp_path / "grids.png", place).values
        assert values["runs"] == runs
        assert np.array(values["training"]).shape == (9, 9)
        assert 0 < values["p_value"] <= 1
        assert (tmp_path / "grids.png").read_bytes().startswith(b"\x89PNG")
        (tmp_path / "grids.png").unlink()
    assert "random quarter" in values["source"]
    with pytest.raises(UsageError, match="needs a suffix"):
        commands.correlations(tmp_path / "grids")
