"""A ledger copied whole into another database, from SQLite to PostgreSQL or back.

The copy is one transaction: it is compared with its source row by row, by a digest, before it is committed, so that the
target holds either all of it or nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Integer, Table, func, select, text

from probatum.campaigns.artifacts import storage_errors
from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.address import EXAMPLE, LedgerAddress
from probatum.campaigns.ledgers.database import Database, SharedDatabase, prepare
from probatum.campaigns.ledgers.drivers import Claims
from probatum.campaigns.ledgers.files import LEDGER, LedgerSite, state_folder
from probatum.campaigns.ledgers.lock import holder_of
from probatum.campaigns.ledgers.sql_ledger import database_of
from probatum.errors import CampaignLockedError, LedgerError

LEFT = {schema.driver.name, schema.claim.name, schema.writer.name}
"""Tables that are about who works in one database, and stay there."""
ROWS = 2000
"""Rows that are in memory at once."""


@dataclass(frozen=True)
class LedgerCopy:
    """What was copied.

    Attributes:
        source, target: where they are, for people.
        rows: by table.
        digest: sha256 over all rows of both.
    """

    source: str
    target: str
    rows: Mapping[str, int]
    digest: str


def copy_ledger(source: str, target: str) -> LedgerCopy:
    """Copies a ledger into a database that holds none.

    Args:
        source, target: 'sqlite:///FILE', a campaign file, or 'postgresql+psycopg://user@host/database?campaign=NAME';
            without a campaign it is named as the campaign file at the other end.

    Returns:
        What was copied; the copy was compared with the source.

    Raises:
        LedgerError: the target holds something, the source holds no campaign or one of another version, or either
            cannot be reached.
        CampaignLockedError: somebody works on the source.
    """
    names = [_campaign_of(source), _campaign_of(target)]
    name = names[0] or names[1]
    with _opened(source, name) as old:
        prepare(old, read_only=True)
        _require_idle(old, source)
        with _opened(target, name, made=True) as new:
            if new.read(new.tables):
                what = "holds tables already, and a ledger is copied into nothing else"
                raise LedgerError(
                    what, where=new.place, remedy="choose another name: '?campaign=NAME', or another file"
                )
            found: list[LedgerCopy] = []
            with old.reading() as reading:
                new.create(lambda writing: found.append(_copied(old, reading, new, writing)))
            return found[0]


def _copied(old: Database, reading: Connection, new: Database, writing: Connection) -> LedgerCopy:
    if new.tables(writing):  # somebody was faster
        raise LedgerError("holds tables already", where=new.place, remedy="choose another name")
    schema.metadata.create_all(writing)
    rows = {table.name: _copy_table(table, reading, writing) for table in _tables()}
    before, after = _digest(reading), _digest(writing)
    if before != after:
        remedy = f"nothing was copied; 'probatum verify' says whether {old.place} is whole"
        raise LedgerError("does not hold what its source does after the copy", where=new.place, remedy=remedy)
    return LedgerCopy(old.place, new.place, rows, before)


def _tables() -> list[Table]:
    """What is copied, each after those that it refers to."""
    return [table for table in schema.metadata.sorted_tables if table.name not in LEFT]


def _copy_table(table: Table, reading: Connection, writing: Connection) -> int:
    count = 0
    for part in _rows(table, reading):
        writing.execute(table.insert(), part)
        count += len(part)
    key = table.c.get("id")
    if count and key is not None and isinstance(key.type, Integer) and writing.dialect.name == "postgresql":
        # Rows came with their numbers: the next one is to be counted from there.
        writing.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last)"),
            {"table": table.name, "last": writing.execute(select(func.max(key))).scalar_one()},
        )
    return count


def _digest(db: Connection) -> str:
    """sha256 over all rows, table by table, in the order of their keys."""
    h = hashlib.sha256()
    for table in _tables():
        h.update(f"{table.name}\n".encode())
        for part in _rows(table, db):
            for row in part:
                h.update(json.dumps(row, sort_keys=True).encode() + b"\n")
    return h.hexdigest()


def _rows(table: Table, db: Connection) -> Iterator[list[dict[str, Any]]]:
    """All rows in the order of their keys, part by part."""
    keys = list(table.primary_key.columns)
    ordered = select(table).order_by(*(key.collate("C") if _is_text(key, db) else key for key in keys))
    found = db.execute(ordered.execution_options(yield_per=ROWS))
    for part in found.mappings().partitions():
        yield [{name: None if value != value else value for name, value in row.items()} for row in part]


def _is_text(column: Any, db: Connection) -> bool:
    """Whether the server would sort it by the rules of a language, which SQLite knows nothing of."""
    return db.dialect.name == "postgresql" and column.type.python_type is str


@contextmanager
def _opened(place: str, campaign: str | None, *, made: bool = False) -> Generator[Database]:
    address = _resolved(place, campaign)
    if isinstance(address, Path):
        if made:
            with storage_errors(address.parent):
                address.parent.mkdir(parents=True, exist_ok=True)
        elif not address.exists():
            raise LedgerError("there is no such file", where=str(address), remedy="name a ledger, or a campaign file")
        database = database_of(f"sqlite:///{address}")
    else:
        database = database_of(address)
    try:
        yield database
    finally:
        database.close()


def _resolved(place: str, campaign: str | None) -> Path | LedgerAddress:
    if place.startswith("sqlite:///"):
        return Path(place.removeprefix("sqlite:///"))
    if "://" in place:
        return LedgerAddress.parse(place, campaign)
    if not _is_campaign_file(place):
        remedy = f"name a campaign file, 'sqlite:///FILE' or '{EXAMPLE}?campaign=NAME'"
        raise LedgerError("is no ledger", where=place, remedy=remedy)
    site = LedgerSite.of(Path(place))
    return site.address or state_folder(site.path) / LEDGER


def _campaign_of(place: str) -> str | None:
    """The name that a place gives a campaign in a database."""
    if place.startswith("sqlite:///"):
        state = Path(place.removeprefix("sqlite:///")).parent
        return state.stem if state.suffix == ".probatum" else None
    return Path(place).stem if _is_campaign_file(place) else None


def _is_campaign_file(place: str) -> bool:
    return "://" not in place and place.endswith(".toml")


def _require_idle(database: Database, source: str) -> None:
    """Raises where somebody works on the source: what is recorded after the copy would be lost to it."""
    if isinstance(database, SharedDatabase):
        holders = database.read(Claims(None, database.alive).others)
    else:
        holders = [holder] if (holder := holder_of(Path(database.place).parent)) else []
    if holders:
        what = f"somebody works on this campaign ({', '.join(holders)})"
        raise CampaignLockedError(what, where=database.place, remedy="wait for it or stop it, then copy")
