"""Carries a job out: reads cases and rows, trains, scores, writes one artifact."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.fit_inputs import feature_blocks, member_columns, row_weights
from probatum.campaigns.jobs import Job, JobFit, Place, Setup
from probatum.campaigns.ledger import FitResult
from probatum.campaigns.members import joined, member_seed
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import belonging
from probatum.learning.blends import blend, blended_spread, simplex_weights, simplex_weights_by_quantity
from probatum.learning.ensembles import Stack
from probatum.learning.learner import FitOutcome, RowSet, fit_many
from probatum.learning.metrics import metric
from probatum.problems import registry
from probatum.problems.problem import Dataset, Problem

UNREAD = "unread"
"""Name of the parameters in an artifact that no fit of the job looked at."""
CURVE = "curve/"
"""What the names of curves begin with in an artifact."""


class Bench:
    """Where jobs of one campaign are carried out; keeps what they share.

    Args:
        setup: of the campaign.
        dataset: (task, draw) to cases; default: the problem's.
        problem: that cases and features come from; default: the one that the setup names.
    """

    def __init__(
        self,
        setup: Setup,
        dataset: Callable[[str, int], Dataset] | None = None,
        problem: Problem | None = None,
    ):
        self.store = ArtifactStore(Path(setup.store))
        self.problem = problem or registry.build(setup.problem["kind"], setup.problem["options"])
        self.metric = metric(setup.metric)
        self.group = setup.group
        self._read = lru_cache(maxsize=64)(self.store.read_arrays)
        self._dataset = lru_cache(maxsize=8)(dataset or self.problem.dataset)
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
        rows = [self._rows(fit.split) for fit in job.fits]
        outcomes = self.outcomes(job)
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

    def outcomes(self, job: Job) -> list[FitOutcome]:
        """Trains a job's fits and stores nothing."""
        if Recipe.model_validate(job.fits[0].recipe).is_blend:
            return self._blend(job, self._dataset(job.task, job.draw))
        recipes = [Recipe.model_validate(fit.recipe) for fit in job.fits]
        rows = [self._rows(fit.split) for fit in job.fits]
        with nullcontext() if job.width is None else _side_by_side(job.width):
            return self.train(job.task, job.draw, recipes, [fit.seed for fit in job.fits], rows, job.cores)

    # ------------------------------------------------------------------ training

    def train(
        self,
        task: str,
        draw: int,
        recipes: Sequence[Recipe],
        seeds: Sequence[int],
        rows: Sequence[tuple[np.ndarray, np.ndarray]],
        cores: int,
    ) -> list[FitOutcome]:
        """Trains fits that may share a job, none of them a blend.

        Args:
            task, draw: of the cases.
            recipes, seeds: of the fits.
            rows: [fit] rows that train and rows that are predicted.
            cores: that may be used.
        """
        dataset = self._dataset(task, draw)
        inputs, widths = self._inputs(task, draw, recipes[0].features)
        together = belonging(dataset, self.group)
        estimators, row_sets, owner = [], [], []
        for i, (own_seed, recipe) in enumerate(zip(seeds, recipes, strict=True)):
            for member in range(recipe.ensemble.members):
                seed = member_seed(own_seed, member)
                estimators.append(recipe.learner.build(recipe.parameters, seed))
                train, test = rows[i]
                groups = None if together is None else together[train]
                weights = row_weights(recipe, dataset, train)
                row_sets.append(RowSet(train, test, seed, groups, weights, member_columns(recipe, widths, seed)))
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
                cores,
                quantities=len(some),
            )
            for some in columns
        ]
        return [
            joined([[part[j] for part in parts] for j in range(len(owner)) if owner[j] == i], recipe.ensemble.combine)
            for i, recipe in enumerate(recipes)
        ]

    def _compute_inputs(self, task: str, draw: int, features: tuple[str, ...]) -> tuple[np.ndarray, Mapping[str, int]]:
        """[case, column], and how many columns each feature has."""
        blocks = feature_blocks(self.problem, self._dataset(task, draw), features)
        return np.concatenate(list(blocks.values()), axis=1), {name: b.shape[1] for name, b in blocks.items()}

    # ------------------------------------------------------------------ blending

    def _blend(self, job: Job, dataset: Dataset) -> list[FitOutcome]:
        outcomes = []
        for fit in job.fits:
            started = time.perf_counter()
            recipe, predictions = Recipe.model_validate(fit.recipe), self._predictions(fit.components)
            spreads, out_of_fold = self._spreads(fit.components), partial(self._out_of_fold, fit, dataset)
            prediction, spread, weights = blended(recipe, predictions, spreads, out_of_fold)
            seconds = time.perf_counter() - started
            outcomes.append(FitOutcome(prediction, seconds, spread, curves={"weights": weights.astype(np.float32)}))
        return outcomes

    def _out_of_fold(self, fit: JobFit, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
        """The components' predictions [component, row, quantity] for inner test rows, and their truth."""
        predictions = np.concatenate([self._predictions(parts) for _, parts in fit.inner], axis=1)
        rows = np.concatenate([self._rows(split)[1] for split, _ in fit.inner])
        return predictions, dataset.targets()[rows]

    def _predictions(self, places: Sequence[Place]) -> np.ndarray:
        """[component, row, quantity] of stored predictions."""
        return np.stack([stored_prediction(self._read(p.artifact), p.position)[1] for p in places])

    def _spreads(self, places: Sequence[Place]) -> list[np.ndarray | None]:
        """[component] stored spreads, None where a component has none."""
        return [stored_spread(self._read(p.artifact), p.position) for p in places]

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
        if any(o.spread is not None for o in outcomes):
            spreads = [np.full_like(o.prediction, np.nan) if o.spread is None else o.spread for o in outcomes]
            arrays["spread"] = np.concatenate(spreads)
        if any(o.width is not None for o in outcomes):
            arrays["width"] = np.array([o.width or 0 for o in outcomes], dtype=np.int32)
        ignored = set.intersection(*(set(o.unread) for o in outcomes))
        if ignored:
            arrays[UNREAD] = np.array(sorted(ignored))
        for name in outcomes[0].curves:
            if len({np.shape(o.curves.get(name, ())) for o in outcomes}) == 1:
                arrays[f"{CURVE}{name}"] = np.stack([o.curves[name] for o in outcomes])
        return self.store.write_arrays(arrays)


def blended(
    recipe: Recipe,
    predictions: np.ndarray,
    spreads: Sequence[np.ndarray | None],
    out_of_fold: Callable[[], tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """What a blend predicts, with its spread where it has one, and the weights of its components.

    Args:
        recipe: of the blend.
        predictions: [component, row, quantity] of its components.
        spreads: [component] of [row, quantity], None where a component has none.
        out_of_fold: gives the components' predictions [component, row, quantity] inside the training fold, and the
            truth of these rows; called where weights are learned from them.
    """
    model = recipe.model
    given = model.get("weights", "equal")
    if given == "stack":
        stack = Stack.learned(*out_of_fold(), alpha=float(model.get("alpha", 1.0)))
        return stack.predict(predictions), None, stack.coefficients
    if given == "inner":
        best = simplex_weights_by_quantity if recipe.per_target else simplex_weights
        weights = best(*out_of_fold())
    else:
        weights = np.ones(len(predictions)) if given == "equal" else np.array(given, dtype=np.float64)
    chosen = model.get("spread")
    told = [s if chosen is None or number in chosen else None for number, s in enumerate(spreads)]
    return blend(predictions, weights), blended_spread(predictions, told, weights), weights


def stored_prediction(arrays: dict[str, np.ndarray], position: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows [row], prediction [row, quantity]) of one fit in a job's artifact."""
    part = slice(arrays["offsets"][position], arrays["offsets"][position + 1])
    return arrays["rows"][part], arrays["prediction"][part]


def stored_spread(arrays: dict[str, np.ndarray], position: int) -> np.ndarray | None:
    """Predictive standard deviations [row, quantity] of one fit in a job's artifact; None where it has none."""
    if "spread" not in arrays:
        return None
    spread = arrays["spread"][arrays["offsets"][position] : arrays["offsets"][position + 1]]
    return None if np.isnan(spread).all() else spread


def stored_width(arrays: dict[str, np.ndarray], position: int) -> int | None:
    """Fits that ran side by side in the program of one fit in a job's artifact; None where it was not fused.

    Less than `probatum.learning.replicas.chunk_width` where memory did not suffice; another width may round otherwise,
    so that later fits of the experiment are given it (`Job.width`).
    """
    return int(arrays["width"][position]) or None if "width" in arrays else None


def stored_curves(arrays: dict[str, np.ndarray], position: int) -> dict[str, np.ndarray]:
    """Name to [epoch] of one fit in a job's artifact."""
    return {name.removeprefix(CURVE): array[position] for name, array in arrays.items() if name.startswith(CURVE)}


def stored_rows(arrays: dict[str, np.ndarray], position: int) -> tuple[np.ndarray, np.ndarray]:
    """(train, test) row indices of one split in an artifact of splits."""
    sides = []
    for side in ("train", "test"):
        offsets = arrays[f"{side}_offsets"]
        sides.append(arrays[side][offsets[position] : offsets[position + 1]].astype(np.int64))
    return sides[0], sides[1]


def _side_by_side(width: int) -> AbstractContextManager[None]:
    from probatum.learning.replicas import at_most  # loads the compiler, which other jobs do without

    return at_most(width)
