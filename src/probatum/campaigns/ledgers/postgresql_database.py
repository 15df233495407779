"""A ledger's database on a PostgreSQL server: one schema a campaign.

A schema, and no column that names the campaign in every table: so the statements are those of SQLite, names are unique
within a campaign without being told so, rights are granted, a campaign is backed up (`pg_dump -n`) and thrown away by
itself, and no statement can reach another campaign's rows by mistake.

Writers take turns by an advisory lock on the campaign, which the server frees at the end of the transaction. Locks of
rows would let two drivers write at once, but a transaction takes milliseconds and holds a whole batch of jobs, so there
is little to win; and every statement would have to be right under every interleaving.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, create_engine, event, extract, func, inspect, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.address import LedgerAddress
from probatum.campaigns.ledgers.database import Result, SharedDatabase
from probatum.campaigns.ledgers.postgresql_errors import passes, refusal
from probatum.errors import LedgerError

OLDEST = 130000
"""Version of the server that is known to do."""
CONNECTING, LOCKED, IDLE = 10, 20, 60
"""Seconds: to connect; until a wait for another writer is begun anew; until the server ends the transaction of a
process that hangs in the middle of it, so that the others go on."""
LONGEST_PAUSE = 2.0
"""Seconds between two attempts to reach the server."""

_reached: set[URL] = set()
"""Databases that this process was connected to: where they cannot be reached, they are away and not misspelt."""


class PostgresqlDatabase(SharedDatabase):
    """A campaign's schema in a database.

    Args:
        address: of it.

    Raises:
        LedgerError: psycopg is not installed, the database cannot be reached or refuses, or the server is too old.
    """

    def __init__(self, address: LedgerAddress):
        self.place, self.lease, self._schema = address.place, address.lease, address.schema
        self.patience = address.patience
        self._lock = int.from_bytes(hashlib.sha256(address.schema.encode()).digest()[:8], "big", signed=True)
        self._thread, self._marks = threading.local(), list[Any]()
        self.url = address.url
        try:
            self._engine = create_engine(
                address.url,
                isolation_level="READ COMMITTED",
                pool_size=2,
                max_overflow=16,
                connect_args=_connecting(address.url),
            )
        except ImportError:
            raise LedgerError(
                "a ledger on PostgreSQL needs psycopg, which is not installed",
                where=self.place,
                remedy="pip install 'probatum[postgres]'",
            ) from None
        event.listen(self._engine, "connect", _setting_up(_quoted(self._schema)))
        weakref.finalize(self, self._engine.dispose)  # of a ledger that nobody closes
        try:
            version = self.read(lambda db: int(db.exec_driver_sql("SHOW server_version_num").scalar_one()))
            if version < OLDEST:
                what = f"PostgreSQL {version // 10000} is too old"
                raise LedgerError(what, where=self.place, remedy=f"use {OLDEST // 10000} or later")
        except BaseException:
            self._engine.dispose()
            raise
        _reached.add(self.url)

    # ------------------------------------------------------------------ transactions

    def write(self, work: Callable[[Connection], Result]) -> Result:
        attempts = _Attempts(self)
        while True:
            mark, done, result = self._next_mark(), False, None
            try:
                with self._turn() as db:
                    self._mark(db, mark)
                    result = work(db)
                    done = True  # only the commit is left
                return result
            except DBAPIError as error:
                attempts.failed(error)
            if done and self._is_recorded(mark, attempts):
                return result  # type: ignore[return-value]

    def read(self, work: Callable[[Connection], Result]) -> Result:
        attempts = _Attempts(self)
        while True:
            try:
                with self._snapshot() as db:
                    return work(db)
            except DBAPIError as error:
                attempts.failed(error)

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        with self._errors(), self._turn() as db:
            yield db

    @contextmanager
    def reading(self) -> Generator[Connection]:
        with self._errors(), self._snapshot() as db:
            yield db

    @contextmanager
    def aside(self) -> Generator[Connection]:
        with self._errors(), self._engine.begin() as db:
            yield db

    def create(self, work: Callable[[Connection], None]) -> None:
        with self.transaction() as db:
            if not self._exists(db):
                db.exec_driver_sql(f"CREATE SCHEMA {_quoted(self._schema)}".replace("%", "%%"))
            work(db)

    @contextmanager
    def _turn(self) -> Generator[Connection]:
        """A transaction that waits for its turn to write. READ COMMITTED: it must see what was written meanwhile."""
        with self._engine.begin() as db:
            db.execute(text("SELECT pg_advisory_xact_lock(CAST(:key AS bigint))"), {"key": self._lock})
            yield db

    @contextmanager
    def _snapshot(self) -> Generator[Connection]:
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._engine.connect().execution_options(**options) as db:
            yield db

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except IntegrityError:
            raise  # ours, not the database's
        except DBAPIError as error:
            raise refusal(error, self.place) from error

    # ------------------------------------------------------------------ whether a lost change was recorded

    def _next_mark(self) -> dict[str, Any]:
        """A number that no other change of this thread has; a thread writes one change after the other."""
        mark: dict[str, Any] = getattr(self._thread, "mark", {})
        if not mark:
            mark = {"id": uuid.uuid4().hex, "last": 0}
            self._marks.append(mark["id"])
        self._thread.mark = mark | {"last": mark["last"] + 1}
        return self._thread.mark

    def _mark(self, db: Connection, mark: dict[str, Any]) -> None:
        insert = postgresql.insert(schema.writer)
        db.execute(insert.on_conflict_do_update(index_elements=["id"], set_={"last": insert.excluded.last}), mark)

    def _is_recorded(self, mark: dict[str, Any], attempts: _Attempts) -> bool:
        """Asked in turn: whoever held the connection that was lost has let go of the lock, and so ended."""
        while True:
            try:
                with self._turn() as db:
                    found = db.execute(select(schema.writer.c.last).where(schema.writer.c.id == mark["id"])).scalar()
                return found == mark["last"]
            except DBAPIError as error:
                attempts.failed(error, unknown=True)

    # ------------------------------------------------------------------ what is there

    def tables(self, db: Connection) -> list[str]:
        return inspect(db).get_table_names(schema=self._schema)

    def _exists(self, db: Connection) -> bool:
        return self._schema in inspect(db).get_schema_names()

    @property
    def alive(self) -> ColumnElement[bool]:
        c = schema.driver.c
        since_start = extract("epoch", func.pg_postmaster_start_time()) + c.lease
        return (c.expires_at > 0) & (func.greatest(c.expires_at, since_start) > self.server_time)

    @property
    def server_time(self) -> ColumnElement[Any]:
        return extract("epoch", func.clock_timestamp())

    def size(self) -> int:
        of_schema = text(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :name AND c.relkind = 'r'"
        )
        return self.read(lambda db: int(db.execute(of_schema, {"name": self._schema}).scalar_one()))

    def damage(self) -> str | None:
        return None  # the server checks what it reads; broken references it never lets in

    def close(self) -> None:
        if self._marks:
            with contextlib.suppress(LedgerError, SQLAlchemyError), self.aside() as db:
                db.execute(schema.writer.delete().where(schema.writer.c.id.in_(self._marks)))
        self._engine.dispose()


class _Attempts:
    """How long one call goes on trying to reach a database."""

    def __init__(self, database: PostgresqlDatabase):
        self._database = database
        self._until: float | None = None
        self._pause = 0.05

    def failed(self, error: DBAPIError, *, unknown: bool = False) -> None:
        """Waits before the next attempt.

        Args:
            error: of this one.
            unknown: whether a change may have been recorded all the same.

        Raises:
            LedgerError, StorageError: it will not pass, or has not within the patience.
            IntegrityError: the fault is ours.
        """
        if isinstance(error, IntegrityError):
            raise error
        database = self._database
        if not passes(error, reached=database.url in _reached):
            raise refusal(error, database.place) from error
        moment = time.monotonic()
        if self._until is None:
            self._until = moment + database.patience
        if moment > self._until:
            told = refusal(error, database.place)
            what = f"{told.what}; it was tried for {database.patience:g} s"
            if unknown:
                what += ", and whether the last change was recorded is not known"
            raise LedgerError(what, where=told.where, remedy=told.remedy) from error
        time.sleep(self._pause * random.uniform(0.5, 1.0))  # so that drivers do not come back all at once
        self._pause = min(2 * self._pause, LONGEST_PAUSE)


def _connecting(url: URL) -> dict[str, Any]:
    """What libpq is told beside the URL: a connection whose other end is gone is noticed within a minute."""
    wanted = {"connect_timeout": CONNECTING, "application_name": "probatum", "tcp_user_timeout": 30_000}
    wanted |= {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    return {key: value for key, value in wanted.items() if key not in url.query}


def _quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _setting_up(quoted: str) -> Callable[[Any, object], None]:
    """What each new connection is told: the schema, and how long to wait for whom."""

    def set_up(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('search_path', %s, false), set_config('lock_timeout', %s, false),"
                " set_config('idle_in_transaction_session_timeout', %s, false),"
                " set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false)",
                (quoted, f"{LOCKED}s", f"{IDLE}s"),
            )
            # A call that returned is durable, whatever the role's own settings.
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false)"
                " WHERE current_setting('synchronous_commit') = 'off'"
            )
        connection.commit()

    return set_up
