"""Codes with a symmetry: a rotation takes the columns of their generator, or of their parity check, to one another.

The good codes of the literature have many symmetries: columns of the polygon, the icosahedron and the dodecahedron are
orbits of a rotation (R. M. Roth, Analog error-correcting codes, IEEE Transactions on Information Theory 66, 2020). A
matrix M of r = min(k, n - k) rows whose columns are v, Rv, ..., R^(q-1) v for some vectors v, and a few free ones, has
far fewer numbers to be found than P.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from probatum.problems.analog_codes.generators import NOISE

SINGULAR = 1e-9
"""Determinants of unit columns below this have no inverse; such codes count as P = 0, whose heights are infinite."""


@dataclass(frozen=True, eq=False)
class Symmetry:
    """A family of codes.

    Attributes:
        n, k: of the code.
        rotation: [r, r] float64, orthogonal, r = min(k, n - k).
        order: q; columns of one orbit.
        orbits: how many orbits of q columns there are; the other n - q * orbits columns are free.
    """

    n: int
    k: int
    rotation: Float[np.ndarray, "row row"]
    order: int
    orbits: int

    @property
    def size(self) -> int:
        """Numbers that a code of the family is made of."""
        return len(self.rotation) * (self.n - self.orbits * (self.order - 1))

    def matrices(self, points: Float[np.ndarray, "point size"]) -> Float[np.ndarray, "point dimension redundancy"]:
        """P of the codes: [point, size] float64 to [point, k, n - k]."""
        r = len(self.rotation)
        vectors = points.reshape(len(points), -1, r).transpose(0, 2, 1)
        orbit = [vectors[:, :, : self.orbits]]
        for _ in range(self.order - 1):
            orbit.append(self.rotation @ orbit[-1])
        M = np.concatenate([*orbit, vectors[:, :, self.orbits :]], axis=2)
        M = M / np.maximum(np.linalg.norm(M, axis=1, keepdims=True), np.finfo(np.float64).tiny)
        if r < self.k:  # M is a parity check [A | B] = B [B^-1 A | I] = B [-P^T | I]
            A, B = M[:, :, : self.k], M[:, :, self.k :]
            return -_divided(A, B).transpose(0, 2, 1)
        return _divided(M[:, :, r:], M[:, :, :r])


def random_symmetry(n: int, k: int, rng: np.random.Generator) -> Symmetry:
    """A family drawn at random whose orbits leave at most one column free; n is 2 or more."""
    r = min(k, n - k)
    order = int(rng.choice([q for q in range(2, n + 1) if n % q <= 1]))
    # q turns bring every column back, or all of them to their negatives, which is the same code.
    half = 0 if r % 2 and order % 2 == 0 else int(rng.integers(2))
    rotation = np.eye(r)
    for i in range(0, r - 1, 2):
        angle = np.pi * (2 * rng.integers(1 - half, order) + half) / order
        rotation[i : i + 2, i : i + 2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    if r % 2:
        rotation[-1, -1] = rng.choice([sign for sign in (1.0, -1.0) if sign**order == (-1.0) ** half])
    return Symmetry(n, k, rotation, order, n // order)


def _divided(
    A: Float[np.ndarray, "point row column"], B: Float[np.ndarray, "point row row"]
) -> Float[np.ndarray, "point row column"]:
    """B^-1 A of each pair, rounding noise set to 0; all 0 where B is singular."""
    usable = np.abs(np.linalg.det(B)) > SINGULAR
    found = np.zeros_like(A)
    found[usable] = np.linalg.solve(B[usable], A[usable])
    found[np.abs(found) < NOISE * np.abs(found).max(axis=(1, 2), keepdims=True)] = 0.0
    return found
