"""The compiled loops behind `kinetics`. Importing this module imports numba.

All kernels of this folder take a network as its sparse matrices, column by column: `order_starts` [reaction + 1],
`order_rows` [entry] the metabolites and `order_values` [entry] float64 the orders of a reaction, `change_starts`,
`change_rows` and `change_values` its stoichiometry likewise; `constants` [reaction], `decay` and `level` [metabolite]
float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

Result = TypeVar("Result")


def compiled(function: Callable[..., Result]) -> Callable[..., Result]:
    """The function compiled on first call, products and sums fused; kept on disk where numba finds a folder for it."""
    try:
        return _compiled(function, kept=True)
    except (RuntimeError, OSError):  # numba found nowhere to put its cache: compile anew in every process
        return _compiled(function, kept=False)


def _compiled(function: Callable[..., Result], *, kept: bool) -> Callable[..., Result]:
    decorate: Any = numba.njit(cache=kept, nogil=True, error_model="numpy", fastmath={"contract"})
    return decorate(function)


@compiled
def power(base: float, order: float) -> float:
    """base^order; order 1, the usual one, without a call."""
    return base if order == 1.0 else base**order


@compiled
def propensities_into(
    found: np.ndarray,
    concentrations: np.ndarray,
    order_starts: np.ndarray,
    order_rows: np.ndarray,
    order_values: np.ndarray,
) -> None:
    """Writes p_j(c), [reaction, frame]."""
    for j in range(found.shape[0]):
        for t in range(found.shape[1]):
            found[j, t] = 1.0
        for e in range(order_starts[j], order_starts[j + 1]):
            i, order = order_rows[e], order_values[e]
            for t in range(found.shape[1]):
                found[j, t] *= power(concentrations[t, i], order)


@compiled
def euler_into(
    found: np.ndarray,
    clamped: np.ndarray,
    constants: np.ndarray,
    step: float,
    noise: np.ndarray,
    order_starts: np.ndarray,
    order_rows: np.ndarray,
    order_values: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
    decay: np.ndarray,
    level: np.ndarray,
) -> None:
    """Fills [frame, metabolite] from its first row on, and marks where the concentration was lifted to 0."""
    for t in range(found.shape[0] - 1):
        now, later = found[t], found[t + 1]
        for i in range(found.shape[1]):
            later[i] = now[i] - step * decay[i] * (now[i] - level[i])
        if noise.shape[0] > 0:
            for i in range(found.shape[1]):
                later[i] += noise[t, i]
        for j in range(constants.shape[0]):
            p = 1.0
            for e in range(order_starts[j], order_starts[j + 1]):
                p *= power(now[order_rows[e]], order_values[e])
            change = step * constants[j] * p
            for e in range(change_starts[j], change_starts[j + 1]):
                later[change_rows[e]] += change_values[e] * change
        for i in range(found.shape[1]):
            if later[i] < 0.0:
                later[i] = 0.0
                clamped[t + 1, i] = True
