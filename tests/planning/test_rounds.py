"""A round: one candidate a slot, by the slot's own rule, and the champion unchanged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from planning.small_history import grown, history
from probatum.campaigns.campaign_file import CampaignFile
from probatum.errors import CampaignFileError
from probatum.planning.knowledge import PrincipleTests
from probatum.planning.prescriptions import Prescriber
from probatum.planning.principle import Principle
from probatum.planning.proposal import History, Proposal
from probatum.planning.rounds import control_of, plan_round, untried_parts


class Fixed:
    name = "fixed"

    def __init__(self, *said: Proposal):
        self.said = said

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        return self.said


def step(parent: str, **model: float) -> Proposal:
    return Proposal(parent, {"model": model}, reason="a test")


def test_exploit_takes_the_best_parent_and_second_the_next(file: CampaignFile):
    said = Fixed(step("line", alpha=3.0), step("trees", num_leaves=15), step("net", dropout=0.4))
    planned = plan_round(history(file), [said], 2)
    assert [(c.proposal.slot, c.proposal.parent) for c in planned.candidates] == [
        ("exploit", "net"),
        ("second", "trees"),
    ]


def test_explore_takes_a_kind_of_step_that_was_never_tried(file: CampaignFile):
    experiments = grown(file, {"name": "wet", "parent": "net", "model": {"dropout": 0.2}})
    said = Fixed(
        step("wet", dropout=0.3), step("net", dropout=0.4), step("trees", num_leaves=15),
        Proposal("net", {"training": {"epochs": 50}}, reason="a test"),
    )  # fmt: skip
    scores = {"wet": 1.0, "net": 1.1, "trees": 9.0, "line": 9.0}
    planned = plan_round(history(file, scores, experiments), [said], 3)
    explored = [c for c in planned.candidates if c.proposal.slot == "explore"]
    assert [c.family for c in explored] in (["training.epochs down"], ["model.num_leaves up"])


def test_explore_prefers_a_part_of_the_recipe_that_was_never_changed(file: CampaignFile):
    experiments = grown(file, {"name": "wet", "parent": "net", "model": {"dropout": 0.2}})
    said = Fixed(
        step("net", dropout=0.4), step("trees", num_leaves=15), step("net", hidden=[8]),
        Proposal("net", {"training": {"epochs": 50}}, reason="a test"),
    )  # fmt: skip
    scores = {"wet": 1.0, "net": 1.1, "trees": 9.0, "line": 9.0}
    planned = plan_round(history(file, scores, experiments), [said], 3)
    (explored,) = [c for c in planned.candidates if c.proposal.slot == "explore" and c.family.startswith("training")]
    assert explored.family == "training.epochs down"


def test_slots_without_a_rule_of_their_own_change_different_parts_where_all_are_as_urgent(file: CampaignFile):
    said = Fixed(
        step("net", dropout=0.4), step("net", hidden=[8]), step("net", dropout=0.5),
        Proposal("net", {"training": {"epochs": 50}}, reason="a test"),
    )  # fmt: skip
    planned = plan_round(history(file), [said], 2)
    assert {c.family.partition(".")[0] for c in planned.candidates} == {"model", "training"}


def test_a_part_is_untried_until_an_experiment_changed_it(file: CampaignFile):
    experiments = grown(file, {"name": "wet", "parent": "net", "model": {"dropout": 0.2}})
    seen = history(file, experiments=experiments)
    said = Fixed(step("net", hidden=[8]), Proposal("net", {"training": {"epochs": 50}}, reason="a test"))
    assert untried_parts(seen, plan_round(seen, [said], 2).candidates) == {"training"}


def test_a_principle_is_tried_in_its_slot_on_a_parent_that_it_was_not_tried_on(file: CampaignFile):
    principle = Principle("features +x", "x helps", pairs=(("net", "net+x"),), effect=-0.1)
    seen = history(file, principles=(principle,))
    planned = plan_round(seen, [PrincipleTests(), Prescriber()], 4)
    (test,) = [c for c in planned.candidates if c.proposal.slot == "principle test"]
    assert test.family == "features +x"
    assert test.proposal.parent != "net"
    assert "x helps" in test.proposal.reason


def test_every_candidate_of_a_round_changes_one_thing_and_no_two_are_alike(file: CampaignFile):
    planned = plan_round(history(file), [PrincipleTests(), Prescriber()], 12)
    assert len(planned.candidates) == 12
    assert len({c.experiment.recipe.digest() for c in planned.candidates}) == 12
    assert len({c.proposal.name for c in planned.candidates}) == 12


def test_a_persons_proposal_goes_first_whatever_its_priority(file: CampaignFile):
    mine = Proposal("net", {"model": {"dropout": 0.55}}, "mine", priority="LOW", proposer="person")
    planned = plan_round(history(file), [Prescriber(), Fixed(mine)], 1)
    assert [c.proposal.name for c in planned.candidates] == ["mine"]


def test_the_control_is_the_champion_unless_no_seed_changes_it(file: CampaignFile):
    control = control_of(history(file, {"net": 1.0, "line": 2.0}))
    assert control is not None
    assert (control.parent, dict(control.mutation), control.slot) == ("net", {}, "control")
    assert control_of(history(file, {"net": 2.0, "line": 1.0})) is None


def test_a_round_without_proposals_is_empty_and_one_without_slots_is_refused(file: CampaignFile):
    assert plan_round(history(file), [Fixed()], 4).candidates == ()
    with pytest.raises(CampaignFileError, match="0 slots"):
        plan_round(history(file), [Fixed()], 0)
