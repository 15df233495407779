"""What somebody proposes is checked: an edit of its parent, one change, new, possible. Who errs is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from planning.small_history import grown, history
from probatum.campaigns.campaign_file import CampaignFile
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.planning.candidates import checked, collected, numbered
from probatum.planning.proposal import History, Proposal, Proposer


class Says:
    """A proposer that says what it is told to."""

    def __init__(self, name: str, *said: Any):
        self.name, self.said = name, said

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        return self.said


class Raises:
    name = "broken"

    def __init__(self, error: BaseException):
        self.error = error

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        raise self.error


DROPOUT = Proposal("net", {"model": {"dropout": 0.4}}, reason="over-fitting")


def test_an_edit_of_the_parent_becomes_an_experiment_that_differs_by_it_alone(file: CampaignFile):
    found = checked(DROPOUT, history(file))
    assert str(found.experiment.mutation) == "model.dropout: 0.1 -> 0.4"
    assert found.experiment.parent == "net"
    assert found.experiment.recipe.training == history(file).by_name["net"].recipe.training
    assert found.family == "model.dropout up"


@pytest.mark.parametrize(
    ("proposal", "error", "says"),
    [
        (Proposal("nobody", {}), UnknownNameError, "unknown parent 'nobody'"),
        (Proposal("net", {}), CampaignFileError, "changes nothing"),
        (Proposal("net", {"model": {"dropout": 0.1}}), CampaignFileError, "changes nothing"),
        (Proposal("net", {"model": {"droput": 0.1}}), CampaignFileError, "unknown key 'droput'"),
        (Proposal("net", {"model": {"dropout": 1.7}}), CampaignFileError, "dropout"),
        (Proposal("net", {"modle": {"dropout": 0.2}}), UnknownNameError, "modle"),
        (Proposal("net", {"features": {"add": ["nothing"]}}), UnknownNameError, "unknown feature 'nothing'"),
        (Proposal("net", {"features": {"add": ["x", "w"]}}), CampaignFileError, "2 changes at once"),
        (Proposal("net", {"parent": "line"}), CampaignFileError, "sets 'parent'"),
        (Proposal("net", {"training": {"target_weights": [1, 2, 3]}}), CampaignFileError, "2 quantities"),
        (Proposal("net", {"model": {"dropout": 0.2}}, priority="URGENT"), UnknownNameError, "priority 'URGENT'"),  # type: ignore[arg-type]
        (Proposal("net", {"model": {"dropout": 0.2}}, slot="best"), UnknownNameError, "slot 'best'"),  # type: ignore[arg-type]
        (Proposal("net", {"model": {"dropout": 0.2}}, name="trees"), CampaignFileError, "there is an experiment"),
        (Proposal("net", {"model": {"dropout": 0.2}}, name="trivial: x"), CampaignFileError, "reserved"),
        (Proposal("net", {"model": {"dropout": 0.2}}, name="control: x"), CampaignFileError, "reserved"),
        (Proposal("net", ["model.dropout = 0.2"]), CampaignFileError, "its mutation is list"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_is_no_edit_of_its_parent_is_refused_with_the_reason(
    file: CampaignFile, proposal: Proposal, error: type[Exception], says: str
):
    with pytest.raises(error, match=says):
        checked(proposal, history(file))


def test_a_proposal_of_ten_changes_is_refused_and_its_changes_are_shown(file: CampaignFile):
    many = {
        "model": {"dropout": 0.3, "hidden": [8], "activation": "relu", "norm": "batch"},
        "training": {"epochs": 50, "rate": 1e-2, "weight_decay": 0.1, "batch": 8, "optimiser": "adamw", "loss": "mae"},
    }
    with pytest.raises(CampaignFileError, match="10 changes at once") as caught:
        checked(Proposal("net", many, proposer="eager"), history(file))
    assert "model.dropout: 0.1 -> 0.3" in str(caught.value)
    assert caught.value.remedy == "propose each of them alone"


def test_another_kind_of_model_is_one_change_with_all_that_comes_with_it(file: CampaignFile):
    assert checked(Proposal("trees", {"model": {"kind": "extra_trees"}}), history(file)).family.startswith("model.kind")


def test_a_blend_of_the_parent_with_another_is_one_change(file: CampaignFile):
    found = checked(Proposal("net", {"components": ["net", "trees"]}), history(file))
    assert [c.kind for c in found.experiment.recipe.components] == ["mlp", "lightgbm"]
    assert found.family == "model.kind -> blend"


def test_a_recipe_that_was_run_is_no_proposal_whatever_it_is_called(file: CampaignFile):
    experiments = grown(file, {"name": "wet", "parent": "net", "model": {"dropout": 0.4}})
    with pytest.raises(CampaignFileError, match="its recipe is that of 'wet'"):
        checked(Proposal("net", {"model": {"dropout": 0.4}}, name="new"), history(file, experiments=experiments))


def test_a_fit_that_would_take_longer_than_its_limit_is_refused(file: CampaignFile):
    seen = history(file, seconds={"net": 30.0}, limit=100.0)
    assert checked(Proposal("net", {"ensemble": {"members": 3}}), seen)
    with pytest.raises(CampaignFileError, match="about 150 s, and the limit is 100 s"):
        checked(Proposal("net", {"ensemble": {"members": 5}}), seen)


def test_a_proposer_that_raises_is_reported_and_the_others_are_heard(file: CampaignFile):
    good = Says("good", DROPOUT)
    found, dropped = collected([Raises(RuntimeError("lost its mind")), good], history(file), 4)
    assert [c.proposal.proposer for c in found] == ["good"]
    assert [(d.proposer, d.why) for d in dropped] == [("broken", "it raised RuntimeError: lost its mind")]


def test_a_proposer_that_repeats_itself_is_reported_and_its_first_word_counts(file: CampaignFile):
    found, dropped = collected([Says("parrot", DROPOUT, DROPOUT, DROPOUT)], history(file), 4)
    assert len(found) == 1
    assert len(dropped) == 2
    assert all("its recipe is that of proposal" in d.why for d in dropped)


def test_two_proposers_with_one_idea_are_no_fault(file: CampaignFile):
    found, dropped = collected([Says("one", DROPOUT), Says("two", DROPOUT)], history(file), 4)
    assert [c.proposal.proposer for c in found] == ["one"]
    assert dropped == []


@pytest.mark.parametrize("said", [None, "model.dropout = 0.2", {"parent": "net"}, 7])
def test_what_is_no_proposal_is_reported(file: CampaignFile, said: Any):
    found, dropped = collected([Says("odd", said, DROPOUT)], history(file), 4)
    assert len(found) == 1
    assert dropped[0].why.endswith("is no Proposal")


@pytest.mark.parametrize(
    "mutation", [{"model": 3}, {"components": "net"}, {"features": 5}, {"ensemble": {"members": "many"}}, {3: 4}]
)
def test_an_edit_of_no_form_at_all_is_reported_and_ends_nothing(file: CampaignFile, mutation: Any):
    found, dropped = collected([Says("odd", Proposal("net", mutation), DROPOUT)], history(file), 4)
    assert len(found) == len(dropped) == 1


def test_ctrl_c_is_no_fault_of_a_proposer(file: CampaignFile):
    with pytest.raises(KeyboardInterrupt):
        collected([Raises(KeyboardInterrupt())], history(file), 4)


def test_names_are_numbers_that_grow_with_the_tree_and_what_changed(file: CampaignFile):
    said = [DROPOUT, Proposal("net", {"features": {"add": ["x"]}}), Proposal("line", {"model": {"alpha": 9.0}}, "mine")]
    found, _ = collected([Says("me", *said)], history(file), 4)
    assert [c.proposal.name for c in numbered(found, history(file))] == ["4 dropout 0.4", "5 +x", "mine"]
    assert [c.experiment.name for c in numbered(found, history(file))] == ["4 dropout 0.4", "5 +x", "mine"]


def test_the_contract_is_a_name_and_a_method():
    assert isinstance(Says("somebody"), Proposer)
    assert not isinstance("somebody", Proposer)


def test_a_name_says_the_model_and_not_the_module_that_it_stands_in(file: CampaignFile):
    experiments = grown(file, {"name": "apart", "parent": "line", "model": {"kind": "sklearn.linear_model:Lasso"}})
    known = history(file, experiments=experiments)
    said = Proposal("apart", {"components": ["apart", "net"]}, reason="they err differently")
    (candidate,) = numbered([checked(said, known)], known)
    assert candidate.experiment.name == "5 blend of Lasso and mlp"
