"""Other forms of a code: from any full-rank generator to [I | P], and from a parity check to a generator."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import qr

from probatum.errors import DataError

NOISE = 1e-13
"""Entries of a computed P below this times its largest one are rounding noise, and zero."""
RANK = 1e-12
"""A matrix whose k-th pivot is below this times its first has rank less than k."""


class Systematic(NamedTuple):
    """A code in systematic form: G[:, columns] = A [I_k | P] for an invertible A.

    Attributes:
        P: [k, n - k] float64.
        columns: [n] int64, a permutation.
    """

    P: np.ndarray
    columns: np.ndarray


def systematic(G: ArrayLike) -> Systematic:
    """The code of a generator, written as [I | P]; heights do not change, since they ignore the order of columns.

    A G that begins with the identity is taken as it stands, exactly. Otherwise the information set is chosen by QR with
    column pivoting, which keeps P small, and entries of P that are rounding noise become 0.

    Args:
        G: [k, n] real, of rank k < n.

    Raises:
        DataError: not a matrix, not finite, k >= n, or of rank less than k.
    """
    G = _matrix(G)
    k, n = G.shape
    if np.array_equal(G[:, :k], np.eye(k)):
        return Systematic(G[:, k:].copy(), np.arange(n))
    R, columns = cast("tuple[np.ndarray, np.ndarray]", qr(G, mode="r", pivoting=True))
    pivots = np.abs(np.diag(R))
    if not pivots.min() > RANK * pivots.max():
        raise DataError(f"the generator's {k} rows are linearly dependent", remedy="remove rows until they are not")
    P = np.linalg.solve(G[:, columns[:k]], G[:, columns[k:]])
    P[np.abs(P) < NOISE * np.abs(P).max()] = 0.0
    return Systematic(P, columns.astype(np.int64))


def generator_of(H: ArrayLike) -> np.ndarray:
    """A generator of the code with parity check H, that is, of all c with H c = 0.

    Args:
        H: [n - k, n] real, of rank n - k < n.

    Returns:
        [k, n] float64.

    Raises:
        DataError: as `systematic`.
    """
    Q, columns = systematic(H)
    redundancy, k = Q.shape
    G = np.zeros((k, k + redundancy))
    G[:, columns] = np.hstack([-Q.T, np.eye(k)])
    return G


def _matrix(G: ArrayLike) -> np.ndarray:
    try:
        G = np.asarray(G, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"no matrix of real numbers: {error}", remedy="pass [k, n] floats") from None
    if G.ndim != 2 or not 1 <= G.shape[0] < G.shape[1]:
        raise DataError(f"a matrix of shape {G.shape} generates no code", remedy="pass [k, n] with 1 <= k < n")
    if not np.isfinite(G).all():
        raise DataError("the matrix has entries that are not finite", remedy="remove or repair them")
    return G
