"""A ledger on a PostgreSQL server, and what can be wrong with a server."""

from __future__ import annotations

import itertools
import math
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from campaigns.ledgers.ledger_conformance import SPLITS, LedgerConformance, finish, planned, record, result
from campaigns.small_campaigns import python
from probatum.campaigns.ledgers import postgresql_database, schema
from probatum.campaigns.ledgers.address import LedgerAddress
from probatum.campaigns.ledgers.ledger import DONE, PLANNED, FitResult, Ledger
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
from probatum.errors import CampaignLockedError, LedgerError

Server = Any
_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """Of a campaign that no other test has."""
    return f"campaign {next(_numbers)}"


@pytest.fixture
def url(server: Server, name: str) -> str:
    return server.url(campaign=name, lease=1.5, patience=60)


@pytest.fixture
def reopen(url: str) -> Iterator[Callable[[], Ledger]]:
    opened: list[Ledger] = []

    def open_it() -> Ledger:
        opened.append(SqlLedger(url))
        return opened[-1]

    yield open_it
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(reopen: Callable[[], Ledger]) -> Ledger:
    """A new ledger with one experiment of six fits."""
    ledger = reopen()
    ledger.add_experiment(record("first"), planned("a"), SPLITS)
    return ledger


class TestPostgresql(LedgerConformance):
    @pytest.fixture
    def url(self, server: Server, name: str) -> str:
        return server.url(campaign=name)


# ---------------------------------------------------------------------- what is no ledger


def refused(url: str, *, read_only: bool = False) -> str:
    with pytest.raises(LedgerError) as raised:
        SqlLedger(url, read_only=read_only).close()
    said = str(raised.value)
    assert "\n" not in said
    assert raised.value.remedy
    return said


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_wrong_address_is_said_at_once_and_with_a_remedy(server: Server):
    at = "postgresql+psycopg://guarded:{}@127.0.0.1:{}/{}?campaign=c"
    assert "cannot be reached" in refused(at.format("sesame", free_port(), "campaigns"))
    assert "there is no such database" in refused(at.format("sesame", server.port, "elsewhere"))
    assert "refuses this user or password" in refused(at.format("sesam", server.port, "campaigns"))
    assert "the host is not known" in refused("postgresql+psycopg://u@no.such.host.invalid/db?campaign=c")


@pytest.mark.parametrize("wrong", ["sesam", "hunter2"])
def test_no_error_says_the_password(server: Server, wrong: str):
    address = f"postgresql+psycopg://guarded:{wrong}@127.0.0.1:{server.port}/campaigns?campaign=c"
    assert wrong not in refused(address).replace("sesame", "")


def test_who_may_not_make_a_schema_is_told_what_to_ask_for(server: Server, name: str):
    guarded = f"postgresql+psycopg://guarded:sesame@127.0.0.1:{server.port}/campaigns?campaign={name}"
    assert "GRANT CREATE ON DATABASE" in refused(guarded)


@pytest.mark.parametrize("read_only", [False, True])
def test_tables_of_another_program_are_refused_and_left_as_they_are(
    server: Server, url: str, name: str, read_only: bool
):
    schema = f'"probatum_{name}"'
    server.execute(f"CREATE SCHEMA {schema}", f"CREATE TABLE {schema}.bookings (guest TEXT)", database="campaigns")
    assert "something else (tables: bookings)" in refused(url, read_only=read_only)
    tables = f"SELECT tablename FROM pg_tables WHERE schemaname = 'probatum_{name}'"
    assert server.execute(tables, database="campaigns") == [("bookings",)]


def test_tables_of_other_schemas_are_nobodys_business(server: Server, url: str, name: str):
    server.execute("CREATE TABLE IF NOT EXISTS public.experiment (guest TEXT)", database="campaigns")
    SqlLedger(url).close()
    assert server.execute("SELECT * FROM public.experiment", database="campaigns") == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_ledger_is_refused(server: Server, url: str, name: str, read_only: bool):
    SqlLedger(url).close()
    newer = schema.SCHEMA_VERSION + 1
    server.execute(
        f"UPDATE \"probatum_{name}\".probatum_meta SET value = '{newer}' WHERE key = 'schema'", database="campaigns"
    )
    assert f"written by a newer Probatum (schema {newer}" in refused(url, read_only=read_only)


def test_whoever_only_looks_makes_no_ledger(server: Server, url: str, name: str):
    assert "holds no campaign yet" in refused(url, read_only=True)
    schemas = f"SELECT nspname FROM pg_namespace WHERE nspname = 'probatum_{name}'"
    assert server.execute(schemas, database="campaigns") == []


def test_an_older_ledger_is_brought_up_to_date(server: Server, url: str, name: str):
    SqlLedger(url).close()
    schema = f'"probatum_{name}"'
    server.execute(
        *(f"DROP TABLE {schema}.{table}" for table in ("claim", "driver", "writer")),
        f"UPDATE {schema}.probatum_meta SET value = '3' WHERE key = 'schema'",
        database="campaigns",
    )
    assert "older Probatum (schema 3" in refused(url, read_only=True)
    ledger = SqlLedger(url)
    ledger.add_experiment(record("first"), planned("a"), SPLITS)
    finish(ledger, ["a-0-0"])
    ledger.close()


def test_without_psycopg_the_extra_is_named():
    code = (
        "import sys\n"
        "sys.modules['psycopg'] = None\n"
        "from probatum.campaigns.ledgers.sql_ledger import SqlLedger\n"
        "from probatum.errors import LedgerError\n"
        "try:\n"
        "    SqlLedger('postgresql+psycopg://u@h/d?campaign=c')\n"
        "except LedgerError as error:\n"
        "    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "pip install 'probatum[postgres]'" in ran.stdout


def test_campaigns_of_one_database_know_nothing_of_each_other(server: Server, name: str):
    ledgers = [SqlLedger(server.url(campaign=f"{name}{end}")) for end in ("", "'", '"', " %", "é", ".")]
    for number, ledger in enumerate(ledgers):
        for i in range(number):
            ledger.add_experiment(record(f"of {number}: {i}"), planned(f"{number}-{i}"), SPLITS)
    assert [len(ledger.experiments()) for ledger in ledgers] == [*range(len(ledgers))]
    for ledger in ledgers:
        ledger.close()


def test_several_processes_may_make_one_ledger_at_once(url: str):
    code = (
        "import sys\n"
        "from probatum.campaigns.ledgers.sql_ledger import SqlLedger\n"
        "print(SqlLedger(sys.argv[1]).summary().fits)\n"
    )
    processes = [python(code, url) for _ in range(3)]
    assert [process.communicate(timeout=60) for process in processes] == [("0\n", "")] * 3


def test_text_and_numbers_that_the_server_would_refuse_are_kept(ledger: Ledger):
    ledger.start_jobs({"job": ["a-0-0", "a-0-1"]}, {"note": "a\0b", "worst": float("inf"), "name": "n" * 5000})
    assert ledger.manifest("a-0-0")["worst"] == float("inf")
    ledger.fail_fit("job", "a-0-0", "failed", "Traceback\0\n" * 3)
    assert "\0" not in str(ledger.fit_states(["a-0-0"])["a-0-0"].error)
    ledger.finish_jobs({"job": [FitResult("a-0-1", 1.0, "f.npz", 0, {"y": float("nan"), "z" * 300: 1.0}, 2)]})
    scores = {quantity: value for _, quantity, value in ledger.scores("first")}
    assert math.isnan(scores.pop("y"))
    assert scores == {"z" * 300: 1.0}
    ledger.add_experiment(record("x" * 1000), planned("x"), SPLITS)
    assert [e.name for e in ledger.experiments()] == ["first", "x" * 1000]


# ---------------------------------------------------------------------- a server that goes away


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_restart_between_two_calls_is_not_noticed(
    server: Server, ledger: Ledger, reopen: Callable[[], Ledger], how: signal.Signals
):
    finish(ledger, ["a-0-0"])
    server.restart(how=how)
    finish(ledger, ["a-0-1"])
    assert ledger.summary().done == 2
    server.restart(how=how)
    assert reopen().summary().done == 2


def test_a_call_waits_for_a_server_that_is_away(server: Server, ledger: Ledger):
    finished: list[str] = []
    server.stop()
    waiting = threading.Thread(target=lambda: finished.append(finish(ledger, ["a-0-0"]) or "done"))
    waiting.start()
    time.sleep(0.5)
    assert finished == []
    server.start()
    waiting.join(timeout=60)
    assert finished == ["done"]
    assert ledger.summary().done == 1


def test_a_server_that_stays_away_ends_in_an_error_and_changed_nothing(server: Server, name: str):
    ledger = SqlLedger(server.url(campaign=name, patience=0.5))
    ledger.add_experiment(record("first"), planned("a"), SPLITS)
    server.stop()
    try:
        with pytest.raises(LedgerError, match=r"cannot be reached .* it was tried for 0\.5 s"):
            finish(ledger, ["a-0-0"])
    finally:
        server.start()
    assert ledger.fit_states(["a-0-0"])["a-0-0"].attempts == 0
    ledger.close()


@pytest.mark.parametrize("recorded", [True, False])
def test_a_connection_lost_in_the_commit_counts_a_look_once(
    server: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, recorded: bool
):
    """The connection is lost just after the commit has reached the server, or just before."""
    dialect = ledger._database._engine.dialect  # type: ignore[attr-defined]
    commit, lost = dialect.do_commit, []

    def breaking(connection: Any) -> None:
        if lost or threading.current_thread() is not threading.main_thread():
            commit(connection)
            return
        lost.append(connection.dbapi_connection.info.backend_pid)
        if recorded:
            commit(connection)
        server.execute(f"SELECT pg_terminate_backend({lost[0]}, 5000)")
        connection.dbapi_connection.execute("SELECT 1")

    monkeypatch.setattr(dialect, "do_commit", breaking)
    ledger.count_held_out("first", 0.5)
    assert len(lost) == 1
    assert len(ledger.held_out_accesses()) == 1


def test_many_calls_through_many_restarts_are_each_recorded_once(server: Server, ledger: Ledger):
    """Looks are counted, which no second try may count twice, while the server is killed again and again."""
    stop = threading.Event()
    told: list[float] = []

    def look() -> None:
        while not stop.is_set():
            ledger.count_held_out("first", float(len(told)))
            told.append(float(len(told)))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for how in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
            time.sleep(0.3)
            server.restart(how=how)
    finally:
        time.sleep(0.3)
        stop.set()
        thread.join(timeout=60)
    assert len(told) > 3
    assert [look.score for look in ledger.held_out_accesses()] == told


def test_a_process_that_hangs_in_a_change_does_not_hold_up_the_others_for_ever(
    ledger: Ledger, url: str, reopen: Callable[[], Ledger], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgresql_database, "IDLE", 1)
    hanging = reopen()
    change = hanging._database.transaction()  # type: ignore[attr-defined]
    db = change.__enter__()
    finish(ledger, ["a-0-0"])  # waits until the server has ended that change
    with pytest.raises(DBAPIError) as ended:
        db.exec_driver_sql("SELECT 1")
    with pytest.raises(LedgerError):
        change.__exit__(type(ended.value), ended.value, None)
    assert ledger.summary().done == 1


# ---------------------------------------------------------------------- several drivers


KEYS = [fit.key for fit in planned("a")]


def test_a_fit_is_given_to_one_driver(ledger: Ledger, reopen: Callable[[], Ledger]):
    other = reopen()
    assert ledger.start_jobs({"one": KEYS[:4]}, {}) == {*KEYS[:4]}
    assert other.start_jobs({"two": KEYS[2:]}, {}) == {*KEYS[4:]}
    assert other.start_jobs({"three": KEYS[:2]}, {}) == set()
    assert {f.attempts for f in ledger.fits("first")} == {1}
    (name,) = other.drivers()
    states = other.fit_states(KEYS)
    assert [states[key].driver for key in KEYS] == [name] * 4 + [None] * 2
    assert ledger.start_jobs({"four": KEYS[:4]}, {}) == {*KEYS[:4]}  # one's own may be begun again


def test_fits_of_a_driver_that_has_left_are_free_at_once(ledger: Ledger, reopen: Callable[[], Ledger]):
    other = reopen()
    ledger.start_jobs({"one": KEYS}, {})
    ledger.finish_jobs({"one": [result(KEYS[0])]})
    ledger.close()
    assert other.drivers() == []
    assert other.start_jobs({"two": KEYS}, {}) == {*KEYS[1:]}


CLAIMING = """
import sys
from probatum.campaigns.ledgers.sql_ledger import SqlLedger
ledger = SqlLedger(sys.argv[1])
print(len(ledger.start_jobs({'of another': sys.argv[2:]}, {})), flush=True)
sys.stdin.read()
"""


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_fits_of_a_living_driver_stay_its_own_and_those_of_a_dead_one_are_free(ledger: Ledger, url: str):
    with python(CLAIMING, url, *KEYS) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "6\n"
        time.sleep(2.5)  # longer than its lease: it renews it
        assert ledger.start_jobs({"mine": KEYS}, {}) == set()
        process.kill()
    assert ledger.start_jobs({"too soon": KEYS}, {}) == set()
    until(lambda: ledger.start_jobs({"taken over": KEYS}, {}) == {*KEYS})
    assert {f.attempts for f in ledger.fits("first")} == {2}


def test_the_time_in_which_the_server_was_away_counts_for_nobody(server: Server, ledger: Ledger, url: str):
    """Neither driver could say that it lives; the one that comes back first must not take the other's fits."""
    with python(CLAIMING, url, *KEYS) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "6\n"
        server.restart(away=3.0)
        for _ in range(8):
            assert ledger.start_jobs({"mine": KEYS}, {}) == set()
            time.sleep(0.25)
        process.kill()


def test_a_driver_that_only_seemed_dead_may_record_what_it_has(ledger: Ledger, reopen: Callable[[], Ledger]):
    other = reopen()
    ledger.start_jobs({"one": KEYS}, {})
    ledger._driver.close()  # type: ignore[attr-defined]
    assert other.start_jobs({"two": KEYS}, {}) == {*KEYS}
    ledger.finish_jobs({"one": [result(KEYS[0], value=1.0)]})
    other.finish_jobs({"two": [result(key, value=2.0) for key in KEYS]})
    values = {key: value for key, quantity, value in other.scores("first") if quantity == "y"}
    assert values == {key: 1.0 if key == KEYS[0] else 2.0 for key in KEYS}
    assert other.experiments()[0].done == 6


def test_nobody_plans_anew_what_another_driver_works_on(ledger: Ledger, reopen: Callable[[], Ledger]):
    other = reopen()
    for digest in ("d", "of another recipe"):
        with pytest.raises(CampaignLockedError, match=r"others are at work \(pid \d+ on "):
            other.add_experiment(record("first", digest), planned("b"), SPLITS)
    ledger.close()
    other.add_experiment(record("first"), planned("b"), SPLITS)
    assert {f.status for f in other.fits("first")} == {PLANNED}


def test_counters_add_up_when_drivers_finish_at_once(ledger: Ledger, url: str, reopen: Callable[[], Ledger]):
    fits = planned("a") + planned("b") + planned("c")
    for number in range(4):  # all share the fits of 'a'
        ledger.add_experiment(record(f"many {number}"), fits[: 6 * (number % 3 + 1)], SPLITS)
    code = (
        "import sys\n"
        "from probatum.campaigns.ledgers.ledger import FitResult\n"
        "from probatum.campaigns.ledgers.sql_ledger import SqlLedger\n"
        "ledger = SqlLedger(sys.argv[1])\n"
        "own = 0\n"
        "for key in sys.argv[3:]:\n"
        "    if ledger.start_jobs({sys.argv[2] + key: [key]}, {}):\n"
        "        ledger.finish_jobs({sys.argv[2] + key: [FitResult(key, 1.0, 'f.npz', 0, {'y': 1.0}, 2)]})\n"
        "        own += 1\n"
        "print(own)\n"
    )
    keys = [fit.key for fit in fits]
    processes = [python(code, url, number, *keys) for number in range(3)]
    told = [process.communicate(timeout=60) for process in processes]
    assert [error for _, error in told] == [""] * 3
    assert sum(int(own) for own, _ in told) == len(keys)
    for experiment in ledger.experiments():
        assert (experiment.status, experiment.done, experiment.seconds) == ("done", experiment.fits, experiment.fits)
    assert {f.status for f in ledger.fits("many 2")} == {DONE}
    assert {f.attempts for f in ledger.fits("many 2")} == {1}


# ---------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no url", "is no URL"),
        ("mysql://u@h/d", "no ledger is kept in 'mysql'"),
        ("sqlite:///x", "no ledger is kept in 'sqlite'"),
        ("postgresql+psycopg://u@h/d", "names no campaign"),
        ("postgresql+psycopg://u@h/d?campaign=" + "x" * 60, "may have 54 bytes"),
        ("postgresql+psycopg://u@h/d?campaign=c&lease=long", "lease=long is no time"),
        ("postgresql+psycopg://u@h/d?campaign=c&patience=-1", "patience=-1 is no time"),
        ("postgresql+psycopg://u@h:port/d?campaign=c", "is no URL"),
    ],
)
def test_what_is_no_address_is_said(text: str, says: str):
    with pytest.raises(LedgerError, match=says) as raised:
        LedgerAddress.parse(text)
    assert raised.value.remedy


@pytest.mark.parametrize("with_password", ["://u:secret@h/d", "://u@h/d?password=secret"])
def test_a_password_may_stand_in_the_environment_and_not_in_a_file(with_password: str):
    text = f"postgresql+psycopg{with_password}"
    assert "secret" not in LedgerAddress.parse(text, "c").place
    with pytest.raises(LedgerError, match="a password stands in") as raised:
        LedgerAddress.parse(text, "c", secret=False)
    assert "secret" not in str(raised.value)
    assert "PGPASSWORD" in str(raised.value)


def test_its_own_options_do_not_reach_the_server():
    found = LedgerAddress.parse("postgresql://u@h:5/d?campaign=c&lease=2&patience=3&sslmode=require", "file")
    assert (found.campaign, found.lease, found.patience, found.schema) == ("c", 2.0, 3.0, "probatum_c")
    assert found.url.render_as_string() == "postgresql+psycopg://u@h:5/d?sslmode=require"
    assert LedgerAddress.parse("postgresql://u@h/d", "file").campaign == "file"
