"""What an import is asked for: held against what the source says, and against what was imported before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.ledgers.recorded_ledger import RecordedLedger
from probatum.campaigns.protocol import FRESH_DRAWS
from probatum.campaigns.recorded_campaign import KIND
from probatum.errors import CampaignFileError, DataError, ProtocolFrozenError
from probatum.interop.foreign_run import Source
from probatum.interop.grouping import DEFAULT_KEYS, Choice, Grouped
from probatum.problems.imported import Imported

GROUPS, FOLDS = "leave-one-group-out", "grouped-k-fold"


@dataclass(frozen=True)
class Wanted:
    """How runs are imported.

    Attributes:
        choice: what is taken for what.
        better: which way the metric goes; None where the source says it.
        baseline: experiment that the others are compared with; default: the one with the most repeats.
        seeds: 'training', or 'data' where each seed drew its own data or split.
        groups: whether folds are groups of their own, not folds of one shuffled partition.
        margin: differences up to this do not matter, in the metric's unit.
    """

    choice: Choice
    better: Literal["lower", "higher"] | None = None
    baseline: str | None = None
    seeds: Literal["training", "data"] = "training"
    groups: bool = False
    margin: float = 0.0


def problem_of(source: Source, wanted: Wanted) -> Imported:
    """What the campaign file says of the source.

    Args:
        source: opened.
        wanted: how its runs are imported.

    Raises:
        DataError: nobody says which way the metric goes, or the source says the contrary.
    """
    better = wanted.better or source.better
    metric = wanted.choice.metric
    if better is None:
        remedy = "add --lower or --higher"
        raise DataError(f"which way is better, lower or higher '{metric}'?", where=source.place, remedy=remedy)
    if source.better is not None and better != source.better:
        raise DataError(
            f"{source.importer} says that {source.better} '{metric}' is better", where=source.place,
            remedy=f"leave --{better} out",
        )  # fmt: skip
    keys = {role: tuple(k) for role, k in wanted.choice.keys.items() if tuple(k) != DEFAULT_KEYS.get(role)}
    return Imported(
        source.importer, source.place, metric, better, source.experiment, wanted.seeds, keys,
        wanted.choice.same, source.parameters,
    )  # fmt: skip


def kind_of_splits(grouped: Grouped, wanted: Wanted, where: str) -> str:
    """The protocol's kind of splits, which decides the test.

    Args:
        grouped: the runs.
        wanted: how they are imported.
        where: the source, for errors.

    Raises:
        DataError: seeds are meant to have drawn the data, and no run names one.
    """
    if wanted.seeds == "data":
        if not grouped.seeded:
            remedy = "name their key: --seed-key KEY"
            raise DataError("no run names its seed, so that none drew its own data", where=where, remedy=remedy)
        return FRESH_DRAWS
    if len(grouped.folds) > 1:
        return GROUPS if wanted.groups else FOLDS
    return "stratified-hold-out"


@dataclass(frozen=True)
class ImportedBefore:
    """What a campaign file of an earlier import says: the kind of splits, the baseline's name and the margin."""

    splits: str
    baseline: str
    margin: float


def imported_before(path: Path, problem: Imported) -> ImportedBefore:
    """The campaign file that is there, if it is of the same import.

    Args:
        path: of it.
        problem: what it would say today.

    Raises:
        CampaignFileError: it is another campaign.
        ProtocolFrozenError: it was imported otherwise.
    """
    file = read_campaign_file(path)
    if not isinstance(file.problem, Imported):
        raise CampaignFileError("is a campaign of its own", where=str(path), remedy="choose another name for --out")
    _require_equal(vars(file.problem), vars(problem), path)
    baseline = file.protocol.baseline
    if baseline is None:
        raise CampaignFileError("names no baseline", where=str(path), remedy="add protocol.baseline")
    return ImportedBefore(file.protocol.splits, baseline, file.protocol.margin)


def require_same_ledger(ledger: RecordedLedger, problem: Imported, path: Path) -> None:
    """Refuses to write into the ledger of another campaign, or of an import by another metric, direction or key.

    Args:
        ledger: that lies beside the campaign file; it may be empty.
        problem: what the file says of the source.
        path: of the file.

    Raises:
        CampaignFileError: the ledger is of another campaign.
        ProtocolFrozenError: it was imported otherwise.
    """
    frozen = ledger.frozen()
    if frozen is None:
        return
    if frozen.problem.get("kind") != KIND:
        remedy = "choose another name for --out"
        raise CampaignFileError("beside it lies the ledger of another campaign", where=str(path), remedy=remedy)
    before = dict(vars(problem)) | dict(frozen.problem["options"])
    _require_equal(json.loads(json.dumps(before)), json.loads(json.dumps(vars(problem))), path)


def _require_equal(before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    """Refuses an import that takes something else for something else; where a store lies may change."""
    for key, value in now.items():
        if key != "source" and before.get(key) != value:
            raise ProtocolFrozenError(
                f"was imported with {key} = {before.get(key)!r}, and now with {value!r}",
                where=path.name,
                remedy="import as before, or under a new name",
            )


def require_same_protocol(there: ImportedBefore, splits: str, wanted: Wanted, path: Path) -> None:
    """Refuses runs whose folds ask for another test than those before, and another baseline.

    Args:
        there: what the campaign file says.
        splits: the kind that the runs ask for now.
        wanted: how they are imported.
        path: of the campaign file.

    Raises:
        ProtocolFrozenError: saying what is another one.
    """
    if there.splits != splits:
        what = (
            f"runs were judged as {there.splits}, and are now {splits}: they name folds that they did not name before"
        )
        raise ProtocolFrozenError(what, where=path.name, remedy="import under a new name")
    if wanted.baseline is not None and wanted.baseline != there.baseline:
        what = f"the baseline is '{there.baseline}'"
        raise ProtocolFrozenError(what, where=path.name, remedy="leave --baseline out, or import under a new name")
