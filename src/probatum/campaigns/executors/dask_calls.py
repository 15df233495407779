"""What a driver calls in a Dask worker: a station is opened there, sent to, given jobs, and closed."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.executors.environment import environment
from probatum.campaigns.executors.station import Answer, Cores, Station
from probatum.campaigns.jobs import Job, Setup

IDLE_PROCESS = 60.0
"""Seconds without a job after which a process ends."""


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
