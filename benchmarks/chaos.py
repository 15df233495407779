"""Runs a campaign on a Dask cluster whose workers are killed at random and whose scheduler goes away and comes back.

Rows: fits that are lost or differ in any bit from a calm run on this machine alone (none may), and trainings beyond
those that a kill interrupted (none may). The cluster is one of real processes: a scheduler, workers with their nannies,
and a supervisor that starts again whatever has ended, as a batch system or systemd would.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from dask_machines import Machines
from result import Row, benchmark

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Event, FitRetried, JobFinished, JobStarted
from probatum.campaigns.ledger_files import state_folder

WORKERS = 3
EXPERIMENTS = ("ridge", "slow", "mlp", "blend")
PATIENCE = 120
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
CAMPAIGN = """
problem = { kind = "table", path = "table.csv", target = ["y", "z"], group = "group" }
[protocol]
splits = "leave-one-group-out"
seeds = SEEDS
baseline = "ridge"
[[experiment]]
name = "ridge"
model.kind = "ridge"
[[experiment]]
name = "slow"
model = { kind = "chaos_learners:Slow", log = "LOG", seconds = SECONDS }
[[experiment]]
name = "mlp"
model = { kind = "mlp", hidden = [16] }
training = { epochs = 30 }
[[experiment]]
name = "blend"
components = ["slow", "ridge"]
[run]
"""

Predictions = dict[tuple[str, str, int], np.ndarray]
"""(experiment, split, seed) to what was predicted."""


def measure(quick: bool) -> list[Row]:
    """Runs one campaign in peace and, again and again, one under kills; `quick` kills 4 times instead of 50."""
    kills, seeds, seconds, pause = (4, 2, 0.1, 3.0) if quick else (50, 6, 0.25, 4.0)
    with tempfile.TemporaryDirectory() as calm, tempfile.TemporaryDirectory() as wild:
        expected = predictions(run(write_campaign(Path(calm), seeds, seconds, "cores = 2\n"))[0])
        chaos = Chaos(kills, pause)
        with Machines(Path(wild), WORKERS) as machines:
            address = f'executor = "dask"\n[run.dask]\naddress = "{machines.address}"\npatience = {PATIENCE}\n'
            file = write_campaign(Path(wild), seeds, seconds, address)
            disturbing = threading.Thread(target=chaos.reign, args=(machines,))
            disturbing.start()
            ends = []
            while not ends or disturbing.is_alive():
                shutil.rmtree(state_folder(file), ignore_errors=True)
                (Path(wild) / "log").unlink(missing_ok=True)
                ends.append(end_of(*run(file), expected))
            disturbing.join()
    return [
        Row("worker_kills", chaos.killed, "kills", kills, "higher"),
        Row("scheduler_restarts", chaos.restarts, "restarts", 1 if quick else 3, "higher"),
        Row("seconds_in_which_the_scheduler_was_away", chaos.away, "s"),
        Row("campaigns_run_to_their_end", len(ends), "campaigns"),
        Row("fits_compared", len(ends) * len(expected), "fits"),
        Row("fits_lost", sum(end.lost for end in ends), "fits", 0),
        Row("predictions_that_differ", sum(end.differing for end in ends), "fits", 0),
        Row("fits_given_again", sum(end.again for end in ends), "fits"),
        Row("fits_begun_again_though_not_in_flight", sum(end.unexplained for end in ends), "fits", 0),
        Row("trainings_that_the_ledger_does_not_know", sum(end.unknown for end in ends), "trainings", 0),
        Row(
            "jobs_given_again_beyond_those_of_killed_workers", max(0, jobs_again(ends) - chaos.jobs_at_risk), "jobs", 0
        ),
    ]


# ---------------------------------------------------------------------- the campaign


@dataclass(frozen=True)
class End:
    """What a campaign was when it reached its end.

    Attributes:
        lost: fits without a result.
        differing: fits whose predictions have other bits than in the calm run.
        again: fits that were given again because their machine was gone.
        jobs: jobs that these were in.
        unexplained: attempts of fits, in the ledger, that neither the first one nor a lost machine explains.
        unknown: trainings of the slow experiment that the ledger counts no attempt for.
    """

    lost: int
    differing: int
    again: int
    jobs: int
    unexplained: int
    unknown: int


def write_campaign(folder: Path, seeds: int, seconds: float, run_settings: str) -> Path:
    """A table of 8 groups and 2 targets, a module of learners, and the campaign file."""
    generator = np.random.default_rng(5)
    x = generator.normal(size=(160, 6))
    y = np.column_stack([np.sin(x[:, 0]) + x[:, 1], x[:, 2] * x[:, 3]]) + 0.1 * generator.normal(size=(160, 2))
    lines = [",".join([*(f"{v:.5f}" for v in (*x[i], *y[i])), f"g{i % 8}"]) for i in range(160)]
    header = ",".join([*(f"x{i}" for i in range(6)), "y", "z", "group"])
    (folder / "table.csv").write_text("\n".join([header, *lines]), encoding="utf-8")
    (folder / "chaos_learners.py").write_text(LEARNERS, encoding="utf-8")
    text = CAMPAIGN.replace("SEEDS", str(seeds)).replace("SECONDS", str(seconds)).replace("LOG", str(folder / "log"))
    file = folder / "chaos.toml"
    file.write_text(text + run_settings, encoding="utf-8")
    return file


def run(file: Path) -> tuple[Campaign, list[Event]]:
    """A campaign, run to its end, and what it told."""
    told: list[Event] = []
    campaign = Campaign.open(file)
    campaign.run(told.append)
    return campaign, told


def predictions(campaign: Campaign) -> Predictions:
    """Everything that was predicted."""
    return {(name, p.split_digest, p.seed): p.prediction for name in EXPERIMENTS for p in campaign.predictions(name)}


def end_of(campaign: Campaign, told: list[Event], expected: Predictions) -> End:
    """Compares a finished campaign with the calm one, bit for bit, and its ledger with what was told."""
    fits = {fit.key: fit for name in EXPERIMENTS for fit in campaign.ledger.fits(name)}
    without = sum(fit.status != "done" for fit in fits.values())
    found = {} if without else predictions(campaign)
    differing = sum(not np.array_equal(expected[key], found[key]) for key in expected if key in found)
    again = Counter(event.key for event in told if isinstance(event, FitRetried))
    unexplained = sum(abs(fit.attempts - 1 - again[key]) for key, fit in fits.items())
    begun = sum(fit.attempts for fit in campaign.ledger.fits("slow"))
    trained = len((campaign.file.path.parent / "log").read_text(encoding="utf-8").splitlines())
    started = sum(1 for event in told if isinstance(event, JobStarted))
    finished = sum(1 for event in told if isinstance(event, JobFinished))
    campaign.ledger.close()
    return End(
        without or len(expected.keys() - found.keys()),
        differing,
        sum(again[key] for key in fits),
        started - finished,
        unexplained,
        max(0, trained - begun),
    )


def jobs_again(ends: list[End]) -> int:
    """Jobs that were begun and did not end."""
    return sum(end.jobs for end in ends)


# ---------------------------------------------------------------------- the cluster and what happens to it


@dataclass
class Chaos:
    """Kills workers at random moments, and takes the scheduler away.

    Attributes:
        kills: of workers that are to be.
        pause: mean seconds between them.
        killed, restarts: what has been done.
        away: seconds in which the scheduler refused connections or was silent.
        jobs_at_risk: jobs that can have been in flight where something was killed.
    """

    kills: int
    pause: float
    killed: int = 0
    restarts: int = 0
    away: float = 0.0
    jobs_at_risk: int = 0
    generator: np.random.Generator = field(default_factory=lambda: np.random.default_rng(11))

    def reign(self, machines: Machines) -> None:
        """Goes on until all kills are done."""
        outages = [refuse] if self.kills < 10 else [refuse, restart, fall_silent, refuse]
        planned: dict[int, Callable[[Machines], float]] = {
            (number + 1) * self.kills // (len(outages) + 1): outage for number, outage in enumerate(outages)
        }
        while self.killed < self.kills:
            time.sleep(float(self.generator.uniform(0.4, 1.6)) * self.pause)
            outage = planned.pop(self.killed, None)
            if outage is not None:
                self.away += outage(machines)
                self.restarts += outage is not fall_silent
                # Each worker's job once for the scheduler, and once more where the worker leaves for want of it.
                self.jobs_at_risk += 2 * WORKERS
                machines.wait_for_workers()
            elif machines.kill_a_worker(self.generator):
                self.killed += 1
                self.jobs_at_risk += 1


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


if __name__ == "__main__":
    benchmark("chaos", measure, ["probatum", "numpy", "jax", "sqlalchemy", "distributed"])
