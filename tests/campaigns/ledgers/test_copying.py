"""A ledger is copied whole or not at all, and the copy is as good as the original."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from campaigns.ledgers.ledger_conformance import CAMPAIGN, SPLITS, everything, finish, planned, record
from probatum.campaigns.ledgers import copying
from probatum.campaigns.ledgers.copying import copy_ledger
from probatum.campaigns.ledgers.ledger import FRESH_SEEDS, Confirmation, FitResult, PrincipleRecord, RoundRecord
from probatum.campaigns.ledgers.lock import CampaignLock
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.errors import CampaignLockedError, LedgerError

Server = Any
_numbers = itertools.count(1)


@pytest.fixture
def target(server: Server) -> str:
    return server.url(campaign=f"copy {next(_numbers)}")


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A ledger with something in every table."""
    folder = tmp_path / "small.probatum"
    folder.mkdir()
    url = f"sqlite:///{folder / 'ledger.sqlite'}"
    ledger = SqlLedger(url)
    ledger.freeze(CAMPAIGN)
    for name, prefix in (("first", "a"), ("zweites é", "B"), ("third", "_b")):
        ledger.add_experiment(record(name, hypothesis=f"{name}?"), planned(prefix), SPLITS)
    finish(ledger, [fit.key for fit in planned("a")])
    ledger.start_jobs({"failing": ["B-0-0"]}, {"code": 2})
    ledger.fail_fit("failing", "B-0-0", "failed", "Traceback\n  ü")
    ledger.finish_jobs({"failing": [FitResult("B-1-0", 1 / 3, "f.npz", 0, {"y": float("nan"), "z": 1e-300}, 2)]})
    ledger.set_score("first", 0.1 + 0.2)
    ledger.count_held_out("first", 0.5)
    ledger.submit("first", "rmse", 0.25)
    ledger.confirm(Confirmation("first", "base", FRESH_SEEDS, {"p": None, "worst": float("inf")}), {"first": 0.5})
    ledger.write_round(RoundRecord(1, "planned", {"proposals": [{"name": "x"}]}))
    ledger.write_principles([PrincipleRecord("b", "open", True, {"n": 1}), PrincipleRecord("a", "refuted", False, {})])
    ledger.close()
    return url


def said(url: str) -> str:
    ledger = SqlLedger(url, read_only=True)
    try:
        return everything(ledger) + repr((ledger.rounds(), ledger.principles(), ledger.manifest("a-0-0")))
    finally:
        ledger.close()


def test_a_ledger_goes_to_a_server_and_back_and_says_the_same(source: str, target: str, tmp_path: Path):
    there = copy_ledger(source, target)
    assert said(target) == said(source)
    assert (there.rows["fit"], there.rows["experiment"], there.rows["score"]) == (18, 3, 14)
    back = f"sqlite:///{tmp_path / 'back' / 'ledger.sqlite'}"
    again = copy_ledger(target, back)
    assert said(back) == said(source)
    assert again.digest == there.digest
    assert again.rows == there.rows


def test_the_copy_goes_on_where_the_original_was(source: str, target: str):
    copy_ledger(source, target)
    ledger = SqlLedger(target)
    ledger.add_experiment(record("fourth"), planned("d"), SPLITS)
    finish(ledger, [fit.key for fit in planned("d")])
    ledger.count_held_out("fourth", 1.0)
    ledger.submit("fourth", "rmse", 1.0)
    ledger.write_principles([PrincipleRecord("c", "open", False, {})])
    assert [e.name for e in ledger.experiments()] == ["first", "zweites é", "third", "fourth"]
    assert [p.name for p in ledger.principles()] == ["b", "a", "c"]
    assert [look.experiment for look in ledger.held_out_accesses()] == ["first", "first", "fourth"]
    ledger.close()


def test_a_target_that_holds_something_is_refused_and_left_as_it_is(source: str, target: str, tmp_path: Path):
    ledger = SqlLedger(target)
    ledger.close()
    before = said_of_empty(target)
    with pytest.raises(LedgerError, match="holds tables already"):
        copy_ledger(source, target)
    assert said_of_empty(target) == before
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE bookings (guest TEXT)")
    db.close()
    with pytest.raises(LedgerError, match="holds tables already"):
        copy_ledger(source, f"sqlite:///{foreign}")


def said_of_empty(url: str) -> str:
    ledger = SqlLedger(url, read_only=True)
    try:
        return everything(ledger)
    finally:
        ledger.close()


def test_a_copy_that_fails_half_way_leaves_nothing_and_can_be_made_again(
    source: str, target: str, monkeypatch: pytest.MonkeyPatch
):
    real = copying._copy_table

    def breaking(table, reading, writing):
        if table.name == "score":
            raise RuntimeError("the cable")
        return real(table, reading, writing)

    with monkeypatch.context() as patched:
        patched.setattr(copying, "_copy_table", breaking)
        with pytest.raises(RuntimeError, match="the cable"):
            copy_ledger(source, target)
    copy_ledger(source, target)
    assert said(target) == said(source)


def test_a_row_that_changes_on_the_way_is_found(source: str, target: str, monkeypatch: pytest.MonkeyPatch):
    real = copying._copy_table

    def losing(table, reading, writing):
        count = real(table, reading, writing)
        if table.name == "score":
            writing.execute(table.update().values(rows=7))
        return count

    monkeypatch.setattr(copying, "_copy_table", losing)
    with pytest.raises(LedgerError, match="does not hold what its source does"):
        copy_ledger(source, target)
    with pytest.raises(LedgerError, match="holds no campaign yet"):
        SqlLedger(target, read_only=True)


def test_a_source_that_somebody_works_on_is_refused(source: str, target: str, server: Server, tmp_path: Path):
    with CampaignLock(tmp_path / "small.probatum"), pytest.raises(CampaignLockedError, match="somebody works"):
        copy_ledger(source, target)
    copy_ledger(source, target)
    driver = SqlLedger(target)
    driver.start_jobs({"j": ["_b-0-0"]}, {})
    with pytest.raises(CampaignLockedError, match="somebody works"):
        copy_ledger(target, f"sqlite:///{tmp_path / 'other.sqlite'}")
    driver.close()


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("ledger.sqlite", "is no ledger"),
        ("sqlite:///nowhere.sqlite", "there is no such file"),
        ("nowhere.toml", "there is no such file"),
        ("mysql://u@h/d", "no ledger is kept in 'mysql'"),
    ],
)
def test_a_source_that_is_none_is_said(target: str, place: str, says: str):
    with pytest.raises(LedgerError, match=says) as raised:
        copy_ledger(place, target)
    assert raised.value.remedy


def test_campaign_files_stand_for_their_ledgers_and_name_the_copy(source: str, server: Server, tmp_path: Path):
    name = f"copied {next(_numbers)}"
    (tmp_path / "small.probatum").rename(tmp_path / f"{name}.probatum")
    address = server.url()
    copy_ledger(str(tmp_path / f"{name}.toml"), address)
    assert "first" in said(f"{address}&campaign={name}")
    (tmp_path / f"{name}.toml").write_text(f'[run]\nledger = "{address}"\n')
    back = copy_ledger(str(tmp_path / f"{name}.toml"), f"sqlite:///{tmp_path / 'back.sqlite'}")
    assert "campaigns" in back.source
