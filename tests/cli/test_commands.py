"""The commands end to end, in processes of their own: what they print, how they end, and their JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cli.small_lab import CAMPAIGN, Call, Said, lab_table, program, recorded, start, write_lab

RESULTS = {
    "schema", "campaign", "problem", "question", "tasks", "protocol", "units", "baseline", "best", "experiments",
    "arms", "verdicts", "noise_floors", "effects", "champion", "groups", "metric", "no_champion", "blocked",
    "champions_of_rounds",
}  # fmt: skip
EXPERIMENT = {
    "name", "status", "parent", "mutation", "hypothesis", "round", "fits", "done", "failed", "seconds", "score",
}  # fmt: skip
ARM = {
    "name", "trivial", "metric", "better", "score", "seed_spread", "seeds", "folds", "rows", "by_quantity", "by_task",
}  # fmt: skip
VERDICT = {
    "arm", "baseline", "outcome", "score", "difference", "interval", "p", "p_adjusted", "p_equivalent", "posterior",
    "units", "seeds", "needed", "method",
}  # fmt: skip
NAMES = ["trivial: mean", "ridge", "stiff", "trees", "both"]


def test_from_a_table_to_a_report(tmp_path: Path, call: Call):
    """What a newcomer does, command by command."""
    (tmp_path / "lab.csv").write_text(lab_table(), encoding="utf-8")
    new = program(tmp_path, "new", "my.toml", "--table", "lab.csv", "--target", "yield", "--group", "batch", "--json")
    assert (new.code, new.values) == (0, {"campaign": "my.toml", "agents": "AGENTS.md"})
    run = program(tmp_path, "run", "--json")
    assert run.code == 0, run.err
    assert set(run.values) == RESULTS | {"audit", "report"}
    names = ["trivial: mean", "ridge", "lightgbm", "mlp", "blend"]
    assert [a["name"] for a in run.values["arms"]] == names
    assert all(set(arm) >= ARM for arm in run.values["arms"])
    assert [v["arm"] for v in run.values["verdicts"]] == names[2:]
    assert (tmp_path / run.values["report"]).is_file()
    lines = run.err.splitlines()
    assert lines[0] == "run 1: 5 experiments, 54 fits to train"
    assert sum(line.startswith("54/54 fits") for line in lines) == 1
    status = call(tmp_path, "status", "--json")
    assert (status.code, status.err) == (0, "")
    assert (status.values["done"], status.values["experiments"]["done"]) == (status.values["fits"], 5)
    again = call(tmp_path, "run", "--json")
    assert again.values == run.values
    assert "0 fits to train" in again.err


def test_run_says_what_there_is(finished: Path):
    values = json.loads((finished / "run.json").read_text(encoding="utf-8"))
    assert set(values) == RESULTS | {"audit", "report"}
    assert [e["name"] for e in values["experiments"]] == NAMES
    assert all(set(e) == EXPERIMENT and e["status"] == "done" for e in values["experiments"])
    assert all(set(a) == ARM for a in values["arms"])
    assert all(set(v) == VERDICT for v in values["verdicts"])
    assert [v["arm"] for v in values["verdicts"]] == ["stiff", "trees", "both"]
    assert {v["baseline"] for v in values["verdicts"]} == {"ridge"}
    scores = {a["name"]: a["score"] for a in values["arms"]}
    assert values["best"] == min(NAMES[1:], key=scores.__getitem__)
    assert {r["group"] for r in values["groups"]} == {f"b{i}" for i in range(6)}
    by_name = {e["name"]: e for e in values["experiments"]}
    assert by_name["stiff"]["mutation"] == "model.alpha: none -> 100.0"
    assert by_name["stiff"]["hypothesis"] == "fewer wiggles"
    assert by_name["trees"]["done"] == 2 * by_name["ridge"]["done"] == 12  # two seeds; ridge needs but one
    for arm in values["arms"]:
        assert sum(arm["by_quantity"].values()) == pytest.approx(arm["score"])
    for verdict in values["verdicts"]:
        assert verdict["difference"] == pytest.approx(scores[verdict["arm"]] - scores["ridge"])


def test_status_shows_the_ledger(lab: Path, call: Call):
    values = call(lab, "status", "--json").values
    assert set(values) >= {
        "campaign",
        "problem",
        "protocol",
        "experiments",
        "fits",
        "done",
        "failed",
        "seconds",
        "list",
    }
    assert [e["name"] for e in values["list"]] == NAMES
    text = call(lab, "status", "--most", "2")
    assert text.code == 0
    assert "the last 2 of 5; --most 0 shows all" in text.out
    assert "both" in text.out
    assert "stiff" not in text.out


def test_show_tells_recipe_scores_and_fits(lab: Path, call: Call):
    values = call(lab, "show", "trees", "--json").values
    assert set(values) == {"experiment", "recipe", "scores", "groups", "fits", "manifest"}
    assert set(values["experiment"]) == EXPERIMENT
    assert set(values["scores"]) == ARM
    assert values["recipe"]["features"] == ["temperature", "solvent"]
    assert len(values["fits"]) == 12
    assert all(fit["status"] == "done" and fit["error"] is None for fit in values["fits"])
    text = call(lab, "show", "stiff").out
    for part in ("parent: ridge", "model.alpha: none -> 100.0", "fewer wiggles", "mse per group", "b5"):
        assert part in text


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_predictions_are_written_row_by_row(suffix: str, lab: Path, call: Call):
    assert call(lab, "show", "trees", "--predictions", f"p.{suffix}").code == 0
    frame = pd.read_csv(lab / "p.csv") if suffix == "csv" else pd.read_parquet(lab / "p.parquet")
    assert list(frame.columns) == ["case", "prediction", "task", "split", "seed", "quantity"]
    assert len(frame) == 24 * 2
    assert frame.groupby("seed")["case"].nunique().tolist() == [24, 24]


def test_compare_judges_the_named_alone(lab: Path, call: Call):
    values = call(lab, "compare", "ridge", "stiff", "--json").values
    assert set(values) == RESULTS
    (verdict,) = values["verdicts"]
    assert set(verdict) == VERDICT
    assert (verdict["arm"], verdict["baseline"]) == ("stiff", "ridge")
    assert verdict["p"] == verdict["p_adjusted"] > 2 / 2**6  # six groups: no sign pattern is rarer
    assert verdict["outcome"] == "undecided"
    assert "independent groups" in verdict["needed"]
    turned = call(lab, "compare", "ridge", "--baseline", "stiff", "--json").values["verdicts"][0]
    assert turned["outcome"] == "undecided"
    assert turned["difference"] == pytest.approx(-verdict["difference"])
    text = call(lab, "compare", "--all").out
    for name in NAMES:
        assert name in text


def test_compare_reaches_into_another_campaign(lab: Path, call: Call, tmp_path: Path):
    (lab / "other.toml").write_text(CAMPAIGN, encoding="utf-8")
    (lab / "lab.probatum").rename(lab / "other.probatum")
    write_lab(lab)
    assert call(lab, "run", "lab.toml", "--json").code == 0
    values = call(lab, "compare", "ridge", "other.toml:stiff", "-C", "lab.toml", "--json").values
    assert values["verdicts"][0]["difference"] > 0
    table = lab_table().replace("water", "oil")
    (lab / "third.csv").write_text(table, encoding="utf-8")
    (lab / "third.toml").write_text(CAMPAIGN.replace("lab.csv", "third.csv"), encoding="utf-8")
    assert call(lab, "run", "third.toml", "--json").code == 0
    error = call(lab, "compare", "ridge", "third.toml:stiff", "-C", "lab.toml").error
    assert "the data of task 'table', draw 0, differ (data hash " in error


def test_tree_and_report(lab: Path, call: Call):
    values = call(lab, "tree", "--json").values
    assert set(values) == {"campaign", "experiments", "outcomes"}
    assert values["outcomes"]["ridge"] == "baseline"
    assert set(values["outcomes"]) == set(NAMES[1:])
    text = call(lab, "tree").out
    assert text.index("ridge") < text.index("stiff") < text.index("fewer wiggles")
    report = call(lab, "report", "-o", "mine.html", "--json")
    assert report.values == {"report": "mine.html"}
    assert "<title>lab.toml" in (lab / "mine.html").read_text(encoding="utf-8")


def test_an_experiment_can_be_added_and_only_it_is_run(lab: Path, call: Call):
    more = '\n[[experiment]]\nname = "softer"\nparent = "stiff"\nmodel.alpha = 10.0\n'
    (lab / "lab.toml").write_text(CAMPAIGN + more, encoding="utf-8")
    said = call(lab, "run", "--json", "lab.toml")
    assert said.code == 0
    assert "run 2: 6 experiments, 6 fits to train" in said.err
    added = said.values["experiments"][-1]
    assert (added["name"], added["round"], added["mutation"]) == ("softer", 2, "model.alpha: 100.0 -> 10.0")


BROKEN = """
from sklearn.base import BaseEstimator, RegressorMixin
from pathlib import Path

class Broken(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        if not Path("mended").exists():
            raise ValueError("[bold]no[/bolt] water in the bath")
        self.mean_ = float(y.mean())
        return self

    def predict(self, X):
        return X[:, 0] * 0 + self.mean_
"""


def test_fits_that_fail_are_told_and_tried_again_when_asked(tmp_path: Path, call: Call):
    start = CAMPAIGN[: CAMPAIGN.index("[[experiment]]")]
    ridge = '[[experiment]]\nname = "ridge"\nmodel.kind = "ridge"\n'
    write_lab(tmp_path, start + ridge + '[[experiment]]\nname = "odd [/one]"\nmodel.kind = "broken:Broken"\n')
    (tmp_path / "broken.py").write_text(BROKEN, encoding="utf-8")
    run = program(tmp_path, "run")
    assert run.code == 1
    assert "Traceback" not in run.err + run.out
    assert "a fit failed: ValueError: [bold]no[/bolt] water in the bath" in run.err
    assert "odd [/one]" in run.out
    assert "--retry-failed" in run.out
    show = call(tmp_path, "show", "odd [/one]")
    assert show.code == 0
    assert show.out.count("ValueError: [bold]no[/bolt] water in the bath") == show.out.count("Traceback") == 1
    assert "and 5 more alike" in show.out
    refused = call(tmp_path, "compare", "ridge", "odd [/one]")
    assert "6 of 6 fits of 'odd [/one]' have no result (failed)" in refused.error
    (tmp_path / "mended").touch()
    assert call(tmp_path, "run", "--json").values["experiments"][-1]["status"] == "failed"
    mended = program(tmp_path, "run", "--retry-failed", "--json")
    assert mended.code == 0, mended.err
    assert mended.values["experiments"][-1]["status"] == "done"


def test_the_held_out_cases_are_looked_at_and_counted(tmp_path: Path, call: Call):
    write_lab(tmp_path, CAMPAIGN.replace("margin = 0.001", "held_out = 0.34"))
    assert call(tmp_path, "run", "--json").code == 0
    for look in (1, 2):
        values = call(tmp_path, "held-out", "ridge", "--json").values
        assert set(values) == {"experiment", "held_out_score", "looks"}
        assert len(values["looks"]) == look
        assert values["held_out_score"] > 0
    assert "looked at 2 times" in call(tmp_path, "status").out
    assert [e["name"] for e in call(tmp_path, "run", "--json").values["experiments"]] == NAMES
    assert "looked at 2 times" in (tmp_path / "lab.probatum" / "report.html").read_text(encoding="utf-8")


def test_catalogues(tmp_path: Path, call: Call):
    problems = call(tmp_path, "problems", "--json").values["problems"]
    assert {"analog_codes", "catechol", "table"} <= {p["name"] for p in problems}
    one = call(tmp_path, "problems", "analog_codes", "--json").values["problems"][0]
    assert {"tasks", "features", "scorings", "metric", "options"} <= set(one)
    assert "seeds" in call(tmp_path, "explain", "protocol", "--json").values["keys"]
    assert "alpha" in call(tmp_path, "explain", "ridge").out
    assert call(tmp_path, "explain", "ridge", "--json").values["keys"]["parameters"]["alpha"].endswith("(default: 1.0)")
    assert "loss huber" in call(tmp_path, "explain", "training", "--json").values["keys"]
    for topic in ("recipe", "run", "models", "mlp"):
        assert call(tmp_path, "explain", topic).code == 0


def test_nothing_is_recorded_by_looking(lab: Path, call: Call):
    before = recorded(call, lab)
    for command in (
        ["status"], ["tree"], ["report"], ["compare", "--all", "--figure", "c.png"], ["show", "ridge"], ["effects"],
        ["champion"],
    ):  # fmt: skip
        assert call(lab, *command).code == 0
    assert recorded(call, lab) == before


@pytest.mark.parametrize("command", [["status"], ["show", "trees", "--json"]])
def test_a_reader_that_has_seen_enough(command: list[str], finished: Path):
    """As `probatum show ridge | head -1` does."""
    writer = start(finished, *command)
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.close()
    assert writer.stderr.read() == ""
    writer.stderr.close()
    assert writer.wait(60) == 0


def test_version_and_help():
    version = program(Path.cwd(), "--version")
    assert (version.code, version.out.split()[0]) == (0, "probatum")
    bare = program(Path.cwd())
    assert bare.code == 2
    assert "Usage: probatum" in bare.out + bare.err


HEAVY = ("jax", "numpy", "sklearn", "scipy", "sqlalchemy", "pandas", "pydantic", "rich")


def test_help_imports_nothing_heavy():
    check = (
        "import sys; sys.argv = ['probatum', '--help']\n"
        "from probatum.cli.main import run_program\n"
        "code = run_program()\n"
        f"print(code, [m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stderr.strip() == "0 []"
    for command in (
        "run", "status", "show", "compare", "tree", "report", "new", "effects", "submit", "calibrate", "champion",
    ):  # fmt: skip
        assert f"  {command} " in ran.stdout


def test_a_defect_of_the_program_is_no_usage_error(lab: Path, call: Call, monkeypatch: pytest.MonkeyPatch):
    """Only mistakes of the person asking are one line; a defect keeps its traceback, for it has to be reported."""

    def defect(*_: object, **__: object) -> Said:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("probatum.cli.look.show_status", defect)
    with pytest.raises(ZeroDivisionError):
        call(lab, "status")


def test_show_draws_predictions_of_every_group_and_says_what_has_no_history(lab: Path, call: Call):
    values = call(lab, "show", "trees", "--scatter", "s.svg", "--json").values
    assert values["figures"] == ["s.svg"]
    drawn = (lab / "s.svg").read_text(encoding="utf-8")
    assert all(f"<!-- b{i} -->" in drawn for i in range(6))
    assert "no training history of 'trees'" in call(lab, "show", "trees", "--history", "h.png").error
    assert "cannot be written as '.gif'" in call(lab, "show", "trees", "--scatter", "s.gif").error


def test_compare_by_a_grouping_sets_runs_side_by_side(lab: Path, call: Call):
    values = call(lab, "compare", "trees", "stiff", "--baseline", "ridge", "--by", "batch", "--json").values
    assert set(values) == RESULTS | {"by"}
    by = values["by"]
    assert by["arms"] == ["ridge", "stiff", "trees"]
    assert [row["group"] for row in by["rows"]] == [f"b{i}" for i in range(6)]
    for row in by["rows"]:
        assert row["rows"] == 4
        for name in ("stiff", "trees"):
            wanted = row["scores"][name] - row["scores"]["ridge"]
            assert row["differences"][name]["difference"] == pytest.approx(wanted)
    text = call(lab, "compare", "--all", "--by", "batch").out
    assert "mse by batch" in text
    assert "Exploratory" in text
    assert "unknown grouping 'solvent'" in call(lab, "compare", "--all", "--by", "solvent").error


def test_save_refuses_what_keeps_no_weights_and_names_that_are_no_models(lab: Path, call: Call):
    assert "'trees' keeps no weights" in call(lab, "save", "trees", "m.safetensors").error
    assert "end it with .safetensors" in call(lab, "save", "trees", "m.pkl").error
    assert "a blend" in call(lab, "save", "both", "m.safetensors").error
