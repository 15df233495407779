"""PB105: columns on two scales, and columns that do not vary where they should."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from probatum.audit.finding import Alarm, check
from probatum.audit.history import Partition
from probatum.audit.rows import row_hashes

FACTORS = (10.0, 60.0, 100.0, 1000.0, 3600.0, 1e6)
"""Between units that are taken for each other: per cent, milli, kilo, micro, minutes, hours."""
LEAST_DISTINCT = 8
"""Distinct values from which a part of a column has a distribution."""
MOST_PARTS = 60
ALIKE = float(np.log(2))
"""Logarithm of the ratio of sizes up to which distributions are of one size."""


@check(
    "PB105",
    "a column on two scales, or a constant where it should vary",
    "warning",
    "partition",
    remedy="bring the column to one unit where it is read, once, and check its range there",
    detects="one of three sources or groups, or one side of a split, of 20 rows or more whose column is 10, 60, 100, "
    "1000, 3600 or 10^6 times another's, with power above 0.9; a column with at most half its values equal that is "
    "constant in 30 test rows",
    statistical=True,
)
def odd_columns(partition: Partition, level: float) -> Iterator[Alarm]:
    """A column that one source gives from 0 to 1 and another from 0 to 100, or one that does not vary in the test rows.

    Each source, group and side is compared with the rest of the rows. On two scales: their distributions differ (test
    of Kolmogorov and Smirnov), a factor between units makes them alike, and the rest is itself on one scale. Constant:
    the value's share in the training rows, to the power of the number of test rows, is the probability that all of
    them have it by chance; where groups are kept apart the test rows are not drawn so, and it is a note.
    """
    train, test = partition.train, partition.test
    if min(len(train), len(test)) < 1:
        return
    inputs = np.concatenate([train.inputs, test.inputs])
    rich = _rich_columns(inputs)
    parts = list(_parts(partition))
    share = level / max(1, len(rich) * len(parts)) / 2
    found = [
        (factor, column, name)
        for column in rich
        for name, mask, within in parts
        if (factor := _unit_factor(inputs[:, column], mask, within, share)) is not None
    ]
    if found:
        factor, column, name = max(found)
        more = f", and {len({c for _, c, _ in found}) - 1} more columns" if len({c for _, c, _ in found}) > 1 else ""
        yield Alarm(
            f"column {_column(partition, column)} is on another scale in {name}, by a factor of about {factor:g}{more}",
            {"factor": factor, "columns": float(len({c for _, c, _ in found}))},
        )
    yield from _constant(partition, level / 2)


def _column(partition: Partition, column: int) -> str:
    names = partition.train.columns
    return f"'{names[column]}'" if column < len(names) else str(column + 1)


def _rich_columns(inputs: np.ndarray) -> list[int]:
    """Columns with enough distinct values to have a scale, by a look at some rows."""
    rows = inputs if len(inputs) <= 400 else inputs[np.random.default_rng(0).choice(len(inputs), 400, replace=False)]
    steps = np.diff(np.sort(rows, axis=0), axis=0) > 0  # NaN sorts last and makes no step
    return np.flatnonzero(steps.sum(axis=0) + 1 >= 2 * LEAST_DISTINCT).tolist()


def _parts(partition: Partition) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """Parts of the rows, training rows first, that may be on a scale of their own: name, [row] bool, [row] label.

    The labels are those that divide the rest, which has to be on one scale; None where nothing does.
    """
    train, test = partition.train, partition.test
    groupings = {f"of '{name}'": name for name in train.groups if name in test.groups}
    labelled = {
        text: np.concatenate([train.groups[name], test.groups[name]]).astype(str) for text, name in groupings.items()
    }
    if train.sources is not None and test.sources is not None:
        labelled["source"] = np.concatenate([train.sources, test.sources]).astype(str)
    for text, labels in labelled.items():
        distinct = np.unique(labels)
        if 2 <= len(distinct) <= MOST_PARTS:
            for label in distinct:
                name = f"source '{label}'" if text == "source" else f"'{label}' {text}"
                yield name, labels == label, labels
    sides = np.arange(len(train) + len(test)) >= len(train)
    yield "the test rows", sides, next(iter(labelled.values()), None)


def _unit_factor(values: np.ndarray, mask: np.ndarray, labels: np.ndarray | None, level: float) -> float | None:
    """The factor between units by which a part's values differ from the rest's; None where there is none."""
    finite = np.isfinite(values)
    part, rest = values[mask & finite], values[~mask & finite]
    if min(len(np.unique(part)), len(np.unique(rest))) < LEAST_DISTINCT:
        return None
    if min(_scale(part), _scale(rest), _size(part), _size(rest)) <= 0:
        return None
    ratio = _scale(rest) / _scale(part)
    changed = {f: part * f if ratio > 1 else part / f for f in FACTORS if abs(abs(np.log(ratio)) - np.log(f)) < ALIKE}
    if not changed:
        return None
    factor = min(changed, key=lambda f: _kolmogorov(changed[f], rest)[0])
    same = changed[factor]
    # By both: the spread and the size. A shift alone, or a wider spread, is no change of units.
    if abs(np.log(_size(same) / _size(rest))) >= ALIKE or _kolmogorov(part, rest)[1] > level:
        return None
    if _kolmogorov(same, rest)[0] > max(0.25, 1.63 * np.sqrt(1 / len(part) + 1 / len(rest))):
        return None
    if labels is not None:
        others = labels[~mask & finite]
        sizes = [_size(rest[others == label]) for label in np.unique(others)]
        if max(sizes) > 3 * min(sizes):
            return None
    return factor


def _kolmogorov(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Statistic and probability of the two-sample test."""
    statistic, probability = np.asarray(stats.ks_2samp(one, other), dtype=np.float64)
    return float(statistic), float(probability)


def _scale(values: np.ndarray) -> float:
    low, high = np.quantile(values, [0.1, 0.9])
    return float(high - low)


def _size(values: np.ndarray) -> float:
    return float(np.quantile(np.abs(values), 0.75))


def _constant(partition: Partition, level: float) -> Iterator[Alarm]:
    train, test = partition.train.inputs, partition.test.inputs
    if not len(test):
        return
    still = np.flatnonzero((test == test[0]).all(axis=0))
    share = ((train[:, still] == test[0, still]).sum(axis=0) + 1) / (len(train) + 2)
    chance = share ** len(np.unique(row_hashes(test)))  # rows of equal inputs are one choice
    likely = chance > level / max(1, train.shape[1])
    still, chance = still[~likely], chance[~likely]
    if not len(still):
        return
    varies = _varies_within(partition, still)
    odd = still[varies]
    if len(odd):
        more = f", and {len(odd) - 1} more columns" if len(odd) > 1 else ""
        yield Alarm(
            f"column {_column(partition, int(odd[0]))} is {test[0, odd[0]]:g} in all {len(test)} test rows and varies "
            f"in training{more}",
            {"columns": float(len(odd)), "chance": float(chance[varies].min())},
            severity="note" if partition.separated else None,
        )


def _varies_within(partition: Partition, columns: np.ndarray) -> np.ndarray:
    """[column] bool: whether a column varies within every training group; descriptors of a group do not."""
    train = partition.train
    groups = [train.groups[name] for name in train.groups] or [np.zeros(len(train), dtype=int)]
    varies = np.ones(len(columns), dtype=bool)
    for labels in groups:
        for label in np.unique(labels):
            rows = train.inputs[labels == label][:, columns]
            if len(rows) > 1:
                varies &= (rows != rows[0]).any(axis=0)
    return varies
