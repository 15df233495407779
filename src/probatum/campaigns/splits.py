"""Which cases train and which are predicted: every split carries a hash of its membership.

Rows that belong together stay together: the protocol's groups, else repeated measurements of one sample.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

from probatum.campaigns.protocol import Protocol
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
    open_rows = np.setdiff1d(np.flatnonzero(dataset.scorable), held_out_rows(dataset, protocol, where=where))
    units = _units(dataset, protocol, where)[open_rows]

    def split(name: str, test: np.ndarray) -> Split:
        return Split(dataset.task, dataset.draw, name, open_rows[~test], open_rows[test], dataset.digest)

    match protocol.splits:
        case "leave-one-group-out":
            labels, counts = np.unique(units, return_counts=True)
            _check_groups(labels, counts, dataset, protocol, where)
            return tuple(split(str(label), units == label) for label in labels)
        case "grouped-k-fold" | "repeated-k-fold":
            return tuple(
                split(f"repeat {repeat + 1} fold {fold + 1}", mask)
                for repeat in range(protocol.repeats)
                for fold, mask in enumerate(
                    _folds(
                        units,
                        protocol.folds,
                        _generator(protocol, dataset, repeat),
                        dataset,
                        where,
                        _labels_to_keep(dataset, protocol, where, open_rows),
                    )
                )
            )
        case "fresh-draws":
            strata = _strata(dataset, protocol, where)
            test = _hold_out(units, None if strata is None else strata[open_rows], protocol, dataset, 0, where)
            return (split(f"draw {dataset.draw + 1}", test),)
        case _:
            strata = _strata(dataset, protocol, where)
            return tuple(
                split(
                    f"hold-out {repeat + 1}",
                    _hold_out(units, None if strata is None else strata[open_rows], protocol, dataset, repeat, where),
                )
                for repeat in range(protocol.repeats)
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
    return tuple(
        Split(
            split.task, split.draw, f"{split.name} / inner {i + 1}", split.train[~mask], split.train[mask], split.data
        )
        for i, mask in enumerate(_folds(units, folds, generator, dataset, f"inner folds of '{split.name}'"))
    )


def held_out_split(dataset: Dataset, protocol: Protocol, *, where: str = "protocol") -> Split:
    """Everything but the held-out cases trains; the held-out cases are predicted. Whoever scores it is counted."""
    held = held_out_rows(dataset, protocol, where=where)
    if not len(held):
        raise CampaignFileError(
            "no cases are held out", where=where, remedy="set protocol.held_out before the first run"
        )
    train = np.setdiff1d(np.flatnonzero(dataset.scorable), held)
    return Split(dataset.task, dataset.draw, "held out", train, held, dataset.digest)


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


def _generator(protocol: Protocol, dataset: Dataset, repeat: int) -> np.random.Generator:
    return np.random.default_rng([protocol.split_seed, repeat, dataset.draw])


def _folds(
    units: np.ndarray,
    folds: int,
    generator: np.random.Generator,
    dataset: Dataset,
    where: str,
    labels: np.ndarray | None = None,
) -> list[np.ndarray]:
    """[fold][row] masks: whole units, shuffled, each put into the fold with the fewest rows so far.

    With labels [row, label] of 0 and 1 a unit is put where its labels are wanted most (`stratified_folds`).
    """
    names, codes, counts = np.unique(units, return_inverse=True, return_counts=True)
    if len(names) < folds:
        raise DataError(
            f"{len(names)} groups of {dataset.problem}/{dataset.task} cannot make {folds} folds",
            where=where,
            remedy=f"use at most {len(names)} folds",
        )
    if labels is not None:
        fold_of = stratified_folds(codes.ravel(), labels, folds, generator)
        return [fold_of[codes.ravel()] == fold for fold in range(folds)]
    order = generator.permutation(len(names))
    order = order[np.argsort(-counts[order], kind="stable")]
    filled = np.zeros(folds)
    fold_of = np.empty(len(names), dtype=np.int64)
    for unit in order:
        fold_of[unit] = int(np.argmin(filled))
        filled[fold_of[unit]] += counts[unit]
    return [fold_of[codes] == fold for fold in range(folds)]


def stratified_folds(units: np.ndarray, labels: np.ndarray, folds: int, generator: np.random.Generator) -> np.ndarray:
    """The fold of each unit, so that every label is as common in every fold as whole units allow.

    Iterative stratification (Sechidis, Tsoumakas, Vlahavas, ECML PKDD 2011), with units in the place of rows: the units
    of the label with the fewest rows left are dealt first, those with most of it before others, each to the fold that
    wants most of this label, then most rows.

    Args:
        units: [row] int, from 0 on: rows that stay together.
        labels: [row, label] of 0 and 1.
        folds: how many, at most as many as units.
        generator: of the order of equals.

    Returns:
        [unit] int64.
    """
    count = int(units.max()) + 1
    # The last column counts rows; it is dealt when no label is left.
    held = np.zeros((count, labels.shape[1] + 1))
    np.add.at(held, units, np.column_stack([labels, np.ones(len(labels))]))
    wanted = np.tile(held.sum(axis=0) / folds, (folds, 1))
    fold_of = np.full(count, -1, dtype=np.int64)
    free = folds  # folds that have no unit yet
    for _ in range(labels.shape[1] + 1):
        left = held[fold_of < 0].sum(axis=0)
        if not left[-1]:
            break
        of_labels = np.where(left[:-1] > 0, left[:-1], np.inf)
        label = int(of_labels.argmin()) if np.isfinite(of_labels).any() else labels.shape[1]
        order = generator.permutation(count)
        order = order[np.argsort(-held[order, label], kind="stable")]
        for unit in order[(held[order, label] > 0) & (fold_of[order] < 0)]:
            candidates = generator.permutation(folds)
            if (fold_of < 0).sum() <= free:  # no fold may stay empty
                candidates = np.setdiff1d(candidates, fold_of)
            best = max(candidates, key=lambda fold: (wanted[fold, label], wanted[fold, -1]))
            free -= best not in fold_of
            fold_of[unit] = best
            wanted[best] -= held[unit]
    return fold_of


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


def _strata(dataset: Dataset, protocol: Protocol, where: str) -> np.ndarray | None:
    if protocol.stratify is None:
        return None
    if protocol.stratify not in dataset.groups:
        raise UnknownNameError.of("stratify", protocol.stratify, dataset.groups, where=where)
    return dataset.groups[protocol.stratify]


def _hold_out(
    units: np.ndarray, strata: np.ndarray | None, protocol: Protocol, dataset: Dataset, repeat: int, where: str
) -> np.ndarray:
    """[row] mask of a test set of whole units that keeps the strata's shares as well as whole units allow."""
    labels, first = np.unique(units, return_index=True)
    test_count = max(1, round(protocol.test_fraction * len(labels)))
    if len(labels) - test_count < 1:
        raise DataError(f"{len(labels)} groups cannot be held out", where=where, remedy="lower protocol.test_fraction")
    if strata is None:
        chosen = _generator(protocol, dataset, repeat).choice(len(labels), size=test_count, replace=False)
    else:
        seed = int(_generator(protocol, dataset, repeat).integers(2**31))
        splitter = StratifiedShuffleSplit(1, test_size=test_count, random_state=seed)
        try:
            chosen = next(splitter.split(labels, strata[first]))[1]
        except ValueError as error:
            raise DataError(f"the strata cannot be kept: {error}", where=where, remedy="merge small strata") from None
    return np.isin(units, labels[chosen])
