"""Predictions of new cases: trained on all but the held-out ones, by every kind of recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.small_lab import lab_table
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.new_cases import extended, observations_of, predict_new
from probatum.campaigns.splits import held_out_rows
from probatum.errors import DataError, FitError, UnknownNameError
from probatum.learning.learner import learner_kind

CAMPAIGN = """\
problem = { kind = "table", path = "lab.csv", target = "yield", group = "batch" }

[protocol]
splits = "leave-one-group-out"
seeds = 3
held_out = 0.34

[[experiment]]
name = "mean"
model.kind = "mean"

[[experiment]]
name = "ridge"
features = ["temperature"]
model.kind = "ridge"

[[experiment]]
name = "trees"
model = { kind = "extra_trees", n_estimators = 5 }

[[experiment]]
name = "half"
components = ["mean", "ridge"]
model = { kind = "blend", weights = [0.5, 0.5] }

[[experiment]]
name = "chosen"
components = ["mean", "ridge"]
model = { kind = "blend", weights = "inner" }
"""
CASES = [{"temperature": 40.0, "solvent": "water"}, {"temperature": 80.0, "solvent": "ethanol"}]


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    (tmp_path / "lab.csv").write_text(lab_table(), encoding="utf-8")
    (tmp_path / "lab.toml").write_text(CAMPAIGN, encoding="utf-8")
    return Campaign.open(tmp_path / "lab.toml")


def used_rows(campaign: Campaign) -> np.ndarray:
    dataset = campaign.datasets["table"]
    return np.setdiff1d(np.arange(len(dataset)), held_out_rows(dataset, campaign.file.protocol))


def test_it_is_the_model_trained_on_all_cases_but_the_held_out_ones(campaign: Campaign):
    dataset, rows = campaign.datasets["table"], used_rows(campaign)
    assert len(rows) == 16
    mean = predict_new(campaign, "mean", CASES)
    np.testing.assert_allclose(mean.mean, dataset.targets()[rows].mean(), rtol=1e-12)
    assert (mean.rows, mean.seeds, mean.spread) == (16, 1, None)
    column = np.asarray(dataset.observations["temperature"])[rows, None]
    alone = learner_kind("ridge").build({}, 0).fit(column, dataset.targets()[rows, 0])
    ridge = predict_new(campaign, "ridge", CASES)
    np.testing.assert_allclose(ridge.mean[:, 0], alone.predict(np.array([[40.0], [80.0]])), rtol=1e-9)


def test_the_truth_of_held_out_cases_changes_nothing(campaign: Campaign, tmp_path: Path):
    held = held_out_rows(campaign.datasets["table"], campaign.file.protocol)
    before = predict_new(campaign, "trees", CASES)
    lines = (tmp_path / "lab.csv").read_text().splitlines()
    for row in held:
        lines[row + 1] = ",".join([*lines[row + 1].split(",")[:3], "99.0"])
    (tmp_path / "lab.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    changed = Campaign.open(tmp_path / "lab.toml")
    assert changed.datasets["table"].targets().max() == 99.0
    np.testing.assert_array_equal(predict_new(changed, "trees", CASES).mean, before.mean)


def test_several_seeds_are_a_mixture(campaign: Campaign):
    done: list[tuple[int, int]] = []
    trees = predict_new(campaign, "trees", CASES, tell=lambda d, n: done.append((d, n)))
    assert trees.seeds == 3
    assert trees.spread is not None
    assert (trees.spread > 0).any()
    assert done == [(1, 3), (2, 3), (3, 3)]
    np.testing.assert_array_equal(predict_new(campaign, "trees", CASES[::-1]).mean, trees.mean[::-1])


def test_a_blend_blends_its_components(campaign: Campaign):
    mean, ridge, half, chosen = (predict_new(campaign, n, CASES).mean for n in ("mean", "ridge", "half", "chosen"))
    np.testing.assert_allclose(half, (mean + ridge) / 2, rtol=1e-12)
    low, high = np.minimum(mean, ridge), np.maximum(mean, ridge)
    assert ((low - 1e-12 <= chosen) & (chosen <= high + 1e-12)).all()
    assert np.abs(chosen - ridge).max() < np.abs(chosen - mean).max()  # the yield grows with the temperature


def test_what_lies_beyond_the_training_cases_is_named(campaign: Campaign):
    cases = [*CASES, {"temperature": -300.0, "solvent": "water"}, {"temperature": 50.0, "solvent": "oil"}]
    assert predict_new(campaign, "ridge", cases).outside == ((), (), ("temperature",), ("solvent",))


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ({"temperature": 40.0}, "case 1: no 'solvent'"),
        ({"temperature": "40", "solvent": "water"}, "is not a number"),
        ({"temperature": True, "solvent": "water"}, "is not a number"),
        ({"temperature": float("nan"), "solvent": "water"}, "is not a number"),
        ({"temperature": [40.0], "solvent": "water"}, "is not a number"),
        ({"temperature": None, "solvent": "water"}, "is not a number"),
        ({"temperature": 10**400, "solvent": "water"}, "is not a number"),
        ({"temperature": 40.0, "solvent": 3}, "is not text"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_case_and_name(campaign: Campaign, case: dict[str, Any], said: str):
    with pytest.raises(DataError, match=said):
        observations_of(campaign.datasets["table"], [case])


def test_names_that_nobody_knows_are_refused(campaign: Campaign):
    with pytest.raises(UnknownNameError, match="unknown observation 'temprature'; did you mean 'temperature'"):
        predict_new(campaign, "ridge", [{**CASES[0], "temprature": 1.0}])
    with pytest.raises(UnknownNameError, match="unknown experiment 'rigde'"):
        predict_new(campaign, "rigde", CASES)
    with pytest.raises(UnknownNameError, match="unknown task"):
        predict_new(campaign, "ridge", CASES, "single")
    with pytest.raises(DataError, match="no cases to predict"):
        predict_new(campaign, "ridge", [])


def test_a_training_that_fails_says_so(campaign: Campaign, tmp_path: Path):
    text = CAMPAIGN.replace("n_estimators = 5", "n_estimators = -5")
    (tmp_path / "lab.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FitError, match="extra_trees"):
        predict_new(Campaign.open(tmp_path / "lab.toml"), "trees", CASES)


def test_new_cases_stand_apart_from_all_others(campaign: Campaign):
    dataset = campaign.datasets["table"]
    together = extended(dataset, observations_of(dataset, CASES))
    assert len(together) == len(dataset) + 2
    assert np.isnan(together.targets()[-2:]).all()
    assert not set(together.groups["batch"][-2:]) & set(dataset.groups["batch"])
    np.testing.assert_array_equal(together.targets()[:-2], dataset.targets())
