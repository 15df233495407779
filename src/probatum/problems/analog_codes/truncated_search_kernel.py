"""The compiled loops behind `truncated_search`: one code in each lane of a vector, all exchanging the same columns.

Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np

from probatum.problems.analog_codes.lanes import LANES, choose, compiled, every, larger, load, size, store
from probatum.problems.analog_codes.vertex_search_kernel import search_into


@compiled
def vertex_bounds_into(
    bounds: np.ndarray,
    P: np.ndarray,
    exchanges: np.ndarray,
    afresh: np.ndarray,
    flips: np.ndarray,
    first_signs: np.ndarray,
    sorting: np.ndarray,
    X: np.ndarray,
    c: np.ndarray,
    s: np.ndarray,
    best: np.ndarray,
) -> None:
    """Writes lower bounds of the heights: the largest of codewords that are 1 in size on a basis.

    Args:
        bounds: [code, n - k] float64, written.
        P: [code, k (n - k)] float64, each code's P row by row.
        exchanges: [step, 2] int64, row and column that change places.
        afresh: [step] bool, whether the tableau is that of P again before the step.
        flips: [step, codeword] int64, the row whose sign turns after each codeword of a basis.
        first_signs: [step, k] float64, signs of a basis' first codeword.
        sorting: [comparison, 2] int64, a sorting network of n - k values.
        X, c, s, best: [k (n - k)], [n - k] three times rows to work in.
    """
    codes, redundancy = bounds.shape
    k = P.shape[1] // redundancy
    signs = np.empty(k)
    one = every(1.0)
    for start in range(0, codes, LANES):
        for m in range(redundancy):
            store(best, m, one)
        for step in range(len(exchanges)):
            if afresh[step]:
                _load_codes(X, P, start)
            _exchange(X, k, redundancy, exchanges[step, 0], exchanges[step, 1])
            for i in range(k):
                signs[i] = first_signs[step, i]
            for j in range(redundancy):
                value = every(0.0)
                for i in range(k):
                    value = value + every(signs[i]) * load(X, i * redundancy + j)
                store(c, j, value)
            for word in range(flips.shape[1]):
                for j in range(redundancy):
                    store(s, j, size(load(c, j)))
                _sort(s, sorting)
                _keep_inverse_heights(best, s, k)
                row = flips[step, word]
                twice = every(-2.0 * signs[row])
                signs[row] = -signs[row]
                for j in range(redundancy):
                    store(c, j, load(c, j) + twice * load(X, row * redundancy + j))
        _finish(bounds, best, start, True)


@compiled
def minor_bounds_into(
    bounds: np.ndarray,
    P: np.ndarray,
    exchanges: np.ndarray,
    afresh: np.ndarray,
    ends: np.ndarray,
    labels: np.ndarray,
    outside: np.ndarray,
    X: np.ndarray,
    low: np.ndarray,
    best: np.ndarray,
) -> None:
    """Writes the maximum of formula F4 over some T, whose bases are all visited: lower bounds of the heights.

    Args:
        bounds: [code, n - k] float64, written.
        P: [code, k (n - k)] float64, each code's P row by row.
        exchanges, afresh: as for `vertex_bounds_into`.
        ends: [step] int64, m where all bases of one T of n - m columns have been visited; -1 where a new T begins
            after the step, else 0.
        labels: [step, n - k] int64, columns of G that are not in the basis after the step, as the tableau has them.
        outside: [step, n - k] bool, which of them are outside T, at an end.
        X, low, best: [k (n - k)], [n] and [n - k] rows to work in.
    """
    codes, redundancy = bounds.shape
    k = P.shape[1] // redundancy
    one, infinite = every(1.0), every(np.inf)
    for start in range(0, codes, LANES):
        for m in range(redundancy):
            store(best, m, one)
        for t in range(k + redundancy):
            store(low, t, infinite)
        for step in range(len(exchanges)):
            if afresh[step]:
                _load_codes(X, P, start)
            _exchange(X, k, redundancy, exchanges[step, 0], exchanges[step, 1])
            top = load(best, redundancy - 1)
            for j in range(redundancy):
                norm = size(load(X, j))
                for i in range(1, k):
                    norm = norm + size(load(X, i * redundancy + j))
                top = larger(top, norm)
                label = labels[step, j]
                least = load(low, label)
                store(low, label, choose(norm, least, norm, least))
            store(best, redundancy - 1, top)
            m = ends[step]
            if m > 0:
                top = load(best, m - 1)
                for j in range(redundancy):
                    if outside[step, j]:
                        top = larger(top, load(low, labels[step, j]))
                store(best, m - 1, top)
            if m != 0:
                for t in range(k + redundancy):
                    store(low, t, infinite)
        _finish(bounds, best, start, False)


@compiled
def local_bounds_into(bounds: np.ndarray, G: np.ndarray, rounds: int, seed: int) -> None:
    """Writes the heights that the local search of `vertex_search` finds in each code; G is [code, k, n] float64."""
    codes, redundancy = bounds.shape
    k, n = G.shape[1], G.shape[2]
    words, bases, largest = (
        np.zeros((redundancy, n)),
        np.zeros((redundancy, k), np.int64),
        np.zeros(redundancy, np.int64),
    )
    for code in range(codes):
        bounds[code] = 1.0
        search_into(bounds[code], words, bases, largest, G[code], rounds, seed)


@compiled
def _load_codes(X: np.ndarray, P: np.ndarray, start: int) -> None:
    for lane in range(LANES):  # a last block that is not full repeats its last code
        code = min(start + lane, len(P) - 1)
        for e in range(P.shape[1]):
            X[e, lane] = P[code, e]


@compiled
def _exchange(X: np.ndarray, k: int, redundancy: int, row: int, column: int) -> None:
    at = row * redundancy
    inverse = every(1.0) / load(X, at + column)
    for j in range(redundancy):
        store(X, at + j, load(X, at + j) * inverse)
    for i in range(k):
        if i != row:
            factor = load(X, i * redundancy + column)
            for j in range(redundancy):
                if j != column:
                    store(X, i * redundancy + j, load(X, i * redundancy + j) - factor * load(X, at + j))
            store(X, i * redundancy + column, every(0.0) - factor * inverse)
    store(X, at + column, inverse)


@compiled
def _sort(s: np.ndarray, sorting: np.ndarray) -> None:
    """Largest first."""
    for t in range(len(sorting)):
        a, b = load(s, sorting[t, 0]), load(s, sorting[t, 1])
        store(s, sorting[t, 0], larger(a, b))
        store(s, sorting[t, 1], choose(a, b, a, b))


@compiled
def _keep_inverse_heights(best: np.ndarray, s: np.ndarray, k: int) -> None:
    """Keeps 1 / h_m of a codeword that is 1 in size at k positions and s, in descending order, at the others.

    Its (m+1)-th largest size is max(s_(m+1), min(1, s_(m+1-k))), with s_0 and before infinite, beyond the last 0.
    """
    redundancy = len(best)
    one = every(1.0)
    inverse = one / larger(one, load(s, 0))
    for m in range(1, redundancy + 1):
        below = load(s, m) if m < redundancy else every(0.0)
        other = m - k
        if other < 0:
            below = larger(below, one)
        else:
            value = load(s, other)
            below = larger(below, choose(value, one, value, one))
        value, least = below * inverse, load(best, m - 1)
        store(best, m - 1, choose(value, least, value, least))


@compiled
def _finish(bounds: np.ndarray, best: np.ndarray, start: int, inverse: bool) -> None:
    """Writes a block's bounds; those of m are at least those of m - 1."""
    codes, redundancy = bounds.shape
    for lane in range(min(LANES, codes - start)):
        value = 1.0
        for m in range(redundancy):
            found = 1.0 / best[m, lane] if inverse else best[m, lane]
            value = max(value, found)
            bounds[start + lane, m] = value
