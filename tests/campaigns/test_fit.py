"""A fit's key is made of everything that can change its result, and of nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.campaigns import fit as fit_module
from probatum.campaigns.experiment_tables import grow
from probatum.campaigns.fit import Fit, code_versions
from probatum.campaigns.protocol import Protocol
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import Split, inner_splits, make_splits
from probatum.problems.problem import Feature, Problem
from problems.fakes import Rows

RIDGE = Recipe(features=("x",), model={"kind": "ridge"})
PROTOCOL = Protocol(splits="repeated-k-fold", folds=2, repeats=2)


def fit(
    recipe: Recipe = RIDGE, problem: Problem | None = None, split: int = 0, seed: int = 0, inner: tuple[Split, ...] = ()
) -> Fit:
    problem = problem or Rows()
    chosen = make_splits(replace(problem.dataset("rows"), groups={}), PROTOCOL)[split]
    return Fit(recipe, chosen, seed, code_versions(recipe, problem), inner)


def blend(*components: Recipe, **model: Any) -> Recipe:
    return Recipe(model={"kind": "blend", **model}, components=components)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Writes a module of the user's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    written = []

    def write(name: str, source: str) -> None:
        file = tmp_path / f"{name}.py"
        before = file.stat().st_mtime_ns if file.exists() else 0
        file.write_text(source)
        os.utime(file, ns=(before + 10**9, before + 10**9))
        written.append(name)

    yield write
    for name in written:
        sys.modules.pop(name, None)


def test_the_same_fit_has_the_same_key():
    assert fit().key == fit().key


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_the_key_changes_with_the_recipe(alpha: float, other: float):
    one, two = (fit(Recipe(features=("x",), model={"kind": "ridge", "alpha": a})) for a in (alpha, other))
    assert (one.key == two.key) == (alpha == other)


def test_the_key_changes_with_the_features():
    assert fit(Recipe(features=("red",))).key != fit(Recipe(features=("x",))).key


def test_the_key_changes_with_the_data():
    assert fit(problem=Rows(slope=2.5)).key != fit().key


def test_the_key_changes_with_the_split_and_the_seed():
    keys = {fit(split=split, seed=seed).key for split in range(4) for seed in range(3)}
    assert len(keys) == 12


def test_the_key_changes_with_the_inner_splits():
    data = Rows().dataset("rows")
    two, three = (inner_splits(fit().split, replace(data, groups={}), PROTOCOL, folds) for folds in (2, 3))
    assert len({fit().key, fit(inner=two).key, fit(inner=three).key}) == 3


def test_the_name_of_the_experiment_is_not_in_the_key():
    entry = {"features": ["x"], "model": {"kind": "ridge"}, "hypothesis": "none"}
    one, other = grow([{"name": "one", **entry}, {"name": "other", **entry}], Rows(), ["1", "2"])
    assert fit(one.recipe).key == fit(other.recipe).key


def test_the_code_of_a_feature_is_in_the_key(own: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch):
    source = "def compute(dataset):\n    return dataset.observations['x'][:, None]\n"
    own("own_feature", source)
    import own_feature  # type: ignore[import-not-found]

    features = {"x": Feature("x", "x", own_feature.compute), "red": Rows().features["red"]}
    monkeypatch.setattr(Rows, "features", features)
    before, without = fit().key, fit(Recipe(features=("red",))).key
    own("own_feature", source.replace("None]", "None] ** 2"))
    assert fit().key != before
    assert fit(Recipe(features=("red",))).key == without
    own("own_feature", source)
    assert fit().key == before


ESTIMATOR = """
from sklearn.base import BaseEstimator

class Own(BaseEstimator):
    def fit(self, X, y):
        return self
"""


def test_the_code_of_the_users_estimator_is_in_the_key(own: Callable[[str, str], None]):
    recipe = Recipe(features=("x",), model={"kind": "own_estimator:Own"})
    own("own_estimator", ESTIMATOR)
    before = fit(recipe).key
    own("own_estimator", ESTIMATOR + "# improved\n")
    assert fit(recipe).key != before
    own("own_estimator", ESTIMATOR)
    assert fit(recipe).key == before


def test_the_code_that_the_users_estimator_inherits_is_in_the_key(own: Callable[[str, str], None]):
    own("own_base", ESTIMATOR)
    own("own_child", "from own_base import Own\n\nclass Child(Own):\n    pass\n")
    recipe = Recipe(features=("x",), model={"kind": "own_child:Child"})
    before = fit(recipe).key
    own("own_base", ESTIMATOR + "# improved\n")
    assert fit(recipe).key != before


def test_the_code_of_the_users_loss_is_in_the_key(own: Callable[[str, str], None]):
    """However deep it stands in the recipe: as a loss, a penalty or in a stage."""
    source = "def hard(predictions, targets, numbers):\n    return ((predictions - targets) ** 4).mean(axis=1)\n"
    own("own_loss", source)
    recipes = [
        Recipe(features=("x",), model={"kind": "mlp"}, training=training)
        for training in (
            {"loss": "own_loss:hard"},
            {"penalties": {"own_loss:hard": 0.1}},
            {"stages": [{"epochs": 3, "loss": {"kind": "own_loss:hard"}}]},
        )
    ]
    before = [fit(recipe).key for recipe in recipes]
    own("own_loss", source.replace("** 4", "** 6"))
    assert not {fit(recipe).key for recipe in recipes} & set(before)


@pytest.mark.parametrize("kind", ["ridge", "sklearn.linear_model:Lasso"])
def test_the_version_of_the_library_behind_a_model_is_in_the_key(monkeypatch: pytest.MonkeyPatch, kind: str):
    recipe = Recipe(features=("x",), model={"kind": kind})
    before = fit(recipe).key
    real = fit_module.version
    monkeypatch.setattr(fit_module, "version", lambda d: "99" if d == "scikit-learn" else real(d))
    fit_module._version.cache_clear()
    try:
        assert fit(recipe).key != before
    finally:
        monkeypatch.undo()
        fit_module._version.cache_clear()
    assert fit(recipe).key == before


@given(st.floats(1e-3, 1e3), st.integers(1, 3))
def test_recipes_of_components_are_in_the_key_however_deep(alpha: float, depth: int):
    def nested(inmost: Recipe) -> Recipe:
        for _ in range(depth):
            inmost = blend(RIDGE, inmost)
        return inmost

    changed = Recipe(features=("x",), model={"kind": "ridge", "alpha": 1e4 + alpha})
    assert fit(nested(changed)).key != fit(nested(RIDGE)).key
    assert fit(nested(changed)).key == fit(nested(changed)).key


def test_the_code_of_components_is_in_the_key(own: Callable[[str, str], None]):
    own("own_component", ESTIMATOR)
    recipe = blend(RIDGE, blend(RIDGE, Recipe(features=("x",), model={"kind": "own_component:Own"})))
    before = fit(recipe).key
    own("own_component", ESTIMATOR + "# improved\n")
    assert fit(recipe).key != before


def test_weights_of_a_blend_are_in_the_key():
    keys = {fit(blend(RIDGE, RIDGE, weights=w)).key for w in ("equal", "inner", [1, 2], [2, 1])}
    assert len(keys) == 4


def test_a_blend_needs_its_components_and_their_inner_fits():
    parts, inside = (fit(), fit(seed=1)), ((fit(split=1), fit(split=2)),)
    whole = Fit(blend(RIDGE, RIDGE), fit().split, 0, {}, components=parts, inner_components=inside)
    assert whole.needs == (*parts, *inside[0])
    assert fit().needs == ()


def test_keys_are_the_same_in_every_process():
    """Nothing in a key may depend on the order of a set or on a random hash."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from problems.fakes import Rows\n"
        "import dataclasses\n"
        "from probatum.campaigns.fit import Fit, code_versions\n"
        "from probatum.campaigns.protocol import Protocol\n"
        "from probatum.campaigns.recipe import Recipe\n"
        "from probatum.campaigns.splits import make_splits\n"
        "recipe = Recipe(features=('x',), model={'kind': 'ridge'})\n"
        "data = dataclasses.replace(Rows().dataset('rows'), groups={})\n"
        "split = make_splits(data, Protocol(folds=2, repeats=2))[0]\n"
        "print(Fit(recipe, split, 0, code_versions(recipe, Rows())).key)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parents[1])],
        env=os.environ | {"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == fit().key


def test_modules_that_an_estimator_names_are_in_its_fits_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "beside_the_model.py").write_text("SLOPE = 1\n")
    (tmp_path / "model_of_two_modules.py").write_text(
        "from sklearn.linear_model import LinearRegression\n"
        "class Model(LinearRegression):\n"
        "    code_modules = ('beside_the_model',)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    recipe = Recipe(features=("x",), model={"kind": "model_of_two_modules:Model"})
    before = code_versions(recipe, Rows())
    (tmp_path / "beside_the_model.py").write_text("SLOPE = 20\n")
    assert code_versions(recipe, Rows()) != before
