"""Other forms of a code: from any full-rank generator to [I | P], and from a parity check to a generator."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.linalg import qr

from probatum.errors import DataError

NOISE = 1e-13
"""Entries of a computed P below this times its largest one are rounding noise, and zero."""
ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""A minor is zero, in float64's eyes, if at most this times the sum of the absolute values of its terms."""
RANK = 1e-12
"""A matrix whose k-th pivot is below this times its first has rank less than k."""


class Systematic(NamedTuple):
    """A code in systematic form: G[:, columns] = A [I_k | P] for an invertible A.

    Attributes:
        P: [k, n - k] float64.
        columns: [n] int64, a permutation.
    """

    P: Float[np.ndarray, "dimension redundancy"]
    columns: Int[np.ndarray, " length"]


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


class AccurateSystematic(NamedTuple):
    """A code in systematic form, to about 32 digits, and what counts as zero in it.

    Attributes:
        P, P_low: [k, n - k] float64; the matrix is P + P_low, |P_low| at most half a unit of P.
        columns: [n] int64, a permutation: G[:, columns] = A [I | P].
        tolerance: a minor of P is zero if at most this times the sum of its terms (minors of integers excepted).
        smallest: a minor of P is zero if at most this.
    """

    P: Float[np.ndarray, "dimension redundancy"]
    P_low: Float[np.ndarray, "dimension redundancy"]
    columns: Int[np.ndarray, " length"]
    tolerance: float
    smallest: float

    def dual(self) -> AccurateSystematic:
        """The dual code, whose parity check generates this one: its P is -P^T, and its minors are these."""
        k = len(self.P)
        columns = np.concatenate([self.columns[k:], self.columns[:k]])
        return AccurateSystematic(-self.P.T.copy(), -self.P_low.T.copy(), columns, self.tolerance, self.smallest)


def accurate_systematic(G: ArrayLike) -> AccurateSystematic:
    """`systematic` in rational arithmetic.

    For integers, minors of G are integers, so those of P are 0 or at least 1 / |det A|; that decides what is zero as
    long as rounding in double-double is smaller.

    Raises:
        DataError: as `systematic`.
    """
    P, columns = systematic(G)
    G = _matrix(G)
    k = len(G)
    if np.array_equal(G[:, :k], np.eye(k)):
        return AccurateSystematic(P, np.zeros_like(P), columns, ROUNDING, 0.0)
    rational, determinant = rational_systematic(G, columns)
    high = np.array([[float(x) for x in row] for row in rational])
    low = np.array([[float(x - Fraction(float(x))) for x in row] for row in rational])
    if (np.floor(G) == G).all():
        terms = np.sort(np.abs(high).sum(axis=1))[-min(high.shape) :]
        smallest = float(1 / (2 * abs(determinant)))
        if np.maximum(terms, 1).prod() * 2.0**-96 < smallest:
            return AccurateSystematic(high, low, columns, 0.0, smallest)
    A = G[:, columns[:k]]
    # Rounding of G's entries by half a unit changes those of P by about this condition number (Skeel's) times as much.
    condition = float((np.abs(np.linalg.inv(A)) @ np.abs(A)).sum(axis=1).max())
    return AccurateSystematic(high, low, columns, ROUNDING * max(1.0, condition), 0.0)


def rational_systematic(
    G: Float[np.ndarray, "dimension length"], columns: Int[np.ndarray, " length"]
) -> tuple[list[list[Fraction]], Fraction]:
    """P of [I | P] and the determinant of A, for G[:, columns] = A [I | P], as exact fractions.

    Args:
        G: [k, n] float64, taken as the numbers they are.
        columns: [n], the first k of them independent.

    Raises:
        DataError: the first k columns are dependent.
    """
    rows = [[Fraction(float(x)) for x in row] for row in G[:, columns]]
    k, determinant = len(rows), Fraction(1)
    for i in range(k):
        pivot = next((r for r in range(i, k) if rows[r][i]), None)
        if pivot is None:
            raise DataError(f"the generator's {k} rows are linearly dependent", remedy="remove rows until they are not")
        if pivot != i:
            rows[i], rows[pivot] = rows[pivot], rows[i]
            determinant = -determinant
        head = rows[i][i]
        determinant *= head
        rows[i] = [x / head for x in rows[i]]
        for r in range(k):
            factor = rows[r][i]
            if r != i and factor:
                rows[r] = [x - factor * y if y else x for x, y in zip(rows[r], rows[i], strict=True)]
    return [row[k:] for row in rows], determinant


def generator_of(H: ArrayLike) -> Float[np.ndarray, "dimension length"]:
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


def _matrix(G: ArrayLike) -> Float[np.ndarray, "dimension length"]:
    try:
        G = np.asarray(G, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"no matrix of real numbers: {error}", remedy="pass [k, n] floats") from None
    if G.ndim != 2 or not 1 <= G.shape[0] < G.shape[1]:
        raise DataError(f"a matrix of shape {G.shape} generates no code", remedy="pass [k, n] with 1 <= k < n")
    if not np.isfinite(G).all():
        raise DataError("the matrix has entries that are not finite", remedy="remove or repair them")
    return G
