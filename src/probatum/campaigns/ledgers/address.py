"""Where a shared ledger is: the URL of a PostgreSQL database, and which campaign of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from probatum.errors import LedgerError

DRIVER = "postgresql+psycopg"
EXAMPLE = f"{DRIVER}://user@host/database"
LEASE, PATIENCE = 30.0, 300.0
PREFIX = "probatum_"
LONGEST = 63 - len(PREFIX)
"""Bytes of a campaign's name: PostgreSQL cuts off what is longer than 63, so that two campaigns would be one."""


@dataclass(frozen=True)
class LedgerAddress:
    """A campaign in a database.

    Attributes:
        url: of the database, for SQLAlchemy.
        campaign: name of the campaign in it.
        lease: seconds after which a driver that says nothing counts as dead.
        patience: seconds that a call waits for a database that cannot be reached.
    """

    url: URL
    campaign: str
    lease: float = LEASE
    patience: float = PATIENCE

    @classmethod
    def parse(
        cls, text: str, campaign: str | None = None, *, where: str | None = None, secret: bool = True
    ) -> LedgerAddress:
        """Reads an address.

        Args:
            text: 'postgresql+psycopg://user@host/database'; '?campaign=', 'lease=' and 'patience=' may follow it.
            campaign: its name where the text has none.
            where: the text stands, for errors.
            secret: whether a password may stand in it.

        Raises:
            LedgerError: it is no address of a PostgreSQL database, or holds a password that it must not.
        """
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            raise LedgerError(
                "the ledger's address is no URL", where=where, remedy=f"write it as '{EXAMPLE}'"
            ) from None
        if url.drivername not in (DRIVER, "postgresql"):
            what = f"no ledger is kept in '{url.drivername}' by its address"
            raise LedgerError(
                what, where=where, remedy=f"write '{EXAMPLE}', or leave it out: SQLite beside the campaign file"
            )
        if not secret and (url.password is not None or "password" in url.query):
            remedy = "take it out; put it into ~/.pgpass or PGPASSWORD, or the whole address into PROBATUM_LEDGER"
            raise LedgerError("a password stands in the ledger's address", where=where, remedy=remedy)
        own = {key: str(url.query[key]) for key in ("campaign", "lease", "patience") if key in url.query}
        url = url.set(drivername=DRIVER).difference_update_query(list(own))
        name = own.get("campaign", campaign)
        if not name:
            remedy = f"add '?campaign=NAME' to '{EXAMPLE}'"
            raise LedgerError("the ledger's address names no campaign", where=where, remedy=remedy)
        if len(name.encode()) > LONGEST or "\0" in name:
            what = f"'{name[:20]}...' is no name of a campaign in a database: it may have {LONGEST} bytes"
            raise LedgerError(what, where=where, remedy="add '?campaign=SHORTER' to the ledger's address")
        return cls(url, name, _seconds(own, "lease", LEASE, where), _seconds(own, "patience", PATIENCE, where))

    @property
    def schema(self) -> str:
        """The PostgreSQL schema that holds the campaign's tables."""
        return PREFIX + self.campaign

    @property
    def place(self) -> str:
        """For people; without password and options."""
        host = self.url.host or self.url.query.get("host") or "local socket"
        user = f"{self.url.username}@" if self.url.username else ""
        port = f":{self.url.port}" if self.url.port else ""
        return f"postgresql://{user}{host}{port}/{self.url.database or ''} (campaign '{self.campaign}')"


def _seconds(given: dict[str, str], key: str, default: float, where: str | None) -> float:
    try:
        found = float(given.get(key, default))
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        what = f"{key}={given[key]} is no time in the ledger's address"
        raise LedgerError(what, where=where, remedy=f"give seconds: {key}={default:g}")
    return found
