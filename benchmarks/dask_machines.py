"""A Dask cluster of real processes that may be killed, stopped and started again, for benchmarks and tests."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np


class Machines:
    """A scheduler and workers in processes of their own, each started again when it has ended.

    Args:
        folder: for what they write.
        workers: how many; each has one thread and a nanny.
        tls: options of Dask's own commands that name files of TLS; () for none.
        path: folders that Python looks into first, there.
    """

    def __init__(self, folder: Path, workers: int, tls: Sequence[str] = (), path: Sequence[Path] = ()):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{self.port}"
        self.workers, self._tls = workers, tls
        self._environment = os.environ | ({"PYTHONPATH": os.pathsep.join(map(str, path))} if path else {})
        self._log = (folder / "machines.log").open("ab")
        self._folder = folder
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._nannies: dict[int, subprocess.Popen[bytes]] = {}
        self._not_before = 0.0
        self._lock = threading.Lock()
        self._open = True
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    def __enter__(self) -> Machines:
        self._supervisor.start()
        self.wait_for_workers()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._supervisor.join()
        for process in [*self._nannies.values(), *([self._scheduler] if self._scheduler else [])]:
            end(process)
        self._log.close()

    def wait_for_workers(self) -> None:
        """Until as many workers as there should be have come (or a minute has gone)."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(self.worker_processes()) < self.workers:
            time.sleep(0.2)

    def kill_a_worker(self, generator: np.random.Generator) -> bool:
        """Kills the process of a worker, or with every third kill the whole machine; False where none is there."""
        with self._lock:
            workers = self.worker_processes()
            if not workers:
                return False
            place = sorted(workers)[int(generator.integers(len(workers)))]
            if generator.random() < 1 / 3:
                end(self._nannies[place])
            else:
                os.kill(workers[place], signal.SIGKILL)
        return True

    def stop_scheduler(self, seconds: float) -> None:
        """Kills the scheduler, and lets nobody start it for some seconds."""
        with self._lock:
            self._not_before = time.monotonic() + seconds
            if self._scheduler is not None:
                end(self._scheduler)
        time.sleep(seconds)

    def pause_scheduler(self, seconds: float) -> None:
        """Stops the scheduler and lets it go on after some seconds."""
        with self._lock:
            assert self._scheduler is not None
            process = self._scheduler
            os.kill(process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGCONT)

    def worker_processes(self) -> dict[int, int]:
        """Number of a machine to the process of its worker, a child of its nanny."""
        found = {}
        for place, nanny in list(self._nannies.items()):
            for child in children(nanny.pid):
                if "spawn_main" in command(child) and "resource_tracker" not in command(child):
                    found[place] = child
        return found

    def _supervise(self) -> None:
        while self._open:
            with self._lock:
                if (self._scheduler is None or self._scheduler.poll() is not None) and (
                    time.monotonic() > self._not_before
                ):
                    self._scheduler = self._start(
                        "scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--protocol", self.address[:3]
                    )
                for place in range(self.workers):
                    nanny = self._nannies.get(place)
                    if nanny is None or nanny.poll() is not None:
                        options = ["--nthreads", "1", "--memory-limit", "0", "--host", "127.0.0.1"]
                        scratch = ["--local-directory", str(self._folder / "scratch")]
                        self._nannies[place] = self._start("worker", self.address, *options, *scratch)
            time.sleep(0.2)

    def _start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        """A process group of its own, so that a whole machine can be killed."""
        code = f"from distributed.cli.dask_{what} import main; main()"
        return subprocess.Popen(
            [sys.executable, "-c", code, *options, "--no-dashboard", *self._tls],
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            cwd=self._folder,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def children(process: int) -> list[int]:
    """The processes that a process has started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == process and state != "Z":
                found.append(int(stat.parent.name))
    return found


def command(process: int) -> str:
    """What a process was started with."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
