"""The compiled loop behind `vertex_search.search`; importing this module imports numba."""

from __future__ import annotations

import numpy as np

from probatum.problems.analog_codes.lanes import compiled

PIVOT = 1e-9
"""Entries of the tableau below this are no pivots."""
STEPS, CLIMBS = 400, 20
"""Steps of one linear program, and programs one after the other; more are a cycle."""
RESTART, AFRESH = 4, 8
"""Every so often the search begins with random positions, and the tableau is computed afresh."""


@compiled
def search_into(
    heights: np.ndarray,
    codewords: np.ndarray,
    bases: np.ndarray,
    largest: np.ndarray,
    G: np.ndarray,
    rounds: int,
    seed: int,
) -> None:
    """Writes the best codewords found; arguments as `Vertices` and `search`.

    The tableau X holds G_I^-1 G for the basis I.
    """
    np.random.seed(seed)
    k, n = G.shape
    basis, order = np.empty(k, np.int64), np.empty(n, np.int64)
    c, X = np.empty(n), np.empty((k, n))
    inside, kept = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for m in range(1, n - k + 1):
        best, best_j = 0.0, 0
        for attempt in range(rounds):
            if attempt % AFRESH == 0:  # against drift
                for i in range(k):
                    basis[i] = i
                    for t in range(n):
                        X[i, t] = G[i, t]
            if attempt % RESTART == 0 or best == 0.0:
                _shuffle(order)
                j = _take(inside, order, m)
            else:  # an exchange in the best so far
                j = best_j
                for t in range(n):
                    inside[t] = kept[t]
                for _ in range(1 + np.random.randint(2)):
                    a, b = np.random.randint(n), np.random.randint(n)
                    if inside[a] and not inside[b] and b != j:
                        inside[a], inside[b] = False, True
            value = 0.0
            for _ in range(CLIMBS):
                reached = _solve(X, basis, c, inside, j)
                if not (value * (1 + 1e-12) < reached < np.inf):
                    break
                value = reached
                if value > best:
                    best, best_j = value, j
                    for t in range(n):
                        kept[t] = inside[t]
                _sort(order, c)
                _keep(heights, codewords, bases, largest, order, c, basis)
                j = _take(inside, order, m)


@compiled
def _shuffle(order: np.ndarray) -> None:
    """A random permutation."""
    for t in range(len(order)):
        other = np.random.randint(t + 1)
        order[t] = order[other]
        order[other] = t


@compiled
def _sort(order: np.ndarray, c: np.ndarray) -> None:
    """Positions by size, largest first."""
    for t in range(len(order)):
        at = t
        while at > 0 and abs(c[order[at - 1]]) < abs(c[t]):
            order[at] = order[at - 1]
            at -= 1
        order[at] = t


@compiled
def _take(inside: np.ndarray, order: np.ndarray, m: int) -> int:
    """Makes T of all but the first m positions; returns the first."""
    for t in range(len(order)):
        inside[order[t]] = t >= m
    return order[0]


@compiled
def _keep(
    heights: np.ndarray,
    codewords: np.ndarray,
    bases: np.ndarray,
    largest: np.ndarray,
    order: np.ndarray,
    c: np.ndarray,
    basis: np.ndarray,
) -> None:
    """Keeps a codeword for every m for which it is the best so far and below which it is 1."""
    for m in range(1, len(heights) + 1):
        below = abs(c[order[m]])
        height = abs(c[order[0]]) / below
        if abs(below - 1.0) < 1e-7 and height > heights[m - 1]:
            heights[m - 1] = height
            largest[m - 1] = order[0]
            for t in range(len(c)):
                codewords[m - 1, t] = c[t]
            for i in range(len(basis)):
                bases[m - 1, i] = basis[i]


@compiled
def _solve(X: np.ndarray, basis: np.ndarray, c: np.ndarray, inside: np.ndarray, j: int) -> float:
    """max c_j subject to |c_t| <= 1 for t inside: the simplex method from c = 0. Writes c; infinite if unbounded."""
    k, n = X.shape
    is_basic = np.zeros(n, np.bool_)
    for t in range(n):
        c[t] = 0.0
    for i in range(k):
        is_basic[basis[i]] = True
    if is_basic[j]:  # |c_j| itself must be free to grow: bring another column in for it
        row = 0
        while basis[row] != j:
            row += 1
        best, t = 0.0, -1
        for other in range(n):
            if inside[other] and not is_basic[other] and abs(X[row, other]) > best:
                best, t = abs(X[row, other]), other
        if best < PIVOT:
            return np.inf
        _pivot(X, basis, row, t)
    for _ in range(STEPS):
        row, direction, best = -1, 1.0, 1e-10
        for i in range(k):
            gain = X[i, j]
            b = basis[i]
            # A position at its bound may only go back.
            if inside[b] and c[b] * gain > 0 and abs(c[b]) >= 1.0 - 1e-12:
                continue
            if abs(gain) > best:
                best, row = abs(gain), i
                direction = 1.0 if gain > 0 else -1.0
        if row < 0:
            return abs(c[j])
        step, t = np.inf, -1
        b = basis[row]
        if inside[b]:
            step = 1.0 - direction * c[b]
            t = b
        for other in range(n):
            if inside[other] and other != b:
                slope = direction * X[row, other]
                if slope > PIVOT:
                    room = max(0.0, (1.0 - c[other]) / slope)
                elif slope < -PIVOT:
                    room = max(0.0, (-1.0 - c[other]) / slope)
                else:
                    continue
                if room < step:
                    step, t = room, other
        if t < 0:
            return np.inf
        for other in range(n):
            c[other] += step * direction * X[row, other]
        c[t] = 1.0 if c[t] > 0 else -1.0
        if t != b:
            _pivot(X, basis, row, t)
    return abs(c[j])


@compiled
def _pivot(X: np.ndarray, basis: np.ndarray, row: int, t: int) -> None:
    k, n = X.shape
    head = X[row, t]
    for other in range(n):
        X[row, other] /= head
    for i in range(k):
        if i != row:
            factor = X[i, t]
            if factor != 0.0:
                for other in range(n):
                    X[i, other] -= factor * X[row, other]
    basis[row] = t
