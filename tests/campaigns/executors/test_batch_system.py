"""Workers that a batch system starts: `sbatch` and `scancel` are here two scripts that start and end processes."""

from __future__ import annotations

import os
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from campaigns.executors.executor_conformance import PATIENCE, alive
from campaigns.small_campaigns import Workplace
from probatum.errors import ClusterError

SBATCH = """#!/bin/sh
cat "$1" >> "{folder}/scripts"
cp "$1" "{folder}/script.sh"
setsid sh "{folder}/script.sh" > "{folder}/worker.out" 2>&1 &
echo $! >> "{folder}/jobs"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -9 -- -"$1"
echo "$1" >> "{folder}/cancelled"
"""
CAMPAIGN = """[protocol]
splits = "stratified-hold-out"
repeats = 1
seeds = 2

[[experiment]]
name = "noisy"
model.kind = "@Noisy"

[run]
executor = "dask"

[run.dask.jobqueue]
kind = "slurm"
jobs = 1
cores = 2
memory = "1GB"
walltime = "00:10:00"
queue = "short"
account = "chem042"
interface = "lo"
directives = ["--constraint=avx512"]
prologue = ["export STARTED_BY=prologue"]
adaptive = ADAPTIVE
"""


pytestmark = pytest.mark.skipif(find_spec("dask_jobqueue") is None, reason="dask-jobqueue is not installed")


@pytest.mark.parametrize("adaptive", ["false", "true"])
def test_a_campaign_asks_a_batch_system_for_workers_and_ends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adaptive: str
):
    (tmp_path / "bin").mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        script = tmp_path / "bin" / name
        script.write_text(text.format(folder=tmp_path))
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    before = signal.getsignal(signal.SIGINT)
    try:
        campaign, _ = Workplace(tmp_path).run(CAMPAIGN.replace("ADAPTIVE", adaptive))
        assert signal.getsignal(signal.SIGINT) is before  # Ctrl-C does what it did
        script = (tmp_path / "scripts").read_text()
        jobs = [int(line) for line in (tmp_path / "jobs").read_text().split()]
        assert [fit.status for fit in campaign.ledger.fits("noisy")] == ["done", "done"]
        for line in (
            "#SBATCH -p short",
            "#SBATCH -A chem042",
            "#SBATCH --cpus-per-task=2",
            "#SBATCH -t 00:10:00",
            "#SBATCH --constraint=avx512",
            "export STARTED_BY=prologue",
        ):
            assert line in script.splitlines()
        assert " tls://127.0.0.1:" in script
        assert "--tls-key" in script
        assert "BEGIN" not in script  # the key lies in a file that the user alone can read
        deadline = time.monotonic() + PATIENCE
        while any(map(alive, jobs)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(jobs) == 1
        assert not any(map(alive, jobs))
        assert not list(campaign.folder.glob(".certificates*"))
    finally:
        for line in (tmp_path / "jobs").read_text().split() if (tmp_path / "jobs").exists() else []:
            if alive(int(line)):
                os.killpg(int(line), signal.SIGKILL)


@pytest.mark.parametrize(("kind", "command"), [("slurm", "sbatch"), ("lsf", "bsub"), ("pbs", "qsub")])
def test_a_machine_without_the_batch_system_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, command: str
):
    monkeypatch.setenv("PATH", str(tmp_path))
    campaign = CAMPAIGN.replace("ADAPTIVE", "false").replace('kind = "slurm"', f'kind = "{kind}"')
    with pytest.raises(ClusterError, match=f"{command} is not found"):
        Workplace(tmp_path).run(campaign)
