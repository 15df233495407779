"""Where a campaign's state and its ledger are, and the ledger for whoever looks: needs neither problem nor data."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from probatum.campaigns.artifacts import storage_errors
from probatum.campaigns.ledgers.address import LedgerAddress
from probatum.campaigns.ledgers.ledger import Ledger
from probatum.campaigns.ledgers.lock import CampaignLock, holder_of
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.campaigns.toml_text import read_toml
from probatum.errors import CampaignFileError, LedgerError
from probatum.problems.registry import RECORDED

LEDGER = "ledger.sqlite"
VARIABLE = "PROBATUM_LEDGER"
"""Environment variable that names a shared ledger; it goes before what the campaign file says."""


def state_folder(path: Path) -> Path:
    """Where the state of a campaign file lives: `NAME.probatum/` beside it."""
    return path.with_name(f"{path.stem}.probatum")


@dataclass(frozen=True)
class LedgerSite:
    """Where the ledger of a campaign is.

    Attributes:
        path: of the campaign file.
        address: of a shared ledger; None of the file in the campaign's state folder.
    """

    path: Path
    address: LedgerAddress | None = None

    @classmethod
    def of(cls, path: Path) -> LedgerSite:
        """As the environment or the campaign file says, of which nothing else is looked at.

        Raises:
            LedgerError: what they say is no address, or the file holds a password.
        """
        entry, imported = _ledger_entry(path)
        return cls(path, None if imported else ledger_address(path, entry))

    @property
    def shared(self) -> bool:
        """Whether several drivers can work at once."""
        return self.address is not None

    def within(self, seconds: float) -> LedgerSite:
        """The same site for somebody who waits no longer than this for a shared ledger that is away."""
        return self if self.address is None else replace(self, address=replace(self.address, patience=seconds))

    def exists(self) -> bool:
        """Whether the campaign was run.

        Raises:
            LedgerError: a shared ledger that cannot be reached.
        """
        if self.address is None:
            return (state_folder(self.path) / LEDGER).exists()
        from probatum.campaigns.ledgers.postgresql_database import PostgresqlDatabase

        database = PostgresqlDatabase(self.address)
        try:
            return bool(database.read(database.tables))
        finally:
            database.close()

    def open(self, *, read_only: bool = True) -> Ledger:
        """The ledger, to be looked at.

        Args:
            read_only: False brings a ledger of an older program up to date first.

        Raises:
            CampaignFileError: the campaign has not been run.
            LedgerError: the ledger cannot be reached or read.
        """
        if not self.exists():
            raise CampaignFileError(
                "has not been run yet", where=str(self.path), remedy=f"probatum run {self.path.name}"
            )
        if self.address is not None:
            return SqlLedger(self.address, read_only=read_only)
        return SqlLedger.at(state_folder(self.path) / LEDGER, read_only=read_only)

    @contextmanager
    def driving(self) -> Generator[Ledger]:
        """The ledger, for a process that drives the campaign; made where there is none.

        Raises:
            CampaignLockedError: another process drives it, and the ledger is not shared.
            LedgerError, StorageError: it cannot be reached, read or written.
        """
        folder = state_folder(self.path)
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if self.address is not None:
            with _closing(SqlLedger(self.address)) as ledger:
                yield ledger
        else:
            with CampaignLock(folder), _closing(SqlLedger.at(folder / LEDGER)) as ledger:
                yield ledger

    def holder(self) -> str | None:
        """Who works on the campaign; None where nobody does, or a shared ledger cannot be asked."""
        if self.address is None:
            return holder_of(state_folder(self.path))
        try:
            with _closing(self.open()) as ledger:
                return "; ".join(ledger.drivers()) or None
        except (CampaignFileError, LedgerError):
            return None


def open_ledger(path: Path, *, read_only: bool = True) -> Ledger:
    """The ledger of a campaign file, to be looked at: `LedgerSite.open`."""
    return LedgerSite.of(path).open(read_only=read_only)


def ledger_address(path: Path, entry: str | None, *, where: str | None = None) -> LedgerAddress | None:
    """The address of a campaign's shared ledger, None where it has none.

    Args:
        path: of the campaign file; its name is the campaign's in the database, unless the address says another.
        entry: `run.ledger` of the file.
        where: the entry stands, for errors.

    Raises:
        LedgerError: it is no address, or a password stands in the file.
    """
    if told := os.environ.get(VARIABLE):
        return LedgerAddress.parse(told, path.stem, where=VARIABLE)
    if entry is None:
        return None
    return LedgerAddress.parse(entry, path.stem, where=where or path.name, secret=False)


def _ledger_entry(path: Path) -> tuple[str | None, bool]:
    """`run.ledger` of a file, and whether its runs were imported, so that their ledger lies beside it.

    Of a file that cannot be read nothing is known; whoever needs the rest of it says why.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if "ledger" not in text and VARIABLE not in os.environ:
            return None, False  # a large file takes long to read
        content = read_toml(text, path.name)
    except (OSError, ValueError, CampaignFileError):
        return None, False
    run, problem = content.get("run"), content.get("problem")
    entry = run.get("ledger") if isinstance(run, Mapping) else None
    kind = problem.get("kind") if isinstance(problem, Mapping) else problem
    return entry if isinstance(entry, str) else None, isinstance(kind, str) and kind in RECORDED


@contextmanager
def _closing(ledger: Ledger) -> Generator[Ledger]:
    try:
        yield ledger
    finally:
        ledger.close()
