"""Natural cubic splines: smooth between their knots, straight beyond them.

Basis 1, x, d_1 - d_{K-1}, ..., d_{K-2} - d_{K-1} with d_k(x) = ((x - t_k)_+^3 - (x - t_K)_+^3) / (t_K - t_k)
(T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, 2009, equations 5.4 and 5.5).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Real

from probatum.errors import DataError


def natural_spline(
    x: Real[np.ndarray, "*shape"] | float, knots: Real[np.ndarray, " knot"]
) -> Float[np.ndarray, " knot *shape"]:
    """The basis at x: [knot, ...] float64, all functions of about the size of x.

    Args:
        x: [...].
        knots: [knot] float64, increasing, at least two.

    Raises:
        DataError: knots are too few or do not increase.
    """
    knots = np.asarray(knots, dtype=np.float64)
    if len(knots) < 2 or not (np.diff(knots) > 0).all():
        raise DataError("the knots do not increase", where="a spline", remedy="give at least two, in order")
    scale = (knots[-1] - knots[0]) ** 2

    def cubed(knot: float) -> Float[np.ndarray, " ..."] | float:
        beyond = np.maximum(x - knot, 0.0)
        return beyond * beyond * beyond  # numpy's powers take ten times as long

    from_end = cubed(knots[-1])

    def d(knot: float) -> Float[np.ndarray, " ..."] | float:
        return (cubed(knot) - from_end) / ((knots[-1] - knot) * scale)

    last = d(knots[-2])
    return np.stack([np.ones_like(x), x, *((d(knot) - last) * (knots[-1] - knots[0]) for knot in knots[:-2])])


def knots_over(values: Real[np.ndarray, " ..."], count: int, tail: float) -> Float[np.ndarray, " {count}"]:
    """Evenly spaced knots, `tail` of the values beyond the outer ones on either side.

    Args:
        values: [...], at least two different ones.
        count: of knots, at least 2.
        tail: share, below a half.
    """
    low, high = np.quantile(values, [tail, 1 - tail])
    if not low < high:
        low, high = values.min(), values.max()
    return np.linspace(low, high, count)
