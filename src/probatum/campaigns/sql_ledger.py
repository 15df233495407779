"""A ledger in a relational database by SQLAlchemy: SQLite by default, whatever speaks its dialect by URL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, func, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, IntegrityError

from probatum.campaigns import ledger_schema as schema
from probatum.campaigns.ledger import (
    DONE,
    FAILED,
    PLANNED,
    ROUND_JUDGED,
    TIMED_OUT,
    CampaignRecord,
    Confirmation,
    ExperimentRecord,
    FitRecord,
    FitResult,
    HeldOutAccess,
    Ledger,
    PlannedFit,
    PrincipleRecord,
    RoundRecord,
    SplitRecord,
    Submission,
    Summary,
)
from probatum.errors import FinishedExperimentError, LedgerError, StorageError, UnknownNameError

BATCH = 500
"""Keys in one statement; SQLite allows 32,766 variables, older builds 999."""


class SqlLedger(Ledger):
    """A ledger behind a database URL.

    Args:
        url: 'sqlite:///campaign.probatum/ledger.sqlite'.
        read_only: never create or migrate; for commands that only look.

    Raises:
        LedgerError: what is there is no ledger, is damaged, or was written by a newer program.
    """

    def __init__(self, url: str, *, read_only: bool = False):
        self.url = url
        self._engine = _engine(url)
        try:
            with self._errors():
                self._prepare(read_only)
        except BaseException:
            self._engine.dispose()
            raise

    @classmethod
    def at(cls, path: Path, *, read_only: bool = False) -> SqlLedger:
        """The SQLite ledger in a file."""
        return cls(f"sqlite:///{path}", read_only=read_only)

    # ------------------------------------------------------------------ the campaign

    def freeze(self, campaign: CampaignRecord) -> None:
        with self._transaction() as db:
            if db.execute(select(schema.campaign.c.id)).first() is None:
                values = {"problem": dict(campaign.problem), "tasks": list(campaign.tasks)}
                values |= {"protocol": dict(campaign.protocol), "data": dict(campaign.data), "frozen_at": _now()}
                db.execute(schema.campaign.insert().values(id=1, **values))

    def frozen(self) -> CampaignRecord | None:
        with self._reading() as db:
            row = db.execute(select(schema.campaign)).first()
        return CampaignRecord(row.problem, tuple(row.tasks), row.protocol, row.data) if row else None

    def summary(self) -> Summary:
        frozen = self.frozen()
        table = schema.experiment
        columns = table.c.fits, table.c.done, table.c.failed, table.c.seconds
        with self._reading() as db:
            rows = db.execute(select(*columns)).all()
            looks = db.execute(select(func.count()).select_from(schema.held_out_access)).scalar_one()
        states = {"planned": 0, "running": 0, "done": 0, "failed": 0}
        for fits, done, failed, seconds in rows:
            states[ExperimentRecord("", {}, "", fits=fits, done=done, failed=failed, seconds=seconds).status] += 1
        fits, done, failed, seconds = (sum(column) for column in zip(*rows, strict=True)) if rows else (0, 0, 0, 0.0)
        problem = frozen.problem["kind"] if frozen else ""
        return Summary(problem, frozen.protocol if frozen else {}, states, fits, done, failed, seconds, looks)

    def count_held_out(self, experiment: str, score: float) -> None:
        with self._transaction() as db:
            db.execute(schema.held_out_access.insert().values(experiment=experiment, looked_at=_now(), score=score))

    def held_out_accesses(self) -> list[HeldOutAccess]:
        with self._reading() as db:
            rows = db.execute(select(schema.held_out_access).order_by(schema.held_out_access.c.id)).all()
        return [HeldOutAccess(r.experiment, r.looked_at, r.score) for r in rows]

    def submit(self, experiment: str, metric: str, score: float) -> Submission:
        table = schema.experiment
        submission = Submission(experiment, metric, score, _now())
        with self._transaction() as db:
            if db.execute(select(table.c.id).where(table.c.name == experiment)).first() is None:
                raise UnknownNameError.of("experiment", experiment, db.execute(select(table.c.name)).scalars())
            values = {"metric": metric, "score": score, "submitted_at": submission.when}
            db.execute(schema.submission.insert().values(experiment=experiment, **values))
        return submission

    def submissions(self) -> list[Submission]:
        with self._reading() as db:
            rows = db.execute(select(schema.submission).order_by(schema.submission.c.id)).all()
        return [Submission(r.experiment, r.metric, r.score, r.submitted_at) for r in rows]

    def confirm(self, confirmation: Confirmation, looks: Mapping[str, float]) -> None:
        now = _now()
        named = {k: getattr(confirmation, k) for k in ("experiment", "baseline", "kind")}
        with self._transaction() as db:
            table = schema.confirmation
            known = select(table.c.id).filter_by(**named)
            if db.execute(known).first() is not None:
                what = f"'{confirmation.experiment}' was confirmed before ({confirmation.kind})"
                raise FinishedExperimentError(what, remedy="a champion is confirmed once")
            db.execute(table.insert().values(**named, result=dict(confirmation.result), confirmed_at=now))
            for experiment, score in looks.items():
                db.execute(schema.held_out_access.insert().values(experiment=experiment, looked_at=now, score=score))

    def confirmations(self) -> list[Confirmation]:
        with self._reading() as db:
            rows = db.execute(select(schema.confirmation).order_by(schema.confirmation.c.id)).all()
        return [Confirmation(r.experiment, r.baseline, r.kind, r.result, r.confirmed_at) for r in rows]

    # ------------------------------------------------------------------ planning

    def write_round(self, record: RoundRecord) -> None:
        table = schema.planned_round
        here = table.c.number == record.number
        values = {"state": record.state, "content": dict(record.content), "written_at": _now()}
        with self._transaction() as db:
            known = db.execute(select(table.c.state).where(here)).first()
            if known is not None and known.state == ROUND_JUDGED:
                raise FinishedExperimentError(f"round {record.number} was judged and cannot be changed")
            if known is None:
                db.execute(table.insert().values(number=record.number, **values))
            else:
                db.execute(table.update().where(here).values(**values))

    def rounds(self) -> list[RoundRecord]:
        with self._reading() as db:
            rows = db.execute(select(schema.planned_round).order_by(schema.planned_round.c.number)).all()
        return [RoundRecord(r.number, r.state, r.content, r.written_at) for r in rows]

    def write_principles(self, records: Sequence[PrincipleRecord]) -> None:
        table = schema.principle
        with self._transaction() as db:
            known = set(db.execute(select(table.c.name)).scalars())
            for record in records:
                values = {k: getattr(record, k) for k in ("state", "held")}
                values |= {"content": dict(record.content), "written_at": _now()}
                if record.name in known:
                    db.execute(table.update().where(table.c.name == record.name).values(**values))
                else:
                    db.execute(table.insert().values(name=record.name, **values))
                    known.add(record.name)

    def forget_principle(self, name: str) -> None:
        table = schema.principle
        with self._transaction() as db:
            if not db.execute(table.delete().where(table.c.name == name)).rowcount:
                raise UnknownNameError.of("principle", name, db.execute(select(table.c.name)).scalars())

    def principles(self) -> list[PrincipleRecord]:
        with self._reading() as db:
            rows = db.execute(select(schema.principle).order_by(schema.principle.c.id)).all()
        return [PrincipleRecord(r.name, r.state, r.held, r.content, r.written_at) for r in rows]

    # ------------------------------------------------------------------ experiments

    def add_experiment(
        self, record: ExperimentRecord, fits: Sequence[PlannedFit], splits: Iterable[SplitRecord]
    ) -> None:
        table = schema.experiment
        with self._transaction() as db:
            known = db.execute(select(table).where(table.c.name == record.name)).first()
            values = {"parent": record.parent, "mutation": record.mutation, "hypothesis": record.hypothesis}
            values |= {"recipe": dict(record.recipe), "digest": record.digest}
            if known is None:
                values |= {"name": record.name, "round": record.round, "added_at": _now()}
                experiment = db.execute(table.insert().values(**values)).inserted_primary_key[0]  # type: ignore[index]
            else:
                experiment = known.id
                same_recipe = known.digest == record.digest
                if same_recipe and self._planned_keys(db, experiment) == {f.key for f in fits}:
                    return
                finished = known.done == known.fits
                if known.done and (finished or not same_recipe):
                    what = "another recipe" if not same_recipe else "other code, libraries or splits"
                    remedy = "give the new recipe a new name, with this one as its parent"
                    if same_recipe:
                        remedy = "put them back, give it a new name, or save the file under a new name"
                    raise FinishedExperimentError(f"experiment '{record.name}' was run with {what}", remedy=remedy)
                db.execute(schema.plan.delete().where(schema.plan.c.experiment_id == experiment))
                db.execute(table.update().where(table.c.id == experiment).values(**values))
            self._plan(db, experiment, fits, splits)
            _recount(db, [experiment])

    def _planned_keys(self, db: Connection, experiment: int) -> set[str]:
        keys = select(schema.fit.c.key).join(schema.plan, schema.plan.c.fit_id == schema.fit.c.id)
        return set(db.execute(keys.where(schema.plan.c.experiment_id == experiment)).scalars())

    def _plan(self, db: Connection, experiment: int, fits: Sequence[PlannedFit], splits: Iterable[SplitRecord]) -> None:
        rows = [vars(s) for s in splits]
        if rows:
            db.execute(self._insert_new(schema.split), rows)
        split_ids = _ids(db, schema.split, schema.split.c.digest, {f.split for f in fits})
        planned = [
            {"key": f.key, "split_id": split_ids[f.split], "seed": f.seed, "status": PLANNED, "attempts": 0}
            for f in fits
        ]
        if planned:
            db.execute(self._insert_new(schema.fit), planned)
            fit_ids = _ids(db, schema.fit, schema.fit.c.key, {f.key for f in fits})
            links = [{"experiment_id": experiment, "fit_id": fit_ids[f.key], "role": f.role} for f in fits]
            db.execute(self._insert_new(schema.plan), links)

    def experiments(self, last: int | None = None) -> list[ExperimentRecord]:
        newest = select(schema.experiment).order_by(schema.experiment.c.id.desc()).limit(last)
        with self._reading() as db:
            rows = db.execute(newest).all()[::-1]
        return [
            ExperimentRecord(
                r.name, r.recipe, r.digest, r.parent, r.mutation, r.hypothesis, r.round, r.fits, r.done, r.failed,
                r.seconds, r.score,
            )
            for r in rows
        ]  # fmt: skip

    def last_round(self) -> int:
        with self._reading() as db:
            return db.execute(select(func.max(schema.experiment.c.round))).scalar_one() or 0

    def set_score(self, experiment: str, score: float) -> None:
        table = schema.experiment
        with self._transaction() as db:
            known = db.execute(select(table.c.score).where(table.c.name == experiment)).first()
            if known is None:
                raise UnknownNameError(f"unknown experiment '{experiment}'")
            if known.score is not None and known.score != score:
                raise FinishedExperimentError(f"experiment '{experiment}' already has the score {known.score}")
            db.execute(table.update().where(table.c.name == experiment).values(score=score))

    # ------------------------------------------------------------------ fits and jobs

    def fits(self, experiment: str, role: str | None = None) -> list[FitRecord]:
        statement = _fit_columns().add_columns(schema.plan.c.role)
        statement = statement.join(schema.plan, schema.plan.c.fit_id == schema.fit.c.id)
        statement = statement.join(schema.experiment, schema.experiment.c.id == schema.plan.c.experiment_id)
        statement = statement.where(schema.experiment.c.name == experiment)
        if role is not None:
            statement = statement.where(schema.plan.c.role == role)
        statement = statement.order_by(schema.split.c.id, schema.fit.c.seed)
        with self._reading() as db:
            return [_fit_record(row, row.role) for row in db.execute(statement)]

    def fit_states(self, keys: Iterable[str]) -> dict[str, FitRecord]:
        found: dict[str, FitRecord] = {}
        with self._reading() as db:
            for some in _batches(sorted(set(keys))):
                for row in db.execute(_fit_columns().where(schema.fit.c.key.in_(some))):
                    found[row.key] = _fit_record(row, "")
        return found

    def split(self, digest: str) -> SplitRecord:
        with self._reading() as db:
            row = db.execute(select(schema.split).where(schema.split.c.digest == digest)).first()
        if row is None:
            raise UnknownNameError(f"unknown split '{digest[:12]}'")
        return SplitRecord(
            row.digest, row.task, row.draw, row.name, row.artifact, row.position, row.train_rows, row.test_rows
        )

    def start_job(self, job: str, keys: Sequence[str], manifest: Mapping[str, Any]) -> None:
        text = json.dumps(manifest, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        with self._transaction() as db:
            db.execute(self._insert_new(schema.manifest), [{"digest": digest, "content": json.loads(text)}])
            where = schema.manifest.c.digest == digest
            manifest_id = db.execute(select(schema.manifest.c.id).where(where)).scalar_one()
            db.execute(schema.job.insert().values(id=job, fits=len(keys), started_at=_now()))
            for some in _batches(keys):
                changed = {"attempts": schema.fit.c.attempts + 1, "manifest_id": manifest_id}
                unfinished = schema.fit.c.key.in_(some) & (schema.fit.c.status != DONE)
                db.execute(update(schema.fit).where(unfinished).values(changed))

    def finish_job(self, job: str, results: Sequence[FitResult]) -> None:
        with self._transaction() as db:
            known = _ids(db, schema.fit, schema.fit.c.key, {r.key for r in results}, schema.fit.c.status != DONE)
            fresh = [r for r in results if r.key in known]
            if fresh:
                statement = update(schema.fit).where(schema.fit.c.id == bindparam("fit"))
                columns = ("seconds", "artifact", "position")
                values = {c: bindparam(c) for c in columns}
                statement = statement.values(status=DONE, error=None, finished_at=_now(), **values)
                db.execute(statement, [{"fit": known[r.key], **{c: getattr(r, c) for c in columns}} for r in fresh])
                scores = [
                    {"fit_id": known[r.key], "quantity": quantity, "value": value, "rows": r.rows}
                    for r in fresh
                    for quantity, value in r.scores.items()
                ]
                if scores:
                    db.execute(self._insert_new(schema.score), scores)
            db.execute(schema.job.update().where(schema.job.c.id == job).values(finished_at=_now()))
            _recount(db, _experiments_of(db, list(known.values())))

    def fail_fit(self, job: str, key: str, status: str, error: str) -> None:
        with self._transaction() as db:
            known = db.execute(select(schema.fit.c.id, schema.fit.c.status).where(schema.fit.c.key == key)).first()
            if known is None:
                raise UnknownNameError(f"unknown fit '{key[:12]}'")
            if known.status == DONE:
                raise FinishedExperimentError(f"fit '{key[:12]}' is finished and cannot fail any more")
            values = {"status": status, "error": error, "finished_at": _now()}
            db.execute(schema.fit.update().where(schema.fit.c.id == known.id).values(**values))
            db.execute(schema.job.update().where(schema.job.c.id == job).values(finished_at=_now()))
            _recount(db, _experiments_of(db, [known.id]))

    def reset_failed(self) -> int:
        with self._transaction() as db:
            where = schema.fit.c.status.in_((FAILED, TIMED_OUT))
            ids = list(db.execute(select(schema.fit.c.id).where(where)).scalars())
            db.execute(schema.fit.update().where(where).values(status=PLANNED, error=None))
            _recount(db, _experiments_of(db, ids))
        return len(ids)

    def scores(self, experiment: str) -> list[tuple[str, str, float]]:
        statement = select(schema.fit.c.key, schema.score.c.quantity, schema.score.c.value)
        statement = statement.join(schema.fit, schema.fit.c.id == schema.score.c.fit_id)
        statement = statement.join(schema.plan, schema.plan.c.fit_id == schema.fit.c.id)
        statement = statement.join(schema.experiment, schema.experiment.c.id == schema.plan.c.experiment_id)
        with self._reading() as db:
            return [tuple(row) for row in db.execute(statement.where(schema.experiment.c.name == experiment))]  # type: ignore[misc]

    def manifest(self, key: str) -> Mapping[str, Any]:
        statement = select(schema.manifest.c.content, schema.split.c.digest, schema.fit.c.seed)
        statement = statement.join(schema.fit, schema.fit.c.manifest_id == schema.manifest.c.id)
        statement = statement.join(schema.split, schema.split.c.id == schema.fit.c.split_id)
        with self._reading() as db:
            row = db.execute(statement.where(schema.fit.c.key == key)).first()
        if row is None:
            raise UnknownNameError(f"no manifest of fit '{key[:12]}'", remedy="it has not been run")
        return {**row.content, "fit": key, "split": row.digest, "seed": row.seed}

    def close(self) -> None:
        self._engine.dispose()

    # ------------------------------------------------------------------ the database

    def _prepare(self, read_only: bool) -> None:
        with self._engine.connect() as db:
            tables = inspect(db).get_table_names()
        if schema.meta.name not in tables:
            if tables:
                raise LedgerError(
                    f"is a database of something else (tables: {', '.join(tables[:3])})",
                    where=self._place,
                    remedy="name the campaign otherwise, or move the file away",
                )
            if read_only:
                raise LedgerError("holds no campaign yet", where=self._place, remedy="'probatum run' starts it")
            with self._transaction() as db:
                schema.metadata.create_all(db)
                rows = {"application": schema.APPLICATION, "schema": str(schema.SCHEMA_VERSION), "created_at": _now()}
                db.execute(schema.meta.insert(), [{"key": k, "value": v} for k, v in rows.items()])
            return
        with self._engine.connect() as db:
            where = schema.meta.c.key == "schema"
            found = int(db.execute(select(schema.meta.c.value).where(where)).scalar_one_or_none() or -1)
        if found > schema.SCHEMA_VERSION:
            raise LedgerError(
                f"was written by a newer Probatum (schema {found}, this one knows {schema.SCHEMA_VERSION})",
                where=self._place,
                remedy="upgrade: pip install --upgrade probatum",
            )
        if found < schema.SCHEMA_VERSION and read_only:
            raise LedgerError(
                f"was written by an older Probatum (schema {found}, this one has {schema.SCHEMA_VERSION})",
                where=self._place,
                remedy="'probatum run' brings it up to date",
            )
        for version in range(found, schema.SCHEMA_VERSION):
            with self._transaction() as db:
                now = int(db.execute(select(schema.meta.c.value).where(where)).scalar_one())
                if now == version:  # else another process took this step in between
                    schema.MIGRATIONS[version](db)
                    db.execute(schema.meta.update().where(where).values(value=str(version + 1)))

    @property
    def _place(self) -> str:
        return self.url.removeprefix("sqlite:///")

    def _insert_new(self, table):
        """An insert that leaves rows alone that are already there."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(table).on_conflict_do_nothing()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._errors(), self._engine.connect().execution_options(writes=True) as db, db.begin():
            yield db

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._errors(), self._engine.connect() as db:
            yield db

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise  # ours, not the file's
        except DatabaseError as error:
            text = str(error.orig)
            if "full" in text or "disk I/O" in text:
                raise StorageError(
                    f"cannot be written ({text}): the disk is full",
                    where=self._place,
                    remedy="free space and run again; what is recorded is kept",
                ) from error
            if "readonly" in text or "unable to open" in text:
                raise StorageError(
                    f"cannot be written ({text})", where=self._place, remedy="make the folder writable"
                ) from error
            if "locked" in text:
                raise LedgerError(
                    "is in use by another process", where=self._place, remedy="wait for it, or stop it"
                ) from error
            raise LedgerError(
                f"cannot be read as a ledger ({text})",
                where=self._place,
                remedy="restore it from a copy, or move it away and run again",
            ) from error


def _engine(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _pragmas(connection, _record):
            connection.isolation_level = None  # sqlite3's own transactions leave out tables made and rows read
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=NORMAL")  # WAL survives a killed process; only lost power loses commits
            cursor.execute("PRAGMA busy_timeout=10000")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.close()

        @event.listens_for(engine, "begin")
        def _begin(connection):
            writes = connection.get_execution_options().get("writes", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _fit_columns():
    c, s = schema.fit.c, schema.split.c
    columns = c.key, s.task, s.draw, s.digest, s.name, c.seed, c.status, c.attempts, c.seconds, c.artifact, c.position
    return select(*columns, c.error).join(schema.split, s.id == c.split_id)


def _fit_record(row: Any, role: str) -> FitRecord:
    return FitRecord(
        row.key, row.task, row.draw, row.digest, row.name, row.seed, role, row.status, row.attempts, row.seconds,
        row.artifact, row.position, row.error,
    )  # fmt: skip


def _ids(db: Connection, table, column, values: set[str], condition: Any = True) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in _batches(sorted(values)):
        found.update(tuple(row) for row in db.execute(select(column, table.c.id).where(column.in_(some), condition)))  # type: ignore[misc]
    return found


def _experiments_of(db: Connection, fits: Sequence[int]) -> list[int]:
    found: set[int] = set()
    for some in _batches(fits):
        found.update(db.execute(select(schema.plan.c.experiment_id).where(schema.plan.c.fit_id.in_(some))).scalars())
    return sorted(found)


def _recount(db: Connection, experiments: Sequence[int]) -> None:
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


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
