"""The m-height by the theorem of Jiang as it stands: one linear program for each (a, b, X, psi), none left out.

    maximise s_0 u.g_a  subject to  u.g_b = 1,  s_j u.g_j <= s_0 u.g_a and s_j u.g_j >= 1 (j in X),  |u.g_j| <= 1 (rest)

for all a != b, all X of m - 1 other columns and all psi = (s_0, ..., s_(m-1)) of signs: 2,016 to 80,640 programs a
matrix at n = 9. Each has k free variables and 2 n - 4 inequalities, so a dictionary of the simplex method has k - 1
columns (Vanderbei, Linear Programming, chapters 2 and 3), which a compiled loop solves in microseconds.
"""

from __future__ import annotations

import math
from itertools import combinations, permutations, product

import numpy as np
from numba import njit

SMALL = 1e-10
"""What counts as zero; rows of G are scaled to entries of 1 or less."""
MOST_PIVOTS = 500
INFEASIBLE = -math.inf


def height(P: np.ndarray, m: int) -> float:
    """h_m of [I | P] for a P whose h_m is finite: the largest of all programs."""
    k, redundancy = P.shape
    n = k + redundancy
    G = np.hstack([np.eye(k), P])
    # A scale for each row: what u stands for changes, the heights do not.
    rows = G / np.abs(G).max(axis=1, keepdims=True)
    signs = np.array(list(product((1.0, -1.0), repeat=m)))
    best = 1.0
    for a, b in permutations(range(n), 2):
        others = [c for c in range(n) if c not in (a, b)]
        chosen = np.array(list(combinations(others, m - 1)), dtype=np.int64).reshape(-1, m - 1)
        best = max(best, _largest(rows, a, b, chosen, signs))
    return best


def programs(n: int, m: int) -> int:
    """How many linear programs one height takes."""
    return n * (n - 1) * math.comb(n - 2, m - 1) * 2**m


def constraints(G: np.ndarray, a: int, b: int, X: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A and c of the inequalities A u <= c of one program: [2 n - 4, k] and [2 n - 4] float64."""
    return _constraints(G, a, b, np.asarray(X, np.int64), np.asarray(s, np.float64))


def optimum(objective: np.ndarray, A: np.ndarray, c: np.ndarray, g: np.ndarray) -> float:
    """The largest objective.u with A u <= c and g.u = 1; -inf where nothing is feasible, inf where it is unbounded."""
    return _optimum(objective, A, c, g)


@njit(cache=False)
def _largest(G, a, b, chosen, signs):
    best = 1.0
    for x in range(len(chosen)):
        for s in range(len(signs)):
            A, c = _constraints(G, a, b, chosen[x], signs[s])
            best = max(best, _optimum(signs[s, 0] * G[:, a], A, c, G[:, b]))
    return best


@njit(cache=False)
def _constraints(G, a, b, X, s):
    k, n = G.shape
    A, c = np.zeros((2 * n - 4, k)), np.zeros(2 * n - 4)
    row = 0
    for j in range(n):
        if j in (a, b):
            continue
        place = 0
        for i in range(len(X)):
            if X[i] == j:
                place = i + 1
        if place:
            A[row] = s[place] * G[:, j] - s[0] * G[:, a]
            A[row + 1], c[row + 1] = -s[place] * G[:, j], -1.0
        else:
            A[row], c[row] = G[:, j], 1.0
            A[row + 1], c[row + 1] = -G[:, j], 1.0
        row += 2
    return A, c


@njit(cache=False)
def _optimum(objective, A, c, g):
    inequalities, k = A.shape
    # Rows: slacks c - A u, then the objective, then g u - 1. Columns: constant, u_1 .. u_k.
    D = np.zeros((inequalities + 2, k + 1))
    D[:inequalities, 0], D[:inequalities, 1:] = c, -A
    D[inequalities, 1:] = objective
    D[inequalities + 1, 0], D[inequalities + 1, 1:] = -1.0, g
    equality = inequalities + 1
    fixed = 1 + int(np.argmax(np.abs(g)))
    _exchange(D, equality, fixed)
    D[:, fixed] = 0.0  # the slack of the equation is zero for ever
    free = np.zeros(inequalities + 2, np.bool_)
    free[equality] = True  # rows of free variables bound nothing
    for column in range(1, k + 1):
        if column == fixed:
            continue
        row, size = -1, 0.0
        for i in range(inequalities):
            if not free[i] and abs(D[i, column]) > size:
                row, size = i, abs(D[i, column])
        if size < SMALL:
            D[:, column] = 0.0  # no constraint moves with this direction
            continue
        _exchange(D, row, column)
        free[row] = True
    kept = np.flatnonzero(~free[: inequalities + 1])
    B = np.zeros((len(kept) + 1, k + 1))
    # The column that the equation fixed is used for the artificial variable of the first phase.
    B[: len(kept), :], last = D[kept, :], len(kept)
    objective_row = last - 1
    names_of_columns = np.arange(k + 1)
    names_of_rows = k + 1 + np.arange(objective_row)
    lowest = 0
    for i in range(objective_row):
        if B[i, 0] < B[lowest, 0]:
            lowest = i
    if B[lowest, 0] < -SMALL:
        artificial = names_of_columns[fixed]
        B[:objective_row, fixed] = 1.0
        B[last, fixed] = -1.0
        _exchange(B, lowest, fixed)
        names_of_columns[fixed], names_of_rows[lowest] = names_of_rows[lowest], names_of_columns[fixed]
        _climb(B, last, objective_row, names_of_columns, names_of_rows)
        if B[last, 0] < -SMALL:
            return INFEASIBLE
        for i in range(objective_row):
            if names_of_rows[i] == artificial:
                column = 1 + int(np.argmax(np.abs(B[i, 1:])))
                if abs(B[i, column]) > SMALL:
                    _exchange(B, i, column)
                    names_of_columns[column], names_of_rows[i] = names_of_rows[i], names_of_columns[column]
        for column in range(1, k + 1):
            if names_of_columns[column] == artificial:
                B[:, column] = 0.0
    return _climb(B, objective_row, objective_row, names_of_columns, names_of_rows)


@njit(cache=False)
def _climb(D, objective, rows, names_of_columns, names_of_rows):
    """Bland's rule: the improving variable of the lowest name enters, of equal ratios the lowest name leaves."""
    for _ in range(MOST_PIVOTS):
        enter = -1
        for column in range(1, D.shape[1]):
            if D[objective, column] > SMALL and (enter < 0 or names_of_columns[column] < names_of_columns[enter]):
                enter = column
        if enter < 0:
            return D[objective, 0]
        leave, least = -1, math.inf
        for i in range(rows):
            if D[i, enter] < -SMALL:
                ratio = max(D[i, 0], 0.0) / -D[i, enter]
                if ratio < least or (ratio == least and names_of_rows[i] < names_of_rows[leave]):
                    leave, least = i, ratio
        if leave < 0:
            return math.inf
        _exchange(D, leave, enter)
        names_of_columns[enter], names_of_rows[leave] = names_of_rows[leave], names_of_columns[enter]
    return math.nan


@njit(cache=False)
def _exchange(D, row, column):
    """Solves row `row` for the variable of `column` and puts it into the others."""
    pivot = D[row, column]
    D[row, column] = -1.0
    for j in range(D.shape[1]):
        D[row, j] /= -pivot
    for i in range(D.shape[0]):
        factor = D[i, column]
        if i == row or factor == 0.0:
            continue
        D[i, column] = 0.0
        for j in range(D.shape[1]):
            D[i, j] += factor * D[row, j]
