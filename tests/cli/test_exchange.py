"""`import` and `export` as a person and a script call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.small_lab import Call

RUNS = "name,parent,lr,fold,val_rmse\n" + "".join(
    f"{name},{parent},{lr},{fold},{score + fold / 10 + lr * fold / 100}\n"
    for name, parent, lr, score in (("base", "", 0.1, 1.0), ("slow", "base", 0.01, 1.5), ("[red]x[/red]", "base", 9, 2))
    for fold in range(5)
)
ARGUMENTS = ("import", "table", "runs.csv", "--metric", "val_rmse", "--lower", "--out", "runs.toml")


@pytest.fixture
def runs(call: Call, tmp_path: Path) -> Path:
    """A folder with an imported campaign."""
    (tmp_path / "runs.csv").write_text(RUNS, encoding="utf-8")
    assert call(tmp_path, *ARGUMENTS).code == 0
    return tmp_path


def test_an_import_says_what_it_took_for_what(call: Call, tmp_path: Path):
    (tmp_path / "runs.csv").write_text(RUNS, encoding="utf-8")
    said = call(tmp_path, *ARGUMENTS)
    assert "fold: 'fold', which 15 of 15 runs have" in said.out
    assert "seed: none found (--seed-key KEY)" in said.out
    assert "baseline: base" in said.out
    again = call(tmp_path, *ARGUMENTS, "--json").values
    assert (again["experiments"], again["repeats"], again["new"]) == (3, 15, 0)


def test_whatever_only_looks_works_on_imported_runs(call: Call, runs: Path):
    assert call(runs, "status", "--json").values["experiments"]["done"] == 3
    assert call(runs, "show", "[red]x[/red]", "--json").values["experiment"]["parent"] == "base"
    assert "[red]x[/red]" in call(runs, "show", "[red]x[/red]").out
    compared = call(runs, "compare", "--all", "--json").values["verdicts"]
    assert {v["arm"]: v["outcome"] for v in compared} == {"slow": "worse", "[red]x[/red]": "worse"}
    effects = call(runs, "effects", "--json").values["effects"]
    assert {e["mutation"] for e in effects} == {"training.lr: 0.1 -> 0.01", "training.lr: 0.1 -> 9"}
    assert "training.lr: 0.1 -> 0.01" in call(runs, "tree").out
    assert call(runs, "audit", "--json").values["audited"] == "runs.toml"
    assert call(runs, "verify", "--json").code == 0


def test_imported_runs_make_a_report(call: Call, runs: Path):
    said = call(runs, "report", "--json")
    page = Path(runs / said.values["report"]).read_text(encoding="utf-8")
    assert "its runs were imported and are read-only" in page
    assert "<red>" not in page


@pytest.mark.parametrize("command", [("run",), ("next",), ("next", "--run"), ("auto", "--budget", "1m")])
def test_whatever_trains_refuses_imported_runs_in_a_sentence(call: Call, runs: Path, command: tuple[str, ...]):
    assert "are read-only: there is no data here to train on" in call(runs, *command).error


def test_confirming_reproducing_and_bundling_refuse_them_too(call: Call, runs: Path):
    for command in (("champion", "confirm"), ("reproduce", "slow"), ("export", "bundle", "slow", "model")):
        assert "read-only" in call(runs, *command).error
    assert not (runs / "model").exists()
    for option in ("--scatter", "--predictions"):
        assert "come without predictions" in call(runs, "show", "slow", option, "p.png").error


def test_an_import_that_cannot_be_says_why(call: Call, runs: Path):
    table = ("import", "table", "runs.csv", "--out", "other.toml")
    assert "lower or higher 'val_rmse'" in call(runs, *table, "--metric", "val_rmse").error
    assert "did you mean 'val_rmse'" in call(runs, *table, "--metric", "val_rmsd", "--lower").error
    assert "no metric" in call(runs, *table, "--lower").error
    assert "--lower and --higher" in call(runs, *table, "--metric", "val_rmse", "--lower", "--higher").error
    assert "--experiment goes with mlflow" in call(runs, *table, "--experiment", "x").error
    assert "no such table" in call(runs, "import", "table", "gone.csv", "--out", "o.toml").error
    assert not (runs / "other.toml").exists()


def test_exports_are_written_and_named(call: Call, runs: Path):
    table = call(runs, "export", "table", "scores.jsonl", "--json").values
    assert table == {"table": "scores.jsonl", "of": "scores", "lines": 15}
    lines = (runs / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["score"] == 1.0
    assert call(runs, "export", "card", "slow", "card.md", "--json").values["card"] == "card.md"
    assert "cannot be checked here" in (runs / "card.md").read_text(encoding="utf-8")
    assert "unknown kind of table" in call(runs, "export", "table", "scores.xlsx").error


def test_a_bundle_of_a_campaign_of_ones_own_predicts(call: Call, lab: Path):
    import probatum

    said = call(lab, "export", "bundle", "ridge", "model", "--json").values
    assert (said["rows"], said["columns"]) == (24, 3)
    assert probatum.load_bundle(lab / "model").predict([{"temperature": 50.0, "solvent": "water"}]).shape == (1, 1)
