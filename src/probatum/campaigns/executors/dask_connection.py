"""The driver's connection to a Dask scheduler: made, lost, and made again."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from probatum.campaigns.executors.dask_cluster import ANSWER, Cluster
from probatum.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client

LOOK = 0.5
"""Seconds between two tries to reach a scheduler."""
SILENCE = 30.0
"""Seconds that a connected scheduler may leave the question who is there unanswered."""


class Connection:
    """A connection to the scheduler of a cluster. Its coroutines belong to the loop that the cluster was opened in.

    Args:
        cluster: that is open.
        patience: seconds that the scheduler may be gone.
    """

    def __init__(self, cluster: Cluster, patience: float):
        self._cluster, self.patience = cluster, patience
        self._client: Client | None = None

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return self._cluster.address

    @property
    def there(self) -> bool:
        """Whether there is one."""
        return self._client is not None

    async def open(self) -> None:
        """Connects.

        Raises:
            ClusterError: no scheduler answers.
        """
        try:
            self._client = await self._cluster.connect()
        except Exception as error:
            what, remedy = _meaning(error, tls=self.address.startswith("tls"))
            raise ClusterError(what, where=self.address, remedy=remedy) from error

    async def open_again(self, error: Exception) -> None:
        """Connects again, as often as it takes.

        Args:
            error: why the last connection is no good.

        Raises:
            ClusterError: the scheduler has been gone for too long.
        """
        deadline = time.monotonic() + self.patience
        while True:
            await self.close()
            try:
                self._client = await self._cluster.connect()
            except Exception as now:  # refused, silent, or not what it was
                if time.monotonic() > deadline:
                    raise self.gone(f"the Dask scheduler has not answered ({short(now or error)})") from now
                await asyncio.sleep(LOOK)
            else:
                return

    async def close(self) -> None:
        """Hangs up."""
        client: Any = self._client
        self._client = None
        if client is not None:
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(client.close(timeout=2), 5)

    def gone(self, what: str) -> ClusterError:
        """What is said where something has been gone for as long as patience lasts."""
        return ClusterError(
            f"{what} for {self.patience:g} s",
            where=self._cluster.address,
            remedy="start it again and run again; what is recorded is kept (patience in [run.dask] sets the time)",
        )

    # ------------------------------------------------------------------ what is asked over it

    async def workers(self) -> list[str]:
        """The addresses of the workers that are there.

        Raises:
            OSError: there is no scheduler.
        """
        client = self._open_client()
        if client.status != "running":
            raise ConnectionError("the connection was closed")
        return list(await asyncio.wait_for(client.nthreads(), SILENCE))

    async def call(self, address: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function returns that a worker runs at once, beside its jobs; None where the worker is not there."""
        answers = await self._open_client().run(function, *arguments, workers=[address])
        return answers.get(address)

    async def call_all(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Lets every worker run a function; what comes of it, nobody asks."""
        await asyncio.wait_for(self._open_client().run(function, *arguments, on_error="ignore"), ANSWER)

    async def task(self, address: str, key: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function returns that a worker, and no other, runs as a task of Dask."""
        future = self._open_client().submit(
            function, *arguments, key=key, workers=[address], allow_other_workers=False, pure=False, retries=0
        )
        try:
            return await future
        finally:
            future.release()

    def _open_client(self) -> Any:
        if self._client is None:
            raise ConnectionError("the connection was closed")
        return self._client


def _meaning(error: BaseException, *, tls: bool) -> tuple[str, str]:
    """What a failure to connect means, and what to do about it.

    Args:
        error: as Dask raised it.
        tls: whether it was tried with TLS.
    """
    from distributed.comm.core import CommClosedError

    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    refused = next((e for e in causes if isinstance(e, ssl.SSLCertVerificationError)), None)
    if refused is not None:
        return (
            f"the scheduler's certificate is refused: {refused.verify_message}",
            "name the authority that signed it in tls.ca, or renew it",
        )
    if tls and (isinstance(error, ValueError) or any("WRONG_VERSION_NUMBER" in str(e) for e in causes)):
        return "whoever answers there speaks no TLS", "start the scheduler with TLS, or correct the address"
    if tls and isinstance(error, CommClosedError):
        return (
            f"the scheduler hangs up ({short(causes[-1])})",
            "show it a certificate that its own authority has signed, in tls.certificate",
        )
    if isinstance(error, CommClosedError):
        return (
            f"whoever answers there hangs up ({short(causes[-1])})",
            "write tls:// and name the files in tls where the scheduler has TLS, or correct the address",
        )
    return f"no Dask scheduler answers ({short(error)})", "start it, or correct address and tls in [run.dask]"


def short(error: BaseException) -> str:
    """An error in one line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
