"""Live progress: server-sent events, one stream a page that is open.

Events without a name carry the strip of progress as HTML; 'results' says that newer results can be asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from probatum.web.dashboard import dashboard_of, page
from probatum.web.look import Look

EVERY = 1.0
"""Seconds between two looks at the ledger's files."""
MOST_STREAMS = 32
SILENCE = 15.0
"""Seconds after which a comment keeps the stream open."""


async def events(request: Request) -> Response:
    """The stream of a page. Where too many are open, pages show what they show until they are loaded again."""
    streams: set[object] = request.app.state.streams
    if len(streams) >= MOST_STREAMS:
        return PlainTextResponse("too many pages are open\n", 503)
    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(_stream(request, streams), media_type="text/event-stream", headers=headers)


async def _stream(request: Request, streams: set[object]) -> AsyncIterator[str]:
    own = object()
    streams.add(own)
    try:
        shown = ""
        results: tuple[object, ...] | None = None
        quiet = 0.0
        while not request.app.state.closing.is_set():
            look = await run_in_threadpool(dashboard_of(request).observer.look)
            results = results or _state(look)
            strip = bytes(page(request, "strip.html", look=look).body).decode()
            if strip != shown:
                shown, quiet = strip, 0.0
                yield event(strip)
            if _state(look) != results:
                results, quiet = _state(look), 0.0
                yield event("", "results")
            if quiet >= SILENCE:
                quiet = 0.0
                yield ": still here\n\n"
            quiet += EVERY
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(request.app.state.closing.wait(), EVERY)
    finally:
        streams.discard(own)


def event(data: str, name: str = "") -> str:
    """One event of a stream, after the HTML standard, section 9.2.

    Args:
        data: of one or several lines.
        name: of the event; '' for none.
    """
    lines = [f"event: {name}"] if name else []
    return "\n".join([*lines, *(f"data: {line}" for line in data.splitlines() or [""])]) + "\n\n"


def _state(look: Look) -> tuple[object, ...]:
    """Changes when pages would show something else than progress."""
    if look.view is not None:
        return look.view.state, len(look.records)
    return len(look.records), bool(look.progress.records), look.plan is None, look.computing
