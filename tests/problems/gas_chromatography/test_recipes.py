"""The named recipes can be run, and those that claim to differ in one thing do."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from probatum.campaigns.fit_inputs import inputs_of
from probatum.campaigns.recipe import flat
from probatum.campaigns.recipe_book import NamedRecipe, recipe_book
from probatum.learning.learner import RowSet, fit_many
from probatum.problems.gas_chromatography.problem import TASK, GasChromatography
from probatum.problems.gas_chromatography.samples import PREVALENCE

PROBLEM = GasChromatography(runs=20, blocks=2)


@pytest.fixture(scope="module")
def book() -> Mapping[str, NamedRecipe]:
    return recipe_book(PROBLEM)


def test_every_recipe_can_be_run_and_says_what_it_is(book: Mapping[str, NamedRecipe]):
    for name, entry in book.items():
        assert entry.about
        if name != "automl":  # asks for a package that may not be there
            entry.recipe.check(PROBLEM, where=name)


@pytest.mark.parametrize("prefix", ["", "compact-"])
@pytest.mark.parametrize(
    ("child", "parent", "changed"),
    [
        ("mlp+layer-norm", "mlp", {"model.norms"}),
        ("mlp+hinge", "mlp+layer-norm", {"training.penalties.hinge"}),
        ("mlp+lcg", "mlp+layer-norm", {"training.penalties.sampled_label_correlation"}),
        ("ensemble", "mlp+layer-norm", {"ensemble.members", "ensemble.combine"}),
    ],
)
def test_a_part_of_the_seed_is_one_change(
    book: Mapping[str, NamedRecipe], prefix: str, child: str, parent: str, changed: set[str]
):
    one, other = (flat(book[f"{prefix}{name}"].recipe.canonical()) for name in (child, parent))
    assert {path for path in {*one, *other} if one.get(path) != other.get(path)} == changed


def test_the_prior_is_that_of_the_challenge(book: Mapping[str, NamedRecipe]):
    np.testing.assert_allclose(book["mlp"].recipe.model["prior"], list(PREVALENCE.values()), atol=1e-4)


def test_columns_of_the_blend_are_its_features(book: Mapping[str, NamedRecipe]):
    recipe = book["blend"].recipe
    widths = {"mean-intensities": 334, "strongest-spectra": 16 * 334, "seven-blocks-324": 7 * 324}
    ends = np.cumsum([0, *(widths[name] for name in recipe.features)])
    assert [one["columns"] for one in recipe.model["components"]] == [[int(a), int(b)] for a, b in pairwise(ends)]


@pytest.mark.real
@pytest.mark.parametrize("name", ["priors", "l1-masses", "compact-seed", "lightgbm"])
def test_recipes_give_probabilities(book: Mapping[str, NamedRecipe], name: str, real_data: Path):
    recipe, dataset = book[name].recipe, PROBLEM.dataset(TASK)
    changes = {"epochs": 2} if "epochs" in recipe.training else {}
    estimator = recipe.learner.build({**recipe.parameters, **changes}, 0)
    targets = dataset.targets() if recipe.learner.joint else dataset.targets()[:, :1]
    rows = RowSet(np.arange(10), np.arange(10, 20), 0)
    inputs = inputs_of(PROBLEM, dataset, recipe.features)
    (outcome,) = fit_many([estimator], inputs, targets, [rows], quantities=targets.shape[1])
    assert outcome.error is None
    assert ((outcome.prediction >= 0) & (outcome.prediction <= 1)).all()
