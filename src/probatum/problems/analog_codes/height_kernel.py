"""The compiled loop behind `heights.height_profiles`: formula F4 for many codes at once.

Codes are worked on in blocks of `LANES`, and every innermost loop runs over the lanes of a block, so the compiler turns
each into a few vector instructions. Importing this module imports numba (about half a second).
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

LANES = 16
TINY = 1e-305
"""Added to sums of minors so that 'sum / 0' is infinite even where the sum is 0; far below any sum that can occur."""


def _compiled(function: Callable) -> Callable:
    """The function compiled on first call; kept on disk where numba finds a folder that it can write."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except (RuntimeError, OSError):  # numba found nowhere to put its cache: compile anew in every process
        return numba.njit(**options)(function)


@_compiled
def profiles_into(
    profiles,
    P,
    tolerance,
    first,
    entry,
    child,
    circuits,
    lattice_basis,
    lattice_circuit,
    lattice_first,
    lattice_child,
):
    """Writes the height profile of every code.

    Args:
        profiles: [code, n - k] float64, written: h_1, ..., h_(n-k).
        P: [code, k (n - k)] float64, each code's P row by row.
        tolerance: [code] float64; a minor is zero if at most this times the sum of its terms' absolute values.
        first, ..., lattice_child: see `HeightTables`.
    """
    codes, redundancy = profiles.shape
    bases, n, span = first.size - 1, lattice_basis.shape[0], circuits.shape[1]
    x = np.empty((P.shape[1], LANES))
    allowed = np.empty(LANES)
    minor = np.empty((bases, LANES))
    bound = np.empty((bases, LANES))
    inverse = np.empty((bases, LANES))
    total = np.empty((circuits.shape[0], LANES))
    norm = np.empty((lattice_child.shape[0], LANES))
    best = np.empty((redundancy, LANES))

    for start in range(0, codes, LANES):
        for lane in range(LANES):  # a last block that is not full repeats its last code
            code = min(start + lane, codes - 1)
            allowed[lane] = tolerance[code]
            for e in range(P.shape[1]):
                x[e, lane] = P[code, e]

        for b in range(bases):
            if first[b] == first[b + 1]:
                for lane in range(LANES):
                    minor[b, lane] = 1.0
                    bound[b, lane] = 1.0
            else:
                for lane in range(LANES):
                    minor[b, lane] = 0.0
                    bound[b, lane] = 0.0
            sign = 1.0
            for t in range(first[b], first[b + 1]):
                e, c = entry[t], child[t]
                for lane in range(LANES):
                    minor[b, lane] += sign * x[e, lane] * minor[c, lane]
                    bound[b, lane] += abs(x[e, lane]) * bound[c, lane]
                sign = -sign
        for b in range(bases):  # signs are needed no more
            for lane in range(LANES):
                size = abs(minor[b, lane])
                size = 0.0 if size <= allowed[lane] * bound[b, lane] else size
                minor[b, lane] = size
                inverse[b, lane] = 1.0 / size

        for u in range(circuits.shape[0]):
            for lane in range(LANES):
                total[u, lane] = TINY
            for i in range(span):
                b = circuits[u, i]
                for lane in range(LANES):
                    total[u, lane] += minor[b, lane]

        # Heights plus one until the end: |G_I^-1 g_j|_1 + 1 = total / minor, and min and max keep the order.
        for m in range(redundancy):
            for lane in range(LANES):
                best[m, lane] = 2.0
        for j in range(n):
            for t in range(lattice_first[1]):
                b, u = lattice_basis[j, t], lattice_circuit[j, t]
                for lane in range(LANES):
                    value = total[u, lane] * inverse[b, lane]
                    norm[t, lane] = value
                    best[redundancy - 1, lane] = max(best[redundancy - 1, lane], value)
            for level in range(1, redundancy):
                m = redundancy - 1 - level
                for t in range(lattice_first[level], lattice_first[level + 1]):
                    c = lattice_child[t, 0]
                    for lane in range(LANES):
                        norm[t, lane] = norm[c, lane]
                    for i in range(1, span):
                        c = lattice_child[t, i]
                        for lane in range(LANES):
                            norm[t, lane] = min(norm[t, lane], norm[c, lane])
                    for lane in range(LANES):
                        best[m, lane] = max(best[m, lane], norm[t, lane])

        for lane in range(min(LANES, codes - start)):
            for m in range(redundancy):
                profiles[start + lane, m] = best[m, lane] - 1.0
