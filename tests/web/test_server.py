"""`probatum serve` as a person calls it."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from cli.small_lab import program, start
from probatum.errors import CampaignFileError, UsageError
from probatum.web.server import serve


def test_the_link_that_is_printed_opens_the_dashboard_and_ctrl_c_ends_it(finished: Path):
    process = start(finished.parent, "serve", "--port", "0")
    try:
        name, link = process.stdout.readline().split()
        assert name == "lab.toml:"
        with urlopen(link.partition("?")[0]) as answer:
            assert "lab" in answer.read().decode()
        with pytest.raises(HTTPError) as refused, urlopen(Request(link.partition("?")[0] + "run", method="POST")):
            pass
        assert refused.value.code == 403
        refused.value.close()
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in said


def test_another_host_needs_a_token(finished: Path):
    said = program(finished.parent, "serve", "--host", "0.0.0.0")
    assert "no token is given" in said.error


def test_a_port_that_is_taken_is_said_to_be(finished: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="cannot be bound to"):
            serve(finished, host="127.0.0.1", port=taken.getsockname()[1], token=None, tell=print)


def test_a_host_that_is_none_is_refused(finished: Path):
    with pytest.raises(UsageError, match="cannot be bound to"):
        serve(finished, host="no-such-host.invalid", port=0, token="x" * 20, tell=print)


def test_a_campaign_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(CampaignFileError):
        serve(tmp_path / "none.toml", host="127.0.0.1", port=0, token=None, tell=print)
