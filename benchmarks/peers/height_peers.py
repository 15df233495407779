"""Heights of analog codes in the ways that people compute them: linear programs, sign vectors, minors in numpy."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np


def by_sign_vectors(P: np.ndarray) -> np.ndarray:
    """h_1, ..., h_(n-k) of [I | P] as the largest of the codewords s G_I^-1 G, in numpy (form F2)."""
    k, redundancy = P.shape
    G = np.hstack([np.eye(k), P])
    bases = np.array(list(combinations(range(k + redundancy), k)))
    signs = np.array([(1.0, *rest) for rest in product((1.0, -1.0), repeat=k - 1)])
    matrices = G[:, bases].transpose(1, 0, 2)
    matrices = matrices[np.abs(np.linalg.det(matrices)) > 1e-9]
    words = np.abs(signs @ np.linalg.solve(matrices, np.broadcast_to(G, (len(matrices), *G.shape))))
    words.sort(axis=2)
    words = words[:, :, ::-1]
    with np.errstate(divide="ignore"):
        return (words[:, :, :1] / words[:, :, 1 : redundancy + 1]).max(axis=(0, 1))


def by_minors(P: np.ndarray, m: int) -> np.ndarray:
    """h_m of [code, k, n - k] matrices from their minors, vectorised over the codes (F3 for m = n - k, else F4)."""
    _, k, redundancy = P.shape
    n = k + redundancy
    size = {columns: np.abs(minor) for columns, minor in _minors(P).items()}
    total = {U: sum(size[I] for I in combinations(U, k)) for U in combinations(range(n), k + 1)}
    if m == redundancy:
        quotients = [total[U] / np.minimum.reduce([size[I] for I in combinations(U, k)]) for U in total]
        return np.maximum.reduce(quotients) - 1
    best = np.ones(len(P))
    for j in range(n):
        others = [c for c in range(n) if c != j]
        least = {I: total[tuple(sorted((*I, j)))] / size[I] for I in combinations(others, k)}
        for count in range(k + 1, n - m + 1):
            least = {
                T: np.minimum.reduce([least[T[:t] + T[t + 1 :]] for t in range(k + 1)])
                for T in combinations(others, count)
            }
        best = np.maximum(best, np.maximum.reduce(list(least.values())) - 1)
    return best


def _minors(P: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
    """Maximal minors of [I | P], up to sign, by expansion into smaller ones."""
    _, k, redundancy = P.shape
    minors: dict[tuple[int, ...], np.ndarray] = {}
    for columns in sorted(combinations(range(k + redundancy), k), key=lambda columns: sum(c >= k for c in columns)):
        row = next((r for r in range(k) if r not in columns), None)
        if row is None:
            minors[columns] = np.ones(len(P))
            continue
        value, sign = np.zeros(len(P)), 1.0
        for c in columns:
            if c >= k:
                value += sign * P[:, row, c - k] * minors[tuple(sorted({*columns, row} - {c}))]
                sign = -sign
        minors[columns] = value
    return minors


def by_warm_highs(P: np.ndarray) -> np.ndarray:
    """h_1, ..., h_(n-k) of [I | P] by the linear programs F1, in one HiGHS model that keeps its basis."""
    import highspy

    k, redundancy = P.shape
    n = k + redundancy
    G = np.hstack([np.eye(k), P])
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("presolve", "off")
    for _ in range(k):
        solver.addVar(-highspy.kHighsInf, highspy.kHighsInf)
    index = np.arange(k, dtype=np.int32)
    for t in range(n):
        solver.addRow(-1.0, 1.0, k, index, np.ascontiguousarray(G[:, t]))
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    profile = []
    for m in range(1, redundancy + 1):
        largest = 1.0
        for S in combinations(range(n), m):
            for t in S:
                solver.changeRowBounds(t, -highspy.kHighsInf, highspy.kHighsInf)
            for j in S:
                solver.changeColsCost(k, index, np.ascontiguousarray(G[:, j]))
                solver.run()
                bounded = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
                largest = max(largest, solver.getObjectiveValue() if bounded else np.inf)
            for t in S:
                solver.changeRowBounds(t, -1.0, 1.0)
        profile.append(largest)
    return np.array(profile)
