"""A declared space is read strictly: what contradicts itself is refused where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planning.small_history import CAMPAIGN, campaign_file
from probatum.campaigns.campaign_file import CampaignFile
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.planning.space import Dimension, read_space, space_of


def test_ranges_and_choices_are_read_however_deep_their_tables_stand():
    space = read_space(
        {
            "model": {"dropout": {"low": 0.0, "high": 0.5}, "hidden": {"choices": [[8], [16, 8]]}},
            "training.rate": {"low": 1e-4, "high": 0.1, "log": True},
            "ensemble": {"members": {"low": 1, "high": 9, "step": 2}},
        },
        "x.toml",
    )
    found = {d.path: d for d in space.dimensions}
    assert found["model.hidden"].choices == ([8], [16, 8])
    assert found["training.rate"].log
    assert found["ensemble.members"].whole
    assert not found["model.dropout"].whole
    assert found["model.dropout"].edit(0.2) == {"model": {"dropout": 0.2}}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "the space is empty"),
        ({"model": {}}, "no parameter that can be searched"),
        ({"model": {"dropout": {"low": 0.5, "high": 0.1}}}, "low = 0.5 and high = 0.1 contradict each other"),
        ({"model": {"dropout": {"low": 0.5, "high": 0.5}}}, "contradict each other"),
        ({"model": {"dropout": {"low": 0.5}}}, "high = None is no number"),
        ({"model": {"dropout": {"low": float("nan"), "high": 1.0}}}, "low = nan is no number"),
        ({"model": {"dropout": {"low": True, "high": 2}}}, "low = True is no number"),
        ({"training": {"rate": {"low": 0.0, "high": 1.0, "log": True}}}, "log = true with low = 0"),
        ({"training": {"rate": {"low": 0.0, "high": 1.0, "log": "yes"}}}, "log = 'yes'"),
        ({"training": {"epochs": {"low": 1, "high": 5, "step": 9}}}, "step = 9 does not fit"),
        ({"training": {"epochs": {"low": 1, "high": 5, "step": 1, "log": True}}}, "step with log"),
        ({"model": {"hidden": {"choices": [[8]]}}}, "choices = "),
        ({"model": {"hidden": {"choices": [[8], [8]]}}}, "choices = "),
        ({"model": {"hidden": {"choices": [[8], [9]], "low": 1}}}, "choices and a range"),
        ({"model": {"dropout": 0.5}}, "model.dropout = 0.5 is no range"),
        ({"features": {"add": {"low": 1, "high": 2}}}, "no parameter that can be searched"),
        ({"model.dropout": {"low": 0.0, "high": 1.0}, "model": {"dropout": {"low": 0.0, "high": 1.0}}}, "twice"),
    ],
)
def test_what_cannot_be_searched_is_refused(given: dict[str, Any], says: str):
    with pytest.raises(CampaignFileError, match=says):
        read_space(given, "x.toml")


def test_a_misspelt_key_of_a_range_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown key of a range 'hihg'"):
        read_space({"model": {"dropout": {"low": 0.0, "hihg": 1.0}}}, "x.toml")


def test_a_space_counts_for_recipes_whose_learner_has_the_parameter(file: CampaignFile):
    space = read_space({"model": {"dropout": {"low": 0.0, "high": 0.5}, "num_leaves": {"low": 3, "high": 9}}}, "x")
    paths = {e.name: [d.path for d in space.of(e.recipe)] for e in file.experiments}
    assert paths == {"net": ["model.dropout"], "trees": ["model.num_leaves"], "line": []}


def test_the_space_stands_in_the_campaign_file_or_beside_it(tmp_path: Path):
    text = CAMPAIGN.replace("[protocol]", "[space]\nmodel.dropout = { low = 0.0, high = 0.5 }\n[protocol]")
    inside = campaign_file(tmp_path, text)
    assert space_of(inside.path, inside.space) is not None
    plain = campaign_file(tmp_path)
    assert space_of(plain.path, plain.space) is None
    (tmp_path / "space.toml").write_text("[space]\nmodel.dropout = { low = 0.1, high = 0.2 }\n", encoding="utf-8")
    beside = space_of(plain.path, plain.space)
    assert beside is not None
    assert beside.dimensions == (Dimension("model.dropout", 0.1, 0.2),)
    (tmp_path / "space.toml").write_text("model.dropout = {", encoding="utf-8")
    with pytest.raises(CampaignFileError, match="no valid TOML"):
        space_of(plain.path, plain.space)


def test_a_space_that_is_no_table_is_refused(tmp_path: Path):
    with pytest.raises(CampaignFileError, match="space must be a table"):
        campaign_file(tmp_path, "space = 3\n" + CAMPAIGN)
