"""The books of a driver whose workers are elsewhere: which stations there are, and where each job is.

Two threads use them: the runner's, which hands jobs in and takes reports out, and the loop of the executor, which binds
jobs to stations. Nothing here knows who carries the messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace

from probatum.campaigns.jobs import LOST, Job, JobReport
from probatum.errors import ProbatumError

LOOK = 0.5
"""Seconds after which one who waits for news looks again."""


@dataclass(eq=False)
class RemoteStation:
    """A station as the driver knows it.

    Attributes:
        address, name, host: of its worker.
        id: of the station.
        cores: of the worker.
        jobs: its jobs in progress, by their id.
        tasks: id of each job in progress to the task that waits for it.
        used: cores of these jobs.
        sent: name of each artifact that it has, or that is on its way, to when it has arrived.
        busy_until: when its last job ended.
    """

    address: str
    id: str
    name: str
    host: str
    cores: int
    jobs: dict[str, Job] = field(default_factory=dict)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    used: int = 0
    sent: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    busy_until: float = field(default_factory=time.monotonic)

    @property
    def free(self) -> int:
        return self.cores - self.used


class Bookkeeping:
    """What a driver knows of its stations and jobs. Every job that is handed in is reported exactly once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stations: dict[str, RemoteStation] = {}
        self._backlog: deque[Job] = deque()
        self._open: dict[str, Job] = {}
        self._reports: queue.SimpleQueue[JobReport] = queue.SimpleQueue()
        self._news = threading.Event()
        self._grown = self._wanted = False
        self._trouble: ProbatumError | None = None

    # ------------------------------------------------------------------ room

    @property
    def cores(self) -> int:
        """Of all stations."""
        with self._lock:
            return sum(station.cores for station in self._stations.values())

    @property
    def free_cores(self) -> int:
        """Those that no job has or waits for."""
        with self._lock:
            cores = sum(station.cores for station in self._stations.values())
            return max(0, cores - sum(job.cores for job in self._open.values()))

    def room(self, *, whole: bool) -> int:
        """How many cores one more job may be given, as `Executor.room` promises; that there was none is remembered."""
        with self._lock:
            stations = self._stations.values()
            promised = sum(job.cores for job in self._backlog)
            if whole:
                free = [station.cores for station in stations if not station.used]
                found = max(free, default=0) if not self._backlog else 0
            else:
                # A few jobs wait here for the next free core, so that none is idle while the ledger is written.
                ahead = max(1, sum(station.cores for station in stations) // 4)
                found = 1 if stations and promised < sum(station.free for station in stations) + ahead else 0
            self._wanted = self._wanted or not found
            return found

    def more_was_wanted(self) -> bool:
        """Whether there was no room for a job since this was last asked."""
        with self._lock:
            wanted, self._wanted = self._wanted, False
            return wanted

    # ------------------------------------------------------------------ stations

    @property
    def stations(self) -> list[RemoteStation]:
        """Those that are there now."""
        with self._lock:
            return list(self._stations.values())

    def enter(self, station: RemoteStation) -> None:
        """A station has come."""
        with self._lock:
            self._stations[station.address] = station
            self._grown = True
        self._news.set()

    def lose(self, station: RemoteStation, why: str) -> None:
        """Forgets a station, and reports the jobs that it had."""
        with self._lock:
            if self._stations.get(station.address) is station:
                del self._stations[station.address]
        for job in list(station.jobs):
            self.end(JobReport(job, LOST, error=f"{station.host}, {station.address}: {why}"))

    def forget_news(self) -> None:
        """Stations that have come so far are no news to one who waits."""
        with self._lock:
            self._grown = False

    # ------------------------------------------------------------------ jobs

    def open(self, job: Job) -> None:
        """A job is handed in; it will be reported."""
        with self._lock:
            self._open[job.id] = job

    def refuse(self, job: Job) -> None:
        """A job that was handed in is none after all, and is not reported."""
        with self._lock:
            del self._open[job.id]

    def line_up(self, job: Job) -> None:
        """A job waits for a station."""
        with self._lock:
            self._backlog.append(job)

    def bind(self) -> tuple[Job, RemoteStation] | None:
        """Gives the job that waits longest to the station with most free cores, so that all are used evenly.

        Returns:
            both, or None where no job waits or none can start.
        """
        with self._lock:
            if not self._backlog or not self._stations:
                return None
            job, stations = self._backlog[0], self._stations.values()
            largest = max(station.cores for station in stations)
            if job.cores > largest:  # the machine that it was meant for is gone
                job = replace(job, cores=largest)
            station = max(stations, key=lambda s: s.free)
            if station.free < job.cores:
                return None
            self._backlog.popleft()
            station.used += job.cores
            station.jobs[job.id] = job
            return job, station

    def release(self, job: Job, station: RemoteStation) -> None:
        """A station is through with a job."""
        with self._lock:
            station.used -= job.cores
            station.jobs.pop(job.id, None)
            station.busy_until = time.monotonic()

    def end(self, report: JobReport) -> None:
        """Reports a job, once."""
        with self._lock:
            if self._open.pop(report.job, None) is None:
                return
        self._reports.put(report)
        self._news.set()

    # ------------------------------------------------------------------ news

    @property
    def trouble(self) -> ProbatumError | None:
        """Why nothing goes on; None where all is well."""
        return self._trouble

    def give_up(self, error: ProbatumError) -> None:
        """Nothing goes on; the first reason is kept."""
        with self._lock:
            self._trouble = self._trouble or error
        self._news.set()

    def wait(self) -> list[JobReport]:
        """Waits for reports, as `Executor.wait` promises.

        Raises:
            ProbatumError: what was given up for.
        """
        while True:
            self._news.clear()
            if found := self._ended():
                return found
            with self._lock:
                if self._trouble is not None:
                    raise self._trouble
                if self._grown:
                    self._grown = False
                    return []
                if self._stations and not self._open:
                    return []
            self._news.wait(LOOK)

    def _ended(self) -> list[JobReport]:
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._reports.get_nowait())
        return found
