"""Edits: what a line of the table of prescriptions does to a recipe, in the campaign file's own form.

A line says one of these:

    { parameter = "weight_decay", multiply = 3.0, at_most = 1.0 }   also plus = 0.1, or set = "cosine"
    { parameter = "*l1*", multiply = 0.1 }           every parameter of the learner of such a name
    { features = "add" }                             each feature that is not in use; "remove": each in use
    { model = ["lightgbm", "ridge"] }                each kind not in the tree yet, on the same features or its own
    { recipe = "kinetic" }                           the problem's named recipe, where that is one change
    { blend = "another kind" }                       with the best experiment of each other kind
    { blend = "add" }                                one more component, the best of a kind not yet in it
    { blend = "better component" }                   a component's better relative in its place
    { target_weight = 2.0 }                          the bad target counts more in the loss
    { group_weight = 2.0 }                           so do the bad groups

An edit that does not fit a recipe (a parameter that its learner does not have, a bound that is reached) gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from probatum.campaigns.experiment import Experiment
from probatum.campaigns.recipe import Recipe
from probatum.errors import ProbatumError
from probatum.learning.learner import own_features
from probatum.planning.matrix import Pattern
from probatum.planning.proposal import History

Edit = dict[str, Any]
ENSEMBLE = "ensemble."
MOST_COMPONENTS = 4


def edits(line: Mapping[str, Any], parent: Experiment, history: History, pattern: Pattern | None = None) -> list[Edit]:
    """What a line of the table makes of a parent: one edit, several alternatives, or none.

    Args:
        line: of the table.
        parent: that is edited.
        history: that it stands in.
        pattern: of the parent's matrix that the line answers; None for others.
    """
    for key, make in _MAKERS.items():
        if key in line:
            return list(make(line, parent, history, pattern))
    raise ValueError(f"a prescription's edit says none of {', '.join(_MAKERS)}: {dict(line)}")


def _parameters(line: Mapping[str, Any], parent: Experiment, _: History, __: Pattern | None) -> Iterator[Edit]:
    recipe, wanted = parent.recipe, line["parameter"]
    if recipe.is_blend:
        return
    if wanted.startswith(ENSEMBLE):
        name = wanted.removeprefix(ENSEMBLE)
        after = _stepped(getattr(recipe.ensemble, name), line)
        if after is not None:
            yield {"ensemble": {name: after}}
        return
    current = _current(recipe)
    for name in sorted(n for n in current if fnmatchcase(n.lower(), wanted.lower())):
        after = _stepped(current[name], line)
        if after is not None:
            yield {_section(recipe, name, line.get("section", "training")): {name: after}}


def _current(recipe: Recipe) -> dict[str, Any]:
    """Every parameter of a recipe's learner with its value, defaults included; {} where they cannot be told."""
    try:
        built = recipe.learner.build(recipe.parameters, 0)
        return {**built.get_params(deep=False), **recipe.parameters}
    except (ProbatumError, TypeError, AttributeError):
        return dict(recipe.parameters)


def _section(recipe: Recipe, name: str, usual: str) -> str:
    """Where a recipe keeps a parameter, or would."""
    if name in recipe.model:
        return "model"
    if name in recipe.training:
        return "training"
    return usual if recipe.training or usual == "model" else "model"


def _stepped(before: Any, line: Mapping[str, Any]) -> Any:
    """A value after the step; None where the step leads nowhere."""
    if "set" in line:
        switches = isinstance(before, bool), isinstance(line["set"], bool)
        fits = before is None or switches[0] == switches[1]  # a switch takes no word, and a number is no switch
        return line["set"] if fits and before != line["set"] else None
    if isinstance(before, list | tuple):
        after = [_stepped(v, line) for v in before]
        changed = [v if a is None else a for v, a in zip(before, after, strict=True)]
        return changed if any(a is not None for a in after) else None
    if isinstance(before, bool) or not isinstance(before, int | float):
        return None
    value = before * line.get("multiply", 1.0) + line.get("plus", 0.0)
    value = min(max(value, line.get("at_least", value)), line.get("at_most", value))
    after = round(value) if isinstance(before, int) and not isinstance(line.get("plus"), float) else _rounded(value)
    further = after > before if line.get("multiply", 1.0) > 1 or line.get("plus", 0.0) > 0 else after < before
    return after if further else None


def _rounded(value: float) -> float:
    """Three digits: the rest of a step's product says nothing."""
    return float(f"{value:.3g}")


def _features(line: Mapping[str, Any], parent: Experiment, history: History, _: Pattern | None) -> Iterator[Edit]:
    if parent.recipe.is_blend or own_features(parent.recipe.kind):
        return
    used, features = parent.recipe.features, history.problem.features
    if line["features"] == "add":
        there = {*used, *(held for name in used for held in features[name].holds)}
        for name in features:
            if name not in there:
                yield {"features": {"add": [name]}}
    elif len(used) > 1:
        for name in used:
            yield {"features": {"remove": [name]}}


def _models(line: Mapping[str, Any], parent: Experiment, history: History, _: Pattern | None) -> Iterator[Edit]:
    if parent.recipe.is_blend:
        return
    bound = own_features(parent.recipe.kind)
    known = {e.recipe.kind for e in history.experiments}  # to vary such a model there are other edits
    for kind in line["model"]:
        if kind not in known:
            brings = own_features(kind) or (history.problem.default_features if bound else ())
            yield {"model": {"kind": kind}, **({"features": list(brings)} if brings else {})}


def _recipes(line: Mapping[str, Any], parent: Experiment, _: History, __: Pattern | None) -> Iterator[Edit]:
    if not parent.recipe.is_blend:
        yield {"recipe": line["recipe"]}


def _blends(line: Mapping[str, Any], parent: Experiment, history: History, _: Pattern | None) -> Iterator[Edit]:
    ranked = sorted(history.standings.values(), key=lambda s: history.sign * s.mean)
    known = history.by_name
    single = [known[s.name] for s in ranked if s.name in known and not known[s.name].recipe.is_blend]
    match line["blend"]:
        case "another kind" if not parent.recipe.is_blend:
            for other in _best_of_kinds(single, {parent.recipe.kind}):
                yield {"components": [parent.name, other.name]}
        case "add" if parent.recipe.is_blend and (names := _component_names(parent, history)):
            if len(names) < MOST_COMPONENTS:
                kinds = {c.kind for c in parent.recipe.components}
                for other in _best_of_kinds(single, kinds):
                    yield {"components": [*names, other.name]}
        case "better component" if parent.recipe.is_blend and (names := _component_names(parent, history)):
            for i, name in enumerate(names):
                kind = known[name].recipe.kind
                best = next((e for e in single if e.recipe.kind == kind), None)
                if best is not None and best.name not in names:
                    yield {"components": [*names[:i], best.name, *names[i + 1 :]]}
        case _:  # blends and single models are not edited alike
            pass


def _best_of_kinds(single: list[Experiment], without: set[str]) -> list[Experiment]:
    """The best experiment of each kind of model that is not among these, the best first."""
    found: dict[str, Experiment] = {}
    for experiment in single:
        if experiment.recipe.kind not in {*without, "mean"}:
            found.setdefault(experiment.recipe.kind, experiment)
    return list(found.values())


def _component_names(parent: Experiment, history: History) -> list[str]:
    """Names of the experiments that are a blend's components; [] where one has none."""
    names = [history.by_digest.get(c.digest()) for c in parent.recipe.components]
    return [n for n in names if n is not None] if None not in names else []


def _target_weights(
    line: Mapping[str, Any], parent: Experiment, history: History, pattern: Pattern | None
) -> Iterator[Edit]:
    recipe, count = parent.recipe, len(history.quantities)
    if recipe.is_blend or pattern is None or pattern.quantity is None or count < 2:
        return
    if "target_weights" not in recipe.learner.parameters():
        return
    now = list(recipe.parameters.get("target_weights") or [1.0] * count)
    if len(now) != count or now[pattern.quantity] >= line.get("at_most", 8.0) * min(now):
        return
    now[pattern.quantity] = _rounded(now[pattern.quantity] * line["target_weight"])
    yield {_section(recipe, "target_weights", "training"): {"target_weights": now}}


def _group_weights(line: Mapping[str, Any], parent: Experiment, _: History, pattern: Pattern | None) -> Iterator[Edit]:
    grouping = line.get("grouping")
    if parent.recipe.is_blend or pattern is None or not pattern.labels or grouping is None:
        return
    if parent.recipe.group_weights or not parent.recipe.learner.weighs_rows:
        return
    yield {"group_weights": {grouping: dict.fromkeys(pattern.labels, line["group_weight"])}}


_MAKERS = {
    "parameter": _parameters,
    "features": _features,
    "model": _models,
    "recipe": _recipes,
    "blend": _blends,
    "target_weight": _target_weights,
    "group_weight": _group_weights,
}
