"""Where a campaign's state lies, and its ledger for whoever only looks: needs neither the problem nor its data."""

from __future__ import annotations

from pathlib import Path

from probatum.campaigns.ledger import Ledger
from probatum.campaigns.sql_ledger import SqlLedger
from probatum.errors import CampaignFileError

LEDGER = "ledger.sqlite"


def state_folder(path: Path) -> Path:
    """Where the state of a campaign file lives: `NAME.probatum/` beside it."""
    return path.with_name(f"{path.stem}.probatum")


def open_ledger(path: Path, *, read_only: bool = True) -> Ledger:
    """The ledger of a campaign file, to be looked at.

    Args:
        path: of the campaign file.
        read_only: False brings a ledger of an older program up to date first.

    Raises:
        CampaignFileError: the campaign has not been run.
        LedgerError: the ledger cannot be read.
    """
    file = state_folder(path) / LEDGER
    if not file.exists():
        raise CampaignFileError("has not been run yet", where=str(path), remedy=f"probatum run {path.name}")
    return SqlLedger.at(file, read_only=read_only)
