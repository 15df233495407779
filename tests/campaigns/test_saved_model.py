"""A kept model predicts again what was trained, from its file alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.fit_inputs import inputs_of
from probatum.campaigns.members import member_seed
from probatum.campaigns.saved_model import SavedModel, read_model, train_model, write_model
from probatum.campaigns.splits import held_out_rows
from probatum.errors import CampaignFileError, DataError, UnknownNameError
from probatum.learning.learner import RowSet, fit_many
from probatum.problems.analog_codes.problem import AnalogCodes

CAMPAIGN = """\
problem = { kind = "analog_codes", cases = "profiles", codes = 40, groups = [[4, 2], [4, 3], [5, 2], [5, 3]] }
task = ["k=4", "k=5"]

[protocol]
held_out = 0.2

[[experiment]]
name = "net"
features = ["sorted", "norms"]
model = { kind = "mlp", hidden = [8], norm = "layer" }
training = { epochs = 30, batch = 16, rate = 1e-2 }
ensemble.members = 2

[[experiment]]
name = "ridge"
features = ["sorted"]
model.kind = "ridge"

[[experiment]]
name = "both"
components = ["net", "ridge"]
"""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    file = tmp_path_factory.mktemp("saved") / "c.toml"
    file.write_text(CAMPAIGN, encoding="utf-8")
    return Campaign.open(file)


@pytest.fixture(scope="module")
def saved(campaign: Campaign) -> SavedModel:
    return train_model(campaign, "net", "k=4", seed=3)


def test_a_model_read_again_predicts_the_same(saved: SavedModel, campaign: Campaign, tmp_path: Path):
    write_model(saved, tmp_path / "net.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]
    again = read_model(tmp_path / "net.safetensors")
    new = campaign.file.problem.dataset("k=4", draw=1)
    np.testing.assert_array_equal(again.predict(new), saved.predict(new))
    assert replace(again, weights=()).__dict__ == replace(saved, weights=()).__dict__
    assert again.quantities == ("log2 h_2", "log2 h_3")


def test_it_is_the_mean_of_members_trained_on_all_cases_but_those_held_out(saved: SavedModel, campaign: Campaign):
    dataset, recipe = campaign.datasets["k=4"], saved.recipe
    assert saved.rows == 32
    assert saved.data == dataset.digest
    inputs = inputs_of(campaign.file.problem, dataset, recipe.features)
    new = campaign.file.problem.dataset("k=4", draw=1)
    alone = []
    rows = np.setdiff1d(np.arange(len(dataset)), held_out_rows(dataset, campaign.file.protocol))
    for member in range(2):
        seed = member_seed(3, member)
        estimator = recipe.learner.build(recipe.parameters, seed)
        sets = [RowSet(rows, rows[:1], seed, dataset.groups["code"][rows])]
        (outcome,) = fit_many([estimator], inputs, dataset.targets(), sets, quantities=2)
        fresh = inputs_of(campaign.file.problem, new, recipe.features)
        alone.append(estimator.restore(outcome.weights).predict(fresh))
    np.testing.assert_allclose(saved.predict(new), np.mean(alone, axis=0), rtol=1e-5)


def test_tasks_that_predict_different_quantities_make_no_campaign(tmp_path: Path):
    (tmp_path / "c.toml").write_text(CAMPAIGN.replace(", [5, 3]]", "]"), encoding="utf-8")
    with pytest.raises(
        CampaignFileError, match="'k=4' and 'k=5' predict different quantities; make a campaign of each"
    ):
        train_model(Campaign.open(tmp_path / "c.toml"), "net", "k=4")


def test_cases_that_are_not_its_own_are_refused(saved: SavedModel, campaign: Campaign):
    with pytest.raises(DataError, match="columns of inputs"):
        saved.predict(AnalogCodes(n=8, groups=((4, 2),), codes=3, cases="profiles").dataset("k=4"))
    with pytest.raises(DataError, match="for a model of analog_codes"):
        saved.predict(replace(campaign.datasets["k=4"], problem="catechol"))


def test_what_keeps_no_weights_is_refused(campaign: Campaign):
    with pytest.raises(CampaignFileError, match="'ridge' keeps no weights"):
        train_model(campaign, "ridge", "k=4")
    with pytest.raises(CampaignFileError, match="save its components"):
        train_model(campaign, "both", "k=4")
    with pytest.raises(CampaignFileError, match="choose one: k=4, k=5"):
        train_model(campaign, "net")
    with pytest.raises(UnknownNameError, match="unknown experiment 'nett'"):
        train_model(campaign, "nett", "k=4")
    with pytest.raises(UnknownNameError, match="unknown task"):
        train_model(campaign, "net", "k=9")


def test_files_that_are_no_models_are_refused(saved: SavedModel, tmp_path: Path):
    with pytest.raises(CampaignFileError, match=r"end it with \.safetensors"):
        write_model(saved, tmp_path / "net.pkl")
    with pytest.raises(DataError, match="no model"):
        read_model(tmp_path / "missing.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"12345678901234567890")
    with pytest.raises(DataError, match="no model"):
        read_model(tmp_path / "broken.safetensors")
