"""A model in a folder, which predicts without the campaign that it comes from: JSON, and arrays as safetensors.

    bundle = probatum.load_bundle("model")
    bundle.predict([{"temperature": 60.0, "solvent": "water"}])

`bundle.json` names inputs, units, ranges, recipe and the sha256 of all files; `arrays.safetensors` holds what was
trained. Nothing of it is code, and a bundle that names code other than this program's is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from probatum.campaigns.new_cases import observations_of
from probatum.campaigns.recipe import Recipe
from probatum.errors import DataError, DataMissingError, ProbatumError
from probatum.interop.bundle_parts import Part, part_of
from probatum.problems import registry
from probatum.problems.problem import Dataset, Origin, Quantity, Truth

SCHEMA = 1
ABOUT, ARRAYS = "bundle.json", "arrays.safetensors"


@dataclass(frozen=True)
class Column:
    """One column of the model's inputs.

    Attributes:
        name: 'temperature', 'solvent = water', 'spange[3]'.
        low, high: of the rows that it was trained on.
        observation: that it is made of; None where the problem's own code makes it of several.
        level: for categories, the text for which it is 1.
    """

    name: str
    low: float
    high: float
    observation: str | None = None
    level: str | None = None


@dataclass(frozen=True, eq=False)
class Bundle:
    """A trained model that stands alone.

    Attributes:
        about: all that `bundle.json` says.
        recipe: that it was trained by.
        columns: of its inputs.
        quantities: (name, unit) of what it predicts.
        part: what predicts.
    """

    about: Mapping[str, Any]
    recipe: Recipe
    columns: tuple[Column, ...]
    quantities: tuple[tuple[str, str], ...]
    part: Part

    def predict(self, cases: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """[case, quantity] float64, in the order and units of `quantities`.

        Args:
            cases: each with a value for every observation (`about['observations']`).

        Raises:
            UnknownNameError: an observation that the model does not know.
            DataError: a value that is missing or of the wrong kind.
        """
        return self.predict_inputs(self.inputs(cases))

    def inputs(self, cases: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """[case, column] float64: what the model looks at.

        Args:
            cases: as for `predict`.

        Raises:
            UnknownNameError, DataError: as `predict`.
        """
        observed = observations_of(self._shape, cases)
        if all(column.observation is not None for column in self.columns):
            return np.stack([_column(column, observed) for column in self.columns], axis=1)
        from probatum.campaigns.fit_inputs import inputs_of

        kind, options = self.about["problem"]["kind"], self.about["problem"]["options"]
        try:
            problem = registry.build(kind, options)
            return inputs_of(problem, _dataset(self.about, observed, len(cases)), self.features)
        except ProbatumError as error:
            what = f"the inputs of problem '{kind}' cannot be made here: {error.what}"
            raise DataError(what, remedy=error.remedy or "give model inputs: predict_inputs") from None

    def predict_inputs(self, inputs: np.ndarray) -> np.ndarray:
        """[case, quantity] float64 for model inputs [case, column] float64, in the order of `columns`.

        Raises:
            DataError: inputs of another width, or that are not finite.
        """
        inputs = np.asarray(inputs, dtype=np.float64)
        if inputs.ndim != 2 or inputs.shape[1] != len(self.columns):
            raise DataError(f"inputs of shape {inputs.shape} for a model of {len(self.columns)} columns")
        if not np.isfinite(inputs).all():
            row, column = np.argwhere(~np.isfinite(inputs))[0]
            raise DataError(f"'{self.columns[column].name}' is not finite in case {row + 1}", remedy="correct it")
        return self.part.predict(inputs)

    def outside(self, cases: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
        """For each case, the inputs that lie beyond all rows that the model was trained on.

        Args:
            cases: as for `predict`.
        """
        inputs = self.inputs(cases)
        low, high = (np.array([getattr(column, side) for column in self.columns]) for side in ("low", "high"))
        beyond = (inputs < low) | (inputs > high)
        names = [column.name for column in self.columns]  # of a blend, an input may be a column twice
        return [tuple(dict.fromkeys(n for n, far in zip(names, row, strict=True) if far)) for row in beyond]

    @property
    def features(self) -> tuple[str, ...]:
        """The problem's features that `columns` are of; of a blend, those of all its components."""
        return tuple(self.about.get("features", self.recipe.features))

    @cached_property
    def _shape(self) -> Dataset:
        """A case as the problem gives it, to check new ones against."""
        observed = {
            o["name"]: np.array([""]) if o["text"] else np.zeros((1, *o["shape"])) for o in self.about["observations"]
        }
        return _dataset(self.about, observed, 1)


def load_bundle(folder: str | os.PathLike[str]) -> Bundle:
    """The model in a folder that 'probatum export bundle' wrote.

    Raises:
        DataMissingError: no such folder, or a file of it is missing.
        DataError: it is no bundle, not what was written, or of a newer program.
    """
    folder = Path(folder)
    about = _about(folder)
    try:
        recipe = Recipe.model_validate(about["recipe"])
        columns = tuple(Column(**column) for column in about["columns"])
        quantities = tuple((str(q["name"]), str(q["unit"])) for q in about["quantities"])
        part = part_of(recipe, _arrays(folder / ARRAYS), about["seen"], int(about["seed"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"is no bundle: {type(error).__name__}: {error}", where=str(folder)) from None
    return Bundle(about, recipe, columns, quantities, part)


def digest_of(about: Mapping[str, Any]) -> str:
    """sha256 over all that a bundle says of itself, its files' hashes included."""
    rest = {key: value for key, value in about.items() if key != "digest"}
    return sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _about(folder: Path) -> dict[str, Any]:
    remedy = "export it again: probatum export bundle"
    for name in (ABOUT, ARRAYS):
        if not (folder / name).is_file():
            raise DataMissingError(f"no {name} in it, so that it is no bundle", where=str(folder), remedy=remedy)
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"cannot be read: {error}", where=str(folder / ABOUT), remedy=remedy) from None
    if not isinstance(about, dict) or not isinstance(about.get("files"), dict):
        raise DataError("is no bundle", where=str(folder / ABOUT), remedy=remedy)
    if about.get("schema") != SCHEMA:
        what = f"is a bundle of schema {about.get('schema')}, and this program knows {SCHEMA}"
        raise DataError(what, where=str(folder), remedy="upgrade: pip install --upgrade probatum")
    if about.get("digest") != digest_of(about):
        raise DataError("is not what was written: its digest differs", where=str(folder / ABOUT), remedy=remedy)
    if sha256((folder / ARRAYS).read_bytes()).hexdigest() != about["files"].get(ARRAYS):
        raise DataError("is not what was written: its sha256 differs", where=str(folder / ARRAYS), remedy=remedy)
    return about


def _arrays(file: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(file.read_bytes())
    except SafetensorError as error:
        raise DataError(f"cannot be read: {error}", where=str(file)) from None


def _column(column: Column, observed: Mapping[str, np.ndarray]) -> np.ndarray:
    values = observed[str(column.observation)]
    return values if column.level is None else (values == column.level).astype(np.float64)


def _dataset(about: Mapping[str, Any], observed: Mapping[str, np.ndarray], count: int) -> Dataset:
    """Cases whose quantities nobody knows."""
    quantities = tuple(Quantity(q["name"], q["unit"]) for q in about["quantities"])
    names = np.array([f"case {i + 1}" for i in range(count)])
    return Dataset(
        about["problem"]["kind"], about["task"], names, observed,
        {o["name"]: o["unit"] for o in about["observations"]}, quantities,
        Truth(np.full((count, len(quantities)), np.nan)), {}, Origin(), supervised=False,
    )  # fmt: skip
