"""Runs of another program become a read-only campaign; importing again brings what is new, and loses nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from probatum.campaigns.artifacts import ArtifactStore, storage_errors
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.execution import CURVE
from probatum.campaigns.experiment import Mutation
from probatum.campaigns.ledger import DONE, FAILED, PLANNED, CampaignRecord, ExperimentRecord, SplitRecord
from probatum.campaigns.ledger_files import LEDGER, state_folder
from probatum.campaigns.lock import CampaignLock
from probatum.campaigns.protocol import FRESH_DRAWS
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.recorded_campaign import KIND, imported_recipe
from probatum.campaigns.recorded_ledger import RecordedExperiment, RecordedFit, RecordedLedger
from probatum.errors import CampaignFileError, DataError, ProtocolFrozenError, UnknownNameError
from probatum.interop.foreign_run import AS_CURVE, Source
from probatum.interop.grouping import DEFAULT_KEYS, Choice, Group, Grouped, Repeat, clean_name, group_runs
from probatum.planning.round_file import replace_text, toml
from probatum.problems.imported import TASK, Imported

Item = TypeVar("Item")
BATCH = 500
"""Experiments that are recorded in one transaction."""
LARGEST_SEED = 2**31
WHOLE = "all that it was scored on"
"""Name of the only split of runs that name no fold."""
GROUPS, FOLDS = "leave-one-group-out", "grouped-k-fold"
MOST_CHANGES = 12
"""Changes that a mutation's text lists; runs of a search may differ in hundreds of parameters."""


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
    problem = _problem(source, wanted)
    there = _known(path, problem) if path.exists() else None
    where = source.place
    grouped = group_runs(source.runs, wanted.choice, where)
    splits = _kind_of_splits(grouped, wanted, where)
    folder = state_folder(path)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with CampaignLock(folder):
        ledger = RecordedLedger.at(folder / LEDGER)
        try:
            _require_same(ledger, problem, path)
            names = _names(grouped.groups, ledger)
            if there is None:
                baseline = _baseline(grouped.groups, names, wanted.baseline, where)
            else:
                baseline = there.baseline
                _require_protocol(there, splits, wanted, path)
            if there is None:
                _write_file(path, problem, splits, baseline, wanted.margin)
            ledger.freeze(_record(path, problem))
            done = _write(ledger, ArtifactStore(folder / "artifacts"), grouped, problem, names, baseline)
        finally:
            ledger.close()
        _write_scores(path)
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


# ---------------------------------------------------------------------- the campaign file


def _problem(source: Source, wanted: Wanted) -> Imported:
    """What the file says of the source.

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


@dataclass(frozen=True)
class _Known:
    """What a campaign file of an earlier import says."""

    splits: str
    baseline: str
    margin: float


def _known(path: Path, problem: Imported) -> _Known:
    """The campaign file that is there, if it is of the same import.

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
    return _Known(file.protocol.splits, baseline, file.protocol.margin)


def _require_same(ledger: RecordedLedger, problem: Imported, path: Path) -> None:
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


def _require_protocol(there: _Known, splits: str, wanted: Wanted, path: Path) -> None:
    """Refuses runs whose folds ask for another test than those before."""
    if there.splits != splits:
        what = (
            f"runs were judged as {there.splits}, and are now {splits}: they name folds that they did not name before"
        )
        raise ProtocolFrozenError(what, where=path.name, remedy="import under a new name")
    if wanted.baseline is not None and wanted.baseline != there.baseline:
        what = f"the baseline is '{there.baseline}'"
        raise ProtocolFrozenError(what, where=path.name, remedy="leave --baseline out, or import under a new name")


def _record(path: Path, problem: Imported) -> CampaignRecord:
    file = read_campaign_file(path)
    digest = sha256(f"{problem.importer}\n{problem.experiment}".encode()).hexdigest()
    options = json.loads(json.dumps(vars(problem)))
    return CampaignRecord({"kind": KIND, "options": options}, (TASK,), file.protocol.model_dump(), {TASK: digest})


def _kind_of_splits(grouped: Grouped, wanted: Wanted, where: str) -> str:
    """The protocol's kind of splits, which decides the test.

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


def _baseline(groups: Sequence[Group], names: Mapping[str, str], wanted: str | None, where: str) -> str:
    """The experiment that was chosen, that a table marks, or that has the most repeats.

    Raises:
        UnknownNameError: a chosen one that is not there.
        DataError: no run has finished.
    """
    finished = [g for g in groups if any(r.score is not None for r in g.repeats)]
    if wanted is not None:
        if wanted not in names.values():
            raise UnknownNameError.of("experiment", wanted, names.values(), where=where)
        return wanted
    if not finished:
        raise DataError("no run has finished with the metric", where=where, remedy="import again when one has")
    marked = next((g for g in finished if any(r.run.marks.get("baseline") for r in g.repeats)), None)
    most = marked or max(finished, key=_finite_repeats)
    return names[most.identity]


def _finite_repeats(group: Group) -> tuple[bool, int]:
    """Whether all repeats have a score that is finite, and how many do."""
    finite = sum(r.score is not None and math.isfinite(r.score) for r in group.repeats)
    return finite == len(group.repeats), finite


def _names(groups: Sequence[Group], ledger: RecordedLedger) -> dict[str, str]:
    """Identity of a group to its experiment's name: that of an earlier import, or a new one that nobody has."""
    known: dict[str, str] = {}
    for record in ledger.experiments():
        known.setdefault(f"parameters {record.digest}", record.name)
        known.setdefault(f"name {record.name}", record.name)
    taken, found = {record.name for record in ledger.experiments()}, {}
    for group in groups:
        name = known.get(group.identity)
        if name is None:
            name = wanted = clean_name(group.name)
            count = 1
            while name in taken:
                count += 1
                name = f"{wanted} ({count})"
        taken.add(name)
        found[group.identity] = name
    return found


# ---------------------------------------------------------------------- the ledger


def _write(
    ledger: RecordedLedger,
    store: ArtifactStore,
    grouped: Grouped,
    problem: Imported,
    names: Mapping[str, str],
    baseline: str,
) -> tuple[int, int, int]:
    """How many repeats are new, have finished since, and have other scores now."""
    recipes = {names[g.identity]: imported_recipe(g.parameters) for g in grouped.groups}
    recipes |= {r.name: Recipe.model_validate(r.recipe) for r in ledger.experiments()}
    before = {name: {f.key: (f.split, f.seed) for f in fits} for name, fits in ledger.repeats().items()}
    recorded = {score.key: score.score for score in ledger.recorded_scores()}
    nothing = store.write_arrays({"nothing": np.zeros(0)})
    new, finished, changed = 0, 0, 0
    for groups in _batches(grouped.groups):
        splits: dict[str, SplitRecord] = {}
        found = []
        for group in groups:
            name = names[group.identity]
            fits = _fits(group, problem, splits, nothing, before.get(name, {}))
            changed += sum(_differs(recorded.get(f.key), f.score) for f, _ in fits)
            gone = [] if not any(f.status == DONE for f, _ in fits) else _superseded(fits, before.get(name, {}))
            found.append((_experiment(group, names, recipes, baseline), fits, gone))
        placed = _with_curves([pair for _, fits, _ in found for pair in fits], store)
        experiments = [
            RecordedExperiment(record, tuple(placed[f.key] for f, _ in fits), tuple(gone))
            for record, fits, gone in found
        ]
        in_order = sorted(splits.values(), key=lambda s: (s.draw, s.position))
        counts = ledger.write(experiments, [replace(s, position=0) for s in in_order], problem.metric)
        new, finished = new + counts[0], finished + counts[1]
    return new, finished, changed


def _experiment(
    group: Group, names: Mapping[str, str], recipes: Mapping[str, Recipe], baseline: str
) -> ExperimentRecord:
    name = names[group.identity]
    parent = names[group.parent] if group.parent is not None else baseline
    recipe = recipes[name]
    mutation = None
    if parent == name or parent not in recipes:
        parent = None
    else:
        changes = Mutation.between(recipes[parent], recipe).changes
        shown = "; ".join(map(str, changes[:MOST_CHANGES])) or "nothing"
        more = len(changes) - MOST_CHANGES
        mutation = f"{shown}; and {more} more" if more > 0 else shown
    return ExperimentRecord(name, recipe.canonical(), recipe.digest(), parent, mutation, group.hypothesis)


def _fits(
    group: Group,
    problem: Imported,
    splits: dict[str, SplitRecord],
    nothing: str,
    before: Mapping[str, tuple[str, int]],
) -> list[tuple[RecordedFit, Repeat]]:
    """The repeats of a group, each with a seed that no other repeat has on its fold."""
    used = set(before.values())
    found = []
    for repeat in group.repeats:
        key = _key(problem, repeat)
        seed = _seed(repeat.seed)
        split = _split(problem, repeat, seed, nothing)
        splits.setdefault(split.digest, split)
        if key in before:
            number = before[key][1]
        else:
            number = 0 if problem.seeds == "data" or seed is None else seed
            while (split.digest, number) in used:
                number = number + 1 if seed is None else (number + 1) % LARGEST_SEED
            used.add((split.digest, number))
        run = repeat.run
        seconds = None if run.started is None or run.ended is None else max(run.ended - run.started, 0.0)
        status = DONE if repeat.score is not None else FAILED if repeat.error else PLANNED
        fit = RecordedFit(
            key,
            split.digest,
            number,
            status,
            repeat.score,
            seconds,
            error=repeat.error,
            origin=_origin(repeat, group, problem.metric),
        )
        found.append((fit, repeat))
    return found


def _key(problem: Imported, repeat: Repeat) -> str:
    """Names a repeat, whatever the store's address is today."""
    parts = (KIND, problem.importer, problem.experiment, repeat.run.id, repeat.fold, repeat.seed, problem.metric)
    return sha256(json.dumps(parts).encode()).hexdigest()


def _seed(text: str | None) -> int | None:
    """A seed as a number; text, and numbers too large for a ledger, by their hash."""
    if text is None:
        return None
    if text.isdecimal() and text.isascii() and int(text) < LARGEST_SEED:
        return int(text)
    return int(sha256(text.encode()).hexdigest(), 16) % LARGEST_SEED


def _split(problem: Imported, repeat: Repeat, seed: int | None, nothing: str) -> SplitRecord:
    """What a repeat was scored on: its fold, and where seeds drew the data its seed."""
    drawn = problem.seeds == "data"
    fold = WHOLE if repeat.fold is None else f"fold {repeat.fold}"
    seed_name = "no seed" if repeat.seed is None else f"seed {repeat.seed}"
    name = f"{seed_name}, {fold}" if drawn else fold
    parts = (KIND, problem.importer, problem.experiment, repeat.fold, repeat.seed if drawn else None)
    digest = sha256(json.dumps(parts).encode()).hexdigest()
    order = int(repeat.fold) if repeat.fold is not None and repeat.fold.isdecimal() else 0
    beside = 0 if repeat.fold is not None else 1  # what names no fold is no further fold of a cross-validation
    return SplitRecord(digest, TASK, (seed or 0) if drawn else beside, name[:300], nothing, order, 0, 1)


def _origin(repeat: Repeat, group: Group, metric: str) -> dict[str, Any]:
    """What is kept of a run besides its score, as plain values that any database takes."""
    run = repeat.run
    said = {
        "run": run.id, "name": run.tags.get("own name", run.name), "state": run.state, "fold": repeat.fold,
        "seed": repeat.seed, "started": run.started, "ended": run.ended, "parent": group.parent is not None,
        "metrics": {k: v if math.isfinite(v) else str(v) for k, v in run.metrics.items() if k != metric},
        **{k: v for k, v in run.marks.items() if v not in (None, False, [], {})},
    }  # fmt: skip
    return {key: value for key, value in said.items() if value is not None}


def _with_curves(fits: Sequence[tuple[RecordedFit, Repeat]], store: ArtifactStore) -> dict[str, RecordedFit]:
    """Key to repeat, its learning curves stored in one file with those of the others."""
    curved = [(fit, repeat) for fit, repeat in fits if repeat.run.curves]
    placed = {fit.key: fit for fit, _ in fits}
    if not curved:
        return placed
    rows: list[dict[str, np.ndarray]] = [_curves(repeat) for _, repeat in curved]
    names = sorted({name for row in rows for name in row})
    arrays = {}
    for name in names:
        length = max(len(row[name]) for row in rows if name in row)
        table = np.full((len(rows), length), np.nan, dtype=np.float32)
        for i, row in enumerate(rows):
            if name in row:
                with np.errstate(over="ignore"):  # a run that diverged may have recorded anything
                    table[i, : len(row[name])] = row[name]
        arrays[f"{CURVE}{name}"] = table
    artifact = store.write_arrays(arrays)
    for i, (fit, _) in enumerate(curved):
        placed[fit.key] = replace(fit, artifact=artifact, position=i)
    return placed


def _curves(repeat: Repeat) -> dict[str, np.ndarray]:
    """Curves by the names that audit and pictures know, on the steps that one of them has."""
    curves = {AS_CURVE.get(name, name): pair for name, pair in repeat.run.curves.items()}
    steps = np.unique(np.concatenate([steps for steps, _ in curves.values()]))
    found = {"epoch": steps}
    for name, (at, values) in curves.items():
        found[name] = np.full(len(steps), np.nan)
        found[name][np.searchsorted(steps, at)] = values
    return found


def _superseded(fits: Sequence[tuple[RecordedFit, Repeat]], before: Mapping[str, tuple[str, int]]) -> list[str]:
    """Keys that were recorded and that no longer count; those of finished repeats always do."""
    now = {fit.key for fit, _ in fits}
    return [key for key in before if key not in now]


def _differs(before: float | None, now: float | None) -> bool:
    return before is not None and now is not None and math.isfinite(now) and before != now


def _state(repeat: Repeat) -> str:
    if repeat.score is not None:
        return "finished" if math.isfinite(repeat.score) else "diverged"
    if repeat.run.state == "finished":
        return "without the metric"
    return repeat.run.state


def _write_scores(path: Path) -> None:
    """Records what each finished experiment scores, over its folds."""
    from probatum.laboratory import Laboratory

    laboratory = Laboratory(Campaign.open(path))
    done = [r for r in laboratory.campaign.ledger.experiments() if r.status == "done"]
    scores = {r.name: laboratory.score(r.name).score for r in done}
    different = {r.name: scores[r.name] for r in done if r.score != scores[r.name]}
    laboratory.campaign.ledger.close()
    ledger = RecordedLedger.at(state_folder(path) / LEDGER)
    try:
        for some in _batches(list(different)):
            ledger.rescore({name: different[name] for name in some})
    finally:
        ledger.close()


def _batches(values: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]
