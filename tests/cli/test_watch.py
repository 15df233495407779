"""`status --watch`, in real processes: on a terminal, without one, left by Ctrl-C, and after a run that was killed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.small_lab import PROGRAM, Call, start
from cli.test_interruptions import FITS, slow, wait_until_some_are_done
from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.cli.watch import WINDOW, Rate, _chosen

__all__ = ["slow"]  # a fixture: the campaign that comes to a halt half-way
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38;[25];\d+)(?:;\d+)*m")
SHOW_CURSOR = "\x1b[?25h"
ON_ITS_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Not `preexec_fn`, which forks a process in which JAX may run threads."""


class Terminal:
    """The program on a terminal of 100 columns and 30 lines, and all that it writes there."""

    def __init__(self, folder: Path, *arguments: str, **environment: str):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_ITS_TERMINAL, PROGRAM, *arguments],
            cwd=folder,
            env={**kept, "TERM": "xterm-256color", **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._written = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        return self._written.decode()

    def _read(self) -> None:
        while True:
            try:
                found = os.read(self._master, 65536)
            except OSError:  # the last process closed its end
                return
            if not found:
                return
            self._written += found

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while text not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)

    def press_ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    def end(self) -> tuple[int, str]:
        code = self.process.wait(timeout=60)
        self._reader.join(timeout=10)
        os.close(self._master)
        return code, self.text


@dataclass
class Running:
    """A run that waits, and the folder of its campaign."""

    folder: Path
    process: subprocess.Popen[str]

    def let_it_end(self) -> None:
        (self.folder / "hold").unlink(missing_ok=True)


@pytest.fixture
def running(slow: Path) -> Iterator[Running]:
    process = start(slow, "run", "--no-groups", start_new_session=True)
    wait_until_some_are_done(slow, process)
    yield Running(slow, process)
    (slow / "hold").unlink(missing_ok=True)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


def test_a_campaign_is_watched_to_its_end_on_terminals_and_elsewhere(running: Running):
    elsewhere = start(running.folder, "status", "--watch")
    coloured = Terminal(running.folder, "status", "--watch")
    plain = Terminal(running.folder, "status", "--watch", NO_COLOR="1")
    dumb = Terminal(running.folder, "status", "--watch", TERM="dumb")
    for terminal in (coloured, plain, dumb):
        terminal.wait_for(" fits")
    assert running.process.poll() is None
    running.let_it_end()
    out, err = elsewhere.communicate(timeout=60)
    assert elsewhere.returncode == 0, err
    lines = out.splitlines()
    assert "\x1b" not in out
    assert all(line.startswith("lab.toml  ") for line in lines)
    done, total = (int(n) for n in re.findall(r"(\d+)/(\d+) fits", lines[-1])[0])
    assert done == total >= FITS
    ends = [terminal.end() for terminal in (coloured, plain, dumb)]
    assert [code for code, _ in ends] == [0, 0, 0], ends
    for _, text in ends[:2]:
        assert text.rstrip().endswith(SHOW_CURSOR) or SHOW_CURSOR in text
        assert "slow" in text
        assert f"{done}/{total} fits" in text
    assert COLOUR.search(ends[0][1])
    assert not COLOUR.search(ends[1][1])
    assert "\x1b" not in ends[2][1]


def test_ctrl_c_leaves_the_watch_and_not_the_run(running: Running):
    terminal = Terminal(running.folder, "status", "--watch")
    terminal.wait_for("slow")
    terminal.press_ctrl_c()
    code, text = terminal.end()
    assert code == 0, text
    assert "left; the campaign is not touched" in text
    assert "Traceback" not in text
    assert text.rindex(SHOW_CURSOR) > text.rindex("\x1b[?25l")
    assert running.process.poll() is None


def test_a_run_that_was_killed_ends_the_watch_with_what_is_missing(running: Running):
    watch = start(running.folder, "status", "--watch")
    assert watch.stdout is not None
    first = watch.stdout.readline()
    os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait(timeout=30)
    out, err = watch.communicate(timeout=60)
    assert watch.returncode == 1, first + out + err
    assert re.search(r"whoever ran it stopped: \d+ fits are missing; 'probatum run lab.toml' goes on", out)


def test_a_campaign_that_is_done_is_shown_once(lab: Path, call: Call):
    said = call(lab, "status", "lab.toml", "--watch")
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) == 1
    assert "running" not in said.out


def test_watching_and_json_do_not_go_together(lab: Path, call: Call):
    assert "drop --json" in call(lab, "status", "lab.toml", "--watch", "--json").err


def test_the_rate_is_that_of_the_last_minute():
    rate = Rate()
    assert rate.see(0.0, 5) is None  # what was done before says nothing
    assert rate.see(10.0, 5) is None
    assert rate.see(20.0, 25) == pytest.approx(1.0)
    busy = [rate.see(float(second), 25 + 3 * (second - 20)) for second in range(21, 200)]
    assert busy[-1] == pytest.approx(3.0)
    idle = [rate.see(float(second), 25 + 3 * 179) for second in range(200, 200 + int(WINDOW) + 2)]
    assert idle[-1] is None


def test_of_many_experiments_those_that_run_or_failed_are_shown_first():
    def record(name: str, done: int, failed: int = 0) -> ExperimentRecord:
        return ExperimentRecord(name, {}, "", fits=4, done=done, failed=failed)

    records = [record(f"done {i}", 4) for i in range(5)]
    records += [record("half", 2), record("broken", 1, failed=1), *(record(f"later {i}", 0) for i in range(5))]
    assert [r.name for r in _chosen(records, 4)] == ["half", "broken", "later 0", "later 1"]
    assert [r.name for r in _chosen(records[:6], 3)] == ["done 3", "done 4", "half"]
    assert _chosen(records, 0) == records
