"""Codes whose heights are known in closed form, or published: what a design or a search is measured against.

R. M. Roth, Analog error-correcting codes, IEEE Transactions on Information Theory 66 (2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from probatum.problems.analog_codes.generators import generator_of

GOLDEN = (1 + 5**0.5) / 2


class Construction(NamedTuple):
    """A code with a name.

    Attributes:
        name: of the construction.
        G: [k, n] float64, a generator.
    """

    name: str
    G: Float[np.ndarray, "dimension length"]


def constructions(length: int) -> Iterator[Construction]:
    """All constructions here of one length, at least 2."""
    if length >= 2:
        yield Construction("repetition", np.ones((1, length)))
    if length >= 3:
        yield Construction("single parity check", generator_of(np.ones((1, length))))
    if length >= 4:
        yield Construction("polygon", polygon(length))
        yield Construction("sine", generator_of(polygon(length)))
    if length == 6:
        yield Construction("icosahedron", icosahedron())
    if length == 10:
        yield Construction("dodecahedron", dodecahedron())
        yield Construction("dual of the dodecahedron", generator_of(dodecahedron()))


def polygon(length: int) -> Float[np.ndarray, "2 length"]:
    """[2, length]: directions of the corners of a regular polygon of twice as many; its dual is the sine code."""
    angles = np.arange(length) * np.pi / length
    return np.array([np.cos(angles), np.sin(angles)])


def icosahedron() -> Float[np.ndarray, "3 6"]:
    """[3, 6]: the corners of an icosahedron, one of each opposite pair."""
    signs = (1, -1)
    return np.array(
        [corner for s in signs for corner in ((0, 1, s * GOLDEN), (1, s * GOLDEN, 0), (s * GOLDEN, 0, 1))]
    ).T


def dodecahedron() -> Float[np.ndarray, "7 10"]:
    """[7, 10]: its parity check's columns are the corners of a dodecahedron, one of each opposite pair."""
    corners = [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)]
    for s in (1, -1):
        corners += [(0, 1 / GOLDEN, s * GOLDEN), (1 / GOLDEN, s * GOLDEN, 0), (s * GOLDEN, 0, 1 / GOLDEN)]
    return generator_of(np.array(corners).T)
