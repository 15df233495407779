"""Predictions for cases that nobody measured: an experiment trained on all cases but the held-out ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.execution import Bench, blended
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import Split, inner_splits, open_rows
from probatum.errors import DataError, FitError, UnknownNameError
from probatum.learning.ensembles import mixture
from probatum.learning.learner import FitOutcome
from probatum.problems.problem import Dataset, Ragged, Truth


@dataclass(frozen=True, eq=False)
class NewPredictions:
    """What an experiment says of new cases.

    Attributes:
        quantities: (name, unit) of each.
        mean: [case, quantity] float64, over the seeds.
        spread: [case, quantity] float64 predictive standard deviation, of the seeds and of what the learner tells
            itself; None where one training is all there is and it tells nothing.
        outside: [case] names of observations that lie beyond all training cases.
        rows: cases that were trained on.
        seeds: trainings.
    """

    quantities: tuple[tuple[str, str], ...]
    mean: np.ndarray
    spread: np.ndarray | None
    outside: tuple[tuple[str, ...], ...]
    rows: int
    seeds: int


def predict_new(
    campaign: Campaign,
    experiment: str,
    cases: Sequence[Mapping[str, Any]],
    task: str | None = None,
    *,
    cores: int = 1,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> NewPredictions:
    """Trains an experiment with every seed of the protocol, and predicts new cases.

    Args:
        campaign: opened.
        experiment: by name.
        cases: each with a value for every observation of the problem; for a table, for every input column.
        task: by name; default: the first.
        cores: that may be used.
        tell: called with (trainings that are done, all) after each.

    Raises:
        UnknownNameError: an experiment, task or observation that does not exist.
        DataError: a value that is missing or of the wrong kind, or observations that are not one array a case.
        FitError: a training failed.
    """
    campaign.require_trainable()
    where, datasets = campaign.file.path.name, campaign.datasets
    recipe = campaign.experiment(experiment).recipe
    task = next(iter(datasets)) if task is None else task
    if task not in datasets:
        raise UnknownNameError.of("task", task, datasets, where=where)
    known, protocol = datasets[task], campaign.file.protocol
    observations = observations_of(known, cases)
    train = open_rows(known, protocol)
    together = extended(known, observations)
    queries = np.arange(len(known), len(together))
    bench = Bench(campaign.setup, lambda _, __: together)
    split = Split(task, 0, "new cases", train, queries, known.digest)
    count = 1 if recipe.deterministic else protocol.seeds
    outcomes = []
    for seed in range(count):
        outcomes.append(_outcome(bench, recipe, split, seed, together, campaign, cores))
        tell(seed + 1, count)
    predictions = np.stack([o.prediction for o in outcomes])
    own = [o.spread for o in outcomes if o.spread is not None]
    mean, spread = mixture(predictions, np.stack(own) if len(own) == count else None)
    told = spread if count > 1 or own else None
    outside = outside_of(known, train, observations)
    return NewPredictions(tuple((q.name, q.unit) for q in known.quantities), mean, told, outside, len(train), count)


def observations_of(dataset: Dataset, cases: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Name to [case, ...] of new cases, of the kinds and shapes that a dataset has.

    Raises:
        UnknownNameError: an observation that the dataset does not have.
        DataError: a case without one, a value of another kind or shape, or observations of unequal length.
    """
    if not cases:
        raise DataError("no cases to predict", remedy="give one at least")
    found: dict[str, list[Any]] = {name: [] for name in dataset.observations}
    for number, case in enumerate(cases):
        where = f"case {number + 1}"
        for name in case:
            if name not in found:
                raise UnknownNameError.of("observation", str(name), found, where=where)
        for name, values in found.items():
            if name not in case:
                raise DataError(f"no '{name}'", where=where, remedy=f"give each of {', '.join(found)}")
            values.append(_as_observed(dataset, name, case[name], where))
    return {name: np.stack(values) for name, values in found.items()}


def _as_observed(dataset: Dataset, name: str, value: Any, where: str) -> np.ndarray:
    known = dataset.observations[name]
    if isinstance(known, Ragged):
        remedy = "use the problem's own command"
        raise DataError(f"'{name}' is a curve of its own length in every case", where=where, remedy=remedy)
    of_text = known.dtype.kind in "OU"
    try:
        given = np.asarray(value, dtype=np.str_ if of_text else np.float64)
    except (TypeError, ValueError, OverflowError):
        given = None
    kind = "text" if of_text else "a number" if known.ndim == 1 else f"numbers of shape {known.shape[1:]}"
    right = given is not None and given.shape == known.shape[1:] and isinstance(value, str) == of_text
    if given is None or not right or isinstance(value, bool) or (not of_text and not np.isfinite(given).all()):
        raise DataError(f"{name} = {str(value)[:60]!r} is not {kind}", where=where, remedy="correct it")
    return given


def extended(dataset: Dataset, observations: Mapping[str, np.ndarray]) -> Dataset:
    """A dataset with new cases after its own; nobody knows their truth, and they belong to no group of the others.

    Args:
        dataset: that is trained on.
        observations: name to [new case, ...], for each of the dataset's.
    """
    count = len(next(iter(observations.values())))
    names = np.array([f"new case {i + 1}" for i in range(count)])
    quantities = len(dataset.quantities)

    def labelled(labels: np.ndarray | None) -> np.ndarray | None:
        return None if labels is None else np.concatenate([labels.astype(np.str_), names])

    replicates = dataset.replicates
    if replicates is not None:
        replicates = np.concatenate([replicates, replicates.max(initial=0) + 1 + np.arange(count)])
    truth = np.full((len(dataset) + count, quantities), np.nan)
    if dataset.supervised:
        truth[: len(dataset)] = dataset.targets()
    return replace(
        dataset,
        cases=np.concatenate([dataset.cases.astype(np.str_), names]),
        observations={n: np.concatenate([np.asarray(o), observations[n]]) for n, o in dataset.observations.items()},
        truth=Truth(truth),
        groups={n: np.concatenate([labels.astype(np.str_), names]) for n, labels in dataset.groups.items()},
        replicates=replicates,
        dependence=labelled(dataset.dependence),
    )


def outside_of(
    dataset: Dataset, train: np.ndarray, observations: Mapping[str, np.ndarray]
) -> tuple[tuple[str, ...], ...]:
    """[new case] names of observations beyond the range, or among none of the texts, of the training cases."""
    beyond: dict[str, np.ndarray] = {}
    for name, given in observations.items():
        known = np.asarray(dataset.observations[name])[train]
        if known.dtype.kind in "OU":
            beyond[name] = ~np.isin(given, known)
        else:
            far = (given < known.min(axis=0)) | (given > known.max(axis=0))
            beyond[name] = far.reshape(len(given), -1).any(axis=1)
    count = len(next(iter(observations.values())))
    return tuple(tuple(name for name, far in beyond.items() if far[i]) for i in range(count))


def _outcome(
    bench: Bench, recipe: Recipe, split: Split, seed: int, dataset: Dataset, campaign: Campaign, cores: int
) -> FitOutcome:
    """One training of a recipe; of a blend, of its components, and of their weights where these are learned."""
    seed = 0 if recipe.deterministic else seed
    if not recipe.is_blend:
        (outcome,) = bench.train(split.task, split.draw, [recipe], [seed], [(split.train, split.test)], cores)
        if outcome.error is not None:
            raise FitError(outcome.error.strip().splitlines()[-1], where=recipe.kind)
        return outcome
    parts = [_outcome(bench, c, split, seed, dataset, campaign, cores) for c in recipe.components]

    prediction, spread, _ = blended(
        recipe,
        np.stack([p.prediction for p in parts]),
        [p.spread for p in parts],
        lambda: out_of_fold(bench, recipe, split, seed, dataset, campaign, cores),
    )
    return FitOutcome(prediction, sum(p.seconds for p in parts), spread)


def out_of_fold(
    bench: Bench, recipe: Recipe, split: Split, seed: int, dataset: Dataset, campaign: Campaign, cores: int
) -> tuple[np.ndarray, np.ndarray]:
    """What a blend's components predict inside a training fold for rows they have not seen, and the truth of these.

    Args:
        bench: that trains.
        recipe: of the blend.
        split: whose training rows are split again.
        seed: of the trainings.
        dataset: of the split.
        campaign: whose protocol says which rows stay together.
        cores: that may be used.

    Returns:
        [component, row, quantity] and [row, quantity].

    Raises:
        FitError: a training failed.
    """
    inner = inner_splits(split, dataset, campaign.file.protocol, recipe.inner_folds)
    predicted = [
        np.stack([_outcome(bench, c, s, seed, dataset, campaign, cores).prediction for c in recipe.components])
        for s in inner
    ]
    return np.concatenate(predicted, axis=1), dataset.targets()[np.concatenate([s.test for s in inner])]
