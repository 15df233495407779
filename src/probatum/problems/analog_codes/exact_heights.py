"""Heights as fractions, by exact rational arithmetic: no tolerance, no rounding.

Quotients S_U / |D_I| are ratios of integers. Python's division of integers rounds correctly, so it keeps their order up
to ties: the max-min of formula F4 over rounded quotients is the rounded height, and only quotients that round to it
have to be told apart as fractions.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import inf, lcm

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from probatum.errors import DataError
from probatum.problems.analog_codes.generators import rational_systematic, systematic
from probatum.problems.analog_codes.height_tables import HeightTables, height_tables

LONGEST = 14
"""Longest code; beyond, integers of hundreds of digits take minutes."""


def exact_profile(G: ArrayLike) -> list[Fraction | float]:
    """Heights h_1, ..., h_(n-k) of one code whose generator's entries are taken as the numbers that they are.

    A float64 is a fraction itself, so .1 stands for 3602879701896397/36028797018963968. A zero minor is one that is
    exactly zero.

    Args:
        G: [k, n] real, of rank k, n up to 14.

    Returns:
        n - k fractions, `math.inf` where infinite.

    Raises:
        DataError: as `systematic`; n above 14; a height above float64's largest number.
    """
    return _profile(_rational(G))


def exact_profile_of_parity_check(H: ArrayLike) -> list[Fraction | float]:
    """`exact_profile` of the code of all c with H c = 0; H [n - k, n] real, of rank n - k."""
    Q = _rational(H)
    return _profile([list(column) for column in zip(*Q, strict=True)])  # signs do not matter


def _rational(G: ArrayLike) -> list[list[Fraction]]:
    _, columns = systematic(G)
    return rational_systematic(np.asarray(G, dtype=np.float64), columns)[0]


def _profile(P: list[list[Fraction]]) -> list[Fraction | float]:
    k, n = len(P), len(P) + len(P[0])
    if n > LONGEST:
        raise DataError(
            f"exact fractions of codes of length {n} take too long", remedy=f"choose n up to {LONGEST}, or floats"
        )
    tables = height_tables(n, k)
    minors = _minors(P, tables)
    totals = [sum(minors[b] for b in bases) for bases in tables.circuits.tolist()]
    try:
        values = np.array(
            [
                [
                    totals[u] / minors[b] if minors[b] else inf
                    for b, u in zip(tables.lattice_basis[j].tolist(), tables.lattice_circuit[j].tolist(), strict=True)
                ]
                for j in range(n)
            ]
        )
    except OverflowError:
        raise DataError(
            "a height is above 1.8e308", remedy="scale the generator's rows, or round its entries"
        ) from None
    rounded = _largest_minima(values, tables)
    return [inf if value == inf else _exact(float(value), m, values, minors, totals, tables) for m, value in rounded]


def _minors(P: list[list[Fraction]], tables: HeightTables) -> list[int]:
    """The |minors| of [I | P], all times one integer that makes them integers."""
    denominator = lcm(*(x.denominator for row in P for x in row))
    entries = [int(x * denominator) for row in P for x in row]
    first, entry, child = tables.first.tolist(), tables.entry.tolist(), tables.child.tolist()
    most = max(b - a for a, b in pairwise(first))
    minors: list[int] = []
    sizes: list[int] = []
    for start, stop in pairwise(first):
        terms = [entries[entry[t]] * minors[child[t]] * (-1) ** (t - start) for t in range(start, stop)]
        minors.append(sum(terms) if terms else 1)
        sizes.append(stop - start)
    # A minor of r rows of P has `denominator` r times.
    return [abs(D) * denominator ** (most - r) for D, r in zip(minors, sizes, strict=True)]


def _largest_minima(values: Float[np.ndarray, "column subset"], tables: HeightTables) -> list[tuple[int, float]]:
    """(m, max over j, T of min over I in T of values), at least 2, m ascending; values [j, k-subset of the others]."""
    redundancy = len(tables.lattice_first) - 1
    norm = np.empty((len(values), len(tables.lattice_child)))
    norm[:, : values.shape[1]] = values
    found = [(redundancy, max(2.0, float(values.max())))]
    for level in range(1, redundancy):
        here = slice(tables.lattice_first[level], tables.lattice_first[level + 1])
        norm[:, here] = norm[:, tables.lattice_child[here]].min(axis=2)
        found.append((redundancy - level, max(2.0, float(norm[:, here].max()))))
    return found[::-1]


def _exact(
    value: float,
    m: int,
    values: Float[np.ndarray, "column subset"],
    minors: list[int],
    totals: list[int],
    tables: HeightTables,
) -> Fraction:
    """h_m, where `value` is h_m + 1 rounded."""
    exact = {
        (j, t): Fraction(totals[int(tables.lattice_circuit[j, t])], minors[int(tables.lattice_basis[j, t])])
        for j, t in np.argwhere(values == value).tolist()
    }
    # Heights are at least 1, whatever the quotients.
    ranked: list[Fraction] = sorted({*exact.values(), *([Fraction(2)] if value == 2 else [])})
    if len(ranked) == 1:
        return ranked[0] - 1
    # Ranks from 3 on keep the order of the quotients themselves; smaller quotients all have rank 2.
    ranks = np.where(values < value, 2.0, float(len(ranked) + 3))
    for (j, t), fraction in exact.items():
        ranks[j, t] = ranked.index(fraction) + 3
    rank = int(dict(_largest_minima(ranks, tables))[m])
    return max(ranked[max(rank - 3, 0)], Fraction(2)) - 1
