"""Worker processes that fork from one which has imported what they need, so that a small campaign starts in no time.

A worker spends some three seconds of processor time on imports, a campaign of the tests a tenth of one on its fits.
Forked workers run the same code in processes of their own, and die as others do. Tests of executors, of kills and of
the installed program start workers as users do.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

WORKER = "probatum.campaigns.executors.worker"
PRELOADED = (
    "probatum.campaigns.execution",
    "probatum.campaigns.executors.shipment",
    "probatum.learning.classical",
    "probatum.learning.gaussian_processes.estimator",
    "probatum.learning.networks.mlp_regressor",
    "probatum.learning.replicas",
    "probatum.learning.ridge",
    "probatum.problems.table",
    "lightgbm",
    "sklearn.ensemble",
    "sklearn.linear_model",
)
"""What workers import. Imports alone start no threads of JAX or OpenMP, which would not outlive a fork."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
LARGEST_REQUEST = 1 << 17
STATUS = struct.Struct("=i")


class Nursery:
    """The process that workers fork from; it ends with the one that started it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * LARGEST_REQUEST)
        command = [sys.executable, "-I", str(Path(__file__).resolve()), str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command, env=os.environ | ONE_THREAD, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd="/"
            )
        self._channel, self._asking = ours, threading.Lock()

    def start(self, environment: Mapping[str, str], errors: int) -> ForkedWorker:
        """A worker.

        Args:
            environment: variables that it sees.
            errors: file descriptor of its standard error.
        """
        request = json.dumps({"environment": dict(environment), "folder": str(Path.cwd())}).encode()
        assert len(request) <= LARGEST_REQUEST
        (told, tell), (answers, answer), (status, ended) = os.pipe(), os.pipe(), os.pipe()
        with self._asking:
            socket.send_fds(self._channel, [request], [told, answer, errors, ended])
        for descriptor in (told, answer, ended):
            os.close(descriptor)
        return ForkedWorker(tell, answers, status)

    def close(self) -> None:
        self._channel.close()
        self._process.wait()


class ForkedWorker:
    """What `subprocess.Popen` is for a worker of its own.

    Args:
        tell, answers: file descriptors at whose other ends it reads and writes.
        status: here its number comes when it starts and its exit code when it ends.
    """

    def __init__(self, tell: int, answers: int, status: int):
        self.stdin = os.fdopen(tell, "w", encoding="utf-8")
        self.stdout = os.fdopen(answers, encoding="utf-8")
        self._status = os.fdopen(status, "rb", buffering=0)
        self._asking = threading.Lock()
        self.pid = self._next()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        with self._asking:
            if self.returncode is None and select.select([self._status], [], [], 0)[0]:
                self._end()
            return self.returncode

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        with self._asking:
            if self.returncode is None:
                self._end()
            assert self.returncode is not None
            return self.returncode

    def kill(self) -> None:
        """Ends it at once. Its number is nobody else's as long as its end has not been read."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _end(self) -> None:
        self.returncode = self._next()
        self._status.close()

    def _next(self) -> int:
        return STATUS.unpack(self._status.read(STATUS.size))[0]


class Processes:
    """The module `subprocess` as it is, but that workers are forked."""

    def __init__(self) -> None:
        self._nursery: Nursery | None = None
        self._starting = threading.Lock()

    def module(self) -> SimpleNamespace:
        """To stand in for `subprocess`."""
        return SimpleNamespace(**{**vars(subprocess), "Popen": self.popen})

    def popen(self, command: Sequence[str], **options: Any) -> Any:
        """`subprocess.Popen`, but for workers."""
        if list(command[1:]) != ["-P", "-m", WORKER]:
            return subprocess.Popen(command, **options)
        with self._starting:
            self._nursery = self._nursery or Nursery()
        return self._nursery.start(options["env"], options["stderr"].fileno())

    def close(self) -> None:
        if self._nursery is not None:
            self._nursery.close()


# ---------------------------------------------------------------------- in the nursery


def serve(channel: socket.socket) -> None:
    """Forks a worker for each request until nobody can ask any more."""
    warnings.simplefilter("ignore")
    for name in PRELOADED:
        importlib.import_module(name)
    while True:
        request, descriptors, _, _ = socket.recv_fds(channel, LARGEST_REQUEST, 4)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # those that watched workers which have ended
                pass
        if not request:
            return
        if os.fork() == 0:
            channel.close()
            _watch(json.loads(request), descriptors)
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def _watch(request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Forks the worker, says its number and waits for its exit code."""
    worker = os.fork()
    if worker == 0:
        _work(request, descriptors)
    *streams, status = descriptors
    for descriptor in streams:
        os.close(descriptor)
    os.write(status, STATUS.pack(worker))
    _, ended = os.waitpid(worker, 0)
    os.write(status, STATUS.pack(os.waitstatus_to_exitcode(ended)))


def _work(request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """What `python -P -m probatum.campaigns.executors.worker` does; never returns."""
    code = 1
    try:
        for place, descriptor in enumerate(descriptors[:3]):
            os.dup2(descriptor, place)
        for descriptor in descriptors:
            os.close(descriptor)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(place, mode, encoding="utf-8", errors=errors, closefd=False, buffering=1)
            for place, (mode, errors) in enumerate((("r", "strict"), ("w", "strict"), ("w", "backslashreplace")))
        )
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        _seed_anew()
        warnings.resetwarnings()
        importlib.import_module(WORKER).main()
        code = 0
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _seed_anew() -> None:
    """Processes that started by themselves would not draw the same numbers."""
    import numpy as np

    random.seed()
    np.random.seed()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
