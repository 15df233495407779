"""Sends requests to a batch process, passes its progress on, and ends it where the caller goes away."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from probatum import errors
from probatum.errors import FitError, ProbatumError

LARGEST_LINE = 64_000_000
"""Bytes of one answer."""

Told = Callable[[float, float | None, str], Awaitable[None]]
"""Takes (done, total, message)."""


class BatchClient:
    """One batch process, started for the first request and kept for the next ones. One request at a time.

    It ends when the last of those who opened it has gone, or with this process, however that ends, because its standard
    input does.
    """

    def __init__(self) -> None:
        self._process: Process | None = None
        self._lines: BufferedByteReceiveStream | None = None
        self._users = 0

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Lets requests be made inside; there may be several at once, one for each connection."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                await self._end()

    async def carry_out(self, request: Mapping[str, Any], tell: Told) -> dict[str, Any]:
        """What the batch process answers.

        Cancelling it kills the process; what was recorded until then is kept.

        Args:
            request: as `probatum.mcp_server.batch_process` reads it.
            tell: awaited with every progress.

        Raises:
            ProbatumError: as the process raised it, or because it died.
        """
        answered = False
        try:
            values = await self._ask(request, tell)
            answered = True
        finally:
            if not answered:
                await self._end()
        if "error" in values:
            raise _as_it_was(values["error"])
        return values["result"]

    async def _ask(self, request: Mapping[str, Any], tell: Told) -> dict[str, Any]:
        """The line that ends an answer: {'result': ...} or {'error': ...}."""
        if self._process is None or self._process.returncode is not None:
            command = [sys.executable, "-P", "-m", "probatum.mcp_server.batch_process"]
            self._process = await anyio.open_process(command, stderr=None)
            assert self._process.stdout is not None
            self._lines = BufferedByteReceiveStream(self._process.stdout)
        assert self._lines is not None
        assert self._process.stdin is not None
        most = 0.0
        try:
            await self._process.stdin.send(json.dumps(request).encode() + b"\n")
            while True:
                values = json.loads(await self._lines.receive_until(b"\n", LARGEST_LINE))
                if "progress" not in values:
                    return values
                done, total, message = values["progress"]
                most = max(most, float(done))  # a client wants to see it grow
                await tell(most, float(total) or None, str(message))
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            code = await self._process.wait()
            how = f"was killed by signal {-code} (out of memory?)" if code < 0 else "ended before its work was done"
            raise FitError(f"the process that trains {how}", remedy="what was recorded is kept; call again") from None

    async def _end(self) -> None:
        """Ends the process, whatever it is doing."""
        process, self._process, self._lines = self._process, None, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            with anyio.CancelScope(shield=True):
                await process.aclose()


def _as_it_was(values: Mapping[str, Any]) -> ProbatumError:
    kind = getattr(errors, values["type"], ProbatumError)
    return kind(values["what"], where=values["where"], remedy=values["remedy"])
