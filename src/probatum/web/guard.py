"""What stands before every page: the checks of `access`, the limit of what is sent, and the headers of every answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from probatum.web.access import Access

LARGEST_POST = 64 * 2**20
"""Bytes of one upload. Runs and curves are smaller; whoever has more uses the command line."""
READING, CHANGING = ("GET", "HEAD"), "POST"
PAGE_POLICY = "; ".join((
    "default-src 'self'",
    "img-src 'self' data:",  # pictures with many points hold them as images
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
))  # fmt: skip
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""Of a picture that is opened alone: it is styled inside, and can do nothing."""
HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with "no-referrer" browsers would not say where a post comes from
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class TooLarge(Exception):
    """More came than is taken, whatever was announced; the application answers it with `too_large`."""


class Guard:
    """Lets through what is allowed, before anything of its body is read.

    Args:
        app: behind it.
        access: who may do what.
        largest: bytes that a post may have.
    """

    def __init__(self, app: ASGIApp, access: Access, largest: int = LARGEST_POST):
        self.app, self.access, self.largest = app, access, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no page opens a web socket
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            refusal.headers.update({**HEADERS, "connection": "close"})
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["may_change"] = self.access.may_change(headers)
        counted = _Counted(receive, self.largest)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    given.setdefault(name, value)
            await send(message)

        await self.app(scope, counted, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Why a request is not let through; None where it is."""
        if len(headers.getlist("host")) != 1 or not self.access.knows_host(headers["host"]):
            return _plain("this server has another name", 421)
        method = scope["method"]
        if method not in (*READING, CHANGING):
            return _plain("only GET and POST are answered", 405)
        if method in READING and (given := _token_of(scope)) is not None:
            return self._signed_in(scope, given)
        allowed = self.access.may_change(headers)
        if method in READING:
            if self.access.reading_needs_token and not allowed:
                return _plain("open the link with the token that this server was started with", 403)
            return None
        if not self.access.comes_from_here(headers):
            return _plain("posts are taken from this server's own pages alone", 403)
        if not allowed:
            return _plain("the token is missing or wrong: open the link that 'probatum serve' printed", 403)
        announced = headers.get("content-length")
        if announced is not None and not (announced.isdigit() and len(announced) < 20):
            return _plain("the length of what is sent is no number", 400)
        if announced is not None and int(announced) > self.largest:
            return too_large(self.largest)
        return None

    def _signed_in(self, scope: Scope, given: str) -> Response:
        """Puts a right token into a cookie, and takes it out of the address."""
        if not self.access.is_token(given):
            return _plain("wrong token: use the link that 'probatum serve' printed last", 403)
        kept = [(k, v) for k, v in parse_qsl(scope["query_string"].decode("latin-1")) if k != "token"]
        path = "/" + quote(scope["path"].lstrip("/\\"))  # '//elsewhere' would leave this server
        answer = Response(status_code=303, headers={"location": path + (f"?{urlencode(kept)}" if kept else "")})
        answer.set_cookie(self.access.cookie, given, httponly=True, samesite="strict", path="/")
        return answer


class _Counted:
    """Receives a body, and stops where it grows too large, whatever was announced."""

    def __init__(self, receive: Receive, largest: int):
        self._receive, self._left = receive, largest

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise TooLarge
        return message


def _token_of(scope: Scope) -> str | None:
    given: dict[str, Any] = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return given.get("token")


def _plain(text: str, status: int) -> Response:
    return PlainTextResponse(text + "\n", status)


def too_large(largest: int = LARGEST_POST) -> Response:
    """The answer to a post that is too large.

    Args:
        largest: bytes that are taken.
    """
    return _plain(f"more than {largest / 2**20:g} MB: use the command line for it", 413)
