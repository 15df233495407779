"""A fit: one recipe x one split x one seed. The unit that runs, fails and resumes, named by its content."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from probatum import plug_ins
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import Split
from probatum.learning.vocabulary import LOSSES, PENALTIES
from probatum.problems.problem import Feature, Problem

KEY_VERSION = 1
"""Raised when what a key is made of changes, so that old keys are never mistaken for new ones."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What one training is.

    Attributes:
        recipe: what is trained, complete.
        split: which cases train and which are predicted.
        inner: the splits of the training fold that a nested choice uses; () where nothing is chosen inside.
        seed: 0 where the recipe is deterministic.
        code: versions of learner, feature code and libraries, from `code_versions`.
        components: for a blend, the fits of its components on the same split.
        inner_components: [inner split][component] fits that the weights are chosen on.
    """

    recipe: Recipe
    split: Split
    seed: int
    code: dict[str, Any]
    inner: tuple[Split, ...] = ()
    components: tuple[Fit, ...] = ()
    inner_components: tuple[tuple[Fit, ...], ...] = ()

    @cached_property
    def key(self) -> str:
        """sha256 of everything that can change the fit's result. The same key is never run twice."""
        content = {
            "key": KEY_VERSION,
            "recipe": self.recipe.canonical(),
            "data": self.split.data,
            "split": self.split.digest,
            "inner": [s.digest for s in self.inner],
            "seed": self.seed,
            "code": self.code,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def needs(self) -> tuple[Fit, ...]:
        """The fits that must be finished first."""
        return (*self.components, *(fit for fits in self.inner_components for fit in fits))


def code_versions(recipe: Recipe, problem: Problem) -> dict[str, Any]:
    """What a fit's key must know of the code: learner, precision, feature code (the user's included), libraries."""
    if recipe.is_blend:
        return {"blend": 2, "components": [code_versions(component, problem) for component in recipe.components]}
    kind = recipe.learner
    own = _class_digests(kind.estimator_class()) if kind.foreign else None
    return {
        "learner": [kind.path, kind.version, own],
        "own code": {path: _module_digest(path.partition(":")[0]) for path in _import_paths(recipe.parameters)},
        "precision": kind.precision,
        "features": [[name, _source_digest(problem.features[name])] for name in recipe.features],
        "libraries": {name: _version(name) for name in sorted({*kind.libraries, "numpy"})},
    }


def _import_paths(value: Any) -> list[str]:
    """Every 'module:name' in a recipe's parameters, and of losses of plug-ins: what is not the program's own."""
    if isinstance(value, str):
        plug_in = plug_ins.installed(plug_ins.LOSSES, {**LOSSES, **PENALTIES}).get(value)
        path = value if plug_in is None else plug_in.value
        return [path] if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", path) else []
    if isinstance(value, Mapping):
        return sorted({path for item in value.items() for part in item for path in _import_paths(part)})
    if isinstance(value, list | tuple):
        return sorted({path for part in value for path in _import_paths(part)})
    return []


def _source_digest(feature: Feature) -> str:
    compute: Callable[..., Any] = feature.compute
    while hasattr(compute, "func"):  # functools.partial
        compute = compute.func  # type: ignore[attr-defined]
    return _module_digest(compute.__module__)


def _class_digests(kind: type) -> list[str]:
    """Digests of the modules that a class and its ancestors are written in, and of those that it names besides."""
    written_in = [c.__module__ for c in kind.__mro__ if c is not object]
    return [_module_digest(module) for module in dict.fromkeys([*written_in, *getattr(kind, "code_modules", ())])]


def _module_digest(module: str) -> str:
    try:
        file = inspect.getsourcefile(import_module(module))
    except TypeError:  # built in
        file = None
    if file is None:
        return "no source"
    state = os.stat(file)
    return _file_digest(file, state.st_mtime_ns, state.st_size)


@cache
def _file_digest(file: str, _changed: int, _size: int) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


@cache
def _version(name: str) -> str:
    """The version of a distribution, or of the one that an importable name comes from ('sklearn')."""
    try:
        return version(name)
    except PackageNotFoundError:
        owners = packages_distributions().get(name, ())  # slow: only for what a user names by import path
        return ", ".join(version(owner) for owner in sorted(set(owners))) or "not a distribution"
