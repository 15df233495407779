"""Carries a job out: reads cases and rows, trains, scores, writes one artifact."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.jobs import Job, JobFit, Place, Setup
from probatum.campaigns.ledger import FitResult
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import belonging
from probatum.errors import DataError
from probatum.learning.blends import blend, simplex_weights
from probatum.learning.learner import FitOutcome, RowSet, fit_many
from probatum.learning.metrics import metric
from probatum.problems import registry
from probatum.problems.problem import Dataset


class Bench:
    """Where jobs of one campaign are carried out; keeps what they share.

    Args:
        setup: of the campaign.
    """

    def __init__(self, setup: Setup):
        self.store = ArtifactStore(Path(setup.store))
        self.problem = registry.build(setup.problem["kind"], setup.problem["options"])
        self.metric = metric(setup.metric)
        self.group = setup.group
        self._read = lru_cache(maxsize=64)(self.store.read_arrays)
        self._dataset = lru_cache(maxsize=8)(self.problem.dataset)
        self._inputs = lru_cache(maxsize=8)(self._compute_inputs)

    def carry_out(self, job: Job) -> tuple[tuple[FitResult, ...], tuple[tuple[str, str], ...]]:
        """Trains and scores a job's fits and stores their predictions.

        Returns:
            The results of the fits that succeeded, their artifact on the disk; and (key, traceback) of those that did
            not.

        Raises:
            StorageError: the artifact cannot be written.
        """
        dataset = self._dataset(job.task, job.draw)
        blends = Recipe.model_validate(job.fits[0].recipe).is_blend
        rows = [self._rows(fit.split) for fit in job.fits]
        outcomes = self._blend(job, dataset) if blends else self._train(job, dataset, rows)
        failures = tuple((f.key, o.error) for f, o in zip(job.fits, outcomes, strict=True) if o.error is not None)
        good = [(f, test, o) for f, (_, test), o in zip(job.fits, rows, outcomes, strict=True) if o.error is None]
        if not good:
            return (), failures
        tensors = {f"{fit.key}/{name}": array for fit, _, o in good for name, array in o.weights.items()}
        weights = self.store.write_tensors(tensors) if job.keep_weights and tensors else None
        artifact = self._write([test for _, test, _ in good], [o for _, _, o in good], weights)
        results = tuple(
            FitResult(fit.key, o.seconds, artifact, i, self._scores(dataset, test, o.prediction), len(test))
            for i, (fit, test, o) in enumerate(good)
        )
        return results, failures

    # ------------------------------------------------------------------ training

    def _train(self, job: Job, dataset: Dataset, rows: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[FitOutcome]:
        recipes = [Recipe.model_validate(fit.recipe) for fit in job.fits]
        inputs = self._inputs(job.task, job.draw, recipes[0].features)
        together = belonging(dataset, self.group)
        estimators, row_sets, owner = [], [], []
        for i, (fit, recipe) in enumerate(zip(job.fits, recipes, strict=True)):
            for member in range(recipe.ensemble.members):
                seed = member_seed(fit.seed, member)
                estimators.append(recipe.learner.build(recipe.parameters, seed))
                train, test = rows[i]
                row_sets.append(RowSet(train, test, seed, None if together is None else together[train]))
                owner.append(i)
        apart = recipes[0].per_target or not recipes[0].learner.joint
        quantities = range(len(dataset.quantities))
        columns = [[q] for q in quantities] if apart else [list(quantities)]
        targets = dataset.targets() if dataset.supervised else None
        parts = [
            fit_many(
                estimators,
                inputs,
                None if targets is None else targets[:, some],
                row_sets,
                job.cores,
                quantities=len(some),
            )
            for some in columns
        ]
        return [
            _joined([[part[j] for part in parts] for j in range(len(owner)) if owner[j] == i])
            for i in range(len(job.fits))
        ]

    def _compute_inputs(self, task: str, draw: int, features: tuple[str, ...]) -> np.ndarray:
        """[case, column] float64: the features side by side."""
        dataset = self._dataset(task, draw)
        blocks = []
        for name in features:
            block = np.asarray(self.problem.features[name].compute(dataset), dtype=np.float64)
            block = block.reshape(len(dataset), -1)
            if not np.isfinite(block).all():
                case = dataset.cases[np.flatnonzero(~np.isfinite(block).all(axis=1))[0]]
                raise DataError(f"feature '{name}' is not finite for case '{case}'", where=f"{dataset.problem}/{task}")
            blocks.append(block)
        return np.concatenate(blocks, axis=1)

    # ------------------------------------------------------------------ blending

    def _blend(self, job: Job, dataset: Dataset) -> list[FitOutcome]:
        outcomes = []
        for fit in job.fits:
            started = time.perf_counter()
            weights = self._weights(fit, dataset)
            prediction = blend(self._predictions(fit.components), weights)
            seconds = time.perf_counter() - started
            outcomes.append(FitOutcome(prediction, seconds, curves={"weights": weights.astype(np.float32)}))
        return outcomes

    def _weights(self, fit: JobFit, dataset: Dataset) -> np.ndarray:
        given = Recipe.model_validate(fit.recipe).model.get("weights", "equal")
        if given == "inner":
            predictions = np.concatenate([self._predictions(parts) for _, parts in fit.inner], axis=1)
            rows = np.concatenate([self._rows(split)[1] for split, _ in fit.inner])
            return simplex_weights(predictions, dataset.targets()[rows])
        return np.ones(len(fit.components)) if given == "equal" else np.array(given, dtype=np.float64)

    def _predictions(self, places: Sequence[Place]) -> np.ndarray:
        """[component, row, quantity] of stored predictions."""
        return np.stack([stored_prediction(self._read(p.artifact), p.position)[1] for p in places])

    # ------------------------------------------------------------------ rows, scores, files

    def _rows(self, place: Place) -> tuple[np.ndarray, np.ndarray]:
        """(train, test) row indices of a stored split."""
        return stored_rows(self._read(place.artifact), place.position)

    def _scores(self, dataset: Dataset, test: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
        truth = dataset.truth.open_for_scoring()[test]
        return {
            name: float(self.metric.score(truth[:, [q]], prediction[:, [q]]))
            for q, name in enumerate(dataset.quantity_names)
        }

    def _write(self, tests: Sequence[np.ndarray], outcomes: Sequence[FitOutcome], weights: str | None) -> str:
        arrays = {
            "offsets": np.concatenate([[0], np.cumsum([len(t) for t in tests])]).astype(np.int64),
            "rows": np.concatenate(tests).astype(np.int32),
            "prediction": np.concatenate([o.prediction for o in outcomes]),
        }
        if weights is not None:
            arrays["weights"] = np.array(weights)  # the name of their artifact
        if all(o.spread is not None for o in outcomes):
            arrays["spread"] = np.concatenate([o.spread for o in outcomes])  # type: ignore[misc]
        for name in outcomes[0].curves:
            if len({np.shape(o.curves.get(name, ())) for o in outcomes}) == 1:
                arrays[f"curve/{name}"] = np.stack([o.curves[name] for o in outcomes])
        return self.store.write_arrays(arrays)


def stored_prediction(arrays: dict[str, np.ndarray], position: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows [row], prediction [row, quantity]) of one fit in a job's artifact."""
    part = slice(arrays["offsets"][position], arrays["offsets"][position + 1])
    return arrays["rows"][part], arrays["prediction"][part]


def stored_rows(arrays: dict[str, np.ndarray], position: int) -> tuple[np.ndarray, np.ndarray]:
    """(train, test) row indices of one split in an artifact of splits."""
    sides = []
    for side in ("train", "test"):
        offsets = arrays[f"{side}_offsets"]
        sides.append(arrays[side][offsets[position] : offsets[position + 1]].astype(np.int64))
    return sides[0], sides[1]


def member_seed(seed: int, member: int) -> int:
    """The seed of an ensemble's member; the first one trains as the fit without an ensemble would."""
    return seed if member == 0 else int(np.random.SeedSequence([seed, member]).generate_state(1)[0] >> 1)


def _joined(members: list[list[FitOutcome]]) -> FitOutcome:
    """One outcome of [member][block of quantities]: blocks side by side, members averaged."""
    failed = next((block for member in members for block in member if block.error is not None), None)
    if failed is not None:
        return failed
    sides = [np.concatenate([block.prediction for block in member], axis=1) for member in members]
    seconds = sum(block.seconds for member in members for block in member)
    single = len(members) == 1 and len(members[0]) == 1
    only = members[0][0]
    return FitOutcome(
        np.mean(sides, axis=0) if len(sides) > 1 else sides[0],
        seconds,
        only.spread if single else None,
        only.curves if single else {},
        {
            f"member{m}/block{b}/{name}" if not single else name: array
            for m, member in enumerate(members)
            for b, block in enumerate(member)
            for name, array in block.weights.items()
        },
    )
