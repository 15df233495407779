"""The ledger's statements about what was planned and learned: rounds and principles."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from probatum.campaigns.ledgers import schema
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, PrincipleRecord, RoundRecord
from probatum.campaigns.ledgers.statements import now
from probatum.errors import FinishedExperimentError, UnknownNameError


def write_round(db: Connection, record: RoundRecord) -> None:
    table = schema.planned_round
    here = table.c.number == record.number
    values = {"state": record.state, "content": dict(record.content), "written_at": now()}
    known = db.execute(select(table.c.state).where(here)).first()
    if known is None:
        db.execute(table.insert().values(number=record.number, **values))
    elif known.state == ROUND_JUDGED:
        raise FinishedExperimentError(f"round {record.number} was judged and cannot be changed")
    else:
        db.execute(table.update().where(here).values(**values))


def rounds(db: Connection) -> list[RoundRecord]:
    rows = db.execute(select(schema.planned_round).order_by(schema.planned_round.c.number))
    return [RoundRecord(r.number, r.state, r.content, r.written_at) for r in rows]


def write_principles(db: Connection, records: Sequence[PrincipleRecord]) -> None:
    table = schema.principle
    known = set(db.execute(select(table.c.name)).scalars())
    for record in records:
        values = {"state": record.state, "held": record.held}
        values |= {"content": dict(record.content), "written_at": now()}
        if record.name in known:
            db.execute(table.update().where(table.c.name == record.name).values(**values))
        else:
            db.execute(table.insert().values(name=record.name, **values))
            known.add(record.name)


def forget_principle(db: Connection, name: str) -> None:
    table = schema.principle
    if not db.execute(table.delete().where(table.c.name == name)).rowcount:
        raise UnknownNameError.of("principle", name, db.execute(select(table.c.name)).scalars())


def principles(db: Connection) -> list[PrincipleRecord]:
    rows = db.execute(select(schema.principle).order_by(schema.principle.c.id))
    return [PrincipleRecord(r.name, r.state, r.held, r.content, r.written_at) for r in rows]
