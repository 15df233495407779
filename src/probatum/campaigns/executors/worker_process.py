"""A worker process of this machine as its driver sees it: it is given jobs, watched, and killed where it must be."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
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


Reports = queue.SimpleQueue[tuple["WorkerProcess", JobReport | None]]
"""What worker processes say, each with its process; None is the last one of a process that has ended."""


class WorkerProcess:
    """One worker process and the job it has.

    Args:
        setup: what it is told once.
        log_folder: where its standard error goes, as 'worker-NUMBER.log'.
        number: unlike that of any other process with this folder.
        reports: where its reports are put.
    """

    def __init__(
        self,
        setup: Setup,
        log_folder: Path,
        number: int,
        reports: Reports,
    ):
        self.job: Job | None = None
        self.deadline = 0.0
        self.number = number
        self._ready = False
        self._log = log = log_folder / f"worker-{number}.log"
        environment = os.environ | dict.fromkeys(ONE_THREAD, "1") | {"PYTHONUNBUFFERED": "1"}
        with storage_errors(log.parent), log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "probatum.campaigns.executors.worker"],
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
        """Gives it a job; it has no other."""
        now = time.monotonic()
        self.job, self.deadline = job, now + job.limit + STARTING
        if self._ready:  # else the listener sets the deadline as soon as it is
            self.deadline = now + job.limit
        self._tell(job.to_json())

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def overdue(self) -> JobReport | None:
        """Kills it where its job is past its limit, and says so; None where all is well."""
        if self.job is None or time.monotonic() < self.deadline:
            return None
        self.kill()
        return JobReport(self.job.id, TIMED_OUT, error=f"took longer than {self.job.limit:g} s and was stopped")

    def ended(self) -> JobReport | None:
        """Of a process that has ended: the report of the job that it had; None where it had none."""
        last_words = self._last_words()
        return JobReport(self.job.id, DIED, error=last_words) if self.job else None

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _last_words(self) -> str:
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

    def _listen(self, reports: Reports) -> None:
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
