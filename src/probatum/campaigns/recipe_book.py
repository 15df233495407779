"""Named recipes that come with a problem: `recipes.toml` beside the module that its class stands in.

    [[recipe]]
    name = "mlp"
    about = "one line: what it is and where it comes from"
    features = ["spange", "kinetics"]
    model = { kind = "mlp", hidden = [32, 16] }

    [[recipe]]
    name = "mlp+acs"
    parent = "mlp"                 # starts from that recipe, as an experiment from its parent
    features.add = ["acs"]

A campaign's experiment takes one by `recipe = "mlp+acs"`, and its other keys override it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from probatum.campaigns.experiment_tables import grow
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.toml_text import read_toml
from probatum.errors import CampaignFileError
from probatum.problems.problem import Problem

FILE = "recipes.toml"


@dataclass(frozen=True)
class NamedRecipe:
    """One entry of the book.

    Attributes:
        name: as campaigns call it.
        about: what it is, one line.
        recipe: complete, components included.
    """

    name: str
    about: str
    recipe: Recipe


def recipe_book(problem: Problem) -> Mapping[str, NamedRecipe]:
    """All named recipes of a problem, in the file's order; {} where it brings none.

    Raises:
        CampaignFileError, UnknownNameError: an entry that cannot be, naming it.
    """
    try:
        source = inspect.getsourcefile(type(problem))
    except TypeError:  # defined where there is no file
        source = None
    file = None if source is None else Path(source).with_name(FILE)
    if file is None or not file.is_file():
        return {}
    entries = [_as_experiment(entry) for entry in _entries(file)]
    places = [f"{FILE} of {problem.name}, recipe '{entry.get('name')}'" for entry in entries]
    grown = grow(entries, problem, places, installed_only=False)  # such a recipe is refused where it is asked for
    return {one.name: NamedRecipe(one.name, one.hypothesis or "", one.recipe) for one in grown}


@lru_cache(maxsize=16)
def _entries(file: Path) -> tuple[Mapping[str, Any], ...]:
    try:
        content = read_toml(file.read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError as error:
        raise CampaignFileError(f"no valid TOML: {error}", where=str(file)) from None
    return tuple(content.get("recipe", ()))


def _as_experiment(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {("hypothesis" if key == "about" else key): value for key, value in entry.items()}
