"""The compiled loops behind `tableaux`: pivoting, canonical order, and what a network sees of a tableau.

Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np

from probatum.problems.analog_codes.lanes import compiled

GAIN = 1 + 1e-9
"""An exchange must enlarge the volume by this factor, so that rounding cannot make the pivoting cycle."""
SMALLEST = 1e-30
"""Sizes below count as this before logarithms are taken."""


@compiled
def views_into(views: np.ndarray, P: np.ndarray, scale: float) -> None:
    """Writes the tableaux a network sees of each code; arguments as `tableaux.views`.

    Args:
        views: [code, view, k, n - k] float64, written.
        P: [code, k, n - k] float64.
        scale: P is divided by it in the first view.
    """
    codes, count, k, redundancy = views.shape
    X, Z = np.empty((k, redundancy)), np.empty((k, redundancy))
    closeness = np.empty(k * redundancy)
    for code in range(codes):
        for i in range(k):
            for j in range(redundancy):
                X[i, j] = P[code, i, j]
                Z[i, j] = P[code, i, j] / scale
        _canonical(Z, views[code, 0])
        if count == 1:
            continue
        pivot_to_largest_volume(X)
        _canonical(X, views[code, 1])
        if count == 2:
            continue
        for i in range(k):
            for j in range(redundancy):
                closeness[i * redundancy + j] = -abs(X[i, j])
        order = np.argsort(closeness)
        for view in range(2, count):
            Z[:] = X
            exchange(Z, order[view - 2] // redundancy, order[view - 2] % redundancy)
            _canonical(Z, views[code, view])


@compiled
def pivot_to_largest_volume(X: np.ndarray) -> None:
    """Exchanges a basic and another column as long as that enlarges the determinant of the basis; the largest first.

    In the end no entry of the tableau X = G_I^-1 G_J exceeds 1: its entries are the ratios of volumes.
    """
    k, redundancy = X.shape
    while True:
        largest, row, column = 0.0, 0, 0
        for i in range(k):
            for j in range(redundancy):
                size = abs(X[i, j])
                if size > largest:
                    largest, row, column = size, i, j
        if not largest > GAIN:
            return
        exchange(X, row, column)


@compiled
def exchange(X: np.ndarray, row: int, column: int) -> None:
    """The tableau after the basic column of `row` and the other column have changed places, in place."""
    k, redundancy = X.shape
    inverse = 1.0 / X[row, column]
    for i in range(k):
        if i != row:
            factor = X[i, column] * inverse
            for j in range(redundancy):
                X[i, j] -= factor * X[row, j]
            X[i, column] = -factor
    for j in range(redundancy):
        X[row, j] *= inverse
    X[row, column] = inverse


@compiled
def _canonical(X: np.ndarray, out: np.ndarray) -> None:
    """Rows and columns by the sum of their sizes, largest first; signs such that the first row and column are >= 0."""
    k, redundancy = X.shape
    rows, columns = np.zeros(k), np.zeros(redundancy)
    for i in range(k):
        for j in range(redundancy):
            rows[i] -= abs(X[i, j])
            columns[j] -= abs(X[i, j])
    row_order, column_order = np.argsort(rows), np.argsort(columns)
    for i in range(k):
        for j in range(redundancy):
            out[i, j] = X[row_order[i], column_order[j]]
    for j in range(redundancy):
        if out[0, j] < 0:
            for i in range(k):
                out[i, j] = -out[i, j]
    for i in range(1, k):
        if out[i, 0] < 0:
            for j in range(redundancy):
                out[i, j] = -out[i, j]


@compiled
def describe_into(
    plain: np.ndarray, sizes: np.ndarray, views: np.ndarray, full: np.ndarray, largest: int, smallest: int
) -> None:
    """Writes what a network sees of each code.

    Args:
        plain: [code, view x k (n - k)] float32, written: the entries.
        sizes: [code, size] float32, written: view by view the sizes of the entries, and of what the rest asks for.
        views: [code, view, k, n - k] float64.
        full: [view] bool, of which views the 2 x 2 minors follow, and what is made of them.
        largest: how many of the largest column norms of one-exchange neighbours follow, then as many row norms.
        smallest: how many of the smallest 2 x 2 minors and entries follow, in ascending order.
    """
    codes, count, k, redundancy = views.shape
    columns_top, rows_top = np.empty(largest), np.empty(largest)
    minors_low, entries_low = np.empty(smallest), np.empty(smallest)
    for code in range(codes):
        at = 0
        for view in range(count):
            X = views[code, view]
            first = view * k * redundancy
            for i in range(k):
                for j in range(redundancy):
                    plain[code, first + i * redundancy + j] = X[i, j]
                    sizes[code, at] = max(abs(X[i, j]), SMALLEST)
                    at += 1
            if not full[view]:
                continue
            minors_low[:], entries_low[:] = np.inf, np.inf
            for i in range(k):
                for j in range(redundancy):
                    _insert_low(entries_low, max(abs(X[i, j]), SMALLEST))
            for a in range(k):
                for b in range(a + 1, k):
                    for i in range(redundancy):
                        for j in range(i + 1, redundancy):
                            size = max(abs(X[a, i] * X[b, j] - X[a, j] * X[b, i]), SMALLEST)
                            sizes[code, at] = size
                            at += 1
                            _insert_low(minors_low, size)
            if largest:
                columns_top[:], rows_top[:] = 0.0, 0.0
                _neighbour_norms(X, columns_top, rows_top)
            for t in range(largest):
                sizes[code, at + t] = columns_top[t]
                sizes[code, at + largest + t] = rows_top[t]
            at += 2 * largest
            for t in range(smallest):
                sizes[code, at + t] = minors_low[t]
                sizes[code, at + smallest + t] = entries_low[t]
            at += 2 * smallest


@compiled
def _neighbour_norms(X: np.ndarray, columns_top: np.ndarray, rows_top: np.ndarray) -> None:
    """Keeps the largest sums of sizes over a column, and over a row, of all tableaux one exchange away."""
    k, redundancy = X.shape
    rows = np.empty(k)
    for i in range(k):
        for j in range(redundancy):
            pivot = X[i, j]
            inverse = 1.0 / max(abs(pivot), SMALLEST)
            rows[:] = 0.0
            for b in range(redundancy):
                if b == j:
                    total = 1.0
                    for a in range(k):
                        if a != i:
                            total += abs(X[a, j])
                            rows[a] += abs(X[a, j])
                    rows[i] += 1.0
                else:
                    total = abs(X[i, b])
                    rows[i] += total
                    for a in range(k):
                        if a != i:
                            minor = abs(X[a, b] * pivot - X[a, j] * X[i, b])
                            total += minor
                            rows[a] += minor
                _insert_high(columns_top, total * inverse)
            for a in range(k):
                _insert_high(rows_top, rows[a] * inverse)


@compiled
def _insert_high(top: np.ndarray, value: float) -> None:
    """Keeps the largest values, in descending order."""
    last = len(top) - 1
    if last < 0 or value <= top[last]:
        return
    while last > 0 and top[last - 1] < value:
        top[last] = top[last - 1]
        last -= 1
    top[last] = value


@compiled
def _insert_low(low: np.ndarray, value: float) -> None:
    """Keeps the smallest values, in ascending order."""
    last = len(low) - 1
    if last < 0 or value >= low[last]:
        return
    while last > 0 and low[last - 1] > value:
        low[last] = low[last - 1]
        last -= 1
    low[last] = value
