"""Who may speak to a server by HTTP: clients on this machine that know its token."""

from __future__ import annotations

import hmac
import secrets

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from probatum.errors import UsageError

LOOPBACK = "127.0.0.1"
REQUEST_BYTES = 512_000
"""Of one request's body."""
SHORTEST = 16
"""Characters of a token."""


class Guarded:
    """An application that answers only who sends the token.

    Args:
        application: that is guarded.
        token: of SHORTEST characters at least.

    Raises:
        UsageError: a token that can be guessed.
    """

    def __init__(self, application: ASGIApp, token: str):
        check_token(token)
        self._application, self._expected = application, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 401 to a request without the token, in a time that does not tell how much of it was right."""
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                said = {"error": "a token is needed: 'Authorization: Bearer TOKEN'"}
                await JSONResponse(said, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
                return
        elif scope["type"] != "lifespan":
            return
        await self._application(scope, receive, send)


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(32)


def check_token(token: str) -> None:
    """Refuses a token that can be guessed or cannot be sent.

    Raises:
        UsageError: it is short, or has characters that no header carries.
    """
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        what = f"a token needs {SHORTEST} characters at least, letters and digits without blanks"
        raise UsageError(what, where="--token", remedy="leave it out, and one is made")
