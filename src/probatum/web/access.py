"""Who may see and who may change: hosts, the token, and where a request has to come from."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from probatum.errors import UsageError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HTTP = 80
"""The port that a Host header leaves out."""
LEAST_TOKEN = 16
"""Characters of a token that somebody chose."""


@dataclass(frozen=True)
class Access:
    """What the server lets in.

    Attributes:
        host: that it is bound to.
        port: likewise.
        token: whoever has it may change and start things.
        reading_needs_token: whether pages need it too.
    """

    host: str
    port: int
    token: str
    reading_needs_token: bool

    @classmethod
    def of(cls, host: str, port: int, token: str | None) -> Access:
        """The access that a person asked for.

        Args:
            host, port: to be bound to.
            token: chosen by the person; None makes one, on this machine alone.

        Raises:
            UsageError: another host without a token, or a token that can be guessed.
        """
        local = host in LOOPBACK
        if token is None and not local:
            what = f"host {host} can be reached from other machines, and no token is given"
            remedy = "give --token, at least 16 characters, or stay on 127.0.0.1"
            raise UsageError(what, where="probatum serve", remedy=remedy)
        if token is not None and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable()):
            remedy = f"give at least {LEAST_TOKEN} printable ASCII characters"
            raise UsageError("this token can be guessed or cannot be sent", where="--token", remedy=remedy)
        return cls(host, port, token or secrets.token_urlsafe(32), not local)

    @property
    def cookie(self) -> str:
        """Its name; cookies know no ports, so that each of several dashboards has its own."""
        return f"probatum_{self.port}"

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        host = socket.gethostname() if self._everywhere else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def _everywhere(self) -> bool:
        return self.host in ("0.0.0.0", "::", "")

    def knows_host(self, header: str) -> bool:
        """Whether a Host header names this server. A page elsewhere whose name was bound to this address does not.

        Args:
            header: as it was sent: '127.0.0.1:8765'.
        """
        name, port = _split(header)
        if port != (str(self.port) if port or self.port != HTTP else ""):
            return False
        if self.host in LOOPBACK:
            return name in LOOPBACK
        if name in (*LOOPBACK, self.host):
            return True
        if not self._everywhere:
            return False
        return _is_address(name) or name in (socket.gethostname().lower(), socket.getfqdn().lower())

    def is_token(self, given: str) -> bool:
        """Whether it is the token, told in the same time for every wrong one."""
        return hmac.compare_digest(given.encode(), self.token.encode())

    def may_change(self, headers: Mapping[str, str]) -> bool:
        """Whether a request carries the token: in its Authorization header or, where there is none, in its cookie.

        Args:
            headers: by lower case names.
        """
        bearer = headers.get("authorization")
        if bearer is not None:
            scheme, _, given = bearer.partition(" ")
            return scheme.lower() == "bearer" and self.is_token(given.strip())
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return cookie is not None and self.is_token(cookie.value)

    def comes_from_here(self, headers: Mapping[str, str]) -> bool:
        """Whether a post was sent by one of this server's own pages, or by a program that has the token.

        Browsers say where a post comes from; a program need not, but then a cookie does not count.

        Args:
            headers: by lower case names.
        """
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("origin")
        if origin is None:
            return "authorization" in headers
        return origin == f"http://{headers.get('host', '')}"


def _split(header: str) -> tuple[str, str]:
    """(name, port) of a Host header, the name in lower case and without brackets."""
    if header.startswith("["):
        name, _, rest = header[1:].partition("]")
        return name.lower(), rest.removeprefix(":")
    name, _, port = header.partition(":")
    return name.lower(), port


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
