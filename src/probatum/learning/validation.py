"""Rows set aside from a training fold, to see when a training should stop."""

from __future__ import annotations

import numpy as np

from probatum.errors import FitError


def set_aside(rows: int, share: float, seed: int, groups: np.ndarray | None = None) -> np.ndarray:
    """Which training rows become validation rows, chosen by the seed.

    Args:
        rows: how many there are.
        share: of the rows, between 0 and 1; at least one row, or one whole group, is set aside, and one is left.
        seed: of the fit.
        groups: [row] labels; groups are set aside whole, in random order until the share is reached.

    Returns:
        [row] bool.

    Raises:
        FitError: there are fewer than two rows or groups.
    """
    generator = np.random.default_rng([seed, 1])
    labels = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    sizes = np.bincount(labels)
    if len(sizes) < 2:
        what = "row" if groups is None else "group"
        raise FitError(f"only one {what} to train on: none can be set aside", remedy="validation_fraction = 0")
    order = generator.permutation(len(sizes))
    # A group is taken while that brings the share nearer.
    reached = np.cumsum(sizes[order]) - sizes[order] / 2
    taken = int(np.clip((reached < share * rows).sum(), 1, len(sizes) - 1))
    return np.isin(labels, order[:taken])
