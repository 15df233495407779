"""An experiment is its parent and a mutation; some stand in every campaign."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.campaigns.experiment import Change, Mutation, trivial_experiments
from probatum.campaigns.recipe import Recipe
from problems.fakes import Rows


def test_names_added_to_lists_of_any_content_are_the_same_change():
    one = Mutation((Change("features", ["a"], ["a", "b"]),))
    other = Mutation((Change("features", ["c", "d"], ["c", "d", "b"]),))
    assert one.key == other.key != one.inverse.key
    assert str(one.inverse) == "features: -b"
    assert one.inverse.inverse == one
    assert Mutation((Change("features", ["a"], ["b", "a"]),)).key == one.key


@given(before=st.none() | st.integers() | st.text(), after=st.none() | st.integers() | st.text())
def test_mutations_with_other_values_are_others(before: Any, after: Any):
    mutation = Mutation((Change("model.x", before, after),))
    assert (mutation.key == mutation.inverse.key) == (before == after)
    assert mutation.key != Mutation((Change("model.y", before, after),)).key


def test_a_change_of_numbers_in_a_list_is_no_change_of_names():
    assert Change("model.hidden", [64], [64, 32]).of_names is None
    assert Change("features", ["a"], ["a"]).of_names is None


def test_what_was_not_set_is_told_from_what_is_set_to_none():
    assert str(Change("model.norm", None, "none")) == "model.norm: none -> 'none'"
    assert str(Change("model.norm", "none", "layer")) == "model.norm: 'none' -> layer"


def test_a_change_within_a_blend_names_the_component_by_its_place():
    trees = Recipe(features=("x",), model={"kind": "lightgbm"})
    short, longer = (Recipe(features=("x",), model={"kind": "mlp"}, training={"epochs": n}) for n in (200, 400))
    blend = Recipe(components=(trees, short))
    for other, said in (
        (Recipe(components=(trees, longer)), "components: 2. training.epochs: 200 -> 400"),
        (Recipe(components=(trees, short, longer)), "components: lightgbm, mlp -> lightgbm, mlp, mlp"),
    ):
        assert str(Mutation.between(blend, other)) == said
    assert str(Mutation.between(short, blend)) == "components: none -> lightgbm, mlp"
    assert str(Mutation.between(blend, short)).startswith("components: lightgbm, mlp -> none; features: +x; ")


def test_the_mean_is_a_baseline_of_every_campaign():
    (mean,) = trivial_experiments(Rows())
    assert mean.name == "trivial: mean"
    assert mean.trivial
    assert mean.recipe.kind == "mean"


def test_the_inputs_without_the_interesting_ones_are_a_baseline_where_there_are_such(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Rows, "plain_features", ("red",))
    _, plain = trivial_experiments(Rows())
    assert plain.name == "trivial: red"
    assert plain.recipe.features == ("red",)
