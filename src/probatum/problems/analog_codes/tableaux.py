"""What a network sees of a code: entries, 2 x 2 minors and neighbours' norms of a few tableaux, in canonical order.

A *tableau* of a code with generator G is X = G_I^-1 G_J, for an information set I and the other columns J; P of
[I | P] is one. Its entries are, up to sign, the minors of G one exchange away from I over that on I, its 2 x 2 minors
those two exchanges away. Rows and columns have no order and no signs (these are symmetries of heights); the canonical
order chosen here makes equal codes give equal columns, except where two norms are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Float, Float32

from probatum.errors import DataError
from probatum.problems.analog_codes.generate import LARGEST_ENTRY

CHUNK = 1024
"""Codes described at once, so that what is between two steps stays in the caches."""


@dataclass(frozen=True)
class TableauView:
    """Which tableaux are seen, and what of each.

    Attributes:
        views: 1 sees P / 100 alone; 2 also the tableau of an information set of locally largest volume, reached by
            exchanges; more also its neighbours of the largest volume, by one exchange.
        full: the views, from 0, of which the 2 x 2 minors are seen, and what the last two fields say; of the others
            only the entries.
        largest: how many of the largest column norms among the tableaux one exchange away, and of the row norms.
        smallest: how many of the smallest 2 x 2 minors, and of the smallest entries, in ascending order.
    """

    views: int = 2
    full: tuple[int, ...] = (1,)
    largest: int = 24
    smallest: int = 16

    def __post_init__(self) -> None:
        object.__setattr__(self, "full", tuple(sorted(set(self.full))))
        if not set(self.full) <= set(range(self.views)) or self.views < 1 or min(self.largest, self.smallest) < 0:
            raise DataError(f"there is no {self}", remedy="choose views >= 1, full among them, others >= 0")

    def sizes(self, k: int, redundancy: int) -> int:
        """How many logarithms of sizes `describe` gives for codes of this shape."""
        minors = comb(k, 2) * comb(redundancy, 2)
        return self.views * k * redundancy + len(self.full) * (minors + 2 * self.largest + 2 * self.smallest)

    def columns(self, k: int, redundancy: int) -> int:
        """How many numbers in all: as many entries beside."""
        return self.views * k * redundancy + self.sizes(k, redundancy)


def views(
    P: Float[np.ndarray, "code dimension redundancy"], count: int
) -> Float[np.ndarray, "code view dimension redundancy"]:
    """The tableaux that are seen of each code, in canonical order.

    Args:
        P: [code, k, n - k] float64.
        count: how many, up to k (n - k) + 2.

    Returns:
        [code, count, k, n - k] float64: P / 100; then, with entries of at most 1, the tableau of locally largest
        volume; then its neighbours.

    Raises:
        DataError: for another count.
    """
    from probatum.problems.analog_codes.tableau_kernel import views_into

    codes, k, redundancy = P.shape
    if not 1 <= count <= k * redundancy + 2:
        raise DataError(f"there are no {count} views", remedy=f"choose 1 to {k * redundancy + 2}")
    found = np.empty((codes, count, k, redundancy))
    views_into(found, np.ascontiguousarray(P, dtype=np.float64), float(LARGEST_ENTRY))
    return found


def describe(
    P: Float[np.ndarray, "code dimension redundancy"], view: TableauView
) -> Float32[np.ndarray, "code column"]:
    """What a network sees: of each tableau its entries, then binary logarithms of sizes.

    Args:
        P: [code, k, n - k] float64.
        view: what is seen.

    Returns:
        [code, column] float32.
    """
    codes, k, redundancy = P.shape
    entries = view.views * k * redundancy
    columns = np.empty((codes, view.columns(k, redundancy)), np.float32)
    for start in range(0, codes, CHUNK):
        part = slice(start, start + CHUNK)
        _describe(columns[part, :entries], columns[part, entries:], P[part], view)
    return columns


def _describe(
    plain: Float32[np.ndarray, "code entry"],
    sizes: Float32[np.ndarray, "code size"],
    P: Float[np.ndarray, "code dimension redundancy"],
    view: TableauView,
) -> None:
    from probatum.problems.analog_codes.tableau_kernel import describe_into

    full = np.isin(np.arange(view.views), view.full)
    describe_into(plain, sizes, views(P, view.views), full, view.largest, view.smallest)
    np.log2(sizes, out=sizes)
