"""A ledger in a file, and what can be wrong with a file."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from campaigns.ledgers.ledger_conformance import SPLITS, LedgerConformance, finish, planned, record
from campaigns.small_campaigns import python
from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.files import open_ledger
from probatum.campaigns.ledgers.ledger import Ledger
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.campaigns.ledgers.sqlite_database import SqliteDatabase
from probatum.errors import CampaignFileError, LedgerError, ProbatumError, StorageError


class TestSqliteFile(LedgerConformance):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a ledger with a finished experiment."""
    path = tmp_path / "ledger.sqlite"
    with_ledger(path, lambda ledger: ledger.add_experiment(record("first"), planned("a"), SPLITS))
    with_ledger(path, lambda ledger: finish(ledger, [fit.key for fit in planned("a")]))
    return path


def with_ledger(path: Path, work: Callable[[Ledger], object], *, read_only: bool = False) -> object:
    ledger = SqlLedger.at(path, read_only=read_only)
    try:
        return work(ledger)
    finally:
        ledger.close()


def refused(path: Path, kind: type[ProbatumError] = LedgerError, *, read_only: bool = False) -> str:
    with pytest.raises(kind) as raised:
        with_ledger(path, lambda ledger: ledger.summary(), read_only=read_only)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)
    return str(raised.value)


def set_schema(path: Path, version: int) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE probatum_meta SET value = ? WHERE key = 'schema'", (str(version),))
    db.close()


def columns(path: Path, table: str) -> set[str]:
    with sqlite3.connect(path) as db:
        found = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    db.close()
    return found


@pytest.mark.parametrize("content", [b"no pages of a database" * 300, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    assert "cannot be read as a ledger" in refused(path)
    assert path.read_bytes() == content


def test_a_damaged_database_is_refused(file: Path):
    content = bytearray(file.read_bytes())
    content[4096:] = b"\x07" * (len(content) - 4096)
    file.write_bytes(content)
    assert "restore it from a copy" in refused(file)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path, read_only: bool):
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE bookings (guest TEXT)")
    db.close()
    assert "database of something else (tables: bookings)" in refused(path, read_only=read_only)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("bookings",)]
    db.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_ledger_of_a_newer_program_is_refused_and_left_as_it_is(file: Path, read_only: bool):
    set_schema(file, schema.SCHEMA_VERSION + 1)
    said = refused(file, read_only=read_only)
    assert f"schema {schema.SCHEMA_VERSION + 1}, this one knows {schema.SCHEMA_VERSION}" in said
    assert "pip install --upgrade" in said


def add_colour(db) -> None:
    db.execute(text("ALTER TABLE experiment ADD COLUMN colour TEXT"))


def add_size_and_break(db) -> None:
    db.execute(text("ALTER TABLE experiment ADD COLUMN size INTEGER"))
    db.execute(text("ALTER TABLE no_such_table ADD COLUMN size INTEGER"))


@pytest.fixture
def two_versions_old(file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of two versions ago; the second step to the present fails."""
    now = schema.SCHEMA_VERSION
    monkeypatch.setattr(schema, "MIGRATIONS", {now: add_colour, now + 1: add_size_and_break})
    monkeypatch.setattr(schema, "SCHEMA_VERSION", now + 2)
    return file


SINCE_VERSION_1 = ("submission", "confirmation", "planned_round", "principle", "claim", "driver", "writer")


@pytest.fixture
def version_1(file: Path) -> Path:
    """The same ledger as the first version wrote it: without the tables that came later."""
    with sqlite3.connect(file) as db:
        for table in SINCE_VERSION_1:
            db.execute(f"DROP TABLE {table}")
    db.close()
    set_schema(file, 1)
    return file


def tables(path: Path) -> dict[str, str]:
    with sqlite3.connect(path) as db:
        found = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
    db.close()
    return found


def test_a_ledger_of_version_1_is_brought_up_to_date_and_keeps_what_it_holds(version_1: Path, tmp_path: Path):
    before = tables(version_1)
    assert set(before) == {
        "probatum_meta", "campaign", "experiment", "split", "job", "manifest", "held_out_access", "fit", "plan",
        "score",
    }  # fmt: skip
    assert "written by an older Probatum (schema 1" in refused(version_1, read_only=True)

    def use(ledger: Ledger) -> None:
        (experiment,) = ledger.experiments()
        assert (experiment.status, experiment.done) == ("done", 6)
        assert ledger.submissions() == ledger.confirmations() == []
        ledger.submit("first", "rmse", 0.5)

    with_ledger(version_1, use)
    with_ledger(tmp_path / "new.sqlite", lambda ledger: ledger.summary())
    assert tables(version_1) == tables(tmp_path / "new.sqlite")
    submissions = with_ledger(version_1, lambda ledger: ledger.submissions(), read_only=True)
    assert len(submissions) == 1  # type: ignore[arg-type]


def test_two_processes_may_bring_a_ledger_up_to_date_at_once(version_1: Path, monkeypatch: pytest.MonkeyPatch):
    """One finds version 1 and is overtaken by another before it begins."""
    step = schema.MIGRATIONS[1]
    taken = []

    def overtaken(db) -> None:
        taken.append(1)
        step(db)

    monkeypatch.setattr(schema, "MIGRATIONS", {**schema.MIGRATIONS, 1: overtaken})
    real = SqliteDatabase.transaction

    def late(self: SqliteDatabase):
        monkeypatch.setattr(SqliteDatabase, "transaction", real)
        with_ledger(version_1, lambda ledger: ledger.summary())
        return real(self)

    monkeypatch.setattr(SqliteDatabase, "transaction", late)
    with_ledger(version_1, lambda ledger: ledger.submit("first", "rmse", 0.5))
    assert taken == [1]


def test_an_older_ledger_is_brought_up_to_date(file: Path, monkeypatch: pytest.MonkeyPatch):
    now = schema.SCHEMA_VERSION
    monkeypatch.setattr(schema, "MIGRATIONS", {now: add_colour})
    monkeypatch.setattr(schema, "SCHEMA_VERSION", now + 1)
    for _ in range(2):
        (experiment,) = with_ledger(file, lambda ledger: ledger.experiments())  # type: ignore[misc]
        assert experiment.done == 6
    assert "colour" in columns(file, "experiment")


def test_a_step_that_fails_leaves_the_version_before_it(two_versions_old: Path, monkeypatch: pytest.MonkeyPatch):
    file, before = two_versions_old, schema.SCHEMA_VERSION - 2
    refused(file)
    assert "colour" in columns(file, "experiment")
    assert "size" not in columns(file, "experiment")
    monkeypatch.setattr(schema, "SCHEMA_VERSION", before + 1)
    with_ledger(file, lambda ledger: ledger.summary())


def test_whoever_only_looks_changes_no_older_ledger(two_versions_old: Path):
    assert "written by an older Probatum" in refused(two_versions_old, read_only=True)
    assert "colour" not in columns(two_versions_old, "experiment")


def test_whoever_only_looks_makes_no_ledger(tmp_path: Path):
    path = tmp_path / "ledger.sqlite"
    assert "holds no campaign yet" in refused(path, read_only=True)
    path.touch()
    assert "holds no campaign yet" in refused(path, read_only=True)


def test_a_campaign_that_was_not_run_has_no_ledger(tmp_path: Path):
    with pytest.raises(CampaignFileError, match=r"has not been run yet; probatum run small\.toml"):
        open_ledger(tmp_path / "small.toml")
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_whose_maker_was_killed_half_way_is_made_again(tmp_path: Path):
    path = tmp_path / "ledger.sqlite"
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from probatum.campaigns.ledgers import database, sql_ledger\n"
        "database.now = lambda: os.kill(os.getpid(), 9)\n"  # the tables are made, their version is not
        "sql_ledger.SqlLedger.at(Path(sys.argv[1]))\n"
    )
    with python(code, path) as process:
        process.communicate(timeout=60)
    assert process.returncode == -9
    assert path.exists()
    with_ledger(path, lambda ledger: ledger.add_experiment(record("first"), planned("a"), SPLITS))


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    assert "make the folder writable" in refused(tmp_path / "file" / "ledger.sqlite", StorageError)


def test_a_ledger_in_use_is_waited_for(file: Path):
    """Another process is in the middle of a long transaction."""
    code = (
        "import sqlite3, sys, time\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        "print('begun', flush=True)\n"
        "time.sleep(0.5)\n"
        "db.execute('COMMIT')\n"
    )
    with python(code, file) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        with_ledger(file, lambda ledger: ledger.count_held_out("first", 0.5))
        assert process.wait(timeout=30) == 0
    assert len(with_ledger(file, lambda ledger: ledger.held_out_accesses())) == 1  # type: ignore[arg-type]


FULL = """
import resource, sys
from pathlib import Path
from probatum.campaigns.ledgers.ledger import ExperimentRecord, PlannedFit, SplitRecord
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.campaigns.ledgers.sqlite_database import SqliteDatabase
from probatum.errors import StorageError
path = Path(sys.argv[1])
ledger = SqlLedger.at(path)
size = max(p.stat().st_size for p in path.parent.iterdir()) + 20_000
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
split = SplitRecord("s", "table", 0, "fold", "rows.npz", 0, 8, 2)
try:
    for i in range(1000):
        fits = [PlannedFit(f"{i}-{j}", "s", j) for j in range(100)]
        ledger.add_experiment(ExperimentRecord(f"many-{i}", {"note": "x" * 999}, "d"), fits, [split])
except StorageError as error:
    print(i)
    print(error)
"""


def test_a_full_disk_is_said_in_one_line_and_what_is_recorded_is_kept(file: Path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(file)], capture_output=True, text=True, check=True, timeout=60
    )
    added, said = done.stdout.strip().splitlines()
    assert "the disk is full; free space and run again; what is recorded is kept" in said

    def check(ledger: Ledger) -> None:
        experiments = ledger.experiments()
        assert [e.fits for e in experiments] == [6] + [100] * int(added)
        assert experiments[0].done == 6
        ledger.add_experiment(record("after"), planned("b"), SPLITS)

    with_ledger(file, check)


def test_a_copy_of_a_closed_ledger_is_a_ledger(file: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    copy = shutil.copy(file, tmp_path / "elsewhere" / "ledger.sqlite")
    (experiment,) = with_ledger(Path(copy), lambda ledger: ledger.experiments())  # type: ignore[misc]
    assert experiment.status == "done"
