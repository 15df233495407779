"""Records show themselves in a notebook as tables that hold all of the text and none of its markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit
from probatum.evidence.verdict import Verdict
from probatum.notebook_tables import MOST_ROWS, bounds, number, table

HOSTILE = "<script>alert(1)</script>\"'&"


class Page(HTMLParser):
    """Tags and cells of a fragment; unbalanced tags are refused."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append(tag)
        assert {name for name, _ in attrs} <= {"style", "scope"}

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_numbers_have_enough_digits_and_none_is_a_dash():
    assert [number(0.0093214), number(None), number(0.25, 3, sign=True)] == ["0.009321", "-", "+0.25"]
    assert [bounds((-0.12345, 0.03)), bounds(None)] == ["-0.123 to +0.03", "-"]


@given(st.text(), st.text(), st.text())
def test_no_text_becomes_markup(title: str, cell: str, note: str):
    page = Page(table(title, ["a", ">b"], [[cell, 1]], [note]))
    assert set(page.tags) == {"div", "p", "strong", "table", "thead", "tr", "th", "tbody", "td"}
    joined = "".join(page.text)
    for text in (title, cell, note):
        assert text.replace("\r", "") in joined.replace("\r", "")


def test_a_long_table_says_how_much_of_it_is_shown():
    html = table("t", ["n"], [[f"row {i}"] for i in range(MOST_ROWS + 5)])
    assert f"The first {MOST_ROWS} of {MOST_ROWS + 5} rows." in html
    assert f"row {MOST_ROWS - 1}" in html
    assert f"row {MOST_ROWS}" not in html


@pytest.mark.parametrize("interval", [(-0.2, -0.05), None])
def test_a_verdict_says_what_it_rests_on(interval: tuple[float, float] | None):
    verdict = Verdict(
        HOSTILE, "ridge", 0.25, "better", -0.125, interval, 0.01, 0.02, None, (0.9, 0.1, 0.0), 12, 3, None, "a t test"
    )
    page = Page(verdict._repr_html_())
    text = " ".join(page.text)
    assert "script" not in page.tags
    assert f"{HOSTILE} against ridge" in text
    for part in ("better", "0.25", "-0.125", "95 % interval", "0.02", "12 independent units, 3 seeds", "a t test"):
        assert part in text
    assert ("-0.2 to -0.05" in text) == (interval is not None)


def test_a_finding_says_what_was_found_and_where_its_meaning_stands():
    finding = Finding("PB101", "error", HOSTILE, "rows stand twice", {"rows": 3.0}, "they were <b>meant</b> to")
    page = Page(finding._repr_html_())
    text = " ".join(page.text)
    for part in ("PB101 error", HOSTILE, "rows stand twice", "they were <b>meant</b> to", "probatum explain PB101"):
        assert part in text
    assert page.text[page.text.index("rows") + 1] == "3"
    audit = " ".join(Page(Audit("demo", (finding,), ("PB101", "PB102"))._repr_html_()).text)
    assert "Audit of demo" in audit
    assert "2 checks looked." in audit
    assert "nothing was found" in Page(Audit("demo", (), ("PB101",))._repr_html_()).text[-1]
