"""Whether a campaign's record is whole: its ledger, and every artifact that the ledger names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from probatum.campaigns.artifacts import NAME, ArtifactStore
from probatum.campaigns.ledger_files import open_ledger, state_folder
from probatum.errors import StorageError

WEIGHTS = "weights"
"""Entry of a predictions' artifact that names the one with the trained weights."""
BLOCK = 1 << 20


@dataclass(frozen=True)
class Verification:
    """What was looked at and what is wrong.

    Attributes:
        artifacts: files that the ledger names.
        size: of those that are there, in bytes.
        missing: that are not there.
        changed: whose content is not what was written.
        unnamed: files that no row names: of jobs that were killed after they had written. They do no harm.
        ledger: what the database says of itself, None where nothing is wrong.
    """

    artifacts: int
    size: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    unnamed: tuple[str, ...]
    ledger: str | None

    @property
    def whole(self) -> bool:
        """Nothing that the campaign needs is missing or changed."""
        return not (self.missing or self.changed or self.ledger)


def verify(path: Path) -> Verification:
    """Reads every artifact of a campaign and compares it with the checksum that is its name.

    Args:
        path: of the campaign file.

    Raises:
        CampaignFileError: the campaign has not been run.
        LedgerError: the ledger cannot be read at all.
    """
    ledger = open_ledger(path)
    named: set[str] = set()
    splits: set[str] = set()
    for experiment in ledger.experiments():
        fits = ledger.fits(experiment.name)
        named.update(fit.artifact for fit in fits if fit.artifact is not None)
        splits.update(fit.split for fit in fits)
    named.update(ledger.split(digest).artifact for digest in splits)
    damage = ledger.damage()
    ledger.close()
    store = ArtifactStore(state_folder(path) / "artifacts")
    size, missing, changed = 0, [], []
    waiting = sorted(named)
    while waiting:
        name = waiting.pop(0)
        if not NAME.fullmatch(name):  # whoever can write the ledger could name any file
            changed.append(name)
            continue
        file = store.path(name)
        if not file.is_file():
            missing.append(name)
            continue
        size += file.stat().st_size
        if _digest(file) != name.partition(".")[0]:
            changed.append(name)
        elif name.endswith(".npz") and (weights := _weights(store, name)) and weights not in named:
            named.add(weights)
            waiting.append(weights)
    there = {file.name for file in store.folder.glob("*/*") if not file.name.startswith(".")}
    return Verification(
        len(named),
        size,
        tuple(missing),
        tuple(changed),
        tuple(sorted(there - named)),
        damage,
    )


def _digest(file: Path) -> str:
    h = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(BLOCK):
            h.update(block)
    return h.hexdigest()


def _weights(store: ArtifactStore, name: str) -> str | None:
    try:
        arrays = store.read_arrays(name)
    except (StorageError, ValueError):
        return None
    return str(arrays[WEIGHTS]) if WEIGHTS in arrays else None
