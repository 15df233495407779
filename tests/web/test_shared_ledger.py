"""The dashboard of a campaign whose ledger is on a server: drivers elsewhere are seen, and a server that is away."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from postgresql_fixture import server  # noqa: F401
from probatum.campaigns.events import Event, JobFinished
from probatum.laboratory import Laboratory
from probatum.web import observer as observing
from probatum.web.progress_events import _state
from web.small_dashboard import CAMPAIGN, TOKEN, client_of, write_lab
from web.test_pages import Seen

PAGES = ("/", "/tree", "/experiments", "/experiment?name=ridge", "/compare?a=ridge&b=mean", "/findings", "/effects",
         "/proposals", "/picture?sort=verdicts", "/picture?sort=scatter&of=ridge")  # fmt: skip


def words(text: str) -> str:
    return " ".join("".join(Seen(text).texts).split())


@pytest.fixture
def shared(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """A campaign that was not run; its ledger is asked at every look."""
    monkeypatch.setattr(observing, "ASKED_EVERY", 0.0)
    monkeypatch.setattr(observing, "PATIENCE", 0.2)
    run = f'[run]\nledger = "{server.url(campaign=tmp_path.name)}"'
    return write_lab(tmp_path, CAMPAIGN.replace("[run]", run))


def test_a_driver_elsewhere_is_seen_while_it_runs_and_its_results_when_it_ends(shared: Path):
    paused, go_on = threading.Event(), threading.Event()

    def tell(event: Event) -> None:
        if isinstance(event, JobFinished) and not paused.is_set():
            paused.set()
            go_on.wait(120)

    with client_of(shared) as client:
        client.get(f"/?token={TOKEN}")
        observer = client.app.state.dashboard.observer  # type: ignore[attr-defined]
        before = _state(observer.wait(120))
        assert "Not run yet." in words(client.get("/").text)
        driver = threading.Thread(target=lambda: Laboratory.open(shared).run(tell))
        driver.start()
        try:
            assert paused.wait(120)
            page = client.get("/").text
            assert "Running elsewhere." in words(page)
            assert "Nothing was run yet" not in words(page)
            assert 'action="/run"' not in page
            assert client.post("/run").status_code == 409
            assert _state(observer.look()) != before  # so that pages that are open ask for what is new
        finally:
            go_on.set()
            driver.join()
        look = observer.wait(120)
        assert (look.progress.holder, look.progress.finished) == (None, 4)
        assert look.view.verdicts["ridge"]["outcome"] == "better"
        for address in PAGES:
            assert client.get(address).status_code == 200
        assert "Finished. 4 experiments." in words(client.get("/").text)


def test_a_server_that_is_away_is_said_to_be_so_and_what_was_known_is_shown_still(shared: Path, server: Any):  # noqa: F811
    Laboratory.open(shared).run()
    with client_of(shared) as client:
        client.get(f"/?token={TOKEN}")
        observer = client.app.state.dashboard.observer  # type: ignore[attr-defined]
        assert observer.wait(120).view.verdicts["ridge"]["outcome"] == "better"
        server.stop()
        try:
            for address in ("/", "/tree", "/experiments"):
                page = words(client.get(address).text)
                assert "The ledger cannot be read." in page
                assert "ridge" in page
            assert client.get("/experiment?name=ridge").status_code in (200, 409)
            assert observer.look().progress.finished == 4
        finally:
            server.start()
        assert observer.look().progress.trouble is None
        assert "Finished. 4 experiments." in words(client.get("/").text)
