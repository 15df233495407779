"""The tables of the ledger, their version, and the steps from one version to the next."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

SCHEMA_VERSION = 4
APPLICATION = "probatum"

metadata = MetaData()


class JsonText(TypeDecorator[Any]):
    """Plain values as text. PostgreSQL's own JSON refuses NaN, infinity and the character NUL, which SQLite takes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        return json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        return None if value is None else json.loads(value)


def _words(length: int) -> String:
    """Text of about this length. SQLite does not hold it to that, so PostgreSQL must not either."""
    return String(length).with_variant(Text(), "postgresql")


VALUES = JSON().with_variant(JsonText(), "postgresql")

meta = Table(
    "probatum_meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False)
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("problem", VALUES, nullable=False),
    Column("tasks", VALUES, nullable=False),
    Column("protocol", VALUES, nullable=False),
    Column("data", VALUES, nullable=False),
    Column("frozen_at", _words(40), nullable=False),
)

experiment = Table(
    "experiment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", _words(200), nullable=False, unique=True),
    Column("parent", _words(200)),
    Column("mutation", Text),
    Column("hypothesis", Text),
    Column("recipe", VALUES, nullable=False),
    Column("digest", _words(64), nullable=False),
    Column("round", Integer, nullable=False),
    Column("fits", Integer, nullable=False, default=0),
    Column("done", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("seconds", Float, nullable=False, default=0.0),
    Column("score", Float),
    Column("added_at", _words(40), nullable=False),
)

split = Table(
    "split",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", _words(64), nullable=False, unique=True),
    Column("task", _words(100), nullable=False),
    Column("draw", Integer, nullable=False),
    Column("name", _words(300), nullable=False),
    Column("artifact", _words(80), nullable=False),
    Column("position", Integer, nullable=False),
    Column("train_rows", Integer, nullable=False),
    Column("test_rows", Integer, nullable=False),
)

fit = Table(
    "fit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", _words(64), nullable=False, unique=True),
    Column("split_id", ForeignKey("split.id"), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("status", _words(12), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("seconds", Float),
    Column("artifact", _words(80)),
    Column("position", Integer),
    Column("error", Text),
    Column("manifest_id", ForeignKey("manifest.id")),
    Column("finished_at", _words(40)),
)

plan = Table(
    "plan",
    metadata,
    Column("experiment_id", ForeignKey("experiment.id"), primary_key=True),
    Column("fit_id", ForeignKey("fit.id"), primary_key=True),
    Column("role", _words(8), nullable=False),
    Index("plan_by_fit", "fit_id"),
)

score = Table(
    "score",
    metadata,
    Column("fit_id", ForeignKey("fit.id"), primary_key=True),
    Column("quantity", _words(100), primary_key=True),
    Column("value", Float),
    Column("rows", Integer, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("id", _words(40), primary_key=True),
    Column("fits", Integer, nullable=False),
    Column("started_at", _words(40), nullable=False),
    Column("finished_at", _words(40)),
)

manifest = Table(
    "manifest",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", _words(64), nullable=False),
    Column("content", VALUES, nullable=False),
    UniqueConstraint("digest"),
)

held_out_access = Table(
    "held_out_access",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment", _words(200), nullable=False),
    Column("looked_at", _words(40), nullable=False),
    Column("score", Float, nullable=False),
)

submission = Table(
    "submission",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment", _words(200), nullable=False),
    Column("metric", _words(40), nullable=False),
    Column("score", Float, nullable=False),
    Column("submitted_at", _words(40), nullable=False),
)

confirmation = Table(
    "confirmation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment", _words(200), nullable=False),
    Column("baseline", _words(200), nullable=False),
    Column("kind", _words(20), nullable=False),
    Column("result", VALUES, nullable=False),
    Column("confirmed_at", _words(40), nullable=False),
    UniqueConstraint("experiment", "baseline", "kind"),
)


planned_round = Table(
    "planned_round",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", _words(10), nullable=False),
    Column("content", VALUES, nullable=False),
    Column("written_at", _words(40), nullable=False),
)

principle = Table(
    "principle",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", _words(300), nullable=False, unique=True),
    Column("state", _words(12), nullable=False),
    Column("held", Boolean, nullable=False),
    Column("content", VALUES, nullable=False),
    Column("written_at", _words(40), nullable=False),
)

driver = Table(
    "driver",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", _words(200), nullable=False),
    Column("joined_at", _words(40), nullable=False),
    Column("lease", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)
"""Processes that work on the campaign. `expires_at` is on the server's clock; 0 of one that has left."""

claim = Table(
    "claim",
    metadata,
    Column("fit_id", ForeignKey("fit.id"), primary_key=True, autoincrement=False),
    Column("driver_id", ForeignKey("driver.id"), nullable=False),
)
"""Which driver began a fit last. It holds while the fit is planned and the driver lives."""

writer = Table(
    "writer",
    metadata,
    Column("id", _words(32), primary_key=True),
    Column("last", Integer, nullable=False),
)
"""The last change of each open connection, written with it: whether a lost one was recorded can be asked afterwards."""


def _add_submissions_and_confirmations(db: Connection) -> None:
    metadata.create_all(db, tables=[submission, confirmation])


def _add_rounds_and_principles(db: Connection) -> None:
    metadata.create_all(db, tables=[planned_round, principle])


def _add_drivers(db: Connection) -> None:
    metadata.create_all(db, tables=[driver, claim, writer])


MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {
    1: _add_submissions_and_confirmations,
    2: _add_rounds_and_principles,
    3: _add_drivers,
}
"""Version to the step that leads from it to the next one, inside one transaction."""
