"""What Weights & Biases leaves behind and exports, without its package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from probatum.errors import DataError, DataMissingError
from probatum.interop.from_wandb import wandb_runs
from probatum.interop.grouping import Choice
from probatum.interop.import_campaign import import_runs
from probatum.interop.import_request import Wanted

CONFIG = """\
wandb_version: 1
_wandb:
  desc: null
  value: {python_version: 3.11}
lr:
  desc: null
  value: 0.1
optimiser:
  desc: null
  value: {name: adam, betas: [0.9, 0.99]}
seed:
  desc: null
  value: %d
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(3):
        files = tmp_path / "wandb" / f"run-20260401_10150{seed}-ab{seed}cd" / "files"
        files.mkdir(parents=True)
        (files / "config.yaml").write_text(CONFIG % seed, encoding="utf-8")
        if seed < 2:
            summary = {"val_loss": 0.5 + seed, "acc": {"max": 0.9}, "_step": 2, "_timestamp": 1.7e9 + seed}
            (files / "wandb-summary.json").write_text(json.dumps(summary), encoding="utf-8")
            lines = [json.dumps({"_step": s, "val_loss": 1 / (s + 1)}) for s in range(3)]
            (files / "wandb-history.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "wandb"


def test_run_folders_come_with_configuration_summary_and_history(folder: Path):
    runs = list(wandb_runs(folder, "val_loss").runs)
    assert [r.id for r in runs] == ["ab0cd", "ab1cd", "ab2cd"]
    assert runs[0].parameters == {"lr": 0.1, "optimiser": {"name": "adam", "betas": [0.9, 0.99]}, "seed": 0}
    assert runs[1].metrics == {"val_loss": 1.5, "acc.max": 0.9}
    assert runs[0].curves["val_loss"][1] == pytest.approx([1, 1 / 2, 1 / 3])
    assert runs[2].state == "running"


def test_run_folders_are_a_campaign(folder: Path, tmp_path: Path):
    found = import_runs(wandb_runs(folder, "val_loss"), tmp_path / "w.toml", Wanted(Choice("val_loss"), "lower"))
    assert (found.experiments, found.states) == (1, {"finished": 2, "running": 1})


def test_the_json_of_the_api_is_read(tmp_path: Path):
    runs = [
        {
            "id": "a",
            "name": "brisk-sun-1",
            "state": "finished",
            "config": '{"lr": {"value": 0.1}}',
            "summary": {"loss": 1},
        },
        {"id": "b", "name": "brisk-sun-1", "state": "crashed", "config": {"lr": 0.2}, "summary": '{"loss": "NaN"}'},
    ]
    path = tmp_path / "runs.json"
    path.write_text(json.dumps(runs), encoding="utf-8")
    first, second = wandb_runs(path, "loss").runs
    assert (first.parameters, first.metrics, first.state) == ({"lr": 0.1}, {"loss": 1.0}, "finished")
    assert (second.state, second.parameters) == ("failed", {"lr": 0.2})


def test_the_csv_of_the_table_of_runs_is_read(tmp_path: Path):
    path = tmp_path / "export.csv"
    path.write_text(
        '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","lr","val_loss"\n'
        '"a","finished","-","me","","2026-04-01T10:15:00.000Z","12","","0.1","0.5"\n',
        encoding="utf-8",
    )
    (run,) = wandb_runs(path, "val_loss").runs
    assert (run.name, run.parameters, run.metrics["val_loss"]) == ("a", {"lr": 0.1}, 0.5)


@pytest.mark.parametrize(
    "content", ["{", "3", '[{"id": "a"}]', '[{"config": {}, "summary": {}}]', '[{"config": "x", "id": "a"}]']
)
def test_what_is_no_export_says_so(tmp_path: Path, content: str):
    path = tmp_path / "runs.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError):
        list(wandb_runs(path, "loss").runs)


def test_code_in_a_configuration_is_not_run(tmp_path: Path):
    (tmp_path / "run").mkdir()
    evil = "!!python/object/apply:os.system ['touch evil']\n"
    (tmp_path / "run" / "config.yaml").write_text(evil, encoding="utf-8")
    with pytest.raises(DataError, match="is no YAML"):
        list(wandb_runs(tmp_path / "run", "loss").runs)


def test_a_folder_without_runs_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="holds no run"):
        wandb_runs(tmp_path, "loss")
    with pytest.raises(DataMissingError):
        wandb_runs(tmp_path / "gone", "loss")
