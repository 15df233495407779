"""The server by HTTP: on this machine alone, and to nobody without its token."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from cli.small_lab import Call
from mcp_server.small_campaign import Agent
from probatum.errors import UsageError
from probatum.mcp_server.access import check_token, new_token

TOKEN = "a-token-that-nobody-guesses"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def address(campaign: Path) -> Iterator[str]:
    """Of a server in a process of its own."""
    port = free_port()
    command = [Path(sys.executable).with_name("probatum"), "mcp", "-C", "lab.toml", "--http", str(port)]
    environment = os.environ | {"PROBATUM_TOKEN": TOKEN}
    process = subprocess.Popen(command, cwd=campaign.parent, env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/mcp"
    process.terminate()
    said = process.communicate(timeout=60)[1].decode()
    assert "Traceback" not in said
    assert TOKEN not in said


def test_who_has_the_token_may_look_and_nobody_else(address: str):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Basic x"}):
        for path in ("", "/", "/../health", "?token=" + TOKEN):
            answer = httpx.post(address + path, headers=headers, json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
            assert answer.status_code == 401
            assert "probatum" not in answer.text
    right = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json, text/event-stream"}
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert httpx.post(address, headers=right | {"Host": "evil.example"}, json=ping).status_code == 421
    assert httpx.post(address, headers=right | {"Origin": "http://evil.example"}, json=ping).status_code == 403
    large = b'{"jsonrpc": "2.0", "id": 1, "method": "' + b"x" * 1_000_000 + b'"}'
    of_json = {"Content-Type": "application/json"}
    assert httpx.post(address, headers=right | of_json, content=large).status_code == 413

    async def talk() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            agent = Agent(client)
            assert (await agent.call("status"))["campaign"] == "lab.toml"
            assert "unknown argument" in await agent.refused("status", path="/etc/passwd")

    anyio.run(talk)
    port = int(address.rsplit(":", 1)[1].partition("/")[0])
    with socket.socket() as one:  # one that listened on every interface would answer here too
        one.settimeout(5)
        assert one.connect_ex(("127.0.0.2", port)) != 0


@pytest.mark.parametrize("token", ["", "short", "a token with blanks in it", "tökentökentökentöken", "x" * 20 + "\n"])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(token: str):
    with pytest.raises(UsageError, match="a token needs 16 characters at least"):
        check_token(token)


def test_a_token_of_our_own_is_new_every_time():
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        check_token(token)


def test_a_token_goes_with_http_alone_and_a_port_is_free(campaign: Path, call: Call):
    assert "add --http PORT" in call(campaign.parent, "mcp", "--token", TOKEN).error
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert "cannot be had" in call(campaign.parent, "mcp", "--http", port, "--token", TOKEN).error
    assert "16 characters" in call(campaign.parent, "mcp", "--http", "9", "--token", "short").error
