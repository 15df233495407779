"""The ledger's statements about the campaign and its experiments: frozen once, planned, counted, scored."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection, func, select

from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.ledger import (
    DONE,
    FAILED,
    PLANNED,
    TIMED_OUT,
    CampaignRecord,
    ExperimentRecord,
    PlannedFit,
    SplitRecord,
    Summary,
)
from probatum.campaigns.ledgers.statements import ids_of, insert_new, now
from probatum.errors import CampaignLockedError, FinishedExperimentError, UnknownNameError

# ---------------------------------------------------------------------- the campaign


def freeze(db: Connection, campaign: CampaignRecord) -> None:
    if db.execute(select(schema.campaign.c.id)).first() is None:
        values = {"problem": dict(campaign.problem), "tasks": list(campaign.tasks)}
        values |= {"protocol": dict(campaign.protocol), "data": dict(campaign.data), "frozen_at": now()}
        db.execute(schema.campaign.insert().values(id=1, **values))


def frozen(db: Connection) -> CampaignRecord | None:
    row = db.execute(select(schema.campaign)).first()
    return CampaignRecord(row.problem, tuple(row.tasks), row.protocol, row.data) if row else None


def summary(db: Connection) -> Summary:
    known, table = frozen(db), schema.experiment
    rows = db.execute(select(table.c.fits, table.c.done, table.c.failed, table.c.seconds)).all()
    looks = db.execute(select(func.count()).select_from(schema.held_out_access)).scalar_one()
    states = {"planned": 0, "running": 0, "done": 0, "failed": 0}
    for fits, done, failed, seconds in rows:
        states[ExperimentRecord("", {}, "", fits=fits, done=done, failed=failed, seconds=seconds).status] += 1
    fits, done, failed, seconds = (sum(column) for column in zip(*rows, strict=True)) if rows else (0, 0, 0, 0.0)
    problem = known.problem["kind"] if known else ""
    return Summary(problem, known.protocol if known else {}, states, fits, done, failed, seconds, looks)


# ---------------------------------------------------------------------- experiments


def add_experiment(
    db: Connection,
    record: ExperimentRecord,
    fits: Sequence[PlannedFit],
    splits: Iterable[SplitRecord],
    others: Callable[[Connection], list[str]],
) -> None:
    """Records an experiment as the contract says.

    Args:
        db: in a writing transaction.
        record, fits, splits: of the experiment.
        others: names other drivers that live; asked only where what one of them works on would be planned anew.
    """
    table = schema.experiment
    known = db.execute(select(table).where(table.c.name == record.name)).first()
    values = {"parent": record.parent, "mutation": record.mutation, "hypothesis": record.hypothesis}
    values |= {"recipe": dict(record.recipe), "digest": record.digest}
    if known is None:
        values |= {"name": record.name, "round": record.round, "added_at": now()}
        experiment = db.execute(table.insert().values(**values)).inserted_primary_key[0]  # type: ignore[index]
    else:
        experiment = known.id
        same_recipe = known.digest == record.digest
        if same_recipe and _planned_keys(db, experiment) == {f.key for f in fits}:
            return
        what = "another recipe" if not same_recipe else "other code, libraries or splits"
        if known.done and (known.done == known.fits or not same_recipe):
            remedy = "give the new recipe a new name, with this one as its parent"
            if same_recipe:
                remedy = "put them back, give it a new name, or save the file under a new name"
            raise FinishedExperimentError(f"experiment '{record.name}' was run with {what}", remedy=remedy)
        if at_work := others(db):
            remedy = "let all drivers have the same file, code and libraries, or wait until the others have ended"
            raise CampaignLockedError(
                f"experiment '{record.name}' was planned with {what}, and others are at work ({', '.join(at_work)})",
                remedy=remedy,
            )
        db.execute(schema.plan.delete().where(schema.plan.c.experiment_id == experiment))
        db.execute(table.update().where(table.c.id == experiment).values(**values))
    _plan(db, experiment, fits, splits)
    recount(db, [experiment])


def _planned_keys(db: Connection, experiment: int) -> set[str]:
    keys = select(schema.fit.c.key).join(schema.plan, schema.plan.c.fit_id == schema.fit.c.id)
    return set(db.execute(keys.where(schema.plan.c.experiment_id == experiment)).scalars())


def _plan(db: Connection, experiment: int, fits: Sequence[PlannedFit], splits: Iterable[SplitRecord]) -> None:
    rows = [vars(s) for s in splits]
    if rows:
        db.execute(insert_new(db, schema.split), rows)
    split_ids = ids_of(db, schema.split, schema.split.c.digest, {f.split for f in fits})
    planned = [
        {"key": f.key, "split_id": split_ids[f.split], "seed": f.seed, "status": PLANNED, "attempts": 0} for f in fits
    ]
    if planned:
        db.execute(insert_new(db, schema.fit), planned)
        fit_ids = ids_of(db, schema.fit, schema.fit.c.key, {f.key for f in fits})
        links = [{"experiment_id": experiment, "fit_id": fit_ids[f.key], "role": f.role} for f in fits]
        db.execute(insert_new(db, schema.plan), links)


def experiments(db: Connection, last: int | None = None) -> list[ExperimentRecord]:
    newest = select(schema.experiment).order_by(schema.experiment.c.id.desc()).limit(last)
    return [
        ExperimentRecord(
            r.name, r.recipe, r.digest, r.parent, r.mutation, r.hypothesis, r.round, r.fits, r.done, r.failed,
            r.seconds, r.score,
        )
        for r in db.execute(newest).all()[::-1]
    ]  # fmt: skip


def last_round(db: Connection) -> int:
    return db.execute(select(func.max(schema.experiment.c.round))).scalar_one() or 0


def set_score(db: Connection, experiment: str, score: float) -> None:
    table = schema.experiment
    known = db.execute(select(table.c.score).where(table.c.name == experiment)).first()
    if known is None:
        raise UnknownNameError(f"unknown experiment '{experiment}'")
    if known.score is None:
        db.execute(table.update().where(table.c.name == experiment).values(score=score))
    elif not math.isclose(known.score, score, rel_tol=1e-12):  # another machine may sum up in another order
        raise FinishedExperimentError(f"experiment '{experiment}' already has the score {known.score}")


def recount(db: Connection, experiments: Sequence[int]) -> None:
    """Brings the counters of these experiments up to date, so that a summary need not count fits."""
    table = schema.experiment
    for experiment in experiments:
        done = func.count().filter(schema.fit.c.status == DONE)
        failed = func.count().filter(schema.fit.c.status.in_((FAILED, TIMED_OUT)))
        counted = select(func.count(), done, failed, func.coalesce(func.sum(schema.fit.c.seconds), 0.0))
        counted = counted.join(schema.plan, schema.plan.c.fit_id == schema.fit.c.id)
        row = db.execute(counted.where(schema.plan.c.experiment_id == experiment)).one()
        values = dict(zip(("fits", "done", "failed", "seconds"), row, strict=True))
        db.execute(table.update().where(table.c.id == experiment).values(**values))
