"""The pages that only look: what they show, what they escape, and what they do not open."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.laboratory import Laboratory
from probatum.web.progress_events import event
from probatum.web.tree_steps import DEEPEST, steps
from web.small_dashboard import HOSTILE, client_of, write_lab

PAGES = [
    "/", "/tree", "/tree?root=ridge", "/experiments", "/experiments?order=score", "/experiments?find=ridge",
    "/compare", "/compare?a=ridge&b=mean", "/findings", "/effects", "/proposals", "/ask", "/experiment?name=ridge",
    "/experiment?" + urlencode({"name": HOSTILE}), "/compare?" + urlencode({"a": HOSTILE, "b": "ridge"}),
    "/tree?" + urlencode({"root": HOSTILE}), "/picture?sort=tree", "/picture?sort=scatter&of=ridge",
]  # fmt: skip


class Seen(HTMLParser):
    """The tags, texts and attributes of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("page", PAGES)
def test_markup_in_names_and_hypotheses_is_text(page, reader):
    answer = reader.get(page)
    assert answer.status_code == 200
    seen = Seen(answer.text)
    assert not [value for name, value in seen.attributes if name.startswith("on")]
    assert not [value for name, value in seen.attributes if name == "src" and not (value or "").startswith("/assets/")]
    assert "alert('hypothesis')" not in "".join(s for s in answer.text.split("<script")[1:])


def test_a_hostile_name_is_shown_as_it_is(reader):
    texts = "".join(Seen(reader.get("/tree").text).texts)
    assert HOSTILE in texts
    assert "<script>alert('hypothesis')</script>" in texts


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..%2f..%2fetc", "nobody", "other.toml:ridge", "a\0b", "x" * 5000]
)
def test_names_that_nobody_has_open_nothing(name, reader):
    for page in ("/experiment?name=", "/tree?root=", "/picture?sort=scatter&of=", "/picture?sort="):
        answer = reader.get(page + urlencode({"": name})[1:])
        assert answer.status_code == 404
        assert "root:" not in answer.text
    compared = reader.get("/compare?" + urlencode({"a": name, "b": "ridge"}))
    assert compared.status_code == 404


@pytest.mark.parametrize(
    "path", ["/assets/../server.py", "/assets/%2e%2e/server.py", "/assets/..%5cserver.py", "/assets/"]
)
def test_assets_are_those_of_the_package_alone(path, reader):
    assert reader.get(path).status_code == 404


def test_every_address_that_a_page_names_is_answered(reader):
    seen: set[str] = set()
    for page in PAGES:
        for name, value in Seen(reader.get(page).text).attributes:
            if name in ("href", "hx-get", "src") and value and value.startswith("/"):
                seen.add(value)
    assert len(seen) > 30
    for address in sorted(seen):
        assert reader.get(address).status_code == 200, address


def test_the_overview_says_what_the_command_line_says(reader, finished: Path):
    from probatum.reporting.records import results_values
    from probatum.reporting.sentences import champion_lines

    laboratory = Laboratory.open(finished)
    values = results_values(laboratory, laboratory.results(), groups=False)
    texts = "".join(Seen(reader.get("/").text).texts)
    assert values["champion"] is not None
    for line in champion_lines(values):
        assert line in texts


def test_two_experiments_are_judged_against_each_other(reader, finished: Path):
    laboratory = Laboratory.open(finished)
    (verdict,) = laboratory.compare(["ridge"], HOSTILE)
    text = reader.get("/compare?" + urlencode({"a": "ridge", "b": HOSTILE})).text
    seen = "".join(Seen(text).texts)
    assert f"difference {verdict.difference:+.3g}" in seen
    assert "model.alpha: 30.0 -> 1.0" in seen
    assert verdict.outcome in seen


def test_two_ticked_in_the_tree_are_compared(reader):
    text = reader.get("/compare?x=ridge&x=mean").text
    assert text == reader.get("/compare?a=ridge&b=mean").text.replace("a=ridge&amp;b=mean", "x=ridge&amp;x=mean", 1)


def test_findings_come_with_their_remedies(reader):
    from probatum.audit.catalogue import CHECKS

    view = reader.app.state.dashboard.observer.view
    assert view.findings
    texts = "".join(Seen(reader.get("/findings").text).texts)
    for finding in view.findings:
        assert finding["message"] in texts
        assert CHECKS[finding["code"]].remedy in texts


@pytest.mark.parametrize("page", ["/experiments?page=0", "/experiments?page=-3", "/experiments?page=nan",
                                  "/experiments?page=99999999999", "/findings?code=none", "/effects?page=7",
                                  "/experiments?order=backwards", "/compare?a=ridge"])  # fmt: skip
def test_odd_questions_are_answered(page, reader):
    assert reader.get(page).status_code == 200


def test_a_campaign_that_was_not_run_shows_what_its_file_says(tmp_path):
    with client_of(write_lab(tmp_path)) as client:
        client.app.state.dashboard.observer.wait(60)
        texts = "".join(Seen(client.get("/").text).texts)
        assert "Not run yet." in texts
        assert HOSTILE in texts
        for page in ("/tree", "/experiments", "/findings", "/effects", "/compare?a=ridge&b=mean", "/proposals"):
            assert client.get(page).status_code == 200
        assert client.get("/picture?sort=tree").status_code == 409


def test_a_campaign_file_that_cannot_be_used_is_said_to_be_so(tmp_path):
    path = write_lab(tmp_path)
    path.write_text(path.read_text().replace('kind = "ridge"', 'kind = "rigde"'))
    with client_of(path) as client:
        client.app.state.dashboard.observer.wait(60)
        assert "did you mean &#39;ridge&#39;?" in client.get("/").text


def test_a_ledger_that_is_damaged_is_said_to_be_so(lab: Path):
    (lab.parent / "lab.probatum" / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    with client_of(lab) as client:
        client.app.state.dashboard.observer.wait(60)
        answer = client.get("/")
        assert answer.status_code == 200
        assert "The ledger cannot be read." in answer.text


def test_results_follow_the_campaign_file_and_the_ledger(lab: Path):
    with client_of(lab) as client:
        observer = client.app.state.dashboard.observer
        observer.wait(60)
        assert "firm" not in client.get("/tree").text
        with lab.open("a") as file:
            file.write('\n[[experiment]]\nname = "firm"\nparent = "ridge"\nmodel.alpha = 3.0\n')
        observer.wait(60)
        assert "1 new experiment" in client.get("/").text
        assert "firm" in client.get("/tree").text
        Laboratory.open(lab).run()
        look = observer.wait(60)
        assert look.unrun == 0
        assert look.view.verdicts["firm"]["outcome"] == "better"


# ------------------------------------------------------------------ the tree as steps


@given(st.lists(st.integers(0, 60), max_size=60))
def test_the_tree_is_written_whole_and_well_nested(parents):
    records = [ExperimentRecord("0", {}, "")]
    records += [ExperimentRecord(str(i), {}, "", parent=str(p % i)) for i, p in enumerate(parents, 1)]
    children: dict[str | None, list[ExperimentRecord]] = {}
    for r in records:
        children.setdefault(r.parent, []).append(r)
    nesting, seen, left_out = [], [], 0
    for step in steps(children[None], children):
        if step.what == "node":
            seen.append(step.record.name)
            nesting.append("node")
        elif step.what == "open":
            assert step.children == len(children[step.record.name])
            nesting.append("open")
        elif step.what == "more":
            left_out += step.below
        else:
            assert nesting.pop() == {"shut": "open", "end": "node"}[step.what]
    assert nesting == []
    assert len(set(seen)) == len(seen)
    assert len(seen) + left_out == len(records)


def test_a_chain_of_a_thousand_is_cut_into_pages():
    records = [ExperimentRecord(str(i), {}, "", parent=str(i - 1) if i else None) for i in range(1000)]
    children: dict[str | None, list[ExperimentRecord]] = {r.parent: [r] for r in records}
    written = list(steps(records[:1], children))
    (more,) = [s for s in written if s.what == "more"]
    assert sum(s.what == "node" for s in written) == DEEPEST + 1
    assert more.below == 1000 - DEEPEST - 1


@given(st.text(), st.sampled_from(["", "results"]))
def test_an_event_is_one_event_whatever_its_text(text, name):
    lines = event(text, name).split("\n")
    assert lines[-2:] == ["", ""]
    assert "" not in lines[:-2]
    assert all(line.startswith(("data: ", "event: ")) for line in lines[:-2])
    assert "\r" not in "".join(lines)
