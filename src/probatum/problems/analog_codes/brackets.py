"""Lower and upper bounds of heights of codes too long to be exact, both certified.

Lower: h_m of a codeword that is named, lowered by a bound of its rounding errors. Upper: exact heights of punctured
codes. Cut the columns into disjoint parts X_1, ..., X_q. With S the m positions outside T and a_i = |S in X_i|, the
largest |c_j| with |c_t| <= 1 on T is at most that with |c_t| <= 1 on T in X_i, for each i; so at most

    H_i(a_i),   H_i(a) = max( h_a of the code on X_i,  max over j outside X_i of h_(a+1) of the code on X_i and j ).

Since the a_i sum to m at most, h_m is at most the smallest x among the H_i(a) for which the numbers of a with
H_i(a) <= x sum to more than m over i. Proof: docs/analog_codes_heights.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from probatum.errors import DataError
from probatum.problems.analog_codes.generators import systematic
from probatum.problems.analog_codes.heights import ACCURACY, LONGEST, height_profile
from probatum.problems.analog_codes.vertex_search import search

PART = 18
"""Columns of a part, at most: one exact profile of 19 columns for each column outside takes about 20 ms."""
TRIES = 20
"""Random cuts tried until all parts have full rank."""


@dataclass(frozen=True, eq=False)
class Bracket:
    """lower <= h_m <= upper for each m.

    Attributes:
        lower: [n - k] float64; h_m of the codewords, less their rounding errors.
        upper: [n - k] float64; infinite where nothing is known.
        codewords: [n - k, n] float64, the lower bounds' witnesses; |c|_(m+1) = 1.
        parts: the columns of the punctured codes that the upper bounds come from; empty if there are none.
    """

    lower: Float[np.ndarray, " redundancy"]
    upper: Float[np.ndarray, " redundancy"]
    codewords: Float[np.ndarray, "redundancy length"]
    parts: tuple[tuple[int, ...], ...]


def height_bracket(G: ArrayLike, *, rounds: int = 400, seed: int = 0, part: int = PART, threads: int = 2) -> Bracket:
    """Encloses h_1, ..., h_(n-k) of one code of any length.

    Args:
        G: [k, n] real, of rank k.
        rounds: restarts of the local search for each m.
        seed: of the search and of the cut into parts.
        part: columns of a part, at most 23; fewer take less time, more give closer bounds. Parts need k columns.
        threads: how many cores to use.

    Raises:
        DataError: as `systematic`; a part of more than 23 columns.
    """
    if not 1 <= part < LONGEST:
        raise DataError(f"parts of {part} columns cannot be exact", remedy=f"choose 1 to {LONGEST - 1}")
    P, columns = systematic(G)
    G = np.asarray(G, dtype=np.float64)
    lower, codewords = _lower(G, search(P, rounds=rounds, seed=seed).codewords[:, : len(G)], columns)
    parts = _parts(G, part, seed)
    return Bracket(lower, _upper(G, parts, threads), codewords, parts)


def _lower(
    G: Float[np.ndarray, "dimension length"],
    messages: Float[np.ndarray, "redundancy dimension"],
    columns: Int[np.ndarray, " length"],
) -> tuple[Float[np.ndarray, " redundancy"], Float[np.ndarray, "redundancy length"]]:
    """Lower bounds and their codewords, from [m, k] messages in terms of [I | P]."""
    k, n = G.shape
    lower, words = np.empty(n - k), np.empty((n - k, n))
    for m, message in enumerate(messages, 1):
        # Whatever the message in terms of G is rounded to, it gives a codeword; its entries' rounding is bounded.
        u = np.linalg.solve(G[:, columns[:k]].T, message if message.any() else np.ones(k))
        word = u @ G
        size, error = np.abs(word), (k + 2) * np.finfo(np.float64).eps * (np.abs(u) @ np.abs(G))
        below = np.sort(size + error)[::-1][m]
        lower[m - 1] = max(1.0, float((size - error).max() / below))
        words[m - 1] = word / np.sort(size)[::-1][m] * np.sign(word[np.argmax(size)])
    for m in range(1, n - k):  # what is large for m is at least as large for m + 1
        if lower[m] < lower[m - 1]:
            lower[m], words[m] = lower[m - 1], words[m - 1]
    return lower, words


def _parts(G: Float[np.ndarray, "dimension length"], part: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """Disjoint parts of at most `part` columns, each of rank k and more than k columns; none where there are none."""
    k, n = G.shape
    if part <= k:
        return ()
    count = -(-n // part)
    rng = np.random.default_rng(seed)
    for _ in range(TRIES):
        order = rng.permutation(n)
        if n // count > k:
            cut = np.array_split(order, count)
        else:  # fewer parts, and some columns in none
            cut = [order[i : i + part] for i in range(0, n - part + 1, part)]
        if all(np.linalg.matrix_rank(G[:, x]) == k for x in cut):
            return tuple(tuple(sorted(x.tolist())) for x in cut)
    return ()


def _upper(
    G: Float[np.ndarray, "dimension length"], parts: tuple[tuple[int, ...], ...], threads: int
) -> Float[np.ndarray, " redundancy"]:
    k, n = G.shape
    limits = [_limits(G, x, threads) for x in parts]
    values = sorted({x for limit in limits for x in limit})
    upper = np.full(n - k, np.inf)
    for m in range(1, n - k + 1):
        for x in values:
            if sum(int((np.array(limit) <= x).sum()) for limit in limits) > m:
                upper[m - 1] = x
                break
    return upper


def _limits(G: Float[np.ndarray, "dimension length"], part: tuple[int, ...], threads: int) -> list[float]:
    """H(0), ..., H(|part| - k), rising."""
    k, n = G.shape
    inside = height_profile(G[:, list(part)], threads=threads)
    profiles = [height_profile(G[:, [*part, j]], threads=threads) for j in range(n) if j not in part]
    limits = []
    for a in range(len(part) - k + 1):
        value = max((float(profile[a]) for profile in profiles), default=1.0)
        if a:
            value = max(value, float(inside[a - 1]))
        limits.append(value * (1 + 2 * ACCURACY))
    return limits
