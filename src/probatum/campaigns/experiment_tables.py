"""Experiments as [[experiment]] tables describe them: put in order, each grown from its parent's recipe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from probatum.campaigns.experiment import PROBES, TRIVIAL, Experiment, Mutation
from probatum.campaigns.recipe import BLEND, Recipe, fill_features
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.problems.problem import Problem

OWN_KEYS = ("name", "parent", "hypothesis", "recipe")
"""Keys of an [[experiment]] table that are not its recipe's; `recipe` names one to start from."""


def grow(
    entries: Sequence[Mapping[str, Any]],
    problem: Problem,
    places: Sequence[str],
    named: Mapping[str, Recipe] = MappingProxyType({}),
    *,
    installed_only: bool = True,
) -> tuple[Experiment, ...]:
    """The experiments that a campaign file's entries describe, in the file's order.

    A child starts from its parent's recipe, or from the named recipe that `recipe` tells, and overrides it key by key;
    `features.add` and `features.remove` change that recipe's list; another `model.kind` replaces model and training
    whole. Components are named, and are not parents.

    Args:
        entries: the [[experiment]] tables.
        problem: what the recipes are for.
        places: for each entry, what an error message names as the place.
        named: the recipes that `recipe` may tell.
        installed_only: whether an experiment is refused whose model's package is not installed.

    Raises:
        CampaignFileError, UnknownNameError: naming the entry, the key and the remedy.
    """
    place: dict[str, str] = {}
    for entry, where in zip(entries, places, strict=True):
        name = _name(entry, where)
        if name in place:
            raise CampaignFileError(
                f"experiment '{name}' stands here twice", where=where, remedy=f"rename one (the first: {place[name]})"
            )
        place[name] = where
    by_name = {entry["name"]: entry for entry in entries}
    grown: dict[str, Experiment] = {}
    for name in _order(by_name, place):
        grown[name] = _grow_one(by_name[name], grown, problem, place[name], named, installed_only)
    return tuple(grown[name] for name in by_name)


def child_of(
    entry: Mapping[str, Any],
    known: Mapping[str, Experiment],
    problem: Problem,
    where: str,
    named: Mapping[str, Recipe] = MappingProxyType({}),
) -> Experiment:
    """The experiment that one more [[experiment]] table describes, beside those that there are.

    Args:
        entry: the table.
        known: name to experiment, its parent and components among them.
        problem, named: as for `grow`.
        where: what an error message names as the place.

    Raises:
        CampaignFileError, UnknownNameError: as `grow`; or an experiment of that name is there.
    """
    name = _name(entry, where)
    if name in known:
        raise CampaignFileError(f"there is an experiment '{name}'", where=where, remedy="give it another name")
    needs = _needs(name, entry, {*known, name}, where)
    _order({**{other: {} for other in needs}, name: entry}, {name: where})
    return _grow_one(entry, known, problem, where, named)


def _name(entry: Mapping[str, Any], where: str) -> str:
    """What an entry calls itself, which must not be reserved."""
    name = entry.get("name")
    if not isinstance(name, str) or not name.strip():
        raise CampaignFileError("an experiment without a name", where=where, remedy="add name = '...'")
    for reserved in (TRIVIAL, *PROBES):
        if name.startswith(reserved):
            what = f"names that begin with '{reserved}' are reserved"
            raise CampaignFileError(what, where=where, remedy="rename it")
    return name


def _order(entries: Mapping[str, Mapping[str, Any]], place: Mapping[str, str]) -> list[str]:
    """Names so that parents and components come before those that need them."""
    needs = {name: _needs(name, entry, entries, place.get(name, "")) for name, entry in entries.items()}
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        cycle = error.args[1]
        raise CampaignFileError(
            f"experiments descend from themselves: {' -> '.join(reversed(cycle))}",
            where=place[cycle[0]],
            remedy="give one of them another parent or none",
        ) from None


def _needs(name: str, entry: Mapping[str, Any], there: Collection[str], where: str) -> list[str]:
    """Parent and components of an entry, all of them there."""
    parent, components = entry.get("parent"), entry.get("components", [])
    if not isinstance(components, list) or not all(isinstance(c, str) for c in components):
        raise CampaignFileError("components must be a list of experiment names", where=where)
    if not isinstance(parent, str | None):
        raise CampaignFileError(f"parent = {parent!r}: must be text", where=where, remedy="name an experiment")
    for kind, other in [("parent", parent)] * (parent is not None) + [("component", c) for c in components]:
        if other not in there:
            raise UnknownNameError.of(f"{kind} of '{name}':", str(other), set(there) - {name}, where=where)
    return [*([parent] if parent is not None else []), *components]


def _grow_one(
    entry: Mapping[str, Any],
    grown: Mapping[str, Experiment],
    problem: Problem,
    where: str,
    named: Mapping[str, Recipe],
    installed_only: bool = True,
) -> Experiment:
    parent = grown[entry["parent"]] if entry.get("parent") is not None else None
    start = parent.recipe if parent else None
    if "recipe" in entry:
        if not isinstance(entry["recipe"], str):
            raise CampaignFileError(f"recipe = {entry['recipe']!r}: must be text", where=where, remedy="name a recipe")
        if entry["recipe"] not in named:
            raise UnknownNameError.of(f"recipe of {problem.name}", str(entry["recipe"]), named, where=where)
        start = named[entry["recipe"]]
    hypothesis = entry.get("hypothesis")
    if not isinstance(hypothesis, str | None):
        raise CampaignFileError(f"hypothesis = {hypothesis!r}: must be text", where=where, remedy="put it in quotes")
    given = {k: v for k, v in entry.items() if k not in OWN_KEYS}
    if "components" in given:
        given["components"] = [grown[name].recipe.canonical() for name in given["components"]]
        model = given.get("model", {})
        if isinstance(model, Mapping) and "kind" not in model and not (start and start.is_blend):
            given["model"] = {"kind": BLEND, **model}
    if isinstance(given.get("model"), str):
        given["model"] = {"kind": given["model"]}
    if not isinstance(given.get("model", {}), Mapping):
        raise CampaignFileError(f"model = {given['model']!r}", where=where, remedy="write model.kind = '...'")
    inherited = start.canonical() if start else {}
    merged = _merge(inherited, given, where)
    if not isinstance(merged.get("model", {}).get("kind"), str):
        raise CampaignFileError("no model", where=where, remedy="add model.kind, e.g. model.kind = 'ridge'")
    try:
        recipe = fill_features(Recipe.model_validate(merged), problem)
    except ValidationError as error:
        raise schema_error(error, {**Recipe.model_fields, **dict.fromkeys(OWN_KEYS)}, where) from None
    if installed_only or recipe.installed:
        recipe.check(problem, where=where)
    mutation = Mutation.between(parent.recipe, recipe) if parent else None
    return Experiment(entry["name"], recipe, parent.name if parent else None, mutation, hypothesis)


def _merge(inherited: Mapping[str, Any], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    merged = dict(inherited)
    new_kind = isinstance(given.get("model"), Mapping) and given["model"].get("kind")
    if inherited and new_kind and new_kind != inherited["model"]["kind"]:
        of_trainings = ("features", "per_target") if BLEND in (new_kind, inherited["model"]["kind"]) else ()
        for replaced in ("model", "training", "ensemble", "components", *of_trainings):
            merged.pop(replaced, None)
    for key, value in given.items():
        if key == "features" and isinstance(value, Mapping):
            merged[key] = _changed_list(merged.get(key, ()), value, where)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = value
    return merged


def _changed_list(inherited: Sequence[str], change: Mapping[str, Any], where: str) -> list[str]:
    for key in change:
        if key not in ("add", "remove"):
            raise UnknownNameError.of("key of features", key, ("add", "remove"), where=where)
    if not inherited:
        raise CampaignFileError("features.add without a parent", where=where, remedy="list the features, or set parent")
    added, removed = (_as_list(change.get(key, [])) for key in ("add", "remove"))
    for name in removed:
        if name not in inherited:
            raise UnknownNameError.of("feature to remove", name, inherited, where=where)
    kept = [name for name in inherited if name not in removed]
    return kept + [name for name in added if name not in kept]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def schema_error(error: ValidationError, known: Mapping[str, Any], where: str) -> CampaignFileError | UnknownNameError:
    """A pydantic complaint as one line: the key, what is wrong with it, the nearest valid key."""
    first = error.errors()[0]
    path = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return UnknownNameError.of("key", path, known, where=where)
    return CampaignFileError(f"{path} = {first['input']!r}: {first['msg'].lower()}", where=where)
