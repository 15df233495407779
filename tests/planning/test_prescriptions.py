"""Every finding and every pattern has its prescription, and what the campaign has seen changes how soon it is tried."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from planning.small_history import campaign_file, grown, history
from probatum.audit.catalogue import CHECKS
from probatum.audit.finding import Finding
from probatum.campaigns.campaign_file import CampaignFile
from probatum.errors import CampaignFileError
from probatum.evidence.effects import Effect, Pair
from probatum.learning.learner import LearnerKind
from probatum.planning import prescriptions as table
from probatum.planning.candidates import checked
from probatum.planning.edits import edits
from probatum.planning.families import part
from probatum.planning.matrix import Matrix, patterns
from probatum.planning.prescriptions import (
    PATTERNS,
    Prescriber,
    causes,
    for_a_person,
    learned,
    prescribed,
    prescriptions,
)
from probatum.planning.proposal import Expected, History, Proposal
from probatum.planning.standing import Standing


class Rates(RegressorMixin, BaseEstimator):
    """A learner with a part that a penalty may keep dead, as a learner of the user's own may have."""

    def __init__(self, node_l1: float = 1.0, zero_start: bool = True, rate_k: float = 0.005, random_state: int = 0):
        self.node_l1, self.zero_start, self.rate_k, self.random_state = node_l1, zero_start, rate_k, random_state


class Apart(Rates):
    """A learner that takes one feature and no other."""

    own_features = ("x",)


def found_against(seen: History, name: str = "net") -> list[Proposal]:
    return [p for p in prescribed(seen, seen.by_name[name]) if p.reason != p.hypothesis]


def edits_of(proposals: list[Proposal]) -> list[Mapping[str, Any]]:
    return [p.mutation for p in proposals]


def test_a_switch_takes_no_word_and_a_number_is_no_switch(file: CampaignFile):
    net, known = file.experiments[0], history(file)
    assert edits({"parameter": "dropout", "set": False, "section": "model"}, net, known) == []
    assert edits({"parameter": "dropout", "set": 0.5, "section": "model"}, net, known) == [{"model": {"dropout": 0.5}}]


def test_every_check_of_the_audit_has_a_prescription_or_is_said_to_need_a_person():
    answered = {p.cause for p in prescriptions()}
    person = set(table._read(Path(table.__file__).with_name("prescriptions.toml"))["person"])
    assert set(CHECKS) <= answered | person
    assert not answered & person
    assert set(PATTERNS) <= answered


def test_every_line_of_the_table_is_read_by_its_edit(file: CampaignFile):
    for line in prescriptions():
        edits(line.edit, file.experiments[0], history(file))  # an unknown one raises
        assert line.reason
        assert line.priority in ("HIGH", "MEDIUM", "LOW")
    with pytest.raises(ValueError, match="says none of"):
        edits({"pray": True}, file.experiments[0], history(file))


def test_an_over_fitted_network_is_made_smaller_decayed_more_dropped_out_and_averaged(file: CampaignFile):
    finding = Finding("PB203", "warning", "net", "the validation loss rises by 40 % after epoch 12")
    said = found_against(history(file, findings=(finding,)))
    assert {"model": {"hidden": [16, 8]}} in edits_of(said)
    assert {"training": {"weight_decay": 1e-3}} in edits_of(said)
    assert {"model": {"dropout": 0.3}} in edits_of(said)
    assert {"ensemble": {"members": 5}} in edits_of(said)
    assert said[0].priority == "HIGH"
    assert "rises by 40 % after epoch 12" in said[0].reason
    assert found_against(history(file, findings=(finding,)), "trees") == []


def test_a_training_that_stopped_too_early_goes_on_for_longer(file: CampaignFile):
    finding = Finding("PB204", "warning", "net", "best epoch last")
    assert {"training": {"epochs": 200}} in edits_of(found_against(history(file, findings=(finding,))))


def test_a_dead_part_gets_a_weaker_penalty_and_another_start(tmp_path: Path):
    text = """
problem = { kind = "table", path = "rows.csv", target = ["y", "z"], group = "batch" }
[[experiment]]
name = "net"
model.kind = "planning.test_prescriptions:Rates"
"""
    finding = Finding("PB202", "warning", "net", "layer node has no gradient in 4 of 4 fits")
    said = found_against(history(campaign_file(tmp_path, text), {"net": 1.0}, findings=(finding,)))
    assert {"model": {"node_l1": 0.1}} in edits_of(said)
    assert {"model": {"zero_start": False}} in edits_of(said)
    assert {p.priority for p in said} == {"HIGH"}


APART = "planning.test_prescriptions:Apart"


def test_a_kind_of_model_brings_the_features_that_it_alone_takes_and_that_is_one_change(file: CampaignFile):
    net, known = file.experiments[0], history(file)
    (edit,) = edits({"model": [APART]}, net, known)
    assert edit == {"model": {"kind": APART}, "features": ["x"]}
    candidate = checked(Proposal("net", edit, reason="its own columns"), known)
    assert candidate.family == f"model.kind -> {APART}"
    with pytest.raises(CampaignFileError, match="2 changes at once"):
        checked(Proposal("net", {"model": {"kind": APART}, "features": ["w"]}, reason="another's"), known)
    with pytest.raises(CampaignFileError, match="2 changes at once"):
        checked(Proposal("net", {"model": {"kind": "ridge"}, "features": ["x"]}, reason="two steps"), known)


def test_such_a_model_keeps_its_features_and_one_that_follows_gets_the_problems(file: CampaignFile):
    experiments = grown(file, {"name": "apart", "parent": "net", "model": {"kind": APART}, "features": ["x"]})
    known = history(file, experiments=experiments)
    apart = known.by_name["apart"]
    assert edits({"features": "add"}, apart, known) == []
    (back,) = edits({"model": ["extra_trees"]}, apart, known)
    assert back == {"model": {"kind": "extra_trees"}, "features": ["numbers"]}
    assert checked(Proposal("apart", back, reason="any columns"), known).family == "model.kind -> extra_trees"


def test_a_model_that_is_not_installed_is_proposed_by_nobody(file: CampaignFile):
    known = history(file)
    (edit,) = edits({"model": ["nowhere:Model"]}, file.experiments[0], known)
    with pytest.raises(CampaignFileError, match="nowhere"):
        checked(Proposal("net", edit, reason="missing"), known)


def test_a_campaign_whose_every_run_diverged_still_has_something_to_try(file: CampaignFile):
    findings = tuple(Finding("PB201", "error", name, "test R2 -766043") for name in ("net", "trees", "line"))
    said = Prescriber().propose(history(file, findings=findings), 4)
    assert {"training": {"rate": 3e-4}} in edits_of(list(said))
    assert said[0].priority == "HIGH"


def test_of_equal_urgency_different_parts_of_the_recipe_take_turns(file: CampaignFile):
    said = [p for p in prescribed(history(file), file.experiments[0]) if p.priority == "MEDIUM"]
    features = ["features" in p.mutation for p in said]
    assert features.count(True) >= 2
    assert features != sorted(features, reverse=True)


def test_an_ignored_finding_calls_for_nothing(file: CampaignFile):
    finding = Finding("PB203", "warning", "net", "rises", ignored="known")
    assert found_against(history(file, findings=(finding,))) == []


def test_one_bad_target_gets_more_weight_in_the_loss(file: CampaignFile):
    values = np.array([[0.1, 0.9], [0.1, 1.1], [0.2, 1.0], [0.1, 1.0]])
    matrix = Matrix(tuple(("table", f"b{i}") for i in range(4)), {"table": "batch"}, ("y", "z"), values)
    said = found_against(history(file, matrices={"net": matrix}))
    assert said[0].mutation == {"training": {"target_weights": [1.0, 2.0]}}
    assert "z scores 1, 8 times the mean of the others" in said[0].reason


def test_bad_groups_get_features_and_weights_of_their_own(file: CampaignFile):
    values = np.full((8, 2), 0.1) + np.linspace(0, 0.02, 8)[:, None]
    values[5] = 2.0
    matrix = Matrix(tuple(("table", f"b{i}") for i in range(8)), {"table": "batch"}, ("y", "z"), values)
    said = found_against(history(file, matrices={"net": matrix}))
    assert {"features": {"add": ["x"]}} in edits_of(said)
    assert {"group_weights": {"batch": {"b5": 2.0}}} in edits_of(said)
    assert [p.kind for p in patterns(matrix, "lower")] == ["bad groups"]
    assert patterns(matrix, "higher") == []


def test_no_weights_of_groups_for_a_model_that_takes_none(file: CampaignFile, monkeypatch: pytest.MonkeyPatch):
    """Every fit of such a proposal would fail."""
    monkeypatch.setattr(LearnerKind, "weighs_rows", False)
    values = np.full((8, 2), 0.1) + np.linspace(0, 0.02, 8)[:, None]
    values[5] = 2.0
    matrix = Matrix(tuple(("table", f"b{i}") for i in range(8)), {"table": "batch"}, ("y", "z"), values)
    edits = edits_of(found_against(history(file, matrices={"net": matrix})))
    assert {"features": {"add": ["x"]}} in edits
    assert not any("group_weights" in edit for edit in edits)


def test_an_even_matrix_shows_nothing():
    values = np.random.default_rng(0).normal(1, 0.05, (20, 2))
    matrix = Matrix(tuple(("t", str(i)) for i in range(20)), {"t": "g"}, ("y", "z"), values)
    assert [p.kind for p in patterns(matrix, "lower")] == ["all groups alike"]


def test_scores_that_vary_more_with_the_seed_than_over_folds_are_averaged(file: CampaignFile):
    standing = {"net": Standing("net", 1.0, 0.01, 1.0, 0.01, seed_spread=0.05)}
    seen = history(file, {"net": 1.0}, standings=standing)
    assert [c.name for c in causes(seen, seen.by_name["net"])] == ["high seed variance", "always"]
    assert {"ensemble": {"members": 5}} in edits_of(found_against(seen))


def test_without_evidence_the_table_tells_the_priority():
    assert learned("MEDIUM", None, 1) == "MEDIUM"


@pytest.mark.parametrize(
    ("mean", "half", "sign", "priority"),
    [(-0.1, 0.05, 1, "HIGH"), (0.1, 0.05, 1, "LOW"), (-0.1, 2.0, 1, "MEDIUM"), (-0.1, 0.05, -1, "LOW")],
)
def test_what_helped_elsewhere_goes_first_and_what_harmed_goes_last(mean: float, half: float, sign: int, priority: str):
    assert learned("MEDIUM", Expected(mean, (mean - half, mean + half), 3), sign) == priority


def test_the_ledgers_evidence_stands_in_the_proposal(file: CampaignFile):
    effects = (
        Effect("features +x", (Pair("a", "b", -0.5, 0.1),), "worked", -0.5, 0.05),
        Effect("ensemble.members up", (Pair("a", "c", 0.4, 0.1),), "failed", 0.4, 0.05),
    )
    seen = history(file, effects=effects)
    said = {str(p.mutation): p for p in prescribed(seen, seen.by_name["net"])}
    acs, members = said["{'features': {'add': ['x']}}"], said["{'ensemble': {'members': 5}}"]
    assert (acs.priority, members.priority) == ("HIGH", "LOW")
    assert acs.expected is not None
    assert -0.5 < acs.expected.mean < 0  # drawn back to what mutations do in general
    assert acs.expected.pairs == 1


def test_whatever_is_prescribed_can_be_tried_and_no_recipe_comes_twice(file: CampaignFile):
    from probatum.planning.candidates import collected

    findings = tuple(Finding(code, "warning", "net", "found") for code in CHECKS)
    found, dropped = collected([Prescriber()], history(file, findings=findings), 50)
    assert dropped == []
    assert len({c.experiment.recipe.digest() for c in found}) == len(found) > 20


def test_a_blend_is_offered_with_the_best_of_another_kind_and_then_a_better_component(file: CampaignFile):
    experiments = grown(
        file,
        {"name": "both", "parent": "net", "components": ["net", "line"]},
        {"name": "stiff", "parent": "line", "model": {"alpha": 9.0}},
    )
    seen = history(file, {"net": 1.0, "trees": 3.0, "line": 2.0, "both": 0.9, "stiff": 1.5}, experiments)
    of_net = edits_of(prescribed(seen, seen.by_name["net"]))
    assert {"components": ["net", "stiff"]} in of_net
    assert {"components": ["net", "line"]} not in of_net
    of_both = edits_of(prescribed(seen, seen.by_name["both"]))
    assert {"components": ["net", "stiff"]} in of_both or {"components": ["net", "stiff"]} in of_net
    assert {"components": ["net", "line", "trees"]} in of_both


def test_findings_that_no_recipe_cures_are_handed_to_a_person(file: CampaignFile):
    findings = (
        Finding("PB101", "error", "table / fold 1", "3 rows on both sides"),
        Finding("PB101", "error", "table / fold 2", "3 rows on both sides"),
        Finding("PB203", "warning", "net", "rises"),
        Finding("PB502", "note", None, "best of 3"),
    )
    assert [code for code, _ in for_a_person(history(file, findings=findings))] == ["PB101"]


def test_a_problem_may_bring_lines_of_its_own(file: CampaignFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    own = '[[prescription]]\nfor = "PB203"\nedit = { parameter = "rate", multiply = 0.5 }\nreason = "here it helps"\n'
    (tmp_path / "prescriptions.toml").write_text(own, encoding="utf-8")
    monkeypatch.setattr(table, "_source", lambda _: tmp_path / "problem.py")
    table._read.cache_clear()
    assert prescriptions(file.problem)[0].reason == "here it helps"
    (tmp_path / "prescriptions.toml").write_text(own.replace("PB203", "PB999"), encoding="utf-8")
    table._read.cache_clear()
    with pytest.raises(CampaignFileError, match="for = 'PB999' is no finding or pattern"):
        prescriptions(file.problem)
    table._read.cache_clear()


def test_however_few_are_asked_for_every_part_of_the_recipe_has_one(file: CampaignFile):
    known = history(file, {"net": 1.0})
    every = {part(checked(p, known).family) for p in prescribed(known, known.by_name["net"])}
    asked = Prescriber(parents=1).propose(known, 1)
    assert {part(checked(p, known).family) for p in asked} == every
    assert len(asked) == len(every) > 2


def test_columns_that_a_model_has_are_not_offered_to_it_once_more(file: CampaignFile):
    everything = {"name": "everything", "parent": "net", "features": {"add": ["numbers"]}}
    known = history(file, experiments=grown(file, everything))
    assert edits({"features": "add"}, known.by_name["everything"], known) == []
    offered = edits({"features": "add"}, known.by_name["net"], known)
    assert {"features": {"add": ["numbers"]}} in offered


def test_kinds_of_models_that_the_tree_has_are_not_offered_again(file: CampaignFile):
    known = history(file)
    assert edits({"model": ["lightgbm", "ridge"]}, file.experiments[0], known) == []
    assert edits({"model": ["lightgbm", "extra_trees"]}, file.experiments[0], known) == [
        {"model": {"kind": "extra_trees"}}
    ]
