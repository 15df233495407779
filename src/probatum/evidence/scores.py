"""Scores from stored predictions: any metric, pooled or macro, per task, per quantity, per fold and per group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol as Structural

import numpy as np

from probatum.errors import IncomparableError
from probatum.learning.metrics import Metric
from probatum.problems.problem import Dataset, Scoring


class Predicted(Structural):
    """What is scored: the predictions of one fit (see `probatum.campaigns.campaign.StoredPrediction`)."""

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
    """

    task: str
    draw: int
    name: str
    digest: str
    rows: int
    test_rows: int
    train_rows: int
    dependence: str


@dataclass(frozen=True, eq=False)
class ArmScores:
    """An experiment's scores on every fold.

    Attributes:
        name: of the experiment.
        metric, scoring: that were used.
        quantities: names, the last axis of `values`.
        units: the folds.
        seeds: how many seeds each fold was trained with.
        values: [seed, unit, quantity] float64, the metric on each fold.
    """

    name: str
    metric: Metric
    scoring: Scoring
    quantities: tuple[str, ...]
    units: tuple[Unit, ...]
    seeds: int
    values: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """[unit] float64 with sum 1: a fold's share of the score."""
        sizes = np.array([u.rows if self.scoring.weighting == "pooled" else 1.0 for u in self.units], dtype=np.float64)
        return sizes / sizes.sum()

    @property
    def by_unit(self) -> np.ndarray:
        """[unit]: mean over seeds and quantities. Seeds are no new data, so they are averaged first."""
        return self.values.mean(axis=(0, 2))

    @property
    def by_quantity(self) -> np.ndarray:
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
    datasets: Mapping[str, Dataset],
    metric: Metric,
    scoring: Scoring,
    held_out: Mapping[str, int] | None = None,
) -> ArmScores:
    """Scores an experiment's out-of-fold predictions.

    Args:
        name: of the experiment.
        predictions: of all its fits: every split with the same seeds.
        datasets: task to dataset.
        metric, scoring: how.
        held_out: task to the number of cases that were set aside and trained nothing.

    Raises:
        IncomparableError: nothing is left to score, or splits differ in their seeds.
    """
    units: dict[str, Unit] = {}
    touched: dict[str, frozenset[str]] = {}
    values: dict[str, dict[int, np.ndarray]] = {}
    quantities: tuple[str, ...] = ()
    for p in predictions:
        if scoring.leave_out is not None and scoring.leave_out in p.split:
            continue
        dataset = datasets[p.task]
        quantities = dataset.quantity_names
        truth, predicted = _measured(dataset, p, scoring)
        by_quantity = [metric.score(truth[:, [q]], predicted[:, [q]]) for q in range(truth.shape[1])]
        values.setdefault(p.split_digest, {})[p.seed] = np.array(by_quantity)
        if p.split_digest not in units:
            train = int(dataset.scorable.sum()) - len(p.rows) - (held_out or {}).get(p.task, 0)
            units[p.split_digest] = Unit(p.task, p.draw, p.split, p.split_digest, len(truth), len(p.rows), train, "")
            touched[p.split_digest] = _touched(dataset, p)
    if not units:
        raise IncomparableError(f"experiment '{name}' has no rows to score", remedy="look at the scoring's exclusions")
    seeds = {tuple(sorted(by_seed)) for by_seed in values.values()}
    if len(seeds) > 1:
        raise IncomparableError(f"the folds of '{name}' were trained with different seeds", remedy="run it to its end")
    chosen = next(iter(seeds))
    table = np.array([[values[digest][seed] for digest in units] for seed in chosen])
    clusters = _joined(touched)
    joined = tuple(replace(unit, dependence=clusters[digest]) for digest, unit in units.items())
    return ArmScores(name, metric, scoring, quantities, joined, len(chosen), table)


def group_scores(
    predictions: Sequence[Predicted], datasets: Mapping[str, Dataset], metric: Metric, groupings: Mapping[str, str]
) -> dict[tuple[str, str], np.ndarray]:
    """The metric per group of rows, whatever the splits were.

    Args:
        predictions: of one experiment.
        datasets: task to dataset.
        metric: how.
        groupings: task to the name of the grouping.

    Returns:
        (task, group) to [quantity], the mean over seeds and repeats.
    """
    gathered: dict[tuple[str, str], list[np.ndarray]] = {}
    for p in predictions:
        dataset = datasets[p.task]
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


def _measured(dataset: Dataset, p: Predicted, scoring: Scoring) -> tuple[np.ndarray, np.ndarray]:
    """(truth, prediction) [row, quantity], repeated measurements averaged where the scoring says so."""
    truth = dataset.truth.open_for_scoring()[p.rows]
    if not scoring.average_replicates or dataset.replicates is None:
        return truth, p.prediction
    _, sample = np.unique(dataset.replicates[p.rows], return_inverse=True)
    counts = np.bincount(sample)[:, None]

    def averaged(values: np.ndarray) -> np.ndarray:
        sums = np.zeros((len(counts), values.shape[1]))
        np.add.at(sums, sample, values)
        return sums / counts

    return averaged(truth), averaged(p.prediction)


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
