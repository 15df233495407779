"""What every executor promises (the docstring of `Executor`), as tests with real workers; a new one subclasses them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from campaigns.small_campaigns import ROWS, Workplace, python
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.jobs import DIED, DONE, FAILED, STORAGE, TIMED_OUT, Job, JobFit, JobReport, Place, Setup

PATIENCE = 300.0
"""Seconds that a test waits for what takes one, on a machine that others keep busy."""


@dataclass
class Bench:
    """A folder with learners, stored rows to train on, and files to watch workers by."""

    place: Workplace

    def __post_init__(self) -> None:
        self.store = ArtifactStore(self.place.folder / "artifacts")
        self.log, self.gate = self.place.folder / "log", self.place.folder / "gate"
        train, test = np.arange(ROWS - 4), np.arange(ROWS - 4, ROWS)
        self.rows = Place(self.store.write_arrays({
            "train": train, "train_offsets": np.array([0, len(train)]),
            "test": test, "test_offsets": np.array([0, len(test)]),
        }), 0)  # fmt: skip

    @property
    def setup(self) -> Setup:
        options = {"path": str(self.place.folder / "batches.csv"), "target": ["y", "z"], "group": "batch"}
        problem = {"kind": "table", "options": options}
        return Setup(str(self.store.folder), problem, "mse", (str(self.place.folder),))

    def job(self, name: str, model: str = "Mean", *, cores: int = 1, limit: float = PATIENCE, **parameters: Any) -> Job:
        """One fit of one of the learners; its seed is 1, with which they misbehave."""
        kind = {"kind": model if model.islower() else self.place.own(model), **parameters}
        recipe = {"features": ["a", "b"], "model": kind}
        return Job(name, "table", 0, kind["kind"], cores, limit, (JobFit(f"key-{name}", recipe, 1, self.rows),))

    def waiting(self, name: str, **options: Any) -> Job:
        """A job that runs until the gate is open."""
        return self.job(name, "Waiting", log=str(self.log), gate=str(self.gate), **options)

    def processes(self, count: int) -> list[int]:
        """The ids of the processes that this many waiting jobs run in."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            lines = self.log.read_text().split() if self.log.exists() else []
            if len(lines) == count:
                return [int(line) for line in lines]
            time.sleep(0.02)
        raise AssertionError(f"{count} jobs never began")


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended, and that only its parent has not yet looked at, does not."""
    try:
        os.kill(process, 0)
        stat = Path(f"/proc/{process}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def reports(executor: Executor, count: int) -> dict[str, JobReport]:
    """Waits for this many reports; they must be of as many jobs."""
    found: list[JobReport] = []
    while len(found) < count:
        ended = executor.wait()
        assert ended, f"nothing is in progress, but {count - len(found)} reports are missing"
        found += ended
    assert len({report.job for report in found}) == len(found) == count
    return {report.job: report for report in found}


class ExecutorConformance:
    """Subclasses say how their executor is made: a fixture `make` that takes a Setup and a number of cores."""

    @pytest.fixture(scope="class")
    @classmethod
    def bench(cls, tmp_path_factory: pytest.TempPathFactory) -> Bench:
        return Bench(Workplace(tmp_path_factory.mktemp("bench")))

    @pytest.fixture(autouse=True)
    def _no_traces(self, bench: Bench) -> None:
        bench.log.unlink(missing_ok=True)
        bench.gate.unlink(missing_ok=True)

    @pytest.fixture(scope="class")
    @classmethod
    def shared(cls, make: Callable[[Setup, int], Executor], bench: Bench) -> Iterator[Executor]:
        """An executor of two cores that many tests may use, since workers take a second to start."""
        executor = make(bench.setup, 2)
        yield executor
        executor.close()

    def test_nothing_to_wait_for_is_said_at_once(self, shared: Executor):
        assert shared.wait() == []
        assert (shared.cores, shared.free_cores) == (2, 2)

    def test_every_job_gets_exactly_one_report(self, shared: Executor, bench: Bench):
        names = [f"many-{i}" for i in range(9)]
        found: list[JobReport] = []
        for name in names:
            while shared.free_cores < 1:
                found += shared.wait()
            shared.submit(bench.job(name))
        while ended := shared.wait():
            found += ended
        assert sorted(report.job for report in found) == names
        assert {report.status for report in found} == {DONE}
        assert shared.free_cores == 2

    def test_a_report_names_where_the_predictions_lie_and_what_they_score(self, shared: Executor, bench: Bench):
        shared.submit(bench.job("mean"))
        (result,) = reports(shared, 1)["mean"].results
        stored = bench.store.read_arrays(result.artifact)
        assert result.key == "key-mean"
        assert stored["rows"].tolist() == list(range(ROWS - 4, ROWS))
        lines = [line.split(",") for line in (bench.place.folder / "batches.csv").read_text().splitlines()[1:]]
        truth = np.array([[float(line[4]), float(line[5])] for line in lines])
        mean = truth[: ROWS - 4].mean(axis=0)
        assert np.allclose(stored["prediction"], mean)
        assert result.scores == pytest.approx(
            dict(zip(("y", "z"), ((truth[ROWS - 4 :] - mean) ** 2).mean(axis=0), strict=True))
        )
        assert result.rows == 4

    def test_a_failed_fit_is_reported_with_its_traceback(self, shared: Executor, bench: Bench):
        shared.submit(bench.job("failing", "Failing"))
        report = reports(shared, 1)["failing"]
        ((key, error),) = report.failures
        assert (report.status, report.results, key) == (DONE, (), "key-failing")
        assert "ArithmeticError: the flask broke" in error
        assert "in fit" in error

    def test_a_job_that_nobody_can_carry_out_is_reported_failed(self, shared: Executor, bench: Bench):
        job = bench.job("odd")
        shared.submit(Job("odd", "no-such-task", 0, job.model, 1, PATIENCE, job.fits))
        report = reports(shared, 1)["odd"]
        assert report.status == FAILED
        assert "unknown task 'no-such-task'" in report.error

    def test_results_that_cannot_be_written_are_reported_as_that(self, make: Any, bench: Bench, tmp_path: Path):
        (tmp_path / "file").write_text("in the way")
        executor = make(Setup(str(tmp_path / "file" / "store"), bench.setup.problem, "mse", bench.setup.import_path), 1)
        try:
            executor.submit(bench.job("lost"))
            report = reports(executor, 1)["lost"]
        finally:
            executor.close()
        assert report.status == STORAGE
        assert "make the folder writable" in report.error

    def test_a_job_past_its_limit_is_killed_and_its_neighbour_is_not(self, shared: Executor, bench: Bench):
        shared.submit(bench.job("warm-up"))
        shared.submit(bench.job("warm-up-2"))
        reports(shared, 2)
        shared.submit(bench.waiting("late", limit=4.0))
        shared.submit(bench.waiting("patient"))
        first, second = bench.processes(2)
        late = reports(shared, 1)["late"]
        assert late.status == TIMED_OUT
        assert "took longer than 4 s" in late.error
        assert sorted([alive(first), alive(second)]) == [False, True]
        assert shared.free_cores == 1
        bench.gate.touch()
        assert reports(shared, 1)["patient"].status == DONE

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
    def test_a_worker_that_is_killed_is_replaced_and_its_job_reported(
        self, shared: Executor, bench: Bench, how: signal.Signals
    ):
        shared.submit(bench.waiting("victim"))
        os.kill(bench.processes(1)[0], how)
        report = reports(shared, 1)["victim"]
        assert report.status == DIED
        assert f"killed by signal {int(how)}" in report.error
        assert shared.free_cores == 2
        shared.submit(bench.job("next"))
        assert reports(shared, 1)["next"].status == DONE

    def test_a_worker_that_ends_itself_is_replaced_and_its_job_reported(self, shared: Executor, bench: Bench):
        shared.submit(bench.job("exit", "Exiting"))
        report = reports(shared, 1)["exit"]
        assert report.status == DIED
        assert "ended with exit code 3" in report.error
        shared.submit(bench.job("next"))
        assert reports(shared, 1)["next"].status == DONE

    def test_a_worker_that_dies_idle_is_replaced_and_no_job_is_lost(self, shared: Executor, bench: Bench):
        bench.gate.touch()
        shared.submit(bench.waiting("last"))
        (process,) = bench.processes(1)
        reports(shared, 1)
        os.kill(process, signal.SIGKILL)
        for name in ("after-1", "after-2"):
            shared.submit(bench.job(name))
        found = reports(shared, 2)
        assert {report.status for report in found.values()} <= {DONE, DIED}
        shared.submit(bench.job("at last"))
        assert reports(shared, 1)["at last"].status == DONE

    def test_cores_in_use_are_not_free(self, shared: Executor, bench: Bench):
        shared.submit(bench.waiting("one"))
        assert shared.free_cores == 1
        shared.submit(bench.waiting("other"))
        assert shared.free_cores == 0
        bench.processes(2)
        bench.gate.touch()
        reports(shared, 2)
        shared.submit(bench.job("wide", cores=2))
        assert shared.free_cores == 0
        reports(shared, 1)
        assert shared.free_cores == 2

    def test_a_fused_job_gets_a_whole_machine_or_none(self, shared: Executor, bench: Bench):
        assert shared.machines == 1
        assert (shared.room(whole=True), shared.room(whole=False)) == (2, 1)
        shared.submit(bench.waiting("one"))
        bench.processes(1)
        assert (shared.room(whole=True), shared.room(whole=False)) == (0, 1)
        bench.gate.touch()
        reports(shared, 1)
        assert shared.room(whole=True) == 2

    def test_after_close_no_process_is_left(self, make: Any, bench: Bench):
        executor = make(bench.setup, 2)
        try:
            executor.submit(bench.waiting("one"))
            executor.submit(bench.waiting("other"))
            processes = bench.processes(2)
            assert all(map(alive, processes))
        finally:
            executor.close()
        deadline = time.monotonic() + PATIENCE
        while any(map(alive, processes)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not any(map(alive, processes))
        executor.close()

    def test_workers_leave_when_their_driver_is_killed(self, bench: Bench):
        """Nobody closes anything: the driver's process is gone at once."""
        with python(self.driver(), bench.setup.to_json(), bench.waiting("orphan").to_json(), bench.place.folder) as it:
            (process,) = bench.processes(1)
            it.kill()
        deadline = time.monotonic() + PATIENCE
        while alive(process) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not alive(process)

    def driver(self) -> str:
        """Code of a process that makes the executor of argument 1 and submits the job of argument 2."""
        raise NotImplementedError
