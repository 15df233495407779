"""What a browser may ask of the dashboard and send to it: every answer is a page, and no page is a fault."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import strategies as st
from starlette.testclient import TestClient

from fuzz.json_values import TEXTS, texts
from fuzz.reading import tried
from fuzz.watching import watched
from interop.foreign_runs import bring, runs_of, table_of_scores
from probatum.errors import UsageError
from probatum.laboratory import Laboratory
from probatum.web.access import Access
from probatum.web.application import application
from probatum.web.processes import Processes
from probatum.web.questions import QUESTIONS
from web.small_dashboard import CAMPAIGN, HERE, PORT, TOKEN, write_lab

LARGEST = 200_000
"""Bytes that a post may have here."""
LOOKING = (
    "/", "/tree", "/experiments", "/experiment", "/compare", "/findings", "/effects", "/picture", "/proposals", "/ask",
    "/work/nothing", "/work/nothing/part", "/work/nothing/answer.json", "/work/nothing/picture.svg", "/assets/x",
)  # fmt: skip
KEYS = ("name", "root", "a", "b", "x", "of", "sort", "page", "find", "verdict", "order", "severity", "code", "token")
WORDS = ("ridge", "mean", "score", "tree", "curves", "scatter", "map", "problem:parity", "better", "error", "2", *TEXTS)
CHANGING = ("/run", "/proposals", "/proposals/ask", "/proposals/resume", "/work/nothing/stop", "/nothing")
ASKING = tuple(f"/ask/{question.slug}" for question in QUESTIONS)
FIELDS = tuple(sorted({f.name for question in QUESTIONS for f in question.fields}))
CONTENT_TYPES = (
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=b", "application/json",
    "text/plain", "", "x" * 2000,
)  # fmt: skip
ROUND = '[[proposal]]\nparent = "ridge"\nmodel.alpha = {}\n'


class Refusing(Processes):
    """Starts nothing: what processes do has tests of its own."""

    def start(self, kind: Any, title: str, *_: Any, **__: Any) -> Any:
        raise UsageError(f"'{title}' is not started here")


@pytest.fixture(scope="module", params=["native", "imported"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A browser with the token, before a campaign that has results."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "native":
        path = write_lab(folder, CAMPAIGN)
        Laboratory.open(path).run()
    else:
        path, scores = folder / "runs.toml", table_of_scores(1.0, 0)
        bring([*runs_of("mean", scores, lr=1), *runs_of("ridge", scores - 0.2, lr=2)], path)
    app = application(path, Access.of("127.0.0.1", PORT, TOKEN), largest=LARGEST)
    app.state.dashboard.processes = Refusing(folder)
    with TestClient(app, base_url=HERE, headers={"origin": HERE}) as made:
        made.get(f"/?token={TOKEN}")
        app.state.dashboard.observer.wait(120)
        for sort in ("tree", "scatter&of=ridge", "curves&of=ridge", "map&of=ridge&of=mean"):
            made.get(f"/picture?sort={sort}")  # matplotlib is imported and its fonts are found outside the watch
        yield made


def check(client: TestClient, method: str, address: str, **sent: Any) -> None:
    """A request is answered, not with a fault; under watch of time, memory, and what is done to the world."""
    with watched(Path(tempfile.gettempdir())):
        answer = client.request(method, address, **sent)
    assert answer.status_code < 500, (address[:200], answer.text[:500])
    assert "Traceback" not in answer.text
    assert "root:" not in answer.text
    assert len(answer.content) < 10 * 2**20


@st.composite
def addresses(draw: st.DrawFn) -> str:
    path = draw(st.sampled_from(LOOKING) | texts().map(lambda text: "/" + quote(text[:300], errors="replace")))
    words = st.sampled_from(WORDS).map(lambda word: word[:5000]) | texts().map(lambda text: text[:5000])
    pairs = draw(st.lists(st.tuples(st.sampled_from(KEYS[:-1]), words), max_size=4))
    if draw(st.integers(0, 20)) == 20:
        pairs.append(("token", draw(words)))
    return f"{path}?{urlencode(pairs, errors='replace')}"


def test_whatever_is_asked_for_is_answered(client: TestClient):
    tried(addresses(), lambda address: check(client, "GET", address, follow_redirects=False), 120)
    client.get(f"/?token={TOKEN}")


@st.composite
def forms(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Where a form is sent to, and what: fields, files, bytes that are no form, headers that say something else."""
    path = draw(st.sampled_from((*CHANGING, *CHANGING, *ASKING)))
    names = st.sampled_from(("retry", "slots", "action", "text_0", "text_1", "accept_0", "accept_1", *FIELDS)) | texts()
    rounds = st.sampled_from(["2.0", "1e999", "nan", "[1]", '"x"', "{}", "1979-05-27", "[" * 3000, "9" * 500])
    words = st.sampled_from(WORDS) | texts() | rounds.map(ROUND.format) | st.just("on") | st.just("start")
    sendable = words.map(lambda text: text.encode(errors="replace").decode())
    fields = draw(st.dictionaries(names.map(lambda n: n.encode(errors="replace").decode()), sendable, max_size=6))
    kind = draw(st.sampled_from(["form", "form", "files", "bytes", "json"]))
    if kind == "form":
        return path, {"data": fields}
    if kind == "files":
        content = st.binary(max_size=300) | st.sampled_from([b"", b"[" * 2000, b"\x1f\x8b\x08" + b"\0" * 50])
        name = st.sampled_from(
            ["a.csv", "../../x.csv", "/etc/x.xml", "a\0.csv", "x" * 300 + ".csv", ".csv", "a.mzML.gz"]
        )
        files = {draw(st.sampled_from(FIELDS)): (draw(name), draw(content)) for _ in range(draw(st.integers(1, 3)))}
        return path, {"data": fields, "files": files}
    types = st.sampled_from(CONTENT_TYPES)
    said = draw(st.binary(max_size=300)) if kind == "bytes" else b"[" * 3000
    said = draw(st.sampled_from([said, b"--b\r\n" + said, b"a=" + said, b"text_0=1&" * 300]))
    return path, {"content": said, "headers": {"content-type": draw(types)}}


def test_whatever_is_sent_is_answered(client: TestClient):
    def attempt(sent: tuple[str, dict[str, Any]]) -> None:
        check(client, "POST", sent[0], follow_redirects=False, **sent[1])

    tried(forms(), attempt, 150)
    for length in (LARGEST, LARGEST + 1, 5 * LARGEST):
        for path in (*CHANGING, ASKING[0]):
            attempt((path, {"content": b"text_0=" + b"x" * length, "headers": {"content-type": CONTENT_TYPES[0]}}))
