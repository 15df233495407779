"""Named recipes of a problem: read from the file beside it, taken by campaigns, overridden key by key."""

from __future__ import annotations

import importlib.util
import sys
from importlib import import_module
from pathlib import Path

import pytest

from probatum.campaigns.campaign_file import read_campaign_file
from probatum.campaigns.recipe_book import recipe_book
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.problems import registry
from probatum.problems.problem import Problem
from problems.fakes import Rows

BOOK = """
[[recipe]]
name = "line"
about = "a straight line"
features = ["x"]
model = { kind = "ridge", alpha = 2.0 }

[[recipe]]
name = "trees"
parent = "line"
model.kind = "extra_trees"

[[recipe]]
name = "both"
components = ["line", "trees"]
"""


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Problem:
    """A problem in a module of its own, with a book beside it."""
    name = f"problem_with_a_book_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text("from problems.fakes import Rows\nclass WithABook(Rows):\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield import_module(name).WithABook()
    del sys.modules[name]


def write(tmp_path: Path, text: str) -> None:
    (tmp_path / "recipes.toml").write_text(text)


def test_a_problem_without_a_file_has_no_named_recipes():
    assert recipe_book(Rows()) == {}


def test_recipes_descend_from_each_other_and_hold_their_components(problem: Problem, tmp_path: Path):
    write(tmp_path, BOOK)
    book = recipe_book(problem)
    assert list(book) == ["line", "trees", "both"]
    assert book["line"].about == "a straight line"
    assert book["trees"].recipe.features == ("x",)
    assert book["both"].recipe.components == (book["line"].recipe, book["trees"].recipe)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOOK.replace('"trees"]', '"treees"]'), "'trees'"),
        (BOOK.replace("alpha", "alhpa"), "recipe 'line'.*alpha"),
        ("[[recipe\n", "no valid TOML"),
    ],
)
def test_a_book_with_a_mistake_names_the_recipe(problem: Problem, tmp_path: Path, text: str, says: str):
    write(tmp_path, text)
    with pytest.raises((CampaignFileError, UnknownNameError), match=says):
        recipe_book(problem)


CAMPAIGN = """
problem = "catechol"

[[experiment]]
name = "a"
recipe = "mlp-32"

[[experiment]]
name = "b"
parent = "a"
recipe = "mlp-32+acs"
training.epochs = 7
"""


def test_an_experiment_takes_a_named_recipe_and_overrides_it(tmp_path: Path):
    (tmp_path / "c.toml").write_text(CAMPAIGN)
    a, b = read_campaign_file(tmp_path / "c.toml").experiments
    book = recipe_book(registry.build("catechol", {}))
    assert a.recipe == book["mlp-32"].recipe
    assert b.recipe.features == book["mlp-32+acs"].recipe.features
    assert b.mutation is not None
    assert {c.path for c in b.mutation.changes} == {"features", "training.epochs"}


def test_a_recipe_that_nobody_knows_is_answered_by_the_nearest_and_the_line(tmp_path: Path):
    (tmp_path / "c.toml").write_text(CAMPAIGN.replace("mlp-32+acs", "mlp-32+asc"))
    with pytest.raises(UnknownNameError, match=r"c.toml:11.*did you mean 'mlp-32\+acs'"):
        read_campaign_file(tmp_path / "c.toml")


@pytest.mark.parametrize("name", [name for name in registry.names() if name != "table"])
def test_every_recipe_that_comes_with_a_problem_can_be_used(name: str):
    for one in recipe_book(registry.build(name, {})).values():
        assert one.about, f"'{one.name}' says what it is"
        assert one.recipe.digest()


def test_a_recipe_whose_package_is_missing_spoils_no_campaign_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Catechol's book names a model of an optional package; whoever lacks it can use all other recipes."""

    def find_spec(package: str) -> object | None:
        return None if package == "xgboost" else importlib.util.find_spec(package)

    monkeypatch.setattr("probatum.learning.learner.find_spec", find_spec)
    monkeypatch.setitem(sys.modules, "xgboost", None)  # so that importing it fails, too
    campaign = tmp_path / "c.toml"
    campaign.write_text(CAMPAIGN)
    assert len(read_campaign_file(campaign).experiments) == 2
    assert "xgboost" in recipe_book(registry.build("catechol", {}))
    campaign.write_text(CAMPAIGN + '\n[[experiment]]\nname = "c"\nrecipe = "xgboost"\n')
    with pytest.raises(CampaignFileError, match=r"c.toml:\d+: model 'xgboost' cannot be imported.*probatum\[all\]"):
        read_campaign_file(campaign)
