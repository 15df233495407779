"""Ctrl-C, a kill, a second process, a full disk: each ends in one line, and the same command goes on afterwards."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cli.small_lab import CAMPAIGN, Call, program, start, write_lab
from probatum.campaigns.ledgers.files import open_ledger
from probatum.errors import UsageError

FITS = 24
SLOW = """
import time
from pathlib import Path
from sklearn.base import BaseEstimator, RegressorMixin

class Slow(RegressorMixin, BaseEstimator):
    fits = 0  # of this worker: the first ones are done, the others wait as long as the file 'hold' is there

    def fit(self, X, y):
        Slow.fits += 1
        while Slow.fits > 5 and Path("hold").exists():
            time.sleep(0.02)
        self.mean_ = float(y.mean())
        return self

    def predict(self, X):
        return X[:, 0] * 0 + self.mean_
"""


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A campaign that comes to a halt half-way, until the file 'hold' is taken away."""
    text = CAMPAIGN[: CAMPAIGN.index("[[experiment]]")].replace("leave-one-group-out", "repeated-k-fold")
    text = (
        text.replace(', group = "batch"', "")
        .replace("seeds = 2", "folds = 4\nrepeats = 6")
        .replace('"ridge"', '"slow"')
    )
    write_lab(tmp_path, text + '[[experiment]]\nname = "slow"\nmodel.kind = "slow:Slow"\n')
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    (tmp_path / "hold").touch()
    return tmp_path


def done(folder: Path) -> int:
    """How many of the slow fits are recorded, read as `status` reads it while the campaign runs."""
    try:
        ledger = open_ledger(folder / "lab.toml")
    except UsageError:
        return 0
    try:
        return sum(e.done for e in ledger.experiments() if e.name == "slow")
    finally:
        ledger.close()


def wait_until_some_are_done(folder: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not done(folder):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def nobody_is_left(group: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def goes_on(call: Call, folder: Path, before: int) -> None:
    """The same command trains what is missing, and nothing else."""
    (folder / "hold").unlink(missing_ok=True)
    said = call(folder, "run", "--json")
    assert said.code == 0, said.err
    (slow,) = (e for e in said.values["experiments"] if e["name"] == "slow")
    assert (slow["done"], slow["failed"]) == (FITS, 0)
    known = int(said.err.split(" fits to train, ")[1].split(" fits already there")[0])
    assert known >= before > 0


def test_ctrl_c(slow: Path, call: Call):
    process = start(slow, "run", start_new_session=True)
    wait_until_some_are_done(slow, process)
    asked = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - asked < 5
    assert process.returncode == 130
    assert err.splitlines()[-1] == "stopped; run the same command again: what was finished is kept"
    assert "Traceback" not in out + err
    assert nobody_is_left(process.pid)
    before = done(slow)
    assert before < FITS
    goes_on(call, slow, before)


def test_two_processes_on_one_campaign_and_a_killed_one(slow: Path, call: Call):
    process = start(slow, "run", start_new_session=True)
    try:
        wait_until_some_are_done(slow, process)
        error = call(slow, "run").error
        assert f"pid {process.pid} on " in error
        assert "lab.probatum" in error
        assert "wait for it or stop it" in error
        assert call(slow, "status", "--json").code == 0  # looking is always allowed
        assert process.poll() is None
    finally:
        process.kill()
    process.communicate(timeout=20)
    assert nobody_is_left(process.pid)  # workers leave as soon as their driver is gone
    goes_on(call, slow, done(slow))


@pytest.mark.parametrize("size", [4_000, 100_000])
def test_a_full_disk(size: int, tmp_path: Path, call: Call):
    write_lab(tmp_path)
    full = program(tmp_path, "run", largest_file=size)
    assert full.code == 2, full.out + full.err
    *progress, error = full.err.splitlines()
    assert error.startswith("error: ")
    assert "the disk is full" in error
    assert "free space and run again" in error
    assert all("fits" in line for line in progress), full.err
    status = call(tmp_path, "status", "--json")
    assert status.code in (0, 2)
    assert "Traceback" not in status.err
    freed = call(tmp_path, "run", "--json")
    assert freed.code == 0, freed.err
    assert all(e["status"] == "done" for e in freed.values["experiments"])


def test_a_disk_that_is_full_later_keeps_what_is_recorded(slow: Path, call: Call):
    process = start(slow, "run", start_new_session=True)
    wait_until_some_are_done(slow, process)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
    (slow / "hold").unlink()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2, out + err
    assert err.splitlines()[-1].startswith("error: ")
    assert "the disk is full" in err.splitlines()[-1]
    assert "Traceback" not in out + err
    assert nobody_is_left(process.pid)
    status = call(slow, "status", "--json")
    assert status.code == 0
    before = done(slow)
    assert 0 < before < FITS
    goes_on(call, slow, before)
