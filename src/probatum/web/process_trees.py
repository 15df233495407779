"""A process with all that it starts: begun so that it can be asked to end, and ended, on every system."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

WINDOWS = sys.platform == "win32"
BREAKABLE = "import signal; signal.signal(signal.SIGBREAK, signal.default_int_handler); " if WINDOWS else ""
"""Python that goes before a program: on Windows Ctrl-Break, the only key that reaches another process, is Ctrl-C."""


def begun(
    command: Sequence[str], *, cwd: Path, out: IO[bytes], said: IO[bytes], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """A process of its own, whose children end with it.

    Args:
        command: program and arguments.
        cwd: folder that it runs in.
        out, said: files for its standard output and its standard error.
        environment: its variables.
    """
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=said,
        env=dict(environment),
        start_new_session=not WINDOWS,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """Asks a process and all that it started to end, as Ctrl-C does."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            os.killpg(process.pid, signal.SIGINT)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it started, at once; where it has ended, what it left behind.

    Windows finds children by their parent, so that there nothing is found of what an ended process left behind.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            if process.poll() is None:
                command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
                subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
                process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
