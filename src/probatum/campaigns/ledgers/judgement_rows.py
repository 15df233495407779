"""The ledger's statements about what judges a campaign from outside: held-out cases, external scores, confirmations."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.ledger import HELD_OUT_SET, Confirmation, HeldOutAccess, Submission
from probatum.campaigns.ledgers.statements import now
from probatum.errors import FinishedExperimentError, UnknownNameError


def count_held_out(db: Connection, experiment: str, score: float) -> None:
    db.execute(schema.held_out_access.insert().values(experiment=experiment, looked_at=now(), score=score))


def held_out_accesses(db: Connection) -> list[HeldOutAccess]:
    rows = db.execute(select(schema.held_out_access).order_by(schema.held_out_access.c.id))
    return [HeldOutAccess(r.experiment, r.looked_at, r.score) for r in rows]


def submit(db: Connection, experiment: str, metric: str, score: float) -> Submission:
    table = schema.experiment
    submission = Submission(experiment, metric, score, now())
    if db.execute(select(table.c.id).where(table.c.name == experiment)).first() is None:
        raise UnknownNameError.of("experiment", experiment, db.execute(select(table.c.name)).scalars())
    values = {"metric": metric, "score": score, "submitted_at": submission.when}
    db.execute(schema.submission.insert().values(experiment=experiment, **values))
    return submission


def submissions(db: Connection) -> list[Submission]:
    rows = db.execute(select(schema.submission).order_by(schema.submission.c.id))
    return [Submission(r.experiment, r.metric, r.score, r.submitted_at) for r in rows]


def confirm(db: Connection, confirmation: Confirmation, looks: Mapping[str, float]) -> None:
    """Records a confirmation as the contract says."""
    table = schema.confirmation
    if confirmation.kind == HELD_OUT_SET:
        known = db.execute(select(table.c.experiment).where(table.c.kind == HELD_OUT_SET)).first()
        if known is not None:
            what = f"the held-out set has confirmed '{known.experiment}' and is spent"
            raise FinishedExperimentError(what, remedy="confirm on new data")
    named = {k: getattr(confirmation, k) for k in ("experiment", "baseline", "kind")}
    if db.execute(select(table.c.id).filter_by(**named)).first() is not None:
        what = f"'{confirmation.experiment}' was confirmed before ({confirmation.kind})"
        raise FinishedExperimentError(what, remedy="a champion is confirmed once")
    when = now()
    db.execute(table.insert().values(**named, result=dict(confirmation.result), confirmed_at=when))
    for experiment, score in looks.items():
        db.execute(schema.held_out_access.insert().values(experiment=experiment, looked_at=when, score=score))


def confirmations(db: Connection) -> list[Confirmation]:
    rows = db.execute(select(schema.confirmation).order_by(schema.confirmation.c.id))
    return [Confirmation(r.experiment, r.baseline, r.kind, r.result, r.confirmed_at) for r in rows]
