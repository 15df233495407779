"""An experiment is a node of the campaign's tree: a recipe, its parent, what changed, and what was expected of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probatum.campaigns.recipe import Recipe, flat
from probatum.learning.learner import own_features
from probatum.problems.problem import Problem

TRIVIAL = "trivial:"
"""Prefix of the baselines that run with every campaign; no experiment of the user's own may carry it."""
HELD_OUT = "held out:"
"""Prefix under which an experiment is trained once more, on everything but the held-out cases; reserved too."""
FRESH = "fresh seeds:"
"""Prefix under which an experiment is trained once more with seeds that no comparison has used; reserved too."""
CONTROL = "control:"
"""Prefix under which an experiment is trained once more, unchanged, with seeds of its own; reserved too."""
RACED = "raced:"
"""Prefix under which a candidate for a round is trained on some of the folds; reserved too."""
COMPONENTS = "components"
"""Path of a blend's components in its recipe."""
PROBES = (HELD_OUT, FRESH, CONTROL, RACED)
"""Prefixes of what is trained beside the tree, to confirm, control or choose an experiment; none is one of its own."""


@dataclass(frozen=True)
class Change:
    """One dotted path of a recipe that differs from the parent's.

    Attributes:
        path: 'model.dropout'.
        before, after: plain values; None where the path did not exist.
    """

    path: str
    before: Any
    after: Any

    @property
    def of_names(self) -> tuple[list[str], list[str]] | None:
        """What was (added to, removed from) a list of names, whatever else stands in it; None for other changes."""
        if not (isinstance(self.before, list) and isinstance(self.after, list)):
            return None
        added = [v for v in self.after if v not in self.before]
        removed = [v for v in self.before if v not in self.after]
        names = all(isinstance(v, str) for v in [*self.before, *self.after])
        return (added, removed) if names and (added or removed) else None

    def __str__(self) -> str:
        if self.of_names:
            added, removed = self.of_names
            return f"{self.path}: {' '.join([f'+{v}' for v in added] + [f'-{v}' for v in removed])}"
        if self.path == COMPONENTS:
            return f"components: {_of_components(self.before or [], self.after or [])}"
        return f"{self.path}: {_short(self.before)} -> {_short(self.after)}"


@dataclass(frozen=True)
class Mutation:
    """What changed from the parent, as dotted paths."""

    changes: tuple[Change, ...]

    @classmethod
    def between(cls, parent: Recipe, child: Recipe) -> Mutation:
        """The difference of two recipes."""
        return cls(_changes(parent.canonical(), child.canonical()))

    @property
    def chosen(self) -> tuple[Change, ...]:
        """The changes, without features that came or went with a kind of model that takes no others."""
        by_path = {c.path: c for c in self.changes}
        kind, features = by_path.get("model.kind"), by_path.get("features")
        if kind is None or features is None:
            return self.changes
        ends = ((kind.before, features.before), (kind.after, features.after))
        brought = any(own == tuple(listed) for name, listed in ends if (own := own_features(name)))
        return tuple(c for c in self.changes if not brought or c is not features)

    @property
    def key(self) -> str:
        """Equal for mutations that change the same: names added to lists of any content count as the same change."""
        parts = [
            (c.path, *map(sorted, c.of_names)) if c.of_names else (c.path, c.before, c.after) for c in self.changes
        ]
        return json.dumps(parts, sort_keys=True)

    @property
    def inverse(self) -> Mutation:
        """The step back."""
        return Mutation(tuple(Change(c.path, c.after, c.before) for c in self.changes))

    def __str__(self) -> str:
        return "; ".join(map(str, self._told)) or "nothing"

    @property
    def _told(self) -> tuple[Change, ...]:
        """The changes, without what a model loses that becomes a component of a blend."""
        if not any(c.path == COMPONENTS and not c.before for c in self.changes):
            return self.changes
        return tuple(c for c in self.changes if c.after is not None and c.path not in ("features", "model.kind"))


@dataclass(frozen=True)
class Experiment:
    """A node of the tree.

    Attributes:
        name: unique in its campaign.
        recipe: complete, with the problem's default features filled in.
        parent: name of the experiment that it was made from, None for a root.
        mutation: the difference from the parent, None for a root.
        hypothesis: what was expected of the change.
    """

    name: str
    recipe: Recipe
    parent: str | None = None
    mutation: Mutation | None = None
    hypothesis: str | None = None

    @property
    def trivial(self) -> bool:
        """Whether it is one of the baselines that run with every campaign."""
        return self.name.startswith(TRIVIAL)


def trivial_experiments(problem: Problem) -> tuple[Experiment, ...]:
    """The baselines that run with every campaign: the mean, and the inputs without the interesting ones.

    None where the truth is hidden: nobody may look at a mean.
    """
    if problem.hidden_truth:
        return ()
    first = (problem.default_features[0],)
    trivial = [Experiment(f"{TRIVIAL} mean", Recipe(features=first, model={"kind": "mean"}))]
    if problem.plain_features:
        plain = Recipe(features=tuple(problem.plain_features), model={"kind": "extra_trees", "n_estimators": 100})
        trivial.append(Experiment(f"{TRIVIAL} {'+'.join(problem.plain_features)}", plain))
    return tuple(trivial)


_none = object()


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The dotted paths in which two canonical recipes differ."""
    old, new = flat(before), flat(after)
    paths = sorted({*old, *new})
    return tuple(Change(p, old.get(p), new.get(p)) for p in paths if old.get(p, _none) != new.get(p, _none))


def _of_components(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> str:
    """What changed in a blend: in which component, by its place; where they are more or fewer, their kinds."""
    if len(before) == len(after):
        return "; ".join(
            f"{place}. {change}"
            for place, pair in enumerate(zip(before, after, strict=True), 1)
            for change in _changes(*pair)
        )
    return " -> ".join(", ".join(c["model"]["kind"] for c in side) or "none" for side in (before, after))


def _short(value: Any) -> str:
    text = "none" if value is None else f"'{value}'" if value == "none" else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
