"""Fresh seeds: what was trained before is found again, what is handed out was never used."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.small_campaigns import Workplace
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.fresh_seeds import open_fresh_seeds
from probatum.errors import IncomparableError, ProtocolFrozenError, UnknownNameError

CAMPAIGN = """
[protocol]
splits = "leave-one-group-out"
seeds = 2
[run]
cores = 1
[[experiment]]
name = "fixed"
model.kind = "mean"
[[experiment]]
name = "counted"
model = { kind = "@Counting", log = "LOG" }
[[experiment]]
name = "both"
components = ["fixed", "counted"]
"""
FOLDS = 6


@pytest.fixture
def work(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def trained(work: Workplace) -> list[str]:
    """The random states of all trainings so far."""
    return (work.folder / "log").read_text().split()


def ran(work: Workplace) -> Campaign:
    campaign, _ = work.run(CAMPAIGN.replace("LOG", str(work.folder / "log")))
    assert sorted(trained(work)) == ["0"] * FOLDS + ["1"] * FOLDS
    return campaign


def test_only_new_seeds_are_trained_and_handed_out(work: Workplace):
    campaign = ran(work)
    for _ in range(2):
        found = open_fresh_seeds(Campaign.open(campaign.file.path), ["counted", "fixed"])
        assert sorted(trained(work)) == [str(seed) for seed in range(4) for _ in range(FOLDS)]
        assert {p.seed for p in found["counted"]} == {2, 3}
        assert {p.seed for p in found["fixed"]} == {0}
        assert len(found["counted"]) == 2 * len(found["fixed"]) == 2 * FOLDS


def test_components_of_a_blend_get_the_new_seeds_too(work: Workplace):
    campaign = ran(work)
    found = open_fresh_seeds(campaign, ["both"])
    assert sorted(trained(work)) == [str(seed) for seed in range(4) for _ in range(FOLDS)]
    assert {p.seed for p in found["both"]} == {2, 3}
    open_fresh_seeds(campaign, ["counted"])  # the blend has trained them
    assert len(trained(work)) == 4 * FOLDS


def test_the_protocol_stays_frozen_and_the_campaign_goes_on(work: Workplace):
    campaign = ran(work)
    open_fresh_seeds(campaign, ["counted"])
    frozen = campaign.ledger.frozen()
    assert frozen is not None
    assert frozen.protocol["seeds"] == 2
    again = Campaign.open(campaign.file.path)
    again.run()
    assert len(trained(work)) == 4 * FOLDS
    text = campaign.file.path.read_text().replace("seeds = 2", "seeds = 3")
    campaign.file.path.write_text(text)
    with pytest.raises(ProtocolFrozenError, match=r"protocol\.seeds was 2"):
        open_fresh_seeds(Campaign.open(campaign.file.path), ["counted"])


def test_where_no_seed_matters_there_is_nothing_to_train(work: Workplace):
    campaign = ran(work)
    with pytest.raises(IncomparableError, match=r"no seed changes 'fixed'.*protocol\.held_out"):
        open_fresh_seeds(campaign, ["fixed"])
    with pytest.raises(UnknownNameError, match="'counted'"):
        open_fresh_seeds(campaign, ["conted"])
