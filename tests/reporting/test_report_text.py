"""What the formats of a report share: the protocol as far as it was read, and what is said of imported runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.small_lab import write_lab
from interop.foreign_runs import bring, runs_of, table_of_scores
from probatum.campaigns.protocol import SPLITS, Protocol
from probatum.campaigns.splits import make_splits
from probatum.laboratory import Laboratory
from probatum.problems.problem import Dataset
from probatum.problems.table import Table
from probatum.reporting.markdown_report import markdown_report
from probatum.reporting.report_text import OF_PARTITIONS, protocol_rows
from probatum.reporting.report_values import report_values

OTHERS: dict[str, Any] = {
    "folds": 3, "repeats": 2, "test_fraction": 0.5, "split_seed": 9, "minimum_group_rows": 1, "stratify": "batch",
}  # fmt: skip


def shown(protocol: Protocol) -> set[str]:
    values = {"protocol": protocol.model_dump() | {"metric": "mse"}}
    return {key.replace(" ", "_") for key, _ in protocol_rows(values)}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = write_lab(tmp_path_factory.mktemp("lab"))
    return Table(str(folder / "lab.csv"), target="yield", group="batch").dataset("table")


@pytest.mark.parametrize("kind", SPLITS)
def test_a_key_that_a_report_leaves_out_changes_no_split(kind: Any, dataset: Dataset):
    protocol = Protocol(splits=kind)
    splits = [s.digest for s in make_splits(dataset, protocol)]
    for key, value in OTHERS.items():
        changed = protocol.model_copy(update={key: value})
        if key not in shown(changed):
            assert [s.digest for s in make_splits(dataset, changed)] == splits, key


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("leave-one-group-out", {"minimum_group_rows"}),
        ("grouped-k-fold", {"folds", "repeats", "split_seed"}),
        ("repeated-k-fold", {"folds", "repeats", "split_seed"}),
        ("stratified-hold-out", {"repeats", "test_fraction", "split_seed"}),
        ("fresh-draws", {"repeats", "test_fraction", "split_seed"}),
    ],
)
def test_a_report_shows_the_keys_that_its_splits_read(kind: Any, read: set[str]):
    assert shown(Protocol(splits=kind)) & set(OF_PARTITIONS) == read
    assert {"metric", "margin", "alpha", "seeds", "held_out"} <= shown(Protocol(splits=kind))


def test_the_seed_that_drew_the_held_out_cases_is_shown():
    assert "split_seed" in shown(Protocol(splits="leave-one-group-out", held_out=0.2))


def test_a_report_of_imported_runs_promises_no_training(tmp_path: Path):
    path = tmp_path / "runs.toml"
    bring([*runs_of("base", table_of_scores(1.0, 0), lr=0.1), *runs_of("good", table_of_scores(0.8, 1), lr=0.2)], path)
    laboratory = Laboratory.open(path)
    results = laboratory.results()
    values = report_values(laboratory, results, laboratory.audit(results))
    assert values["reproduction"]["commands"] == ["probatum verify runs.toml"]
    assert {split["train_rows"] for split in values["reproduction"]["splits"]} == {None}
    assert [key for key, _ in protocol_rows(values)] == ["splits", "metric", "margin", "baseline", "alpha"]
    text = markdown_report(values)
    assert "2 experiments were imported and 2 are finished: 20 runs." in text
    assert "Not confirmed: repeat it on fresh data, in the program that made it." in text
    for wrong in ("probatum run", "probatum reproduce", "held-out set", "finite quantities", "Not confirmed yet"):
        assert wrong not in text
