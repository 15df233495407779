"""A campaign on PostgreSQL whose server is killed and restarted again and again, and whose driver is killed once.

Two drivers work on it. It is compared with the same campaign run by one driver on SQLite, bit for bit; and no fit may
have been begun more often than once, and once more for the driver that was killed while it trained it. The server does
not wait for the disk (fsync off): killed processes lose nothing by that, only lost power would.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from disturbed_campaign import EXPERIMENTS, FILE, RUN, differing, predictions, write_campaign
from postgresql_server import PostgresqlServer
from result import Row, benchmark

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.ledgers.files import open_ledger
from probatum.errors import ProbatumError

LEASE = 5
"""Seconds of a driver: after them the killed one's fits go to the others."""


def measure(quick: bool) -> list[Row]:
    """Restarts the server ten times, at least; `quick` five times, and of half as many trainings."""
    restarts, seeds = (5, 2) if quick else (10, 6)
    with tempfile.TemporaryDirectory() as calm, tempfile.TemporaryDirectory() as disturbed:
        write_campaign(Path(calm), seeds=seeds, run="cores = 1")
        subprocess.run(RUN, cwd=calm, check=True, capture_output=True)
        expected = predictions(Campaign.open(Path(calm) / FILE))
        server = PostgresqlServer(fsync=False)
        try:
            shared = f'cores = 1\nledger = "{server.url(lease=LEASE)}"'
            file = write_campaign(Path(disturbed), seeds=seeds, run=shared)
            happened = _disturb(Path(disturbed), server, restarts)
            found = predictions(Campaign.open(file))
            ledger = open_ledger(file)
            attempts = {fit.key: fit.attempts for name in EXPERIMENTS for fit in ledger.fits(name)}
            unfinished = sum(e.status != "done" for e in ledger.experiments())
            ledger.close()
        finally:
            server.close()
    again = {key for key, count in attempts.items() if count > 1}
    return [
        Row("server_restarts", happened.restarts, "restarts", 5, "higher"),
        Row("drivers_killed", 1, "drivers", 1, "higher"),
        Row("fits_compared", len(expected), "fits"),
        Row("experiments_unfinished", unfinished, "", 0),
        Row("predictions_that_differ", differing(expected, found), "fits", 0),
        Row("fits_in_flight_when_the_driver_was_killed", len(happened.in_flight), "fits"),
        Row("fits_run_again_though_not_in_flight", len(again - happened.in_flight), "fits", 0),
        Row("seconds_of_the_disturbed_campaign", happened.seconds, "s"),
    ]


@dataclass
class Happened:
    """What was done to a campaign.

    Attributes:
        restarts: of the server.
        seconds: that the campaign took.
        in_flight: keys of the fits that the killed driver worked on.
    """

    restarts: int = 0
    seconds: float = 0.0
    in_flight: set[str] = field(default_factory=set)


def _disturb(folder: Path, server: PostgresqlServer, restarts: int) -> Happened:
    """Runs the campaign by two drivers, kills one of them, and restarts the server until this was done often enough."""
    generator, happened, started = np.random.default_rng(13), Happened(), time.monotonic()
    drivers = [_driver(folder), _driver(folder)]
    _wait_for_claims(folder, drivers[0].pid)
    while happened.restarts < restarts or drivers[1].poll() is None:
        if happened.restarts == restarts // 2 and drivers[0].poll() is None:
            drivers[0].send_signal(signal.SIGSTOP)  # so that what it has in flight is known before it is gone
            happened.in_flight = _claimed(folder, drivers[0].pid)
            drivers[0].kill()
            drivers[0].wait()
        if happened.restarts < restarts:
            how = signal.SIGKILL if happened.restarts % 2 else signal.SIGINT
            server.restart(away=float(generator.uniform(0.0, 1.0)), how=how)
            happened.restarts += 1
        time.sleep(float(generator.uniform(0.2, 1.0)))
    assert drivers[1].returncode == 0, (folder / "drivers").read_text(encoding="utf-8")
    happened.seconds = time.monotonic() - started
    return happened


def _driver(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "drivers").open("ab") as log:
        return subprocess.Popen(RUN, cwd=folder, stdout=log, stderr=log)


def _wait_for_claims(folder: Path, driver: int) -> None:
    while True:
        try:
            if _claimed(folder, driver):
                return
        except ProbatumError:  # the ledger is not there yet
            pass
        time.sleep(0.1)


def _claimed(folder: Path, driver: int) -> set[str]:
    """Fits that a driver works on, as the ledger knows them."""
    ledger = open_ledger(folder / FILE)
    try:
        fits = [fit for e in ledger.experiments() for fit in ledger.fits(e.name)]
    finally:
        ledger.close()
    return {fit.key for fit in fits if fit.driver is not None and fit.driver.startswith(f"pid {driver} ")}


if __name__ == "__main__":
    benchmark("database_restart", measure, ["probatum", "numpy", "jax", "lightgbm", "sqlalchemy", "psycopg"])
