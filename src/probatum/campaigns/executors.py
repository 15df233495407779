"""Who carries jobs out: the contract, and workers in processes of this machine."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path

from probatum.campaigns.artifacts import storage_errors
from probatum.campaigns.jobs import DIED, READY, TIMED_OUT, Job, JobReport, Setup

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Thread pools of libraries; the core budget is ours to share out."""


STARTING = 120.0
"""Seconds that a worker may take to start, on top of its first job's limit."""


class Executor(ABC):
    """Carries jobs out, in parallel, within a budget of cores.

    Every implementation keeps these promises (tests/campaigns/executor_conformance.py):

    - Every submitted job gets exactly one report from `wait`, however its worker ends.
    - A job past its limit is killed and reported TIMED_OUT; a worker that dies is replaced and its job reported DIED.
    - Jobs in progress never use more cores than the budget.
    - After `close`, no process of it is left.
    """

    @property
    @abstractmethod
    def cores(self) -> int:
        """The budget."""

    @property
    @abstractmethod
    def free_cores(self) -> int:
        """What is left of the budget now."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Starts a job; the caller sees to it that `job.cores` are free."""

    @abstractmethod
    def wait(self) -> list[JobReport]:
        """Blocks until at least one job has ended; [] where none is in progress."""

    @abstractmethod
    def close(self) -> None:
        """Stops all workers at once."""


class LocalExecutor(Executor):
    """Workers in processes of this machine, started when first needed.

    Args:
        setup: what workers are told once.
        cores: the budget.
        log_folder: where each worker's standard error goes.
    """

    def __init__(self, setup: Setup, cores: int, log_folder: Path):
        self._setup, self._cores, self._log_folder = setup, cores, log_folder
        self._workers: list[_Worker] = []
        self._reports: queue.SimpleQueue[tuple[_Worker, JobReport | None]] = queue.SimpleQueue()

    @property
    def cores(self) -> int:
        return self._cores

    @property
    def free_cores(self) -> int:
        return self._cores - sum(w.job.cores for w in self._workers if w.job)

    def submit(self, job: Job) -> None:
        worker = next((w for w in self._workers if w.job is None), None)
        if worker is None:
            number = min(set(range(1, len(self._workers) + 2)) - {w.number for w in self._workers})
            worker = _Worker(self._setup, self._log_folder, number, self._reports)
            self._workers.append(worker)
        worker.start(job)

    def wait(self) -> list[JobReport]:
        ended: list[JobReport] = []
        while not ended and any(w.job for w in self._workers):
            deadline = min(w.deadline for w in self._workers if w.job)
            try:
                worker, report = self._reports.get(timeout=max(0.0, min(deadline - time.monotonic(), 1.0)))
            except queue.Empty:
                ended += [r for w in self._workers if (r := self._overdue(w))]
                continue
            if worker not in self._workers:
                continue  # killed after it had answered
            if report is None:
                self._workers.remove(worker)
                last_words = worker.last_words()
                if worker.job:
                    ended.append(JobReport(worker.job.id, DIED, error=last_words))
            else:
                worker.job = None
                ended.append(report)
        return ended

    def _overdue(self, worker: _Worker) -> JobReport | None:
        if worker.job is None or time.monotonic() < worker.deadline:
            return None
        self._workers.remove(worker)
        worker.kill()
        return JobReport(worker.job.id, TIMED_OUT, error=f"took longer than {worker.job.limit:g} s and was stopped")

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers.clear()


class _Worker:
    """One worker process and the job it has."""

    def __init__(
        self,
        setup: Setup,
        log_folder: Path,
        number: int,
        reports: queue.SimpleQueue[tuple[_Worker, JobReport | None]],
    ):
        self.job: Job | None = None
        self.deadline = 0.0
        self.number = number
        self._ready = False
        self._log = log = log_folder / f"worker-{number}.log"
        environment = os.environ | dict.fromkeys(ONE_THREAD, "1") | {"PYTHONUNBUFFERED": "1"}
        with storage_errors(log.parent), log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "probatum.campaigns.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                text=True,
                encoding="utf-8",
            )
        self._tell(setup.to_json())
        threading.Thread(target=self._listen, args=(reports,), daemon=True).start()

    def start(self, job: Job) -> None:
        now = time.monotonic()
        self.job, self.deadline = job, now + job.limit + STARTING
        if self._ready:  # else the listener sets the deadline as soon as it is
            self.deadline = now + job.limit
        self._tell(job.to_json())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close()

    def last_words(self) -> str:
        """Why the process ended, as far as it is known."""
        code = self._process.wait()
        self._close()
        said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        hint = " (out of memory?)" if code == -9 else ""
        return "\n".join([f"the worker process {how}{hint}", *said])

    def _close(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died; the listener reports that

    def _listen(self, reports: queue.SimpleQueue[tuple[_Worker, JobReport | None]]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as answers:
            for line in answers:
                if line.strip() == READY:
                    self._ready = True
                    if self.job is not None:
                        self.deadline = time.monotonic() + self.job.limit
                    continue
                reports.put((self, JobReport.from_json(line)))
        reports.put((self, None))
