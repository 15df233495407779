"""A ledger in a relational database by SQLAlchemy: SQLite in a file, or PostgreSQL for several drivers at once.

The statements stand in `experiment_rows`, `fit_rows`, `judgement_rows` and `plan_rows`, and are the same
for both. Where they differ, in connections, transactions and errors, `sqlite_database` and `postgresql_database` do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection

from probatum.campaigns.ledgers import experiment_rows, fit_rows, judgement_rows, plan_rows
from probatum.campaigns.ledgers.address import LedgerAddress
from probatum.campaigns.ledgers.database import Database, Result, SharedDatabase, prepare
from probatum.campaigns.ledgers.drivers import Claims, Driver
from probatum.campaigns.ledgers.ledger import (
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
from probatum.campaigns.ledgers.sqlite_database import SqliteDatabase


class SqlLedger(Ledger):
    """A ledger behind a database URL.

    Args:
        url: 'sqlite:///campaign.probatum/ledger.sqlite' or 'postgresql+psycopg://user@host/database?campaign=NAME'.
        read_only: never create or migrate; for commands that only look.

    Raises:
        LedgerError: what is there is no ledger, is damaged, cannot be reached, or was written by a newer program.
    """

    def __init__(self, url: str | LedgerAddress, *, read_only: bool = False):
        self._database = database_of(url)
        self._driver: Driver | None = None
        self._joining = threading.Lock()
        try:
            prepare(self._database, read_only=read_only)
        except BaseException:
            self._database.close()
            raise

    @classmethod
    def at(cls, path: Path, *, read_only: bool = False) -> Self:
        """The SQLite ledger in a file."""
        return cls(f"sqlite:///{path}", read_only=read_only)

    @property
    def place(self) -> str:
        return self._database.place

    @property
    def several_drivers(self) -> bool:
        return isinstance(self._database, SharedDatabase)

    # ------------------------------------------------------------------ the campaign

    def freeze(self, campaign: CampaignRecord) -> None:
        self._write(lambda db: experiment_rows.freeze(db, campaign))

    def frozen(self) -> CampaignRecord | None:
        return self._read(experiment_rows.frozen)

    def summary(self) -> Summary:
        return self._read(experiment_rows.summary)

    def drivers(self) -> list[str]:
        claims = self._claims()
        return self._read(claims.others) if claims else []

    # ------------------------------------------------------------------ what judges it from outside

    def count_held_out(self, experiment: str, score: float) -> None:
        self._write(lambda db: judgement_rows.count_held_out(db, experiment, score))

    def held_out_accesses(self) -> list[HeldOutAccess]:
        return self._read(judgement_rows.held_out_accesses)

    def submit(self, experiment: str, metric: str, score: float) -> Submission:
        return self._write(lambda db: judgement_rows.submit(db, experiment, metric, score))

    def submissions(self) -> list[Submission]:
        return self._read(judgement_rows.submissions)

    def confirm(self, confirmation: Confirmation, looks: Mapping[str, float]) -> None:
        self._write(lambda db: judgement_rows.confirm(db, confirmation, looks))

    def confirmations(self) -> list[Confirmation]:
        return self._read(judgement_rows.confirmations)

    # ------------------------------------------------------------------ planning

    def write_round(self, record: RoundRecord) -> None:
        self._write(lambda db: plan_rows.write_round(db, record))

    def rounds(self) -> list[RoundRecord]:
        return self._read(plan_rows.rounds)

    def write_principles(self, records: Sequence[PrincipleRecord]) -> None:
        self._write(lambda db: plan_rows.write_principles(db, records))

    def forget_principle(self, name: str) -> None:
        self._write(lambda db: plan_rows.forget_principle(db, name))

    def principles(self) -> list[PrincipleRecord]:
        return self._read(plan_rows.principles)

    # ------------------------------------------------------------------ experiments

    def add_experiment(
        self, record: ExperimentRecord, fits: Sequence[PlannedFit], splits: Iterable[SplitRecord]
    ) -> None:
        claims, splits = self._joined(), tuple(splits)
        others = claims.others if claims else _nobody
        self._write(lambda db: experiment_rows.add_experiment(db, record, fits, splits, others))

    def experiments(self, last: int | None = None) -> list[ExperimentRecord]:
        return self._read(lambda db: experiment_rows.experiments(db, last))

    def last_round(self) -> int:
        return self._read(experiment_rows.last_round)

    def set_score(self, experiment: str, score: float) -> None:
        self._write(lambda db: experiment_rows.set_score(db, experiment, score))

    # ------------------------------------------------------------------ fits and jobs

    def fits(self, experiment: str, role: str | None = None) -> list[FitRecord]:
        return self._read(lambda db: fit_rows.fits(db, experiment, role, self._claims()))

    def fit_states(self, keys: Iterable[str]) -> dict[str, FitRecord]:
        wanted = set(keys)
        return self._read(lambda db: fit_rows.fit_states(db, wanted, self._claims()))

    def split(self, digest: str) -> SplitRecord:
        return self._read(lambda db: fit_rows.split(db, digest))

    def start_jobs(self, jobs: Mapping[str, Sequence[str]], manifest: Mapping[str, Any]) -> set[str]:
        claims = self._joined()
        return self._write(lambda db: fit_rows.start_jobs(db, jobs, manifest, claims))

    def finish_jobs(self, jobs: Mapping[str, Sequence[FitResult]]) -> None:
        self._write(lambda db: fit_rows.finish_jobs(db, jobs))

    def fail_fit(self, job: str, key: str, status: str, error: str) -> None:
        self._write(lambda db: fit_rows.fail_fit(db, job, key, status, error))

    def reset_failed(self) -> int:
        return self._write(fit_rows.reset_failed)

    def scores(self, experiment: str) -> list[tuple[str, str, float]]:
        return self._read(lambda db: fit_rows.scores(db, experiment))

    def manifest(self, key: str) -> Mapping[str, Any]:
        return self._read(lambda db: fit_rows.manifest(db, key))

    # ------------------------------------------------------------------ the database

    def size(self) -> int:
        return self._database.size()

    def damage(self) -> str | None:
        return self._database.damage()

    def close(self) -> None:
        if self._driver is not None:
            self._driver.close()
            self._driver = None
        self._database.close()

    def _joined(self) -> Claims | None:
        """In whose name this process works, from now on; None where a lock keeps drivers apart."""
        if isinstance(self._database, SharedDatabase):
            with self._joining:
                if self._driver is None:
                    self._driver = Driver(self._database)
        return self._claims()

    def _claims(self) -> Claims | None:
        if not isinstance(self._database, SharedDatabase):
            return None
        return Claims(self._driver.number if self._driver else None, self._database.alive)

    def _write(self, work: Callable[[Connection], Result]) -> Result:
        return self._database.write(work)

    def _read(self, work: Callable[[Connection], Result]) -> Result:
        return self._database.read(work)


def database_of(url: str | LedgerAddress) -> Database:
    """The database behind a URL, opened.

    Raises:
        LedgerError: the URL names none, or it cannot be reached.
    """
    if isinstance(url, str):
        if url.startswith("sqlite:"):
            return SqliteDatabase(url)
        url = LedgerAddress.parse(url)
    from probatum.campaigns.ledgers.postgresql_database import PostgresqlDatabase

    return PostgresqlDatabase(url)


def _nobody(_: Connection) -> list[str]:
    return []
