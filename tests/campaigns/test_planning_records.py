"""What planning keeps in the ledger: rounds, final once judged, and principles; older ledgers take them in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, ROUND_PLANNED, PrincipleRecord, RoundRecord
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.errors import FinishedExperimentError, LedgerError, UnknownNameError


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    found = SqlLedger.at(tmp_path / "ledger.sqlite")
    yield found
    found.close()


def test_a_round_is_written_again_until_it_is_judged(ledger: SqlLedger):
    ledger.write_round(RoundRecord(1, ROUND_PLANNED, {"proposals": ["é"]}))
    ledger.write_round(RoundRecord(1, ROUND_JUDGED, {"champion": "net"}))
    ledger.write_round(RoundRecord(2, ROUND_PLANNED, {}))
    assert [(r.number, r.state, r.content) for r in ledger.rounds()] == [
        (1, ROUND_JUDGED, {"champion": "net"}),
        (2, ROUND_PLANNED, {}),
    ]
    assert all(r.when for r in ledger.rounds())
    with pytest.raises(FinishedExperimentError, match="round 1 was judged"):
        ledger.write_round(RoundRecord(1, ROUND_PLANNED, {}))
    assert ledger.rounds()[0].content == {"champion": "net"}


def test_principles_keep_their_order_when_they_change_and_can_be_forgotten(ledger: SqlLedger):
    ledger.write_principles([PrincipleRecord("a", "open", False, {}), PrincipleRecord("b", "open", False, {})])
    ledger.write_principles([PrincipleRecord("a", "refuted", True, {"note": "no"})])
    assert [(p.name, p.state, p.held) for p in ledger.principles()] == [("a", "refuted", True), ("b", "open", False)]
    ledger.forget_principle("a")
    assert [p.name for p in ledger.principles()] == ["b"]
    with pytest.raises(UnknownNameError, match="unknown principle 'a'"):
        ledger.forget_principle("a")


def test_one_principle_that_stands_twice_in_a_call_is_the_last_one(ledger: SqlLedger):
    ledger.write_principles([PrincipleRecord("a", "open", False, {}), PrincipleRecord("a", "refuted", False, {})])
    assert [p.state for p in ledger.principles()] == ["refuted"]


def test_a_ledger_from_before_rounds_takes_them_in_when_it_is_written(tmp_path: Path):
    path = tmp_path / "ledger.sqlite"
    SqlLedger.at(path).close()
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE planned_round")
        for table in ("principle", "claim", "driver", "writer"):
            db.execute(f"DROP TABLE {table}")
        db.execute("UPDATE probatum_meta SET value = '2' WHERE key = 'schema'")
    db.close()
    with pytest.raises(LedgerError, match="older Probatum"):
        SqlLedger.at(path, read_only=True)
    ledger = SqlLedger.at(path)
    try:
        assert ledger.rounds() == []
        ledger.write_round(RoundRecord(1, ROUND_PLANNED, {}))
        assert len(ledger.rounds()) == 1
    finally:
        ledger.close()
