"""The compiled loops behind `kinetics`. Importing this module imports numba."""

from __future__ import annotations

from collections.abc import Callable

import numba


def compiled(function: Callable) -> Callable:
    """The function compiled on first call, products and sums fused; kept on disk where numba finds a folder for it."""
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except (RuntimeError, OSError):  # numba found nowhere to put its cache: compile anew in every process
        return numba.njit(**options)(function)


@compiled
def power(base, order):
    """base^order; order 1, the usual one, without a call."""
    return base if order == 1.0 else base**order


@compiled
def propensities_into(found, concentrations, order_starts, order_rows, order_values):
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
    found, clamped, constants, step, noise,
    order_starts, order_rows, order_values, change_starts, change_rows, change_values, decay, level,
):  # fmt: skip
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
