"""Watches a call: its processor time, its memory, its warnings, and what it does to the world outside."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

SECONDS = 60.0
"""Of processor time that one call may take; a busy machine does not count. Files of these tests take a hundredth."""
MEMORY = 1 << 30
"""Bytes that one call may ask for beyond what the process had before; files of these tests are smaller than 2 MiB."""
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
DEEDS = (
    "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate", "os.system",
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "subprocess.Popen",
    "socket.connect", "socket.bind", "socket.getaddrinfo", "shutil.rmtree", "shutil.move", "pty.spawn", "ctypes.dlopen",
)  # fmt: skip
"""Events of Python's audit (PEP 578) that no reader has reason to raise."""


class StillRunningError(BaseException):
    """A call that had `SECONDS` of processor time; no reader may catch it."""


@contextlib.contextmanager
def watched(allowed: Path | None = None) -> Iterator[None]:
    """Fails on whatever a reader must not do.

    Args:
        allowed: a folder whose files may be written; None: nothing may.

    Raises:
        StillRunningError: the time is over.
        MemoryError: where the system limits a process's memory: the call asked for too much.
        Warning: the first one.
        AssertionError: afterwards, where files were written, or processes and connections were started.
    """
    deeds: list[str] = []
    with warnings.catch_warnings(), _limited_time(), _limited_memory():
        warnings.simplefilter("error")
        _Ear.listening = (deeds, None if allowed is None else str(allowed))
        try:
            yield
        finally:
            _Ear.listening = None
    assert not deeds, deeds


class _Ear:
    """Hears audit events; it cannot be taken away again, so it is told when to listen."""

    listening: tuple[list[str], str | None] | None = None
    put_in = False

    @classmethod
    def hear(cls, event: str, arguments: tuple) -> None:
        if cls.listening is None:
            return
        deeds, allowed = cls.listening
        written = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
        if (written or event in DEEDS) and not (allowed and _place(event, arguments).startswith(allowed)):
            deeds.append(f"{event} {arguments[:2]}")


def _place(event: str, arguments: tuple) -> str:
    """Where a deed is done. Temporary folders clear themselves by names within an open folder, which Linux can tell."""
    named_within = event in ("os.remove", "os.rmdir") and isinstance(arguments[1], int) and arguments[1] >= 0
    if named_within and sys.platform == "linux":
        return os.path.join(os.readlink(f"/proc/self/fd/{arguments[1]}"), os.fsdecode(arguments[0]))
    return str(arguments[0])


sys.addaudithook(_Ear.hear)


@contextlib.contextmanager
def _limited_time() -> Iterator[None]:
    if not hasattr(signal, "setitimer"):  # pragma: no cover  Windows: the time limit of the whole test remains
        yield
        return

    def over(*_: object) -> None:
        raise StillRunningError(f"more than {SECONDS:g} seconds of processor time")

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextlib.contextmanager
def _limited_memory() -> Iterator[None]:
    """Limits the address space, so that an array of absurd size fails at once instead of being filled."""
    statistics = Path("/proc/self/statm")
    if not statistics.exists():  # pragma: no cover  macOS, Windows
        yield
        return
    import resource

    pages = int(statistics.read_text(encoding="ascii").split()[0])
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
