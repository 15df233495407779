"""Whether a campaign's record is whole: its ledger, every artifact that the ledger names, and what its rows say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from probatum.campaigns.artifacts import NAME, ArtifactStore
from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.ledgers.files import open_ledger, state_folder
from probatum.campaigns.ledgers.ledger import Ledger
from probatum.campaigns.record_checks import FitChecks, Fits, wrong_experiments
from probatum.errors import LedgerError, ProbatumError, ProtocolFrozenError, StorageError
from probatum.problems.registry import RECORDED

WEIGHTS = "weights"
"""Entry of a predictions' artifact that names the one with the trained weights."""
BLOCK = 1 << 20
OF_ANOTHER_KIND = (TypeError, ValueError, KeyError, AttributeError)
"""What comparing raises where somebody wrote text in the place of a number, or a list in that of a table."""


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
        rows: what rows of the ledger say that other rows, their artifacts or the data deny, one sentence each.
        unscored: why scores were not computed from predictions and truth once more, None where they were.
    """

    artifacts: int
    size: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    unnamed: tuple[str, ...]
    ledger: str | None
    rows: tuple[str, ...] = ()
    unscored: str | None = None

    @property
    def whole(self) -> bool:
        """Nothing that the campaign needs is missing or changed."""
        return not (self.missing or self.changed or self.ledger or self.rows)


def verify(path: Path, *, scores: bool = True) -> Verification:
    """Compares every artifact of a campaign with the checksum that is its name, and rows with what they are made of.

    Args:
        path: of the campaign file. No code that its recipes name is loaded.
        scores: whether the problem's data are opened, to compute every fit's scores once more.

    Raises:
        CampaignFileError: the campaign has not been run.
        LedgerError: the ledger cannot be read at all.
    """
    ledger = open_ledger(path)
    store = ArtifactStore(state_folder(path) / "artifacts")
    experiments = ledger.experiments()
    fits = {experiment.name: ledger.fits(experiment.name) for experiment in experiments}
    every = [fit for some in fits.values() for fit in some]
    named = {fit.artifact for fit in every if fit.artifact is not None}
    named.update(ledger.split(digest).artifact for digest in {fit.split for fit in every})
    damage = ledger.damage()
    try:
        rows = [*wrong_experiments(experiments, fits, ledger)]
        found, unscored = _trained_here(path, ledger, store, fits, scores=scores)
    except OF_ANOTHER_KIND as error:
        what = f"rows hold values of another kind ({error})"
        raise LedgerError(what, where=ledger.place, remedy="restore it from a copy") from None
    finally:
        ledger.close()
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
        (*rows, *found),
        unscored,
    )


def _trained_here(
    path: Path, ledger: Ledger, store: ArtifactStore, fits: Fits, *, scores: bool
) -> tuple[list[str], str | None]:
    """What is wrong with rows of fits, and why their scores were not looked at; of imported runs nothing is known."""
    frozen = ledger.frozen()
    if frozen is None:
        return [], "nothing was run yet"
    if frozen.problem.get("kind") in RECORDED:
        return [], "the runs were imported: their predictions are not here"
    checks = FitChecks(ledger, store, frozen, fits)
    found = [*checks.rows()]
    if not scores:
        return found, "it was not asked for"
    try:
        file = read_campaign_file(path, experiments=False)
        file.protocol.require_same(dict(frozen.protocol), where=path.name)
        found.extend(checks.scores(file.problem))
    except LedgerError:
        raise
    except ProtocolFrozenError as error:
        return [*found, error.what], "the campaign file has another protocol than the ledger"
    except ProbatumError as error:
        return found, str(error)
    return found, None


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
