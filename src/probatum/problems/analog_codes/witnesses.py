"""Codewords that attain the heights of a code.

A finite h_m is attained by s G_I^-1 G for an information set I and signs s that are those of G_I^-1 g_j wherever that
is not zero, with |G_I^-1 g_j|_1 = h_m (an optimal basis of F1's linear program, docs/analog_codes_heights.md). An
infinite one is attained by a codeword of weight m or less; all of least weight are, up to a factor, D_(J+t) at t for
some k - 1 columns J.
"""

from __future__ import annotations

from itertools import islice, product
from math import comb

import numpy as np
from jaxtyping import Float, Real
from numpy.typing import ArrayLike

from probatum.errors import DataError
from probatum.problems.analog_codes.generators import AccurateSystematic, accurate_systematic
from probatum.problems.analog_codes.heights import ACCURACY, LONGEST, profile_of, refuse_unusable
from probatum.problems.analog_codes.long_codes import Minors, minors_of
from probatum.problems.analog_codes.vertex_search import search

CANDIDATES = 4096
"""Pairs of I and j looked at; only codes with many equal minors have that many of equal value."""
SIGNS = 4096
"""Choices of signs looked at for one I and j."""
ROUNDS, LONGER = 64, (1_000, 10_000)
"""Of the local search that is asked first, and of those where all else fails."""
ROUNDED = 1e-6
"""Relative; what the rounding of an ill-conditioned code's codewords may cost."""


def height_witnesses(G: ArrayLike, *, threads: int = 2) -> Float[np.ndarray, "redundancy length"]:
    """For each m a codeword whose h_m is that of the code.

    Args:
        G: [k, n] real, of rank k, n up to 24.
        threads: how many cores to use.

    Returns:
        [n - k, n] float64, the columns in G's order; largest entry positive. Finite: |c|_(m+1) = 1 and |c|_(1) = h_m,
        to 1e-9 relative, or to 1e-6 where the code is so ill-conditioned that float64 codewords come no nearer.
        Infinite: zero but for m positions at most, and largest entry 1.

    Raises:
        DataError: as `height_profile`; a code so ill-conditioned that no float64 codeword comes that near.
    """
    code = accurate_systematic(G)
    return witnesses_of(code, profile_of(code, threads=threads), threads=threads)


def witnesses_of(
    code: AccurateSystematic, heights: Float[np.ndarray, " redundancy"], *, threads: int = 2
) -> Float[np.ndarray, "redundancy length"]:
    """`height_witnesses` of a code in systematic form whose profile is known.

    Raises:
        DataError: n above 24, entries of P outside 1e-15..1e15.
    """
    k, redundancy = code.P.shape
    n = k + redundancy
    if n > LONGEST:
        raise DataError(
            f"codes of length {n} are too long to be exact", remedy="'height_bracket' gives its lower bound's witnesses"
        )
    refuse_unusable(code.P[None])
    minors = minors_of(code.P, code.P_low, tolerance=code.tolerance, smallest=code.smallest, threads=threads)
    systematic = np.hstack([np.eye(k), code.P])
    words = np.empty((redundancy, n))
    searched = search(code.P, rounds=ROUNDS).codewords
    for m in range(1, redundancy + 1):
        h = float(heights[m - 1])
        if np.isinf(h):
            words[m - 1] = words[m - 2] if m > 1 and np.isinf(heights[m - 2]) else _lightest(code, minors)
            continue
        # The message says exactly which codeword it is.
        found = searched[m - 1, :k] @ systematic
        if not height_of(found, m) >= h * (1 - ACCURACY):
            found = _attaining(code, minors, m, h)
        words[m - 1] = _scaled(found, m)
    in_order = np.empty_like(words)
    in_order[:, code.columns] = words
    return in_order


def height_of(codeword: Real[np.ndarray, " length"], m: int) -> float:
    """h_m of one codeword: |c|_(1) / |c|_(m+1); 0 of the codeword 0."""
    size = np.sort(np.abs(codeword))[::-1]
    if not size[0]:
        return 0.0
    return float(size[0] / size[m]) if size[m] else np.inf


def _attaining(code: AccurateSystematic, minors: Minors, m: int, h: float) -> Float[np.ndarray, " length"]:
    from probatum.problems.analog_codes.witness_kernel import bases_near

    k, redundancy = code.P.shape
    widest = comb(redundancy, min(k, redundancy // 2))
    scratch = [np.empty(widest), *(np.empty(widest, np.int64) for _ in range(3))]
    found = np.empty((CANDIDATES, 3), np.int64)
    low, high = (h + 1) * (1 - ACCURACY), (h + 1) * (1 + ACCURACY)
    count = bases_near(found, low, high, minors.total, minors.inverse, *scratch, minors.shape.arrays())
    best, reached = np.zeros(k + redundancy), 0.0
    for R, C, position in found[:count].tolist():
        basis = [row for row in range(k) if not R >> row & 1] + [k + c for c in range(redundancy) if C >> c & 1]
        j = position - redundancy if position >= redundancy else k + position
        for word in _words(code, basis, j):
            value = height_of(word, m)
            if value >= h * (1 - ACCURACY):
                return word
            if value > reached:
                best, reached = word, value
    # So many bases of equal value are those of a code with many symmetries, which a longer search is good at.
    for rounds in LONGER:
        found = search(code.P, rounds=rounds, seed=rounds).codewords[m - 1, :k] @ np.hstack([np.eye(k), code.P])
        if height_of(found, m) >= h * (1 - ACCURACY):
            return found
    if reached >= h * (1 - ROUNDED):
        return best
    raise DataError(
        f"no codeword of float64 numbers attains h_{m} = {h:.12g}; the best found has {reached:.12g}",
        remedy="round the generator's entries, or ask for heights alone",
    )


def _words(code: AccurateSystematic, basis: list[int], j: int):
    """Codewords s G_I^-1 G, with the signs of G_I^-1 g_j and every choice of those that are undetermined."""
    k = len(code.P)
    G = np.hstack([np.eye(k), code.P])
    rows = np.linalg.solve(G[:, basis], G)
    # One step of refinement, with the part of P that float64 does not hold.
    residual = G - G[:, basis] @ rows
    residual[:, k:] += code.P_low
    low = np.hstack([np.zeros((k, k)), code.P_low])
    residual -= low[:, basis] @ rows
    rows = rows + np.linalg.solve(G[:, basis], residual)
    rows[:, basis] = np.eye(k)
    column = rows[:, j]
    free = np.abs(column) <= 1e-11 * np.abs(column).max()
    signs = np.where(column < 0, -1.0, 1.0)
    for choice in islice(product((1.0, -1.0), repeat=int(free.sum())), SIGNS):
        signs[free] = choice
        yield signs @ rows


def _scaled(word: Float[np.ndarray, " length"], m: int) -> Float[np.ndarray, " length"]:
    size = np.abs(word)
    return word / np.sort(size)[::-1][m] * np.sign(word[np.argmax(size)])


def _lightest(code: AccurateSystematic, minors: Minors) -> Float[np.ndarray, " length"]:
    from probatum.problems.analog_codes.witness_kernel import lightest

    k, redundancy = code.P.shape
    R, C, _ = lightest(minors.sizes, minors.shape.arrays())
    G = np.hstack([np.eye(k), code.P])
    inside = [row for row in range(k) if not R >> row & 1] + [k + c for c in range(redundancy) if C >> c & 1]
    shape = minors.shape
    word = np.zeros(k + redundancy)
    alone = []
    for t in range(k + redundancy):
        if t not in inside:
            missing, columns = (R ^ (1 << t), C) if t < k else (R, C | (1 << (t - k)))
            s = int(missing).bit_count()
            if s == int(columns).bit_count() and s <= min(k, redundancy):
                width = int(shape.choose[redundancy, s])
                index = int(shape.first[s]) + int(shape.row_rank[missing]) * width + int(shape.column_rank[columns])
                if minors.sizes[index]:
                    alone.append((float(minors.sizes[index]), t))
    # The message that vanishes on J and is 1 where the minor is largest; zeros are where minors are.
    _, first = max(alone)
    message = np.linalg.solve(G[:, [*inside, first]].T, np.eye(k)[-1])
    word = message @ G
    kept = np.zeros(k + redundancy, bool)
    kept[[t for _, t in alone]] = True
    word = np.where(kept, word, 0.0)
    largest = np.argmax(np.abs(word))
    return word / word[largest]
