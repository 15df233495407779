"""Bounded least squares from normal equations: min k^T G k - 2 k^T b over lower <= k <= upper, G sparse.

Coordinate descent: each constant in turn to its best value given the others, cut at its bounds. With the gradient kept
up to date a sweep costs as much as one product with G. The problem is convex, so any point that no coordinate can
improve is the solution. Once the set of constants at a bound stays the same, the others are solved for directly and
checked, by conjugate gradients: descent alone is slow along weak directions.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from probatum.errors import FitError
from probatum.problems.metabolism.kinetics_kernel import compiled

SWEEPS = 20
"""Between two direct solutions."""
ROUNDS = 60
TOLERANCE = 1e-10
"""Of the gradient, relative to the size of its terms."""


def bounded_least_squares(
    gram: sparse.csr_array,
    right: np.ndarray,
    lower: np.ndarray | float = 0.0,
    upper: np.ndarray | float = np.inf,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """The k within its bounds that minimises k^T G k - 2 k^T b: [reaction] float64.

    Args:
        gram: G, symmetric and positive semidefinite, its diagonal stored.
        right: b, [reaction].
        lower, upper: bounds, one for all or [reaction].
        start: [reaction]; by default 0, cut at the bounds.

    Raises:
        FitError: no solution was reached, which takes bounds that exclude each other or a matrix that is not one of
            normal equations.
    """
    gram = sparse.csr_array(gram)
    count = len(right)
    low, high = (np.broadcast_to(np.asarray(bound, dtype=np.float64), count).copy() for bound in (lower, upper))
    if (low > high).any() or not np.isfinite(gram.data).all() or not np.isfinite(right).all():
        raise FitError(
            "bounds that exclude each other, or equations that are not finite",
            where="bounded least squares",
            remedy="give lower <= upper and finite concentrations",
        )
    # Scaled to a unit diagonal, so that one tolerance serves all.
    scale = np.sqrt(gram.diagonal())
    scale[scale == 0] = 1.0
    G = sparse.csr_array((gram.data / (scale[gram.indices] * np.repeat(scale, np.diff(gram.indptr))),
                          gram.indices, gram.indptr), shape=gram.shape)  # fmt: skip
    b, low, high = right / scale, low * scale, high * scale
    k = np.clip(np.zeros(count) if start is None else start * scale, low, high)
    for _ in range(ROUNDS):
        sweep_into(k, b, low, high, G.indptr, G.indices, G.data, SWEEPS)
        free = (k > low) & (k < high)
        better = _solved(G, b, k, free)
        if (better[free] >= low[free]).all() and (better[free] <= high[free]).all():
            k = better
        if _is_solution(G, b, k, low, high):
            return np.clip(k / scale, lower, upper)  # scaling there and back rounds
    raise FitError(
        f"no solution after {ROUNDS} rounds",
        where="bounded least squares",
        remedy="reduce the network to identifiable constants first, or look at their conditioning",
    )


def _solved(G: sparse.csr_array, b: np.ndarray, k: np.ndarray, free: np.ndarray) -> np.ndarray:
    """k with the free constants at their best, the others as they are."""
    inside = np.flatnonzero(free)
    if not len(inside):
        return k
    part = G if free.all() else G[inside][:, inside]
    found = k.copy()
    found[inside] += conjugate_gradients(part, (b - G @ k)[inside])
    return found


def conjugate_gradients(G: sparse.csr_array, b: np.ndarray) -> np.ndarray:
    """The x with G x = b, to rounding; G sparse, positive semidefinite, diagonal 1.

    Networks with random neighbours fill in when they are factorised, so iteration is much faster there.
    """
    x, r = np.zeros_like(b), b.copy()
    direction, square = r.copy(), float(r @ r)
    least = square * 1e-30
    for _ in range(10 * len(b) + 100):
        if square <= least:
            break
        forward = G @ direction
        length = float(direction @ forward)
        if length <= 0.0:
            break
        x += square / length * direction
        r -= square / length * forward
        before, square = square, float(r @ r)
        direction = r + square / before * direction
    return x


def _is_solution(G: sparse.csr_array, b: np.ndarray, k: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    """No coordinate can improve: the gradient is 0, or points out of the box at a bound."""
    downhill = b - G @ k
    size = np.abs(b) + abs(G) @ np.abs(k)
    downhill = np.where(np.abs(downhill) <= TOLERANCE * np.maximum(size, 1e-300), 0.0, downhill)
    return bool((((k <= low) | (downhill >= 0)) & ((k >= high) | (downhill <= 0))).all())


@compiled
def sweep_into(
    k: np.ndarray,
    right: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    starts: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    sweeps: int,
) -> None:
    """Sweeps of coordinate descent, the diagonal being 1 (or 0, for a constant in no equation)."""
    for _ in range(sweeps):
        for j in range(k.shape[0]):
            downhill, diagonal = right[j], 0.0
            for e in range(starts[j], starts[j + 1]):
                if columns[e] == j:
                    diagonal = values[e]
                else:
                    downhill -= values[e] * k[columns[e]]
            if diagonal > 0.0:
                k[j] = min(max(downhill / diagonal, low[j]), high[j])
