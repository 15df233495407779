"""Carries a job out: reads cases and rows, trains, scores, and writes what the fits keep."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from probatum.campaigns.artifact_arrays import fit_arrays, layout, stored_prediction, stored_rows, stored_spread
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.fit_inputs import feature_blocks, member_columns, row_weights
from probatum.campaigns.jobs import Job, JobFit, Place, Setup
from probatum.campaigns.ledgers.ledger import FitResult
from probatum.campaigns.members import joined, member_seed
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import belonging
from probatum.learning.blends import blend, blended_spread, simplex_weights, simplex_weights_by_quantity
from probatum.learning.ensembles import Stack
from probatum.learning.learner import FitOutcome, RowSet, fit_many
from probatum.learning.metrics import Metric, metric
from probatum.problems import registry
from probatum.problems.problem import Dataset, Problem


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
            The results of the fits that succeeded, their artifacts on the disk; and (key, traceback) of those that did
            not.

        Raises:
            StorageError: an artifact cannot be written.
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
        # Fits share their artifact with those of their layout alone, so that what is kept does not depend on company.
        alike: dict[Hashable, list[tuple[JobFit, np.ndarray, FitOutcome]]] = {}
        for one in good:
            alike.setdefault(layout(one[2]), []).append(one)
        results: list[FitResult] = []
        for some in alike.values():
            arrays = fit_arrays([test for _, test, _ in some], [o for *_, o in some], weights)
            artifact = self.store.write_arrays(arrays)
            for position, (fit, test, o) in enumerate(some):
                scores = fit_scores(self.metric, dataset, test, o.prediction)
                results.append(FitResult(fit.key, o.seconds, artifact, position, scores, len(test)))
        return tuple(results), failures

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

    # ------------------------------------------------------------------ rows and files

    def _rows(self, place: Place) -> tuple[np.ndarray, np.ndarray]:
        """(train, test) row indices of a stored split."""
        return stored_rows(self._read(place.artifact), place.position)


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
    by = combination(recipe, len(predictions), out_of_fold)
    if isinstance(by, Stack):
        return by.predict(predictions), None, by.coefficients
    chosen = recipe.model.get("spread")
    told = [s if chosen is None or number in chosen else None for number, s in enumerate(spreads)]
    return blend(predictions, by), blended_spread(predictions, told, by), by


def combination(
    recipe: Recipe, components: int, out_of_fold: Callable[[], tuple[np.ndarray, np.ndarray]]
) -> np.ndarray | Stack:
    """How a blend puts predictions together: weights, [component] or [component, quantity], or a linear model.

    Args:
        recipe: of the blend.
        components: how many.
        out_of_fold: as for `blended`.
    """
    given = recipe.model.get("weights", "equal")
    if given == "stack":
        return Stack.learned(*out_of_fold(), alpha=float(recipe.model.get("alpha", 1.0)))
    if given == "inner":
        best = simplex_weights_by_quantity if recipe.per_target else simplex_weights
        return best(*out_of_fold())
    return np.ones(components) if given == "equal" else np.array(given, dtype=np.float64)


def fit_scores(metric: Metric, dataset: Dataset, rows: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """What a fit scores: quantity to the metric's value.

    Args:
        metric: the protocol's.
        dataset: that has the truth.
        rows: [row] of the dataset that were predicted.
        prediction: [row, quantity].
    """
    truth = dataset.truth.open_for_scoring()[rows]
    return {
        name: float(metric.score(truth[:, [q]], prediction[:, [q]])) for q, name in enumerate(dataset.quantity_names)
    }


def _side_by_side(width: int) -> AbstractContextManager[None]:
    from probatum.learning.replicas import at_most  # loads the compiler, which other jobs do without

    return at_most(width)
