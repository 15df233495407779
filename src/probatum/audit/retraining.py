"""Fits trained again and saved weights loaded again: can they be repeated, and what do they know?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from probatum.audit.history import Run
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.execution import Bench
from probatum.campaigns.fit_inputs import inputs_of
from probatum.campaigns.jobs import Job, JobFit, Place
from probatum.campaigns.ledgers.ledger import DONE, SCORED, ExperimentRecord, FitRecord
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.problems.problem import Dataset, Truth

POISON_SEED = 20
SPREADS = 3.0
"""How many standard deviations of each quantity the noise has that replaces the scored targets."""


def retrained(campaign: Campaign, runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs with what training one fit of each again shows: once as it was, once with poisoned targets.

    The poisoned fit sees other targets for the rows that it is scored on, and the same for all others. Blends are left
    out: they train nothing, and their components are looked at themselves.

    Args:
        campaign: that the runs are of.
        runs: finished or not.
    """
    return tuple(_retrained(campaign, run) for run in runs)


def rescored(campaign: Campaign, record: ExperimentRecord, prediction: StoredPrediction) -> np.ndarray | None:
    """What a fit's saved weights predict for the rows that it was scored on, [row, quantity].

    Args:
        campaign: that it is of.
        record: of its experiment.
        prediction: that was scored.

    Returns:
        None where no weights were kept, or where one estimator alone does not make the prediction.
    """
    recipe = Recipe.model_validate(record.recipe)
    if recipe.is_blend or recipe.ensemble.members > 1 or recipe.per_target:
        return None
    restore = getattr(recipe.learner.estimator_class(), "restore", None)
    weights = campaign.weights(prediction.key) if restore else {}
    if not weights:
        return None
    dataset = campaign.draws[prediction.task, prediction.draw].take(prediction.rows)
    inputs = inputs_of(campaign.file.problem, dataset, recipe.features)
    predicted = recipe.learner.build(recipe.parameters, prediction.seed).restore(weights).predict(inputs)
    return np.asarray(predicted, dtype=np.float64).reshape(len(prediction.rows), -1)


def _retrained(campaign: Campaign, run: Run) -> Run:
    records = [r for r in campaign.ledger.fits(run.name, SCORED) if r.status == DONE]
    recipe = next(Recipe.model_validate(e.recipe) for e in campaign.ledger.experiments() if e.name == run.name)
    if not records or recipe.is_blend:
        return run
    record = records[0]
    stored = next((t for t in run.trainings if (t.task, t.split, t.seed) == _place(record)), None)
    if stored is None or stored.prediction is None:
        return run
    _, test = campaign.split_rows(record.split)
    again = _difference(_trained(campaign, record, recipe, None), stored.prediction)
    if again != 0 or not campaign.draws[record.task, record.draw].supervised:
        return replace(run, retrained_difference=again)  # what cannot be repeated cannot be compared either
    poisoned = _difference(_trained(campaign, record, recipe, test), stored.prediction)
    return replace(run, retrained_difference=again, poisoned_difference=poisoned)


def _place(record: FitRecord) -> tuple[str, str, int]:
    return record.task, record.split_name, record.seed


def _trained(campaign: Campaign, record: FitRecord, recipe: Recipe, poisoned: np.ndarray | None) -> np.ndarray | None:
    """Predictions [row, quantity] of a fit trained again in this process; None where it fails."""
    split = campaign.ledger.split(record.split)
    fit = JobFit(record.key, recipe.canonical(), record.seed, Place(split.artifact, split.position))
    job = Job("retrained", record.task, record.draw, recipe.kind, 1, float("inf"), (fit,))

    def dataset(task: str, draw: int) -> Dataset:
        own = campaign.draws[task, draw]
        return own if poisoned is None else _poisoned(own, poisoned)

    (outcome,) = Bench(campaign.setup, dataset).outcomes(job)
    return None if outcome.error is not None else outcome.prediction


def _poisoned(dataset: Dataset, rows: np.ndarray) -> Dataset:
    """The dataset with noise for the truth of some rows."""
    truth = dataset.truth.open_for_scoring().copy()
    spread = np.nanstd(truth, axis=0)
    noise = np.random.default_rng(POISON_SEED).normal(size=(len(rows), truth.shape[1]))
    truth[rows] += SPREADS * np.where(spread > 0, spread, 1.0) * noise
    return replace(dataset, truth=Truth(truth))


def _difference(a: np.ndarray | None, b: np.ndarray | None) -> float | None:
    if a is None or b is None:
        return None
    return float(np.abs(a - b).max(initial=0.0) / (np.abs(b).max(initial=0.0) or 1.0))
