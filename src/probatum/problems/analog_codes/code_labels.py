"""Labels of codes: equal for equivalent codes, so that splits keep them together and duplicates are seen.

Two codes are equivalent if signed permutations of the n columns carry one to the other: so all signed permutations of
P's rows and columns, and every change to another information set. The orthogonal projector onto the code,

    Pi = G^T (G G^T)^-1 G,

does not depend on the generator, and a signed permutation Q makes it Q Pi Q^T. A label hashes n, k and, in ascending
order, two numbers for each column that such a Q only permutes, each rounded down to a grid of width `GRID`:

    a_j = Pi_jj    and    d_j = (B Pi B)_jj  with  B_ij = Pi_ij |Pi_ij|.

A label is a function of the exact matrix: where float64 does not decide on which side of a grid line a number lies, it
is computed in integers. So matrices of equivalent codes, integer ones and signed permutations of any, have one label
without exception. A pivoted P that was itself rounded is another code, each number being off by an e of about 1e-16
times the size of P; it gets another label with probability 10 n e / GRID, 1e-7 for entries of 100. Codes that are not
equivalent may share a label; that only puts both on one side of a split, which does no harm.
"""

from __future__ import annotations

import hashlib
from math import lcm

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from numpy.typing import ArrayLike

from probatum.errors import DataError

VERSION = "code/1"
"""Rises whenever a code would get another label."""
GRID = 1e-5
"""Far above rounding errors, far below what tells random codes apart."""
_OFFSETS = (0.414213562373095, 0.732050807568877)
"""Where the grids of a and d begin, in widths: simple fractions such as 1/2 then lie on no line."""
_CHUNK = 4096


def code_labels(P: ArrayLike) -> Shaped[np.ndarray, " code"]:
    """The labels of codes with generators [I_k | P].

    Args:
        P: [code, k, n - k] real, finite; any length, in O(n^3) operations each.

    Returns:
        [code] str of 16 hexadecimal digits, the same on every machine.

    Raises:
        DataError: another shape, or an entry that is not finite.
    """
    matrices = np.asarray(P, dtype=np.float64)
    if matrices.ndim != 3 or 0 in matrices.shape[1:]:
        raise DataError(f"P has shape {matrices.shape}", remedy="give [code, k, n - k]")
    if not np.isfinite(matrices).all():
        raise DataError("P has entries that are not finite", remedy="leave such matrices out")
    parts = [_labels(matrices[i : i + _CHUNK]) for i in range(0, len(matrices), _CHUNK)]
    return np.concatenate(parts) if parts else np.empty(0, dtype="U16")


def _labels(P: Float[np.ndarray, "code dimension redundancy"]) -> Shaped[np.ndarray, " code"]:
    _, k, redundancy = P.shape
    n = k + redundancy
    cells, doubtful = _cells(P)
    for code in np.flatnonzero(doubtful):
        cells[code] = _exact_cells(P[code])
    keys = np.sort(cells[:, :, 0] << 20 | cells[:, :, 1], axis=1).astype("<i8")
    head = f"{VERSION}/{n}/{k}/".encode()
    return np.array([hashlib.sha256(head + row.tobytes()).hexdigest()[:16] for row in keys], dtype="U16")


def _cells(
    P: Float[np.ndarray, "code dimension redundancy"],
) -> tuple[Int[np.ndarray, "code column 2"], Bool[np.ndarray, " code"]]:
    """In which cells of their grids a_j and d_j lie, [code, column, 2] int64, and which codes are in doubt, [code]."""
    codes, k, redundancy = P.shape
    generator = np.concatenate([np.broadcast_to(np.eye(k), (codes, k, k)), P], axis=2)
    basis = np.linalg.qr(generator.swapaxes(1, 2)).Q
    projector = basis @ basis.swapaxes(1, 2)
    signed_squares = projector * np.abs(projector)
    a = np.diagonal(projector, axis1=1, axis2=2)
    d = ((signed_squares @ projector) * signed_squares).sum(axis=2)
    places = np.stack([a, d], axis=2) / GRID + np.array(_OFFSETS)
    # Householder's QR errs by a small multiple of n k machine epsilons times the condition of G, which is at most
    # sqrt(1 + |P|^2); and d by at most 5 times as much as Pi.
    size = np.sqrt(1 + np.linalg.norm(P, axis=(1, 2)) ** 2)
    error = 8 * (k + redundancy) * k * np.finfo(np.float64).eps * size[:, None, None] * np.array([1.0, 5.0]) / GRID
    near = np.abs(places - np.round(places)) <= error
    return np.floor(places).astype(np.int64), near.any(axis=(1, 2))


def _exact_cells(P: Float[np.ndarray, "dimension redundancy"]) -> Int[np.ndarray, "column 2"]:
    """The same of one code, [column, 2] int64, in integers: floats are fractions."""
    k, redundancy = P.shape
    fractions = [[entry.as_integer_ratio() for entry in row] for row in P.tolist()]
    unit = lcm(*(denominator for row in fractions for _, denominator in row))
    generator = np.zeros((k, k + redundancy), dtype=object)
    for i, row in enumerate(fractions):
        generator[i, i] = unit
        generator[i, k:] = [numerator * (unit // denominator) for numerator, denominator in row]
    solved, scale = _solved(generator @ generator.T, generator)
    projector = generator.T @ solved  # times 1 / scale
    signed_squares = projector * np.abs(projector)
    a = np.diagonal(projector)
    d = ((signed_squares @ projector) * signed_squares).sum(axis=1)
    found = [[_cell(x, scale, 0), _cell(y, scale**5, 1)] for x, y in zip(a, d, strict=True)]
    return np.array(found, dtype=np.int64)


def _solved(
    matrix: Shaped[np.ndarray, "dimension dimension"], right: Shaped[np.ndarray, "dimension column"]
) -> tuple[Shaped[np.ndarray, "dimension column"], int]:
    """adj(A) B and det(A) of a positive definite integer A, by elimination without fractions (Bareiss 1968)."""
    size, previous = len(matrix), 1
    rows = np.concatenate([matrix, right], axis=1)
    for c in range(size):
        pivot = rows[c, c]
        for i in range(size):
            if i != c:
                rows[i] = (pivot * rows[i] - rows[i, c] * rows[c]) // previous
        previous = pivot
    return rows[:, size:], previous


def _cell(numerator: int, denominator: int, which: int) -> int:
    """floor(numerator / denominator / GRID + offset)."""
    widths = round(1 / GRID)
    above, below = _OFFSETS[which].as_integer_ratio()
    return (numerator * widths * below + above * denominator) // (denominator * below)
