"""Trains an experiment once more on all cases, and writes it as a bundle that predicts without the campaign."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from probatum.campaigns.artifacts import storage_errors
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.fit_inputs import feature_blocks
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import open_rows
from probatum.errors import CampaignFileError, DataError, UnknownNameError
from probatum.interop.bundle import ABOUT, ARRAYS, SCHEMA, Bundle, Column, digest_of, load_bundle
from probatum.interop.bundle_training import BundleTraining
from probatum.interop.plain_models import FORMS, Arrays, can_be_kept
from probatum.planning.round_file import replace_text
from probatum.problems.problem import Dataset, Ragged
from probatum.problems.table import CATEGORIES, NUMBERS, Table
from probatum.version import __version__


def write_bundle(
    campaign: Campaign, experiment: str, folder: Path, task: str | None = None, *, seed: int = 0, cores: int = 1
) -> Bundle:
    """Trains an experiment on all cases of a task but the held-out ones, and writes a bundle that predicts the same.

    Args:
        campaign: opened.
        experiment: by name.
        folder: made where it is not there; a bundle in it is replaced.
        task: by name; needed where the campaign has several.
        seed: of the training.
        cores: that may be used.

    Returns:
        The bundle, read back.

    Raises:
        UnknownNameError: an experiment or a task that the campaign does not have.
        CampaignFileError: a model that cannot be kept as arrays, several tasks and none named, imported runs, or a
            folder that holds something else.
        FitError: the training failed.
        StorageError: it cannot be written.
    """
    campaign.require_trainable()
    where = campaign.file.path.name
    recipes = {e.name: e.recipe for e in campaign.experiments}
    if experiment not in recipes:
        raise UnknownNameError.of("experiment", experiment, recipes, where=where)
    recipe = recipes[experiment]
    _check_kept(experiment, recipe, where)
    _check_folder(folder)
    dataset = _dataset_of(campaign, task, where)
    rows = open_rows(dataset, campaign.file.protocol)
    features = tuple(dict.fromkeys(feature for leaf in _leaves(recipe) for feature in leaf.features))
    blocks = feature_blocks(campaign.file.problem, dataset, features)
    inputs = np.concatenate(list(blocks.values()), axis=1)
    widths = {name: block.shape[1] for name, block in blocks.items()}
    part = BundleTraining(campaign, dataset, rows, inputs, widths, cores).part(recipe, seed)
    about = _about(campaign, experiment, dataset, recipe, seed, rows)
    about["features"] = list(features)
    about["columns"] = [vars(c) for c in _columns(campaign, dataset, inputs, rows, widths)]
    about["seen"] = part.columns()
    _write(folder, about, dict(part.arrays()))
    bundle = load_bundle(folder)
    if not np.array_equal(bundle.predict_inputs(inputs[rows]), part.predict(inputs[rows])):
        raise DataError("does not predict what was written", where=str(folder))
    return bundle


def _leaves(recipe: Recipe) -> Iterator[Recipe]:
    """The recipes of the models that a recipe trains: its own, or those of a blend's components."""
    if recipe.is_blend:
        for component in recipe.components:
            yield from _leaves(component)
    else:
        yield recipe


def _check_kept(experiment: str, recipe: Recipe, where: str) -> None:
    for leaf in _leaves(recipe):
        if not can_be_kept(leaf):
            what = f"model '{leaf.kind}' of '{experiment}' is code, and cannot be kept as plain arrays"
            remedy = f"these can: {', '.join(FORMS)}, gaussian_process, networks, and blends of these"
            raise CampaignFileError(what, where=where, remedy=remedy)


def _check_folder(folder: Path) -> None:
    """Refuses a folder that holds what is no bundle."""
    if folder.is_file() or (folder.is_dir() and {f.name for f in folder.iterdir()} - {ABOUT, ARRAYS}):
        what = "is a file" if folder.is_file() else "holds other files"
        raise CampaignFileError(what, where=str(folder), remedy="name a new folder")


def _dataset_of(campaign: Campaign, task: str | None, where: str) -> Dataset:
    datasets = campaign.datasets
    if task is None and len(datasets) > 1:
        raise CampaignFileError("several tasks", where=where, remedy=f"choose one: --task {' | '.join(datasets)}")
    task = next(iter(datasets)) if task is None else task
    if task not in datasets:
        raise UnknownNameError.of("task", task, datasets, where=where)
    return datasets[task]


def _about(
    campaign: Campaign, experiment: str, dataset: Dataset, recipe: Recipe, seed: int, rows: np.ndarray
) -> dict[str, Any]:
    kind, options = campaign.file.problem_spec
    shown = {} if kind == Table.name else dict(options)  # a table's own path is nobody else's
    return {
        "schema": SCHEMA,
        "program": f"probatum {__version__}",
        "experiment": experiment,
        "campaign": {
            "file": campaign.file.path.name,
            "sha256": sha256(campaign.file.path.read_bytes()).hexdigest(),
            "protocol": campaign.file.protocol.digest(),
        },
        "problem": {"kind": kind, "options": shown, "question": campaign.file.problem.question},
        "task": dataset.task,
        "data": {"digest": dataset.digest, "rows": len(rows), "files": dict(dataset.origin.files)},
        "recipe": recipe.canonical(),
        "recipe_digest": recipe.digest(),
        "seed": seed,
        "quantities": [
            {"name": q.name, "unit": q.unit, "lower": q.lower, "upper": q.upper} for q in dataset.quantities
        ],
        "observations": [_observation(name, o, dataset, rows) for name, o in dataset.observations.items()],
    }


def _observation(name: str, observation: Any, dataset: Dataset, rows: np.ndarray) -> dict[str, Any]:
    said: dict[str, Any] = {"name": name, "unit": dataset.units.get(name, "1")}
    if isinstance(observation, Ragged):
        return said | {"text": False, "shape": None}
    values = observation[rows]
    if values.dtype.kind in "OU":
        return said | {"text": True, "shape": [], "levels": sorted(set(map(str, values.ravel().tolist())))[:1000]}
    of_one = values.ndim == 1
    limits = {"low": float(values.min()), "high": float(values.max())} if of_one else {}
    return said | {"text": False, "shape": list(values.shape[1:])} | limits


def _columns(
    campaign: Campaign, dataset: Dataset, inputs: np.ndarray, rows: np.ndarray, widths: Mapping[str, int]
) -> list[Column]:
    """What each column of the inputs is: of a table, plain enough to be made without it."""
    plain = (
        [p for name in widths for p in _plain_columns(name, dataset)] if campaign.file.problem.name == "table" else []
    )
    named = [name if width == 1 else f"{name}[{i}]" for name, width in widths.items() for i in range(width)]
    low, high = inputs[rows].min(axis=0).tolist(), inputs[rows].max(axis=0).tolist()
    if not plain:
        return [Column(name, a, b) for name, a, b in zip(named, low, high, strict=True)]
    found = []
    for (observation, level), a, b, column in zip(plain, low, high, inputs.T, strict=True):
        values = np.asarray(dataset.observations[observation])
        made = values if level is None else (values == level).astype(np.float64)
        if not np.array_equal(made, column):
            raise DataError(f"column '{observation}' is not made as it seems to be", where=dataset.problem)
        found.append(Column(observation if level is None else f"{observation} = {level}", a, b, observation, level))
    return found


def _plain_columns(feature: str, dataset: Dataset) -> list[tuple[str, str | None]]:
    """(observation, level) of each column of a table's feature; level None for numbers."""
    kinds = {name: np.asarray(o).dtype.kind in "OU" for name, o in dataset.observations.items()}
    names = {
        NUMBERS: [n for n, text in kinds.items() if not text],
        CATEGORIES: [n for n, text in kinds.items() if text],
    }
    found: list[tuple[str, str | None]] = []
    for name in names.get(feature) or [feature]:
        levels = sorted(set(np.asarray(dataset.observations[name]).tolist())) if kinds[name] else [None]
        found += [(name, level) for level in levels]
    return found


def _write(folder: Path, about: dict[str, Any], arrays: Arrays) -> None:
    from safetensors.numpy import save

    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    about["files"] = {ARRAYS: sha256(content).hexdigest()}
    about["digest"] = digest_of(about)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{ARRAYS}.partial"
        partial.write_bytes(content)
        os.replace(partial, folder / ARRAYS)
    replace_text(folder / ABOUT, json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
