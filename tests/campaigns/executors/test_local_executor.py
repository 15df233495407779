"""Workers in processes of this machine keep what every executor promises."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from campaigns.executors.executor_conformance import Bench, ExecutorConformance, reports
from campaigns.small_campaigns import Workplace
from probatum.campaigns.executors import local_executor, worker_process
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.executors.local_executor import LocalExecutor
from probatum.campaigns.jobs import DIED, DONE, Setup

DRIVER = """
import sys
from pathlib import Path
from probatum.campaigns.executors.local_executor import LocalExecutor
from probatum.campaigns.jobs import Job, Setup
executor = LocalExecutor(Setup.from_json(sys.argv[1]), 1, Path(sys.argv[3]))
executor.submit(Job.from_json(sys.argv[2]))
executor.wait()
"""


class TestLocalExecutor(ExecutorConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def make(cls, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Setup, int], Executor]:
        return lambda setup, cores: LocalExecutor(setup, cores, tmp_path_factory.mktemp("logs"))

    def driver(self) -> str:
        return DRIVER


def test_a_dead_workers_last_words_are_its_own(tmp_path: Path):
    """Of two workers one is replaced; the other's standard error stays its own."""
    bench = Bench(Workplace(tmp_path))
    noisy = tmp_path / f"{bench.place.learners}.py"
    noisy.write_text(noisy.read_text().replace("os._exit(3)", "print('I am going'), os._exit(3)"))
    executor = LocalExecutor(bench.setup, 2, tmp_path)
    try:
        executor.submit(bench.job("first", "Exiting"))
        executor.submit(bench.waiting("second"))
        bench.processes(1)
        report = reports(executor, 1)["first"]
        assert report.status == DIED
        assert "I am going" in report.error
        executor.submit(bench.job("third"))
        assert reports(executor, 1)["third"].status == DONE
        assert sorted(p.name for p in tmp_path.glob("worker-*.log")) == ["worker-1.log", "worker-2.log"]
        bench.gate.touch()
        assert reports(executor, 1)["second"].status == DONE
    finally:
        executor.close()


def test_the_start_of_a_worker_is_no_time_of_its_first_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Python starts so slowly that more time goes by, on the driver's clock, than the job may take."""
    gate, late = tmp_path / "start", [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + late[0])
    monkeypatch.setattr(local_executor, "time", clock)
    monkeypatch.setattr(worker_process, "time", clock)
    (tmp_path / "slow").mkdir()
    waiting = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.02)\n"
    (tmp_path / "slow" / "sitecustomize.py").write_text(waiting)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "slow"), os.environ.get("PYTHONPATH", "")]))
    bench = Bench(Workplace(tmp_path))
    executor = LocalExecutor(bench.setup, 1, tmp_path)
    limit = 0.9 * worker_process.STARTING
    try:
        executor.submit(bench.job("first", limit=limit))
        late[0] += limit + 1
        ended = ThreadPoolExecutor(1).submit(reports, executor, 1)
        with pytest.raises(TimeoutError):
            ended.result(1.5)
        gate.touch()
        assert ended.result()["first"].status == DONE
    finally:
        gate.touch()
        executor.close()
