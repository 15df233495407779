"""The compiled loops behind `regression`. Importing this module imports numba."""

from __future__ import annotations

import numpy as np

from probatum.problems.metabolism.kinetics_kernel import compiled


@compiled
def dot(a: np.ndarray, b: np.ndarray) -> float:
    """Of two runs of numbers, in four partial sums that the compiler may keep side by side."""
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    whole = len(a) // 4 * 4
    for q in range(0, whole, 4):
        s0 += a[q] * b[q]
        s1 += a[q + 1] * b[q + 1]
        s2 += a[q + 2] * b[q + 2]
        s3 += a[q + 3] * b[q + 3]
    for q in range(whole, len(a)):
        s0 += a[q] * b[q]
    return (s0 + s1) + (s2 + s3)


@compiled
def gram_into(
    gram: np.ndarray,
    right: np.ndarray,
    starts: np.ndarray,
    columns: np.ndarray,
    regressors: np.ndarray,
    targets: np.ndarray,
    used: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
) -> None:
    """Adds every window's (S^T W S) o (P^T P), on the sparse pattern, and S^T W y P^T."""
    for w in range(regressors.shape[0]):
        for j in range(regressors.shape[1]):
            for e in range(starts[j], starts[j + 1]):
                l = columns[e]
                if l > j:
                    continue
                # S_ij S_il w_i over the metabolites that both change; both lists are sorted.
                weight = 0.0
                a, b = change_starts[j], change_starts[l]
                while a < change_starts[j + 1] and b < change_starts[l + 1]:
                    if change_rows[a] == change_rows[b]:
                        weight += change_values[a] * change_values[b] * used[w, change_rows[a]]
                        a += 1
                        b += 1
                    elif change_rows[a] < change_rows[b]:
                        a += 1
                    else:
                        b += 1
                if weight != 0.0:
                    gram[e] += weight * dot(regressors[w, j], regressors[w, l])
            for e in range(change_starts[j], change_starts[j + 1]):
                i = change_rows[e]
                if used[w, i] != 0.0:
                    right[j] += change_values[e] * used[w, i] * dot(regressors[w, j], targets[w, i])
    for j in range(regressors.shape[1]):
        for e in range(starts[j], starts[j + 1]):
            if columns[e] > j:
                # The mirror entry (l, j) lies in row l.
                l = columns[e]
                for f in range(starts[l], starts[l + 1]):
                    if columns[f] == j:
                        gram[e] = gram[f]


@compiled
def residuals_into(
    found: np.ndarray,
    regressors: np.ndarray,
    constants: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
) -> None:
    """Subtracts S (k p) from [window, metabolite, equation]."""
    for w in range(regressors.shape[0]):
        for j in range(regressors.shape[1]):
            for e in range(change_starts[j], change_starts[j + 1]):
                weight, i = change_values[e] * constants[j], change_rows[e]
                for q in range(regressors.shape[2]):
                    found[w, i, q] -= weight * regressors[w, j, q]


@compiled
def scores_into(
    found: np.ndarray,
    regressors: np.ndarray,
    residuals: np.ndarray,
    used: np.ndarray,
    change_starts: np.ndarray,
    change_rows: np.ndarray,
    change_values: np.ndarray,
) -> None:
    """Adds X^T W residual of every window, [window, reaction]."""
    for w in range(regressors.shape[0]):
        for j in range(regressors.shape[1]):
            for e in range(change_starts[j], change_starts[j + 1]):
                i = change_rows[e]
                if used[w, i] != 0.0:
                    found[w, j] += change_values[e] * used[w, i] * dot(regressors[w, j], residuals[w, i])
