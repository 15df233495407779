"""The compiled loops behind `heights.height_profiles`: formula F4 for many codes at once.

Codes are worked on in blocks of `LANES`, one code in each lane of a vector. Importing this module imports numba.
"""

from __future__ import annotations

import numpy as np

from probatum.problems.analog_codes.double_double import add, multiply
from probatum.problems.analog_codes.lanes import (
    LANES,
    choose,
    compiled,
    every,
    floor,
    larger,
    load,
    min_over,
    size,
    store,
    sum_over,
)

SMALLEST, LARGEST = 1e-15, 1e15
"""Entries of P that are not zero lie between these, so that no minor over- or underflows."""
TINY = 1e-305
"""Added to sums of minors so that 'sum / 0' is infinite even where the sum is 0; far below any sum that can occur."""
EXACT, EXACT_PAIR = 2.0**53, 2.0**104
"""Integers below are exact in float64, and in double-double."""
DOUBTFUL, UNUSABLE = 1.0, 2.0


@compiled
def profiles_into(
    profiles: np.ndarray,
    flags: np.ndarray,
    P: np.ndarray,
    lowest: int,
    doubt: float,
    first: np.ndarray,
    entry: np.ndarray,
    child: np.ndarray,
    circuits: np.ndarray,
    lattice_basis: np.ndarray,
    lattice_circuit: np.ndarray,
    lattice_first: np.ndarray,
    lattice_child: np.ndarray,
    x: np.ndarray,
    minor: np.ndarray,
    bound: np.ndarray,
    inverse: np.ndarray,
    total: np.ndarray,
    norm: np.ndarray,
    best: np.ndarray,
    width: tuple[int, ...],
) -> None:
    """Writes h_lowest, ..., h_(n-k) of every code.

    Args:
        profiles: [code, n - k] float64; columns lowest - 1 to n - k - 1 are written.
        flags: [code] float64, written: 0; DOUBTFUL where some minor is below `doubt` times the sum of its terms,
            zeros among them, unless all are exact integers; UNUSABLE where an entry of P is.
        P: [code, k (n - k)] float64, each code's P row by row.
        lowest: the smallest m that is asked for.
        doubt: see flags.
        first, ..., lattice_child: see `HeightTables`.
        x, ..., best: [k (n - k)], [basis] three times, [circuit], [lattice subset] and [n - k] rows to work in.
        width: any tuple of k + 1 numbers.
    """
    codes, redundancy = profiles.shape
    bases = first.size - 1
    zero, one = every(0.0), every(1.0)
    doubted = every(doubt)
    for start in range(0, codes, LANES):
        for lane in range(LANES):  # a last block that is not full repeats its last code
            code = min(start + lane, codes - 1)
            for e in range(P.shape[1]):
                x[e, lane] = P[code, e]

        unusable, fractional = zero, zero
        for e in range(P.shape[1]):
            value = load(x, e)
            s = size(value)
            small = choose(every(SMALLEST), s, zero, choose(s, zero, zero, one))
            unusable = larger(unusable, choose(s, every(LARGEST), small, one))  # NaN is not up to anything
            fractional = choose(value, floor(value), fractional, one)

        slack, largest = zero, zero
        for b in range(bases):
            if first[b] == first[b + 1]:
                store(minor, b, one)
                store(bound, b, one)
                store(inverse, b, one)
                continue
            D, B = zero, zero
            positive = True
            for t in range(first[b], first[b + 1]):
                factor, c = load(x, entry[t]), child[t]
                term = factor * load(minor, c)
                D = D + term if positive else D - term
                B = B + size(factor) * load(bound, c)
                positive = not positive
            store(minor, b, D)
            store(bound, b, B)
            if lowest < redundancy:
                store(inverse, b, one / size(D))
            slack = larger(slack, doubted * B - size(D))
            largest = larger(largest, B)
        for b in range(bases):  # signs are needed no more
            store(minor, b, size(load(minor, b)))
        # Where all minors are exact integers, none is in doubt.
        doubtful = choose(slack, zero, zero, choose(every(EXACT), largest, one, fractional))
        store(best, 0, choose(unusable, zero, doubtful, every(UNUSABLE)))
        for lane in range(min(LANES, codes - start)):
            flags[start + lane] = best[0, lane]

        profiles_of_block(
            best,
            minor,
            inverse,
            lowest,
            circuits,
            lattice_basis,
            lattice_circuit,
            lattice_first,
            lattice_child,
            total,
            norm,
            width,
        )
        for lane in range(min(LANES, codes - start)):
            for m in range(lowest - 1, redundancy):
                profiles[start + lane, m] = best[m, lane] - 1.0


@compiled
def profiles_of_block(
    best: np.ndarray,
    minor: np.ndarray,
    inverse: np.ndarray,
    lowest: int,
    circuits: np.ndarray,
    lattice_basis: np.ndarray,
    lattice_circuit: np.ndarray,
    lattice_first: np.ndarray,
    lattice_child: np.ndarray,
    total: np.ndarray,
    norm: np.ndarray,
    width: tuple[int, ...],
) -> None:
    """Writes h_m + 1 to best[m - 1] for m from `lowest`, from the |minors| of a block and, below n - k, their inverses.

    |G_I^-1 g_j|_1 + 1 = total / minor, and minima and maxima keep the order.
    """
    redundancy, n = lattice_first.size - 1, lattice_basis.shape[0]
    one, infinite = every(1.0), every(np.inf)
    tiny = every(TINY)
    for m in range(lowest - 1, redundancy):
        store(best, m, every(2.0))
    if lowest == redundancy:  # the largest quotient of a circuit is that of its smallest minor
        top = load(best, redundancy - 1)
        for u in range(circuits.shape[0]):
            s = sum_over(tiny, minor, circuits, u, width)
            top = larger(top, s * (one / min_over(infinite, minor, circuits, u, width)))
        store(best, redundancy - 1, top)
        return

    for u in range(circuits.shape[0]):
        store(total, u, sum_over(tiny, minor, circuits, u, width))
    for j in range(n):
        top = load(best, redundancy - 1)
        for t in range(lattice_first[1]):
            value = load(total, lattice_circuit[j, t]) * load(inverse, lattice_basis[j, t])
            store(norm, t, value)
            top = larger(top, value)
        store(best, redundancy - 1, top)
        for level in range(1, redundancy - lowest + 1):
            m = redundancy - 1 - level
            top = load(best, m)
            for t in range(lattice_first[level], lattice_first[level + 1]):
                value = min_over(infinite, norm, lattice_child, t, width)
                store(norm, t, value)
                top = larger(top, value)
            store(best, m, top)


@compiled
def profiles_of_minors_into(
    profiles: np.ndarray,
    sizes: np.ndarray,
    lowest: int,
    circuits: np.ndarray,
    lattice_basis: np.ndarray,
    lattice_circuit: np.ndarray,
    lattice_first: np.ndarray,
    lattice_child: np.ndarray,
    minor: np.ndarray,
    inverse: np.ndarray,
    total: np.ndarray,
    norm: np.ndarray,
    best: np.ndarray,
    width: tuple[int, ...],
) -> None:
    """Writes h_lowest, ..., h_(n-k) of codes whose |minors| are given.

    Args:
        profiles: [code, n - k] float64; columns lowest - 1 to n - k - 1 are written.
        sizes: [code, basis] float64.
        lowest, ..., width: as for `profiles_into`.
    """
    codes, redundancy = profiles.shape
    one = every(1.0)
    for start in range(0, codes, LANES):
        for lane in range(LANES):
            code = min(start + lane, codes - 1)
            for b in range(sizes.shape[1]):
                minor[b, lane] = sizes[code, b]
        for b in range(sizes.shape[1]):
            store(inverse, b, one / load(minor, b))
        profiles_of_block(
            best,
            minor,
            inverse,
            lowest,
            circuits,
            lattice_basis,
            lattice_circuit,
            lattice_first,
            lattice_child,
            total,
            norm,
            width,
        )
        for lane in range(min(LANES, codes - start)):
            for m in range(lowest - 1, redundancy):
                profiles[start + lane, m] = best[m, lane] - 1.0


@compiled
def float64_minors_into(
    sizes: np.ndarray, P: np.ndarray, tolerance: float, first: np.ndarray, entry: np.ndarray, child: np.ndarray
) -> None:
    """Writes the |minors| of every code in float64: those of `profiles_into`, with small ones set to zero.

    Args:
        sizes: [code, basis] float64, written.
        P: [code, k (n - k)] float64.
        tolerance: a minor is zero if at most this times the sum of its terms, unless it is an exact integer.
        first, entry, child: see `HeightTables`.
    """
    bases = first.size - 1
    minor, bound = np.empty(bases), np.empty(bases)
    for code in range(len(P)):
        integer = True
        for e in range(P.shape[1]):
            integer = integer and P[code, e] == np.floor(P[code, e])
        for b in range(bases):
            if first[b] == first[b + 1]:
                minor[b], bound[b] = 1.0, 1.0
                sizes[code, b] = 1.0
                continue
            D, B, sign = 0.0, 0.0, 1.0
            for t in range(first[b], first[b + 1]):
                D += sign * P[code, entry[t]] * minor[child[t]]
                B += abs(P[code, entry[t]]) * bound[child[t]]
                sign = -sign
            minor[b], bound[b] = D, B
            sizes[code, b] = 0.0 if not (integer and B < EXACT) and abs(D) <= tolerance * B else abs(D)


@compiled
def accurate_minors_into(
    sizes: np.ndarray,
    P: np.ndarray,
    P_low: np.ndarray,
    tolerance: float,
    smallest: float,
    first: np.ndarray,
    entry: np.ndarray,
    child: np.ndarray,
) -> None:
    """Writes the |minors| of every code, computed in double-double and rounded once.

    Args:
        sizes: [code, basis] float64, written.
        P, P_low: [code, k (n - k)] float64; the matrices are P + P_low, with |P_low| at most half a unit of P.
        tolerance: a minor is zero if at most this times the sum of its terms, unless it is an exact integer.
        smallest: a minor is zero if below this.
        first, entry, child: see `HeightTables`.
    """
    bases = first.size - 1
    high, low, bound = np.empty(bases), np.empty(bases), np.empty(bases)
    for code in range(len(P)):
        integer = True
        for e in range(P.shape[1]):
            integer = integer and P[code, e] == np.floor(P[code, e]) and P_low[code, e] == 0.0
        for b in range(bases):
            if first[b] == first[b + 1]:
                high[b], low[b], bound[b] = 1.0, 0.0, 1.0
                sizes[code, b] = 1.0
                continue
            D, D_low, B = 0.0, 0.0, 0.0
            sign = 1.0
            for t in range(first[b], first[b + 1]):
                e, c = entry[t], child[t]
                term, term_low = multiply(sign * P[code, e], sign * P_low[code, e], high[c], low[c])
                D, D_low = add(D, D_low, term, term_low)
                B += abs(P[code, e]) * bound[c]
                sign = -sign
            high[b], low[b], bound[b] = D, D_low, B
            limit = smallest if integer and B < EXACT_PAIR else max(smallest, tolerance * B)
            sizes[code, b] = 0.0 if abs(D) <= limit else abs(D)
