"""Imported runs in the dashboard: everything that looks works, nothing trains, and the words are those of runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from interop.foreign_runs import bring, runs_of, table_of_scores
from probatum.errors import CampaignFileError
from probatum.interop.foreign_run import ForeignRun
from probatum.laboratory import Laboratory
from probatum.web.access import Access
from probatum.web.dashboard import Dashboard
from web.small_dashboard import PORT, TOKEN, client_of
from web.test_pages import Seen

HOSTILE = "<b>wild</b> & 'quoted'"
BASE, SLOW, LATE = (table_of_scores(mean, seed) for seed, mean in enumerate((1.0, 1.15, 0.8)))
PAGES = (
    "/", "/tree", "/experiments", "/experiments?order=score", "/experiment?name=slow", "/experiment?name=gone",
    "/compare?a=slow&b=base", "/findings", "/effects", "/proposals", "/ask", "/picture?sort=tree",
    "/picture?sort=trajectory", "/picture?sort=verdicts", "/picture?sort=effects", "/picture?sort=curves&of=slow",
    "/picture?sort=scatter&of=slow", "/picture?sort=residuals&of=slow", "/picture?sort=map&of=slow&of=base",
)  # fmt: skip
POSTS = {
    "/run": {"retry": "on"},
    "/proposals": {"text_0": '[[proposal]]\nparent = "base"\n', "accept_0": "on", "action": "start"},
    "/proposals/ask": {"slots": "4"},
    "/proposals/resume": {},
}


def runs() -> list[ForeignRun]:
    return [
        *runs_of("base", BASE, lr=0.1),
        *runs_of("slow", SLOW, lr=0.01),
        *runs_of(HOSTILE, BASE + math.pi, lr=9),
        ForeignRun("g", "gone", "failed", parameters={"lr": 3}, error="out of memory"),
    ]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("imported") / "runs.toml"
    bring(runs(), path)
    return path


@pytest.fixture(scope="module")
def person(imported: Path) -> Iterator[TestClient]:
    """A browser that has opened the link with the token."""
    with client_of(imported) as client:
        client.get(f"/?token={TOKEN}")
        client.app.state.dashboard.observer.wait(120)  # type: ignore[attr-defined]
        yield client


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_imported_runs_and_starts_nothing(page: str, person: TestClient):
    answer = person.get(page)
    assert answer.status_code == 200
    seen = Seen(answer.text)
    posts = [value for name, value in seen.attributes if name == "action" and value not in ("/compare", "/experiments")]
    assert posts == []
    texts = "".join(seen.texts)
    for wrong in (
        "Not run yet",
        "Try failed fits again",
        "Ask what to try next",
        "Start accepted",
        "champion confirm'.",
    ):
        assert wrong not in texts
    assert "/proposals" not in [value for name, value in seen.attributes if name == "href"]


def test_the_overview_says_where_runs_are_from_and_what_they_were_judged_by(person: TestClient):
    texts = " ".join("".join(Seen(person.get("/").text).texts).split())
    assert "Imported. 4 experiments." in texts
    assert "table, runs.csv" in texts
    assert "rmse" in texts
    assert "recorded_lower" not in texts
    assert "20 of 31 runs" not in texts
    assert "30 of 31 runs, 1 failed" in texts
    assert "fits" not in texts.lower().replace("benefits", "")


def test_an_experiment_shows_its_parameters_and_not_what_no_run_has(person: TestClient):
    texts = " ".join("".join(Seen(person.get("/experiment?name=slow").text).texts).split())
    assert "Parameters" in texts
    assert "lr0.01" in texts.replace(" ", "")
    assert "ensemble" not in texts
    assert "Residuals" not in texts
    assert "10 done; 20 s of training." in texts
    gone = " ".join("".join(Seen(person.get("/experiment?name=gone").text).texts).split())
    assert "out of memory" in gone
    assert "1 failed." in gone


def test_no_picture_of_predictions_is_drawn_where_there_are_none(person: TestClient):
    for sort in ("scatter", "residuals"):
        text = person.get(f"/picture?sort={sort}&of=slow").text
        assert "imported runs come without predictions" in text
        assert "<svg" not in text


@pytest.mark.parametrize("address", POSTS)
def test_what_would_train_is_refused_before_a_process_starts(address: str, person: TestClient, imported: Path):
    before = Laboratory.open(imported).results().verdicts
    answer = person.post(address, data=POSTS[address])
    assert answer.status_code == 409
    assert "read-only" in answer.text
    assert "un them where they were made (table), then import again" in answer.text
    dashboard: Dashboard = person.app.state.dashboard  # type: ignore[attr-defined]
    assert dashboard.processes.recent("campaign") == []
    assert Laboratory.open(imported).results().verdicts == before


def test_what_a_later_import_brings_is_shown(tmp_path: Path):
    path = tmp_path / "runs.toml"
    bring([r for r in runs() if r.parameters.get("seed", 0) == 0], path)
    with client_of(path) as client:
        observer = client.app.state.dashboard.observer  # type: ignore[attr-defined]
        before = observer.wait(120).view.verdicts["slow"]
        bring([*runs(), *runs_of("late", LATE, lr=7)], path)
        view = observer.wait(120).view
        assert (before["seeds"], view.verdicts["slow"]["seeds"]) == (1, 2)
        assert view.verdicts["slow"]["difference"] == pytest.approx((SLOW - BASE).mean())
        assert view.verdicts["late"]["outcome"] == "better"
        assert "late" in client.get("/tree").text


def test_a_campaign_file_without_its_ledger_is_said_to_be_empty(tmp_path: Path):
    path = tmp_path / "runs.toml"
    bring(runs(), path)
    moved = tmp_path / "other.toml"
    moved.write_bytes(path.read_bytes())
    with pytest.raises(CampaignFileError, match="holds no imported runs"):
        Laboratory.open(moved)
    with client_of(moved) as client:
        client.app.state.dashboard.observer.wait(120)  # type: ignore[attr-defined]
        assert "holds no imported runs" in client.get("/").text


def test_a_shared_ledger_of_the_environment_is_not_that_of_imported_runs(imported: Path, monkeypatch):
    monkeypatch.setenv("PROBATUM_LEDGER", "postgresql+psycopg://nobody@127.0.0.1:1/campaigns")
    dashboard = Dashboard.of(imported, Access.of("127.0.0.1", PORT, TOKEN))
    try:
        progress = dashboard.observer.progress()
        assert (progress.importer, progress.trouble) == ("table", None)
    finally:
        dashboard.close()
