"""Runs of another program become a read-only campaign; importing again brings what is new, and loses nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from probatum.campaigns.artifacts import ArtifactStore, storage_errors
from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.ledgers.files import LEDGER, state_folder
from probatum.campaigns.ledgers.ledger import CampaignRecord
from probatum.campaigns.ledgers.lock import CampaignLock
from probatum.campaigns.ledgers.recorded_ledger import RecordedLedger
from probatum.campaigns.recorded_campaign import KIND
from probatum.errors import CampaignFileError
from probatum.interop.foreign_run import AS_CURVE, Source
from probatum.interop.grouping import Grouped, Repeat, group_runs
from probatum.interop.import_request import (
    Wanted,
    imported_before,
    kind_of_splits,
    problem_of,
    require_same_ledger,
    require_same_protocol,
)
from probatum.interop.imported_experiments import baseline_of, names_of
from probatum.interop.record_runs import record_runs, record_scores
from probatum.planning.round_file import replace_text, toml
from probatum.problems.imported import TASK, Imported


@dataclass(frozen=True)
class ImportResult:
    """What an import did.

    Attributes:
        path: of the campaign file.
        experiments, repeats: that the source holds.
        new, finished: repeats that were not recorded before, and that have finished or failed since.
        changed: repeats whose score is another one now; what was recorded stays.
        states: state of a run to the number of its repeats.
        baseline: experiment.
        remarks: what was taken for what.
    """

    path: Path
    experiments: int
    repeats: int
    new: int
    finished: int
    changed: int
    states: Mapping[str, int]
    baseline: str
    remarks: tuple[str, ...]


def import_runs(source: Source, path: Path, wanted: Wanted) -> ImportResult:
    """Imports runs into a campaign file and the ledger beside it.

    Args:
        source: opened.
        path: of the campaign file, which is written where it is not there.
        wanted: how.

    Raises:
        DataError, UnknownNameError: the runs cannot be used.
        CampaignFileError: the file is there and is something else.
        ProtocolFrozenError: it was imported from something else, or otherwise.
        CampaignLockedError, LedgerError, StorageError.
    """
    if path.suffix != ".toml":
        remedy = "end its name with .toml"
        raise CampaignFileError(f"'{path.name}' is no name of a campaign file", where=str(path), remedy=remedy)
    problem = problem_of(source, wanted)
    there = imported_before(path, problem) if path.exists() else None
    where = source.place
    grouped = group_runs(source.runs, wanted.choice, where)
    splits = kind_of_splits(grouped, wanted, where)
    folder = state_folder(path)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with CampaignLock(folder):
        ledger = RecordedLedger.at(folder / LEDGER)
        try:
            require_same_ledger(ledger, problem, path)
            names = names_of(grouped.groups, ledger)
            if there is None:
                baseline = baseline_of(grouped.groups, names, wanted.baseline, where)
            else:
                baseline = there.baseline
                require_same_protocol(there, splits, wanted, path)
            if there is None:
                _write_file(path, problem, splits, baseline, wanted.margin)
            ledger.freeze(_frozen_record(path, problem))
            done = record_runs(ledger, ArtifactStore(folder / "artifacts"), grouped, problem, names, baseline)
        finally:
            ledger.close()
        record_scores(path)
    states: dict[str, int] = {}
    for group in grouped.groups:
        for repeat in group.repeats:
            states[_state(repeat)] = states.get(_state(repeat), 0) + 1
    curves = sorted({n for g in grouped.groups for r in g.repeats for n in r.run.curves if n in AS_CURVE})
    remarks = [*source.remarks, *grouped.remarks, *(f"'{n}' is the {AS_CURVE[n]}" for n in curves)]
    return ImportResult(
        path, len(grouped.groups), sum(states.values()), *done, states, baseline,
        (*remarks, _judging(splits, grouped, problem)),
    )  # fmt: skip


def _write_file(path: Path, problem: Imported, splits: str, baseline: str, margin: float) -> None:
    options = [f"{key} = {toml(value)}" for key, value in vars(problem).items() if value not in (None, {}, ())]
    said = [
        "# Runs of another program, imported. They are read-only: nothing can be trained here.",
        "# The same 'probatum import' once more brings what is new.",
        "",
        "[problem]",
        'kind = "imported"',
        *options,
        "",
        "[protocol]",
        f"splits = {toml(splits)}",
        f"metric = {toml('recorded_' + problem.better)}",
        f"baseline = {toml(baseline)}",
        f"margin = {margin!r}",
        "",
    ]
    replace_text(path, "\n".join(said))


def _frozen_record(path: Path, problem: Imported) -> CampaignRecord:
    """What the ledger keeps of the campaign file, and holds later imports against."""
    file = read_campaign_file(path)
    digest = sha256(f"{problem.importer}\n{problem.experiment}".encode()).hexdigest()
    options = json.loads(json.dumps(vars(problem)))
    return CampaignRecord({"kind": KIND, "options": options}, (TASK,), file.protocol.model_dump(), {TASK: digest})


def _judging(splits: str, grouped: Grouped, problem: Imported) -> str:
    count = len(grouped.folds)
    match splits:
        case "fresh-draws":
            return "judged over seeds, each of which drew its own data"
        case "leave-one-group-out":
            return f"judged over {count} folds, each a group of its own"
        case "grouped-k-fold":
            return (
                f"judged over {count} folds of one cross-validation (test/training rows 1/{count - 1}; "
                "--groups where each is a group of its own), seeds averaged"
            )
        case _:
            said = "no folds: runs on one split are no evidence, whatever their seeds"
            return f"{said} (--seeds data where each drew its own)"


def _state(repeat: Repeat) -> str:
    if repeat.score is not None:
        return "finished" if math.isfinite(repeat.score) else "diverged"
    if repeat.run.state == "finished":
        return "without the metric"
    return repeat.run.state
