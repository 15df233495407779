"""Processes of their own: watched, limited in time, stopped, and forgotten with their files."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from probatum.campaigns.ledgers.lock import holder_of
from probatum.errors import CampaignLockedError, UnknownNameError, UsageError
from probatum.web import process_trees, processes
from probatum.web.processes import Processes
from web.small_dashboard import waited

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def started(tmp_path):
    made = Processes(tmp_path)
    yield made
    made.close()


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_what_a_process_says_is_shown_without_its_place_on_this_machine(started):
    folder = started.new_folder()
    code = f"import sys; print('answer'); print('reading', {str(folder / 'curve.txt')!r}, file=sys.stderr)"
    work = waited(started.start("question", "one", python(code), folder))
    assert work.state == "done"
    assert work.said == ["reading curve.txt"]
    assert (folder / "out.txt").read_text() == "answer\n"


def test_one_process_at_a_time_works_on_the_campaign(started):
    first = started.start("campaign", "run", SLEEP)
    with pytest.raises(CampaignLockedError):
        started.start("campaign", "run", SLEEP)
    started.stop(first)
    assert waited(first).state == "stopped"
    assert started.start("campaign", "run", SLEEP).running


def test_questions_wait_for_each_other(started):
    for _ in range(processes.QUESTIONS_AT_ONCE):
        started.start("question", "q", SLEEP)
    with pytest.raises(UsageError, match="questions are being answered"):
        started.start("question", "q", SLEEP)


def test_a_process_that_takes_too_long_is_ended_with_all_that_it_started(started, tmp_path):
    code = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
time.sleep(600)
"""
    work = started.start("question", "slow", python(code), limit=3.0)
    assert waited(work).state == "out of time"
    child = int((tmp_path / "child").read_text())
    for _ in range(200):
        if not alive(child):
            break
        time.sleep(0.02)
    assert not alive(child)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_process_that_will_not_stop_is_ended(started, monkeypatch):
    monkeypatch.setattr(processes, "GRACE", 0.3)
    code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    work = started.start("campaign", "stubborn", python(code))
    while not (work.folder / "out.txt").read_text():
        time.sleep(0.02)
    started.stop(work)
    assert waited(work).state == "stopped"
    assert work.code == -signal.SIGKILL


def test_on_windows_a_process_is_ended_by_the_systems_own_means(monkeypatch):
    """No process group and no SIGKILL there: Ctrl-Break asks, and taskkill ends the tree."""
    done = []

    class Running:
        pid = 4321

        def poll(self):
            return None

        def send_signal(self, number):
            done.append(number)

        def kill(self):
            done.append("kill")

    monkeypatch.setattr(process_trees.sys, "platform", "win32")
    monkeypatch.setattr(process_trees.signal, "CTRL_BREAK_EVENT", "ctrl-break", raising=False)
    monkeypatch.setattr(process_trees.subprocess, "run", lambda command, **_: done.append(command))
    for posix in ("killpg", "kill"):
        monkeypatch.delattr(process_trees.os, posix)
    monkeypatch.delattr(process_trees.signal, "SIGKILL")
    process_trees.ask_to_end(Running())
    process_trees.end(Running())
    assert done == ["ctrl-break", ["taskkill", "/F", "/T", "/PID", "4321"], "kill"]


def test_old_work_is_forgotten_with_its_files(started, monkeypatch):
    monkeypatch.setattr(processes, "KEPT", 2)
    works = [waited(started.start("question", str(i), python("pass"))) for i in range(4)]
    assert not works[0].folder.exists()
    assert works[-1].folder.exists()
    with pytest.raises(UnknownNameError):
        started.find(works[0].id)


def test_a_dashboard_that_ends_leaves_nothing_behind(tmp_path):
    made = Processes(tmp_path)
    work = made.start("campaign", "run", SLEEP)
    home = work.folder.parent
    made.close()
    assert work.process.returncode is not None
    assert not home.exists()


def test_nobody_guesses_where_work_lies(started):
    ids = {waited(started.start("question", "q", python("pass"))).id for _ in range(3)}
    assert len(ids) == 3
    assert all(len(id) >= 16 for id in ids)


def test_a_lock_whose_holder_was_killed_holds_nothing(tmp_path):
    import socket

    assert holder_of(tmp_path) is None
    holder = tmp_path / "lock.holder"
    holder.write_text(f"pid {os.getpid()} on {socket.gethostname()} since now")
    assert holder_of(tmp_path) == holder.read_text()
    process = processes.subprocess.Popen(python("pass"))
    process.wait()
    holder.write_text(f"pid {process.pid} on {socket.gethostname()} since now")
    assert holder_of(tmp_path) is None
    holder.write_text("pid 1 on another-machine since now")
    assert holder_of(tmp_path) is not None
