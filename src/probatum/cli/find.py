"""Which campaign file a command means."""

from __future__ import annotations

import tomllib
from pathlib import Path

from probatum.errors import CampaignFileError
from probatum.problems.registry import RECORDED

TABLES = (".csv", ".tsv", ".parquet", ".pq")
"""Suffixes of what a campaign may be made of."""


def campaign_path(given: Path | None) -> Path:
    """The file that was named, or the only campaign file in this folder.

    Raises:
        CampaignFileError: there is none, or more than one; or what was given is a table, or lacks its '.toml'.
    """
    if given is not None:
        _check_kind(given)
        return given
    found = [path for path in sorted(Path.cwd().glob("*.toml")) if _is_campaign(path)]
    if len(found) == 1:
        return Path(found[0].name)
    if not found:
        raise CampaignFileError("no campaign file here", where=str(Path.cwd()), remedy="name one, or 'probatum new'")
    names = ", ".join(path.name for path in found[:5])
    raise CampaignFileError(f"{len(found)} campaign files here ({names})", remedy="name one: -C FILE")


def _check_kind(given: Path) -> None:
    """Refuses what people type for a campaign file and is none: their table, and a name without its '.toml'."""
    if given.suffix.lower() in TABLES:
        remedy = f"'probatum new NAME.toml --table {given} --target COLUMN' makes a campaign of it"
        raise CampaignFileError("a table, and no campaign file", where=str(given), remedy=remedy)
    meant = Path(f"{given}.toml")
    if not given.exists() and meant.is_file():
        raise CampaignFileError("no such campaign file", where=str(given), remedy=f"did you mean '{meant}'?")


def _is_campaign(path: Path) -> bool:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    given = content.get("problem")
    imported = isinstance(given, dict) and given.get("kind") in RECORDED
    return given is not None and ("experiment" in content or imported)
