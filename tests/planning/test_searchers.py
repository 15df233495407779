"""A declared space is searched one parameter a step, by Optuna or by a Gaussian process, from what was measured."""

from __future__ import annotations

import builtins
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from planning.small_history import CAMPAIGN, campaign_file, grown, history
from probatum.campaigns.campaign_file import CampaignFile
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.planning.candidates import collected
from probatum.planning.proposal import History
from probatum.planning.samplers import Sampler
from probatum.planning.space import read_space, space_of
from probatum.planning.surrogate import Surrogate, values

SPACE = """[space]
model.dropout = { low = 0.0, high = 0.6 }
model.hidden = { choices = [[32, 16], [8], [64]] }
training.epochs = { low = 50, high = 400, step = 50 }
training.rate = { low = 1e-4, high = 1e-1, log = true }
[protocol]"""


@pytest.fixture
def seen(tmp_path: Path) -> History:
    file = campaign_file(tmp_path, CAMPAIGN.replace("[protocol]", SPACE))
    return history(file, space=space_of(file.path, file.space))


SEARCHERS = [lambda: Sampler("tpe"), lambda: Sampler("random"), Surrogate]


@pytest.mark.parametrize("make", SEARCHERS, ids=["tpe", "random", "surrogate"])
def test_every_step_changes_one_parameter_within_its_range(seen: History, make: Any):
    found, dropped = collected([make()], seen, 8)
    assert len(found) == 8
    assert dropped == []
    assert seen.space is not None
    dimensions = {d.path: d for d in seen.space.dimensions}
    for candidate in found:
        assert candidate.experiment.mutation is not None
        (change,) = candidate.experiment.mutation.changes
        assert dimensions[change.path].holds(dimensions[change.path].of(candidate.experiment.recipe))


@pytest.mark.parametrize("make", SEARCHERS, ids=["tpe", "random", "surrogate"])
def test_the_same_history_gives_the_same_steps(seen: History, make: Any):
    assert make().propose(seen, 4) == make().propose(seen, 4)


@pytest.mark.parametrize("make", SEARCHERS, ids=["tpe", "random", "surrogate"])
def test_without_a_space_nothing_is_proposed(seen: History, make: Any):
    assert list(make().propose(replace(seen, space=None), 4)) == []


def test_the_study_is_told_every_scored_experiment_of_the_space(seen: History):
    assert seen.space is not None
    net = seen.by_name["net"]
    study = Sampler("tpe").study(seen, seen.space.of(net.recipe), 0)
    (trial,) = study.trials  # trees and line have no such parameters
    assert trial.value == 1.0
    assert trial.params["model.hidden"] == 0  # choices go by their place
    assert trial.params["training.epochs"] == 100


def test_a_surrogate_finds_the_best_of_a_smooth_surface(tmp_path: Path):
    text = CAMPAIGN.replace("dropout = 0.1", "dropout = 0.0")
    file = campaign_file(tmp_path, text)
    space = read_space(
        {"model": {"dropout": {"low": 0.0, "high": 0.6}}, "training": {"epochs": {"low": 50, "high": 400}}}, "test"
    )

    def score(dropout: float, epochs: int) -> float:
        return 1 + (dropout / 0.6 - 0.7) ** 2 + (epochs / 400 - 0.5) ** 2

    experiments, scores = file.experiments[:1], {"net": score(0.0, 100)}
    for number in range(6):
        seen = history(file, scores, experiments, space=space, round=number + 1)
        for candidate in collected([Surrogate()], seen, 3)[0]:
            made = replace(candidate.experiment, name=f"{len(experiments)}")
            experiments = (*experiments, made)
            scores[made.name] = score(made.recipe.model["dropout"], made.recipe.training["epochs"])
    assert min(scores.values()) < 1.01
    assert scores[Surrogate().leader(history(file, scores, experiments, space=space)) or ""] < 1.02


def test_grids_keep_to_ranges_steps_and_orders_of_magnitude():
    space = read_space(
        {
            "training": {
                "rate": {"low": 1e-4, "high": 1e-1, "log": True}, "epochs": {"low": 50, "high": 410, "step": 50},
                "weight_decay": {"low": 0.0, "high": 1.0}, "batch": {"low": 8, "high": 12},
            }
        },
        "test",
    )  # fmt: skip
    found = {d.path.partition(".")[2]: values(d) for d in space.dimensions}
    assert found["epochs"] == [50, 100, 150, 200, 250, 300, 350, 400]
    assert found["batch"] == [8, 9, 10, 11, 12]
    ratios = np.diff(np.log(found["rate"]))
    assert ratios == pytest.approx(ratios[0], rel=0.01)
    assert (found["weight_decay"][0], found["weight_decay"][-1]) == (0.0, 1.0)


def test_a_sampler_that_nobody_knows_is_refused():
    with pytest.raises(UnknownNameError, match="unknown sampler 'cma'"):
        Sampler("cma")  # type: ignore[arg-type]


def test_without_optuna_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch):
    def refused(name: str, *_: Any) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refused)
    with pytest.raises(CampaignFileError, match=r"pip install probatum\[optuna\]"):
        Sampler("tpe")


def test_planning_imports_no_optuna_until_it_is_asked(monkeypatch: pytest.MonkeyPatch, file: CampaignFile):
    real = builtins.__import__

    def guarded(name: str, *rest: Any, **more: Any) -> Any:
        assert not name.startswith("optuna")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", guarded)
    importlib.reload(importlib.import_module("probatum.planning.samplers"))
    assert list(Surrogate().propose(history(file), 4)) == []


def test_a_grown_tree_is_searched_from_its_best_members(tmp_path: Path):
    file = campaign_file(tmp_path, CAMPAIGN.replace("[protocol]", SPACE))
    experiments = grown(file, {"name": "good", "parent": "net", "model": {"dropout": 0.3}})
    scores = {"net": 2.0, "good": 1.0, "trees": 3.0, "line": 4.0}
    seen = history(file, scores, experiments, space=space_of(file.path, file.space))
    assert {p.parent for p in Surrogate().propose(seen, 6)} <= {"net", "good"}
