"""Experiments are trained beside the tree, with seeds and folds of their own, and the tree does not notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.small_campaigns import Inline, Workplace
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.control import open_control
from probatum.campaigns.experiment import PROBES
from probatum.campaigns.first_folds import FirstFolds
from probatum.campaigns.plan import Planner
from probatum.errors import IncomparableError, UnknownNameError

CAMPAIGN = """[protocol]
splits = "leave-one-group-out"
seeds = 2

[[experiment]]
name = "ridge"
model.kind = "ridge"

[[experiment]]
name = "noisy"
model.kind = "@Noisy"

[[experiment]]
name = "diverging"
model.kind = "@Diverging"
"""


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    monkeypatch.setattr(Campaign, "executor", lambda self: Inline(self))
    return Workplace(tmp_path).open(CAMPAIGN)


def begun(campaign: Campaign) -> int:
    return sum(
        {f.key: f.attempts for e in campaign.ledger.experiments() for f in campaign.ledger.fits(e.name)}.values()
    )


def test_a_control_has_seeds_that_neither_the_tree_nor_a_confirmation_uses_and_is_trained_once(campaign: Campaign):
    for _ in range(2):
        found = open_control(campaign, "noisy")
        assert {p.seed for p in found} == {4, 5}
        assert len(found) == 2 * len(campaign.splits)
        assert begun(campaign) == len(found)
    campaign.run()
    assert {f.seed for f in campaign.ledger.fits("noisy")} == {0, 1}
    campaign.require_unchanged()


def test_where_no_seed_matters_there_is_no_control(campaign: Campaign):
    with pytest.raises(IncomparableError, match="no seed changes 'ridge'"):
        open_control(campaign, "ridge")
    with pytest.raises(UnknownNameError, match="did you mean 'noisy'"):
        open_control(campaign, "nosy")


def test_first_folds_are_trained_with_the_first_seed_and_found_again_in_the_whole(campaign: Campaign):
    first = FirstFolds(campaign, leave_out="batch5")
    assert {s.name for s in first.order} == {f"batch{i}" for i in range(5)}
    chosen = [campaign.experiment(name) for name in ("noisy", "ridge")]
    found = first.open_first(chosen, 2)
    assert {name: [p.split for p in some] for name, some in found.items()} == {
        name: sorted(s.name for s in first.order[:2]) for name in ("noisy", "ridge")
    }
    assert {p.seed for some in found.values() for p in some} == {0}
    trained = begun(campaign)
    campaign.run()
    (one, *_) = found["noisy"]
    (same,) = (p for p in campaign.predictions("noisy") if p.key == one.key)
    assert same.prediction.tobytes() == one.prediction.tobytes()
    assert {f.attempts for f in campaign.ledger.fits("noisy")} == {1}
    assert trained == 4


def test_candidates_of_which_a_fit_failed_are_left_out(campaign: Campaign, monkeypatch: pytest.MonkeyPatch):
    first = FirstFolds(campaign)
    chosen = [campaign.experiment(name) for name in ("diverging", "noisy")]
    planner = Planner(campaign.file.problem, campaign.draws, campaign.file.protocol, range(1))
    keys = {f.key for f in planner.fits(chosen[0].recipe, first.order[:1])}
    monkeypatch.setattr(Campaign, "executor", lambda self: Inline(self, dies=keys))
    assert list(first.open_first(chosen, 1)) == ["noisy"]


def test_what_stands_beside_the_tree_belongs_to_no_round(campaign: Campaign):
    campaign.run()
    open_control(campaign, "noisy")
    beside = [e for e in campaign.ledger.experiments() if e.name.startswith(PROBES)]
    assert [(e.name, e.parent) for e in beside] == [("control: noisy", "noisy")]
    assert campaign.ledger.last_round() == 1
