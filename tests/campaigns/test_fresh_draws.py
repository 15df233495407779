"""A protocol of fresh draws: every repeat is new data, and the draws are the evidence."""

from pathlib import Path

import numpy as np
import pytest

from probatum.campaigns.campaign import Campaign
from probatum.errors import CampaignFileError, DataError

CODES = """
problem = { kind = "analog_codes", codes = 30, n = 7, groups = [[4, 2]] }
[protocol]
splits = "fresh-draws"
repeats = 4
baseline = "ridge"
[[experiment]]
name = "ridge"
model.kind = "ridge"
[[experiment]]
name = "flat"
model = { kind = "ridge", alpha = 1e6 }
"""


@pytest.fixture
def codes(tmp_path: Path) -> Campaign:
    (tmp_path / "codes.toml").write_text(CODES, encoding="utf-8")
    campaign = Campaign.open(tmp_path / "codes.toml")
    campaign.run()
    return campaign


def test_every_draw_is_other_data_with_a_split_of_its_own(codes: Campaign):
    assert [s.name for s in codes.splits] == ["draw 1", "draw 2", "draw 3", "draw 4"]
    assert len({d.digest for d in codes.draws.values()}) == 4
    assert all(len(s.test) == 6 and len(s.train) == 24 for s in codes.splits)


def test_predictions_belong_to_their_own_draw(codes: Campaign):
    for found in codes.predictions("ridge"):
        split = codes.splits[found.draw]
        np.testing.assert_array_equal(found.rows, split.test)
        features = codes.file.problem.features[codes.file.problem.default_features[0]]
        data = codes.draws[found.task, found.draw]
        assert len(features.compute(data)) == len(data)
    first, second = codes.predictions("ridge")[:2]
    assert not np.array_equal(first.prediction, second.prediction)


def test_the_data_of_every_draw_is_frozen(codes: Campaign):
    frozen = codes.ledger.frozen()
    assert frozen is not None
    assert list(frozen.data) == ["k=4", "k=4 draw 2", "k=4 draw 3", "k=4 draw 4"]


def test_measured_data_has_no_fresh_draws(tmp_path: Path):
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(f"{i},{i % 3}" for i in range(20)), encoding="utf-8")
    text = 'problem = { kind = "table", path = "t.csv", target = "y" }\n[protocol]\nsplits = "fresh-draws"\n'
    (tmp_path / "t.toml").write_text(text + '[[experiment]]\nname = "a"\nmodel.kind = "ridge"\n', encoding="utf-8")
    with pytest.raises(DataError, match="there is no draw 1"):
        Campaign.open(tmp_path / "t.toml").run()


def test_fresh_draws_hold_nothing_out(tmp_path: Path):
    (tmp_path / "codes.toml").write_text(CODES.replace("repeats", "held_out = 0.2\nrepeats"), encoding="utf-8")
    with pytest.raises(CampaignFileError, match="new draws are untouched anyway"):
        Campaign.open(tmp_path / "codes.toml")
