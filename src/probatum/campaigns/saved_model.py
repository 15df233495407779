"""A model that is kept: an experiment trained once more on all cases, in one file that predicts again.

The file is of safetensors, never pickle: the weights of every member, and as its metadata what they mean. So models
that keep no weights (trees, forests) cannot be saved, and blends are saved component by component.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from probatum.campaigns.artifacts import storage_errors
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.fit_inputs import feature_blocks, inputs_of, member_columns, row_weights
from probatum.campaigns.members import LOGIT_MEAN, member_seed
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import belonging, open_rows
from probatum.errors import CampaignFileError, DataError, FitError, UnknownNameError
from probatum.learning.ensembles import logit_mean
from probatum.learning.learner import RowSet, fit_many
from probatum.problems import registry
from probatum.problems.problem import Dataset, Problem

SCHEMA = "1"
SUFFIX = ".safetensors"


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A trained model with all that it needs to predict.

    Attributes:
        experiment, task: what was trained, and on what.
        problem_spec: (kind, options) that open the problem again.
        recipe: complete.
        quantities: what is predicted.
        data: digest of the dataset it was trained on.
        rows: how many cases of it.
        seed: of the first member.
        weights: [member][block of quantities] of name to array.
    """

    experiment: str
    task: str
    problem_spec: tuple[str, Mapping[str, Any]]
    recipe: Recipe
    quantities: tuple[str, ...]
    data: str
    rows: int
    seed: int
    weights: Sequence[Sequence[Mapping[str, np.ndarray]]]

    @cached_property
    def problem(self) -> Problem:
        """The problem, opened."""
        return registry.build(*self.problem_spec)

    def predict(self, dataset: Dataset) -> np.ndarray:
        """[case, quantity] float64 for cases of the same problem, such as those of another draw.

        Args:
            dataset: whose observations are looked at; its truth is not.

        Raises:
            DataError: a dataset of another problem, or of inputs of another shape.
        """
        if dataset.problem != self.problem_spec[0]:
            raise DataError(f"cases of {dataset.problem} for a model of {self.problem_spec[0]}")
        inputs = inputs_of(self.problem, dataset, self.recipe.features)
        members = np.stack([np.concatenate([self._of(block, inputs) for block in m], axis=1) for m in self.weights])
        return logit_mean(members) if self.recipe.ensemble.combine == LOGIT_MEAN else members.mean(axis=0)

    def _of(self, weights: Mapping[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
        columns = weights["inputs"].shape[1]
        if inputs.shape[1] != columns:
            raise DataError(f"{inputs.shape[1]} columns of inputs for a model of {columns}", where=self.experiment)
        estimator = self.recipe.learner.build(self.recipe.parameters, self.seed).restore(weights)
        return np.asarray(estimator.predict(inputs), dtype=np.float64).reshape(len(inputs), -1)


def train_model(
    campaign: Campaign, experiment: str, task: str | None = None, *, seed: int = 0, cores: int = 1
) -> SavedModel:
    """Trains an experiment of a campaign on all cases of a task but the held-out ones.

    Args:
        campaign: opened.
        experiment: by name.
        task: by name; needed where the campaign has several.
        seed: of the training.
        cores: that may be used.

    Raises:
        UnknownNameError: an experiment or a task that the campaign does not have.
        CampaignFileError: a model that keeps no weights, a blend, or several tasks and none named.
        FitError: the training failed.
    """
    campaign.require_trainable()
    where, datasets = campaign.file.path.name, campaign.datasets
    recipe = campaign.experiment(experiment).recipe
    if task is None and len(datasets) > 1:
        raise CampaignFileError("several tasks", where=where, remedy=f"choose one: {', '.join(datasets)}")
    task = next(iter(datasets)) if task is None else task
    if task not in datasets:
        raise UnknownNameError.of("task", task, datasets, where=where)
    dataset = datasets[task]
    if recipe.is_blend:
        raise CampaignFileError(f"'{experiment}' is a blend", where=where, remedy="save its components one by one")
    if not hasattr(recipe.learner.estimator_class(), "restore"):
        what = f"model '{recipe.kind}' of '{experiment}' keeps no weights"
        raise CampaignFileError(what, where=where, remedy="save a network; others train anew in seconds")
    protocol = campaign.file.protocol
    rows = open_rows(dataset, protocol)
    weights = trained_weights(recipe, campaign.file.problem, dataset, rows, protocol.group, seed, cores)
    spec = (campaign.file.problem_spec[0], dict(campaign.file.problem_spec[1]))
    return SavedModel(experiment, task, spec, recipe, dataset.quantity_names, dataset.digest, len(rows), seed, weights)


def trained_weights(
    recipe: Recipe, problem: Problem, dataset: Dataset, rows: np.ndarray, group: str | None, seed: int, cores: int
) -> list[list[Mapping[str, np.ndarray]]]:
    """[member][block of quantities] of weights that a recipe's learner gives when it is trained.

    Args:
        recipe: of a learner that has `restore`.
        problem, dataset: trained on.
        rows: [row] of the dataset.
        group: the protocol's grouping.
        seed: of the first member.
        cores: that may be used.

    Raises:
        FitError: a training failed.
    """
    blocks = feature_blocks(problem, dataset, recipe.features)
    inputs, widths = np.concatenate(list(blocks.values()), axis=1), {name: b.shape[1] for name, b in blocks.items()}
    together = belonging(dataset, group)
    seeds = [member_seed(seed, member) for member in range(recipe.ensemble.members)]
    row_sets = [
        RowSet(
            rows,
            rows[:1],
            one,
            None if together is None else together[rows],
            row_weights(recipe, dataset, rows),
            member_columns(recipe, widths, one),
        )
        for one in seeds
    ]
    estimators = [recipe.learner.build(recipe.parameters, one) for one in seeds]
    targets, count = dataset.targets(), len(dataset.quantities)
    parts = [[q] for q in range(count)] if recipe.per_target else [list(range(count))]
    trained = [fit_many(estimators, inputs, targets[:, p], row_sets, cores, quantities=len(p)) for p in parts]
    failed = next((o.error for outcomes in trained for o in outcomes if o.error is not None), None)
    if failed is not None:
        raise FitError(failed)
    return [[outcomes[member].weights for outcomes in trained] for member in range(len(seeds))]


def check_name(path: Path) -> None:
    """Refuses a file that no model can be written to.

    Raises:
        CampaignFileError: its name does not end with '.safetensors'.
    """
    if path.suffix != SUFFIX:
        raise CampaignFileError(f"'{path.name}' is no name of a model", where=str(path), remedy=f"end it with {SUFFIX}")


def write_model(model: SavedModel, path: Path) -> None:
    """Writes a model whole or not at all.

    Raises:
        CampaignFileError: the file's name does not end with '.safetensors'.
        StorageError: it cannot be written.
    """
    from safetensors.numpy import save

    check_name(path)
    tensors = {
        f"{m}/{b}/{name}": np.ascontiguousarray(array)
        for m, member in enumerate(model.weights)
        for b, block in enumerate(member)
        for name, array in block.items()
    }
    about = {
        "schema": SCHEMA,
        "experiment": model.experiment,
        "task": model.task,
        "problem": model.problem_spec[0],
        "options": json.dumps(model.problem_spec[1], sort_keys=True),
        "recipe": json.dumps(model.recipe.canonical(), sort_keys=True),
        "quantities": json.dumps(model.quantities),
        "data": model.data,
        "rows": str(model.rows),
        "seed": str(model.seed),
    }
    with storage_errors(path.parent):
        partial = path.with_name(f".{path.name}.partial")
        partial.write_bytes(save(tensors, metadata=about))
        os.replace(partial, path)


def read_model(path: Path) -> SavedModel:
    """The model that `write_model` wrote.

    Raises:
        DataError: no such file, or none of a model.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            if about.get("schema") != SCHEMA:
                raise ValueError("no model of this program")
            members: dict[int, dict[int, dict[str, np.ndarray]]] = {}
            for key in file.keys():  # noqa: SIM118
                m, b, name = key.split("/", 2)
                members.setdefault(int(m), {}).setdefault(int(b), {})[name] = file.get_tensor(key)
        return SavedModel(
            about["experiment"],
            about["task"],
            (about["problem"], json.loads(about["options"])),
            Recipe.model_validate(json.loads(about["recipe"])),
            tuple(json.loads(about["quantities"])),
            about["data"],
            int(about["rows"]),
            int(about["seed"]),
            [[blocks[b] for b in sorted(blocks)] for _, blocks in sorted(members.items())],
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise DataError(f"no model: {error}", where=str(path), remedy="write one: probatum save") from None
