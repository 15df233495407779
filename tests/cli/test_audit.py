"""`audit` as a person, a script and a continuous integration call it: what it says, and how it ends."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.small_lab import CONTEST, Call, contest_table, program, start
from probatum.audit.catalogue import CHECKS
from probatum.cli.audit import Tables, audit_tables

REASON = "the copied row is a control <b>"


def leaky_table() -> str:
    """The contest's table, and one row copied into another batch."""
    lines = contest_table().splitlines()
    return "\n".join([*lines, lines[1].replace("b00", "b05")]) + "\n"


@pytest.fixture(scope="session")
def finished_leaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign whose winner is better, and whose splits share a row. Not to be changed."""
    folder = tmp_path_factory.mktemp("leaky")
    (folder / "contest.csv").write_text(leaky_table(), encoding="utf-8")
    (folder / "contest.toml").write_text(CONTEST, encoding="utf-8")
    said = program(folder, "run", "contest.toml", "--no-groups")
    assert said.code == 0, said.err
    assert "PB101" in said.out
    return folder


@pytest.fixture
def leaky(finished_leaky: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_leaky, tmp_path / "leaky"))


def told(folder: Path, lines: str) -> Path:
    """The campaign with an [audit] section."""
    text = CONTEST.replace("[run]", f"[audit]\n{lines}\n[run]", 1)
    (folder / "contest.toml").write_text(text, encoding="utf-8")
    return folder


def found(values: dict[str, Any]) -> set[tuple[str, str | None]]:
    """(code, experiment or split) of errors and warnings that are not ignored."""
    return {(f["code"], f["subject"]) for f in values["findings"] if f["severity"] != "note" and not f["ignored"]}


# ---------------------------------------------------------------------- campaigns


def test_a_clean_campaign_ends_with_0_and_a_leaky_one_with_3(finished: Path, finished_leaky: Path):
    processes = [start(finished, "audit"), start(finished_leaky, "audit", "--json")]
    (clean, clean_said), (leaky, _) = [p.communicate(timeout=120) for p in processes]
    assert [p.returncode for p in processes] == [0, 3]
    assert clean_said == ""
    assert f"lab.toml: {len(CHECKS)} checks" in clean
    assert found(json.loads(leaky)) == {("PB101", "table / b00")}


def test_one_experiment_or_one_check(leaky: Path, contest: Path, call: Call):
    said = call(leaky, "audit", "--code", "PB302", "--code", "PB403", "--json")
    assert said.code == 0
    assert said.values["checked"] == ["PB302", "PB403"]
    assert call(leaky, "audit", "trees", "--code", "PB101").code == 3
    warned = call(contest, "audit", "--json").values
    assert ("PB502", "trees") in found(warned)


def test_an_error_keeps_everything_better_from_being_champion(leaky: Path, contest: Path, call: Call):
    assert call(contest, "champion", "--json").values["champion"]["name"] == "trees"
    assert call(leaky, "champion", "--json").values["champion"] is None
    error = call(leaky, "champion", "confirm").error
    assert "errors of the audit stand against all that are better than 'mean' (trees: PB101; " in error
    told(leaky, f'ignore = {{ PB101 = "{REASON}" }}')
    assert call(leaky, "champion", "--json").values["champion"]["name"] == "trees"


def test_what_is_ignored_is_shown_with_its_reason_everywhere(leaky: Path, call: Call):
    told(leaky, f'ignore = {{ PB101 = "{REASON}" }}')
    said = call(leaky, "audit")
    assert said.code == 0
    assert f"(ignored: {REASON})" in re.sub(r"\s+", " ", said.out)
    assert "1 ignored" in said.out
    values = call(leaky, "audit", "--json").values
    assert [f["ignored"] for f in values["findings"] if f["code"] == "PB101"] == [REASON]
    assert values["counts"]["error"] == 0
    log = call(leaky, "audit", "--format", "sarif").values
    (result,) = (r for r in log["runs"][0]["results"] if r["ruleId"] == "PB101")
    assert result["suppressions"] == [{"kind": "external", "justification": REASON}]
    assert "PB101" not in call(leaky, "audit", "--format", "github").out
    assert call(leaky, "report").code == 0
    page = (leaky / "contest.probatum" / "report.html").read_text(encoding="utf-8")
    assert "Ignored: the copied row is a control &lt;b&gt;" in page
    assert CHECKS["PB101"].title in page


def test_a_reason_for_one_split_or_experiment(leaky: Path, call: Call):
    told(leaky, f'[audit.ignore]\n"PB101 table / b00" = "{REASON}"')
    assert call(leaky, "audit").code == 0
    told(leaky, f'[audit.ignore]\n"PB101 table / b01" = "{REASON}"')
    assert call(leaky, "audit").code == 3


def test_the_report_says_what_was_found_and_what_it_prevents(leaky: Path, call: Call):
    assert call(leaky, "report").code == 0
    page = (leaky / "contest.probatum" / "report.html").read_text(encoding="utf-8")
    assert '<h2 id="findings">' in page
    assert CHECKS["PB101"].remedy in page.replace("&#39;", "'")
    against = (
        "errors of the audit stand against all that are better than 'mean' "
        "(trees: PB101; flat trees: PB101; other trees: PB101)"
    )
    assert against in page.replace("&#39;", "'")
    assert "no experiment is better" not in page


def test_annotations_stand_at_the_experiments_line(contest: Path, call: Call):
    line = next(n for n, text in enumerate(CONTEST.splitlines(), start=1) if text == 'name = "trees"') + 1
    text = (contest / "contest.toml").read_text(encoding="utf-8")
    assert text.splitlines()[line - 1] == 'name = "trees"'  # one line more than CONTEST: 'held_out = 0.0'
    (contest / "inside").mkdir()
    said = call(contest, "audit", "-C", "contest.toml", "--format", "github")
    assert f"::warning file=contest.toml,line={line},title=PB502 " in said.out
    said = call(contest / "inside", "audit", "-C", "../contest.toml", "--format", "github")
    assert f"file={(contest / 'contest.toml').as_posix()},line={line}," in said.out


def test_training_again_finds_an_honest_campaign_honest(contest: Path, call: Call):
    said = call(contest, "audit", "trees", "--retrain", "--json")
    assert said.code == 0
    assert not {code for code, _ in found(said.values)} & {"PB402", "PB501"}


def test_a_wanted_score_that_the_leaderboards_own_scores_put_out_of_reach(leaky: Path, call: Call):
    for name, score in (("mean", 0.3), ("trees", 0.21), ("flat trees", 0.24), ("other trees", 0.241)):
        assert call(leaky, "submit", name, "--score", str(score), "--metric", "mse").code == 0
    asked = ("audit", "--code", "PB305", "--wanted")
    assert call(leaky, *asked, "0.25").code == 0
    said = call(leaky, *asked, "0.05")
    assert said.code == 3
    assert "PB305" in said.out


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('ignore = { PB101 = "" }', ("contest.toml [audit]", "PB101 is ignored without a reason")),
        ('[audit.ignore]\n"PB101 trees" = "  "', ("contest.toml [audit]", "PB101 is ignored without a reason")),
        ('ignore = { PB999 = "known" }', ("contest.toml [audit]", "unknown check 'PB999'")),
        ('ignore = { pb101 = "known" }', ("contest.toml [audit]", "did you mean 'PB101'?")),
        ('[audit.ignore]\n"PB101 tress" = "known"', ("contest.toml [audit]", "'tress'", "did you mean 'trees'")),
        ("target = nan", ("contest.toml [audit]", "not finite")),
        ('ignore = ["PB101"]', ("contest.toml:9: ", "ignore")),
        ("ignore = { PB101 = 3 }", ("contest.toml:9: ", "PB101 is ignored without a reason: 3 is no text")),
        ('ignor = { PB101 = "known" }', ("contest.toml:9: ", "did you mean 'ignore'?")),
        ('target = "low"', ("contest.toml:9: ", "target = 'low'")),
    ],
)
def test_a_mistake_in_the_audit_section(lines: str, says: tuple[str, ...], contest: Path, call: Call):
    told(contest, lines)
    error = call(contest, "audit").error
    for part in says:
        assert part in error


def test_a_mistake_in_the_audit_section_is_told_before_anything_is_trained(tmp_path: Path, call: Call):
    (tmp_path / "contest.csv").write_text(contest_table(), encoding="utf-8")
    error = call(told(tmp_path, 'ignore = { PB999 = "known" }'), "run").error
    assert "unknown check 'PB999'" in error
    assert not (tmp_path / "contest.probatum" / "artifacts").exists()


# ---------------------------------------------------------------------- tables of runs

RUNS = "name,score,metric,baseline,estimated\nold,~0.5 (est),mse,true,\nnew,0.4,mse,,\n"


def test_a_table_of_runs(tmp_path: Path, call: Call):
    (tmp_path / "runs.csv").write_text(RUNS, encoding="utf-8")
    said = call(tmp_path, "audit", "--runs", "runs.csv", "--json")
    assert said.code == 3
    assert found(said.values) == {("PB504", "old")}
    (tmp_path / "runs.csv").write_text(RUNS.replace("~0.5 (est)", "0.5"), encoding="utf-8")
    assert call(tmp_path, "audit", "--runs", "runs.csv").code == 0


def test_which_way_the_score_goes(tmp_path: Path, call: Call):
    (tmp_path / "runs.csv").write_text("name,score,metric,trivial\nmean,0.5,hits,true\nnet,0.4,hits,\n", "utf-8")
    asked = ("audit", "--runs", "runs.csv", "--code", "PB304", "--json")
    lower, higher = (call(tmp_path, *asked, *more).values["findings"] for more in ((), ("--higher-is-better",)))
    assert not lower
    assert [f["subject"] for f in higher] == ["net"]


# ---------------------------------------------------------------------- splits


def write_split(folder: Path, shared: int = 0) -> None:
    rng = np.random.default_rng(2)
    rows = [[f"{v:.6f}" for v in rng.normal(size=4)] + [f"c{n}", "text"] for n in range(60)]
    for n in range(shared):
        rows[40 + n] = [*rows[n][:4], f"c{40 + n}", "text"]
    for name, part in (("train.csv", rows[:40]), ("test.csv", rows[40:])):
        lines = ["a,b,c,y,compound,remark", *(",".join(row) for row in part)]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


SPLIT = ("audit", "--train", "train.csv", "--test", "test.csv", "--target", "y")


def test_a_split_of_ones_own(tmp_path: Path, call: Call):
    write_split(tmp_path)
    clean = call(tmp_path, *SPLIT, "--group", "compound")
    assert clean.code == 0
    assert "left out, for they hold no numbers: remark" in clean.out
    write_split(tmp_path, shared=3)
    said = call(tmp_path, *SPLIT, "--json")
    assert said.code == 3
    (error,) = (f for f in said.values["findings"] if f["severity"] == "error")
    assert error["code"] == "PB101"
    assert error["message"].startswith("3 of 20 test rows")
    table = (tmp_path / "test.csv").read_text(encoding="utf-8").replace("c59", "c7")
    (tmp_path / "test.csv").write_text(table, encoding="utf-8")
    torn = call(tmp_path, *SPLIT, "--group", "compound", "--json").values
    assert "PB103" in {code for code, _ in found(torn)}


def test_one_check_of_a_split(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    write_split(tmp_path, shared=3)
    monkeypatch.chdir(tmp_path)
    tables = Tables(Path("train.csv"), Path("test.csv"), ("y",))
    assert audit_tables(tables, form="json", codes=["PB103"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["checked"] == ["PB103"]
    assert values["findings"] == []


GOOD = "a,b\n1,2\n3,4\n5,6.5\n"
BAD_TABLES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (b"", ("is empty", "CSV or Parquet")),
    "blank lines": (b"\n\n\n", ("is empty",)),
    "binary": (bytes(range(128, 256)) * 9, ("no text in UTF-8",)),
    "another encoding": ("a,b\n1,2\n3,4\n".encode("utf-16"), ("no text in UTF-8",)),
    "a header alone": (b"a,b\n", ("no rows", "at least 2")),
    "one row": (b"a,b\n1,2\n", ("one row", "at least 2")),
    "text": (b"a,b\nx,y\nz,w\n", ("column 'a'", "holds text")),
    "text in one cell": (b"a,b\n1,2\n3,high\n", ("column 'b'", "holds text")),
    "another column": (b"a,c\n1,2\n3,4\n", ("column", "is not in", "the same columns")),
    "a column less": (b"a\n1\n3\n", ("column 'b'", "is not in")),
    "missing values": (b"a,b\n1,2\n,4\n", ("column 'a'", "1 of 2 values", "first in row 2")),
    "nothing but missing values": (b"a,b\nnan,\n,nan\n", ("2 of 2 values are missing",)),
    "infinite values": (b"a,b\n1,inf\n2,4\n", ("column 'b'", "infinite", "first in row 1")),
    "more fields than columns": (b"a,b\n1,2,3\n4,5,6\n", ("more fields than the header",)),
    "a line with more fields": (b"a,b\n1,2\n4,5,6\n", ("cannot be read", "line 3")),
    "an open quote": (b'a,b\n1,2\n"3,4\n', ("cannot be read",)),
}


@pytest.mark.parametrize("side", ["--train", "--test"])
@pytest.mark.parametrize("kind", BAD_TABLES)
def test_a_table_that_cannot_be_a_side(kind: str, side: str, tmp_path: Path, call: Call):
    content, says = BAD_TABLES[kind]
    (tmp_path / "bad.csv").write_bytes(content)
    (tmp_path / "good.csv").write_text(GOOD, encoding="utf-8")
    other = "--test" if side == "--train" else "--train"
    error = call(tmp_path, "audit", side, "bad.csv", other, "good.csv").error
    assert "bad.csv" in error
    for part in says:
        assert part in error


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--train", "good.csv"), ("--train and --test",)),
        (("--test", "good.csv"), ("--train and --test",)),
        (("--train", "good.csv", "--test", "good.csv", "--runs", "runs.csv"), ("--runs",)),
        (("--train", "none.csv", "--test", "good.csv"), ("none.csv", "no such table")),
        (("--train", "good.csv", "--test", "."), ("is a folder",)),
        (("--train", "good.csv", "--test", "fake.parquet"), ("fake.parquet", "cannot be read")),
        (("--train", "good.csv", "--test", "good.csv", "--target", "d"), ("good.csv", "'d'")),
        (("--train", "good.csv", "--test", "good.csv", "--group", "d"), ("good.csv", "'d'")),
        (("--train", "good.csv", "--test", "good.csv", "--source", "d"), ("good.csv", "'d'")),
        (("--train", "good.csv", "--test", "good.csv", "--target", "a", "--target", "b"), ("no column of numbers",)),
        (("--train", "text.csv", "--test", "text.csv"), ("no column of numbers",)),
        (("--train", "text.csv", "--test", "text.csv", "--target", "a"), ("column 'a'", "target and holds text")),
        (("--runs", "none.csv"), ("none.csv", "no such table of runs")),
        (("--runs", "."), ("valid: .csv, .jsonl",)),
        (("--runs", "fake.parquet"), ("'.parquet'",)),
        (("--runs", "empty.csv"), ("empty.csv", "holds no runs")),
        (("--runs", "binary.csv"), ("binary.csv", "UTF-8")),
        (("--runs", "runs.csv", "--code", "PB999"), ("--code", "'PB999'")),
        (("--runs", "runs.csv", "--wanted", "nan"), ("--wanted", "finite")),
        (("--runs", "runs.csv", "--wanted", "low"), ("--wanted", "number")),
        (("--runs", "runs.csv", "--format", "xml"), ("'xml'", "sarif")),
        (("-C", "none.toml"), ("none.toml", "no such campaign file")),
        (("-C", "."), ("Is a directory",)),
        ((), ("no campaign file here",)),
        (("contest.toml",), ("no experiment", "-C contest.toml")),
    ],
)
def test_careless_calls(arguments: tuple[str, ...], says: tuple[str, ...], tmp_path: Path, call: Call):
    files = {"good.csv": GOOD, "runs.csv": RUNS, "empty.csv": "", "fake.parquet": GOOD, "text.csv": "a\nx\ny\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "binary.csv").write_bytes(bytes(range(128, 256)))
    error = call(tmp_path, "audit", *arguments).error
    for part in says:
        assert part in error


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("tress",), ("contest.toml", "'tress'", "did you mean 'trees'")),
        (("trees", "tress", "--retrain"), ("'tress'",)),
        (("--code", "PB11"), ("--code", "'PB11'", "did you mean")),
        (("--code", ""), ("--code", "unknown check")),
        (("--wanted", "inf"), ("--wanted", "finite")),
    ],
)
def test_careless_calls_on_a_campaign(arguments: tuple[str, ...], says: tuple[str, ...], contest: Path, call: Call):
    error = call(contest, "audit", *arguments).error
    for part in says:
        assert part in error


def test_a_campaign_that_was_never_run(tmp_path: Path, call: Call):
    (tmp_path / "contest.csv").write_text(contest_table(), encoding="utf-8")
    (tmp_path / "contest.toml").write_text(CONTEST, encoding="utf-8")
    assert "has not been run yet; probatum run contest.toml" in call(tmp_path, "audit").error
    assert not (tmp_path / "contest.probatum").exists()
