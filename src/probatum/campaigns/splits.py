"""Which cases train and which are predicted: every split carries a hash of its membership.

Rows that belong together stay together: the protocol's groups, else repeated measurements of one sample.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probatum.campaigns.folds import hold_out, k_folds
from probatum.campaigns.protocol import FRESH_DRAWS, Protocol
from probatum.errors import CampaignFileError, DataError, UnknownNameError
from probatum.problems.problem import Dataset

QUANTITIES = "quantities"
"""As `protocol.stratify` of k-fold splits: the shares of all quantities, which then must be labels of 0 and 1."""


@dataclass(frozen=True, eq=False)
class Split:
    """One partition of a dataset's cases.

    Attributes:
        task, draw: of the dataset.
        name: the group left out, or 'repeat 2 fold 3'.
        train, test: [row] int64, ascending and disjoint.
        data: digest of the dataset.
    """

    task: str
    draw: int
    name: str
    train: np.ndarray
    test: np.ndarray
    data: str

    @cached_property
    def digest(self) -> str:
        """sha256 of the data and of who is on which side."""
        h = hashlib.sha256(self.data.encode())
        for side in (self.train, self.test):
            h.update(f"{len(side)}:".encode())
            h.update(np.ascontiguousarray(side, dtype=np.int64).tobytes())
        return h.hexdigest()


def make_splits(dataset: Dataset, protocol: Protocol, *, where: str = "protocol") -> tuple[Split, ...]:
    """The splits that a protocol makes of a dataset, the held-out cases left out.

    Args:
        dataset: whose cases are split; cases without a finite truth are on neither side.
        protocol: completed.
        where: what an error message names as the place.

    Raises:
        UnknownNameError: a grouping that the dataset does not have.
        DataError: groups too few or too small to be split.
    """
    rows = open_rows(dataset, protocol, where=where)
    units = _units(dataset, protocol, where)[rows]

    def split(name: str, test: np.ndarray) -> Split:
        return Split(dataset.task, dataset.draw, name, rows[~test], rows[test], dataset.digest)

    def generator(repeat: int) -> np.random.Generator:
        return np.random.default_rng([protocol.split_seed, repeat, dataset.draw])

    match protocol.splits:
        case "leave-one-group-out":
            labels, counts = np.unique(units, return_counts=True)
            _check_groups(labels, counts, dataset, protocol, where)
            return tuple(split(str(label), units == label) for label in labels)
        case "grouped-k-fold" | "repeated-k-fold":
            kept, of = _labels_to_keep(dataset, protocol, where, rows), f"{dataset.problem}/{dataset.task}"
            return tuple(
                split(f"repeat {repeat + 1} fold {fold + 1}", mask)
                for repeat in range(protocol.repeats)
                for fold, mask in enumerate(k_folds(units, protocol.folds, generator(repeat), kept, of=of, where=where))
            )
        case _:
            strata, share = _strata(dataset, protocol, where, rows), protocol.test_fraction
            if protocol.splits == FRESH_DRAWS:
                names = [f"draw {dataset.draw + 1}"]
            else:
                names = [f"hold-out {repeat + 1}" for repeat in range(protocol.repeats)]
            return tuple(
                split(name, hold_out(units, share, generator(repeat), strata, where=where))
                for repeat, name in enumerate(names)
            )


def inner_splits(split: Split, dataset: Dataset, protocol: Protocol, folds: int) -> tuple[Split, ...]:
    """Splits of a split's training rows alone, for choices that must not see the test rows.

    Args:
        split: the outer one.
        dataset: whose cases are split.
        protocol: whose grouping the inner folds keep apart too.
        folds: how many.
    """
    units = _units(dataset, protocol, "protocol")[split.train]
    generator = np.random.default_rng(int(split.digest[:16], 16))
    of, where = f"{dataset.problem}/{dataset.task}", f"inner folds of '{split.name}'"
    return tuple(
        Split(
            split.task, split.draw, f"{split.name} / inner {i + 1}", split.train[~mask], split.train[mask], split.data
        )
        for i, mask in enumerate(k_folds(units, folds, generator, of=of, where=where))
    )


def held_out_split(dataset: Dataset, protocol: Protocol, *, where: str = "protocol") -> Split:
    """Everything but the held-out cases trains; the held-out cases are predicted. Whoever scores it is counted."""
    held = held_out_rows(dataset, protocol, where=where)
    if not len(held):
        raise CampaignFileError(
            "no cases are held out", where=where, remedy="set protocol.held_out before the first run"
        )
    train = open_rows(dataset, protocol, where=where)
    return Split(dataset.task, dataset.draw, "held out", train, held, dataset.digest)


def open_rows(dataset: Dataset, protocol: Protocol, *, where: str = "protocol") -> np.ndarray:
    """[row] int64: the cases that have a truth and are not set aside."""
    return np.setdiff1d(np.flatnonzero(dataset.scorable), held_out_rows(dataset, protocol, where=where))


def held_out_rows(dataset: Dataset, protocol: Protocol, *, where: str = "protocol") -> np.ndarray:
    """[row] int64: the cases set aside by `protocol.held_out`, whole groups at a time."""
    if not protocol.held_out:
        return np.array([], dtype=np.int64)
    units = _units(dataset, protocol, where)
    labels = np.unique(units[dataset.scorable])
    count = round(protocol.held_out * len(labels))
    if not 0 < count < len(labels) - 1:
        raise DataError(
            f"held_out = {protocol.held_out} of {len(labels)} groups leaves nothing to hold out or to split",
            where=where,
            remedy="change protocol.held_out",
        )
    chosen = np.random.default_rng([protocol.split_seed, 7]).choice(labels, size=count, replace=False)
    return np.flatnonzero(np.isin(units, chosen) & dataset.scorable)


def belonging(dataset: Dataset, group: str | None) -> np.ndarray | None:
    """[case] labels of what must stay together in any partition: groups, else repeated measurements; None if nothing.

    Args:
        dataset: whose cases they are.
        group: the protocol's grouping; None takes the dataset's first.
    """
    name = group or dataset.default_group
    if name is not None:
        return dataset.groups[name]
    return None if dataset.replicates is None else dataset.replicates.astype(str)


def group_name(dataset: Dataset, protocol: Protocol, *, where: str = "protocol") -> str | None:
    """The grouping that the protocol keeps apart in this dataset.

    Raises:
        UnknownNameError: the dataset has no grouping of that name.
    """
    if protocol.group is None:
        return dataset.default_group
    if protocol.group not in dataset.groups:
        raise UnknownNameError.of("group", protocol.group, dataset.groups, where=where)
    return protocol.group


def _units(dataset: Dataset, protocol: Protocol, where: str) -> np.ndarray:
    """[case] labels of what must not be torn apart."""
    name = group_name(dataset, protocol, where=where)
    if name is not None:
        return dataset.groups[name]
    if protocol.splits in ("leave-one-group-out", "grouped-k-fold"):
        raise CampaignFileError(
            f"{protocol.splits} needs groups and {dataset.problem}/{dataset.task} has none",
            where=where,
            remedy="name a group column, or set splits = 'repeated-k-fold'",
        )
    labels = belonging(dataset, protocol.group)
    return np.arange(len(dataset)).astype(str) if labels is None else labels


def _check_groups(labels: np.ndarray, counts: np.ndarray, dataset: Dataset, protocol: Protocol, where: str) -> None:
    name = group_name(dataset, protocol)
    if len(labels) < 3:
        raise DataError(
            f"{len(labels)} groups in '{name}': leaving one out needs at least 3",
            where=where,
            remedy="use another split",
        )
    small = np.flatnonzero(counts < protocol.minimum_group_rows)
    if len(small):
        i = small[0]
        raise DataError(
            f"group '{labels[i]}' of '{name}' has {counts[i]} row{'s' if counts[i] != 1 else ''}",
            where=where,
            remedy="merge it with another, or set protocol.minimum_group_rows = 1",
        )


def _labels_to_keep(dataset: Dataset, protocol: Protocol, where: str, rows: np.ndarray) -> np.ndarray | None:
    """[row, label] of 0 and 1, whose shares folds keep: of a grouping, or of all quantities; None to keep none."""
    if protocol.stratify is None:
        return None
    if protocol.stratify in dataset.groups:
        return np.equal.outer(dataset.groups[protocol.stratify][rows], np.unique(dataset.groups[protocol.stratify]))
    if protocol.stratify != QUANTITIES:
        raise UnknownNameError.of("stratify", protocol.stratify, (*dataset.groups, QUANTITIES), where=where)
    labels = dataset.targets()[rows]
    if not np.isin(labels, (0.0, 1.0)).all():
        raise DataError(
            f"the quantities of {dataset.problem}/{dataset.task} are not all 0 or 1, so they are no strata",
            where=where,
            remedy="name a grouping in protocol.stratify",
        )
    return labels


def _strata(dataset: Dataset, protocol: Protocol, where: str, rows: np.ndarray) -> np.ndarray | None:
    """[row] labels whose shares hold-outs keep; None to keep none."""
    if protocol.stratify is None:
        return None
    if protocol.stratify not in dataset.groups:
        raise UnknownNameError.of("stratify", protocol.stratify, dataset.groups, where=where)
    return dataset.groups[protocol.stratify][rows]
