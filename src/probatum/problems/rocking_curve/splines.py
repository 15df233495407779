"""Strain and static Debye-Waller factor as cubic B-splines over the damaged depth, as in the program RaDMaX.

With h the height above the lower end of the damaged region, t its depth and N weights w_1, ..., w_N, the profile is

    sum over i of w_i B(N h / t - i + 1),  B the cubic B-spline on [0, 4] with knots at 0, 1, 2, 3, 4,

and three more weights before the first, fixed at the perfect crystal's value (strain 0, Debye-Waller factor 1), let it
meet the substrate smoothly (Boulle and Debelle, J. Appl. Cryst. 43, 1046, 2010). The basis does not depend on the
weights, so a profile is one matrix product, for numpy and JAX alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.interpolate import BSpline

from probatum.errors import DataError

FIXED = 3
"""Weights at the lower end that are not free."""


def basis(slices: int, weights: int) -> Float[np.ndarray, "{slices} weight"]:
    """The B-splines at the middles of equally thick slices.

    Args:
        slices: how many slices the damaged region is cut into.
        weights: N, how many of the weights are free.

    Returns:
        [slice, FIXED + weights] float64, slices from the surface downwards, weights from the lower end upwards as that
        program counts them; every row sums to 1.

    Raises:
        DataError: either is below 1.
    """
    if slices < 1 or weights < 1:
        raise DataError(f"{slices} slices with {weights} weights", remedy="give at least one of each")
    heights = weights * (1 - (np.arange(slices) + 0.5) / slices)
    return BSpline.design_matrix(heights, np.arange(-3.0, weights + 4.0), 3).toarray()


def strain(weights: Any, slices: int) -> Any:
    """Strain of the slices: [..., slice], from free weights [..., N] as fractions (not per cent)."""
    return weights @ basis(slices, weights.shape[-1])[:, FIXED:].T


def debye_waller(weights: Any, slices: int) -> Any:
    """Static Debye-Waller factor of the slices: [..., slice], from free weights [..., N]."""
    functions = basis(slices, weights.shape[-1])
    return functions[:, :FIXED].sum(1) + weights @ functions[:, FIXED:].T
