"""Every format of a report says the same, and none of them can be broken by what experiments are called."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cli.small_lab import Call, write_contest
from probatum.errors import StorageError, UnknownNameError
from probatum.laboratory import Laboratory
from probatum.reporting.formats import SUFFIXES, strict, write_form
from probatum.reporting.latex_table import latex
from probatum.reporting.markdown_report import plain, table

HOSTILE = "a_b & <b> 50% | $x$ --x"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with a champion, and with a name full of signs, run to its end."""
    folder = write_contest(tmp_path_factory.mktemp("formats"))
    file = folder / "contest.toml"
    text = file.read_text(encoding="utf-8").replace('name = "other trees"', f"name = {json.dumps(HOSTILE)}")
    file.write_text(text, encoding="utf-8")
    Laboratory.open(file).run()
    return folder


def written(folder: Path, form: str) -> str:
    laboratory = Laboratory.open(folder / "contest.toml")
    path = write_form(laboratory, laboratory.results(), form)
    assert path == folder / "contest.probatum" / f"report.{SUFFIXES[form]}"
    return path.read_text(encoding="utf-8")


def test_json_has_a_schema_and_everything_that_a_report_says(folder: Path):
    values = json.loads(written(folder, "json"), parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    assert values["schema"] == 1
    assert {
        "schema",
        "campaign", "problem", "question", "tasks", "protocol", "units", "baseline", "best", "experiments", "arms",
        "verdicts", "noise_floors", "effects", "champion", "groups", "written", "version", "groupings", "data",
        "held_out_looks", "audit", "blocked", "floors", "target", "calibration", "submissions", "next", "principles",
        "rounds", "reproduction", "metric", "no_champion", "champions_of_rounds",
    } == set(values)  # fmt: skip
    names = [e["name"] for e in values["experiments"]]
    assert HOSTILE in names
    tree = next(e for e in values["experiments"] if e["name"] == "trees")
    assert tree["recipe"]["model.n_estimators"] == 10
    assert len(tree["digest"]) == 64
    assert len(values["reproduction"]["splits"]) == 16
    assert len(values["groups"]) == 16
    assert values["groups"][0]["rows"] == 3
    shown = list(values["groups"][0]["scores"])
    assert shown[0] == values["champion"]["name"]
    scores = [row["scores"][shown[0]] for row in values["groups"]]
    assert scores == sorted(scores, reverse=True)  # the hardest first
    assert values["next"]["proposals"]
    assert {"parent", "change", "reason", "priority"} <= values["next"]["proposals"][0].keys()


def test_markdown_has_whole_tables_and_escaped_names(folder: Path):
    text = written(folder, "md")
    assert plain(HOSTILE) in text
    assert HOSTILE not in text
    assert "<b>" not in text.replace(r"\<b\>", "")
    lines = text.splitlines()
    for before, line in pairwise(lines):
        if line.startswith("| ---"):
            columns = len(re.findall(r"(?<!\\)\|", line))
            assert len(re.findall(r"(?<!\\)\|", before)) == columns
    rows = [line for line in lines if line.startswith("|")]
    widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert min(widths) >= 3
    headings = re.findall(r"^## (\d+)\. (.+)$", text, re.MULTILINE)
    assert [int(n) for n, _ in headings] == list(range(1, len(headings) + 1))
    assert "The champion, and why" in dict(headings[i][::-1] for i in range(len(headings)))


def test_a_cell_cannot_end_its_row():
    assert table(["a"], [["x | y\nz"]])[-1] == r"| x \| y z |"


def test_a_notebook_is_valid_and_its_cells_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    laboratory = Laboratory.open(folder / "contest.toml")
    path = write_form(laboratory, laboratory.results(), "ipynb", tmp_path / "n.ipynb")
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    code = [cell.source for cell in book.cells if cell.cell_type == "code"]
    assert len(code) == 5
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {}
    for source in code:
        exec(compile(source, "cell", "exec"), space)
    assert space["values"]["champion"]["name"] == laboratory.champion(laboratory.results()).name  # type: ignore[union-attr]
    text = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert "What to try next" in text


def test_a_latex_table_has_one_width_and_no_bare_sign(folder: Path):
    text = written(folder, "latex-table")
    assert latex(HOSTILE) in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {5}
    assert len(rows) >= 5
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    assert text.count(r"\begin{") == text.count(r"\end{")
    for sign in "%#":
        assert not re.search(rf"(?<!\\){sign}", text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("a_b", r"a\_b"), ("50%", r"50\%"), ("\\input{x}", r"\textbackslash{}input\{x\}"), ("--", "-{}-"),
     ("---", "-{}-{}-"), ("a\nb", "a b"), ("^~", r"\textasciicircum{}\textasciitilde{}")],
)  # fmt: skip
def test_latex_prints_every_sign_as_it_is(text: str, said: str):
    assert latex(text) == said


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_latex_takes_the_table(folder: Path, tmp_path: Path):
    import subprocess

    body = written(folder, "latex-table")
    head = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs}\begin{document}"
    (tmp_path / "t.tex").write_text(f"{head}\n{body}\n\\end{{document}}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)


def test_the_command_writes_every_format_where_it_is_told(folder: Path, tmp_path: Path, call: Call):
    for form, suffix in {**SUFFIXES, "log": "md"}.items():
        target = tmp_path / f"{form}.{suffix}"
        said = call(folder, "report", "contest.toml", "--format", form, "-o", str(target), "--json")
        assert said.code == 0, said.err
        assert said.values["report"] == str(target)
        assert target.stat().st_size > 500
    assert "unknown format 'pdf'" in call(folder, "report", "contest.toml", "--format", "pdf").error


def test_a_form_or_folder_that_is_not_there_is_refused(folder: Path, tmp_path: Path):
    laboratory = Laboratory.open(folder / "contest.toml")
    results = laboratory.results()
    with pytest.raises(UnknownNameError, match="format"):
        write_form(laboratory, results, "pdf")
    with pytest.raises(StorageError, match="cannot be written"):
        write_form(laboratory, results, "md", tmp_path / "nowhere" / "r.md")


def test_numbers_that_are_not_finite_become_null():
    assert strict({"a": [float("nan"), 1.5], "b": (float("inf"), "x", None)}) == {
        "a": [None, 1.5],
        "b": [None, "x", None],
    }


@pytest.fixture(autouse=True)
def _same_import_path() -> Iterator[None]:
    import sys

    before = list(sys.path)
    yield
    sys.path[:] = before
