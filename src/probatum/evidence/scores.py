"""Scores from stored predictions: any metric, pooled or macro, per task, per quantity, per fold and per group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol as Structural
from typing import runtime_checkable

import numpy as np
from jaxtyping import Float, Real

from probatum.campaigns.splits import belonging
from probatum.errors import IncomparableError
from probatum.evidence.row_table import RowTable
from probatum.learning.metrics import Metric
from probatum.problems.problem import Dataset, Scoring

Datasets = Mapping[str, Dataset] | Mapping[tuple[str, int], Dataset]
"""Task to dataset or, for generated data, (task, draw) to dataset."""


@runtime_checkable
class Predicted(Structural):
    """What is scored: the predictions of one fit (see `probatum.campaigns.stored_predictions.StoredPrediction`)."""

    @property
    def task(self) -> str: ...
    @property
    def draw(self) -> int: ...
    @property
    def split(self) -> str: ...
    @property
    def split_digest(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def rows(self) -> np.ndarray: ...
    @property
    def prediction(self) -> np.ndarray: ...


@dataclass(frozen=True)
class Unit:
    """A fold: what one split leaves out.

    Attributes:
        task, draw, name, digest: of the split.
        rows: how many rows are scored (after averaging, where the scoring averages repeated measurements).
        test_rows, train_rows: how many cases were predicted and how many trained.
        dependence: units of equal label share measurements and are no independent evidence.
        data: digest of the dataset.
    """

    task: str
    draw: int
    name: str
    digest: str
    rows: int
    test_rows: int
    train_rows: int
    dependence: str
    data: str = ""


@dataclass(frozen=True, eq=False)
class ArmScores:
    """An experiment's scores on every fold.

    Attributes:
        name: of the experiment.
        metric, scoring: that were used.
        quantities: names, the last axis of `values`.
        units: the folds.
        seeds: how many seeds each fold was trained with.
        values: [seed, unit, quantity] float64, the metric on each fold; NaN where it has none.
        rows: a table of predictions for each unit; None where only scores are known.
        flaws: sentences on predictions that cannot be scored; an arm with one is no evidence.
    """

    name: str
    metric: Metric
    scoring: Scoring
    quantities: tuple[str, ...]
    units: tuple[Unit, ...]
    seeds: int
    values: Float[np.ndarray, "seed unit quantity"]
    rows: tuple[RowTable, ...] | None = None
    flaws: tuple[str, ...] = ()

    @property
    def weights(self) -> Float[np.ndarray, " unit"]:
        """[unit] float64 with sum 1: a fold's share of the score."""
        sizes = np.array([u.rows if self.scoring.weighting == "pooled" else 1.0 for u in self.units], dtype=np.float64)
        return sizes / sizes.sum()

    @property
    def by_unit(self) -> Float[np.ndarray, " unit"]:
        """[unit]: mean over seeds and quantities. Seeds are no new data, so they are averaged first."""
        return self.values.mean(axis=(0, 2))

    @property
    def by_quantity(self) -> Float[np.ndarray, " quantity"]:
        """[quantity]: the score of each quantity alone."""
        return self.weights @ self.values.mean(axis=0)

    @property
    def by_task(self) -> dict[str, float]:
        """Task to the score on its folds alone."""
        tasks = np.array([u.task for u in self.units])
        weights, values = self.weights, self.by_unit
        return {
            str(task): float(np.average(values[tasks == task], weights=weights[tasks == task]))
            for task in dict.fromkeys(tasks.tolist())
        }

    @cached_property
    def row_losses(self) -> tuple[np.ndarray, ...]:
        """[unit] of [case]: what each kept row contributes, mean over seeds and quantities; for additive metrics."""
        assert self.rows is not None
        ends = np.cumsum([len(t.cases) for t in self.rows])[:-1]
        truth = np.concatenate([t.truth for t in self.rows])
        by_seed = zip(*(t.predictions for t in self.rows), strict=True)
        losses = [self.metric.row_losses(truth, np.concatenate(p)).mean(axis=1) for p in by_seed]
        return tuple(np.split(np.mean(losses, axis=0), ends))

    @property
    def score(self) -> float:
        """The one number: folds weighed as the scoring says, seeds averaged."""
        return float(self.weights @ self.by_unit)

    @property
    def seed_spread(self) -> float | None:
        """Standard deviation of the score over seeds; None for one seed."""
        if self.seeds < 2:
            return None
        spread = float(np.std(self.values.mean(axis=2) @ self.weights, ddof=1))
        return spread if spread > 1e-12 * abs(self.score) else 0.0  # equal scores differ by rounding


def arm_scores(
    name: str,
    predictions: Iterable[Predicted],
    datasets: Datasets,
    metric: Metric,
    scoring: Scoring,
    held_out: Mapping[str, int] | None = None,
    group: str | None = None,
) -> ArmScores:
    """Scores an experiment's out-of-fold predictions.

    Args:
        name: of the experiment.
        predictions: of all its fits: every split with the same seeds.
        datasets: task, or (task, draw), to dataset.
        metric, scoring: how.
        held_out: task to the number of cases that were set aside and trained nothing.
        group: the protocol's grouping, whose rows belong together; default: the dataset's first.

    Raises:
        IncomparableError: nothing is left to score, splits differ in their seeds, or predictions have no dataset.
    """
    units: dict[str, Unit] = {}
    touched: dict[str, frozenset[str]] = {}
    fits: dict[str, dict[int, Predicted]] = {}
    for p in predictions:
        if scoring.leave_out is not None and scoring.leave_out in p.split:
            continue
        fits.setdefault(p.split_digest, {})[p.seed] = p
        if p.split_digest not in units:
            dataset = _dataset_of(datasets, p)
            train = int(dataset.scorable.sum()) - len(p.rows) - (held_out or {}).get(p.task, 0)
            units[p.split_digest] = Unit(
                p.task, p.draw, p.split, p.split_digest, 0, len(p.rows), train, "", dataset.digest
            )
            touched[p.split_digest] = _touched(dataset, p)
    if not units:
        raise IncomparableError(f"experiment '{name}' has no rows to score", remedy="look at the scoring's exclusions")
    seeds = {tuple(sorted(by_seed)) for by_seed in fits.values()}
    if len(seeds) > 1:
        raise IncomparableError(f"the folds of '{name}' were trained with different seeds", remedy="run it to its end")
    in_order = [[by_seed[seed] for seed in sorted(by_seed)] for by_seed in fits.values()]
    datasets_of_units = [_dataset_of(datasets, p[0]) for p in in_order]
    tables = [_row_table(d, p, scoring, group) for d, p in zip(datasets_of_units, in_order, strict=True)]
    clusters = _joined(touched)
    scored = tuple(
        replace(unit, rows=len(table.truth), dependence=clusters[unit.digest])
        for unit, table in zip(units.values(), tables, strict=True)
    )
    return ArmScores(
        name,
        metric,
        scoring,
        datasets_of_units[0].quantity_names,
        scored,
        len(in_order[0]),
        np.array([[_by_quantity(metric, t.truth, p) for p in t.predictions] for t in tables]).swapaxes(0, 1),
        tuple(tables),
        tuple(flaw for p in in_order for fit in p for flaw in _flaws(fit, name)),
    )


def group_scores(
    predictions: Sequence[Predicted], datasets: Datasets, metric: Metric, groupings: Mapping[str, str]
) -> dict[tuple[str, str], np.ndarray]:
    """The metric per group of rows, whatever the splits were.

    Args:
        predictions: of one experiment.
        datasets: task, or (task, draw), to dataset.
        metric: how.
        groupings: task to the name of the grouping.

    Returns:
        (task, group) to [quantity], the mean over seeds and repeats.
    """
    gathered: dict[tuple[str, str], list[np.ndarray]] = {}
    for p in predictions:
        dataset = _dataset_of(datasets, p)
        labels = dataset.groups[groupings[p.task]][p.rows]
        truth = dataset.truth.open_for_scoring()[p.rows]
        for label in np.unique(labels):
            mask = labels == label
            score = [metric.score(truth[mask][:, [q]], p.prediction[mask][:, [q]]) for q in range(truth.shape[1])]
            gathered.setdefault((p.task, str(label)), []).append(np.array([*score, mask.sum()]))
    found = {}
    for key, parts in gathered.items():
        table = np.array(parts)
        found[key] = np.average(table[:, :-1], axis=0, weights=table[:, -1])
    return found


def _dataset_of(datasets: Datasets, p: Predicted) -> Dataset:
    """The dataset that a prediction is of.

    Raises:
        IncomparableError: it is not there, so that the truth of other cases would be taken for its own.
    """
    found = {(d.task, d.draw): d for d in datasets.values()}.get((p.task, p.draw))
    if found is None:
        raise IncomparableError(
            f"predictions of task '{p.task}', draw {p.draw}, have no dataset",
            remedy="score each draw with its own data",
        )
    return found


def _by_quantity(
    metric: Metric, truth: Real[np.ndarray, "row quantity"], predicted: Real[np.ndarray, "row quantity"]
) -> Float[np.ndarray, " quantity"]:
    """[quantity]: the metric; NaN where a prediction is not finite."""
    if not np.isfinite(predicted).all():
        return np.full(truth.shape[1], np.nan)
    return np.array([metric.score(truth[:, [q]], predicted[:, [q]]) for q in range(truth.shape[1])])


def _flaws(p: Predicted, name: str) -> list[str]:
    """What keeps a fit's predictions from being scored."""
    bad = int((~np.isfinite(p.prediction).all(axis=1)).sum())
    where = f"fold '{p.split}' of task '{p.task}' (seed {p.seed})"
    return [f"{bad} of {len(p.rows)} predictions of '{name}' in {where} are not finite"] if bad else []


def _row_table(dataset: Dataset, fits: Sequence[Predicted], scoring: Scoring, group: str | None) -> RowTable:
    """Truth and every seed's predictions by ascending row, repeated measurements averaged where the scoring says so."""
    rows = np.sort(fits[0].rows)
    truth = dataset.truth.open_for_scoring()[rows]
    predictions = np.stack([p.prediction[np.argsort(p.rows)] for p in fits])
    labels = dataset.dependence if dataset.dependence is not None else belonging(dataset, group)
    together = rows if labels is None else labels[rows]
    # Labels of dependence hold across tasks, all others within their own.
    scope = f"{dataset.task}/{dataset.draw}" if dataset.dependence is None else ""
    if not scoring.average_replicates or dataset.replicates is None:
        return RowTable(truth, predictions, rows, together, scope)
    samples, first, sample = np.unique(dataset.replicates[rows], return_index=True, return_inverse=True)
    counts = np.bincount(sample)[:, None]

    def averaged(values: np.ndarray) -> np.ndarray:
        sums = np.zeros((len(counts), values.shape[1]))
        np.add.at(sums, sample, values)
        return sums / counts

    means = np.stack([averaged(p) for p in predictions])
    return RowTable(averaged(truth), means, samples, together[first], scope)


def _touched(dataset: Dataset, p: Predicted) -> frozenset[str]:
    """The labels of dependence that a fold's rows carry; its own where the data names none."""
    if dataset.dependence is None:
        return frozenset({f"{p.task}/{p.draw}/{p.split}"})
    return frozenset(np.unique(dataset.dependence[p.rows]).tolist())


def _joined(touched: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Fold to the name of its cluster: folds that touch a label in common, directly or through others, are one."""
    clusters: list[frozenset[str]] = []
    for labels in touched.values():
        apart = [c for c in clusters if not c & labels]
        clusters = [*apart, labels.union(*(c for c in clusters if c & labels))]
    name = {label: "+".join(sorted(cluster)) for cluster in clusters for label in cluster}
    return {fold: name[min(labels)] for fold, labels in touched.items()}
