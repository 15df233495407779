"""What the ledger's statements share, whichever tables they are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

BATCH = 500
"""Keys in one statement; SQLite allows 32,766 variables, older builds 999."""


def insert_new(db: Connection, table: Table):
    """An insert that leaves rows alone that are already there."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


def ids_of(db: Connection, table: Table, column: Any, values: set[str], condition: Any = True) -> dict[str, int]:
    """Value of a column to the row's id, of those that are there."""
    found: dict[str, int] = {}
    for some in batches(sorted(values)):
        rows = db.execute(select(column, table.c.id).where(column.in_(some), condition))
        found.update((value, number) for value, number in rows)
    return found


def batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Parts that one statement can hold."""
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]


def now() -> str:
    """ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
