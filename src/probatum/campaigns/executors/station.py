"""Stations: places at a worker where jobs of campaigns are carried out, in processes that can be killed.

Training is compiled code that no thread can interrupt, so a job never runs in the worker of a cluster itself: it runs
in the same worker process as on one's own machine (`worker.py`), with the same limits on threads, and so gives the same
bits. Nothing here knows who carries the messages.
"""

from __future__ import annotations

import queue
import re
import secrets
import shutil
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from probatum.campaigns.artifacts import ArtifactStore, storage_errors
from probatum.campaigns.executors.station_process import StationProcess, unpacked_modules
from probatum.campaigns.jobs import STORAGE, Job, JobReport, Setup
from probatum.errors import StorageError

LOOK = 0.1
"""Seconds between looks at whether a job is past its limit or no longer wanted."""
IDLE_STATION = 900.0
"""Seconds without a job after which a station forgets what it was sent."""

Answer = tuple[str, dict[str, bytes]]
"""A JobReport as JSON, and name to content of the artifacts that the job wrote."""


class Station:
    """A campaign's place in a Dask worker: its processes and what they were sent.

    Args:
        setup: of the campaign.
        folder: of its own.
        shared: store of what all campaigns were sent.
        cores: of the worker.
    """

    def __init__(self, setup: Setup, folder: Path, shared: ArtifactStore, cores: Cores):
        self.id = secrets.token_hex(8)
        self.used = time.monotonic()
        self._setup, self._folder, self.shared, self._cores = setup, folder, shared, cores
        self._lock = threading.Lock()
        self._processes: list[StationProcess] = []
        self._numbers = 0
        self._closed = False
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def held(self) -> list[str]:
        """Names of the artifacts that were sent here."""
        return [file.name for file in self.shared.folder.glob("??/*") if not file.name.startswith(".")]

    def receive(self, name: str, offset: int, piece: bytes, last: bool) -> None:
        """Writes a piece of an artifact; the last one makes it known.

        Raises:
            StorageError: it cannot be written, or is not what its name says.
        """
        if not re.fullmatch(r"[0-9a-f]{64}\.\w+", name):
            raise StorageError("no name of an artifact", where=name)
        partial = self._folder / f"partial-{name}"
        with storage_errors(self._folder), partial.open("r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(piece)
        if last:
            content = partial.read_bytes()
            partial.unlink()
            self.shared.put(name, content)

    def carry_out(self, job: Job, unwanted: Callable[[], bool]) -> Answer | None:
        """Carries a job out in a process, as soon as there are cores for it."""
        taken = self._cores.take(job.cores, lambda: self._closed or unwanted())
        if not taken:
            return None
        try:
            process = self._process(job)
            try:
                process.link(job.artifacts, self.shared)
                report = self._watched(process, job, unwanted)
                return None if report is None else (report.to_json(), process.written())
            finally:
                self._put_back(process)
        except StorageError as error:
            where = f"{socket.gethostname()}, {error.where}"
            report = JobReport(job.id, STORAGE, error=str(StorageError(error.what, where=where, remedy=error.remedy)))
            return report.to_json(), {}
        finally:
            self.used = time.monotonic()
            self._cores.give_back(taken)

    def _watched(self, process: StationProcess, job: Job, unwanted: Callable[[], bool]) -> JobReport | None:
        """What became of a job: None where it was stopped because nobody wants it."""
        process.worker.start(job)
        while True:
            try:
                _, report = process.reports.get(timeout=LOOK)
            except queue.Empty:
                if self._closed or unwanted():
                    process.worker.kill()
                    return None
                if late := process.worker.overdue():
                    return late
                continue
            if report is None:
                return None if self._closed else process.worker.ended()
            process.worker.job = None
            return report

    def _process(self, job: Job) -> StationProcess:
        """An idle process that can import what the job names, or a new one."""
        modules = job.shipment.modules if job.shipment else None
        with self._lock:
            for process in [p for p in self._processes if not p.busy and not p.worker.alive]:
                self._remove(process)
            found = next((p for p in self._processes if not p.busy and p.modules == modules), None)
            if found is None:
                self._numbers += 1
                importable = None if modules is None else unpacked_modules(self.shared, modules, self._folder)
                found = StationProcess(self._setup, self._folder, self._numbers, modules, importable)
                self._processes.append(found)
            found.busy = True
            return found

    def _put_back(self, process: StationProcess) -> None:
        with self._lock:
            process.busy, process.used = False, time.monotonic()
            if self._closed or not process.worker.alive or process.worker.job is not None:
                self._remove(process)

    def _remove(self, process: StationProcess) -> None:
        process.end()
        if process in self._processes:
            self._processes.remove(process)

    def rest(self, longer_than: float) -> None:
        """Ends processes that have had no job for this many seconds."""
        with self._lock:
            for process in [p for p in self._processes if not p.busy and time.monotonic() - p.used > longer_than]:
                self._remove(process)

    @property
    def idle(self) -> bool:
        """Whether it has no process, and has not had one for long."""
        return not self._processes and time.monotonic() - self.used > IDLE_STATION

    def close(self) -> None:
        """Ends all processes at once; threads that wait for them give up."""
        self._closed = True
        with self._lock:
            for process in list(self._processes):
                process.worker.kill()
                if not process.busy:  # else the thread that watches it removes it
                    self._remove(process)
        shutil.rmtree(self._folder, ignore_errors=True)


class Cores:
    """A worker's cores, which jobs of all campaigns take in the order in which they came.

    Args:
        count: of them.
    """

    def __init__(self, count: int):
        self._count = self._free = count
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    def take(self, count: int, unwanted: Callable[[], bool]) -> int:
        """Waits for cores; returns how many were taken, 0 where the job is no longer wanted."""
        place, count = object(), min(count, self._count)
        with self._changed:
            self._line.append(place)
            try:
                while self._line[0] is not place or self._free < count:
                    if unwanted():
                        return 0
                    self._changed.wait(LOOK)
                self._free -= count
                return count
            finally:
                self._line.remove(place)
                self._changed.notify_all()

    def give_back(self, count: int) -> None:
        """Cores that were taken are free again."""
        with self._changed:
            self._free += count
            self._changed.notify_all()
