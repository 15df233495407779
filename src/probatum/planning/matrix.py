"""The matrix of an experiment's scores, group by quantity, and the patterns in it that call for something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

TARGET_TIMES = 1.5
"""A quantity is bad whose score is so many times the mean of the others."""
GROUP_DEVIATIONS = 3.0
"""A group is bad that lies so many robust standard deviations beyond the median, and at least twice as far off."""
MAD_TO_SD = 1.4826
"""Standard deviation of a normal over its median absolute deviation."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """An experiment's scores.

    Attributes:
        groups: (task, label) of each row.
        groupings: task to the grouping that its labels are of.
        quantities: names of the columns.
        values: [group, quantity] float64.
    """

    groups: tuple[tuple[str, str], ...]
    groupings: Mapping[str, str]
    quantities: tuple[str, ...]
    values: np.ndarray


@dataclass(frozen=True)
class Pattern:
    """Something that stands out in a matrix.

    Attributes:
        kind: 'one bad target', 'bad groups' or 'all groups alike'.
        text: one line with the figures.
        quantity: position of the bad quantity.
        task, labels: the bad groups.
    """

    kind: str
    text: str
    quantity: int | None = None
    task: str | None = None
    labels: tuple[str, ...] = ()


def patterns(matrix: Matrix, better: str) -> list[Pattern]:
    """What stands out. They are hints where to look, not evidence: no verdict rests on them.

    A bad target needs three quantities or two, of which one is `TARGET_TIMES` the mean of the others. Bad groups lie
    beyond the median by `GROUP_DEVIATIONS` robust standard deviations (Rousseeuw and Croux, Journal of the American
    Statistical Association 88, 1273, 1993) and at twice the median. Scores of which more is better are no errors, and
    have no such ratios; nothing is said of them.

    Args:
        matrix: of one experiment.
        better: which way the metric goes.
    """
    if better != "lower" or not len(matrix.groups) or not np.isfinite(matrix.values).any():
        return []
    found = [*_targets(matrix), *_groups(matrix)]
    return found or [Pattern("all groups alike", "no target and no group stands out")]


def _targets(matrix: Matrix) -> list[Pattern]:
    means = np.nanmean(matrix.values, axis=0)
    if len(means) < 2:
        return []
    worst = int(np.nanargmax(means))
    others = float(np.nanmean(np.delete(means, worst)))
    if not others > 0 or means[worst] < TARGET_TIMES * others:
        return []
    name = matrix.quantities[worst]
    text = f"{name} scores {means[worst]:.3g}, {means[worst] / others:.2g} times the mean of the others"
    return [Pattern("one bad target", text, quantity=worst)]


def _groups(matrix: Matrix) -> list[Pattern]:
    found = []
    for task in dict.fromkeys(task for task, _ in matrix.groups):
        rows = [i for i, (of, _) in enumerate(matrix.groups) if of == task]
        scores = np.nanmean(matrix.values[rows], axis=1)
        if len(rows) < 4:
            continue
        median = float(np.median(scores))
        spread = MAD_TO_SD * float(np.median(np.abs(scores - median)))
        bad = [i for i, s in zip(rows, scores, strict=True) if s > max(median + GROUP_DEVIATIONS * spread, 2 * median)]
        if bad:
            labels = tuple(matrix.groups[i][1] for i in bad)
            worst = float(np.nanmax(np.nanmean(matrix.values[bad], axis=1)))
            text = f"{', '.join(labels[:4])} of '{task}' score up to {worst:.3g}, the median group {median:.3g}"
            found.append(Pattern("bad groups", text, task=task, labels=labels))
    return found
