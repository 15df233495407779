"""Heights computed in other ways: linear programs (F1, Jiang's theorem), sign vectors (F2), infinity by exact rank."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np
from scipy.optimize import linprog


def identity_with(P: np.ndarray) -> np.ndarray:
    return np.hstack([np.eye(len(P)), P])


def heights_by_linear_programs(G: np.ndarray) -> np.ndarray:
    """F1: h_m = max over |S| = m, j in S of max{u.g_j : |u.g_t| <= 1 for t not in S}."""
    k, n = G.shape
    profile = []
    for m in range(1, n - k + 1):
        largest = 0.0
        for S in combinations(range(n), m):
            outside = np.delete(G, S, axis=1).T
            for j in S:
                solution = linprog(
                    -G[:, j], A_ub=np.vstack([outside, -outside]), b_ub=np.ones(2 * len(outside)), bounds=(None, None)
                )
                largest = max(largest, np.inf if solution.status == 3 else -solution.fun)
        profile.append(largest)
    return np.array(profile)


def height_by_jiangs_theorem(G: np.ndarray, m: int) -> float:
    """The linear programs of A. Jiang (IEEE Transactions on Information Theory 70, 2024), one for each (a, b, X, s).

    max s_0 u.g_a subject to s_j u.g_j <= s_0 u.g_a and s_j u.g_j >= 1 for j in X, |X| = m - 1, u.g_b = 1, and
    |u.g_j| <= 1 for the others.
    """
    k, n = G.shape
    largest = 1.0
    for a, b in permutations(range(n), 2):
        others = [j for j in range(n) if j not in (a, b)]
        for X in combinations(others, m - 1):
            rest = G[:, [j for j in others if j not in X]].T
            for signs in product((1.0, -1.0), repeat=m):
                top = signs[0] * G[:, a]
                chosen = [s * G[:, j] for s, j in zip(signs[1:], X, strict=True)]
                limits = [(g - top, 0.0) for g in chosen] + [(-g, -1.0) for g in chosen]
                rows = np.array([row for row, _ in limits] + [*rest, *-rest]).reshape(-1, k)
                bounds = np.array([bound for _, bound in limits] + [1.0] * (2 * len(rest)))
                solution = linprog(-top, A_ub=rows, b_ub=bounds, A_eq=[G[:, b]], b_eq=[1.0], bounds=(None, None))
                if solution.status == 3:
                    return np.inf
                if solution.status == 0:
                    largest = max(largest, -solution.fun)
    return largest


def heights_by_sign_vectors(G: np.ndarray) -> np.ndarray:
    """F2: the largest h_m of the codewords s G_I^-1 G over information sets I and signs s; infinity by rank."""
    k, n = G.shape
    profile = np.ones(n - k)
    signs = np.array([(1.0, *rest) for rest in product((1.0, -1.0), repeat=k - 1)])
    for I in combinations(range(n), k):
        basis = G[:, list(I)]
        if np.linalg.matrix_rank(basis) < k:
            continue
        size = -np.sort(-np.abs(signs @ np.linalg.solve(basis, G)), axis=1)
        usable = size[:, 1 : n - k + 1] > 1e-12 * size[:, :1]
        heights = np.where(usable, size[:, :1] / np.where(usable, size[:, 1 : n - k + 1], 1), 1)
        profile = np.maximum(profile, heights.max(axis=0))
    return np.where(infinite_by_rank(G), np.inf, profile)


def infinite_by_rank(G: np.ndarray) -> np.ndarray:
    """[n - k] bool: whether some n - m columns have rank below k, in exact rational arithmetic."""
    k, n = G.shape
    exact = [[Fraction(float(x)) for x in row] for row in G]
    singular = {I for I in combinations(range(n), k) if _determinant([[row[i] for i in I] for row in exact]) == 0}
    return np.array(
        [
            any(all(I in singular for I in combinations(T, k)) for T in combinations(range(n), n - m))
            for m in range(1, n - k + 1)
        ]
    )


def _determinant(rows: list[list[Fraction]]) -> Fraction:
    if len(rows) == 1:
        return rows[0][0]
    return sum(
        ((-1) ** i * x * _determinant([r[:i] + r[i + 1 :] for r in rows[1:]]) for i, x in enumerate(rows[0]) if x),
        Fraction(0),
    )
