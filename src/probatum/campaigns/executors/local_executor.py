"""Carries jobs out in processes of this machine."""

from __future__ import annotations

import queue
import time
from pathlib import Path

from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.executors.worker_process import Reports, WorkerProcess
from probatum.campaigns.jobs import Job, JobReport, Setup


class LocalExecutor(Executor):
    """Workers in processes of this machine, started when first needed.

    Args:
        setup: what workers are told once.
        cores: the budget.
        log_folder: where each worker's standard error goes.
    """

    def __init__(self, setup: Setup, cores: int, log_folder: Path):
        self._setup, self._cores, self._log_folder = setup, cores, log_folder
        self._workers: list[WorkerProcess] = []
        self._reports: Reports = queue.SimpleQueue()

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
            worker = WorkerProcess(self._setup, self._log_folder, number, self._reports)
            self._workers.append(worker)
        worker.start(job)

    def wait(self) -> list[JobReport]:
        ended: list[JobReport] = []
        while not ended and any(w.job for w in self._workers):
            deadline = min(w.deadline for w in self._workers if w.job)
            try:
                worker, report = self._reports.get(timeout=max(0.0, min(deadline - time.monotonic(), 1.0)))
            except queue.Empty:
                for late in list(self._workers):
                    if said := late.overdue():
                        self._workers.remove(late)
                        ended.append(said)
                continue
            if worker not in self._workers:
                continue  # killed after it had answered
            if report is None:
                self._workers.remove(worker)
                if last := worker.ended():
                    ended.append(last)
            else:
                worker.job = None
                ended.append(report)
        return ended

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers.clear()
