"""A recipe says everything that is trained, and refuses what it cannot mean."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from probatum.campaigns.recipe import Ensemble, Recipe, fill_features, flat
from probatum.errors import CampaignFileError, UnknownNameError
from problems.fakes import Rows

RIDGE = {"kind": "ridge"}
MEAN = {"kind": "mean"}


PARTIAL = "sklearn.cross_decomposition:PLSRegression"
KINETIC = "probatum.problems.catechol.learners:KineticRegressor"


def blend(**model: Any) -> Recipe:
    return Recipe(model={"kind": "blend", **model}, components=(Recipe(model=RIDGE), Recipe(model=MEAN)))


def refused(recipe: Recipe) -> str:
    with pytest.raises((CampaignFileError, UnknownNameError)) as raised:
        recipe.check(Rows(), where="here")
    assert str(raised.value).startswith("here: ")
    assert "\n" not in str(raised.value)
    return str(raised.value)


values = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
models = st.dictionaries(st.text(min_size=1, max_size=6).filter(lambda k: k != "kind"), values, max_size=4)


@given(models, st.randoms(use_true_random=False))
def test_the_order_in_which_keys_are_written_does_not_change_the_digest(model: dict[str, Any], random: Any):
    shuffled = list(model.items())
    random.shuffle(shuffled)
    assert Recipe(model={**RIDGE, **model}).digest() == Recipe(model={**dict(shuffled), **RIDGE}).digest()


@given(models)
def test_a_recipe_survives_being_written_down(model: dict[str, Any]):
    recipe = Recipe(features=("x",), model={**RIDGE, **model}, per_target=True)
    again = Recipe.model_validate(json.loads(json.dumps(recipe.canonical())))
    assert again == recipe
    assert again.digest() == recipe.digest()


@pytest.mark.parametrize(
    "other",
    [
        {"features": ("x", "red")},
        {"model": {"kind": "ridge", "alpha": 2.0}},
        {"model": MEAN},
        {"training": {"epochs": 3}},
        {"per_target": True},
        {"ensemble": {"members": 2}},
        {"ensemble": {"combine": "logit_mean"}},
        {"ensemble": {"subspace": 0.5}},
        {"ensemble": {"subspace": 0.5, "always": ["x"]}},
        {"repeats": "as one"},
    ],
)
def test_whatever_a_recipe_says_is_in_its_digest(other: dict[str, Any]):
    recipe = {"features": ("x",), "model": RIDGE}
    assert Recipe.model_validate(recipe | other).digest() != Recipe.model_validate(recipe).digest()


def test_a_recipe_without_later_options_keeps_the_digest_that_it_always_had():
    recipe = Recipe(features=("x",), model=RIDGE, ensemble=Ensemble(members=3))
    assert recipe.canonical()["ensemble"] == {"members": 3}
    assert "repeats" not in recipe.canonical()
    assert blend().canonical()["components"][0]["ensemble"] == {"members": 1}
    assert Recipe.model_validate(recipe.canonical()) == recipe


def test_how_members_are_combined_survives_being_written_down():
    ensemble = Ensemble(members=3, combine="logit_mean", subspace=0.4, always=("red",))
    recipe = Recipe(features=("x", "red"), model=RIDGE, ensemble=ensemble, repeats="as one")
    assert Recipe.model_validate(recipe.canonical()) == recipe


def test_a_component_is_in_the_digest_of_its_blend():
    other = Recipe(
        model={"kind": "blend"}, components=(Recipe(model={"kind": "ridge", "alpha": 3.0}), Recipe(model=MEAN))
    )
    assert other.digest() != blend().digest()


def test_unknown_keys_are_errors():
    with pytest.raises(ValidationError, match="modell"):
        Recipe.model_validate({"modell": RIDGE})


def test_a_recipe_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Recipe().per_target = True  # type: ignore[misc]


def test_one_feature_may_be_written_without_a_list():
    assert Recipe.model_validate({"features": "x"}).features == ("x",)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"features": ["y"]}, "unknown feature 'y'"),
        ({"features": ["redd"]}, "did you mean 'red'?"),
        ({"model": {"kind": "rigde"}}, "did you mean 'ridge'?"),
        ({"model": {"kind": "ridge", "alhpa": 1}}, "did you mean 'alpha'?"),
        ({"training": {"epochs": 5}}, "unknown key 'epochs' of model 'ridge'"),
        ({"model": {"kind": "ridge", "alpha": 1}, "training": {"alpha": 2}}, "'alpha' stands under model and training"),
        ({"components": [{}, {}]}, "set model.kind = 'blend'"),
        ({"ensemble": {"always": ["x"]}, "features": ["x"]}, "set ensemble.subspace"),
        ({"ensemble": {"subspace": 0.5, "always": ["rde"]}, "features": ["x", "red"]}, "did you mean 'red'?"),
        ({"ensemble": {"subspace": 0.5, "always": ["x"]}, "features": ["x"]}, "no column is left"),
        ({"model": {"kind": KINETIC}, "ensemble": {"subspace": 0.5}, "features": ["x"]}, "cannot be given a subspace"),
        ({"model": {"kind": PARTIAL}, "repeats": "as one"}, "takes no weights of rows"),
        ({"model": {"kind": KINETIC}, "group_weights": {"batch": {"a": 2.0}}}, "takes no weights of rows"),
        ({"model": {"kind": "no_such_module_anywhere:Model"}}, "cannot be imported"),
        ({"model": {"kind": "sklearn.linear_model:Rigde"}}, "cannot be imported"),
    ],
)
def test_what_nobody_knows_is_refused(recipe: dict[str, Any], says: str):
    assert says in refused(Recipe.model_validate(recipe))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class Model(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("class Model:\n    def __init__(self, depth): pass", "cannot be built: .*depth"),
    ],
)
def test_an_estimator_of_the_user_that_cannot_be_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, says: str
):
    name = f"unmakeable_{len(source)}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert re.search(says, refused(Recipe(model={"kind": f"{name}:Model"})))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({"weights": [1.0]}, "one number a component"),
        ({"weights": [1, 1, 1]}, "one number a component"),
        ({"weights": "even"}, "'equal', 'inner' or 'stack'"),
        ({"weights": "stack", "inner_folds": 1}, "inner_folds must be at least 2"),
        ({"weights": "stack", "alpha": -1}, "at least 0"),
        ({"weights": "inner", "alpha": 1}, "alpha without a stack"),
        ({"weights": [1.0, -0.1]}, "numbers >= 0"),
        ({"weights": [0.0, 0.0]}, "positive sum"),
        ({"weights": [True, 1.0]}, "numbers >= 0"),
        ({"weights": ["1", "2"]}, "numbers >= 0"),
        ({"weights": "inner", "inner_folds": 1}, "inner_folds must be at least 2"),
        ({"spread": []}, "numbers of components, 0 to 1"),
        ({"spread": [2]}, "numbers of components, 0 to 1"),
        ({"spread": 0}, "numbers of components, 0 to 1"),
        ({"wieghts": [1, 2]}, "did you mean 'weights'?"),
    ],
)
def test_weights_that_cannot_be_are_refused(model: dict[str, Any], says: str):
    assert says in refused(blend(**model))


@pytest.mark.parametrize("weights", ["equal", "inner", [1, 0], [0.25, 0.75], [3, 4]])
def test_weights_that_can_be_are_not_refused(weights: Any):
    recipe = blend(weights=weights)
    recipe.check(Rows(), where="here")
    assert recipe.chooses_inside == (weights == "inner")


@pytest.mark.parametrize(
    "own",
    [
        {"training": {"epochs": 5}},
        {"ensemble": {"members": 2}},
        {"ensemble": {"subspace": 0.5}},
        {"features": ("x",)},
        {"per_target": True},
        {"repeats": "as one"},
    ],
)
def test_a_blend_trains_nothing_itself(own: dict[str, Any]):
    assert "trains nothing itself" in refused(Recipe.model_validate(blend().model_dump() | own))


def test_a_blend_may_weigh_each_quantity_by_itself_where_weights_are_chosen_inside():
    Recipe.model_validate(blend(weights="inner").model_dump() | {"per_target": True}).check(Rows(), where="here")
    stacked = Recipe.model_validate(blend(weights="stack").model_dump() | {"per_target": True})
    assert "trains nothing itself" in refused(stacked), "a stack has coefficients for each quantity anyway"


def test_a_blend_needs_two_components():
    assert "at least two" in refused(Recipe(model={"kind": "blend"}, components=(Recipe(),)))


def test_a_mistake_in_a_component_is_found():
    broken = Recipe(model={"kind": "ridge", "alhpa": 1})
    assert "alhpa" in refused(Recipe(model={"kind": "blend"}, components=(Recipe(), broken)))


def test_the_seed_changes_nothing_in_ridge_and_in_blends_of_it_but_in_trees():
    trees = Recipe(model={"kind": "extra_trees"})
    assert Recipe(model=RIDGE).deterministic
    assert blend().deterministic
    assert not trees.deterministic
    assert not Recipe(model=RIDGE, ensemble=Ensemble(subspace=0.5)).deterministic, "which columns are seen"
    assert not Recipe(model={"kind": "blend"}, components=(Recipe(), trees)).deterministic


def test_only_inner_weights_and_stacks_are_chosen_inside():
    assert blend(weights="inner").chooses_inside
    assert blend(weights="stack").chooses_inside
    assert not blend(weights=[1, 2]).chooses_inside
    assert not blend().chooses_inside
    assert not Recipe().chooses_inside


def test_default_features_reach_every_component_that_names_none():
    named = Recipe(features=("red",))
    nested = Recipe(model={"kind": "blend"}, components=(blend(), named))
    filled = fill_features(nested, Rows())
    assert [c.features for c in filled.components[0].components] == [("x",), ("x",)]
    assert filled.components[1] == named
    assert filled.features == ()


def test_flat_recipes_are_dotted_paths():
    assert flat({"model": {"kind": "mlp", "hidden": [3, 2]}, "per_target": False}) == {
        "model.kind": "mlp",
        "model.hidden": [3, 2],
        "per_target": False,
    }


def test_weights_of_groups_change_the_digest_and_none_leave_it_as_it_was():
    plain = Recipe(model=RIDGE)
    weighted = Recipe(model=RIDGE, group_weights={"red": {"a": 2.0}})
    assert "group_weights" not in plain.canonical()
    assert weighted.digest() != plain.digest()
    assert Recipe.model_validate(weighted.canonical()) == weighted


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_of_groups_are_numbers_of_at_least_0(weight: float):
    assert "group_weights.red.a" in refused(Recipe(features=("x",), group_weights={"red": {"a": weight}}))


def test_a_blend_weighs_no_rows():
    parts = (Recipe(model=RIDGE), Recipe(model=MEAN))
    recipe = Recipe(model={"kind": "blend"}, components=parts, group_weights={"red": {"a": 2.0}})
    assert "a blend trains nothing itself" in refused(recipe)
