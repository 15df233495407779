"""Cuts units of rows into folds, or a test set off them: whole units, shares of labels kept where that is asked for."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

from probatum.errors import DataError


def k_folds(
    units: np.ndarray,
    folds: int,
    generator: np.random.Generator,
    labels: np.ndarray | None = None,
    *,
    of: str,
    where: str,
) -> list[np.ndarray]:
    """[fold][row] masks: whole units, shuffled, each put into the fold with the fewest rows so far.

    Args:
        units: [row] labels of what stays together.
        folds: how many.
        generator: of the order.
        labels: [row, label] of 0 and 1; with them a unit is put where its labels are wanted most (`stratified_folds`).
        of, where: whose rows they are and what an error message names as the place.

    Raises:
        DataError: fewer units than folds.
    """
    names, codes, counts = np.unique(units, return_inverse=True, return_counts=True)
    if len(names) < folds:
        raise DataError(
            f"{len(names)} groups of {of} cannot make {folds} folds",
            where=where,
            remedy=f"use at most {len(names)} folds",
        )
    codes = codes.ravel()
    if labels is not None:
        fold_of = stratified_folds(codes, labels, folds, generator)
        return [fold_of[codes] == fold for fold in range(folds)]
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


def hold_out(
    units: np.ndarray, fraction: float, generator: np.random.Generator, strata: np.ndarray | None = None, *, where: str
) -> np.ndarray:
    """[row] mask of a test set of whole units that keeps the strata's shares as well as whole units allow.

    Args:
        units: [row] labels of what stays together.
        fraction: share of the units in the test set.
        generator: that draws them.
        strata: [row] labels whose shares are kept; None keeps none.
        where: what an error message names as the place.

    Raises:
        DataError: too few units, or strata too small.
    """
    labels, first = np.unique(units, return_index=True)
    test_count = max(1, round(fraction * len(labels)))
    if len(labels) - test_count < 1:
        raise DataError(f"{len(labels)} groups cannot be held out", where=where, remedy="lower protocol.test_fraction")
    if strata is None:
        chosen = generator.choice(len(labels), size=test_count, replace=False)
    else:
        splitter = StratifiedShuffleSplit(1, test_size=test_count, random_state=int(generator.integers(2**31)))
        try:
            chosen = next(splitter.split(labels, strata[first]))[1]
        except ValueError as error:
            raise DataError(f"the strata cannot be kept: {error}", where=where, remedy="merge small strata") from None
    return np.isin(units, labels[chosen])
