"""What a client of the agent server may send: every answer is values or one sentence, and nothing is trained by it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import strategies as st
from mcp.types import CallToolResult
from starlette.testclient import TestClient

from fuzz.json_values import deep, odd_values, texts, values
from fuzz.reading import tried
from interop.foreign_runs import bring, runs_of, table_of_scores
from mcp_server.small_campaign import write_campaign
from probatum.errors import UsageError
from probatum.mcp_server import batch_client
from probatum.mcp_server.access import REQUEST_BYTES, Guarded
from probatum.mcp_server.limits import Limits
from probatum.mcp_server.server import CampaignServer

TOKEN = "a-token-for-the-tests"
LIMITS = Limits(calls=10**9, proposals=10**9)
"""Rates have tests of their own."""


@pytest.fixture(scope="module")
def campaigns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One that was not run, and one of imported runs."""
    imported = tmp_path_factory.mktemp("imported") / "runs.toml"
    scores = table_of_scores(1.0, 0)
    bring([*runs_of("mean", scores, lr=1), *runs_of("ridge", scores - 0.2, lr=2)], imported)
    return {"native": write_campaign(tmp_path_factory.mktemp("native")), "imported": imported}


@pytest.fixture(autouse=True)
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests end where training would begin."""

    async def refuse(*_: object) -> dict[str, Any]:
        raise UsageError("nothing is trained here", where="test")

    monkeypatch.setattr(batch_client.BatchClient, "carry_out", refuse)


@st.composite
def calls(draw: st.DrawFn, known: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A tool, mostly one that there is, with its arguments, some others, or both."""
    tool = draw(st.sampled_from([*known, *known, "held_out", "", "x" * 2000]))
    properties = known.get(tool, {}).get("properties", {})
    anything = odd_values() | st.just(10**4000)
    arguments = {name: draw(anything) for name in properties if draw(st.booleans())}
    for name in properties:
        if draw(st.integers(0, 2)):
            arguments[name] = draw(_fitting(name))
    if not draw(st.integers(0, 5)):
        arguments[draw(texts())] = draw(values())
    return tool, arguments


def _fitting(name: str) -> st.SearchStrategy[Any]:
    """What the argument is for, so that its tool looks further."""
    edits = st.dictionaries(
        st.sampled_from(["model", "features", "training", "components", "ensemble", "recipe", "per_target", "seeds"]),
        values()
        | st.dictionaries(st.sampled_from(["kind", "alpha", "epochs", "add", "members"]), values(), max_size=3),
        max_size=2,
    )
    fitting: Mapping[str, st.SearchStrategy[Any]] = {
        "edit": edits,
        "cases": st.lists(st.dictionaries(st.sampled_from(["temperature", "solvent", "x"]), values()), max_size=3),
        "experiments": st.lists(texts(), max_size=3),
        "codes": st.lists(texts(), max_size=3),
        "parent": st.sampled_from(["ridge", "mean", "nobody"]),
        "experiment": st.sampled_from(["ridge", "nobody"]),
    }
    return fitting.get(name, values())


def check(result: CallToolResult) -> None:
    """Values, or one sentence that says what is wrong with the request."""
    if not result.is_error:
        json.dumps(result.structured_content, allow_nan=False)
        return
    (content,) = result.content
    said = content.text  # type: ignore[union-attr]
    assert said.isprintable()
    assert 0 < len(said) < 1000
    assert "Traceback" not in said
    assert "inside the server" not in said, said


@pytest.mark.parametrize("which", ["native", "imported"])
def test_whatever_arguments_a_tool_is_given_it_answers_or_says_why_not(which: str, campaigns: dict[str, Path]):
    server = CampaignServer(campaigns[which], LIMITS)
    known = {tool.name: tool.parameters for tool in server._tool_manager.list_tools()}

    def attempt(call: tuple[str, dict[str, Any]]) -> None:
        check(anyio.run(server.call_tool, *call))  # type: ignore[arg-type]
        server.served.waiting.forget([p.name for p in server.served.waiting.proposals()])

    tried(calls(known), attempt, 60)


def test_arguments_that_are_nested_without_end_are_refused(campaigns: dict[str, Path]):
    server = CampaignServer(campaigns["native"], LIMITS)
    for levels in (50, 900, 20_000):
        for table in (True, False):
            edit = {"model": {"alpha": deep(levels, table=table)}}
            arguments = {"parent": "ridge", "edit": edit, "hypothesis": "deep"}
            result = anyio.run(server.call_tool, "propose", arguments)
            assert isinstance(result, CallToolResult)
            assert result.is_error
            check(result)


@pytest.fixture
def by_http(campaigns: dict[str, Path]) -> Iterator[TestClient]:
    app = CampaignServer(campaigns["native"], LIMITS).streamable_http_app(
        host="127.0.0.1", max_request_body_size=REQUEST_BYTES, stateless_http=True, json_response=True
    )
    headers = {
        "authorization": f"Bearer {TOKEN}",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
    }
    with TestClient(Guarded(app, TOKEN), base_url="http://127.0.0.1:80", headers=headers) as client:
        yield client


def bodies() -> st.SearchStrategy[bytes]:
    """What a client may post: messages of the protocol, damaged ones, JSON of something else, and no JSON."""
    message = st.fixed_dictionaries(
        {"jsonrpc": st.sampled_from(["2.0", "1.0", 2]), "id": st.sampled_from([1, "a", None, 1.5, []])},
        optional={
            "method": st.sampled_from(["tools/call", "tools/list", "resources/read", "initialize", "ping"]) | texts(),
            "params": st.fixed_dictionaries(
                {},
                optional={
                    "name": st.sampled_from(["status", "describe", "explain"]) | values(),
                    "arguments": values(),
                    "uri": texts(),
                },
            )
            | values(),
        },
    )
    said = (message | message | odd_values()).map(lambda value: json.dumps(value).encode())
    return said | st.binary(max_size=200)


def test_whatever_is_posted_is_answered_without_a_traceback(by_http: TestClient, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.CRITICAL)

    def attempt(body: bytes) -> None:
        answer = by_http.post("/mcp", content=body)
        assert answer.status_code < 500, answer.text[:500]
        assert "Traceback" not in answer.text
        assert len(answer.content) < 2 * REQUEST_BYTES

    tried(bodies(), attempt, 60)
    for body in (b"[" * 50_000, b'{"a":' * 50_000, b"9" * 300_000, b"NaN", b"[" + b"0," * REQUEST_BYTES + b"0]"):
        attempt(body)
