"""A campaign file is read as it is meant, and every mistake in it is answered by file, line, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.small_campaigns import PROBLEM, write_table
from probatum.campaigns.campaign_file import CampaignFile, read_campaign_file
from probatum.errors import CampaignFileError, DataError, UnknownNameError

GOOD = """[protocol]
splits = "leave-one-group-out"
seeds = 3
baseline = "line"

[run]
cores = 1

[[experiment]]
name = "line"
features = ["a", "b"]
model.kind = "ridge"

[[experiment]]
name = "steeper"
parent = "line"
model.alpha = 0.1
hypothesis = "less shrinkage"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_table(tmp_path / "batches.csv")
    return tmp_path / "mine.toml"


def read(path: Path, text: str) -> CampaignFile:
    path.write_text(text)
    return read_campaign_file(path)


def test_a_campaign_file_is_read_as_it_is_meant(path: Path):
    file = read(path, PROBLEM + GOOD)
    assert file.problem.name == "table"
    assert file.tasks == ("table",)
    assert file.protocol.seeds == 3
    assert file.protocol.metric == "mse"
    assert file.run.cores == 1
    assert [e.name for e in file.experiments] == ["line", "steeper"]
    assert file.experiments[1].recipe.model == {"kind": "ridge", "alpha": 0.1}
    assert file.experiments[1].hypothesis == "less shrinkage"


def test_data_lies_beside_the_campaign_file_wherever_it_is_read_from(path: Path, monkeypatch: pytest.MonkeyPatch):
    elsewhere = path.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    file = read(path, PROBLEM + GOOD)
    assert file.problem_spec[1]["path"] == str(path.parent / "batches.csv")
    assert len(file.problem.dataset("table")) == 24


def test_a_problem_without_options_is_a_name(path: Path):
    file = read(path, 'problem = "analog_codes"\n[[experiment]]\nname = "m"\nmodel = "mean"\n')
    assert file.problem_spec == ("analog_codes", {})


LINES = (PROBLEM + GOOD).splitlines()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[run]", "[runs]", "unknown key 'runs'; did you mean 'run'?"),
        ('"table"', '"tabel"', "unknown problem 'tabel'; did you mean 'table'?"),
        ('path = "', 'pth = "', "unknown key 'pth' of problem 'table'; did you mean 'path'?"),
        ('splits = "leave-one-group-out"', 'splits = "leave-two-out"', "splits = 'leave-two-out'"),
        ("seeds = 3", "sedes = 3", "unknown key 'sedes'; did you mean 'seeds'?"),
        ("seeds = 3", "seeds = 0", "seeds = 0"),
        ("seeds = 3", 'seeds = "three"', "seeds = 'three'"),
        ('baseline = "line"', 'baseline = "lime"', "unknown baseline experiment 'lime'; did you mean 'line'?"),
        ("cores = 1", "cores = 0", "cores = 0"),
        ("cores = 1", "kores = 1", "unknown key 'kores'; did you mean 'cores'?"),
        ('features = ["a", "b"]', 'features = ["a", "color"]', "unknown feature 'color'; did you mean 'colour'?"),
        ('features = ["a", "b"]', 'fatures = ["a"]', "unknown key 'fatures'; did you mean 'features'?"),
        ('model.kind = "ridge"', 'model.kind = "rigde"', "unknown model 'rigde'; did you mean 'ridge'?"),
        ('model.kind = "ridge"', 'model.kind = "nowhere_to_be_found:Model"', "cannot be imported"),
        ('parent = "line"', 'parent = "lin"', "unknown parent of 'steeper': 'lin'; did you mean 'line'?"),
        ("model.alpha = 0.1", "model.alhpa = 0.1", "unknown key 'alhpa' of model 'ridge'; did you mean 'alpha'?"),
        ("model.alpha = 0.1", "per_target = 3.5", "per_target = 3.5"),
        ("seeds = 3", "seeds = = 3", "no valid TOML"),
        ("seeds = 3", "seeds = 3\nseeds = 4", "no valid TOML"),
    ],
)
def test_a_mistake_is_answered_by_file_line_key_and_nearest_name(path: Path, old: str, new: str, says: str):
    line = next(i for i, text in enumerate(LINES) if old in text)
    wrong = LINES[:line] + LINES[line].replace(old, new).splitlines() + LINES[line + 1 :]
    place = line + 1 + new.count("\n")
    with pytest.raises((CampaignFileError, UnknownNameError)) as raised:
        read(path, "\n".join(wrong) + "\n")
    assert str(raised.value).startswith(f"mine.toml:{place}: ")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_mistake_is_found_in_the_experiment_that_makes_it(path: Path):
    text = PROBLEM + GOOD + '\n[[experiment]]\nname = "third"\nfeatures = ["a", "z"]\nmodel.kind = "ridge"\n'
    with pytest.raises(UnknownNameError) as raised:
        read(path, text)
    assert str(raised.value).startswith(f"mine.toml:{len(LINES) + 4}: unknown feature 'z'")


def test_a_name_that_stands_twice_is_found_at_its_second_place(path: Path):
    text = PROBLEM + GOOD + '\n[[experiment]]\nname = "line"\nmodel.kind = "mean"\n'
    with pytest.raises(CampaignFileError) as raised:
        read(path, text)
    assert str(raised.value).startswith(f"mine.toml:{len(LINES) + 3}: experiment 'line' stands here twice")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no problem"),
        (PROBLEM, "no experiments"),
        (PROBLEM + "experiment = 3\n", "no experiments"),
        (PROBLEM + "experiment = []\n", "no experiments"),
        (PROBLEM + 'protocol = "strict"\n' + GOOD.partition("cores = 1")[2], "protocol must be a table"),
        (PROBLEM + 'task = "chair"\n' + GOOD, "unknown task 'chair'"),
        (PROBLEM + 'task = ["table", "table"]\n' + GOOD, "a task stands here twice"),
        (PROBLEM + "task = []\n" + GOOD, "task must be a name or a list of names"),
        ("problem = 3\n" + GOOD, "no problem"),
    ],
)
def test_a_file_that_says_too_little_is_refused(path: Path, text: str, says: str):
    with pytest.raises((CampaignFileError, UnknownNameError), match=says) as raised:
        read(path, text)
    assert str(raised.value).startswith("mine.toml")


def test_a_missing_file_says_how_to_get_one(path: Path):
    with pytest.raises(CampaignFileError, match="no such campaign file; 'probatum new'"):
        read_campaign_file(path)


@pytest.mark.parametrize(("content", "line"), [(b"\xff\xfe\x00", 1), (b"a = 1\nproblem = '\x80'", 2)])
def test_bytes_that_are_no_text_are_refused_where_they_stand(path: Path, content: bytes, line: int):
    path.write_bytes(content)
    with pytest.raises(CampaignFileError) as raised:
        read_campaign_file(path)
    assert str(raised.value).startswith(f"mine.toml:{line}: ")
    assert "UTF-8" in str(raised.value)


def test_a_folder_is_no_campaign_file(tmp_path: Path):
    with pytest.raises(CampaignFileError, match="cannot be read"):
        read_campaign_file(tmp_path)


def test_a_missing_table_is_refused_before_anything_is_written(path: Path):
    with pytest.raises(DataError, match=r"batches\.csv"):
        read(path, PROBLEM.replace("batches.csv", "gone/batches.csv") + GOOD)
    assert sorted(p.name for p in path.parent.iterdir()) == ["batches.csv", "mine.toml"]
