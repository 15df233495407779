"""Small campaigns on real files: a table of 24 rows in six batches, and estimators that behave and misbehave."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import Event
from probatum.campaigns.execution import Bench
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.jobs import DIED, DONE, Job, JobReport

ROWS, BATCHES = 24, 6

LEARNERS = '''"""Estimators of somebody's own."""

import os
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from probatum.learning.learner import FitOutcome


class Mean(RegressorMixin, BaseEstimator):
    """Predicts the mean; its children misbehave."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.mean_ = np.mean(y, axis=0)
        return self

    def predict(self, X):
        return np.tile(self.mean_, (len(X), *([1] * np.ndim(self.mean_))))


class Noisy(Mean):
    """The mean and noise that the seed decides."""

    def predict(self, X):
        predicted = super().predict(X)
        return predicted + np.random.default_rng(self.random_state).normal(size=predicted.shape)


class Unseeded(Mean):
    """The mean and noise that nothing decides."""

    def predict(self, X):
        predicted = super().predict(X)
        return predicted + np.random.default_rng().normal(size=predicted.shape)


class Counting(Noisy):
    """Leaves a line in a file at each training."""

    def __init__(self, log="", random_state=None):
        self.log = log
        self.random_state = random_state

    def fit(self, X, y):
        with open(self.log, "a") as log:
            log.write(f"{self.random_state}\\n")
        return super().fit(X, y)


class Failing(Mean):
    def fit(self, X, y):
        raise ArithmeticError("the flask broke")


class FailingOnce(Mean):
    """Fails unless a file is there, which its first failure makes."""

    def __init__(self, marker="", random_state=None):
        self.marker = marker
        self.random_state = random_state

    def fit(self, X, y):
        marker = Path(f"{self.marker}-{self.random_state}")
        if not marker.exists():
            marker.touch()
            raise ArithmeticError("the flask slipped")
        return super().fit(X, y)


class Diverging(Noisy):
    """Predicts infinity with seed 1, finite numbers with others."""

    def predict(self, X):
        return super().predict(X) * (np.inf if self.random_state == 1 else 1.0)


class Sleeping(Noisy):
    """Takes an hour with seed 1, no time with others."""

    def fit(self, X, y):
        if self.random_state == 1:
            time.sleep(3600)
        return super().fit(X, y)


class Exiting(Noisy):
    """Ends its process with seed 1."""

    def fit(self, X, y):
        if self.random_state == 1:
            os._exit(3)
        return super().fit(X, y)


class Killed(Mean):
    """Leaves its process's id in a file and is killed."""

    def __init__(self, log="", random_state=None):
        self.log = log
        self.random_state = random_state

    def fit(self, X, y):
        Path(self.log).write_text(str(os.getpid()))
        os.kill(os.getpid(), 9)


class Waiting(Noisy):
    """Leaves its process's id in a file and waits until another file is there."""

    def __init__(self, log="", gate="", random_state=None):
        self.log = log
        self.gate = gate
        self.random_state = random_state

    def fit(self, X, y):
        with open(self.log, "a") as log:
            log.write(f"{os.getpid()}\\n")
        while not Path(self.gate).exists():
            time.sleep(0.02)
        return super().fit(X, y)


class Weighted(Noisy):
    """Trains many fits in one call, whatever their seeds, and keeps what it has learned."""

    def program(self):
        return "weighted"

    @classmethod
    def fit_many(cls, estimators, inputs, targets, row_sets, cores):
        return [
            FitOutcome(np.tile(w, (len(rows.predict), 1)), 0.0, weights={"mean": w})
            for rows in row_sets
            for w in [targets[rows.train].mean(axis=0)]
        ]
'''

PROBLEM = """problem = { kind = "table", path = "batches.csv", target = ["y", "z"], group = "batch" }
"""

SMALL = """[protocol]
splits = "leave-one-group-out"
seeds = 2
held_out = 0.34

[run]
cores = 1
keep_weights = true

[[experiment]]
name = "ridge"
features = ["a", "b"]
model.kind = "ridge"

[[experiment]]
name = "own"
model.kind = "@Weighted"
hypothesis = "the mean is enough"
"""
"""Campaign of a healthy model and of one that keeps weights; some cases are held out."""

_names = itertools.count(1)


@dataclass
class Workplace:
    """A folder with a table, a module of learners and campaign files.

    Attributes:
        folder: where all of it lies.
        learners: name of the module; unlike any other, since the modules of a process share their names.
    """

    folder: Path
    learners: str = field(default_factory=lambda: f"own_learners_{next(_names)}")

    def __post_init__(self) -> None:
        write_table(self.folder / "batches.csv")
        self.module.write_text(LEARNERS)

    @property
    def module(self) -> Path:
        return self.folder / f"{self.learners}.py"

    def own(self, name: str) -> str:
        """How a recipe names one of the learners."""
        return f"{self.learners}:{name}"

    def write(self, content: str, name: str = "small.toml") -> Path:
        """Writes a campaign file; '@Name' in it stands for one of the learners."""
        path = self.folder / name
        path.write_text(PROBLEM + content.replace("@", f"{self.learners}:"))
        return path

    def open(self, content: str, name: str = "small.toml") -> Campaign:
        return Campaign.open(self.write(content, name))

    def run(self, content: str, name: str = "small.toml") -> tuple[Campaign, list[Event]]:
        """Opens a campaign and runs it in worker processes of its own."""
        return run(self.open(content, name))


class Inline(Executor):
    """Carries jobs out in this process, one at a time, and lets workers 'die' as a test wants it.

    Args:
        campaign: whose jobs these are.
        cores: the budget.
        dies: keys of fits whose worker dies.
    """

    def __init__(self, campaign: Campaign, cores: int = 2, dies: set[str] | None = None):
        campaign.folder.mkdir(exist_ok=True)
        self._bench, self._cores, self._dies = Bench(campaign.setup), cores, dies or set()
        self.jobs: list[Job] = []
        self.begun: list[Job] = []
        self.most_cores = 0

    @property
    def cores(self) -> int:
        return self._cores

    @property
    def free_cores(self) -> int:
        return self._cores - sum(job.cores for job in self.jobs)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        self.begun.append(job)
        self.most_cores = max(self.most_cores, self._cores - self.free_cores)

    def wait(self) -> list[JobReport]:
        if not self.jobs:
            return []
        job = self.jobs.pop()  # the last one first: order must not matter
        if self._dies & {fit.key for fit in job.fits}:
            return [JobReport(job.id, DIED, error="killed by the test")]
        results, failures = self._bench.carry_out(job)
        return [JobReport(job.id, DONE, results, failures, seconds=0.01)]

    def close(self) -> None:
        pass


def run(campaign: Campaign, **options: bool) -> tuple[Campaign, list[Event]]:
    """A campaign, run to its end, and what it told."""
    told: list[Event] = []
    campaign.run(told.append, **options)
    return campaign, told


def make_memory_small(patched: pytest.MonkeyPatch, most: int = 2) -> None:
    """From now on programs of more fits side by side than `most` run out of memory."""
    import jax

    from probatum.learning import replicas

    chunk = replicas._run_chunk

    def run_chunk(procedure: Any, chosen: Any, width: int, inputs: Any, targets: Any) -> Any:
        if width > most:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes")
        return chunk(procedure, chosen, width, inputs, targets)

    patched.setattr(replicas, "_run_chunk", run_chunk)


def write_table(path: Path, shift: float = 0.0) -> None:
    """24 rows: y and z depend on a, b and colour; batches of four."""
    generator = np.random.default_rng(5)
    lines = ["a,b,colour,batch,y,z"]
    for row in range(ROWS):
        a, b, noise = generator.normal(size=3)
        colour = "red" if row % 3 else "blue"
        y = 2 * a - b + (row % 3 > 0) + 0.1 * noise + shift * (row == 0)
        lines.append(f"{a:.6f},{b:.6f},{colour},batch{row * BATCHES // ROWS},{y:.6f},{a * b:.6f}")
    path.write_text("\n".join(lines) + "\n")


def stored(campaign: Campaign, experiment: str) -> dict[tuple[str, int], np.ndarray]:
    """The predictions of an experiment by split and seed."""
    return {(p.split_digest, p.seed): p.prediction for p in campaign.predictions(experiment)}


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A real process that runs some code; it can be spoken to by its standard input and output."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
