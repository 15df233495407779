"""Metabolites parted into groups of like homeostasis, by what each one's own data say of it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

STARTS, ITERATIONS = 20, 60


def grouped(
    lines: Float[np.ndarray, "metabolite weight"], precision: Float[np.ndarray, "metabolite weight weight"], count: int
) -> Int[np.ndarray, " metabolite"]:
    """Groups of like lines, by Lloyd's iteration with a precision matrix for each line, from several starts.

    Args:
        lines: [metabolite, weight] float64, estimated.
        precision: [metabolite, weight, weight], inverse of each estimate's covariance, up to a common factor.
        count: of groups, at most as many as lines.

    Returns:
        [metabolite] int64, from 0 on; fewer groups where some stay empty.
    """
    generator = np.random.default_rng(0)
    best, groups = np.inf, np.zeros(len(lines), dtype=np.int64)
    for _ in range(STARTS):
        middle = lines[generator.choice(len(lines), count, replace=False)]
        for _ in range(ITERATIONS):
            chosen, distance = _nearest(lines, middle, precision)
            if distance < best:
                best, groups = distance, chosen
            middle = np.stack([_pooled(lines, precision, chosen == g, middle[g]) for g in range(count)])
    return np.unique(groups, return_inverse=True)[1].reshape(-1)


def _nearest(
    lines: Float[np.ndarray, "metabolite weight"],
    middle: Float[np.ndarray, "group weight"],
    precision: Float[np.ndarray, "metabolite weight weight"],
) -> tuple[Int[np.ndarray, " metabolite"], float]:
    """[metabolite] int, the group whose line is nearest, and the sum of squared distances."""
    away = lines[:, None] - middle
    distance = np.einsum("mgi,mij,mgj->mg", away, precision, away)
    return distance.argmin(axis=1), float(distance.min(axis=1).sum())


def _pooled(
    lines: Float[np.ndarray, "metabolite weight"],
    precision: Float[np.ndarray, "metabolite weight weight"],
    members: Bool[np.ndarray, " metabolite"],
    before: Float[np.ndarray, " weight"],
) -> Float[np.ndarray, " weight"]:
    """The members' mean line, each weighed by its precision; the one before where there are none."""
    if not members.any():
        return before
    return np.linalg.solve(precision[members].sum(axis=0), np.einsum("mij,mj->i", precision[members], lines[members]))
