"""The compiled loops behind `long_codes.long_profile`: one long code at a time, columns of a block in vectors.

A basis I of [I_k | P] is a pair (R, C): the rows R whose unit columns are missing from it and the columns C of P that
are in it, |R| = |C| = s. Blocks hold all C of one size in ascending order of their bit masks; those whose highest
column is c are a contiguous part, and without c they are all subsets of the columns below c, from the first on.
Importing this module imports numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from probatum.problems.analog_codes.double_double import add, multiply
from probatum.problems.analog_codes.lanes import compiled

if TYPE_CHECKING:
    from probatum.problems.analog_codes.long_codes import ShapeArrays

EXACT_PAIR = 2.0**104
TINY = 1e-305
"""Added to sums of minors so that 'sum / 0' is infinite even where the sum is 0."""
NEAR, STRIP = 18, 512
"""Bits of a set that are closed within 32 kB of words, and words taken at once over the others: for the caches."""
STREAMS = 8
"""Bits set in turn."""
WINDOW = 64
"""Words that are looked through at once."""
TRIED = 2000
"""Sets looked at one by one for one m in one pass."""


@compiled
def minors_into(
    high: np.ndarray,
    low: np.ndarray,
    bound: np.ndarray,
    P: np.ndarray,
    P_low: np.ndarray,
    level: int,
    positions: np.ndarray,
    shape: ShapeArrays,
) -> None:
    """Writes the minors of P on s = `level` rows and columns, in double-double, from those of s - 1.

    Args:
        high, low, bound: [basis] float64, written where |R| = s: minors, and the sums of their terms' sizes.
        P, P_low: [k, n - k] float64.
        level, positions: s, and which sets of s rows to compute.
        shape: see `Shape.arrays`.
    """
    k, redundancy, row_sets, row_rank, _, _, first, _, choose = shape
    s = level
    width, below = choose[redundancy, s], choose[redundancy, s - 1]
    for p in positions:
        R = row_sets[s, p]
        start = first[s] + p * width
        for i in range(width):
            high[start + i], low[start + i], bound[start + i] = 0.0, 0.0, 0.0
        for c in range(s - 1, redundancy):
            out = start + choose[c, s]
            sign = 1.0
            for row in range(k):
                if R >> row & 1:
                    source = first[s - 1] + row_rank[R ^ (1 << row)] * below
                    factor, factor_low = sign * P[row, c], sign * P_low[row, c]
                    _add_products(high, low, bound, out, source, choose[c, s - 1], factor, factor_low)
                    sign = -sign


@compiled
def _add_products(
    high: np.ndarray,
    low: np.ndarray,
    bound: np.ndarray,
    out: int,
    source: int,
    count: int,
    factor: float,
    factor_low: float,
) -> None:
    """high[out + i] += factor high[source + i] and so on, for i below count; the ranges do not overlap."""
    into, into_low, into_bound = high[out : out + count], low[out : out + count], bound[out : out + count]
    of, of_low, of_bound = high[source : source + count], low[source : source + count], bound[source : source + count]
    size = abs(factor)
    for i in range(count):
        term, term_low = multiply(factor, factor_low, of[i], of_low[i])
        into[i], into_low[i] = add(into[i], into_low[i], term, term_low)
        into_bound[i] += size * of_bound[i]


@compiled
def sizes_into(
    sizes: np.ndarray,
    inverse: np.ndarray,
    bound: np.ndarray,
    tolerance: float,
    smallest: float,
    integer: bool,
    start: int,
    stop: int,
) -> None:
    """Turns minors into their sizes, small ones into 0, and writes the reciprocals."""
    for i in range(start, stop):
        s, B = abs(sizes[i]), bound[i]
        limit = smallest if integer and B < EXACT_PAIR else max(smallest, tolerance * B)
        s = 0.0 if s <= limit else s
        sizes[i] = s
        inverse[i] = 1.0 / s


@compiled
def circuits_into(total: np.ndarray, sizes: np.ndarray, level: int, positions: np.ndarray, shape: ShapeArrays) -> None:
    """Writes S_U for the circuits U whose missing rows R are s = `level` and whose columns C are s + 1.

    Args:
        total: [circuit] float64, written.
        sizes: [basis] float64.
        level, positions: s, and which sets of s rows to compute.
        shape: see `Shape.arrays`.
    """
    k, redundancy, row_sets, row_rank, column_sets, column_rank, first, circuit_first, choose = shape
    s = level
    width, narrow = choose[redundancy, s + 1], choose[redundancy, s]
    for p in positions:
        R = row_sets[s, p]
        start = circuit_first[s] + p * width
        block = total[start : start + width]
        block[:] = TINY
        for row in range(k):
            if not R >> row & 1:
                source = first[s + 1] + row_rank[R | (1 << row)] * width
                part = sizes[source : source + width]
                for i in range(width):
                    block[i] += part[i]
        source = first[s] + p * narrow
        part = sizes[source : source + narrow]
        for i in range(width):
            C = column_sets[s + 1, i]
            value = 0.0
            for c in range(redundancy):
                if C >> c & 1:
                    value += part[column_rank[C ^ (1 << c)]]
            block[i] += value


@compiled
def raise_bounds(
    bounds: np.ndarray,
    position: int,
    total: np.ndarray,
    inverse: np.ndarray,
    planes: np.ndarray,
    closed: np.ndarray,
    quotients: np.ndarray,
    levels: np.ndarray,
    chosen: np.ndarray,
    raised: np.ndarray,
    moved: np.ndarray,
    places: np.ndarray,
    bits: np.ndarray,
    shape: ShapeArrays,
) -> int:
    """Raises lower bounds of h_m + 1 to the maximum over one j, exactly; returns how many passes that took.

    With v = S_(I+j) / |D_I|, a set T (|T| = n - m, without j) is *covered* if some I in T has v <= bounds[m - 1].
    Sets are bits; closing under supersets is an OR of words. A set that is not covered raises the bound to its minimum
    of v. Where too many are not, the pass is done again; in the end no T exceeds the bounds.

    Args:
        bounds: [n - k] float64, rising, each attained; raised in place.
        position: of j: a column of P, or n - k + a unit column.
        total, inverse: [circuit] and [basis] float64: S_U, and 1 / |D_I|.
        planes, closed: [group of words, n - k + 1, word] and [2^(n-1) / 64] uint64, to work in.
        quotients, levels, chosen, raised, moved, places, bits: [widest block] float64, int8, int64 four times, and
            uint64, to work in.
        shape: see `Shape.arrays`.
    """
    k, redundancy = shape[0], shape[1]
    n = k + redundancy
    words, group = len(closed), planes.shape[2]
    wanted = _wanted(min(words, WINDOW))
    passes = 0
    while True:
        passes += 1
        _fill(bounds, position, total, inverse, planes, quotients, levels, chosen, raised, moved, places, bits, shape)
        again = False
        closed[:] = 0
        for m in range(1, redundancy):
            for part in range(len(planes)):
                into, plane = closed[part * group : (part + 1) * group], planes[part, m - 1]
                for w in range(group):
                    into[w] |= plane[w]
            _close(closed, n - 1)
            tried, w, bit = 0, 0, 0
            while _some_uncovered(closed, wanted, n - m):
                w, bit = _next_uncovered(closed, w, bit, n - m)
                if w == words:
                    break
                if tried == TRIED:
                    again = True
                    break
                tried += 1
                T = _with(w << 6 | bit, position)
                value = _least_quotient(T, bounds[m - 1], position, total, inverse, quotients, chosen, raised, moved, shape)  # fmt: skip  # noqa: E501
                for higher in range(m - 1, redundancy):
                    bounds[higher] = max(bounds[higher], value)
                bit += 1
        if not again:
            return passes


@compiled
def _fill(
    bounds: np.ndarray,
    position: int,
    total: np.ndarray,
    inverse: np.ndarray,
    planes: np.ndarray,
    quotients: np.ndarray,
    levels: np.ndarray,
    chosen: np.ndarray,
    raised: np.ndarray,
    moved: np.ndarray,
    places: np.ndarray,
    bits: np.ndarray,
    shape: ShapeArrays,
) -> None:
    """Sets the bit of every basis I without j in the plane of the first bound that its quotient is not above.

    Raises the last bound to the largest quotient: there, T is I itself.
    """
    k, redundancy, row_sets, _, _, _, _, _, choose = shape
    group, flat = planes.shape[2], planes.ravel()
    shift = 0
    while 1 << shift < group:
        shift += 1
    planes[:] = 0
    for s in range(min(k, redundancy) + 1):
        count = columns_without(chosen, raised, moved, position, s, shape)
        for p in range(choose[k, s]):
            R = row_sets[s, p]
            if position >= redundancy and not R >> (position - redundancy) & 1:
                continue
            quotients_into(quotients, chosen, raised, count, position, s, p, total, inverse, shape)
            levels[:count] = 0
            for m in range(redundancy):
                bound = bounds[m]
                for i in range(count):
                    levels[i] += np.int8(1) if quotients[i] > bound else np.int8(0)
            kept = _without((((1 << k) - 1) & ~R) << redundancy, position)
            exceeding = 0
            for i in range(count):
                T = kept | moved[i]
                word = T >> 6
                places[i] = ((word >> shift) * (redundancy + 1) + levels[i]) * group + (word & (group - 1))
                bits[i] = np.uint64(1) << np.uint64(T & 63)
                exceeding += levels[i] == redundancy
            # Neighbours share words; taken in turn from far apart, one need not wait for the other.
            apart = count // STREAMS
            for start in range(apart):
                for stream in range(STREAMS):
                    i = start + stream * apart
                    flat[places[i]] |= bits[i]
            for i in range(apart * STREAMS, count):
                flat[places[i]] |= bits[i]
            if exceeding:  # T = I is the case m = n - k
                for i in range(count):
                    bounds[redundancy - 1] = max(bounds[redundancy - 1], quotients[i])


@compiled
def _without(T: int, position: int) -> int:
    """T's mask with the bit at a position left out, the higher ones moved down."""
    return (T >> (position + 1)) << position | T & ((1 << position) - 1)


@compiled
def _with(T: int, position: int) -> int:
    """The inverse of `_without`: a 0 inserted at the position."""
    return (T >> position) << (position + 1) | T & ((1 << position) - 1)


@compiled
def columns_without(
    chosen: np.ndarray, raised: np.ndarray, moved: np.ndarray, position: int, s: int, shape: ShapeArrays
) -> int:
    """Lists the sets C of s columns without j; returns how many.

    Args:
        chosen, raised, moved: written: rank of C, rank of C + j, and C's mask with j's bit left out.
    """
    _, redundancy, _, _, column_sets, column_rank, _, _, choose = shape
    count = 0
    for i in range(choose[redundancy, s]):
        C = column_sets[s, i]
        if position >= redundancy or not C >> position & 1:
            chosen[count] = i
            raised[count] = i if position >= redundancy else column_rank[C | (1 << position)]
            moved[count] = _without(C, position)
            count += 1
    return count


@compiled
def quotients_into(
    quotients: np.ndarray,
    chosen: np.ndarray,
    raised: np.ndarray,
    count: int,
    position: int,
    s: int,
    p: int,
    total: np.ndarray,
    inverse: np.ndarray,
    shape: ShapeArrays,
) -> None:
    """Writes S_(I+j) / |D_I| for the p-th set of s missing rows, which holds j if j is a row's, and all C without j."""
    _, redundancy, row_sets, row_rank, _, _, first, circuit_first, choose = shape
    width = choose[redundancy, s]
    part = inverse[first[s] + p * width : first[s] + (p + 1) * width]
    if position >= redundancy:
        start = circuit_first[s - 1] + row_rank[row_sets[s, p] ^ (1 << (position - redundancy))] * width
        block = total[start : start + width]
        for i in range(count):
            quotients[i] = block[i] * part[i]
    else:
        wide = choose[redundancy, s + 1]
        block = total[circuit_first[s] + p * wide : circuit_first[s] + (p + 1) * wide]
        for i in range(count):
            quotients[i] = block[raised[i]] * part[chosen[i]]


@compiled
def _least_quotient(
    T: int,
    enough: float,
    position: int,
    total: np.ndarray,
    inverse: np.ndarray,
    quotients: np.ndarray,
    chosen: np.ndarray,
    raised: np.ndarray,
    moved: np.ndarray,
    shape: ShapeArrays,
) -> float:
    """min over I in T of S_(I+j) / |D_I|, or anything up to `enough` if it is not above."""
    k, redundancy, row_sets, _, column_sets, _, _, _, choose = shape
    outside = ~T & ((1 << (k + redundancy)) - 1)
    least = np.inf
    for s in range(min(k, redundancy) + 1):
        count = columns_without(chosen, raised, moved, position, s, shape)
        for p in range(choose[k, s]):
            if (outside >> redundancy) & ~row_sets[s, p]:
                continue
            quotients_into(quotients, chosen, raised, count, position, s, p, total, inverse, shape)
            for i in range(count):
                if not column_sets[s, chosen[i]] & outside:
                    least = min(least, quotients[i])
            if least <= enough:
                return least
    return least


@compiled
def _close(words: np.ndarray, bits: int) -> None:
    """Closes a family of subsets of `bits` elements, one bit each, under supersets."""
    inner = min(bits, NEAR)
    for start in range(0, len(words), 1 << (inner - 6)):
        near = words[start : start + (1 << (inner - 6))]
        for w in range(len(near)):
            x = near[w]
            x |= (x & np.uint64(0x5555555555555555)) << np.uint64(1)
            x |= (x & np.uint64(0x3333333333333333)) << np.uint64(2)
            x |= (x & np.uint64(0x0F0F0F0F0F0F0F0F)) << np.uint64(4)
            x |= (x & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)
            x |= (x & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)
            x |= (x & np.uint64(0x00000000FFFFFFFF)) << np.uint64(32)
            near[w] = x
        _or_upwards(near, 1, len(near))
    strip = min(STRIP, len(words))
    for start in range(0, 1 << (inner - 6), strip):
        stride = 1 << (inner - 6)
        while stride < len(words):
            for pair in range(start, len(words), 2 * stride):
                for near in range(pair, pair + stride, 1 << (inner - 6)):
                    below = words[near : near + strip]
                    above = words[near + stride : near + stride + strip]
                    for w in range(strip):
                        above[w] |= below[w]
            stride *= 2


@compiled
def _or_upwards(words: np.ndarray, stride: int, count: int) -> None:
    """words[w + stride] |= words[w] where w has no bit `stride`, for every power of two from `stride` below `count`."""
    while stride < count:
        for start in range(0, count, 2 * stride):
            below, above = words[start : start + stride], words[start + stride : start + 2 * stride]
            for w in range(stride):
                above[w] |= below[w]
        stride *= 2


@compiled
def _wanted(window: int) -> np.ndarray:
    """[ones, word] uint64: of `window` words, one bit for each set, the sets that have a given number of elements."""
    wanted = np.zeros((64, window), np.uint64)
    for w in range(window):
        for bit in range(64):
            wanted[_ones(w << 6 | bit), w] |= np.uint64(1) << np.uint64(bit)
    return wanted


@compiled
def _some_uncovered(words: np.ndarray, wanted: np.ndarray, count: int) -> bool:
    """Whether the bit of some subset of `count` elements is not set."""
    window = wanted.shape[1]
    for part in range(len(words) // window):
        ones = count - _ones(part)
        if ones >= 0:
            some = np.uint64(0)
            asked, here = wanted[ones], words[part * window : (part + 1) * window]
            for w in range(window):
                some |= asked[w] & ~here[w]
            if some:
                return True
    return False


@compiled
def _next_uncovered(words: np.ndarray, w: int, bit: int, count: int) -> tuple[int, int]:
    """The next subset of `count` elements whose bit is not set, as word and bit; word len(words) if there is none."""
    patterns = np.zeros(7, np.uint64)  # the bits of a word whose own position has a given number of ones
    for b in range(64):
        patterns[_ones(b)] |= np.uint64(1) << np.uint64(b)
    while w < len(words):
        low = count - _ones(w)
        if 0 <= low <= 6:
            missing = patterns[low] & ~words[w]
            if missing:
                while bit < 64:
                    if missing >> np.uint64(bit) & np.uint64(1):
                        return w, bit
                    bit += 1
        w, bit = w + 1, 0
    return w, bit


@compiled
def _ones(number: int) -> int:
    number = number - ((number >> 1) & 0x55555555)
    number = (number & 0x33333333) + ((number >> 2) & 0x33333333)
    return ((((number + (number >> 4)) & 0x0F0F0F0F) * 0x01010101) & 0xFFFFFFFF) >> 24
