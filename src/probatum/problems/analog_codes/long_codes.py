"""Exact heights of one long code: formula F4 as a covering problem on bits.

`heights` keeps one number for each set T of columns and each j; for n = 24 these are 100 million. Here, bounds attained
by codewords that a local search finds are raised until no T exceeds them, and a set that does not is one bit
(`long_code_kernel.raise_bounds`). All minors are computed in double-double.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from jaxtyping import Float, Int, Int32

from probatum.problems.analog_codes.vertex_search import search

GROUP = 32
"""Words of one bound that lie together; those of all bounds follow, so that a block's stay in the nearest cache."""
ROUNDS = 64
"""Of the local search; more raise its bounds, and fewer sets exceed them."""
ShapeArrays = tuple[
    int,
    int,
    Int[np.ndarray, "size row_set"],
    Int32[np.ndarray, " row_mask"],
    Int[np.ndarray, "size column_set"],
    Int32[np.ndarray, " column_mask"],
    Int[np.ndarray, " size"],
    Int[np.ndarray, " size"],
    Int[np.ndarray, "upper lower"],
]
"""See `Shape.arrays`."""
MARGINS = (1e-7, 1e-2, 1.0)
"""Relative; above the search's rounding errors. The last forgets what it found."""
FEW = 16
"""Blocks so few are not worth a second thread."""


@dataclass(frozen=True, eq=False)
class Shape:
    """Numbering of the bases and circuits of [n, k] codes (see `long_code_kernel`).

    Attributes:
        k, redundancy: dimension, and n - k.
        row_sets, column_sets: [size, widest] int64, masks of each size, ascending; of rows, and of columns of P.
        row_rank, column_rank: [mask] int32, rank of a mask among those of its size.
        first, circuit_first: [size] int64, where the blocks of each number of missing rows begin.
        choose: [upper, lower] int64, binomial coefficients.
    """

    k: int
    redundancy: int
    row_sets: Int[np.ndarray, "size row_set"]
    row_rank: Int32[np.ndarray, " row_mask"]
    column_sets: Int[np.ndarray, "size column_set"]
    column_rank: Int32[np.ndarray, " column_mask"]
    first: Int[np.ndarray, " size"]
    circuit_first: Int[np.ndarray, " size"]
    choose: Int[np.ndarray, "upper lower"]

    def arrays(self) -> ShapeArrays:
        """All of it, in the order of the kernel's arguments."""
        return (
            self.k,
            self.redundancy,
            self.row_sets,
            self.row_rank,
            self.column_sets,
            self.column_rank,
            self.first,
            self.circuit_first,
            self.choose,
        )


@lru_cache(maxsize=4)
def shape_of(k: int, redundancy: int) -> Shape:
    """The numbering of [k + redundancy, k] codes."""
    sizes = min(k, redundancy) + 1
    choose = np.array([[comb(a, b) for b in range(max(k, redundancy) + 3)] for a in range(max(k, redundancy) + 3)])
    row_sets, row_rank = _sets(k, sizes + 1)
    column_sets, column_rank = _sets(redundancy, sizes + 1)
    first = np.cumsum([0, *(comb(k, s) * comb(redundancy, s) for s in range(sizes))])
    circuit_first = np.cumsum([0, *(comb(k, s) * comb(redundancy, s + 1) for s in range(sizes))])
    return Shape(k, redundancy, row_sets, row_rank, column_sets, column_rank, first, circuit_first, choose)


def _sets(elements: int, sizes: int) -> tuple[Int[np.ndarray, "size set"], Int32[np.ndarray, " mask"]]:
    masks = np.arange(1 << elements)
    ones = np.bitwise_count(masks)
    widest = max(comb(elements, size) for size in range(sizes))
    sets, rank = np.zeros((sizes, widest), np.int64), np.zeros(1 << elements, np.int32)
    for size in range(sizes):
        of_size = masks[ones == size]
        sets[size, : len(of_size)] = of_size
        rank[of_size] = np.arange(len(of_size))
    return sets, rank


@dataclass(frozen=True, eq=False)
class Minors:
    """What all heights of one code are made of.

    Attributes:
        shape: their numbering.
        sizes: [basis] float64, |D_I|; zeros are exact zeros.
        inverse: [basis] float64, 1 / |D_I|.
        total: [circuit] float64, S_U.
    """

    shape: Shape
    sizes: Float[np.ndarray, " basis"]
    inverse: Float[np.ndarray, " basis"]
    total: Float[np.ndarray, " circuit"]


def minors_of(
    P: Float[np.ndarray, "dimension redundancy"],
    P_low: Float[np.ndarray, "dimension redundancy"],
    *,
    tolerance: float,
    smallest: float = 0.0,
    threads: int = 2,
) -> Minors:
    """All minors of [I | P + P_low], computed in double-double.

    Args:
        P, P_low: [k, n - k] float64, |P_low| at most half a unit of P.
        tolerance: minors of matrices that are not integer are zero if at most this times the sum of their terms.
        smallest: minors are zero if at most this.
        threads: how many cores to use.
    """
    from probatum.problems.analog_codes.long_code_kernel import circuits_into, minors_into, sizes_into

    k, redundancy = P.shape
    shape = shape_of(k, redundancy)
    arrays = shape.arrays()
    bases = int(shape.first[-1])
    sizes, low, bound, inverse = np.empty(bases), np.empty(bases), np.empty(bases), np.empty(bases)
    total = np.empty(int(shape.circuit_first[-1]))
    integer = bool((np.floor(P) == P).all() and not P_low.any())
    sizes[0], low[0], bound[0] = 1.0, 0.0, 1.0
    with ThreadPoolExecutor(threads) as pool:

        def in_parts(work: Callable[[Int[np.ndarray, " position"]], object], count: int) -> None:
            parts = np.array_split(np.arange(count), threads if count > FEW else 1)
            list(pool.map(work, parts))

        for s in range(1, min(k, redundancy) + 1):
            in_parts(lambda part, s=s: minors_into(sizes, low, bound, P, P_low, s, part, arrays), comb(k, s))
        sizes_into(sizes, inverse, bound, tolerance, smallest, integer, 0, bases)
        for s in range(min(k, redundancy - 1) + 1):
            in_parts(lambda part, s=s: circuits_into(total, sizes, s, part, arrays), comb(k, s))
    return Minors(shape, sizes, inverse, total)


def long_profile(
    P: Float[np.ndarray, "dimension redundancy"],
    P_low: Float[np.ndarray, "dimension redundancy"],
    *,
    tolerance: float,
    smallest: float = 0.0,
    threads: int = 2,
) -> Float[np.ndarray, " redundancy"]:
    """Heights h_1, ..., h_(n-k) of one code, n from 7 to 24.

    Args: as `minors_of`.

    Returns:
        [n - k] float64.
    """
    minors = minors_of(P, P_low, tolerance=tolerance, smallest=smallest, threads=threads)
    found = search(P, rounds=ROUNDS).heights
    for margin in MARGINS:
        # What the search finds in float64 is lowered by more than its errors. If it was right, raising finds it again,
        # and more; a bound that is not raised was wrong.
        begun = np.maximum(2.0, (1 + found) * (1 - margin))
        bounds = _raised(begun, minors, threads)
        if ((bounds > begun) | (begun == 2.0)).all():
            return bounds - 1
    raise AssertionError("bounds that begin at 2 are always right")


def _raised(begun: Float[np.ndarray, " redundancy"], minors: Minors, threads: int) -> Float[np.ndarray, " redundancy"]:
    """Lower bounds of h_m + 1, raised to them; see `long_code_kernel.raise_bounds`."""
    from probatum.problems.analog_codes.long_code_kernel import raise_bounds

    k, redundancy = minors.shape.k, minors.shape.redundancy
    n = k + redundancy
    bounds = begun.copy()
    lock, own = threading.Lock(), threading.local()

    def cover(position: int) -> None:
        if not hasattr(own, "scratch"):
            words, widest = 1 << (n - 7), comb(redundancy, min(k, redundancy // 2))
            own.scratch = (
                np.empty((max(1, words // GROUP), redundancy + 1, min(words, GROUP)), np.uint64),
                np.empty(words, np.uint64),
                np.empty(widest),
                np.empty(widest, np.int8),
                *(np.empty(widest, np.int64) for _ in range(4)),
                np.empty(widest, np.uint64),
            )
        with lock:
            mine = bounds.copy()
        raise_bounds(mine, position, minors.total, minors.inverse, *own.scratch, minors.shape.arrays())
        with lock:
            np.maximum(bounds, mine, out=bounds)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(cover, range(n)))
    return bounds
