"""Carries jobs out on a Dask cluster: the driver's side.

The driver keeps the books: it knows each worker's station (`dask_station`), binds a job to a worker when cores are
free, sends what the worker does not have yet, and takes the report and the artifacts back. Dask carries the messages
and says who is there. A loop in a thread of its own does all this; the runner's thread only hands jobs in and takes
reports out.

Artifacts come back with the report, and the driver writes them: so the workers need not share a file system, and what
the ledger names is on the driver's own disk (fsync) before the ledger names it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import secrets
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from probatum.campaigns import dask_station
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.dask_cluster import ANSWER, Cluster, logged, missing
from probatum.campaigns.dask_settings import DaskSettings
from probatum.campaigns.executors import Executor
from probatum.campaigns.jobs import DONE, FAILED, LOST, STORAGE, Job, JobReport, Setup
from probatum.campaigns.shipment import Packer
from probatum.errors import ClusterError, ProbatumError, StorageError

if TYPE_CHECKING:
    from distributed import Client

Result = TypeVar("Result")
LOOK = 0.5
"""Seconds between looks at which workers are there."""
SILENCE = 30.0
"""Seconds that a connected scheduler may leave that question unanswered."""
PIECE = 4 << 20
"""Bytes of an artifact in one message."""
PUSHES = 8
"""Artifacts that are on their way to workers at once, since each is held in memory meanwhile."""
REST = 120.0
"""Seconds without a job after which an adaptive campaign gives a worker back."""


@dataclass(eq=False)
class _Station:
    """A station as the driver knows it.

    Attributes:
        address, name, host: of its Dask worker.
        id: of the station.
        cores: of the worker.
        jobs: id of each job in progress to the task that waits for it.
        used: cores of these.
        sent: name of each artifact that it has, or that is on its way, to when it has arrived.
        busy_until: when its last job ended.
    """

    address: str
    id: str
    name: str
    host: str
    cores: int
    jobs: dict[str, tuple[Job, asyncio.Task[None]]] = field(default_factory=dict)
    used: int = 0
    sent: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    busy_until: float = field(default_factory=time.monotonic)

    @property
    def free(self) -> int:
        return self.cores - self.used


class DaskExecutor(Executor):
    """Workers of a Dask cluster.

    Args:
        setup: what workers are told once.
        settings: of the campaign file.
        folder: of the campaign's state; what Dask logs goes there.
        beside: folder of the campaign file, where relative files of TLS lie.

    Raises:
        ClusterError: Dask is not installed, the cluster does not start or does not answer, or a worker has another
            version of the program.
        CampaignFileError: files of TLS are not there.
    """

    def __init__(self, setup: Setup, settings: DaskSettings, folder: Path, beside: Path):
        if find_spec("distributed") is None:
            raise missing("dask")
        self._setup, self._settings = setup, settings
        self._campaign = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._stations: dict[str, _Station] = {}
        self._backlog: deque[Job] = deque()
        self._open: dict[str, Job] = {}
        self._reports: queue.SimpleQueue[JobReport] = queue.SimpleQueue()
        self._news = threading.Event()
        self._grown = self._wanted = False
        self._alone_since = time.monotonic()
        self._trouble: ProbatumError | None = None
        self._client: Client | None = None
        self._cluster: Cluster | None = None
        self._watching: asyncio.Task[None] | None = None
        self._store: ArtifactStore | None = None
        self._packer: Packer | None = None
        self._closed = False
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._vanished: set[str] = set()
        self._pushing = asyncio.Semaphore(PUSHES)
        self._resources = contextlib.ExitStack()
        self._resources.enter_context(logged(folder / "dask.log"))
        self._sent = ArtifactStore(
            Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix="probatum-sent-")))
        )
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_log_of_loop)
        self._thread = threading.Thread(target=self._loop.run_forever, name="dask executor", daemon=True)
        self._thread.start()
        try:
            self._do(self._start(folder, beside))
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------ what the runner asks

    @property
    def cores(self) -> int:
        with self._lock:
            return sum(station.cores for station in self._stations.values())

    @property
    def free_cores(self) -> int:
        with self._lock:
            cores = sum(station.cores for station in self._stations.values())
            return max(0, cores - sum(job.cores for job in self._open.values()))

    @property
    def machines(self) -> int:
        with self._lock:
            return max(1, len(self._stations))

    def room(self, *, whole: bool) -> int:
        with self._lock:
            stations = self._stations.values()
            promised = sum(job.cores for job in self._backlog)
            if whole:
                free = [station.cores for station in stations if not station.used]
                found = max(free, default=0) if not self._backlog else 0
            else:
                # A few jobs wait here for the next free core, so that none is idle while the ledger is written.
                ahead = max(1, sum(station.cores for station in stations) // 4)
                found = 1 if stations and promised < sum(station.free for station in stations) + ahead else 0
            self._wanted = self._wanted or not found
            return found

    def submit(self, job: Job) -> None:
        with self._lock:
            self._open[job.id] = job
        try:
            job = replace(job, shipment=self._packing().shipment(job))
        except StorageError as error:
            self._end(JobReport(job.id, STORAGE, error=str(error)))
            return
        except ClusterError:
            with self._lock:
                del self._open[job.id]
            raise
        except Exception:
            self._end(JobReport(job.id, FAILED, error=traceback.format_exc()))
            return
        with self._lock:
            self._backlog.append(job)
        self._loop.call_soon_threadsafe(self._dispatch)

    def wait(self) -> list[JobReport]:
        while True:
            self._news.clear()
            if found := self._ended():
                return found
            with self._lock:
                if self._trouble is not None:
                    raise self._trouble
                if self._grown:
                    self._grown = False
                    return []
                if self._stations and not self._open:
                    return []
            self._news.wait(LOOK)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(Exception):  # what is left of a cluster that is gone
            self._do(self._stop(), timeout=60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._resources.close()

    def _ended(self) -> list[JobReport]:
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._reports.get_nowait())
        return found

    def _end(self, report: JobReport) -> None:
        """Reports a job, once."""
        with self._lock:
            if self._open.pop(report.job, None) is None:
                return
        self._reports.put(report)
        self._news.set()

    def _packing(self) -> Packer:
        if self._packer is None:
            self._store = ArtifactStore(Path(self._setup.store))
            self._packer = Packer(self._setup, self._sent)
        return self._packer

    def _do(self, work: Coroutine[Any, Any, Result], timeout: float | None = None) -> Result:
        """Runs a coroutine in the loop's thread, from outside."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    # ------------------------------------------------------------------ connected

    async def _start(self, folder: Path, beside: Path) -> None:
        self._cluster = await Cluster.open(self._settings, folder, beside)
        try:
            self._client = await self._cluster.connect()
        except Exception as error:
            raise ClusterError(
                f"no Dask scheduler answers ({_short(error)})",
                where=self._cluster.address,
                remedy="start it, or correct address and tls in [run.dask]",
            ) from error
        await self._look()
        await asyncio.gather(*self._opening.values())
        if self._trouble is not None:
            raise self._trouble
        self._grown = False
        self._watching = asyncio.create_task(self._watch())

    async def _stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        tasks = [task for station in self._stations.values() for _, task in station.jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            with contextlib.suppress(Exception):
                closing = self._client.run(dask_station.close_station, self._campaign, on_error="ignore")
                await asyncio.wait_for(closing, ANSWER)
            await self._hang_up()
        if self._cluster is not None:
            await self._cluster.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _hang_up(self) -> None:
        client: Any = self._client
        self._client = None
        if client is not None:
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(client.close(timeout=2), 5)

    async def _watch(self) -> None:
        """Looks who is there, again and again; connects again where the scheduler is gone."""
        while self._trouble is None:
            await asyncio.sleep(LOOK)
            try:
                if self._client is None or self._client.status != "running":
                    raise ConnectionError("the connection was closed")
                await self._look()
                await self._adapt()
            except ProbatumError as error:
                self._give_up(error)
            except Exception as error:  # whatever Dask and the network come up with: there is no scheduler
                await self._connect_again(error)
            self._patience_with_workers()

    async def _connect_again(self, error: Exception) -> None:
        assert self._cluster is not None
        self._lose(list(self._stations.values()), f"the scheduler at {self._cluster.address} is gone")
        deadline = time.monotonic() + self._settings.patience
        while True:
            await self._hang_up()
            try:
                self._client = await self._cluster.connect()
            except Exception as now:  # refused, silent, or not what it was
                if time.monotonic() > deadline:
                    self._give_up(self._gone(f"the Dask scheduler has not answered ({_short(now or error)})"))
                    return
                await asyncio.sleep(LOOK)
            else:
                self._alone_since = time.monotonic()
                return

    def _patience_with_workers(self) -> None:
        """A cluster without a worker is waited for; one whose workers a batch system has yet to start, without end."""
        assert self._cluster is not None
        if self._stations:
            self._alone_since = time.monotonic()
        elif self._cluster.queue is None and time.monotonic() - self._alone_since > self._settings.patience:
            self._give_up(self._gone("no Dask worker has been there"))

    def _gone(self, what: str) -> ClusterError:
        assert self._cluster is not None
        return ClusterError(
            f"{what} for {self._settings.patience:g} s",
            where=self._cluster.address,
            remedy="start it again and run again; what is recorded is kept (patience in [run.dask] sets the time)",
        )

    def _give_up(self, error: ProbatumError) -> None:
        with self._lock:
            self._trouble = self._trouble or error
        self._news.set()

    # ------------------------------------------------------------------ who is there

    async def _look(self) -> None:
        """Takes note of workers that have come and of those that are gone.

        Raises:
            OSError: there is no scheduler.
        """
        assert self._client is not None
        there = await asyncio.wait_for(self._client.nthreads(), SILENCE)
        gone = [station for address, station in self._stations.items() if address not in there]
        self._lose(gone, "the worker's machine or process is gone")
        self._opening = {address: task for address, task in self._opening.items() if not task.done()}
        for address in there:
            if address not in self._stations and address not in self._opening:
                self._opening[address] = asyncio.create_task(self._open_station(address))

    async def _open_station(self, address: str) -> None:
        """Opens the station of a worker that has come; one that does not answer is asked again later."""
        assert self._client is not None
        asked = (self._campaign, self._setup.to_json())
        try:
            answers = await self._client.run(dask_station.open_station, *asked, workers=[address])
            answer = answers[address]
            if self._settings.workers is None:  # else the worker runs this very installation
                self._require_same(address, answer["environment"])
        except (ImportError, AttributeError) as error:
            self._give_up(
                ClusterError(
                    f"the worker cannot carry jobs out: {_short(error)}",
                    where=address,
                    remedy="install the same version of probatum there as here",
                )
            )
        except ProbatumError as error:
            self._give_up(error)
        except Exception:  # it left meanwhile
            return
        else:
            station = _Station(address, answer["station"], answer["name"], answer["host"], answer["cores"])
            arrived = self._loop.create_future()
            arrived.set_result(None)
            station.sent = dict.fromkeys(answer["held"], arrived)
            with self._lock:
                self._stations[address] = station
                self._grown = True
            self._news.set()
            self._dispatch()

    def _require_same(self, address: str, theirs: dict[str, str]) -> None:
        own = dask_station.environment()
        different = [
            f"{name} {theirs.get(name, 'missing')} there, {version} here"
            for name, version in own.items()
            if theirs.get(name) != version and not (name in dask_station.OPTIONAL and name not in theirs)
        ]
        if different:
            raise ClusterError(
                f"versions differ, and so may results: {'; '.join(different)}",
                where=address,
                remedy="install the same versions on the workers as here",
            )

    def _lose(self, stations: list[_Station], why: str) -> None:
        """Forgets stations, and reports the jobs that they had."""
        for station in stations:
            with self._lock:
                if self._stations.get(station.address) is station:
                    del self._stations[station.address]
            self._vanished.add(station.name)
            for job, task in list(station.jobs.values()):
                task.cancel()
                self._end(JobReport(job.id, LOST, error=f"{station.host}, {station.address}: {why}"))

    async def _adapt(self) -> None:
        """Asks a batch system for workers in the place of those that it has ended.

        Where the campaign is adaptive, only while jobs wait for room; and it gives back those that have long been idle.
        """
        assert self._cluster is not None
        if self._cluster.queue is None:
            return
        batch_job, adaptive = self._cluster.batch_job, self._cluster.queue.adaptive
        with self._lock:
            wanted, self._wanted = self._wanted, False
            there = {s.name for s in self._stations.values()}
            now = time.monotonic()
            busy = {batch_job(s.name) for s in self._stations.values() if s.jobs or now - s.busy_until < REST}
            idle = [name for name in there if batch_job(name) not in busy] if adaptive and not wanted else []
            living = set(map(batch_job, there))
            ended = [name for name in self._vanished if batch_job(name) not in living]
        if ended or idle:
            self._vanished -= set(ended)
            await self._cluster.give_back([*ended, *idle])
        if wanted or (ended and not adaptive):
            await self._cluster.ask()

    # ------------------------------------------------------------------ jobs

    def _dispatch(self) -> None:
        """Binds jobs that wait to stations with free cores: where most are free, so that all are used evenly."""
        while True:
            with self._lock:
                if not self._backlog or not self._stations or self._client is None:
                    return
                job, stations = self._backlog[0], self._stations.values()
                largest = max(station.cores for station in stations)
                if job.cores > largest:  # the machine that it was meant for is gone
                    job = replace(job, cores=largest)
                station = max(stations, key=lambda s: s.free)
                if station.free < job.cores:
                    return
                self._backlog.popleft()
                station.used += job.cores
                station.jobs[job.id] = (job, asyncio.ensure_future(self._carry_out(job, station)))

    async def _carry_out(self, job: Job, station: _Station) -> None:
        """Gives a job to a station and reports what becomes of it."""
        try:
            report = await self._report(job, station)
        except StorageError as error:
            report = JobReport(job.id, STORAGE, error=str(error))
        except asyncio.CancelledError:
            if self._current_is_cancelled():
                raise
            report = JobReport(job.id, LOST, error=f"{station.host}: the scheduler forgot the job")
        except Exception as error:
            lost = isinstance(error, OSError) or type(error).__module__.startswith("distributed")
            if lost:
                report = JobReport(job.id, LOST, error=f"{station.host}: {_short(error)}")
            else:
                report = JobReport(job.id, FAILED, error=traceback.format_exc())
        with self._lock:
            station.used -= job.cores
            station.jobs.pop(job.id, None)
            station.busy_until = time.monotonic()
        self._end(report)
        self._dispatch()

    @staticmethod
    def _current_is_cancelled() -> bool:
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    async def _report(self, job: Job, station: _Station) -> JobReport:
        assert self._client is not None
        await asyncio.gather(*(self._send(name, station) for name in sorted(job.artifacts)))
        future = self._client.submit(
            dask_station.carry_out,
            self._campaign,
            station.id,
            job.to_json(),
            key=f"probatum-{self._campaign}-{job.id}",
            workers=[station.address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        try:
            answer = await future
        finally:
            future.release()
        if answer is None:
            self._lose([station], "the worker began anew")
            raise ConnectionError("the worker began anew")
        report, written = JobReport.from_json(answer[0]), answer[1]
        if report.status == DONE:
            await asyncio.gather(*(asyncio.to_thread(self._keep, name, bytes_) for name, bytes_ in written.items()))
        return report

    def _keep(self, name: str, content: bytes) -> None:
        assert self._store is not None
        self._store.put(name, content)

    async def _send(self, name: str, station: _Station) -> None:
        """Sees to it that a station has an artifact; one that is on its way is waited for."""
        if name not in station.sent:
            pushed = asyncio.ensure_future(self._push(name, station))
            pushed.add_done_callback(lambda task: _forget_failed(task, name, station))
            station.sent[name] = pushed
        await asyncio.shield(station.sent[name])

    async def _push(self, name: str, station: _Station) -> None:
        assert self._client is not None
        assert self._store is not None
        store = self._sent if self._sent.path(name).exists() else self._store
        async with self._pushing:
            content = await asyncio.to_thread(store.read, name)
            for offset in range(0, len(content), PIECE):
                piece, last = content[offset : offset + PIECE], offset + PIECE >= len(content)
                sent = (self._campaign, station.id, name, offset, piece, last)
                answers = await self._client.run(dask_station.receive, *sent, workers=[station.address])
                if not answers.get(station.address):
                    raise ConnectionError("the worker began anew")


def _forget_failed(task: asyncio.Task[None], name: str, station: _Station) -> None:
    """An artifact that did not arrive is sent again when it is needed again."""
    if task.cancelled() or task.exception() is not None:
        station.sent.pop(name, None)


def _log_of_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What Dask leaves behind in the loop, as connections that nobody waits for any more, goes where its log goes."""
    logging.getLogger("distributed").warning("%s", context.get("message"), exc_info=context.get("exception"))


def _short(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
