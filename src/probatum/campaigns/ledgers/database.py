"""What a ledger needs of a database, whichever it is: transactions, and tables of the right version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, select

from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.statements import now
from probatum.errors import LedgerError

Result = TypeVar("Result")


class Database(ABC):
    """A database that holds one campaign's tables.

    Writing transactions follow one another: what one reads stays as it is until it has ended, so that the statements of
    a ledger need no locks of rows. A reading transaction sees one state from its beginning to its end.
    """

    place: str
    """Where it is, for people; holds no password."""

    @abstractmethod
    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Runs a writing transaction, again where the connection is lost before it is recorded.

        Args:
            work: executes its statements and nothing else; may be called several times.
        """

    @abstractmethod
    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Runs a reading transaction, again where the connection is lost."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Connection]:
        """A writing transaction that is tried once."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """A reading transaction that is tried once."""

    @abstractmethod
    def create(self, work: Callable[[Connection], None]) -> None:
        """A writing transaction before there are tables: room for them is made first."""

    @abstractmethod
    def tables(self, db: Connection) -> list[str]:
        """Names of the tables that are there."""

    @abstractmethod
    def size(self) -> int:
        """Bytes that it takes."""

    @abstractmethod
    def damage(self) -> str | None:
        """What its own check finds, in its words; None where nothing is wrong."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of files and connections."""


class SharedDatabase(Database):
    """A database that several drivers can work on at once."""

    lease: float
    """Seconds after which a driver that says nothing counts as dead."""

    @abstractmethod
    def aside(self) -> AbstractContextManager[Connection]:
        """A transaction that waits for no other, for rows that this process alone writes; tried once."""

    @property
    @abstractmethod
    def alive(self) -> ColumnElement[bool]:
        """Whether the driver of a row lives, as a condition on the table of drivers."""

    @property
    @abstractmethod
    def server_time(self) -> ColumnElement[Any]:
        """Seconds since 1970 on the clock that all drivers share."""


def prepare(database: Database, *, read_only: bool) -> None:
    """Makes tables where there are none, and brings older ones up to date.

    Args:
        database: of the ledger.
        read_only: never create or migrate.

    Raises:
        LedgerError: something else's tables, a newer version, or with `read_only` an older one or none.
    """
    found = database.read(lambda db: _version(database, db))
    if found is None:
        if read_only:
            raise LedgerError("holds no campaign yet", where=database.place, remedy="'probatum run' starts it")
        database.create(lambda db: _create(database, db))
        return
    if found < schema.SCHEMA_VERSION and read_only:
        raise LedgerError(
            f"was written by an older Probatum (schema {found}, this one has {schema.SCHEMA_VERSION})",
            where=database.place,
            remedy="'probatum run' brings it up to date",
        )
    for version in range(found, schema.SCHEMA_VERSION):
        # Tried once: a table may be made without what says that it is recorded (`schema.writer`).
        with database.transaction() as db:
            if _version(database, db) == version:  # else another process took this step in between
                schema.MIGRATIONS[version](db)
                here = schema.meta.c.key == "schema"
                db.execute(schema.meta.update().where(here).values(value=str(version + 1)))


def _version(database: Database, db: Connection) -> int | None:
    """The version of the tables that are there, None where there are none."""
    tables = database.tables(db)
    if not tables:
        return None
    known: dict[str, str] = {}
    if schema.meta.name in tables:
        rows = db.execute(select(schema.meta.c.key, schema.meta.c.value)).all()
        known = {str(key): str(value) for key, value in rows}
    if known.get("application") != schema.APPLICATION or not known.get("schema", "").isdigit():
        raise LedgerError(
            f"is a database of something else (tables: {', '.join(sorted(tables)[:3])})",
            where=database.place,
            remedy="name the campaign otherwise, or move it away",
        )
    found = int(known["schema"])
    if found > schema.SCHEMA_VERSION:
        raise LedgerError(
            f"was written by a newer Probatum (schema {found}, this one knows {schema.SCHEMA_VERSION})",
            where=database.place,
            remedy="upgrade: pip install --upgrade probatum",
        )
    return found


def _create(database: Database, db: Connection) -> None:
    if _version(database, db) is None:  # else another process was faster
        schema.metadata.create_all(db)
        rows = {"application": schema.APPLICATION, "schema": str(schema.SCHEMA_VERSION), "created_at": now()}
        db.execute(schema.meta.insert(), [{"key": key, "value": value} for key, value in rows.items()])
