"""`probatum serve`: the dashboard of one campaign, bound to this machine alone unless somebody says otherwise."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from probatum.errors import CampaignFileError, UsageError
from probatum.web.access import Access
from probatum.web.application import application

PATIENCE = 3
"""Seconds that open pages have when the server ends."""
MOST_CONNECTIONS = 200


def serve(path: Path, *, host: str, port: int, token: str | None, tell: Callable[[Access], None]) -> None:
    """Serves until Ctrl-C.

    Args:
        path: of the campaign file.
        host, port: to be bound to; port 0 takes a free one.
        token: that changes need; None makes one.
        tell: called when pages can be asked for.

    Raises:
        CampaignFileError: there is no such file.
        UsageError: another host without a token, or a port that is taken.
    """
    if not path.is_file():
        raise CampaignFileError("no such campaign file", where=str(path), remedy="name one: -C FILE")
    Access.of(host, port, token)  # refused before anything is bound
    bound = _bound(host, port)
    access = Access.of(host, bound.getsockname()[1], token)
    app = application(path, access)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, proxy_headers=False, ws="none",
        timeout_graceful_shutdown=PATIENCE, limit_concurrency=MOST_CONNECTIONS,
    )  # fmt: skip
    with bound:
        _Server(config, lambda: tell(access)).run(sockets=[bound])


class _Server(uvicorn.Server):
    """Says when it is there, and ends the streams of open pages before it waits for them."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]):
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app: Any = self.config.app
        app.state.closing.set()
        await super().shutdown(sockets)


def _bound(host: str, port: int) -> socket.socket:
    made = None
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        if made is not None:
            made.close()
        what = f"{host}:{port} cannot be bound to ({error.strerror or error})"
        raise UsageError(what, where="probatum serve", remedy="choose another --port") from None
    return made
