"""Which workers a Dask cluster has: a station is opened in those that come, the jobs of those that go are reported.

Where they come from a batch system, it is asked for others in their place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from probatum.campaigns.executors import dask_calls
from probatum.campaigns.executors.bookkeeping import Bookkeeping, RemoteStation
from probatum.campaigns.executors.dask_cluster import Cluster
from probatum.campaigns.executors.dask_connection import Connection, short
from probatum.campaigns.executors.environment import require_same
from probatum.campaigns.jobs import Setup
from probatum.errors import ClusterError, ProbatumError

REST = 120.0
"""Seconds without a job after which an adaptive campaign gives a worker back."""


class Workers:
    """The workers of a cluster. Its coroutines belong to the loop that the cluster was opened in.

    Args:
        cluster, connection: that they belong to, and that they are spoken to by.
        books: where stations are entered.
        campaign: unlike that of any other driver.
        setup: what workers are told once.
        came: called when a station has been opened.
    """

    def __init__(
        self,
        cluster: Cluster,
        connection: Connection,
        books: Bookkeeping,
        campaign: str,
        setup: Setup,
        came: Callable[[], None],
    ):
        self._cluster, self._connection, self._books = cluster, connection, books
        self._campaign, self._setup, self._came = campaign, setup, came
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._vanished: set[str] = set()
        self._alone_since = time.monotonic()

    async def look(self) -> None:
        """Takes note of workers that have come and of those that are gone.

        Raises:
            OSError: there is no scheduler.
        """
        there = await self._connection.workers()
        known = {station.address: station for station in self._books.stations}
        gone = [station for address, station in known.items() if address not in there]
        self.lose(gone, "the worker's machine or process is gone")
        self._opening = {address: task for address, task in self._opening.items() if not task.done()}
        for address in there:
            if address not in known and address not in self._opening:
                self._opening[address] = asyncio.create_task(self._open_station(address))

    async def opened(self) -> None:
        """Waits until every worker that was there at the last look has answered."""
        await asyncio.gather(*self._opening.values())

    def lose(self, stations: list[RemoteStation], why: str) -> None:
        """Forgets stations, and reports the jobs that they had."""
        for station in stations:
            for task in station.tasks.values():
                task.cancel()
            self._vanished.add(station.name)
            self._books.lose(station, why)

    async def adapt(self) -> None:
        """Asks a batch system for workers in the place of those that it has ended.

        Where the campaign is adaptive, only while jobs wait for room; and it gives back those that have long been idle.
        """
        if self._cluster.queue is None:
            return
        batch_job, adaptive = self._cluster.batch_job, self._cluster.queue.adaptive
        wanted, stations, now = self._books.more_was_wanted(), self._books.stations, time.monotonic()
        busy = {batch_job(s.name) for s in stations if s.jobs or now - s.busy_until < REST}
        idle = [s.name for s in stations if batch_job(s.name) not in busy] if adaptive and not wanted else []
        living = {batch_job(s.name) for s in stations}
        ended = [name for name in self._vanished if batch_job(name) not in living]
        if ended or idle:
            self._vanished -= set(ended)
            await self._cluster.give_back([*ended, *idle])
        if wanted or (ended and not adaptive):
            await self._cluster.ask()

    def require_some(self) -> None:
        """A cluster without a worker is waited for; one whose workers a batch system has yet to start, without end.

        Raises:
            ClusterError: there has been none for too long.
        """
        if self._books.stations:
            self.wait_anew()
        elif self._cluster.queue is None and time.monotonic() - self._alone_since > self._connection.patience:
            raise self._connection.gone("no Dask worker has been there")

    def wait_anew(self) -> None:
        """Whoever waits for workers begins to do so now."""
        self._alone_since = time.monotonic()

    async def _open_station(self, address: str) -> None:
        """Opens the station of a worker that has come; one that does not answer is asked again later."""
        try:
            answer = await self._connection.call(
                address, dask_calls.open_station, self._campaign, self._setup.to_json()
            )
            if not self._cluster.on_this_machine:  # else the worker runs this very installation
                require_same(address, answer["environment"])
        except (ImportError, AttributeError) as error:
            self._books.give_up(
                ClusterError(
                    f"the worker cannot carry jobs out: {short(error)}",
                    where=address,
                    remedy="install the same version of probatum there as here",
                )
            )
        except ProbatumError as error:
            self._books.give_up(error)
        except Exception:  # it left meanwhile
            return
        else:
            station = RemoteStation(address, answer["station"], answer["name"], answer["host"], answer["cores"])
            arrived = asyncio.get_running_loop().create_future()
            arrived.set_result(None)
            station.sent = dict.fromkeys(answer["held"], arrived)
            self._books.enter(station)
            self._came()
