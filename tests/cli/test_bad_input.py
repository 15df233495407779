"""Every mistake is answered by one line: where it is, what is wrong, what to do. What is recorded stays as it was."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from cli.small_lab import CAMPAIGN, Call, recorded, write_lab

MLP = '\n[[experiment]]\nname = "net"\nmodel = { kind = "mlp", hidden = [4] }\ntraining = { epochs = 2 }\n'
LAST = 'components = ["ridge", "trees"]\nmodel = { kind = "blend", weights = [0.5, 0.5] }\n'

# name: (what is replaced, by what, the text whose line is named, what else is said)
MISTAKES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "unknown key at the top": ("[run]", "[runs]", "[runs]", ("'runs'", "'run'")),
    "unknown key of the protocol": ("margin = ", "margn = ", "margn = ", ("'margn'", "'margin'")),
    "unknown key of run": ("cores = 2", "core = 2", "core = 2", ("'core'", "'cores'")),
    "unknown key of an experiment": ("hypothesis =", "hypotesis =", "hypotesis =", ("'hypotesis'", "'hypothesis'")),
    "unknown key of a model": ("model.alpha", "model.alhpa", "model.alhpa", ("'alhpa'", "'alpha'")),
    "unknown key of a training": (LAST, LAST + MLP.replace("epochs", "epohcs"), "epohcs", ("'epohcs'", "'epochs'")),
    "a training that the model has not": (
        "model.alpha = 100.0", "training.epochs = 5", "training.epochs", ("'epochs'", "ridge"),
    ),
    "misspelt feature": ('["temperature", ', '["temprature", ', "temprature", ("'temprature'", "'temperature'")),
    "unknown problem": ('kind = "table"', 'kind = "tabel"', "problem = ", ("'tabel'", "'table'")),
    "unknown option of a problem": ("group =", "grup =", "problem = ", ("'grup'", "'group'")),
    "unknown task": ("\n[protocol]", 'task = "tabel"\n[protocol]', "task = ", ("'tabel'", "table")),
    "unknown metric": ("margin = 0.001", 'metric = "msse"', "[protocol]", ("'msse'", "'mse'")),
    "unknown scoring": ("margin = 0.001", 'scoring = "poled"', "[protocol]", ("'poled'", "'pooled'")),
    "unknown splits": ('"leave-one-group-out"', '"leave-one-out"', "splits = ", ("leave-one-group-out",)),
    "a metric that cannot be pooled": ("margin = 0.001", 'metric = "r2"', "[protocol]", ("r2", "macro")),
    "unknown model": ('"extra_trees"', '"extra_tree"', "extra_tree", ("'extra_tree'", "'extra_trees'")),
    "a model that cannot be imported": ('"extra_trees"', '"no_such_package:Model"', "no_such_package", ("install",)),
    "an estimator that its module has not": ('"extra_trees"', '"sklearn.linear_model:Lasoo"', "Lasoo", ("Lasoo",)),
    "unknown baseline": ('baseline = "ridge"', 'baseline = "rigde"', "baseline = ", ("'rigde'", "'ridge'")),
    "unknown parent": ('parent = "ridge"', 'parent = "rigde"', "parent = ", ("'rigde'", "'ridge'")),
    "a cycle of parents": (
        'name = "ridge"\n', 'name = "ridge"\nparent = "stiff"\n', "", ("stiff -> ridge", "another parent"),
    ),
    "its own parent": ('parent = "ridge"', 'parent = "stiff"', "", ("stiff -> stiff", "another parent")),
    "unknown component": ('["ridge", "trees"]', '["ridge", "tree"]', "components", ("'tree'", "'trees'")),
    "duplicate names": ('name = "stiff"', 'name = "ridge"', "name = \"ridge\"#2", ("'ridge'", "twice", "rename")),
    "no name": ('name = "stiff"', "", "[[experiment]]#2", ("name",)),
    "a reserved name": ('name = "stiff"', 'name = "trivial: stiff"', "trivial: stiff", ("reserved", "rename")),
    "zero seeds": ("seeds = 2", "seeds = 0", "seeds = ", ("seeds", "greater than or equal to 1")),
    "text as a number": ("seeds = 2", 'seeds = "two"', "seeds = ", ("'two'", "integer")),
    "a negative margin": ("margin = 0.001", "margin = -1", "margin = ", ("-1", "greater than or equal to 0")),
    "alpha of one": ("margin = 0.001", "alpha = 1.0", "alpha = ", ("less than 0.5",)),
    "a number as features": ('["temperature", "solvent"]', "3", "features", ("features = 3",)),
    "a list as a model": ('model = { kind = "extra_trees", n_estimators = 5 }', "model = [1]", "", ("model",)),
    "a number as a model's kind": ('model.kind = "ridge"', "model.kind = 3", "", ("kind",)),
    "no model": ('model.kind = "ridge"', "", "[[experiment]]#1", ("no model", "model.kind")),
    "a number as a parent": ('parent = "ridge"', "parent = 3", "parent = ", ("3",)),
    "text as components": ('["ridge", "trees"]', '"ridge"', "[[experiment]]#4", ("list of experiment names",)),
    "a number as a hypothesis": ('"fewer wiggles"', "3", "hypothesis = 3", ("hypothesis",)),
    "text as a protocol": (
        '[protocol]\nsplits = "leave-one-group-out"\nseeds = 2\nbaseline = "ridge"\nmargin = 0.001\n',
        'protocol = "strict"\n', "protocol", ("must be a table",),
    ),
    "one table as experiment": (
        CAMPAIGN[CAMPAIGN.index("[[experiment]]"):], '[experiment]\nname = "ridge"\n', "", ("[[experiment]]",),
    ),
    "no experiment": (CAMPAIGN[CAMPAIGN.index("[[experiment]]"):], "", "", ("[[experiment]]",)),
    "no problem": (CAMPAIGN.splitlines()[0], "", "", ("no problem", "table")),
    "one weight for two components": ("[0.5, 0.5]", "[1.0]", "weights", ("[1.0]", "one number a component")),
    "negative weights": ("[0.5, 0.5]", "[-1.0, 2.0]", "[[experiment]]#4", ("weights", ">= 0")),
    "a word as weights": ("[0.5, 0.5]", '"eqal"', "weights", ("'eqal'", "'equal'")),
    "a blend of one": ('["ridge", "trees"]', '["ridge"]', "", ("two components",)),
    "features of nobody's": (
        'model.alpha = 100.0', 'features.plus = ["solvent"]', "features.plus", ("'plus'", "add"),
    ),
    "no group for leave-one-group-out": (', group = "batch"', "", "", ("needs groups", "repeated-k-fold")),
    "more folds than groups": ('"leave-one-group-out"', '"grouped-k-fold"\nfolds = 9', "", ("6 groups", "9 folds")),
    "a missing column": ('target = "yield"', 'target = "yeild"', "", ("lab.csv", "'yeild'", "'yield'")),
    "a missing table": ('path = "lab.csv"', 'path = "lap.csv"', "", ("lap.csv", "no such file", "'lab.csv'")),
    "no TOML": ("seeds = 2", "seeds = = 2", "seeds = = 2", ("TOML",)),
    "a key twice": ("seeds = 2", "seeds = 2\nseeds = 3", "seeds = 3", ("TOML",)),
}  # fmt: skip


def line_of(text: str, mark: str) -> int:
    """1-based line that begins with or holds a mark; 'mark#2' is its second."""
    mark, _, count = mark.partition("#")
    lines = [i for i, line in enumerate(text.splitlines(), start=1) if mark in line]
    return lines[int(count or 1) - 1]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_campaign_file(mistake: str, lab: Path, call: Call):
    old, new, mark, said = MISTAKES[mistake]
    assert old in CAMPAIGN
    before = recorded(call, lab)
    text = CAMPAIGN.replace(old, new, 1)
    (lab / "lab.toml").write_text(text, encoding="utf-8")
    error = call(lab, "run", "lab.toml").error
    if mark:
        assert f"lab.toml:{line_of(text, mark)}: " in error
    else:
        assert "lab." in error
    for part in said:
        assert part in error
    refused = call(lab, "run", "lab.toml", "--json")
    assert refused.values["error"]["message"] in error
    (lab / "lab.toml").write_text(CAMPAIGN, encoding="utf-8")
    assert recorded(call, lab) == before


def row(table: str, number: int, column: int, cell: str) -> str:
    lines = table.splitlines()
    cells = lines[number - 1].split(",")
    cells[column] = cell
    lines[number - 1] = ",".join(cells)
    return "\n".join(lines) + "\n"


CELLS = {
    "text in a number column": (5, 0, "hot", ("line 5", "column 'temperature'", "'hot'", "correct the cell")),
    "an empty target": (7, 3, "", ("line 7", "column 'yield'", "empty")),
    "a target that is no number": (3, 3, "nan", ("line 3", "column 'yield'", "finite")),
    "an infinite target": (3, 3, "inf", ("line 3", "column 'yield'", "finite")),
    "an empty group label": (9, 2, "", ("line 9", "column 'batch'", "label is empty", "fill it in")),
    "a group of one row": (2, 2, "alone", ("group 'alone' of 'batch' has 1 row", "merge it")),
    "a row that is too long": (4, 3, "0.5,0.6", ("line 4", "5 cells under a header of 4")),
}


@pytest.mark.parametrize("mistake", CELLS)
def test_a_mistake_in_the_table(mistake: str, lab: Path, call: Call):
    number, column, cell, said = CELLS[mistake]
    before = recorded(call, lab)
    table = lab / "lab.csv"
    table.write_text(row(table.read_text(encoding="utf-8"), number, column, cell), encoding="utf-8")
    error = call(lab, "run", "lab.toml").error
    for part in ("lab.", *said):
        assert part in error
    assert recorded(call, lab) == before


def test_changed_data_is_refused(lab: Path, call: Call):
    before = recorded(call, lab)
    table = lab / "lab.csv"
    table.write_text(row(table.read_text(encoding="utf-8"), 4, 3, "0.9"), encoding="utf-8")
    error = call(lab, "run", "lab.toml").error
    assert "the data of task 'table' changed since the first run" in error
    assert "new name" in error
    assert recorded(call, lab) == before


def test_a_changed_protocol_or_recipe_is_refused(lab: Path, call: Call):
    before = recorded(call, lab)
    for old, new, said in (
        ("seeds = 2", "seeds = 3", "protocol.seeds was 2 at the first run and is 3 now"),
        ("model.alpha = 100.0", "model.alpha = 7.0", "'stiff' was run with another recipe"),
    ):
        (lab / "lab.toml").write_text(CAMPAIGN.replace(old, new), encoding="utf-8")
        error = call(lab, "run", "lab.toml").error
        assert "lab.toml" in error
        assert said in error
        assert "new name" in error
    assert recorded(call, lab) == before


@pytest.mark.real
def test_yields_in_percent(real_data: Path, tmp_path: Path, call: Call):
    folder = Path(shutil.copytree(real_data / "catechol", tmp_path / "percent"))
    yields = folder / "catechol_single_solvent_yields.csv"
    lines = yields.read_text(encoding="utf-8").splitlines()
    column = lines[0].split(",").index("Product 2")
    cells = lines[10].split(",")
    cells[column] = "43.7"
    lines[10] = ",".join(cells)
    yields.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "c.toml").write_text(
        'problem = { kind = "catechol", folder = "percent" }\n[protocol]\nsplits = "leave-one-group-out"\n'
        '[[experiment]]\nname = "ridge"\nmodel.kind = "ridge"\n',
        encoding="utf-8",
    )
    error = call(tmp_path, "run", "c.toml").error
    for part in (yields.name, "line 11", "column 'Product 2'", "43.7 looks like percent", "divide by 100"):
        assert part in error
    assert not (tmp_path / "c.probatum").exists()


# ---------------------------------------------------------------------- files that are no campaign


def test_a_missing_campaign_file(tmp_path: Path, call: Call):
    for command in (
        ["run", "my.toml"],
        ["compare", "a", "b", "-C", "my.toml"],
        ["tree", "my.toml"],
        ["report", "my.toml"],
    ):
        error = call(tmp_path, *command).error
        assert "my.toml: no such campaign file" in error
        assert "probatum new" in error
    assert list(tmp_path.iterdir()) == []


def test_a_missing_campaign_file_has_no_status(tmp_path: Path, call: Call):
    assert "my.toml" in call(tmp_path, "status", "my.toml").error


def test_a_folder_as_campaign_file(tmp_path: Path, call: Call):
    (tmp_path / "my.toml").mkdir()
    assert "my.toml: cannot be read" in call(tmp_path, "run", "my.toml").error


def test_a_campaign_file_that_is_not_utf8(tmp_path: Path, call: Call):
    (tmp_path / "my.toml").write_bytes(b'problem = "caf\xe9"\n')
    error = call(tmp_path, "run", "my.toml").error
    assert "my.toml:1: " in error
    assert "byte 0xe9 is not UTF-8" in error


def test_a_folder_without_or_with_many_campaigns(lab: Path, tmp_path: Path, call: Call):
    empty = tmp_path / "empty"
    empty.mkdir()
    error = call(empty, "status").error
    assert str(empty) in error
    assert "probatum new" in error
    (lab / "other.toml").write_text(CAMPAIGN, encoding="utf-8")
    error = call(lab, "status").error
    assert "lab.toml, other.toml" in error
    assert "-C FILE" in error
    assert call(lab, "status", "-C", "lab.toml", "--json").values["campaign"] == "lab.toml"


def test_a_campaign_that_was_not_run(tmp_path: Path, call: Call):
    write_lab(tmp_path)
    for command in (["status"], ["tree"], ["report"], ["show", "ridge"], ["compare", "ridge", "stiff"]):
        error = call(tmp_path, *command).error
        assert "lab.toml" in error
        assert "probatum run lab.toml" in error
    assert not (tmp_path / "lab.probatum").exists()


def test_names_that_the_campaign_does_not_have(lab: Path, call: Call):
    assert "did you mean 'stiff'?" in call(lab, "show", "stif").error
    assert "did you mean 'stiff'?" in call(lab, "compare", "ridge", "stif").error
    assert "did you mean 'ridge'?" in call(lab, "compare", "stiff", "--baseline", "rigde").error
    assert "nothing to compare with 'ridge'" in call(lab, "compare", "ridge").error
    assert "name experiments, or --all" in call(lab, "compare").error
    assert "set protocol.held_out" in call(lab, "held-out", "ridge").error


def test_what_the_options_do_not_know(lab: Path, call: Call):
    assert "probatum run --help" in call(lab, "run", "--bogus").error
    assert "no such command 'rnu'" in call(lab, "rnu").error
    assert "experiment" in call(lab, "show").error
    assert "--most" in call(lab, "status", "--most", "many").error
    assert "--cores" in call(lab, "run", "--cores", "0").error
    assert "--baseline" in call(lab, "compare", "ridge", "--baseline").error


def test_catalogues_offer_the_nearest_name(tmp_path: Path, call: Call):
    assert "did you mean 'catechol'?" in call(tmp_path, "problems", "catecol").error
    assert "did you mean 'ridge'?" in call(tmp_path, "explain", "rigde").error
    assert "'table'" in call(tmp_path, "new", "a.toml", "--problem", "tabel").error
    assert "no data" in call(tmp_path, "data", "fetch", "table").error


def test_new_refuses_what_could_not_be_run(lab: Path, call: Call):
    before = (lab / "lab.toml").read_bytes()
    table = ["--table", "lab.csv", "--target", "yield"]
    for arguments, said in (
        (["lab.toml", *table], "is already there"),
        (["my.tml", *table], "use my.toml"),
        (["my.toml", "--table", "lab.csv"], "--target COLUMN"),
        (["my.toml", "--table", "lab.csv", "--target", "yeild"], "'yield'"),
        (["my.toml", "--table", "lap.csv", "--target", "yield"], "'lab.csv'"),
        (["my.toml", *table, "--group", "bach"], "'batch'"),
        (["my.toml", "--target", "yield"], "--table FILE"),
        (["nowhere/my.toml", *table], "nowhere"),
    ):
        assert said in call(lab, "new", *arguments).error
    assert (lab / "lab.toml").read_bytes() == before
    assert not (lab / "my.toml").exists()


# ---------------------------------------------------------------------- ledgers and folders


def damage_with_garbage(ledger: Path) -> None:
    ledger.write_bytes(b"this is no database, " * 500)


def damage_by_cutting(ledger: Path) -> None:
    ledger.write_bytes(ledger.read_bytes()[:6000])


def damage_in_the_middle(ledger: Path) -> None:
    content = bytearray(ledger.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    ledger.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [damage_with_garbage, damage_by_cutting, damage_in_the_middle])
def test_a_damaged_ledger(damage, lab: Path, call: Call):
    ledger = lab / "lab.probatum" / "ledger.sqlite"
    damage(ledger)
    damaged = ledger.read_bytes()
    for command in ("status", "tree", "run"):
        error = call(lab, command, "lab.toml").error
        assert "ledger.sqlite" in error
        assert "restore it from a copy" in error
    assert ledger.read_bytes() == damaged


def test_another_programs_database(lab: Path, call: Call):
    ledger = lab / "lab.probatum" / "ledger.sqlite"
    ledger.unlink()
    with sqlite3.connect(ledger) as db:
        db.execute("CREATE TABLE photographs (id INTEGER)")
    db.close()
    for command in ("status", "run"):
        error = call(lab, command, "lab.toml").error
        assert "ledger.sqlite" in error
    with sqlite3.connect(ledger) as db:
        assert [name for (name,) in db.execute("SELECT name FROM sqlite_master")] == ["photographs"]
    db.close()


def test_a_ledger_of_a_newer_program(lab: Path, call: Call):
    ledger = lab / "lab.probatum" / "ledger.sqlite"
    with sqlite3.connect(ledger) as db:
        db.execute("UPDATE probatum_meta SET value = '99' WHERE key = 'schema'")
    db.close()
    for command in ("status", "run"):
        error = call(lab, command, "lab.toml").error
        assert "newer Probatum (schema 99" in error
        assert "pip install --upgrade" in error


def test_an_artifact_that_was_tampered_with(lab: Path, call: Call):
    for artifact in (lab / "lab.probatum" / "artifacts").rglob("*.npz"):
        artifact.write_bytes(artifact.read_bytes() + b"!")
    error = call(lab, "compare", "ridge", "stiff").error
    assert re.search(r"artifacts/.*\.npz: .*checksum differs", error)


def test_a_state_folder_that_cannot_be_made(tmp_path: Path, call: Call):
    write_lab(tmp_path)
    (tmp_path / "lab.probatum").write_text("in the way", encoding="utf-8")
    error = call(tmp_path, "run", "lab.toml").error
    assert "lab.probatum" in error
    assert "make the folder writable" in error
    assert (tmp_path / "lab.probatum").read_text(encoding="utf-8") == "in the way"


def test_a_report_that_cannot_be_written(lab: Path, call: Call):
    assert "nowhere" in call(lab, "report", "-o", "nowhere/report.html").error
    assert "nowhere" in call(lab, "show", "ridge", "--predictions", "nowhere/p.csv").error


# ---------------------------------------------------------------------- effects, submissions, calibration, champion


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["submit", "stif", "--score", "0.1", "--metric", "rmse"], ("'stif'", "did you mean 'stiff'?")),
        (["submit", "stiff", "--score", "nan", "--metric", "rmse"], ("score nan is not finite", "you were told")),
        (["submit", "stiff", "--score", "inf", "--metric", "rmse"], ("score inf is not finite",)),
        (["submit", "stiff", "--score", "many", "--metric", "rmse"], ("--score", "valid number")),
        (["submit", "stiff", "--score", "0.1", "--metric", "rsme"], ("unknown metric 'rsme'", "'rmse'")),
        (["submit", "stiff", "--score", "0.1"], ("--metric",)),
        (["calibrate"], ("lab.toml: no submissions yet", "probatum submit", "--pairs")),
        (["calibrate", "--pairs", "no.csv"], ("no.csv", "no such file")),
        (["calibrate", "--pairs", "lab.csv"], ("lab.csv", "no column 'cv'")),
        (["calibrate", "--pairs", "lab.csv", "--target", "nan"], ("--target nan is not finite",)),
        (["champion", "confirm"], ("lab.toml: no champion to confirm", "better than 'ridge'", "compare --all")),
        (["champion", "confrim"], ("no such command 'confrim'",)),
        (["effects", "--figure", "e.bmp"], ("e.bmp", "'.bmp'", ".png, .svg, .pdf")),
        (["effects", "--figure", "e"], ("needs a suffix", ".png")),
        (["effects", "--figure", "nowhere/e.png"], ("nowhere",)),
        (["compare", "--all", "--figure", "c.jpg"], ("c.jpg", "'.jpg'")),
        (["compare", "--all", "--figure", "nowhere/c.png"], ("nowhere",)),
        (["calibrate", "--figure", "c.gif"], ("c.gif", "'.gif'")),
        (["effects", "other.toml"], ("other.toml", "no such campaign file")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_question_about_evidence_that_has_no_answer(
    arguments: list[str], said: tuple[str, ...], lab: Path, call: Call
):
    before = recorded(call, lab)
    error = call(lab, *arguments).error
    for part in said:
        assert part in error
    refused = call(lab, *arguments, "--json")
    assert refused.values["error"]["message"] in " ".join(error.split())
    assert recorded(call, lab) == before


def test_no_champion_is_an_answer_and_no_error(lab: Path, call: Call):
    said = call(lab, "champion")
    assert (said.code, said.out) == (0, "No champion: no experiment is better than 'ridge'.\n")
    assert call(lab, "champion", "--json").values["champion"] is None


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0.1,0.2\n0.2,0.3\n", "pairs.csv: 2 pairs with 2 different internal scores: nothing can be fitted"),
        ("0.1,0.2\n0.1,0.3\n0.1,0.4\n", "3 pairs with 1 different internal score: nothing can be fitted"),
        ("0.1,0.2\n0.2,\n0.3,0.4\n", "line 3, column 'lb': the cell is empty"),
        ("0.1,0.2\n0.2,good\n0.3,0.4\n", "line 3, column 'lb': 'good' is no finite number"),
    ],
)
def test_pairs_that_cannot_be_fitted(rows: str, said: str, tmp_path: Path, call: Call):
    (tmp_path / "pairs.csv").write_text(f"cv,lb\n{rows}", encoding="utf-8")
    error = call(tmp_path, "calibrate", "--pairs", "pairs.csv").error
    assert said in error


def test_submissions_that_cannot_be_fitted(lab: Path, call: Call):
    assert call(lab, "submit", "stiff", "--score", "0.1", "--metric", "rmse").code == 0
    assert "lab.toml: 1 pair with 1 different internal score: nothing can be fitted" in call(lab, "calibrate").error
    assert call(lab, "submit", "trees", "--score", "0.2", "--metric", "mae").code == 0
    assert "submissions in 2 metrics (mae, rmse); choose one: --metric M" in call(lab, "calibrate").error
    assert "'r2'" in call(lab, "calibrate", "--metric", "r2").error
    said = call(lab, "report")
    assert said.code == 0
    page = (lab / "lab.probatum" / "report.html").read_text(encoding="utf-8")
    assert "2 external scores recorded: too few different ones" in page


def test_an_experiment_that_was_not_finished_cannot_be_submitted(lab: Path, call: Call):
    with sqlite3.connect(lab / "lab.probatum" / "ledger.sqlite") as db:
        db.execute("UPDATE experiment SET done = 3 WHERE name = 'stiff'")
    db.close()
    error = call(lab, "submit", "stiff", "--score", "0.1", "--metric", "rmse").error
    assert "'stiff' is not finished" in error
    assert "probatum run lab.toml" in error


def test_a_champion_whose_seeds_do_not_matter_needs_new_rows(contest: Path, call: Call):
    path = contest / "contest.toml"
    line = '\n[[experiment]]\nname = "line"\nmodel.kind = "ridge"\n'
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    assert call(contest, "run", "--json").values["champion"]["name"] == "line"
    error = call(contest, "champion", "confirm").error
    assert "no seed changes 'line' or 'mean'" in error
    assert "set protocol.held_out in a new campaign" in error
    assert call(contest, "champion", "--json").values["champion"]["confirmations"] == []


def test_a_campaign_that_was_not_run_has_no_evidence(tmp_path: Path, call: Call):
    write_lab(tmp_path)
    for command in (
        ["effects"],
        ["champion"],
        ["champion", "confirm"],
        ["calibrate"],
        ["submit", "ridge", "--score", "1", "--metric", "rmse"],
    ):
        error = call(tmp_path, *command).error
        assert "lab.toml" in error
        assert "probatum run lab.toml" in error
    assert not (tmp_path / "lab.probatum").exists()
