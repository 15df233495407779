"""Ctrl-C or a kill in the middle of a round, with real processes: the same call goes on, and trains nothing twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from probatum.campaigns.ledgers.files import open_ledger
from probatum.campaigns.ledgers.ledger import ROUND_JUDGED, ROUND_PLANNED
from probatum.errors import UsageError

SLOW = """
import time
from pathlib import Path
from sklearn.base import BaseEstimator, RegressorMixin

class Slow(RegressorMixin, BaseEstimator):
    fits = 0  # of this worker: the first are done, the others wait as long as the file 'hold' is there

    def __init__(self, lift=0.0):
        self.lift = lift

    def fit(self, X, y):
        Slow.fits += self.lift > 0
        while Slow.fits > 5 and Path("hold").exists():
            time.sleep(0.02)
        self.mean_ = float(y.mean())
        return self

    def predict(self, X):
        return X[:, 0] * 0 + self.mean_ + self.lift
"""
CALL = """
import sys
from pathlib import Path
from probatum.laboratory.autopilot import Autopilot
from probatum.planning.proposal import Proposal

class Steps:
    name = "steps"
    def propose(self, history, k):
        return [Proposal("slow", {"model": {"lift": 0.2}}, "lifted")] if len(history.experiments) == 1 else []

if __name__ == "__main__":
    Autopilot(Path("slow.toml"), [Steps()], slots=1, cores=1).run(float("inf"), most_rounds=1)
"""


def started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "call.py"], cwd=folder, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def done(folder: Path) -> int:
    """Fits of the round that are recorded."""
    try:
        ledger = open_ledger(folder / "slow.toml")
    except UsageError:
        return 0
    try:
        return sum(e.done for e in ledger.experiments() if e.name == "lifted")
    finally:
        ledger.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_round_that_is_stopped_in_its_middle_is_gone_on_with(tmp_path: Path, contest: Path, how: signal.Signals):
    shutil.copy(contest.with_suffix(".csv"), tmp_path)
    head = contest.read_text(encoding="utf-8").partition("[[experiment]]")[0].replace('baseline = "mean"\n', "")
    (tmp_path / "slow.toml").write_text(f'{head}[[experiment]]\nname = "slow"\nmodel.kind = "slow:Slow"\n')
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    (tmp_path / "call.py").write_text(CALL, encoding="utf-8")
    (tmp_path / "hold").touch()
    process = started(tmp_path)
    deadline = time.monotonic() + 240
    while not done(tmp_path):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, how)
    process.communicate(timeout=60)
    before = done(tmp_path)
    ledger = open_ledger(tmp_path / "slow.toml")
    (fits,) = [e.fits for e in ledger.experiments() if e.name == "lifted"]
    assert 0 < before < fits
    assert [r.state for r in ledger.rounds()] == [ROUND_PLANNED]
    finished = {f.key: f.attempts for f in ledger.fits("lifted") if f.status == "done"}
    (tmp_path / "hold").unlink()
    again = started(tmp_path)
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, out + err
    (record,) = open_ledger(tmp_path / "slow.toml").rounds()
    assert record.state == ROUND_JUDGED
    assert record.content["results"][0]["outcome"] == "worse"
    after = {f.key: f.attempts for f in open_ledger(tmp_path / "slow.toml").fits("lifted")}
    assert len(after) == fits
    assert all(after[key] == attempts for key, attempts in finished.items())  # nothing was trained twice
    assert (tmp_path / "slow.toml").read_text(encoding="utf-8").count('name = "lifted"') == 1
