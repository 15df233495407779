"""What goes to a worker beside the job itself, and what comes back: artifacts, each sent once to a station.

Artifacts come back with the report, and the driver writes them: so the workers need not share a file system, and what
the ledger names is on the driver's own disk (fsync) before the ledger names it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.executors import dask_calls
from probatum.campaigns.executors.bookkeeping import RemoteStation
from probatum.campaigns.executors.dask_connection import Connection
from probatum.campaigns.executors.shipment import Packer
from probatum.campaigns.jobs import Job, Setup

PIECE = 4 << 20
"""Bytes of an artifact in one message."""
PUSHES = 8
"""Artifacts that are on their way to workers at once, since each is held in memory meanwhile."""


class Delivery:
    """Packs for jobs, sends to stations, and keeps what they send back.

    Args:
        setup: of the campaign, with its store.
        packed: folder for what is packed, removed by whoever made it.
        connection: by which it is sent.
        campaign: as stations know it.
    """

    def __init__(self, setup: Setup, packed: Path, connection: Connection, campaign: str):
        self._setup, self._connection, self._campaign = setup, connection, campaign
        self._packed = ArtifactStore(packed)
        self._store: ArtifactStore | None = None
        self._packer: Packer | None = None
        self._pushing = asyncio.Semaphore(PUSHES)

    def pack(self, job: Job) -> Job:
        """The job with what a worker far away needs for it, packed. Called by the runner's thread alone.

        Raises:
            UsageError: data that are missing or cannot be used.
            ClusterError: modules that cannot be sent.
            StorageError: the campaign's store or what is packed cannot be written.
        """
        if self._packer is None:
            self._store = ArtifactStore(Path(self._setup.store))
            self._packer = Packer(self._setup, self._packed)
        return replace(job, shipment=self._packer.shipment(job))

    async def send(self, job: Job, station: RemoteStation) -> None:
        """Sees to it that a station has all that a packed job reads.

        Raises:
            ConnectionError: there is no such station any more.
            StorageError: it cannot be read here or written there.
        """
        await asyncio.gather(*(self._send(name, station) for name in sorted(job.artifacts)))

    async def keep(self, written: Mapping[str, bytes]) -> None:
        """Writes what a job has brought to the campaign's store.

        Args:
            written: name to content of artifacts.

        Raises:
            StorageError: it cannot be written, or is not what its name says.
        """
        assert self._store is not None
        put = self._store.put
        await asyncio.gather(*(asyncio.to_thread(put, name, content) for name, content in written.items()))

    async def _send(self, name: str, station: RemoteStation) -> None:
        """One artifact; one that is on its way is waited for."""
        if name not in station.sent:
            pushed = asyncio.ensure_future(self._push(name, station))
            pushed.add_done_callback(lambda task: _forget_failed(task, name, station))
            station.sent[name] = pushed
        await asyncio.shield(station.sent[name])

    async def _push(self, name: str, station: RemoteStation) -> None:
        assert self._store is not None
        store = self._packed if self._packed.path(name).exists() else self._store
        async with self._pushing:
            content = await asyncio.to_thread(store.read, name)
            for offset in range(0, len(content), PIECE):
                piece, last = content[offset : offset + PIECE], offset + PIECE >= len(content)
                sent = (self._campaign, station.id, name, offset, piece, last)
                if not await self._connection.call(station.address, dask_calls.receive, *sent):
                    raise ConnectionError("the worker began anew")


def _forget_failed(task: asyncio.Task[None], name: str, station: RemoteStation) -> None:
    """An artifact that did not arrive is sent again when it is needed again."""
    if task.cancelled() or task.exception() is not None:
        station.sent.pop(name, None)
