"""Conformal intervals: how far predictions were off for rows, or whole groups, that the learner had not seen.

With groups (molecules, solvents, runs) the unit that is exchangeable is the group, not the row: each group then counts
once, however many rows it has, and coverage is for a row drawn from a new group (Lee, Barber and Willett 2023).

Three ways, by what is at hand:

- `split_half_widths`: calibration rows that neither trained nor selected; exact.
- `cross_intervals`: out-of-fold predictions, and each fold's learner on the new rows; every row calibrates.
- `left_out_half_widths`: out-of-fold predictions alone, as a finished experiment has them; a row's interval is
  calibrated by the other groups, so that how often intervals hold the truth can be counted, group by group.

Where learners predict a spread, errors are taken in its units, and intervals are wide where it is large (Lei et al.
2018, locally weighted).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, Real, Shaped

from probatum.errors import DataError


def quantile(
    errors: Real[np.ndarray, " row"],
    coverage: float,
    weights: Real[np.ndarray, " row"] | None = None,
    beyond: float = 1.0,
) -> float:
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


def group_weights(groups: Shaped[np.ndarray, " row"] | None, rows: int) -> Float[np.ndarray, " row"]:
    """[row] weights by which each group counts 1; 1 each where there are no groups."""
    if groups is None:
        return np.ones(rows)
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return 1 / sizes[place.ravel()]


def split_half_widths(
    truth: Real[np.ndarray, "row quantity"],
    prediction: Real[np.ndarray, "row quantity"],
    coverage: float = 0.9,
    groups: Shaped[np.ndarray, " row"] | None = None,
    spread: Real[np.ndarray, "row quantity"] | None = None,
) -> Float[np.ndarray, " quantity"]:
    """Half the width of intervals prediction +- h that hold a new row's truth with probability `coverage` or more.

    Args:
        truth, prediction: [row, quantity] of calibration rows, which neither trained nor selected the learner.
        coverage: between 0 and 1.
        groups: [row] labels, whole groups being calibration rows; None where rows are exchangeable.
        spread: [row, quantity] predictive standard deviations; h is then a multiple of a new row's.

    Returns:
        [quantity]; infinite where there are too few rows or groups.

    Raises:
        DataError: there are no calibration rows, coverage is not between 0 and 1, or a spread is not above 0.
    """
    _check(truth, coverage)
    errors, weights = _errors(truth, prediction, spread), group_weights(groups, len(truth))
    return np.array([quantile(errors[:, q], coverage, weights) for q in range(truth.shape[1])])


def left_out_half_widths(
    truth: Real[np.ndarray, "row quantity"],
    out_of_fold: Real[np.ndarray, "row quantity"],
    coverage: float = 0.9,
    groups: Shaped[np.ndarray, " row"] | None = None,
    spread: Real[np.ndarray, "row quantity"] | None = None,
) -> Float[np.ndarray, "row quantity"]:
    """Half the width of each row's interval, from the out-of-fold errors of the other groups, or other rows.

    The row's own group never calibrates its interval. The learners that predicted the others have mostly seen it
    though, so that, as with CV+ (Barber et al. 2021), the coverage is about `coverage` in practice and is promised only
    to 2 coverage - 1.

    Args:
        truth, out_of_fold: [row, quantity]; a row predicted by a learner that had not seen its group.
        coverage: between 0 and 1.
        groups: [row] labels; None where rows are exchangeable.
        spread: [row, quantity] predictive standard deviations; they widen a row's interval.

    Returns:
        [row, quantity]: prediction +- it is the interval; infinite where there are too few other groups.

    Raises:
        DataError: there are no rows, coverage is not between 0 and 1, or a spread is not above 0.
    """
    labels = np.arange(len(truth)) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    _check(truth, coverage)
    errors, weights = _errors(truth, out_of_fold, spread), group_weights(groups, len(truth))
    widths = np.empty(truth.shape)
    for group in range(labels.max() + 1):
        own = labels == group
        widths[own] = [quantile(errors[~own, q], coverage, weights[~own]) for q in range(truth.shape[1])]
    return widths if spread is None else widths * spread


def cross_intervals(
    truth: Real[np.ndarray, "row quantity"],
    out_of_fold: Real[np.ndarray, "row quantity"],
    folds: Int[np.ndarray, " row"],
    predictions: Real[np.ndarray, "fold new quantity"],
    coverage: float = 0.9,
    groups: Shaped[np.ndarray, " row"] | None = None,
    spread: Real[np.ndarray, "row quantity"] | None = None,
    spreads: Real[np.ndarray, "fold new quantity"] | None = None,
) -> tuple[Float[np.ndarray, "new quantity"], Float[np.ndarray, "new quantity"]]:
    """Cross-conformal intervals (CV+, Barber et al. 2021), which use every training row for calibration.

    Covers with probability 2 coverage - 1 at least, and about `coverage` in practice.

    Args:
        truth, out_of_fold: [row, quantity]; a row predicted by the fold's learner that had not seen it.
        folds: [row] int, the fold whose learner predicted it.
        predictions: [fold, new row, quantity] of each fold's learner.
        coverage: between 0 and 1.
        groups: [row] labels, no group in two folds; None where rows are exchangeable.
        spread: [row, quantity] predictive standard deviations of `out_of_fold`; None for errors as they are.
        spreads: [fold, new row, quantity] those of `predictions`; given where `spread` is.

    Returns:
        Lower and upper ends, [new row, quantity] each.

    Raises:
        DataError: there are no rows, coverage is not between 0 and 1, a spread is not above 0, or only one of
            `spread` and `spreads` is given.
    """
    _check(truth, coverage)
    if (spread is None) is not (spreads is None):
        raise DataError("spreads of one side only", remedy="give both spread and spreads, or neither")
    errors, weights = _errors(truth, out_of_fold, spread), group_weights(groups, len(truth))
    low, high = np.empty(predictions.shape[1:]), np.empty(predictions.shape[1:])
    for q in range(truth.shape[1]):
        for row in range(predictions.shape[1]):
            centre = predictions[folds, row, q]
            away = errors[:, q] * (1.0 if spreads is None else spreads[folds, row, q])
            high[row, q] = quantile(centre + away, coverage, weights)
            low[row, q] = -quantile(away - centre, coverage, weights)
    return low, high


def _errors(
    truth: Real[np.ndarray, "row quantity"],
    prediction: Real[np.ndarray, "row quantity"],
    spread: Real[np.ndarray, "row quantity"] | None,
) -> Real[np.ndarray, "row quantity"]:
    """[row, quantity] sizes of errors, in units of the spread where there is one."""
    if spread is not None and not (spread > 0).all():
        raise DataError(f"{int((~(spread > 0)).sum())} spreads are not above 0", remedy="leave the spread out")
    return np.abs(truth - prediction) / (1.0 if spread is None else spread)


def _check(truth: np.ndarray, coverage: float) -> None:
    if not len(truth):
        raise DataError("there are no calibration rows", remedy="set some aside")
    if not 0 < coverage < 1:
        raise DataError(f"coverage = {coverage!r} cannot be used", remedy="a number between 0 and 1, such as 0.9")
