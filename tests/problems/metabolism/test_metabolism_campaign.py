"""A campaign of the exploration's learner beside its repair: faults are found out, constants are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from probatum.campaigns.recipe_book import recipe_book
from probatum.laboratory import Laboratory
from probatum.problems.metabolism.problem import MetabolismProblem
from probatum.problems.registry import build
from probatum.reporting.experiment_log import experiment_log

CAMPAIGN = """
problem = { kind = "metabolism", metabolites = 12, reactions = 18, frames = 200, structure_seed = 3, distinct = true }
[protocol]
splits = "fresh-draws"
repeats = 6
test_fraction = 0.9
metric = "mae"
margin = 0.05
baseline = "1"
[[experiment]]
name = "1"
recipe = "1"
model.hidden_dim = 6
training.data_augmentation_loop = 8
[[experiment]]
name = "2"
parent = "1"
training.lr_k = 0.01
[[experiment]]
name = "repaired"
recipe = "repaired"
"""
LOG = {
    "1": {}, "2": {"lr_k": 0.01}, "3": {"lr_node": 0.002}, "4": {"lr_sub": 0.0002}, "5": {"coeff_MLP_node_L1": 0.1},
    "6": {"coeff_MLP_sub_norm": 1.0}, "7": {"lr_k": 0.002}, "8": {"data_augmentation_loop": 2000},
}  # fmt: skip
"""What the log's eight nodes change of its baseline."""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metabolism")
    (folder / "small.toml").write_text(CAMPAIGN, encoding="utf-8")
    Laboratory.open(folder / "small.toml").run()
    return folder / "small.toml"


def test_the_repair_finds_the_constants_and_is_better(campaign: Path):
    laboratory = Laboratory.open(campaign)
    results = laboratory.results()
    scores = {arm.name: arm.score for arm in results.arms}
    assert scores["repaired"] < 1e-3
    assert scores["1"] > 0.3
    assert {v.arm: v.outcome for v in results.verdicts}["repaired"] == "better"
    assert not any(arm.name.startswith("trivial") for arm in results.arms), "nobody may look at a mean"


def test_the_audit_finds_the_seed_that_nobody_read(campaign: Path):
    laboratory = Laboratory.open(campaign)
    found = {(f.code, f.subject) for f in laboratory.audit(laboratory.results()).findings}
    assert {("PB401", "1"), ("PB401", "2")} <= found
    assert ("PB401", "repaired") not in found


def test_the_log_tells_the_exploration_s_metrics(campaign: Path):
    laboratory = Laboratory.open(campaign)
    log = experiment_log(laboratory, laboratory.results())
    entries = {e.name: e for e in log.batches[0].entries}
    assert entries["1"].status == "failed"
    assert entries["repaired"].status == "converged"
    assert entries["1"].visual["MLP_node"][0] == "bad"
    assert entries["repaired"].visual["MLP_sub"][0] == "good"
    assert {
        "rate_constants_R2",
        "trimmed_R2",
        "n_outliers",
        "slope",
        "alpha",
        "test_R2",
        "test_pearson",
        "final_loss",
    } <= set(entries["1"].metrics)
    assert entries["2"].mutation == "lr_k: 0.005 -> 0.01"


def test_recipes_are_the_eight_nodes_of_the_log():
    problem = build("metabolism", {"frames": 64})
    assert isinstance(problem, MetabolismProblem)
    book = recipe_book(problem)
    base = book["1"].recipe.parameters
    for name, changes in LOG.items():
        assert book[name].recipe.parameters == {**base, **changes}
    assert (base["lr_k"], base["lr_node"], base["lr_sub"], base["batch_size"], base["seed"]) == (
        0.005,
        0.001,
        0.0005,
        8,
        42,
    )
