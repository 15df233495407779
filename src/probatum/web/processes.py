"""What the dashboard starts: processes of their own, with a time limit, that can be watched and stopped."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from probatum.errors import CampaignLockedError, UnknownNameError, UsageError
from probatum.web.process_trees import BREAKABLE, ask_to_end, begun, end

Kind = Literal["campaign", "question"]
PROGRAM = (sys.executable, "-P", "-c", BREAKABLE + "from probatum.cli.main import run_and_exit; run_and_exit()")
"""The command line, whether or not its script is installed. -P: no module of the current folder is taken for ours."""
QUESTIONS_AT_ONCE = 2
KEPT = 40
"""Processes that are remembered; the oldest finished ones are forgotten, with their files."""
GRACE = 10.0
"""Seconds that a process has to end by itself when it is asked to."""
SHOWN = 20
"""Last lines of what a process said."""
LARGEST_SHOWN = 16_384


@dataclass(eq=False)
class Work:
    """One process.

    Attributes:
        id: that nobody guesses.
        kind: 'campaign' works on the campaign, one at a time; 'question' answers one.
        title: for people.
        folder: of its own, with what it reads and writes; removed when it is forgotten.
        limit: seconds that it may take, None for no limit.
        process: of the system.
        started, ended: on the monotonic clock.
        stopped: why it was ended from outside: 'stopped', 'time'; None where it was not.
    """

    id: str
    kind: Kind
    title: str
    folder: Path
    limit: float | None
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    stopped: Literal["stopped", "time"] | None = None

    @property
    def running(self) -> bool:
        return self.ended is None

    @property
    def seconds(self) -> float:
        """That it ran, or has run so far."""
        return (self.ended or time.monotonic()) - self.started

    @property
    def code(self) -> int | None:
        """Its exit code."""
        return self.process.returncode

    @property
    def state(self) -> str:
        """'running', 'done', 'failed', 'stopped' or 'out of time'."""
        if self.running:
            return "running"
        if self.stopped is not None:
            return "out of time" if self.stopped == "time" else "stopped"
        return "done" if self.code == 0 else "failed"

    @property
    def said(self) -> list[str]:
        """The last lines that it printed for people, without the path of its folder."""
        try:
            with (self.folder / "said.txt").open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - LARGEST_SHOWN))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        text = text.replace(f"{self.folder}{os.sep}", "")
        return [line.rpartition("\r")[2] for line in text.splitlines() if line.strip()][-SHOWN:]


class Processes:
    """All that one dashboard started.

    Args:
        cwd: folder that processes run in.
    """

    def __init__(self, cwd: Path):
        self._cwd = cwd
        self._home = Path(tempfile.mkdtemp(prefix="probatum-serve-"))
        self._known: dict[str, Work] = {}
        self._lock = threading.Lock()

    def new_folder(self) -> Path:
        """A folder for what a process will read; `start` takes it over."""
        return Path(tempfile.mkdtemp(dir=self._home))

    def start(
        self, kind: Kind, title: str, command: Sequence[str], folder: Path | None = None, limit: float | None = None
    ) -> Work:
        """Starts a process; what it prints goes to `out.txt` and `said.txt` of its folder.

        Args:
            kind, title, limit: of the work.
            command: program and arguments.
            folder: of its own; default: a new one.

        Raises:
            CampaignLockedError: another one works on the campaign.
            UsageError: too many questions at once.
        """
        with self._lock:
            busy = [w for w in self._known.values() if w.running and w.kind == kind]
            if kind == "campaign" and busy:
                what = f"'{busy[0].title}' works on this campaign"
                raise CampaignLockedError(what, remedy="wait for it or stop it")
            if kind == "question" and len(busy) >= QUESTIONS_AT_ONCE:
                raise UsageError(f"{len(busy)} questions are being answered", remedy="wait for one of them")
            folder = folder or self.new_folder()
            with (folder / "out.txt").open("wb") as out, (folder / "said.txt").open("wb") as said:
                environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "160"}
                process = begun(command, cwd=self._cwd, out=out, said=said, environment=environment)
            work = Work(secrets.token_urlsafe(12), kind, title, folder, limit, process)
            self._known[work.id] = work
            self._forget()
        threading.Thread(target=self._watch, args=(work,), daemon=True, name=f"watch {title}").start()
        return work

    def find(self, id: str) -> Work:
        """A process by its id.

        Raises:
            UnknownNameError: it was never started, or is forgotten.
        """
        if id not in self._known:
            raise UnknownNameError("no such work", remedy="it may have been long ago; start it again")
        return self._known[id]

    def recent(self, kind: Kind) -> list[Work]:
        """Those of a kind, the last first."""
        return [w for w in reversed(self._known.values()) if w.kind == kind]

    def running(self, kind: Kind) -> Work | None:
        """One that runs."""
        return next((w for w in self.recent(kind) if w.running), None)

    def stop(self, work: Work) -> None:
        """Asks a process to end, as Ctrl-C does; what it finished is kept."""
        if work.running:
            work.stopped = work.stopped or "stopped"
            ask_to_end(work.process)
            threading.Thread(target=_kill_later, args=(work,), daemon=True).start()

    def close(self) -> None:
        """Ends all that runs, and removes the files."""
        running = [w for w in self._known.values() if w.running]
        for work in running:
            work.stopped = work.stopped or "stopped"
            ask_to_end(work.process)
        deadline = time.monotonic() + GRACE
        for work in running:
            try:
                work.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                end(work.process)
                work.process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _watch(self, work: Work) -> None:
        try:
            work.process.wait(work.limit)
        except subprocess.TimeoutExpired:
            work.stopped = work.stopped or "time"
            end(work.process)
            work.process.wait()
        end(work.process)  # what it left behind
        work.ended = time.monotonic()

    def _forget(self) -> None:
        finished = [w for w in self._known.values() if not w.running]
        for work in finished[: max(0, len(self._known) - KEPT)]:
            del self._known[work.id]
            shutil.rmtree(work.folder, ignore_errors=True)


def _kill_later(work: Work) -> None:
    try:
        work.process.wait(GRACE)
    except subprocess.TimeoutExpired:
        end(work.process)
