"""The compiled loops behind `witnesses`; numbering as in `long_code_kernel`. Importing this module imports numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from probatum.problems.analog_codes.lanes import compiled
from probatum.problems.analog_codes.long_code_kernel import columns_without, quotients_into

if TYPE_CHECKING:
    from probatum.problems.analog_codes.long_codes import ShapeArrays


@compiled
def bases_near(
    found: np.ndarray,
    low: float,
    high: float,
    total: np.ndarray,
    inverse: np.ndarray,
    quotients: np.ndarray,
    chosen: np.ndarray,
    raised: np.ndarray,
    moved: np.ndarray,
    shape: ShapeArrays,
) -> int:
    """Lists bases I and columns j whose S_(I+j) / |D_I| lies in low..high; returns how many were written.

    Args:
        found: [as many as are wanted, 3] int64, written: mask of the rows missing from I, mask of I's columns of P,
            and j's position (a column of P, or n - k + a unit column).
        quotients, ..., moved: [widest block] float64 and int64 three times, to work in.
    """
    k, redundancy, row_sets, _, column_sets, _, _, _, choose = shape
    count = 0
    for position in range(k + redundancy):
        for s in range(min(k, redundancy) + 1):
            columns = columns_without(chosen, raised, moved, position, s, shape)
            for p in range(choose[k, s]):
                R = row_sets[s, p]
                if position >= redundancy and not R >> (position - redundancy) & 1:
                    continue
                quotients_into(quotients, chosen, raised, columns, position, s, p, total, inverse, shape)
                for i in range(columns):
                    if low <= quotients[i] <= high:
                        if count == len(found):
                            return count
                        found[count] = R, column_sets[s, chosen[i]], position
                        count += 1
    return count


@compiled
def lightest(sizes: np.ndarray, shape: ShapeArrays) -> tuple[int, int, float]:
    """The hyperplane with the largest number of columns: its k - 1 independent ones, and the weight of its codeword.

    For k - 1 columns J the codeword that vanishes on J is D_(J+t) at t, up to signs; every codeword of least weight is
    one of these.

    Returns:
        (mask of the rows whose unit columns J lacks, mask of J's columns of P, weight).
    """
    k, redundancy, row_sets, row_rank, column_sets, column_rank, first, _, choose = shape
    least, least_R, least_C = k + redundancy + 1, 0, 0
    for s in range(min(k - 1, redundancy) + 1):
        for p in range(choose[k, s + 1]):  # one more row is missing than columns are there
            R = row_sets[s + 1, p]
            for i in range(choose[redundancy, s]):
                C = column_sets[s, i]
                weight = 0
                for row in range(k):
                    if R >> row & 1:
                        start = first[s] + row_rank[R ^ (1 << row)] * choose[redundancy, s]
                        weight += sizes[start + i] != 0.0
                if s < redundancy and s < k:
                    start = first[s + 1] + p * choose[redundancy, s + 1]
                    for c in range(redundancy):
                        if not C >> c & 1:
                            weight += sizes[start + column_rank[C | (1 << c)]] != 0.0
                if 0 < weight < least:
                    least, least_R, least_C = weight, R, C
    return least_R, least_C, least
