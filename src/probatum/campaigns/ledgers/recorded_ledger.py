"""The ledger of imported runs: written by whole batches, and grown when a later import finds more repeats.

A finished experiment of a campaign of one's own cannot change. One of another program's can go on growing there, so
this ledger takes more repeats of it, and never changes a repeat that is finished.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select

from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.ledger import (
    DONE,
    FAILED,
    PLANNED,
    SCORED,
    TIMED_OUT,
    ExperimentRecord,
    FitRecord,
    SplitRecord,
)
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.campaigns.ledgers.statements import batches, ids_of, insert_new, now

SETTLED = (DONE, FAILED, TIMED_OUT)


@dataclass(frozen=True)
class RecordedFit:
    """One repeat of an experiment that another program ran.

    Attributes:
        key: unique, made of the run's identity there.
        split: digest of what it was scored on.
        seed: of the repeat.
        status: PLANNED while it runs, DONE, or FAILED.
        score: the metric, NaN where it is not finite; None where there is none.
        seconds: it took; None where nobody says.
        artifact, position: where its learning curves lie; None where it has none.
        error: why it has no score.
        origin: what the other program says of it, plain values.
    """

    key: str
    split: str
    seed: int
    status: str
    score: float | None = None
    seconds: float | None = None
    artifact: str | None = None
    position: int | None = None
    error: str | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedExperiment:
    """An experiment with its repeats; `superseded` are keys of failed ones that were repeated with success."""

    record: ExperimentRecord
    fits: tuple[RecordedFit, ...]
    superseded: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordedScore:
    """One finished repeat.

    Attributes:
        experiment: name.
        key, split, seed: of the repeat.
        score: NaN where it is not finite.
    """

    experiment: str
    key: str
    split: str
    seed: int
    score: float


class RecordedLedger(SqlLedger):
    """A ledger of imported runs."""

    def write(
        self, experiments: Sequence[RecordedExperiment], splits: Sequence[SplitRecord], quantity: str
    ) -> tuple[int, int]:
        """Records experiments and repeats that are new, and those that have finished since, in one transaction.

        Args:
            experiments: in order.
            splits: that their repeats name.
            quantity: name of the score.

        Returns:
            How many repeats are new, and how many have finished or failed since they were recorded.
        """
        return self._write(lambda db: _write(db, experiments, splits, quantity))

    def rescore(self, scores: Mapping[str, float]) -> None:
        """Records what experiments score now, in the place of what they scored with fewer repeats.

        Args:
            scores: experiment to its score; those that are not finite are left out.
        """
        table = schema.experiment
        statement = table.update().where(table.c.name == bindparam("experiment")).values(score=bindparam("value"))
        rows = [{"experiment": name, "value": value} for name, value in scores.items() if math.isfinite(value)]
        if rows:
            self._write(lambda db: db.execute(statement, rows))

    def recorded_scores(self) -> list[RecordedScore]:
        """Every finished repeat, experiment by experiment, in one pass."""
        c, f, s = schema.experiment.c, schema.fit.c, schema.split.c
        statement = select(c.name, f.key, s.digest, f.seed, schema.score.c.value)
        statement = statement.join(schema.plan, schema.plan.c.experiment_id == c.id)
        statement = statement.join(schema.fit, f.id == schema.plan.c.fit_id).join(schema.split, s.id == f.split_id)
        statement = statement.join(schema.score, schema.score.c.fit_id == f.id).where(f.status == DONE)
        rows = self._read(lambda db: db.execute(statement.order_by(c.id, s.id, f.seed, f.id)).all())
        return [
            RecordedScore(name, key, split, seed, float("nan") if value is None else value)
            for name, key, split, seed, value in rows
        ]

    def repeats(self) -> dict[str, list[FitRecord]]:
        """Experiment to its repeats, finished or not, in one pass."""
        c, f, s = schema.experiment.c, schema.fit.c, schema.split.c
        columns = (f.key, s.task, s.draw, s.digest, s.name, f.seed, f.status, f.attempts, f.seconds, f.artifact)
        statement = select(c.name.label("experiment"), *columns, f.position, f.error)
        statement = statement.join(schema.plan, schema.plan.c.experiment_id == c.id)
        statement = statement.join(schema.fit, f.id == schema.plan.c.fit_id).join(schema.split, s.id == f.split_id)
        found: dict[str, list[FitRecord]] = {}
        for row in self._read(lambda db: db.execute(statement.order_by(c.id, s.id, f.seed)).all()):
            record = FitRecord(
                row.key, row.task, row.draw, row.digest, row.name, row.seed, SCORED, row.status, row.attempts,
                row.seconds, row.artifact, row.position, row.error,
            )  # fmt: skip
            found.setdefault(row.experiment, []).append(record)
        return found

    def origins(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        """(experiment, key, what the other program says) of every repeat, in one pass."""
        c, f, m = schema.experiment.c, schema.fit.c, schema.manifest.c
        statement = select(c.name, f.key, m.content).join(schema.plan, schema.plan.c.experiment_id == c.id)
        statement = statement.join(schema.fit, f.id == schema.plan.c.fit_id)
        statement = statement.join(schema.manifest, m.id == f.manifest_id)
        rows = self._read(lambda db: db.execute(statement.order_by(c.id, f.id)).all())
        return [(name, key, content["imported"]) for name, key, content in rows]

    def splits(self) -> list[SplitRecord]:
        """What repeats were scored on, in the order in which it was first met."""
        rows = self._read(lambda db: db.execute(select(schema.split).order_by(schema.split.c.id)).all())
        return [
            SplitRecord(r.digest, r.task, r.draw, r.name, r.artifact, r.position, r.train_rows, r.test_rows)
            for r in rows
        ]


def _write(
    db: Connection, experiments: Sequence[RecordedExperiment], splits: Sequence[SplitRecord], quantity: str
) -> tuple[int, int]:
    """How many repeats are new, and how many have ended since."""
    fits = {fit.key: fit for one in experiments for fit in one.fits}
    if splits:
        db.execute(insert_new(db, schema.split), [vars(split) for split in splits])
    ids = _add_experiments(db, [one.record for one in experiments])
    states = _states(db, fits)
    ended = [fits[key] for key, status in states.items() if status == PLANNED and fits[key].status in SETTLED]
    new = [fit for key, fit in fits.items() if key not in states]
    _add_fits(db, new)
    fit_ids = ids_of(db, schema.fit, schema.fit.c.key, set(fits))
    for fit in ended:
        db.execute(schema.fit.update().where(schema.fit.c.id == fit_ids[fit.key]).values(**_fit_values(fit)))
    scores = [
        {"fit_id": fit_ids[fit.key], "quantity": quantity, "value": _or_null(fit.score), "rows": 1}
        for fit in (*new, *ended)
        if fit.status == DONE
    ]
    if scores:
        db.execute(insert_new(db, schema.score), scores)
    links = [
        {"experiment_id": ids[one.record.name], "fit_id": fit_ids[fit.key], "role": SCORED}
        for one in experiments
        for fit in one.fits
    ]
    if links:
        db.execute(insert_new(db, schema.plan), links)
    _forget(db, {key for one in experiments for key in one.superseded})
    _recount_all(db, list(ids.values()))
    return len(new), len(ended)


def _or_null(score: float | None) -> float | None:
    """A score as databases keep it: they have no NaN."""
    return None if score is None or math.isnan(score) else score


def _add_experiments(db: Connection, records: Sequence[ExperimentRecord]) -> dict[str, int]:
    """Name to id; those that are there stay as they are."""
    table = schema.experiment
    rows = [
        {
            "name": r.name, "parent": r.parent, "mutation": r.mutation, "hypothesis": r.hypothesis,
            "recipe": dict(r.recipe), "digest": r.digest, "round": r.round, "added_at": now(),
        }
        for r in records
    ]  # fmt: skip
    if rows:
        db.execute(insert_new(db, table), rows)
    return ids_of(db, table, table.c.name, {r.name for r in records})


def _add_fits(db: Connection, fits: Sequence[RecordedFit]) -> None:
    if not fits:
        return
    manifests = {}
    for fit in fits:
        content = {"imported": dict(fit.origin)}
        digest = sha256(json.dumps([fit.key, content], sort_keys=True).encode()).hexdigest()
        manifests[fit.key] = {"digest": digest, "content": content}
    db.execute(insert_new(db, schema.manifest), list(manifests.values()))
    known = ids_of(db, schema.manifest, schema.manifest.c.digest, {m["digest"] for m in manifests.values()})
    split_ids = ids_of(db, schema.split, schema.split.c.digest, {fit.split for fit in fits})
    rows = [
        {
            "key": fit.key, "split_id": split_ids[fit.split], "seed": fit.seed, "attempts": 1,
            "manifest_id": known[manifests[fit.key]["digest"]], **_fit_values(fit),
        }
        for fit in fits
    ]  # fmt: skip
    db.execute(schema.fit.insert(), rows)


def _fit_values(fit: RecordedFit) -> dict[str, Any]:
    values = {key: getattr(fit, key) for key in ("status", "seconds", "artifact", "position", "error")}
    return values | {"finished_at": now() if fit.status in SETTLED else None}


def _states(db: Connection, keys: Iterable[str]) -> dict[str, str]:
    """Key to status of the repeats that are recorded."""
    found: dict[str, str] = {}
    for some in batches(sorted(keys)):
        rows = db.execute(select(schema.fit.c.key, schema.fit.c.status).where(schema.fit.c.key.in_(some)))
        found |= {row.key: row.status for row in rows}
    return found


def _forget(db: Connection, keys: set[str]) -> None:
    """Failed repeats that were repeated with success no longer count; their rows stay."""
    ids = list(ids_of(db, schema.fit, schema.fit.c.key, keys, schema.fit.c.status != DONE).values())
    for some in batches(ids):
        db.execute(schema.plan.delete().where(schema.plan.c.fit_id.in_(some)))


def _recount_all(db: Connection, experiments: Sequence[int]) -> None:
    """Counters and scores of many experiments in a few statements; the score is the mean over all that is finished."""
    table, fit, plan = schema.experiment, schema.fit, schema.plan
    failed = fit.c.status.in_((FAILED, TIMED_OUT))
    counted = select(
        plan.c.experiment_id,
        func.count().label("fits"),
        func.sum(case((fit.c.status == DONE, 1), else_=0)).label("done"),
        func.sum(case((failed, 1), else_=0)).label("failed"),
        func.coalesce(func.sum(fit.c.seconds), 0.0).label("seconds"),
    ).join(fit, fit.c.id == plan.c.fit_id)
    for some in batches(experiments):
        for row in db.execute(counted.where(plan.c.experiment_id.in_(some)).group_by(plan.c.experiment_id)).all():
            values = {key: getattr(row, key) for key in ("fits", "done", "failed", "seconds")}
            db.execute(table.update().where(table.c.id == row.experiment_id).values(**values))
