"""Codewords of large height found by local search: lower bounds of heights, each with its witness.

For j and T the largest |c_j| with |c_t| <= 1 on T is a linear program (F1 in docs/analog_codes_heights.md). The search
solves it, takes for the next T the n - m positions where the optimal codeword is smallest and for j the one where it is
largest, which can only raise h_m, and goes on until nothing changes; then it exchanges one or two positions of T and
tries again. What is found is a vertex: a codeword with |c_i| = 1 on an information set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class Vertices:
    """The best codewords found, one for each m.

    Attributes:
        heights: [n - k] float64, h_m of the codewords in float64; rising.
        codewords: [n - k, n] float64.
        bases: [n - k, k] int64, information sets on which the codewords are 1 in size.
        largest: [n - k] int64, where they are largest.
    """

    heights: Float[np.ndarray, " redundancy"]
    codewords: Float[np.ndarray, "redundancy length"]
    bases: Int[np.ndarray, "redundancy dimension"]
    largest: Int[np.ndarray, " redundancy"]


def search(P: Float[np.ndarray, "dimension redundancy"], *, rounds: int = 40, seed: int = 0) -> Vertices:
    """Looks for codewords of [I | P] of large height.

    Args:
        P: [k, n - k] float64.
        rounds: restarts and exchanges for each m; the time grows with it.
        seed: of the exchanges.
    """
    from probatum.problems.analog_codes.vertex_search_kernel import search_into

    k, redundancy = P.shape
    G = np.hstack([np.eye(k), P])
    found = Vertices(
        np.ones(redundancy),
        np.zeros((redundancy, k + redundancy)),
        np.zeros((redundancy, k), np.int64),
        np.zeros(redundancy, np.int64),
    )
    search_into(found.heights, found.codewords, found.bases, found.largest, G, rounds, seed)
    return found
