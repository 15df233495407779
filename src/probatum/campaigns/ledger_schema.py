"""The tables of the ledger, their version, and the steps from one version to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
    UniqueConstraint,
)

SCHEMA_VERSION = 3
APPLICATION = "probatum"

metadata = MetaData()

meta = Table(
    "probatum_meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False)
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("problem", JSON, nullable=False),
    Column("tasks", JSON, nullable=False),
    Column("protocol", JSON, nullable=False),
    Column("data", JSON, nullable=False),
    Column("frozen_at", String(40), nullable=False),
)

experiment = Table(
    "experiment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("parent", String(200)),
    Column("mutation", Text),
    Column("hypothesis", Text),
    Column("recipe", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("round", Integer, nullable=False),
    Column("fits", Integer, nullable=False, default=0),
    Column("done", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("seconds", Float, nullable=False, default=0.0),
    Column("score", Float),
    Column("added_at", String(40), nullable=False),
)

split = Table(
    "split",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("task", String(100), nullable=False),
    Column("draw", Integer, nullable=False),
    Column("name", String(300), nullable=False),
    Column("artifact", String(80), nullable=False),
    Column("position", Integer, nullable=False),
    Column("train_rows", Integer, nullable=False),
    Column("test_rows", Integer, nullable=False),
)

fit = Table(
    "fit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("split_id", ForeignKey("split.id"), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("status", String(12), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("seconds", Float),
    Column("artifact", String(80)),
    Column("position", Integer),
    Column("error", Text),
    Column("manifest_id", ForeignKey("manifest.id")),
    Column("finished_at", String(40)),
)

plan = Table(
    "plan",
    metadata,
    Column("experiment_id", ForeignKey("experiment.id"), primary_key=True),
    Column("fit_id", ForeignKey("fit.id"), primary_key=True),
    Column("role", String(8), nullable=False),
    Index("plan_by_fit", "fit_id"),
)

score = Table(
    "score",
    metadata,
    Column("fit_id", ForeignKey("fit.id"), primary_key=True),
    Column("quantity", String(100), primary_key=True),
    Column("value", Float),
    Column("rows", Integer, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("fits", Integer, nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("finished_at", String(40)),
)

manifest = Table(
    "manifest",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    UniqueConstraint("digest"),
)

held_out_access = Table(
    "held_out_access",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment", String(200), nullable=False),
    Column("looked_at", String(40), nullable=False),
    Column("score", Float, nullable=False),
)

submission = Table(
    "submission",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment", String(200), nullable=False),
    Column("metric", String(40), nullable=False),
    Column("score", Float, nullable=False),
    Column("submitted_at", String(40), nullable=False),
)

confirmation = Table(
    "confirmation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment", String(200), nullable=False),
    Column("baseline", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("result", JSON, nullable=False),
    Column("confirmed_at", String(40), nullable=False),
    UniqueConstraint("experiment", "baseline", "kind"),
)


planned_round = Table(
    "planned_round",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(10), nullable=False),
    Column("content", JSON, nullable=False),
    Column("written_at", String(40), nullable=False),
)

principle = Table(
    "principle",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(300), nullable=False, unique=True),
    Column("state", String(12), nullable=False),
    Column("held", Boolean, nullable=False),
    Column("content", JSON, nullable=False),
    Column("written_at", String(40), nullable=False),
)


def _add_submissions_and_confirmations(db: Connection) -> None:
    metadata.create_all(db, tables=[submission, confirmation])


def _add_rounds_and_principles(db: Connection) -> None:
    metadata.create_all(db, tables=[planned_round, principle])


MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {
    1: _add_submissions_and_confirmations,
    2: _add_rounds_and_principles,
}
"""Version to the step that leads from it to the next one, inside one transaction."""
