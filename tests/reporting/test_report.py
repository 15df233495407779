"""The report is one file that needs nothing else, and whatever a campaign calls its experiments cannot break it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cli.small_lab import Call, Said, program, write_contest, write_lab
from probatum.laboratory import Laboratory
from probatum.learning.probes import TRAINING
from probatum.problems.picture import Picture
from probatum.reporting.experiment_arrays import out_of_fold
from probatum.reporting.records import results_values
from probatum.reporting.report import SECTIONS, write_report
from probatum.reporting.report_pictures import curve_pictures, problem_pictures

HOSTILE = "<script>alert(1)</script> [/bold] & \"quoted\" 'x' $\\frac"
HYPOTHESIS = "</td><img src=x onerror=alert(2)> {{ 7 * 7 }} [red]"
CAMPAIGN = f"""
problem = {{ kind = "table", path = "lab.csv", target = "yield", group = "batch" }}
[protocol]
splits = "leave-one-group-out"
seeds = 2
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
VOID = ("meta", "br")


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
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_lab(tmp_path_factory.mktemp("hostile"), CAMPAIGN)
    said = program(folder, "run", "lab.toml")
    assert said.code == 0, said.err
    assert "Traceback" not in said.err
    return folder


@pytest.fixture(scope="module")
def raw(hostile: Path) -> str:
    return (hostile / "lab.probatum" / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(raw: str) -> Page:
    found = Page(raw)
    assert not found.open
    return found


def test_it_is_one_file_without_scripts_or_foreign_links(page: Page, raw: str):
    assert {tag for tag, _ in page.elements}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "embed", "base", "form", "foreignobject", "animate"}
    )
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "action", "style") for name in attributes)
        target = attributes.get("href") or "#"
        assert target.startswith("#") or (tag == "image" and target.startswith("data:image/png;base64,"))
    assert not re.search(r"https?://|@import", raw)
    assert all(one.startswith("#") for one in re.findall(r"url\(([^)]*)\)", raw))
    assert len(raw.encode()) < 1_500_000


def test_hostile_names_are_text(page: Page, raw: str):
    assert HOSTILE in page.texts
    assert HYPOTHESIS in page.texts
    assert "49" not in page.texts
    assert "<script>alert" not in raw
    assert "<img" not in raw


def test_it_shows_what_was_found(page: Page, hostile: Path):
    laboratory = Laboratory.open(hostile / "lab.toml")
    results = laboratory.results()
    for arm in results.arms:
        assert f"{arm.score:.4g}" in page.texts
    for verdict in results.verdicts:
        assert verdict.outcome in page.texts
        assert verdict.method in page.text
    (dataset,) = laboratory.campaign.datasets.values()
    assert dataset.digest in page.texts
    assert "No cases were held out." in page.text
    assert "24, of which 24 have finite quantities" in page.text
    assert "6 splits." in page.text
    for record in results.records:
        assert record.digest[:16] in page.texts
    for split in laboratory.campaign.splits:
        assert split.digest[:16] in page.texts
    assert "probatum verify lab.toml" in page.text


def test_every_experiment_has_its_place_and_is_linked(page: Page, hostile: Path):
    records = Laboratory.open(hostile / "lab.toml").results().records
    ids = [attributes["id"] for attributes in page.all("h3") if attributes.get("id")]
    assert len(ids) == len(records)
    linked = {(attributes["href"] or "")[1:] for attributes in page.all("a")}
    assert set(ids) <= linked


def test_every_training_history_is_a_small_curve_and_the_best_are_large():
    def training(loss: float) -> Any:
        return SimpleNamespace(curves={TRAINING: np.linspace(1, loss, 6)})

    arms = [{"name": f"e{i}", "trivial": False, "better": "lower", "score": 1.0 + i} for i in range(9)]
    runs = [SimpleNamespace(name=a["name"], trainings=(training(0.1),)) for a in arms[:8]]
    history = SimpleNamespace(runs=[*runs, SimpleNamespace(name="e8", trainings=())])
    laboratory: Any = SimpleNamespace(auditor=SimpleNamespace(history=lambda _: history))
    results: Any = None
    (large,), small = curve_pictures(laboratory, results, {"arms": arms})
    assert list(small) == [f"e{i}" for i in range(8)]
    assert all("6 epochs" in svg for svg in small.values())
    assert "the best 6 of 8 experiments" in large.caption
    assert ">e5, 1 training<" in large.svg
    assert ">e6, " not in large.svg


def test_sections_are_numbered_in_their_order_and_the_contents_lead_there(page: Page):
    numbered = re.findall(r"(?<!\d)(\d+) (" + "|".join(map(re.escape, SECTIONS.values())) + ")", page.text)
    found = [(int(number), title) for number, title in numbered]
    assert [n for n, _ in found] == list(range(1, len(found) + 1))
    titles = [title for _, title in found]
    assert titles == [t for t in SECTIONS.values() if t in titles]
    assert {"The champion, and why", "What worked, what failed", "What to try next", "Reproduction"} <= set(titles)
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert all((attributes["href"] or "")[1:] in ids for attributes in page.all("a"))


def test_it_can_be_read_with_a_screen_reader(page: Page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    pictures = page.all("svg")
    assert len(pictures) > 5
    assert all(a.get("role") == "img" and (a.get("aria-label") or "").strip() for a in pictures)
    assert all(a.get("scope") in ("col", "row") for a in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert len(page.all("figcaption")) == len(page.all("figure"))
    scrolling = [a for a in page.all("div") if a.get("class") == "scroll"]
    assert all(a.get("tabindex") == "0" and a.get("role") == "region" and a.get("aria-label") for a in scrolling)
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("main")


def test_tables_and_figures_are_numbered_through(page: Page):
    for kind in ("Table", "Figure"):
        numbers = [int(n) for n in re.findall(rf"(?:^| ){kind} (\d+)\.", page.text)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 4


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


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """A campaign with a champion."""
    folder = write_contest(tmp_path_factory.mktemp("contest"))
    laboratory = Laboratory.open(folder / "contest.toml")
    laboratory.run()
    return laboratory


def test_a_champion_is_said_with_its_optimism_and_what_to_do_next(contest: Laboratory, tmp_path: Path):
    results = contest.results()
    champion = contest.champion(results)
    assert champion is not None
    page = Page(write_report(contest, results, tmp_path / "r.html").read_text(encoding="utf-8"))
    assert f"The champion is '{champion.name}'" in page.text
    assert "look better than it is by" in page.text
    assert "Not confirmed yet" in page.text
    assert "Proposals of the next round" in page.text
    drawn = " ".join(a["aria-label"] or "" for a in page.all("svg"))
    for part in ("The tree", "Mean effect of each mutation", "Difference of", "Predictions of", "residuals"):
        assert part in drawn, part


def test_a_problem_s_own_pictures_are_drawn_and_one_that_fails_says_why(
    contest: Laboratory, monkeypatch: pytest.MonkeyPatch
):
    def pictures(problem: Any, dataset: Any, rows: np.ndarray, predictions: np.ndarray, curves: Any) -> list[Picture]:
        def good(figure: Any) -> None:
            figure.subplots().plot(rows, predictions[:, 0])

        def bad(figure: Any) -> None:
            raise ZeroDivisionError("<no curve>")

        return [Picture("good", "Good <b>", f"{len(rows)} rows.", good), Picture("bad", "Bad", "x", bad)]

    monkeypatch.setattr(type(contest.campaign.file.problem), "pictures", pictures)
    (task,) = out_of_fold(contest, "trees")
    good, bad = problem_pictures(contest, replace(task), several=True)
    assert good.svg.startswith("<svg")
    assert good.caption == f"Good <b> (table). {len(task.rows)} rows."
    assert bad.svg == ""
    assert "could not be drawn (ZeroDivisionError: <no curve>)" in bad.caption


@pytest.fixture(autouse=True)
def _same_import_path() -> Iterator[None]:
    import sys

    before = list(sys.path)
    yield
    sys.path[:] = before
