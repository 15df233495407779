"""The ledger's statements about fits and jobs: begun, finished, failed, and who works on them."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, null, select, update
from sqlalchemy.dialects import postgresql

from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.drivers import Claims
from probatum.campaigns.ledgers.experiment_rows import recount
from probatum.campaigns.ledgers.ledger import (
    DONE,
    FAILED,
    PLANNED,
    TIMED_OUT,
    FitRecord,
    FitResult,
    SplitRecord,
)
from probatum.campaigns.ledgers.statements import batches, insert_new, now
from probatum.errors import FinishedExperimentError, UnknownNameError

# ---------------------------------------------------------------------- what is known


def fits(db: Connection, experiment: str, role: str | None, claims: Claims | None) -> list[FitRecord]:
    statement = _fit_columns(claims).add_columns(schema.plan.c.role)
    statement = statement.join(schema.plan, schema.plan.c.fit_id == schema.fit.c.id)
    statement = statement.join(schema.experiment, schema.experiment.c.id == schema.plan.c.experiment_id)
    statement = statement.where(schema.experiment.c.name == experiment)
    if role is not None:
        statement = statement.where(schema.plan.c.role == role)
    statement = statement.order_by(schema.split.c.id, schema.fit.c.seed)
    return [_fit_record(row, row.role) for row in db.execute(statement)]


def fit_states(db: Connection, keys: Iterable[str], claims: Claims | None) -> dict[str, FitRecord]:
    found: dict[str, FitRecord] = {}
    for some in batches(sorted(set(keys))):
        for row in db.execute(_fit_columns(claims).where(schema.fit.c.key.in_(some))):
            found[row.key] = _fit_record(row, "")
    return found


def split(db: Connection, digest: str) -> SplitRecord:
    row = db.execute(select(schema.split).where(schema.split.c.digest == digest)).first()
    if row is None:
        raise UnknownNameError(f"unknown split '{digest[:12]}'")
    return SplitRecord(
        row.digest, row.task, row.draw, row.name, row.artifact, row.position, row.train_rows, row.test_rows
    )


def scores(db: Connection, experiment: str) -> list[tuple[str, str, float]]:
    statement = select(schema.fit.c.key, schema.score.c.quantity, schema.score.c.value)
    statement = statement.join(schema.fit, schema.fit.c.id == schema.score.c.fit_id)
    statement = statement.join(schema.plan, schema.plan.c.fit_id == schema.fit.c.id)
    statement = statement.join(schema.experiment, schema.experiment.c.id == schema.plan.c.experiment_id)
    rows = db.execute(statement.where(schema.experiment.c.name == experiment))
    return [(key, quantity, float("nan") if value is None else value) for key, quantity, value in rows]


def manifest(db: Connection, key: str) -> Mapping[str, Any]:
    statement = select(schema.manifest.c.content, schema.split.c.digest, schema.fit.c.seed)
    statement = statement.join(schema.fit, schema.fit.c.manifest_id == schema.manifest.c.id)
    statement = statement.join(schema.split, schema.split.c.id == schema.fit.c.split_id)
    row = db.execute(statement.where(schema.fit.c.key == key)).first()
    if row is None:
        raise UnknownNameError(f"no manifest of fit '{key[:12]}'", remedy="it has not been run")
    return {**row.content, "fit": key, "split": row.digest, "seed": row.seed}


def _fit_columns(claims: Claims | None) -> Select[*tuple[Any, ...]]:
    c, s = schema.fit.c, schema.split.c
    columns = c.key, s.task, s.draw, s.digest, s.name, c.seed, c.status, c.attempts, c.seconds, c.artifact, c.position
    driver = schema.driver.c.name if claims else null()
    statement = select(*columns, c.error, driver.label("driver")).join(schema.split, s.id == c.split_id)
    return _with_claims(statement, claims) if claims else statement


def _with_claims(statement: Select[*tuple[Any, ...]], claims: Claims) -> Select[*tuple[Any, ...]]:
    """The statement about fits, beside each the living other driver that has claimed it, if any."""
    claim, driver = schema.claim, schema.driver
    statement = statement.outerjoin(claim, (claim.c.fit_id == schema.fit.c.id) & (schema.fit.c.status == PLANNED))
    return statement.outerjoin(driver, (driver.c.id == claim.c.driver_id) & claims.of_others)


def _fit_record(row: Any, role: str) -> FitRecord:
    return FitRecord(
        row.key, row.task, row.draw, row.digest, row.name, row.seed, role, row.status, row.attempts, row.seconds,
        row.artifact, row.position, row.error, row.driver,
    )  # fmt: skip


# ---------------------------------------------------------------------- what begins and ends


def start_jobs(
    db: Connection, jobs: Mapping[str, Sequence[str]], conditions: Mapping[str, Any], claims: Claims | None
) -> set[str]:
    """Records the beginning of jobs as the contract says; with claims, in the name of their driver."""
    free: dict[str, int] = {}
    for some in batches(sorted({key for keys in jobs.values() for key in keys})):
        c = schema.fit.c
        statement = select(c.key, c.id).where(c.key.in_(some), c.status == PLANNED)
        if claims:
            statement = _with_claims(statement, claims).where(schema.driver.c.id.is_(None))
        free.update((key, number) for key, number in db.execute(statement))
    counts = {job: sum(key in free for key in keys) for job, keys in jobs.items()}
    begun = [{"id": job, "fits": count, "started_at": now()} for job, count in counts.items() if count]
    if not begun:
        return set()
    db.execute(schema.job.insert(), begun)
    manifest_id = _manifest_id(db, conditions)
    for some in batches([*free.values()]):
        changed = {"attempts": schema.fit.c.attempts + 1, "manifest_id": manifest_id}
        db.execute(update(schema.fit).where(schema.fit.c.id.in_(some)).values(changed))
    if claims:
        insert = postgresql.insert(schema.claim)
        mine = insert.on_conflict_do_update(index_elements=["fit_id"], set_={"driver_id": insert.excluded.driver_id})
        db.execute(mine, [{"fit_id": number, "driver_id": claims.driver} for number in free.values()])
    return set(free)


def _manifest_id(db: Connection, conditions: Mapping[str, Any]) -> int:
    text = json.dumps(conditions, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    db.execute(insert_new(db, schema.manifest), [{"digest": digest, "content": json.loads(text)}])
    return db.execute(select(schema.manifest.c.id).where(schema.manifest.c.digest == digest)).scalar_one()


def finish_jobs(db: Connection, jobs: Mapping[str, Sequence[FitResult]]) -> None:
    """Records the results of jobs as the contract says."""
    given: dict[str, FitResult] = {}
    for results in jobs.values():
        for result in results:
            given.setdefault(result.key, result)
    known: dict[str, tuple[int, str]] = {}
    for some in batches(sorted(given)):
        c = schema.fit.c
        rows = db.execute(select(c.key, c.id, c.status).where(c.key.in_(some), c.status != DONE))
        known.update((key, (number, status)) for key, number, status in rows)
    fresh = [(known[key], result) for key, result in given.items() if key in known]
    if fresh:
        columns = ("seconds", "artifact", "position")
        statement = update(schema.fit).where(schema.fit.c.id == bindparam("fit"))
        values = {c: bindparam(c) for c in columns}
        statement = statement.values(status=DONE, error=None, finished_at=now(), **values)
        db.execute(statement, [{"fit": number, **{c: getattr(r, c) for c in columns}} for (number, _), r in fresh])
        scores = [
            {"fit_id": number, "quantity": quantity, "value": _finite(value), "rows": r.rows}
            for (number, _), r in fresh
            for quantity, value in r.scores.items()
        ]
        if scores:
            db.execute(insert_new(db, schema.score), scores)
    ended = update(schema.job).where(schema.job.c.id == bindparam("job")).values(finished_at=now())
    if jobs:
        db.execute(ended, [{"job": job} for job in jobs])
    _count(db, {number: (status, result.seconds) for (number, status), result in fresh})


def _finite(value: Any) -> Any:
    """SQLite keeps NaN as nothing, and every ledger says the same."""
    return None if value != value else value


def _count(db: Connection, finished: Mapping[int, tuple[str, float]]) -> None:
    """Adds fits to the counters of their experiments.

    Args:
        db: in a writing transaction.
        finished: fit to its status before, and the seconds it took.
    """
    added: dict[int, list[float]] = defaultdict(lambda: [0, 0, 0.0])
    for some in batches([*finished]):
        rows = db.execute(
            select(schema.plan.c.experiment_id, schema.plan.c.fit_id).where(schema.plan.c.fit_id.in_(some))
        )
        for experiment, fit in rows:
            status, seconds = finished[fit]
            sums = added[experiment]
            sums[0] += 1
            sums[1] += status in (FAILED, TIMED_OUT)
            sums[2] += seconds
    if added:
        table = schema.experiment
        counted = table.update().where(table.c.id == bindparam("experiment"))
        counted = counted.values(
            done=table.c.done + bindparam("more"),
            failed=table.c.failed - bindparam("rescued"),
            seconds=table.c.seconds + bindparam("took"),
        )
        rows = [{"experiment": e, "more": m, "rescued": r, "took": t} for e, (m, r, t) in sorted(added.items())]
        db.execute(counted, rows)


def fail_fit(db: Connection, job: str, key: str, status: str, error: str) -> None:
    """Records a failure as the contract says."""
    known = db.execute(select(schema.fit.c.id, schema.fit.c.status).where(schema.fit.c.key == key)).first()
    if known is None:
        raise UnknownNameError(f"unknown fit '{key[:12]}'")
    if known.status == DONE:
        raise FinishedExperimentError(f"fit '{key[:12]}' is finished and cannot fail any more")
    readable = error.replace("\0", "\ufffd")  # PostgreSQL's text takes no NUL
    values = {"status": status, "error": readable, "finished_at": now()}
    db.execute(schema.fit.update().where(schema.fit.c.id == known.id).values(**values))
    db.execute(schema.job.update().where(schema.job.c.id == job).values(finished_at=now()))
    if known.status == PLANNED:
        table = schema.experiment
        planned_by = select(schema.plan.c.experiment_id).where(schema.plan.c.fit_id == known.id)
        db.execute(table.update().where(table.c.id.in_(planned_by)).values(failed=table.c.failed + 1))


def reset_failed(db: Connection) -> int:
    """Plans failed fits again; returns how many."""
    failed = schema.fit.c.status.in_((FAILED, TIMED_OUT))
    ids = list(db.execute(select(schema.fit.c.id).where(failed)).scalars())
    db.execute(schema.fit.update().where(failed).values(status=PLANNED, error=None))
    experiments: set[int] = set()
    for some in batches(ids):
        rows = db.execute(select(schema.plan.c.experiment_id).where(schema.plan.c.fit_id.in_(some)))
        experiments.update(rows.scalars())
    recount(db, sorted(experiments))
    return len(ids)
