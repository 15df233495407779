"""Foreign runs as rows of a ledger: fits, splits, learning curves, and what an experiment scores over its folds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from probatum.campaigns.artifact_arrays import CURVE
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.ledgers.files import LEDGER, state_folder
from probatum.campaigns.ledgers.ledger import DONE, FAILED, PLANNED, SplitRecord
from probatum.campaigns.ledgers.recorded_ledger import RecordedExperiment, RecordedFit, RecordedLedger
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.recorded_campaign import KIND, imported_recipe
from probatum.interop.foreign_run import AS_CURVE
from probatum.interop.grouping import Group, Grouped, Repeat
from probatum.interop.imported_experiments import record_of
from probatum.problems.imported import TASK, Imported

Item = TypeVar("Item")
BATCH = 500
"""Experiments that are recorded in one transaction."""
LARGEST_SEED = 2**31
WHOLE = "all that it was scored on"
"""Name of the only split of runs that name no fold."""


def record_runs(
    ledger: RecordedLedger,
    store: ArtifactStore,
    grouped: Grouped,
    problem: Imported,
    names: Mapping[str, str],
    baseline: str,
) -> tuple[int, int, int]:
    """Records what was not recorded before, a batch of experiments in one transaction.

    Args:
        ledger: to write.
        store: of the campaign, for learning curves.
        grouped: the runs.
        problem: what was taken for what.
        names: identity of a group to its experiment's name.
        baseline: name.

    Returns:
        How many repeats are new, have finished since, and have other scores now.

    Raises:
        LedgerError, StorageError: something cannot be written.
    """
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
            found.append((record_of(group, names, recipes, baseline), fits, gone))
        placed = _with_curves([pair for _, fits, _ in found for pair in fits], store)
        experiments = [
            RecordedExperiment(record, tuple(placed[f.key] for f, _ in fits), tuple(gone))
            for record, fits, gone in found
        ]
        in_order = sorted(splits.values(), key=lambda s: (s.draw, s.position))
        counts = ledger.write(experiments, [replace(s, position=0) for s in in_order], problem.metric)
        new, finished = new + counts[0], finished + counts[1]
    return new, finished, changed


def record_scores(path: Path) -> None:
    """Records what each finished experiment scores, over its folds.

    Args:
        path: of the campaign file.

    Raises:
        LedgerError, StorageError: something cannot be read or written.
    """
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


def _batches(values: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]
