"""Exact m-heights of analog codes.

For a codeword c, its absolute values sorted in descending order, h_m(c) = |c|_(1) / |c|_(m+1); h_m of the code is the
largest over all codewords but 0, and infinite exactly where one of them has weight m or less. Computed by formula F4
(proof in docs/analog_codes_heights.md): with D_I the minor of G on the k columns I and S_U the sum of the |D_I| over
all I in the k + 1 columns U,

    h_m = max over j and over T with j not in T, |T| = n - m, of min over I in T of S_(I+j) / |D_I| - 1.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from probatum.errors import DataError
from probatum.problems.analog_codes.generators import ROUNDING, AccurateSystematic, accurate_systematic
from probatum.problems.analog_codes.height_tables import height_tables

MAX_LENGTH = 16
"""Longest codes computed in batches; the work grows about fivefold with every two columns."""
LONG, LONGEST = 11, 24
"""Single codes are computed by `long_codes` from the first length on, up to the second."""
SMALLEST, LARGEST = 1e-15, 1e15
"""Entries of P that are not zero lie between these, so that no minor over- or underflows."""
ACCURACY = 1e-9
"""Relative error that no finite height exceeds."""
CHUNK = 4096
"""Codes that a thread takes at once."""


def height_profiles(P: ArrayLike, *, threads: int = 1) -> Float[np.ndarray, "code redundancy"]:
    """Heights h_1, ..., h_(n-k) of many codes with generators [I_k | P].

    A height is infinite exactly where all minors inside some n - m columns vanish. Minors of integers are compared with
    zero exactly, up to the 31st digit; of other matrices a minor vanishes if it is at most 64 machine epsilons of the
    sum of the absolute values of its Leibniz terms: rounding of P alone could have made it of a zero.

    Minors are computed in float64. Where the bound of their rounding errors does not promise a relative error below
    1e-9 of all heights (about 1 in 1500 matrices with entries uniform in [-100, 100]), they are computed again in
    double-double.

    Args:
        P: [code, k, n - k] real.
        threads: how many cores to use.

    Returns:
        [code, n - k] float64, rising along each row, at least 1, inf where infinite; relative error below 1e-9. The
        bits of a row depend on its P alone.

    Raises:
        DataError: wrong shape, n above `MAX_LENGTH`, an entry that is not finite or outside 1e-15..1e15.
    """
    matrices = batch_of(P)
    return _heights(matrices, 1, threads, refined=True)


def heights_of(P: ArrayLike, m: int, *, threads: int = 1) -> Float[np.ndarray, " code"]:
    """h_m alone of many codes with generators [I_k | P]: `height_profiles(P)[:, m - 1]` to the bit, sooner.

    Args:
        P: [code, k, n - k] real.
        m: 1 <= m <= n - k.
        threads: how many cores to use.

    Returns:
        [code] float64.

    Raises:
        DataError: as `height_profiles`; m out of range.
    """
    matrices = batch_of(P)
    _, k, redundancy = matrices.shape
    if not 1 <= m <= redundancy:
        raise DataError(
            f"there is no h_{m} of codes of length {k + redundancy} and dimension {k}",
            remedy=f"choose 1 <= m <= {redundancy}",
        )
    return _heights(matrices, m, threads, refined=True)[:, m - 1]


def float64_height_profiles(P: ArrayLike) -> Float[np.ndarray, "code redundancy"]:
    """`height_profiles` without second computation: the labels of the problem's data, whose bits stay what they are.

    Args, returns, raises: as `height_profiles`; the relative error exceeds 1e-9 in 1 of 900 000 matrices with entries
    uniform in [-100, 100].
    """
    return _heights(batch_of(P), 1, 1, refined=False)


def height_profile(G: ArrayLike, *, threads: int = 2) -> Float[np.ndarray, " redundancy"]:
    """Heights h_1, ..., h_(n-k) of one code, given by any generator of full rank.

    P of [I | P] is computed in rational arithmetic, minors in double-double. Zero minors: of a generator of integers
    they are recognised exactly; of [I | P] as in `height_profiles`; of others, a minor of P is zero if rounding of G's
    entries could have made it of a zero (64 machine epsilons times the condition of the columns solved for).

    Args:
        G: [k, n] real, of rank k, n up to `LONGEST`.
        threads: how many cores to use, from n = 11 on.

    Returns:
        [n - k] float64, inf where infinite; relative error below 1e-9. [24, 12] takes a few tenths of a second.

    Raises:
        DataError: as `systematic`; n above `LONGEST`, entries of P outside 1e-15..1e15.
    """
    return profile_of(accurate_systematic(G), threads=threads)


def profile_of(code: AccurateSystematic, *, threads: int = 2) -> Float[np.ndarray, " redundancy"]:
    """`height_profile` of a code in systematic form.

    Raises:
        DataError: n above `LONGEST`, entries of P outside 1e-15..1e15.
    """
    k, redundancy = code.P.shape
    if k + redundancy > LONGEST:
        raise DataError(
            f"codes of length {k + redundancy} are too long to be exact",
            remedy=f"heights are exact up to length {LONGEST}; 'height_bracket' encloses those of longer codes",
        )
    refuse_unusable(code.P[None])
    if k + redundancy < LONG:
        return accurate_profiles(code.P[None], code.P_low[None], tolerance=code.tolerance, smallest=code.smallest)[0]
    from probatum.problems.analog_codes.long_codes import long_profile

    return long_profile(code.P, code.P_low, tolerance=code.tolerance, smallest=code.smallest, threads=threads)


def doubt(k: int, redundancy: int) -> float:
    """Below this ratio to the sum of its terms, a minor's rounding error could move a height by 1e-9 of itself.

    The error of a minor of r rows is at most r (r + 3) / 2 units 2^-53 of the sum of its terms; that of a quotient
    S_U / |D_I| is at most twice that of minors, and that of a height, which is such a quotient less one and at least 1,
    at most four times. The fifth part covers sums, quotients and products of errors.
    """
    r = min(k, redundancy)
    return 5 * r * (r + 3) / 2 * 2.0**-53 / ACCURACY


def batch_of(P: ArrayLike) -> Float[np.ndarray, "code dimension redundancy"]:
    """[code, k, n - k] float64, C-contiguous; entries are not looked at.

    Raises:
        DataError: no such array, or n above `MAX_LENGTH`.
    """
    try:
        matrices = np.ascontiguousarray(P, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"P is no array of real numbers: {error}", remedy="pass [code, k, n - k] floats") from None
    if matrices.ndim != 3:
        raise DataError(f"P has shape {matrices.shape}", remedy="pass [code, k, n - k], a single P as P[None]")
    _, k, redundancy = matrices.shape
    if k < 1 or redundancy < 1:
        raise DataError(f"P is {k} x {redundancy}", remedy="k and n - k must be at least 1")
    if k + redundancy > MAX_LENGTH:
        raise DataError(
            f"codes of length {k + redundancy} are too long",
            remedy=f"lengths up to {MAX_LENGTH} are computed in batches; 'height_profile' takes longer ones singly",
        )
    return matrices


def refuse_unusable(P: Float[np.ndarray, "code dimension redundancy"]) -> None:
    """Raises for the first entry of [code, k, n - k] that cannot be computed with.

    Raises:
        DataError: an entry that is not finite or outside 1e-15..1e15.
    """
    size = np.abs(P)
    # One comparison finds NaN as well: it is neither zero nor in the range.
    usable = (size == 0) | ((size >= SMALLEST) & (size <= LARGEST))
    if not usable.all():
        code, row, column = np.argwhere(~usable)[0].tolist()
        raise DataError(
            f"entry {P[code, row, column]} cannot be used",
            where=f"P[{code}, {row}, {column}]",
            remedy=f"entries must be 0 or {SMALLEST:g} to {LARGEST:g} in size; set rounding noise to 0",
        )


def _heights(
    P: Float[np.ndarray, "code dimension redundancy"], lowest: int, threads: int, *, refined: bool
) -> Float[np.ndarray, "code redundancy"]:
    """[code, n - k], with columns from h_lowest on; unrefined ones are float64's."""
    codes, k, redundancy = P.shape
    profiles, flags = np.empty((codes, redundancy)), np.empty(codes)
    if not codes:
        return profiles
    # numba takes half a second to import, and whoever only lists problems should not wait for it.
    from probatum.problems.analog_codes.height_kernel import UNUSABLE, profiles_into
    from probatum.problems.analog_codes.lanes import rows

    flat = P.reshape(codes, k * redundancy)
    tables = height_tables(k + redundancy, k)
    bases, circuits, subsets = len(tables.first) - 1, len(tables.circuits), len(tables.lattice_child)

    def compute(part: slice) -> None:
        scratch = [rows(count) for count in (k * redundancy, bases, bases, bases, circuits, subsets, redundancy)]
        profiles_into(
            profiles[part],
            flags[part],
            flat[part],
            lowest,
            doubt(k, redundancy),
            *tables.arrays(),
            *scratch,
            (0,) * (k + 1),
        )

    if threads > 1 and codes > CHUNK:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(compute, [slice(i, i + CHUNK) for i in range(0, codes, CHUNK)]))
    else:
        compute(slice(0, codes))

    if flags.max() == UNUSABLE:
        refuse_unusable(P)
    if flags.any():
        doubtful = np.flatnonzero(flags)
        again = accurate_profiles if refined else _float64_profiles
        profiles[doubtful] = again(P[doubtful], lowest=lowest)
    return profiles


def _float64_profiles(
    P: Float[np.ndarray, "code dimension redundancy"], *, lowest: int
) -> Float[np.ndarray, "code redundancy"]:
    from probatum.problems.analog_codes.height_kernel import float64_minors_into

    codes, k, redundancy = P.shape
    tables = height_tables(k + redundancy, k)
    sizes = np.empty((codes, len(tables.first) - 1))
    flat = P.reshape(codes, k * redundancy)
    float64_minors_into(sizes, flat, ROUNDING, tables.first, tables.entry, tables.child)
    return profiles_of_minors(sizes, k, redundancy, lowest)


def accurate_profiles(
    P: Float[np.ndarray, "code dimension redundancy"],
    P_low: Float[np.ndarray, "code dimension redundancy"] | None = None,
    *,
    lowest: int = 1,
    tolerance: float = ROUNDING,
    smallest: float = 0.0,
) -> Float[np.ndarray, "code redundancy"]:
    """Heights from minors in double-double, one code after the other: about 30 times as long.

    Args:
        P, P_low: [code, k, n - k] float64; the matrices are P + P_low, |P_low| at most half a unit of P.
        lowest: the smallest m that is asked for.
        tolerance: minors of matrices that are not integer are zero if at most this times the sum of their terms.
        smallest: minors are zero if at most this.

    Returns:
        [code, n - k] float64, written from h_lowest on.
    """
    from probatum.problems.analog_codes.height_kernel import accurate_minors_into

    codes, k, redundancy = P.shape
    flat = P.reshape(codes, k * redundancy)
    flat_low = np.zeros_like(flat) if P_low is None else P_low.reshape(flat.shape)
    tables = height_tables(k + redundancy, k)
    sizes = np.empty((codes, len(tables.first) - 1))
    accurate_minors_into(sizes, flat, flat_low, tolerance, smallest, tables.first, tables.entry, tables.child)
    return profiles_of_minors(sizes, k, redundancy, lowest)


def profiles_of_minors(
    sizes: Float[np.ndarray, "code basis"], k: int, redundancy: int, lowest: int = 1
) -> Float[np.ndarray, "code redundancy"]:
    """Heights of codes given by [code, basis] |minors|, in the order of `height_tables`; written from h_lowest on."""
    from probatum.problems.analog_codes.height_kernel import profiles_of_minors_into
    from probatum.problems.analog_codes.lanes import rows

    tables = height_tables(k + redundancy, k)
    profiles = np.empty((len(sizes), redundancy))
    bases, circuits, subsets = len(tables.first) - 1, len(tables.circuits), len(tables.lattice_child)
    scratch = [rows(count) for count in (bases, bases, circuits, subsets, redundancy)]
    profiles_of_minors_into(profiles, sizes, lowest, *tables.arrays()[3:], *scratch, (0,) * (k + 1))
    return profiles
