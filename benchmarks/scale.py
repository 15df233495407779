"""Beyond one machine: what a Dask cluster costs over local workers, and how many workers one driver keeps busy.

1. The same campaign by local workers and by Dask workers on this machine, at equal cores, one after the other in turns.
   Clusters are started before the clock; worker processes are started within it, on both sides.
2. A simulated cluster: workers sleep in place of training, everything else is a campaign's own: planning, jobs, one
   artifact a job, which the driver writes and syncs as it does for workers far away, and the ledger. A worker's sleep
   lasts as long as its fits would train, and passes in real time beside the driver's work. Workers are watched from
   the first job that is given out to the last: while there is work, one is idle only as long as the driver makes it
   wait.
"""

from __future__ import annotations

import heapq
import os
import queue
import statistics
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from result import Row, benchmark
from sqlalchemy import event
from sqlalchemy.engine import Engine

from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.events import JobFinished, JobStarted
from probatum.campaigns.executors.dask_executor import DaskExecutor
from probatum.campaigns.executors.dask_settings import DaskSettings
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.executors.local_executor import LocalExecutor
from probatum.campaigns.jobs import DONE, Job, JobReport
from probatum.campaigns.ledgers.ledger import FitResult

GROUPS = 100
"""Groups of the table, each left out once."""
SECONDS_A_FIT = 0.3
"""A worker's sleep for each fit of its job."""
SIZES = (1, 16, 64, 256)
"""Workers of the simulated cluster."""
MOST_FITS = 100_000
WRITERS = 16
"""Threads that write artifacts, as a Dask driver's."""
TURNS = 3
FOREST = 'model = {{ kind = "random_forest", n_estimators = {trees} }}'
NETWORK = 'model = {{ kind = "mlp", hidden = [32, 16] }}\ntraining = {{ epochs = {epochs} }}'
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def measure(quick: bool) -> list[Row]:
    """All rows; `quick` simulates two sizes for some seconds and runs one turn on two workers."""
    rows = []
    for workers, threads in ((2, 1),) if quick else ((1, 1), (2, 1), (4, 1), (1, 2)):
        rows.append(dask_against_local(workers, threads, quick))
    for workers in (16, 256) if quick else SIZES:
        wanted = workers * (25 if quick else 200)
        rows += simulated(workers, MOST_FITS if workers == max(SIZES) and not quick else wanted)
    return rows


# ---------------------------------------------------------------------- Dask beside local workers


def dask_against_local(workers: int, threads: int, quick: bool) -> Row:
    """Wall time by Dask over that by local workers, the median of some turns: forests one by one, or fused networks."""
    if threads == 1:
        models, work = [FOREST.format(trees=60 if quick else 150)], "forests"
    else:
        models, work = [NETWORK.format(epochs=200 + i) for i in range(1 if quick else 3)], "fused networks"
    settings = DaskSettings(workers=workers, threads=threads)
    ratios = []
    for _ in range(1 if quick else TURNS):
        taken = []
        for by_dask in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                campaign = Campaign.open(table_campaign(Path(folder), models))
                campaign.folder.mkdir(parents=True)
                if by_dask:
                    executor: Executor = DaskExecutor(campaign.setup, settings, campaign.folder, Path(folder))
                    while executor.cores < workers * threads:
                        time.sleep(0.05)
                else:
                    executor = LocalExecutor(campaign.setup, workers * threads, campaign.folder)
                try:
                    started = time.perf_counter()
                    campaign.run(executor=executor)
                    taken.append(time.perf_counter() - started)
                finally:
                    executor.close()
        ratios.append(taken[1] / taken[0])
        print(f"  {work}, {workers} x {threads}: local {taken[0]:.2f} s, Dask {taken[1]:.2f} s", flush=True)
    named = f"{workers} Dask worker{'s' if workers > 1 else ''} of {threads} thread{'s' if threads > 1 else ''}"
    return Row(f"{named}, {work}: times the local executor's time", statistics.median(ratios), "", 1.1)


# ---------------------------------------------------------------------- a cluster that sleeps


class SleepingCluster(Executor):
    """Workers of one core that sleep, and what they were given to do.

    As on a real cluster a loop in a thread of its own binds jobs to workers, a few jobs wait for the next free one, and
    artifacts are written by threads.

    Args:
        workers: how many.
        store: that artifacts are written to.
    """

    def __init__(self, workers: int, store: ArtifactStore):
        self._workers, self._store = workers, store
        self._asleep: list[tuple[float, int, float, Job]] = []
        self._backlog: deque[Job] = deque()
        self._open = 0
        self._changed = threading.Condition()
        self._reports: queue.SimpleQueue[JobReport] = queue.SimpleQueue()
        self._writers = ThreadPoolExecutor(WRITERS)
        self._closed = False
        self.first = self.last = 0.0
        self._given = 0
        self._spans: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def cores(self) -> int:
        return self._workers

    @property
    def free_cores(self) -> int:
        with self._changed:
            return self._workers - len(self._asleep) - len(self._backlog)

    def room(self, *, whole: bool) -> int:
        return 1 if self.free_cores > -(self._workers // 4) else 0

    def submit(self, job: Job) -> None:
        now = time.monotonic()
        self.first, self.last = self.first or now, now
        with self._changed:
            self._open += 1
            self._backlog.append(job)
            self._changed.notify()

    def wait(self) -> list[JobReport]:
        if not self._open:
            return []
        reports = [self._reports.get()]
        while not self._reports.empty():
            reports.append(self._reports.get())
        self._open -= len(reports)
        return reports

    @property
    def jobs(self) -> int:
        """How many were carried out."""
        return len(self._spans)

    @property
    def busy(self) -> float:
        """Part of the workers' time, from the first job given out to the last, in which they had one."""
        worked = sum(max(0.0, min(wakes, self.last) - began) for began, wakes in self._spans)
        return worked / (self._workers * (self.last - self.first))

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        self._writers.shutdown()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                while self._asleep and self._asleep[0][0] <= now:
                    wakes, number, began, job = heapq.heappop(self._asleep)
                    self._spans.append((began, wakes))
                    self._writers.submit(self._written, job, number, wakes - began)
                while self._backlog and len(self._asleep) < self._workers:
                    job = self._backlog.popleft()
                    self._given += 1
                    heapq.heappush(self._asleep, (now + SECONDS_A_FIT * len(job.fits), self._given, now, job))
                self._changed.wait(self._asleep[0][0] - now if self._asleep else None)

    def _written(self, job: Job, number: int, seconds: float) -> None:
        """What a job brings: predictions of five rows for each fit, in one artifact."""
        count = len(job.fits)
        artifact = self._store.write_arrays({
            "offsets": np.arange(0, 5 * count + 1, 5),
            "rows": np.tile(np.arange(5, dtype=np.int32), count),
            "prediction": np.random.default_rng(number).normal(size=(5 * count, 1)),
        })  # fmt: skip
        results = tuple(FitResult(f.key, SECONDS_A_FIT, artifact, i, {"y": 1.0}, 5) for i, f in enumerate(job.fits))
        self._reports.put(JobReport(job.id, DONE, results, seconds=seconds))


def simulated(workers: int, fits: int) -> list[Row]:
    """One campaign of this many fits on a cluster that sleeps."""
    with tempfile.TemporaryDirectory() as folder:
        file = table_campaign(
            Path(folder), [f'model = {{ kind = "ridge", alpha = {1 + i} }}' for i in range(fits // GROUPS)]
        )
        campaign = Campaign.open(file)
        cluster = SleepingCluster(workers, campaign.store)
        memory: list[tuple[int, int]] = []
        done = 0

        def tell(what: object) -> None:
            nonlocal done
            if isinstance(what, JobFinished):
                done += len(what.keys)
            if isinstance(what, JobStarted | JobFinished) and (not memory or done >= memory[-1][0] + fits // 20):
                memory.append((done, resident()))

        started, processor = time.monotonic(), time.process_time()
        with Transactions() as transactions:
            campaign.run(tell, executor=cluster)
        processor = time.process_time() - processor
        cluster.close()
        early = next(size for at, size in memory if at >= fits // 10)
        named = f"{workers} sleeping workers"
        return [
            Row(f"{named}: fits", float(done), "fits", float(fits), "higher"),
            Row(f"{named}: busy", 100 * cluster.busy, "%", 90.0, "higher"),
            Row(f"{named}: fits a second", done / (time.monotonic() - cluster.first), "fits/s"),
            Row(f"{named}: before the first job", cluster.first - started, "s"),
            Row(f"{named}: driver's processor time a fit", 1000 * processor / done, "ms"),
            Row(f"{named}: jobs", float(cluster.jobs), "jobs"),
            Row(f"{named}: transactions that write, a job", transactions.count / cluster.jobs, ""),
            Row(f"{named}: memory at its end over that after a tenth", memory[-1][1] / early, "", 1.1),
            Row(f"{named}: memory at its end", memory[-1][1] / 2**20, "MiB"),
        ]


class Transactions:
    """Counts commits of all ledgers while it is open."""

    def __enter__(self) -> Transactions:
        self.count = 0
        event.listen(Engine, "commit", self._counted)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "commit", self._counted)

    def _counted(self, _: object) -> None:
        self.count += 1


def resident() -> int:
    """Bytes of memory that this process holds now."""
    import psutil

    return psutil.Process().memory_info().rss


# ---------------------------------------------------------------------- the campaign


def table_campaign(folder: Path, models: list[str]) -> Path:
    """A campaign file on a table with a hundred groups, and an experiment for each of these models."""
    generator = np.random.default_rng(0)
    rows = 5 * GROUPS
    columns = generator.normal(size=(rows, 4))
    y = columns @ np.array([1.0, -0.5, 0.2, 0.0]) + generator.normal(size=rows) / 4
    lines = ["a,b,c,d,y,group"]
    lines += [",".join(f"{v:.6f}" for v in [*columns[i], y[i]]) + f",g{i // 5:02d}" for i in range(rows)]
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    file = folder / "scale.toml"
    entries = [f'[[experiment]]\nname = "e{i}"\n{model}\n' for i, model in enumerate(models)]
    file.write_text(
        'problem = { kind = "table", path = "table.csv", target = "y", group = "group" }\n'
        '[protocol]\nsplits = "leave-one-group-out"\nbaseline = "e0"\n' + "\n".join(entries),
        encoding="utf-8",
    )
    return file


if __name__ == "__main__":
    benchmark("scale", measure, ["probatum", "numpy", "dask", "distributed", "sqlalchemy"])
