"""Runs a campaign on a Dask cluster and a PostgreSQL ledger while all of it is killed, again and again.

Workers are killed at random moments, some with their whole machine; the scheduler is killed, is away so that
connections are refused, and falls silent; the database's server is killed or stopped and started again, whatever else
happens meanwhile. Rows: fits that are lost or differ in any bit from a calm run on this machine alone (none may), and
trainings beyond those that a kill interrupted (none may).

The cluster is one of real processes: a scheduler, workers with their nannies, and a supervisor that starts again
whatever has ended, as a batch system or systemd would. Where no PostgreSQL is installed, the ledger is SQLite's, no
database is restarted, and the row of its restarts says so.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from dask_machines import Machines
from disturbed_campaign import EXPERIMENTS, Predictions, differing, predictions, write_campaign
from postgresql_server import PostgresqlServer, programs
from result import Row, benchmark

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Event, FitRetried, JobFinished, JobStarted
from probatum.campaigns.ledgers.files import state_folder

WORKERS = 3
PATIENCE = 300
KILLED, REFUSED, RESTARTED, SILENT, DATABASE = (
    "worker killed", "connections refused", "scheduler restarted", "scheduler silent", "database restarted"
)  # fmt: skip
"""What happens to a campaign."""
LEARNERS = '''"""An estimator that takes its time and leaves a line at every training."""

import os
import time

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class Slow(RegressorMixin, BaseEstimator):
    def __init__(self, log="", seconds=0.0, random_state=None):
        self.log, self.seconds, self.random_state = log, seconds, random_state

    def fit(self, X, y):
        line = f"{len(X)} {self.random_state}\\n".encode()
        handle = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, line)
        os.close(handle)
        time.sleep(self.seconds)
        self.mean_ = np.mean(y, axis=0)
        return self

    def predict(self, X):
        noise = np.random.default_rng(self.random_state).normal(size=(len(X), *np.shape(self.mean_)))
        return self.mean_ + noise
'''


def measure(quick: bool) -> list[Row]:
    """Runs one campaign in peace and, again and again, one under kills; `quick` kills 4 times instead of 50."""
    plan = QUICK if quick else FULL
    with ExitStack() as stack:
        calm, wild = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        expected = predictions(run(write(calm, plan.seeds, 0.0, "cores = 2"))[0])
        server = stack.enter_context(closing(PostgresqlServer())) if has_postgresql() else None
        machines = stack.enter_context(Machines(wild, WORKERS))
        chaos = Chaos(plan)
        ends = disturbed(wild, plan, chaos, machines, server, expected)
    suffered = max(len(end.suffered) for end in ends)
    return [
        Row("worker_kills", chaos.did[KILLED], "kills", plan.kills, "higher"),
        Row("scheduler_restarts", chaos.scheduler_restarts, "restarts", 1 if quick else 3, "higher"),
        Row("seconds_in_which_the_scheduler_was_away", chaos.away, "s"),
        Row("database_restarts", chaos.did[DATABASE], "restarts", plan.database_restarts, "higher"),
        Row("campaigns_run_to_their_end", len(ends), "campaigns"),
        Row("kinds_of_disturbance_in_one_campaign", suffered, "of 5", None if quick else 5, "higher"),
        Row("fits_compared", len(ends) * len(expected), "fits"),
        Row("fits_lost", sum(end.lost for end in ends), "fits", 0),
        Row("predictions_that_differ", sum(end.differing for end in ends), "fits", 0),
        Row("fits_given_again", sum(end.again for end in ends), "fits"),
        Row("fits_begun_again_though_not_in_flight", sum(end.unexplained for end in ends), "fits", 0),
        Row("trainings_that_the_ledger_does_not_know", sum(end.unknown for end in ends), "trainings", 0),
        Row(
            "jobs_given_again_beyond_those_of_killed_workers",
            max(0, sum(end.jobs for end in ends) - chaos.jobs_at_risk),
            "jobs",
            0,
        ),
    ]


def has_postgresql() -> bool:
    """Whether a server can be started; says where none can."""
    found = programs() is not None and find_spec("psycopg") is not None
    if not found:
        print("  no PostgreSQL server or no psycopg is installed: the ledger is SQLite's, no database is restarted")
    return found


# ---------------------------------------------------------------------- the campaign


@dataclass(frozen=True)
class End:
    """What a campaign was when it reached its end.

    Attributes:
        suffered: kinds of disturbances that happened while it ran.
        lost: fits without a result.
        differing: fits whose predictions have other bits than in the calm run.
        again: fits that were given again because their machine was gone.
        jobs: jobs that these were in.
        unexplained: attempts of fits, in the ledger, that neither the first one nor a lost machine explains.
        unknown: trainings of the slow experiment that the ledger counts no attempt for.
    """

    suffered: set[str]
    lost: int
    differing: int
    again: int
    jobs: int
    unexplained: int
    unknown: int


def write(folder: Path, seeds: int, seconds: float, run_settings: str) -> Path:
    """The campaign file, and the module of its slow learner."""
    (folder / "chaos_learners.py").write_text(LEARNERS, encoding="utf-8")
    slow = f'{{ kind = "chaos_learners:Slow", log = "{folder / "log"}", seconds = {seconds} }}'
    return write_campaign(folder, seeds=seeds, slow=slow, run=run_settings)


def disturbed(
    folder: Path,
    plan: Plan,
    chaos: Chaos,
    machines: Machines,
    server: PostgresqlServer | None,
    expected: Predictions,
) -> list[End]:
    """Runs the campaign, anew when it has reached its end, until chaos is over."""
    ends: list[End] = []
    dask = f'executor = "dask"\ndask = {{ address = "{machines.address}", patience = {PATIENCE} }}\n'
    with ThreadPoolExecutor() as pool:
        disturbing = []
        while not ends or not all(reign.done() for reign in disturbing):
            ledger = f'ledger = "{server.url(campaign=f"chaos-{len(ends)}", patience=PATIENCE)}"\n' if server else ""
            file = write(folder, plan.seeds, plan.seconds, dask + ledger)
            shutil.rmtree(state_folder(file), ignore_errors=True)
            (folder / "log").unlink(missing_ok=True)
            if not disturbing:
                # A database that a process has never reached counts as misspelt, and is not waited for.
                Campaign.open(file).ledger_site.exists()
                disturbing.append(pool.submit(chaos.reign, machines))
                if server is not None:
                    disturbing.append(pool.submit(chaos.shake, server))
            before = chaos.did.copy()
            campaign, told = run(file)
            ends.append(end_of(campaign, told, expected, set(chaos.did - before)))
        for reign in disturbing:
            reign.result()
    return ends


def run(file: Path) -> tuple[Campaign, list[Event]]:
    """A campaign, run to its end, and what it told."""
    told: list[Event] = []
    campaign = Campaign.open(file)
    campaign.run(told.append)
    return campaign, told


def end_of(campaign: Campaign, told: list[Event], expected: Predictions, suffered: set[str]) -> End:
    """Compares a finished campaign with the calm one, bit for bit, and its ledger with what was told."""
    with closing(campaign.ledger) as ledger:
        fits = {fit.key: fit for name in EXPERIMENTS for fit in ledger.fits(name)}
        begun = sum(fit.attempts for fit in ledger.fits("slow"))
    without = sum(fit.status != "done" for fit in fits.values())
    again = Counter(event.key for event in told if isinstance(event, FitRetried))
    trained = len((campaign.file.path.parent / "log").read_text(encoding="utf-8").splitlines())
    started = sum(1 for event in told if isinstance(event, JobStarted))
    finished = sum(1 for event in told if isinstance(event, JobFinished))
    return End(
        suffered,
        without,
        0 if without else differing(expected, predictions(campaign)),
        sum(again[key] for key in fits),
        started - finished,
        sum(abs(fit.attempts - 1 - again[key]) for key, fit in fits.items()),
        max(0, trained - begun),
    )


# ---------------------------------------------------------------------- what happens to it


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    Attributes:
        kills: of workers.
        pause: mean seconds between these.
        outages: of the scheduler, spread evenly between the kills.
        database_restarts: at least so many.
        database_pause: mean seconds between these.
        seeds, seconds: of the campaign; seconds that its slow learner sleeps for each fit.
    """

    kills: int
    pause: float
    outages: tuple[str, ...]
    database_restarts: int
    database_pause: float
    seeds: int
    seconds: float


@dataclass
class Chaos:
    """Kills workers at random moments, takes the scheduler away, and restarts the database.

    Attributes:
        plan: how often.
        did: how often so far, each kind by its name.
        away: seconds in which the scheduler refused connections or was silent.
        jobs_at_risk: jobs that can have been in flight where something was killed.
        over: whether the workers and the scheduler are left alone from now on.
    """

    plan: Plan
    did: Counter[str] = field(default_factory=Counter)
    away: float = 0.0
    jobs_at_risk: int = 0
    over: bool = False

    @property
    def scheduler_restarts(self) -> int:
        return self.did[RESTARTED] + self.did[REFUSED]

    def reign(self, machines: Machines) -> None:
        """Kills workers and takes the scheduler away until all kills are done."""
        generator, kills, outages = np.random.default_rng(11), self.plan.kills, self.plan.outages
        planned = {(number + 1) * kills // (len(outages) + 1): outage for number, outage in enumerate(outages)}
        try:
            while self.did[KILLED] < kills:
                time.sleep(float(generator.uniform(0.4, 1.6)) * self.plan.pause)
                outage = planned.pop(self.did[KILLED], None)
                if outage is not None:
                    self.away += OUTAGES[outage](machines)
                    self.did[outage] += 1
                    # Each worker's job once for the scheduler, and once more where the worker leaves for want of it.
                    self.jobs_at_risk += 2 * WORKERS
                    machines.wait_for_workers()
                elif machines.kill_a_worker(generator):
                    self.did[KILLED] += 1
                    self.jobs_at_risk += 1
        finally:
            self.over = True

    def shake(self, server: PostgresqlServer) -> None:
        """Restarts the database, every other time after killing it, as long as workers are killed."""
        generator = np.random.default_rng(13)
        while not self.over or self.did[DATABASE] < self.plan.database_restarts:
            time.sleep(float(generator.uniform(0.4, 1.6)) * self.plan.database_pause)
            how = signal.SIGKILL if self.did[DATABASE] % 2 else signal.SIGINT
            server.restart(away=float(generator.uniform(0.0, 3.0)), how=how)
            self.did[DATABASE] += 1


def refuse(machines: Machines) -> float:
    """Nothing listens on the scheduler's port for some seconds."""
    machines.stop_scheduler(8.0)
    return 8.0


def restart(machines: Machines) -> float:
    """The scheduler is killed and started again at once."""
    machines.stop_scheduler(0.0)
    return 0.0


def fall_silent(machines: Machines) -> float:
    """The scheduler is there and says nothing for some seconds."""
    machines.pause_scheduler(5.0)
    return 5.0


OUTAGES: dict[str, Callable[[Machines], float]] = {REFUSED: refuse, RESTARTED: restart, SILENT: fall_silent}
FULL = Plan(50, 4.0, (REFUSED, RESTARTED, SILENT, REFUSED), 5, 20.0, 20, 2.0)
QUICK = Plan(4, 3.0, (REFUSED,), 2, 5.0, 2, 0.1)

if __name__ == "__main__":
    libraries = ["probatum", "numpy", "jax", "sqlalchemy", "distributed"]
    benchmark("chaos", measure, [*libraries, *(["psycopg"] if find_spec("psycopg") else [])])
