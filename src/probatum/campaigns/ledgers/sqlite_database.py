"""A ledger's database in a file: SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError, IntegrityError

from probatum.campaigns.ledgers.database import Database, Result
from probatum.errors import LedgerError, StorageError


class SqliteDatabase(Database):
    """A file, in which one process writes at a time and any number read.

    Args:
        url: 'sqlite:///campaign.probatum/ledger.sqlite'.
    """

    def __init__(self, url: str):
        self.place = url.removeprefix("sqlite:///")
        self._engine = create_engine(url)
        event.listen(self._engine, "connect", _set_pragmas)
        event.listen(self._engine, "begin", _begin)

    def write(self, work: Callable[[Connection], Result]) -> Result:
        with self.transaction() as db:
            return work(db)

    def read(self, work: Callable[[Connection], Result]) -> Result:
        with self.reading() as db:
            return work(db)

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        with self._errors(), self._engine.connect().execution_options(writes=True) as db, db.begin():
            yield db

    @contextmanager
    def reading(self) -> Generator[Connection]:
        with self._errors(), self._engine.connect() as db:
            yield db

    def create(self, work: Callable[[Connection], None]) -> None:
        self.write(work)

    def tables(self, db: Connection) -> list[str]:
        return inspect(db).get_table_names()

    def size(self) -> int:
        files = (Path(self.place + suffix) for suffix in ("", "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def damage(self) -> str | None:
        try:
            with sqlite3.connect(f"{Path(self.place).resolve().as_uri()}?mode=ro", uri=True) as db:
                found = [row[0] for row in db.execute("PRAGMA integrity_check(5)")]
            db.close()
        except sqlite3.Error as error:
            return str(error)
        return None if found == ["ok"] else "; ".join(found)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except IntegrityError:
            raise  # ours, not the file's
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise LedgerError(
                f"cannot be read as a ledger (a value of it is damaged: {error})",
                where=self.place,
                remedy="restore it from a copy, or move it away and run again",
            ) from error
        except DatabaseError as error:
            text = str(error.orig)
            if "full" in text or "disk I/O" in text:
                raise StorageError(
                    f"cannot be written ({text}): the disk is full",
                    where=self.place,
                    remedy="free space and run again; what is recorded is kept",
                ) from error
            if "readonly" in text or "unable to open" in text:
                raise StorageError(
                    f"cannot be written ({text})", where=self.place, remedy="make the folder writable"
                ) from error
            if "locked" in text:
                raise LedgerError(
                    "is in use by another process", where=self.place, remedy="wait for it, or stop it"
                ) from error
            raise LedgerError(
                f"cannot be read as a ledger ({text})",
                where=self.place,
                remedy="restore it from a copy, or move it away and run again",
            ) from error


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # sqlite3's own transactions leave out tables made and rows read
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")  # WAL survives a killed process; only lost power loses commits
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
