"""The space that may be searched: what a recipe's parameters may be, as a campaign file's [space] or `space.toml` says.

[space]
model.dropout = { low = 0.0, high = 0.5 }
training.rate = { low = 1e-4, high = 1e-2, log = true }
training.epochs = { low = 50, high = 400, step = 50 }
model.hidden = { choices = [[16], [32, 16], [64, 32]] }
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.campaigns.recipe import Recipe
from probatum.campaigns.toml_text import read_toml
from probatum.errors import CampaignFileError, UnknownNameError

SECTIONS = ("model", "training", "ensemble")
RANGE_KEYS = ("low", "high", "log", "step")
KEYS = (*RANGE_KEYS, "choices")
FILE = "space.toml"


@dataclass(frozen=True)
class Dimension:
    """What one parameter may be: a range, or choices.

    Attributes:
        path: 'model.dropout'.
        low, high: ends of the range, both allowed.
        log: whether the range is searched by orders of magnitude.
        step: between values; None for any. Whole ends mean whole numbers.
        choices: instead of a range.
    """

    path: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    choices: tuple[Any, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether values are whole numbers."""
        return not self.choices and isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: Any) -> bool:
        """Whether a value lies in it."""
        if self.choices:
            return value in self.choices
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def edit(self, value: Any) -> dict[str, Any]:
        """The edit that gives a recipe this value."""
        section, _, name = self.path.partition(".")
        return {section: {name: value}}

    def of(self, recipe: Recipe) -> Any:
        """A recipe's value; None where it sets none."""
        section, _, name = self.path.partition(".")
        return recipe.ensemble.model_dump().get(name) if section == "ensemble" else getattr(recipe, section).get(name)


@dataclass(frozen=True)
class Space:
    """What may be searched.

    Attributes:
        dimensions: at least one.
    """

    dimensions: tuple[Dimension, ...]

    def of(self, recipe: Recipe) -> tuple[Dimension, ...]:
        """The dimensions that a recipe's learner has; () for a blend, which trains nothing itself."""
        if recipe.is_blend:
            return ()
        known = recipe.learner.parameters()
        return tuple(d for d in self.dimensions if d.path.startswith("ensemble.") or d.path.partition(".")[2] in known)


def read_space(given: Mapping[str, Any], where: str) -> Space:
    """Reads what [space] says.

    Args:
        given: the table.
        where: what an error message names as the place.

    Raises:
        CampaignFileError: an empty space, or bounds that contradict themselves.
        UnknownNameError: a key of a range, or a part of a recipe, that nobody knows.
    """
    dimensions = tuple(_dimension(path, values, f"{where} [space] {path}") for path, values in _leaves(given, where))
    if not dimensions:
        remedy = "give a range, e.g. model.dropout = { low = 0.0, high = 0.5 }, or remove [space]"
        raise CampaignFileError("the space is empty", where=f"{where} [space]", remedy=remedy)
    paths = [d.path for d in dimensions]
    if twice := next((p for p in paths if paths.count(p) > 1), None):
        raise CampaignFileError(f"{twice} stands in the space twice", where=f"{where} [space]", remedy="keep one")
    return Space(dimensions)


def space_of(file: Path, given: Mapping[str, Any]) -> Space | None:
    """The space of a campaign file: its [space], else a `space.toml` beside it, else None.

    Raises:
        CampaignFileError, UnknownNameError: as `read_space`; or a `space.toml` that cannot be read.
    """
    if given:
        return read_space(given, file.name)
    beside = file.with_name(FILE)
    if not beside.is_file():
        return None
    try:
        content = read_toml(beside.read_text(encoding="utf-8"), beside.name)
    except UnicodeDecodeError as error:
        raise CampaignFileError(f"no valid TOML: {error}", where=beside.name, remedy="correct it") from None
    except OSError as error:
        raise CampaignFileError(f"cannot be read: {error.strerror}", where=str(beside), remedy="remove it") from None
    found: Any = content.get("space", content)
    if not isinstance(found, Mapping):
        raise CampaignFileError("space must be a table", where=beside.name, remedy="write [space]")
    return read_space(found, beside.name)


def _leaves(given: Mapping[str, Any], where: str, prefix: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    """(dotted path, range) of each parameter, however deep the tables stand that dotted keys make."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for key, value in given.items():
        path = f"{prefix}{key}"
        if not isinstance(value, Mapping):
            remedy = "write { low = ..., high = ... } or { choices = [...] }"
            raise CampaignFileError(f"{path} = {value!r} is no range", where=f"{where} [space]", remedy=remedy)
        if "." in path or not value or set(value) & set(KEYS):
            found.append((path, value))
        else:
            found += _leaves(value, where, f"{path}.")
    return found


def _dimension(path: str, values: Mapping[str, Any], where: str) -> Dimension:
    section, _, name = path.partition(".")
    if section not in SECTIONS or not name or "." in name:
        what = f"{path} is no parameter that can be searched"
        raise CampaignFileError(what, where=where, remedy=f"write {', '.join(f'{s}.NAME' for s in SECTIONS)}")
    for key in values:
        if key not in KEYS:
            raise UnknownNameError.of("key of a range", key, KEYS, where=where)
    if "choices" in values:
        return _of_choices(path, values, where)
    for key in ("low", "high"):
        value = values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
            raise CampaignFileError(f"{key} = {value!r} is no number", where=where, remedy="give low and high")
    low, high, log, step = values["low"], values["high"], values.get("log", False), values.get("step")
    if not low < high:
        what = f"low = {low} and high = {high} contradict each other"
        raise CampaignFileError(what, where=where, remedy="low must be less than high")
    if not isinstance(log, bool):
        raise CampaignFileError(f"log = {log!r}", where=where, remedy="write true or false")
    if log and low <= 0:
        raise CampaignFileError(f"log = true with low = {low}", where=where, remedy="low must be positive")
    if step is not None:
        if isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step <= high - low:
            what = f"step = {step!r} does not fit between {low} and {high}"
            raise CampaignFileError(what, where=where, remedy="give a smaller one, or none")
        if log:
            raise CampaignFileError("step with log = true", where=where, remedy="leave one of them out")
    return Dimension(path, low, high, log, step)


def _of_choices(path: str, values: Mapping[str, Any], where: str) -> Dimension:
    choices = values["choices"]
    if set(values) != {"choices"}:
        raise CampaignFileError("choices and a range", where=where, remedy="keep one of them")
    if not isinstance(choices, list) or len(choices) < 2 or any(choices.count(c) > 1 for c in choices):
        what = f"choices = {choices!r}"
        raise CampaignFileError(what, where=where, remedy="list at least two different values")
    return Dimension(path, choices=tuple(choices))
