"""What runs inside a Dask worker: stations, where jobs of campaigns are carried out in processes that can be killed.

Training is compiled code that no thread can interrupt, so a job never runs in the Dask worker itself: it runs in the
same worker process as on one's own machine (`probatum.campaigns.worker`), with the same limits on threads, and so gives
the same bits. The functions of this module are what the driver calls by way of Dask.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import re
import secrets
import shutil
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from probatum.campaigns.artifacts import ArtifactStore, storage_errors
from probatum.campaigns.jobs import STORAGE, Job, JobReport, Setup
from probatum.campaigns.manifest import LIBRARIES, libraries, source_digest
from probatum.campaigns.worker_process import Reports, WorkerProcess
from probatum.errors import DataError, StorageError
from probatum.version import __version__

LOOK = 0.1
"""Seconds between looks at whether a job is past its limit or no longer wanted."""
IDLE_PROCESS, IDLE_STATION = 60.0, 900.0
"""Seconds without a job after which a process ends, and after which a station forgets what it was sent."""

OPTIONAL = ("tinygp", "xgboost", "xgboost-cpu")
"""Libraries that a worker may lack where no job needs them; where it has them, their versions count."""

Answer = tuple[str, dict[str, bytes]]
"""A JobReport as JSON, and name to content of the artifacts that the job wrote."""


def environment() -> dict[str, str]:
    """What must be the same on driver and workers: the program, Python, and libraries that decide bits."""
    import platform

    return {
        "probatum": f"{__version__} ({source_digest()[:12]})",
        "python": ".".join(platform.python_version_tuple()[:2]),
        "machine": platform.machine(),
        **{name: found for name, found in libraries((*LIBRARIES, *OPTIONAL)).items() if found is not None},
    }


# ---------------------------------------------------------------------- what the driver calls


def open_station(campaign: str, setup: str, dask_worker: Any) -> dict[str, Any]:
    """Opens a campaign's station in this worker; one that is open stays as it is.

    Args:
        campaign: unlike that of any other driver.
        setup: a Setup as JSON.
        dask_worker: filled in by Dask.

    Returns:
        'station', its id; 'name' and 'host' of the worker; its 'cores'; 'held', the artifacts that it has from other
        campaigns; its 'environment'.
    """
    folder = Path(dask_worker.local_directory) / "probatum"
    count = dask_worker.state.nthreads
    station = _open.station(campaign, Setup.from_json(setup), folder, count)
    return {
        "station": station.id,
        "name": str(dask_worker.name),
        "host": socket.gethostname(),
        "cores": count,
        "held": station.held(),
        "environment": environment(),
    }


def receive(campaign: str, station: str, name: str, offset: int, piece: bytes, last: bool) -> bool:
    """Takes in a piece of an artifact; False where there is no such station."""
    found = _open.find(campaign, station)
    if found is not None:
        found.receive(name, offset, piece, last)
    return found is not None


def carry_out(campaign: str, station: str, job: str) -> Answer | None:
    """Carries a job out; None where there is no such station, or it was closed, or nobody waits for the job any more.

    Args:
        campaign, station: as they were opened.
        job: a Job as JSON.
    """
    found = _open.find(campaign, station)
    return None if found is None else found.carry_out(Job.from_json(job), _unwanted())


def close_station(campaign: str) -> None:
    """Ends a campaign's processes in this worker and forgets what was sent for it."""
    _open.close(campaign)


def _unwanted() -> Callable[[], bool]:
    """Tells whether the driver of the task that this thread runs is gone, or the Dask worker is about to leave."""
    from distributed import Status, get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def unwanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state != "executing" or worker.status not in (Status.running, Status.paused)

    return unwanted


# ---------------------------------------------------------------------- stations


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
        self._processes: list[_Process] = []
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

    def _watched(self, process: _Process, job: Job, unwanted: Callable[[], bool]) -> JobReport | None:
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

    def _process(self, job: Job) -> _Process:
        """An idle process that can import what the job names, or a new one."""
        modules = job.shipment.modules if job.shipment else None
        with self._lock:
            for process in [p for p in self._processes if not p.busy and not p.worker.alive]:
                self._remove(process)
            found = next((p for p in self._processes if not p.busy and p.modules == modules), None)
            if found is None:
                self._numbers += 1
                importable = None if modules is None else unpacked_modules(self.shared, modules, self._folder)
                found = _Process(self._setup, self._folder, self._numbers, modules, importable)
                self._processes.append(found)
            found.busy = True
            return found

    def _put_back(self, process: _Process) -> None:
        with self._lock:
            process.busy, process.used = False, time.monotonic()
            if self._closed or not process.worker.alive or process.worker.job is not None:
                self._remove(process)

    def _remove(self, process: _Process) -> None:
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


class _Process:
    """A worker process with a store of its own: what the station links there is read, all else was written."""

    def __init__(self, setup: Setup, folder: Path, number: int, modules: str | None, importable: Path | None):
        self.modules, self.busy, self.used = modules, False, time.monotonic()
        self.store = ArtifactStore(folder / f"process-{number}")
        self.reports: Reports = queue.SimpleQueue()
        self._linked: set[str] = set()
        own = replace(setup, store=str(self.store.folder), import_path=(str(importable),) if importable else ())
        self.worker = WorkerProcess(own, folder, number, self.reports)

    def link(self, names: set[str], shared: ArtifactStore) -> None:
        """Shows the process artifacts that were sent."""
        with storage_errors(self.store.folder):
            for name in names - self._linked:
                target = self.store.path(name)
                target.parent.mkdir(exist_ok=True)
                try:
                    os.link(shared.path(name), target)
                except FileExistsError:
                    pass  # it wrote the very same content before
                except OSError:
                    shutil.copyfile(shared.path(name), target)
                self._linked.add(name)

    def written(self) -> dict[str, bytes]:
        """Name to content of what the process has written since; it is removed here."""
        found = {}
        for file in self.store.folder.glob("??/*"):
            if file.name not in self._linked:
                if not file.name.startswith("."):
                    found[file.name] = file.read_bytes()
                file.unlink()
        return found

    def end(self) -> None:
        """Ends the process and removes its store."""
        self.worker.kill()
        shutil.rmtree(self.store.folder, ignore_errors=True)


def unpacked_modules(store: ArtifactStore, name: str, folder: Path) -> Path:
    """The folder that modules of an artifact were written to, to be imported from.

    Args:
        store: that has the artifact.
        name: of the artifact.
        folder: that the new one is made in.
    """
    target = folder / f"modules-{name.partition('.')[0][:16]}"
    if not target.exists():
        partial = target.with_suffix(".partial")
        for path, content in store.read_arrays(name).items():
            file = partial / path
            if not file.resolve().is_relative_to(partial.resolve()):
                raise DataError(f"module '{path}' lies outside its folder", remedy="run the campaign again")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.tobytes())
        partial.replace(target)
    return target


class _OpenStations:
    """The stations of this worker, by campaign; a thread looks after those that nobody uses."""

    def __init__(self) -> None:
        self._stations: dict[str, Station] = {}
        self._lock = threading.Lock()
        self._cores: Cores | None = None
        self._looking = False

    def station(self, campaign: str, setup: Setup, folder: Path, cores: int) -> Station:
        with self._lock:
            if self._cores is None:
                self._cores = Cores(cores)
            if campaign not in self._stations:
                name = hashlib.sha256(campaign.encode()).hexdigest()[:12]
                shared = ArtifactStore(folder / "sent")
                self._stations[campaign] = Station(setup, folder / name, shared, self._cores)
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, daemon=True).start()
            return self._stations[campaign]

    def find(self, campaign: str, station: str) -> Station | None:
        with self._lock:
            found = self._stations.get(campaign)
        return found if found is not None and found.id == station else None

    def close(self, campaign: str) -> None:
        with self._lock:
            found = self._stations.pop(campaign, None)
        if found is not None:
            found.close()
            self._tidy(found)

    def _tidy(self, closed: Station) -> None:
        """What was sent is kept as long as any campaign may use it."""
        with self._lock:
            if not self._stations:
                with contextlib.suppress(OSError):
                    shutil.rmtree(closed.shared.folder)

    def _look(self) -> None:
        while True:
            time.sleep(1.0)
            with self._lock:
                stations = dict(self._stations)
                if not stations:
                    self._looking = False
                    return
            for campaign, station in stations.items():
                station.rest(IDLE_PROCESS)
                if station.idle:
                    self.close(campaign)


_open = _OpenStations()
