"""The tree of experiments is grown from a campaign file's entries, each from its parent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.campaigns.experiment import Change, Experiment, Mutation
from probatum.campaigns.experiment_tables import grow
from probatum.campaigns.recipe import Recipe
from probatum.errors import CampaignFileError, ProbatumError, UnknownNameError
from problems.fakes import Rows

BASE = {"name": "base", "features": ["x"], "model": {"kind": "ridge", "alpha": 2.0}}


def tree(*entries: dict[str, Any]) -> dict[str, Experiment]:
    places = [f"file:{i}" for i in range(len(entries))]
    return {e.name: e for e in grow(entries, Rows(), places)}


def child(**changes: Any) -> Experiment:
    return tree(BASE, {"name": "child", "parent": "base", **changes})["child"]


def refused(*entries: Any) -> ProbatumError:
    with pytest.raises((CampaignFileError, UnknownNameError)) as raised:
        tree(*entries)
    assert "\n" not in str(raised.value)
    return raised.value


def test_a_root_has_no_mutation():
    root = tree(BASE)["base"]
    assert root.parent is None
    assert root.mutation is None
    assert root.recipe == Recipe(features=("x",), model={"kind": "ridge", "alpha": 2.0})


def test_a_child_inherits_what_it_does_not_say():
    assert child(hypothesis="no change").recipe == tree(BASE)["base"].recipe
    assert str(child().mutation) == "nothing"


def test_a_key_of_the_model_changes_alone():
    changed = child(model={"interactions": True})
    assert changed.recipe.model == {"kind": "ridge", "alpha": 2.0, "interactions": True}
    assert changed.mutation == Mutation((Change("model.interactions", None, True),))


def test_mutations_are_dotted_paths_with_both_values():
    mutation = child(model={"alpha": 3.0}, ensemble={"members": 4}, features=["red"]).mutation
    assert mutation is not None
    assert mutation.changes == (
        Change("ensemble.members", 1, 4),
        Change("features", ["x"], ["red"]),
        Change("model.alpha", 2.0, 3.0),
    )
    assert str(mutation) == "ensemble.members: 1 -> 4; features: +red -x; model.alpha: 2.0 -> 3.0"


def test_features_are_added_and_removed():
    assert child(features={"add": ["red"]}).recipe.features == ("x", "red")
    assert child(features={"add": ["red"], "remove": ["x"]}).recipe.features == ("red",)
    assert child(features={"add": ["x"]}).recipe.features == ("x",)
    assert str(child(features={"add": ["red"]}).mutation) == "features: +red"


def test_one_feature_is_added_without_a_list():
    assert child(features={"add": "red", "remove": "x"}).recipe.features == ("red",)


def test_features_are_added_to_the_defaults_of_a_parent_that_names_none():
    grown = tree({"name": "a", "model": "ridge"}, {"name": "b", "parent": "a", "features": {"add": ["red"]}})
    assert grown["a"].recipe.features == ("x",)
    assert grown["b"].recipe.features == ("x", "red")


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"remove": ["red"]}, "unknown feature to remove 'red'"),
        ({"add": ["rad"]}, "did you mean 'red'?"),
        ({"plus": ["red"]}, "unknown key of features 'plus'"),
    ],
)
def test_features_that_cannot_be_changed_so_are_refused(features: Any, says: str):
    assert says in str(refused(BASE, {"name": "child", "parent": "base", "features": features}))


def test_features_cannot_be_added_to_nothing():
    assert "without a parent" in str(refused({"name": "a", "model": "ridge", "features": {"add": ["red"]}}))


def test_another_kind_of_model_replaces_model_and_training_whole():
    forest = {"name": "forest", "features": ["red"], "model": {"kind": "random_forest"}, "per_target": True}
    forest |= {"training": {"n_estimators": 7}, "ensemble": {"members": 2}}
    changed = tree(forest, {"name": "child", "parent": "forest", "model": {"kind": "mean"}})["child"].recipe
    assert changed == Recipe(features=("red",), model={"kind": "mean"}, per_target=True)


def test_naming_the_same_kind_again_keeps_the_rest():
    assert child(model={"kind": "ridge", "interactions": True}).recipe.model["alpha"] == 2.0


@pytest.mark.parametrize("model", ["mean", {"kind": "mean"}])
def test_a_model_may_be_named_without_a_table(model: Any):
    assert child(model=model).recipe.model == {"kind": "mean"}


def test_components_are_not_parents():
    grown = tree(BASE, {"name": "mean", "model": "mean"}, {"name": "both", "components": ["mean", "base"]})
    assert grown["both"].parent is None
    assert grown["both"].recipe.components == (grown["mean"].recipe, grown["base"].recipe)
    assert grown["both"].recipe.kind == "blend"


def test_a_blend_is_the_same_whoever_its_parent_is():
    """What the parent trained with says nothing about a blend, and must not make its fits others."""
    blend = {"model": {"kind": "blend", "weights": "equal"}, "components": ["base", "mean"]}
    grown = tree(
        BASE | {"per_target": True},
        {"name": "mean", "model": "mean"},
        {"name": "root", **blend},
        {"name": "child", "parent": "base", **blend},
    )
    assert grown["root"].recipe == grown["child"].recipe


def test_a_child_of_a_blend_may_change_the_weights_alone():
    grown = tree(
        BASE,
        {"name": "mean", "model": "mean"},
        {"name": "equal", "components": ["base", "mean"]},
        {"name": "inner", "parent": "equal", "model": {"weights": "inner"}},
    )
    assert grown["inner"].recipe.components == grown["equal"].recipe.components
    assert str(grown["inner"].mutation) == "model.weights: none -> inner"


def test_a_child_of_a_blend_with_another_model_has_no_components():
    blend = {"name": "blend", "components": ["base", "mean"]}
    grown = tree(BASE, {"name": "mean", "model": "mean"}, blend, {"name": "c", "parent": "blend", "model": "mean"})
    assert grown["c"].recipe == Recipe(features=("x",), model={"kind": "mean"})


@given(st.permutations(range(4)))
def test_entries_may_stand_in_any_order_and_keep_it(order: list[int]):
    entries = [
        BASE,
        {"name": "b", "parent": "base", "model": {"alpha": 1.0}},
        {"name": "c", "parent": "b", "features": {"add": ["red"]}},
        {"name": "d", "components": ["c", "base"]},
    ]
    grown = tree(*(entries[i] for i in order))
    assert list(grown) == [entries[i]["name"] for i in order]
    assert grown["c"].recipe == Recipe(features=("x", "red"), model={"kind": "ridge", "alpha": 1.0})
    assert grown["d"].recipe.components[0] == grown["c"].recipe


def test_nobody_descends_from_itself():
    a, b = {"name": "a", "parent": "b"}, {"name": "b", "parent": "a", "model": "mean"}
    said = str(refused(a, b))
    assert "descend from themselves" in said
    assert "a -> b -> a" in said or "b -> a -> b" in said


def test_no_blend_is_a_component_of_itself():
    assert "descend from themselves" in str(refused(BASE, {"name": "loop", "components": ["base", "loop"]}))


def test_no_name_stands_twice():
    error = refused(BASE, BASE)
    assert error.where == "file:1"
    assert "'base' stands here twice" in str(error)
    assert "file:0" in str(error)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"name": "c", "parent": "bose"}, "did you mean 'base'?"),
        ({"name": "c", "components": ["base", "bose"]}, "unknown component of 'c': 'bose'"),
        ({"name": "c", "components": "base"}, "list of experiment names"),
        ({"name": "c", "parent": "c"}, "descend from themselves"),
        ({"name": "c"}, "no model"),
        ({"name": "c", "model": {"alpha": 1.0}}, "no model"),
        ({"name": "c", "model": {"kind": 5}}, "no model"),
        ({"name": "c", "model": 5}, "model = 5"),
        ({"model": "ridge"}, "without a name"),
        ({"name": "  ", "model": "ridge"}, "without a name"),
        ({"name": "trivial: mine", "model": "ridge"}, "reserved"),
        ({"name": "held out: mine", "model": "ridge"}, "reserved"),
        ({"name": "fresh seeds: mine", "model": "ridge"}, "reserved"),
        ({"name": "c", "modell": "ridge", "model": "ridge"}, "did you mean 'model'?"),
        ({"name": "c", "parent": "base", "per_target": "perhaps"}, "per_target = 'perhaps'"),
        ({"name": "c", "parent": "base", "ensemble": {"members": 0}}, "ensemble.members = 0"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_where_it_stands(entry: dict[str, Any], says: str):
    error = refused(BASE, entry)
    assert error.where == "file:1"
    assert says in str(error)


def test_no_experiment_of_the_user_is_trivial():
    assert not tree(BASE)["base"].trivial
