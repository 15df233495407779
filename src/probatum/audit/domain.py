"""Which queries lie outside of what was trained on: there a prediction is an extrapolation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Outside:
    """Queries beyond the training range.

    Attributes:
        rows: [query] bool: whether any column of the query is beyond.
        columns: [column] bool: whether any query is beyond in this column.
        excess: [query, column] float64: how far beyond, in ranges of the training column, 0 inside; inf where the
            training rows all have one value and the query has another; NaN where the query is not finite.
    """

    rows: np.ndarray
    columns: np.ndarray
    excess: np.ndarray


def outside_range(training: np.ndarray, queries: np.ndarray, *, tolerance: float = 0.0) -> Outside:
    """Compares queries with the range of the training inputs, column by column.

    Args:
        training: [row, column] float64; values that are not finite are passed over.
        queries: [query, column] float64, the same columns; one that is not finite is beyond.
        tolerance: how far beyond is still inside, in ranges of the column.
    """
    training, queries = np.asarray(training, dtype=np.float64), np.asarray(queries, dtype=np.float64)
    known = np.isfinite(training)
    low = np.where(known, training, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, training, -np.inf).max(axis=0, initial=-np.inf)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        beyond = np.maximum(np.maximum(low - queries, queries - high), 0.0)
        span = high - low
        excess = np.where(beyond > 0, beyond / span, 0.0)
    excess = np.where(np.isfinite(queries), np.where(np.isfinite(span) | (beyond == 0), excess, np.inf), np.nan)
    outside = np.isnan(excess) | (excess > tolerance)
    return Outside(np.asarray(outside.any(axis=1)), np.asarray(outside.any(axis=0)), excess)
