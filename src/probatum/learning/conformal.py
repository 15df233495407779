"""Conformal intervals: how far predictions were off for rows, or whole groups, that the learner had not seen.

With groups (molecules, solvents, runs) the unit that is exchangeable is the group, not the row: each group then counts
once, however many rows it has, and coverage is for a row drawn from a new group (Lee, Barber and Willett 2023).
"""

from __future__ import annotations

import numpy as np

from probatum.errors import DataError


def quantile(errors: np.ndarray, coverage: float, weights: np.ndarray | None = None, beyond: float = 1.0) -> float:
    """The finite-sample quantile: the least error that leaves `coverage` of the weight, the unseen one's included.

    Without weights that is the ceil((n + 1) coverage)-th smallest error; infinity where n is too small for it
    (Vovk, Gammerman and Shafer 2005).

    Args:
        errors: [row], not negative.
        coverage: between 0 and 1.
        weights: [row]; None weighs each 1.
        beyond: weight of the unseen one, whose error may be anything.
    """
    weights = np.ones(len(errors)) if weights is None else weights
    order = np.argsort(errors)
    reached = np.cumsum(weights[order])
    needed = coverage * (weights.sum() + beyond)
    place = int(np.searchsorted(reached, needed * (1 - 1e-12)))
    return float(errors[order][place]) if place < len(errors) else float("inf")


def group_weights(groups: np.ndarray | None, rows: int) -> np.ndarray:
    """[row] weights by which each group counts 1; 1 each where there are no groups."""
    if groups is None:
        return np.ones(rows)
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return 1 / sizes[place.ravel()]


def split_half_widths(
    truth: np.ndarray,
    prediction: np.ndarray,
    coverage: float = 0.9,
    groups: np.ndarray | None = None,
    spread: np.ndarray | None = None,
) -> np.ndarray:
    """Half the width of intervals prediction +- h that hold a new row's truth with probability `coverage` or more.

    Args:
        truth, prediction: [row, quantity] of calibration rows, which neither trained nor selected the learner.
        coverage: between 0 and 1.
        groups: [row] labels, whole groups being calibration rows; None where rows are exchangeable.
        spread: [row, quantity] predictive standard deviations; h is then a multiple of a new row's.

    Returns:
        [quantity]; infinite where there are too few rows or groups.

    Raises:
        DataError: there are no calibration rows, or coverage is not between 0 and 1.
    """
    if not len(truth):
        raise DataError("there are no calibration rows", remedy="set some aside")
    if not 0 < coverage < 1:
        raise DataError(f"coverage = {coverage!r} cannot be used", remedy="a number between 0 and 1, such as 0.9")
    errors = np.abs(truth - prediction) / (1.0 if spread is None else spread)
    weights = group_weights(groups, len(truth))
    return np.array([quantile(errors[:, q], coverage, weights) for q in range(truth.shape[1])])


def cross_intervals(
    truth: np.ndarray,
    out_of_fold: np.ndarray,
    folds: np.ndarray,
    predictions: np.ndarray,
    coverage: float = 0.9,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-conformal intervals (CV+, Barber et al. 2021), which use every training row for calibration.

    Covers with probability 2 coverage - 1 at least, and about `coverage` in practice.

    Args:
        truth, out_of_fold: [row, quantity]; a row predicted by the fold's learner that had not seen it.
        folds: [row] int, the fold whose learner predicted it.
        predictions: [fold, new row, quantity] of each fold's learner.
        coverage: between 0 and 1.
        groups: [row] labels, no group in two folds; None where rows are exchangeable.

    Returns:
        Lower and upper ends, [new row, quantity] each.
    """
    errors, weights = np.abs(truth - out_of_fold), group_weights(groups, len(truth))
    low, high = np.empty(predictions.shape[1:]), np.empty(predictions.shape[1:])
    for q in range(truth.shape[1]):
        for row in range(predictions.shape[1]):
            centre = predictions[folds, row, q]
            high[row, q] = quantile(centre + errors[:, q], coverage, weights)
            low[row, q] = -quantile(errors[:, q] - centre, coverage, weights)
    return low, high
