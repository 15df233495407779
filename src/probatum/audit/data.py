"""PB1: rows that are on both sides, groups that are torn, columns and labels that cannot be right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np
from scipy.stats import poisson

from probatum.audit.columns import odd_columns
from probatum.audit.finding import Alarm, Severity, check
from probatum.audit.history import Partition, Side
from probatum.audit.labels import impossible_labels
from probatum.audit.nearness import near_rows
from probatum.audit.rows import coincidences, is_design, row_hashes, side_hashes

MOST_SOURCES = 30


@check(
    "PB101",
    "the same rows on both sides of a split",
    "error",
    "partition",
    remedy="remove duplicates before splitting, or name the column that says which rows belong together as the group; "
    "duplicate for augmentation only after the split, inside the training fold",
    detects="a single row, always, unless inputs stand at set values or were measured repeatedly; there more equal "
    "readings of equal inputs than rounding explains",
    statistical=True,
)
def same_rows(partition: Partition, level: float) -> Iterator[Alarm]:
    """A test row whose inputs and targets are those of a training row is scored by memory.

    Rows are compared by all their digits. Equal inputs alone are no duplicates where the design repeats them: set
    values, or groups that are kept apart and share their inputs with each other. Where repeated measurements read
    differently, as many equal readings as their rounding explains are silent. Equal inputs with other targets, where
    no grouping is kept apart, are a note: repeated measurements stand on both sides.
    """
    train, test = partition.train, partition.test
    if not len(train) or not len(test):
        return
    here, there = row_hashes(train.inputs), row_hashes(test.inputs)
    shared = np.isin(there, here)
    if not shared.any():
        return
    hashes = np.concatenate([here, there])
    designed = is_design(hashes, np.concatenate([train.inputs, test.inputs])) or _groups_share_inputs(
        partition, here, float(shared.mean())
    )
    if train.targets is None or test.targets is None:
        if not designed:
            yield _alarm("inputs", int(shared.sum()), len(test))
        return
    same = np.isin(side_hashes(test), side_hashes(train))
    chance = _chance_of_equal_targets(hashes, np.concatenate([train.targets, test.targets]), designed=designed)
    distinct, counts = np.unique(here, return_counts=True)
    repeats = counts[np.searchsorted(distinct, there[shared])]
    expected = float((1 - (1 - chance) ** repeats).sum())
    if same.any() and poisson.sf(int(same.sum()) - 1, expected) <= level:
        yield _alarm("inputs and targets", int(same.sum()), len(test))
    elif shared.sum() > same.sum() and not designed and not partition.separated:
        others = int(shared.sum() - same.sum())
        yield Alarm(
            f"{others} of {len(test)} test rows have the inputs of a training row and other targets",
            {"rows": float(others), "share": others / len(test)},
            severity="note",
        )


def _alarm(what: str, rows: int, of: int) -> Alarm:
    message = f"{rows} of {of} test rows have {what} that are a training row's"
    return Alarm(message, {"rows": float(rows), "share": rows / of})


def _groups_share_inputs(partition: Partition, hashes: np.ndarray, share: float) -> bool:
    """Whether training groups share inputs with each other at least half as often as the test rows do with training."""
    for name in partition.separated:
        labels = partition.train.groups.get(name)
        if labels is None:
            continue
        codes = np.unique(labels, return_inverse=True)[1]
        pairs = np.unique(np.stack([hashes, codes.astype(np.uint64)], axis=1), axis=0)[:, 0]
        distinct, groups = np.unique(pairs, return_counts=True)
        if (groups[np.searchsorted(distinct, hashes)] > 1).mean() >= share / 2:
            return True
    return False


def _chance_of_equal_targets(hashes: np.ndarray, targets: np.ndarray, *, designed: bool) -> float:
    """The probability that two measurements of equal inputs read the same; 0 where none ever read differently."""
    order = np.argsort(hashes, kind="stable")
    one, other = order[:-1], order[1:]
    differ = (hashes[one] == hashes[other]) & (targets[one] != targets[other]).any(axis=1)
    if not differ.any():
        # Set values may recur, and rounded readings agree: ten times as often as those of rows with other inputs do.
        return min(1.0, 10 * _equal_by_rounding(hashes, targets)) if designed else 0.0
    chance = coincidences(targets, (one[differ], other[differ]))
    # Readings too coarse to tell: then equal inputs tell, unless they are meant to be equal.
    return 0.0 if chance >= 1 and not designed else chance


def _equal_by_rounding(hashes: np.ndarray, targets: np.ndarray) -> float:
    """The share of pairs of rows of other inputs that have equal targets."""
    readings = row_hashes(targets)
    rows = len(readings)
    equal, of_those_equal_inputs = (
        float((counts * (counts - 1.0)).sum())
        for counts in (
            np.unique(readings, return_counts=True)[1],
            np.unique(np.stack([readings, hashes], axis=1), axis=0, return_counts=True)[1],
        )
    )
    return (equal - of_those_equal_inputs) / max(1, rows * (rows - 1))


@check(
    "PB102",
    "near-duplicates across a split",
    "warning",
    "partition",
    remedy="find where the copies come from (augmentation, a sample measured twice, nested data sets); name the column "
    "that keeps them together as the group, or make copies after the split, inside the training fold",
    detects="in 200 rows of 8 columns, three test rows copied with noise of 1 % of a standard deviation, with power "
    "above 0.9; in 3 columns ten of 40 test rows; in 2 columns and a target ten copied with .3 %; in one column and a "
    "target five copied with .001 %, and nothing like it where there are no targets",
    statistical=True,
)
def near_duplicates(partition: Partition, level: float) -> Iterator[Alarm]:
    """Test rows far nearer to a training row than the training rows around it, as noisy copies are.

    The distance to the nearest training row is compared with that to the fifth one: in d dimensions their ratio is
    below q with probability 1 - (1 - q^d)^4 where rows are independent, however dense they are. The test counts rows
    below 1/10, 1/30, 1/100, 1/1000 and 1/10,000. Columns at few values divide the rows into cells; neighbours are
    looked for within a cell. Targets count as columns where no more than two others are left. Exact copies are PB101's.
    Of very many rows a sample is looked at: 20,000 test and 200,000 training rows.
    """
    train, test = partition.train, partition.test
    targets = None if train.targets is None or test.targets is None else (train.targets, test.targets)
    found = near_rows(train.inputs, test.inputs, targets)
    if found is not None and found.rows > 1 and found.chance <= level:
        yield Alarm(
            f"{found.rows} of {found.of} test rows lie within {found.ratio:g} of the usual distance to a training row, "
            f"{found.distance:.2g} standard deviations a column away (p = {found.chance:.1g})",
            {"rows": float(found.rows), "share": found.rows / found.of, "distance": found.distance},
        )


@check(
    "PB103",
    "a group on both sides though the protocol separates groups",
    "error",
    "partition",
    remedy="split whole groups: splits = 'grouped-k-fold' or 'leave-one-group-out' with the right column as group",
    detects="a single group, always",
)
def torn_groups(partition: Partition, _: float) -> Iterator[Alarm]:
    """A group whose rows stand on both sides is not new to what was trained, and its score is no score of new groups.

    Looks at the groupings that the protocol promises to keep apart, and at repeated measurements of one sample. Where
    another grouping is kept apart and tears repeated measurements, that may be meant, and is a warning.
    """
    for name in partition.separated:
        here, there = partition.train.groups.get(name), partition.test.groups.get(name)
        if here is not None and there is not None:
            yield from _torn(f"groups of '{name}'", here, there, None)
    if partition.replicates is not None:
        here, there = np.split(partition.replicates, [len(partition.train)])
        yield from _torn("samples measured", here, there, "warning" if partition.separated else None)


def _torn(what: str, here: np.ndarray, there: np.ndarray, severity: Severity | None) -> Iterator[Alarm]:
    both = np.intersect1d(here, there)
    if len(both):
        rows = int(np.isin(there, both).sum())
        shown = ", ".join(map(str, both[:3])) + (", ..." if len(both) > 3 else "")
        yield Alarm(
            f"{rows} of {len(there)} test rows belong to {len(both)} {what} on both sides: {shown}",
            {"rows": float(rows), "groups": float(len(both)), "share": rows / len(there)},
            severity=severity,
        )


@check(
    "PB104",
    "overlapping source data sets concatenated",
    "warning",
    "partition",
    remedy="concatenate the sources without the rows that they share, or keep the largest one that holds the others",
    detects="a single shared row, always, unless inputs stand at set values and repeat within a source too",
)
def overlapping_sources(partition: Partition, _: float) -> Iterator[Alarm]:
    """Data sets that are put together and share rows count these rows twice, and splits put them on both sides.

    Rows, inputs and targets, are compared between each two sources, over both sides together.
    """
    train, test = partition.train, partition.test
    if train.sources is None or test.sources is None:
        return
    labels = np.concatenate([train.sources, test.sources])
    inputs = np.concatenate([train.inputs, test.inputs])
    hashes = np.concatenate([_hashes_alike(side, partition) for side in (train, test)])
    rows_of = {str(s): hashes[labels == s] for s in np.unique(labels)[:MOST_SOURCES]}
    shares = []
    for one, other in combinations(rows_of, 2):
        small, large = sorted((one, other), key=lambda s: len(rows_of[s]))
        count = int(np.isin(rows_of[small], rows_of[large]).sum())
        if count:
            shares.append((count / len(rows_of[small]), count, small, large))
    if shares and not (is_design(row_hashes(inputs), inputs) and _repeats_are_usual(train, rows_of.values())):
        share, count, small, large = max(shares)
        more = f"; {len(shares)} pairs of sources overlap" if len(shares) > 1 else ""
        yield Alarm(
            f"{count} of {len(rows_of[small])} rows of '{small}' stand in '{large}' too{more}",
            {"share": share, "rows": float(count), "pairs": float(len(shares))},
        )


def _repeats_are_usual(train: Side, sources: Iterable[np.ndarray]) -> bool:
    """Whether equal rows at set values say nothing: there are no targets, or a source repeats rows of its own."""
    return train.targets is None or any(len(np.unique(rows)) < len(rows) for rows in sources)


def _hashes_alike(side: Side, partition: Partition) -> np.ndarray:
    """[row] of inputs and targets where both sides have targets, else of inputs."""
    both = partition.train.targets is not None and partition.test.targets is not None
    return side_hashes(side) if both else row_hashes(side.inputs)


CHECKS = (same_rows, near_duplicates, torn_groups, overlapping_sources, odd_columns, impossible_labels)
