"""Runs of stores that MLflow wrote, and stores that are none."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import DataError, DataMissingError, UnknownNameError
from probatum.interop.from_mlflow import existing_store, mlflow_runs, without_password
from probatum.interop.grouping import Choice
from probatum.interop.import_campaign import import_runs
from probatum.interop.import_request import Wanted
from probatum.laboratory import Laboratory

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_runs_of_an_experiment_come_with_parameters_metrics_curves_and_states(mlflow_folder: Path):
    runs = {r.name: r for r in mlflow_runs(str(mlflow_folder), "cross validation", "accuracy").runs}
    assert len(runs) == 7  # folds of both configurations have the same names
    fold = runs["fold 2"]
    assert fold.inside is not None
    assert fold.parameters == {"fold": 2}
    assert fold.curves["train_loss"][1] == pytest.approx([1, 1 / 2, 1 / 3])
    assert np.isnan(runs["<b>diverged</b>/x"].metrics["accuracy"])
    assert runs["crashed"].state == "failed"


def test_an_imported_store_is_judged(mlflow_folder: Path, tmp_path: Path):
    source = mlflow_runs(str(mlflow_folder), "cross validation", "accuracy")
    found = import_runs(source, tmp_path / "m.toml", Wanted(Choice("accuracy"), "higher"))
    assert (found.experiments, found.baseline) == (4, "lr 0.1")
    assert found.states == {"finished": 6, "diverged": 1, "failed": 1}
    verdicts = {v.arm: v for v in Laboratory.open(tmp_path / "m.toml").results().verdicts}
    assert verdicts["lr 0.01"].outcome == "worse"
    assert verdicts["lr 0.01"].difference == pytest.approx(-0.09 - 0.09 * 0.05 / 3)
    again = mlflow_runs(str(mlflow_folder), "cross validation", "accuracy")
    assert import_runs(again, tmp_path / "m.toml", Wanted(Choice("accuracy"), "higher")).new == 0


def test_an_experiment_that_is_not_there_is_refused_with_the_nearest_names(mlflow_folder: Path):
    with pytest.raises(UnknownNameError, match="did you mean 'cross validation'"):
        mlflow_runs(str(mlflow_folder), "cross-validation", None)
    with pytest.raises(DataError, match="2 experiments"):
        mlflow_runs(str(mlflow_folder), None, None)


def test_reading_a_store_changes_nothing(mlflow_folder: Path, tmp_path: Path):
    copy = Path(shutil.copytree(mlflow_folder, tmp_path / "mlruns"))
    before = {p.relative_to(copy): p.stat().st_mtime_ns for p in copy.rglob("*") if p.is_file()}
    list(mlflow_runs(str(copy), "another", None).runs)
    assert {p.relative_to(copy): p.stat().st_mtime_ns for p in copy.rglob("*") if p.is_file()} == before


def test_what_is_no_store_is_refused_before_mlflow_writes_into_it(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("no database", encoding="utf-8")
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE studies (id INTEGER)")
    for uri, said in (
        (str(tmp_path / "folder"), "holds no experiment"),
        (str(tmp_path / "gone"), "no such folder"),
        (f"sqlite:///{tmp_path}/gone.db", "no such MLflow database"),
        (f"sqlite:///{tmp_path}/text.db", "is no SQLite database"),
        (f"sqlite:///{foreign}", "no database of MLflow"),
    ):
        with pytest.raises(DataError, match=said):
            existing_store(uri)
    assert not (tmp_path / "gone.db").exists()
    with sqlite3.connect(foreign) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    assert isinstance(DataMissingError("x"), DataError)


def test_a_database_of_another_version_is_refused_and_not_upgraded(tmp_path: Path):
    old = tmp_path / "old.db"
    with sqlite3.connect(old) as db:
        for table in ("experiments", "runs"):
            db.execute(f"CREATE TABLE {table} (id INTEGER)")
        db.execute("CREATE TABLE alembic_version (version_num TEXT)")
        db.execute("INSERT INTO alembic_version VALUES ('451aebb31d03')")
    before = old.read_bytes()
    with pytest.raises(DataError, match="another version of MLflow \\(schema 451aebb31d03"):
        mlflow_runs(f"sqlite:///{old}", "x", None)
    assert old.read_bytes() == before


def test_passwords_are_not_written_down():
    assert without_password("https://me:secret@host:5000/path?token=x") == "https://host:5000/path"
    assert without_password("sqlite:///a.db") == "sqlite:///a.db"


def test_a_server_that_does_not_answer_is_one_sentence():
    with pytest.raises(DataError, match="is no MLflow store"):
        mlflow_runs("http://127.0.0.1:9", "x", None)
