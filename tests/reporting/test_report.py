"""The report is one file that needs nothing else, and whatever a campaign calls its experiments cannot break it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli.small_lab import Call, Said, program, write_lab
from probatum.laboratory import Laboratory
from probatum.reporting.records import results_values
from probatum.reporting.report import write_report

HOSTILE = "<script>alert(1)</script> [/bold] & \"quoted\" 'x'"
HYPOTHESIS = "</td><img src=x onerror=alert(2)> {{ 7 * 7 }} [red]"
CAMPAIGN = f"""
problem = {{ kind = "table", path = "lab.csv", target = "yield", group = "batch" }}
[protocol]
splits = "leave-one-group-out"
margin = 0.001
[[experiment]]
name = "ridge"
model.kind = "ridge"
[[experiment]]
name = {json.dumps(HOSTILE)}
parent = "ridge"
hypothesis = {json.dumps(HYPOTHESIS)}
model.alpha = 10.0
"""


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_lab(tmp_path_factory.mktemp("hostile"), CAMPAIGN)
    said = program(folder, "run", "lab.toml")
    assert said.code == 0, said.err
    assert "Traceback" not in said.err
    return folder


@pytest.fixture(scope="module")
def page(hostile: Path) -> Page:
    found = Page((hostile / "lab.probatum" / "report.html").read_text(encoding="utf-8"))
    assert not found.open
    return found


def test_it_is_one_file_without_scripts_or_links(page: Page, hostile: Path):
    assert {tag for tag, _ in page.elements}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"}
    )
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "href", "action") for name in attributes)
    text = (hostile / "lab.probatum" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|url\(|@import", text)
    assert len(text.encode()) < 3_000_000


def test_hostile_names_are_text(page: Page):
    assert HOSTILE in page.texts
    assert HYPOTHESIS in page.texts
    assert "49" not in page.texts


def test_it_shows_what_was_found(page: Page, hostile: Path):
    laboratory = Laboratory.open(hostile / "lab.toml")
    results = laboratory.results()
    text = "\n".join(page.texts)
    for arm in results.arms:
        assert f"{arm.score:.4g}" in page.texts
    for verdict in results.verdicts:
        assert verdict.outcome in page.texts
        assert verdict.method in text
    for heading in ("Verdicts", "Per target", "Per group", "Experiments", "Protocol", "Data"):
        assert heading in page.texts
    (dataset,) = laboratory.campaign.datasets.values()
    assert dataset.digest in page.texts
    assert "No cases were held out." in page.texts
    assert "24, of which 24 have finite quantities; 6 splits" in text


def test_tables_show_hostile_names_as_they_are(hostile: Path, call: Call):
    for command in (["compare", "--all"], ["tree"], ["status"], ["show", HOSTILE]):
        said: Said = call(hostile, *command)
        assert said.code == 0
        unbroken = re.sub(r"\s+", " ", said.out)
        assert HOSTILE in unbroken, command
    assert HYPOTHESIS in call(hostile, "tree").out


def test_values_are_strict_json(hostile: Path):
    laboratory = Laboratory.open(hostile / "lab.toml")
    values = results_values(laboratory, laboratory.results())
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["schema"] == 1


def test_numbers_that_are_not_finite_become_null(call: Call, hostile: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("probatum.evidence.scores.ArmScores.seed_spread", float("nan"))
    monkeypatch.setattr("probatum.evidence.scores.ArmScores.by_task", {"table": float("inf")})
    for arm in call(hostile, "compare", "--all", "--json").values["arms"]:
        assert arm["seed_spread"] is None
        assert arm["by_task"] == {"table": None}


def test_a_report_is_replaced_as_a_whole(hostile: Path, tmp_path: Path):
    laboratory = Laboratory.open(hostile / "lab.toml")
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    assert write_report(laboratory, laboratory.results(), path) == path
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


@pytest.fixture(autouse=True)
def _same_import_path() -> Iterator[None]:
    import sys

    before = list(sys.path)
    yield
    sys.path[:] = before
