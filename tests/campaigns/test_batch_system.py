"""Workers that a batch system starts: `sbatch` and `scancel` are here two scripts that start and end processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from campaigns.executor_conformance import alive
from campaigns.small_campaigns import Workplace

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


@pytest.mark.parametrize("adaptive", ["false", "true"])
def test_a_campaign_asks_a_batch_system_for_workers_and_ends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adaptive: str
):
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    (tmp_path / "bin").mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        script = tmp_path / "bin" / name
        script.write_text(text.format(folder=tmp_path))
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    try:
        campaign, _ = Workplace(tmp_path).run(CAMPAIGN.replace("ADAPTIVE", adaptive))
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
        deadline = time.monotonic() + 30
        while any(map(alive, jobs)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(jobs) == 1
        assert not any(map(alive, jobs))
        assert not list(campaign.folder.glob(".certificates*"))
    finally:
        for line in (tmp_path / "jobs").read_text().split() if (tmp_path / "jobs").exists() else []:
            if alive(int(line)):
                os.killpg(int(line), signal.SIGKILL)
