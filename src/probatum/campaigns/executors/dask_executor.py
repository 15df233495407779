"""Carries jobs out on a Dask cluster: the driver's side.

The driver keeps books of stations and jobs (`bookkeeping`), looks which workers there are (`dask_workers`), binds a job
to a worker when cores are free, sends what the worker does not have yet and keeps what comes back (`dask_delivery`).
Dask carries the messages and says who is there (`dask_connection`). A loop in a thread of its own does all this; the
runner's thread only hands jobs in and takes reports out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import tempfile
import threading
import traceback
from collections.abc import Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from probatum.campaigns.executors import dask_calls
from probatum.campaigns.executors.bookkeeping import Bookkeeping, RemoteStation
from probatum.campaigns.executors.dask_cluster import LOG, Cluster, logged, missing
from probatum.campaigns.executors.dask_connection import Connection, short
from probatum.campaigns.executors.dask_delivery import Delivery
from probatum.campaigns.executors.dask_settings import DaskSettings
from probatum.campaigns.executors.dask_workers import Workers
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.jobs import DONE, FAILED, LOST, STORAGE, Job, JobReport, Setup
from probatum.errors import ClusterError, ProbatumError, StorageError

Result = TypeVar("Result")
LOOK = 0.5
"""Seconds between looks at which workers are there."""


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
        self._campaign = secrets.token_hex(8)
        self._books = Bookkeeping()
        self._cluster: Cluster | None = None
        self._watching: asyncio.Task[None] | None = None
        self._closed = False
        self._resources = contextlib.ExitStack()
        self._resources.enter_context(logged(folder / LOG))
        packed = Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix="probatum-sent-")))
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_log_of_loop)
        self._thread = threading.Thread(target=self._loop.run_forever, name="dask executor", daemon=True)
        self._thread.start()
        try:
            self._do(self._start(setup, settings, folder, beside, packed))
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------ what the runner asks

    @property
    def cores(self) -> int:
        return self._books.cores

    @property
    def free_cores(self) -> int:
        return self._books.free_cores

    @property
    def machines(self) -> int:
        return max(1, len(self._books.stations))

    def room(self, *, whole: bool) -> int:
        return self._books.room(whole=whole)

    def submit(self, job: Job) -> None:
        self._books.open(job)
        try:
            job = self._delivery.pack(job)
        except StorageError as error:
            self._books.end(JobReport(job.id, STORAGE, error=str(error)))
        except ClusterError:
            self._books.refuse(job)
            raise
        except Exception:
            self._books.end(JobReport(job.id, FAILED, error=traceback.format_exc()))
        else:
            self._books.line_up(job)
            self._loop.call_soon_threadsafe(self._dispatch)

    def wait(self) -> list[JobReport]:
        return self._books.wait()

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

    def _do(self, work: Coroutine[Any, Any, Result], timeout: float | None = None) -> Result:
        """Runs a coroutine in the loop's thread, from outside."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    # ------------------------------------------------------------------ from beginning to end

    async def _start(self, setup: Setup, settings: DaskSettings, folder: Path, beside: Path, packed: Path) -> None:
        self._cluster = await Cluster.open(settings, folder, beside)
        self._connection = Connection(self._cluster, settings.patience)
        self._delivery = Delivery(setup, packed, self._connection, self._campaign)
        parts = (self._cluster, self._connection, self._books)
        self._workers = Workers(*parts, self._campaign, setup, came=self._dispatch)
        await self._connection.open()
        await self._workers.look()
        await self._workers.opened()
        if self._books.trouble is not None:
            raise self._books.trouble
        self._books.forget_news()
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """Looks who is there, again and again; connects again where the scheduler is gone."""
        while self._books.trouble is None:
            await asyncio.sleep(LOOK)
            try:
                try:
                    await self._workers.look()
                    await self._workers.adapt()
                except ProbatumError:
                    raise
                except Exception as error:  # whatever Dask and the network come up with: there is no scheduler
                    self._workers.lose(self._books.stations, f"the scheduler at {self._connection.address} is gone")
                    await self._connection.open_again(error)
                    self._workers.wait_anew()
                self._workers.require_some()
            except ProbatumError as error:
                self._books.give_up(error)

    async def _stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        tasks = [task for station in self._books.stations for task in station.tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                await self._connection.call_all(dask_calls.close_station, self._campaign)
            await self._connection.close()
            await self._cluster.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    # ------------------------------------------------------------------ jobs

    def _dispatch(self) -> None:
        """Gives jobs that wait to stations, as far as there are free cores."""
        while self._connection.there and (bound := self._books.bind()) is not None:
            job, station = bound
            station.tasks[job.id] = asyncio.ensure_future(self._carry_out(job, station))

    async def _carry_out(self, job: Job, station: RemoteStation) -> None:
        """Gives a job to a station and reports what becomes of it."""
        try:
            report = await self._report(job, station)
        except StorageError as error:
            report = JobReport(job.id, STORAGE, error=str(error))
        except asyncio.CancelledError:
            if _current_is_cancelled():
                raise
            report = JobReport(job.id, LOST, error=f"{station.host}: the scheduler forgot the job")
        except Exception as error:
            lost = isinstance(error, OSError) or type(error).__module__.startswith("distributed")
            if lost:
                report = JobReport(job.id, LOST, error=f"{station.host}: {short(error)}")
            else:
                report = JobReport(job.id, FAILED, error=traceback.format_exc())
        station.tasks.pop(job.id, None)
        self._books.release(job, station)
        self._books.end(report)
        self._dispatch()

    async def _report(self, job: Job, station: RemoteStation) -> JobReport:
        await self._delivery.send(job, station)
        key = f"probatum-{self._campaign}-{job.id}"
        told = (self._campaign, station.id, job.to_json())
        answer = await self._connection.task(station.address, key, dask_calls.carry_out, *told)
        if answer is None:
            self._workers.lose([station], "the worker began anew")
            raise ConnectionError("the worker began anew")
        report, written = JobReport.from_json(answer[0]), answer[1]
        if report.status == DONE:
            await self._delivery.keep(written)
        return report


def _current_is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _log_of_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What Dask leaves behind in the loop, as connections that nobody waits for any more, goes where its log goes."""
    logging.getLogger("distributed").warning("%s", context.get("message"), exc_info=context.get("exception"))
