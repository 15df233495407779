"""The group mean, a trivial baseline: a row is predicted by the training rows of its label, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from probatum.campaigns.splits import Split
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.problems.problem import Dataset

LEAST_SEEN = 0.5
"""Share of the test rows whose label must occur in training; below, a group mean is the mean by another name."""


def coarser_groupings(
    datasets: Mapping[tuple[str, int], Dataset], splits: Sequence[Split], kept_apart: Iterable[str]
) -> list[str]:
    """The groupings whose labels stand on both sides of splits, in every task: those that a group mean can be made of.

    Args:
        datasets: (task, draw) to dataset.
        splits: of all of them.
        kept_apart: groupings that the splits keep apart.
    """
    if not all(d.supervised for d in datasets.values()):
        return []
    common = [name for name in next(iter(datasets.values())).groups if all(name in d.groups for d in datasets.values())]
    return [n for n in common if n not in set(kept_apart) and _seen(n, datasets, splits) >= LEAST_SEEN]


def group_means(
    grouping: str, datasets: Mapping[tuple[str, int], Dataset], splits: Sequence[Split]
) -> list[StoredPrediction]:
    """Out-of-fold predictions of the group mean: the mean of the training rows of a label, of all where it has none.

    Args:
        grouping: that every dataset has.
        datasets: (task, draw) to dataset.
        splits: of all of them.
    """
    found = []
    for split in splits:
        dataset = datasets[split.task, split.draw]
        labels, targets = dataset.groups[grouping], dataset.targets()
        known, codes = np.unique(labels[split.train], return_inverse=True)
        sums = np.zeros((len(known), targets.shape[1]))
        np.add.at(sums, codes, targets[split.train])
        means = sums / np.bincount(codes)[:, None]
        place = np.searchsorted(known, labels[split.test]).clip(max=len(known) - 1)
        seen = known[place] == labels[split.test]
        predicted = np.where(seen[:, None], means[place], targets[split.train].mean(axis=0))
        found.append(StoredPrediction(split.task, split.draw, split.name, split.digest, 0, split.test, predicted))
    return found


def _seen(grouping: str, datasets: Mapping[tuple[str, int], Dataset], splits: Sequence[Split]) -> float:
    """Share of the test rows whose label occurs in training."""
    seen = [
        np.isin(datasets[s.task, s.draw].groups[grouping][s.test], datasets[s.task, s.draw].groups[grouping][s.train])
        for s in splits
    ]
    return float(np.concatenate(seen).mean())
