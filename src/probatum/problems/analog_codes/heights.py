"""Exact m-heights of analog codes.

For a codeword c, its absolute values sorted in descending order, h_m(c) = |c|_(1) / |c|_(m+1); h_m of the code is the
largest over all codewords but 0, and infinite exactly where one of them has weight m or less. Computed by formula F4
(proof in docs/analog_codes_heights.md): with D_I the minor of G on the k columns I and S_U the sum of the |D_I| over
all I in the k + 1 columns U,

    h_m = max over j and over T with j not in T, |T| = n - m, of min over I in T of S_(I+j) / |D_I| - 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from probatum.errors import DataError
from probatum.problems.analog_codes.generators import systematic
from probatum.problems.analog_codes.height_tables import height_tables

MAX_LENGTH = 16
"""Longest code computed; the work grows about fivefold with every two columns."""
SMALLEST, LARGEST = 1e-15, 1e15
"""Entries of P that are not zero lie between these, so that no minor over- or underflows."""
ROUNDING = 64 * np.finfo(np.float64).eps
"""A minor is zero, in float64's eyes, if at most this times the sum of the absolute values of its terms."""
SOLVED = 1e-11
"""The same where P comes out of a linear solve."""
EXACT = 2.0**53
"""Integers below are exact in float64."""


def height_profiles(P: ArrayLike) -> np.ndarray:
    """Heights h_1, ..., h_(n-k) of many codes with generators [I_k | P].

    Whether a height is infinite is decided by rank: h_m is infinite exactly where all minors inside some n - m columns
    vanish. For matrices of integers whose minors float64 holds exactly (the product of the min(k, n-k) largest row sums
    of |P| is below 2^53) that is exact; otherwise a minor vanishes if it is at most 64 machine epsilons of the sum of
    the absolute values of its Leibniz terms: rounding of P alone could have made it of a zero.

    Args:
        P: [code, k, n - k] real.

    Returns:
        [code, n - k] float64, rising along each row, at least 1, inf where infinite. The bits of a row depend on its P
        alone. Relative error about 1e-15 times (sum of |terms| / |minor|) of the minors that matter: above 1e-9 in 1 of
        900 000 matrices with entries uniform in [-100, 100].

    Raises:
        DataError: wrong shape, n above `MAX_LENGTH`, an entry that is not finite or outside 1e-15..1e15.
    """
    P = _checked(P)
    return _profiles(P, _tolerances(P))


def height_profile(G: ArrayLike) -> np.ndarray:
    """Heights h_1, ..., h_(n-k) of one code, given by any generator of full rank.

    Args:
        G: [k, n] real, of rank k.

    Returns:
        [n - k] float64, inf where infinite. Where G does not begin with the identity, P is computed, and minors below
        1e-11 of their terms count as zero.

    Raises:
        DataError: as `height_profiles` and `systematic`.
    """
    P = _checked(systematic(G).P[None])
    taken_as_it_stands = np.array_equal(np.asarray(G)[:, : P.shape[1]], np.eye(P.shape[1]))
    return _profiles(P, _tolerances(P) if taken_as_it_stands else np.full(1, SOLVED))[0]


def _profiles(P: np.ndarray, tolerances: np.ndarray) -> np.ndarray:
    codes, k, redundancy = P.shape
    profiles = np.empty((codes, redundancy))
    if codes:
        # numba takes half a second to import, and whoever only lists problems should not wait for it.
        from probatum.problems.analog_codes.height_kernel import profiles_into

        flat = np.ascontiguousarray(P.reshape(codes, k * redundancy))
        profiles_into(profiles, flat, tolerances, *height_tables(k + redundancy, k).arrays())
    return profiles


def _checked(P: ArrayLike) -> np.ndarray:
    try:
        matrices = np.asarray(P, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"P is no array of real numbers: {error}", remedy="pass [code, k, n - k] floats") from None
    if matrices.ndim != 3:
        raise DataError(f"P has shape {matrices.shape}", remedy="pass [code, k, n - k], a single P as P[None]")
    _, k, redundancy = matrices.shape
    if k < 1 or redundancy < 1:
        raise DataError(f"P is {k} x {redundancy}", remedy="k and n - k must be at least 1")
    if k + redundancy > MAX_LENGTH:
        raise DataError(
            f"codes of length {k + redundancy} are too long", remedy=f"lengths up to {MAX_LENGTH} are exact"
        )
    size = np.abs(matrices)
    # One comparison finds NaN as well: it is neither zero nor in the range.
    usable = (size == 0) | ((size >= SMALLEST) & (size <= LARGEST))
    if not usable.all():
        code, row, column = np.argwhere(~usable)[0].tolist()
        raise DataError(
            f"entry {matrices[code, row, column]} cannot be used",
            where=f"P[{code}, {row}, {column}]",
            remedy=f"entries must be 0 or {SMALLEST:g} to {LARGEST:g} in size; set rounding noise to 0",
        )
    return matrices


def _tolerances(P: np.ndarray) -> np.ndarray:
    """[code] how small a minor counts as zero: 0 where all minors are exact."""
    _, k, redundancy = P.shape
    row_sums = np.sort(np.abs(P).sum(axis=2), axis=1)[:, -min(k, redundancy) :]
    # A minor and all its partial sums are at most the product of its rows' sums of absolute values.
    exact = (np.floor(P) == P).all(axis=(1, 2)) & (np.maximum(row_sums, 1).prod(axis=1) < EXACT)
    return np.where(exact, 0.0, ROUNDING)
