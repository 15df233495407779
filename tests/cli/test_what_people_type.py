"""What a person types who comes with a table of their own: each slip is answered by what they meant."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from cli.small_lab import Call, lab_table

NEW = ("new", "my.toml", "--table", "my.csv", "--target", "yield", "--group", "batch")
RUNS = "name,score,metric,baseline\nold,0.5,mse,true\nnew,0.4,mse,\n"


@pytest.mark.parametrize("command", [["run", "lab.csv"], ["compare", "a", "b", "-C", "lab.csv"], ["status", "lab.csv"]])
def test_a_table_instead_of_a_campaign_is_told_how_it_becomes_one(command: list[str], tmp_path: Path, call: Call):
    (tmp_path / "lab.csv").write_text(lab_table(), encoding="utf-8")
    error = call(tmp_path, *command).error
    assert "lab.csv: a table, and no campaign file" in error
    assert "probatum new NAME.toml --table lab.csv" in error


def test_a_campaign_is_named_without_its_suffix(tmp_path: Path, call: Call):
    (tmp_path / "lab.toml").write_text("", encoding="utf-8")
    assert "did you mean 'lab.toml'?" in call(tmp_path, "run", "lab").error
    assert "did you mean" not in call(tmp_path, "run", "lob").error


@pytest.mark.parametrize("column", ["temperature", "yield"])
def test_decimal_commas_are_no_labels(column: str, tmp_path: Path, call: Call):
    header, *rows = (line.split(",") for line in lab_table().splitlines())
    at = header.index(column)
    rows = [[cell.replace(".", ",") if i == at else cell for i, cell in enumerate(row)] for row in rows]
    (tmp_path / "my.csv").write_text("\n".join(";".join(row) for row in [header, *rows]) + "\n", encoding="utf-8")
    error = call(tmp_path, *NEW).error
    wrong = rows[0][at]
    for part in ("my.csv, line 2", f"column '{column}'", f"'{wrong}'", f"with a point ('{wrong.replace(',', '.')}')"):
        assert part in error
    assert not (tmp_path / "my.toml").exists()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_stands_between_cells_makes_no_difference(delimiter: str, tmp_path: Path, call: Call):
    header, *rows = lab_table().replace(",", delimiter).splitlines(keepends=True)
    for name, part in (("train.csv", rows[:16]), ("test.csv", rows[16:])):
        (tmp_path / name).write_text(header + "".join(part), encoding="utf-8-sig")
    asked = ("audit", "--train", "train.csv", "--test", "test.csv", "--target", "yield", "--group", "batch", "--json")
    findings = call(tmp_path, *asked).values["findings"]
    assert {f["code"] for f in findings if f["severity"] == "error"} == {"PB103"}  # every batch stands on both sides
    (tmp_path / "runs.csv").write_text(RUNS.replace(",", delimiter), encoding="utf-8")
    assert call(tmp_path, "audit", "--runs", "runs.csv", "--code", "PB401").code == 0


def test_a_written_campaign_can_be_grown_by_appending(tmp_path: Path, call: Call):
    (tmp_path / "my.csv").write_text(lab_table(), encoding="utf-8")
    assert call(tmp_path, *NEW).code == 0
    text = (tmp_path / "my.toml").read_text(encoding="utf-8")
    grown = tomllib.loads(text + '[[experiment]]\nname = "one more"\nparent = "ridge"\n')
    assert [e["name"] for e in grown["experiment"]] == ["ridge", "lightgbm", "mlp", "blend", "one more"]


def test_what_a_file_holds_cannot_steer_the_terminal(tmp_path: Path, call: Call):
    (tmp_path / "runs.csv").write_text("name,\x1b]0;owned\x07\x9b2J\na,1\n", encoding="utf-8")
    error = call(tmp_path, "audit", "--runs", "runs.csv").error
    assert error.isprintable()
    assert r"\x1b]0;owned\x07\x9b2J" in error


def test_a_folder_is_no_place_for_a_report(lab: Path, call: Call):
    (lab / "out").mkdir()
    for command in (["report", "-o", "out"], ["report", "--format", "md", "-o", "out"], ["next", "--out", "out"]):
        assert "out: is a folder; name a file in it" in call(lab, *command).error
    assert not list((lab / "out").iterdir())


def test_a_run_ends_with_what_may_be_claimed_and_the_command_that_goes_on(lab: Path, contest: Path, call: Call):
    said = call(lab, "run", "lab.toml", "--no-groups").out
    assert "No champion: no experiment is better than 'ridge'." in said
    assert "probatum next -C lab.toml" in said
    said = call(contest, "run", "contest.toml", "--no-groups").out
    champion = call(contest, "champion", "--json").values["champion"]["name"]
    assert f"Champion: {champion}, " in said
    assert "Not confirmed yet: 'probatum champion confirm -C contest.toml'." in said
