"""PB105: columns on two scales, and columns that do not vary where they should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from probatum.audit.finding import Alarm, check
from probatum.audit.heaps import kolmogorov, two_heaps
from probatum.audit.history import Partition, Side
from probatum.audit.rows import row_hashes

FACTORS = (10.0, 60.0, 100.0, 1000.0, 3600.0, 1e6)
"""Between units that are taken for each other: per cent, milli, kilo, micro, minutes, hours."""
LEAST_DISTINCT = 8
"""Distinct values from which a part of a column has a distribution."""
UNSURE = 0.1
"""Share of the rows of a label that may be in the other heap by chance."""
MOST_PARTS = 60
LARGEST = 1e100
"""Sizes from here on, and below the inverse, are of no unit."""
MOST_ROWS = 100_000
"""Rows whose scale is looked at; of more, a random sample."""
ALIKE = float(np.log(2))
"""Logarithm of the ratio of sizes up to which distributions are of one size."""


@check(
    "PB105",
    "a column on two scales, or a constant where it should vary",
    "warning",
    "partition",
    remedy="bring the column to one unit where it is read, once, and check its range there",
    detects="one of three sources or groups, or one side of a split, of 20 rows or more whose column is 10, 60, 100, "
    "1000, 3600 or 10^6 times another's, with power above 0.9; within one source 100 of 400 rows whose uniform column "
    "is 60 times that of the rest or more, with power above 0.9; a column with at most half its values equal that is "
    "constant in 30 test rows",
    statistical=True,
)
def odd_columns(partition: Partition, level: float) -> Iterator[Alarm]:
    """A column that one source gives from 0 to 1 and another from 0 to 100, or one that does not vary in the test rows.

    Each source, group and side is compared with the rest of the rows. On two scales: their distributions differ (test
    of Kolmogorov and Smirnov), a factor between units makes them alike, and the rest is itself on one scale. Rows of
    one source are on two scales where their sizes form two heaps (fewer rows between these than any distribution of
    one peak has, by the binomial test), which a factor between units makes alike; heaps that a label or another column
    tells apart are meant. Of very many rows a sample of 100,000 is looked at. Constant: the value's share in the
    training rows, to the power of the number of test rows, is the probability that all of them have it by chance; where
    groups are kept apart the test rows are not drawn so, and it is a note.
    """
    if min(len(partition.train), len(partition.test)) < 1:
        return
    yield from _two_units(_sampled(partition), level * 2 / 3)
    yield from _constant(partition, level / 3)


def _two_units(partition: Partition, level: float) -> Iterator[Alarm]:
    """Columns of a part, or of some rows anywhere, that are in another unit than the rest."""
    inputs = np.concatenate([partition.train.inputs, partition.test.inputs])
    sizes = np.abs(inputs)
    inputs = np.where((sizes > 1 / LARGEST) & (sizes < LARGEST) | (sizes == 0), inputs, np.nan)
    rich = _rich_columns(inputs)
    parts = list(_parts(partition))
    share = level / max(1, len(rich) * len(parts)) / 2
    values = inputs[:, rich]
    found = [
        (factor, rich[place], name)
        for name, mask, within in parts
        for place, ratio in _far_apart(values, mask)
        if (factor := _unit_factor(values[:, place], mask, within, ratio, share)) is not None
    ]
    if found:
        factor, column, name = max(found)
        more = f", and {len({c for _, c, _ in found}) - 1} more columns" if len({c for _, c, _ in found}) > 1 else ""
        yield Alarm(
            f"column {_column(partition, column)} is on another scale in {name}, by a factor of about {factor:g}{more}",
            {"factor": factor, "columns": float(len({c for _, c, _ in found}))},
        )
    yield from _mixed(partition, inputs, [c for c in rich if c not in {c for _, c, _ in found}], level / 2)


def _sampled(partition: Partition) -> Partition:
    """The partition, or of very many rows a random sample; both sides keep their shares."""
    rows = len(partition.train) + len(partition.test)
    if rows <= MOST_ROWS:
        return partition
    generator = np.random.default_rng(0)
    train, test = (
        _rows_of(side, generator.choice(len(side), -(-len(side) * MOST_ROWS // rows), replace=False, shuffle=False))
        for side in (partition.train, partition.test)
    )
    return replace(partition, train=train, test=test, replicates=None)


def _rows_of(side: Side, rows: np.ndarray) -> Side:
    groups = {name: labels[rows] for name, labels in side.groups.items()}
    return Side(side.inputs[rows], None, groups, None if side.sources is None else side.sources[rows], side.columns)


def _column(partition: Partition, column: int) -> str:
    names = partition.train.columns
    return f"'{names[column]}'" if column < len(names) else str(column + 1)


def _rich_columns(inputs: np.ndarray) -> list[int]:
    """Columns with enough distinct values to have a scale, by a look at some rows."""
    rows = inputs if len(inputs) <= 400 else inputs[np.random.default_rng(0).choice(len(inputs), 400, replace=False)]
    ordered = np.sort(rows, axis=0)
    steps = ordered[1:] > ordered[:-1]  # NaN sorts last and makes no step
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


def _far_apart(columns: np.ndarray, mask: np.ndarray) -> Iterator[tuple[int, float]]:
    """Columns whose scale in the other rows is, by a factor between units, that of a part; with the ratio of scales."""
    (part_scale, part_size), (rest_scale, rest_size) = (_scales(columns[rows]) for rows in (mask, ~mask))
    for place in np.flatnonzero(np.minimum(np.minimum(part_scale, rest_scale), np.minimum(part_size, rest_size)) > 0):
        ratio = rest_scale[place] / part_scale[place]
        if _units(ratio):
            yield int(place), float(ratio)


def _units(ratio: float) -> list[float]:
    """The factors between units that a ratio of scales may be."""
    return [f for f in FACTORS if abs(abs(np.log(ratio)) - np.log(f)) < ALIKE]


def _scales(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[column] width and [column] size of the finite values; 0 where there are none."""
    if not len(columns):
        return np.zeros(columns.shape[1]), np.zeros(columns.shape[1])
    if not np.isfinite(columns).all():
        each = [_scales(values[np.isfinite(values)][:, None]) for values in columns.T]
        return np.concatenate([s for s, _ in each]), np.concatenate([s for _, s in each])
    low, high = np.quantile(columns, [0.1, 0.9], axis=0)
    return high - low, np.quantile(np.abs(columns), 0.75, axis=0)


def _unit_factor(
    values: np.ndarray, mask: np.ndarray, labels: np.ndarray | None, ratio: float, level: float
) -> float | None:
    """The factor between units by which a part's values differ from the rest's; None where there is none."""
    finite = np.isfinite(values)
    part, rest = values[mask & finite], values[~mask & finite]
    if min(len(np.unique(part)), len(np.unique(rest))) < LEAST_DISTINCT:
        return None
    changed = {f: part * f if ratio > 1 else part / f for f in _units(ratio)}
    # By both: the spread and the size. A shift alone, or a wider spread, is no change of units.
    alike = {f: same for f, same in changed.items() if abs(np.log(_size(same) / _size(rest))) < ALIKE}
    if not alike:
        return None
    factor = min(alike, key=lambda f: kolmogorov(alike[f], rest)[0]) if len(alike) > 1 else next(iter(alike))
    same = alike[factor]
    if kolmogorov(part, rest)[1] > level:
        return None
    if kolmogorov(same, rest)[0] > max(0.25, 1.63 * np.sqrt(1 / len(part) + 1 / len(rest))):
        return None
    if labels is not None:
        others = labels[~mask & finite]
        sizes = [_size(rest[others == label]) for label in np.unique(others)]
        if max(sizes) > 3 * min(sizes):
            return None
    return factor


def _mixed(partition: Partition, inputs: np.ndarray, columns: list[int], level: float) -> Iterator[Alarm]:
    """Columns some of whose rows are in another unit than the rest, whatever their source."""
    found = []
    for column in columns:
        heaps = two_heaps(inputs[:, column], level / len(columns))
        if heaps is not None and not _told_apart(partition, inputs, column, heaps.larger):
            found.append((heaps.factor, column, int(min(heaps.smaller.sum(), heaps.larger.sum()))))
    if found:
        factor, column, rows = max(found)
        more = f", and {len(found) - 1} more columns" if len(found) > 1 else ""
        yield Alarm(
            f"column {_column(partition, column)} is on two scales, {rows} of {len(inputs)} rows by a factor of about "
            f"{factor:g}{more}",
            {"factor": factor, "columns": float(len(found)), "rows": float(rows)},
        )


def _told_apart(partition: Partition, inputs: np.ndarray, column: int, larger: np.ndarray) -> bool:
    """Whether a label, or another column at few values, says which rows have the larger values."""
    labels = [labels for _, _, labels in _parts(partition) if labels is not None]
    few = [values for i, values in enumerate(inputs.T) if i != column and len(np.unique(values)) <= MOST_PARTS]
    for known in (*labels, *few):
        codes = np.unique(known, return_inverse=True)[1]
        share = np.bincount(codes, larger) / np.bincount(codes)
        if np.minimum(share, 1 - share).max() < UNSURE and share.min() < UNSURE < share.max():
            return True
    return False


def _size(values: np.ndarray) -> float:
    return float(np.quantile(np.abs(values), 0.75))


def _constant(partition: Partition, level: float) -> Iterator[Alarm]:
    train, test = partition.train.inputs, partition.test.inputs
    if not len(test):
        return
    still = np.flatnonzero(_equal(test, test[0]).all(axis=0))
    share = (_equal(train[:, still], test[0, still]).sum(axis=0) + 1) / (len(train) + 2)
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


def _equal(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[row, column] bool: missing values are equal too."""
    return (rows == values) | (np.isnan(rows) & np.isnan(values))


def _varies_within(partition: Partition, columns: np.ndarray) -> np.ndarray:
    """[column] bool: whether a column varies within every training group; descriptors of a group do not."""
    train = partition.train
    groups = [train.groups[name] for name in train.groups] or [np.zeros(len(train), dtype=int)]
    varies = np.ones(len(columns), dtype=bool)
    for labels in groups:
        for label in np.unique(labels):
            rows = train.inputs[labels == label][:, columns]
            if len(rows) > 1:
                varies &= ~_equal(rows, rows[0]).all(axis=0)
    return varies
