"""Who is let in: hosts, tokens, origins, and what is not read at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from probatum.errors import UsageError
from probatum.web.access import Access
from probatum.web.guard import LARGEST_POST
from web.small_dashboard import HERE, PORT, TOKEN, client_of

BEARER = {"authorization": f"Bearer {TOKEN}"}
ANSWERED = ["/", "/tree", "/experiments", "/compare", "/findings", "/effects", "/proposals", "/ask", "/nothing"]


def test_another_host_is_refused_without_a_token():
    for host in ("0.0.0.0", "192.168.1.5", "::"):
        with pytest.raises(UsageError, match="no token"):
            Access.of(host, PORT, None)


def test_a_token_that_can_be_guessed_is_refused():
    for token in ("", "short", "x" * 15, "ünicode-token-of-length", "a b\nc" * 9):
        with pytest.raises(UsageError):
            Access.of("127.0.0.1", PORT, token)


def test_every_start_makes_another_token():
    tokens = {Access.of("127.0.0.1", PORT, None).token for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) >= 40 for token in tokens)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_this_machine_s_names_are_known(host, access):
    assert access.knows_host(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example:8765", "127.0.0.1.evil.example:8765", "127.0.0.1:80", "127.0.0.1", "", "127.0.0.1:8765.evil.example",
     "localhost.:8765", "[::1", "127.0.0.1:8765@evil.example", "2130706433:8765"],
)  # fmt: skip
def test_a_name_that_was_bound_to_this_address_is_answered_nothing(host, access, reader):
    assert not access.knows_host(host)
    refused = reader.get("/", headers={"host": host})
    assert refused.status_code == 421
    assert "lab" not in refused.text


@given(st.text(max_size=40))
def test_no_other_host_is_known(host):
    known = {f"{name}:{PORT}" for name in ("127.0.0.1", "localhost", "[::1]", "::1")}
    if host.lower() not in known:
        assert not Access.of("127.0.0.1", PORT, TOKEN).knows_host(host)


def test_a_server_for_other_machines_asks_every_reader_for_the_token(finished: Path):
    from probatum.web.application import application

    app = application(finished, Access.of("0.0.0.0", PORT, TOKEN))
    with TestClient(app, base_url=f"http://10.1.2.3:{PORT}") as client:
        assert client.get("/").status_code == 403
        assert client.get("/assets/style.css").status_code == 403
        assert client.get("/", headers=BEARER).status_code == 200
        assert client.get("/", headers={**BEARER, "host": f"evil.example:{PORT}"}).status_code == 421


@pytest.mark.parametrize("page", ANSWERED)
def test_every_answer_forbids_scripts_frames_and_guesses(page, reader):
    headers = reader.get(page).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_refusals_carry_the_same_headers(reader):
    refused = reader.post("/run")
    assert refused.status_code == 403
    assert "default-src 'self'" in refused.headers["content-security-policy"]


@pytest.mark.parametrize("page", [*ANSWERED, "/experiment?name=ridge", "/ask/rocking-curve-fit"])
def test_no_page_holds_scripts_or_styles_of_its_own(page, reader):
    text = reader.get(page).text
    assert text.count("<script") == text.count('<script src="/assets/')
    assert "<style" not in text
    assert " style=" not in text
    assert " onclick=" not in text


def test_the_link_puts_the_token_into_a_cookie_and_out_of_the_address(reader):
    answer = reader.get(f"/tree?root=ridge&token={TOKEN}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/tree?root=ridge"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    reader.cookies.clear()


def test_a_link_to_elsewhere_stays_here(reader):
    for path in ("//evil.example/x", "/\\evil.example", "///evil.example"):
        answer = reader.get(f"{HERE}{path}?token={TOKEN}", follow_redirects=False)
        assert answer.status_code == 303
        location = answer.headers["location"]
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
        reader.cookies.clear()


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper()])
def test_a_wrong_token_starts_nothing(token, lab):
    with client_of(lab) as client:
        assert client.get("/", params={"token": token}).status_code == 403
        assert not client.cookies
        assert client.post("/run", headers={"authorization": f"Bearer {token}"}).status_code == 403
        assert client.post("/run", headers={"cookie": f"probatum_{PORT}={token}"}).status_code == 403
        assert client.app.state.dashboard.processes.recent("campaign") == []


def test_a_wrong_header_is_not_made_up_for_by_a_cookie(person):
    assert person.post("/run", headers={"authorization": "Bearer wrong"}).status_code == 403


POSTS = ["/run", "/proposals", "/proposals/ask", "/proposals/resume", "/ask/analog-codes-height", "/work/x/stop"]


@pytest.mark.parametrize("post", POSTS)
def test_every_post_needs_the_token(post, reader):
    assert reader.post(post).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://evil.example"}, {"origin": "null"}, {"origin": f"http://localhost:{PORT}"},
     {"origin": "http://127.0.0.1:9999"}, {"origin": f"https://127.0.0.1:{PORT}"}, {"origin": ""},
     {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}],
)  # fmt: skip
@pytest.mark.parametrize("post", POSTS)
def test_a_post_of_another_page_is_refused_though_the_browser_sends_the_cookie(post, headers, person):
    refused = person.post(post, headers=headers)
    assert refused.status_code == 403
    assert "own pages" in refused.text


def test_a_post_that_says_not_where_it_comes_from_needs_the_header(lab):
    with client_of(lab) as client:
        del client.headers["origin"]
        client.get(f"/?token={TOKEN}")
        assert client.post("/work/none/stop").status_code == 403
        assert client.post("/work/none/stop", headers=BEARER).status_code == 404  # let through, and there is none


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_not_answered(method, person):
    assert person.request(method, "/run").status_code == 405


def test_nothing_is_started_by_reading(person):
    for post in POSTS:
        assert person.get(post).status_code in (200, 404, 405)
    assert person.app.state.dashboard.processes.recent("campaign") == []


class _Unread:
    """A body of 2 GB that fails the test when a byte of it is asked for."""

    async def __call__(self):
        raise AssertionError("the body was read")


@pytest.mark.anyio
async def test_two_gigabytes_are_refused_before_a_byte_is_read(finished, access):
    from probatum.web.guard import Guard

    sent = []

    async def app(scope, receive, send):
        raise AssertionError("it was let through")

    async def send(message):
        sent.append(message)

    headers = {
        "host": f"127.0.0.1:{PORT}", "origin": HERE, "authorization": f"Bearer {TOKEN}",
        "content-length": str(2 * 2**30), "content-type": "multipart/form-data; boundary=x",
    }  # fmt: skip
    raw = [(k.encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/ask/rocking-curve-fit", "query_string": b"", "headers": raw}
    await Guard(app, access)(scope, _Unread(), send)
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert LARGEST_POST < 2**27


@pytest.fixture
def anyio_backend():
    return "asyncio"


def test_a_body_that_grows_beyond_the_limit_is_cut_off_whatever_it_announced(small):
    def chunks():
        for _ in range(100):
            yield b"a=" + b"x" * 100 + b"&"

    headers = {"origin": HERE, "content-type": "application/x-www-form-urlencoded"}
    assert small.post("/run", content=chunks(), headers=headers).status_code == 413
    assert small.app.state.dashboard.processes.recent("campaign") == []


@pytest.mark.parametrize("length", ["-1", "many", "1e9", "9" * 30])
def test_a_length_that_is_none_is_refused(length, person):
    answer = person.post("/run", headers={"content-length": length})
    assert answer.status_code in (400, 413)
