"""Codes with a symmetry have it, and cover the constructions that have one."""

from __future__ import annotations

import numpy as np
import pytest

from probatum.problems.analog_codes.constructions import dodecahedron
from probatum.problems.analog_codes.heights import height_profile, heights_of
from probatum.problems.analog_codes.symmetric_codes import Symmetry, random_symmetry


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n", "k", "order"), [(6, 3, 2), (6, 3, 6), (10, 7, 5), (9, 4, 3), (5, 1, 5), (8, 6, 4)])
def test_turning_the_columns_of_an_orbit_gives_the_same_code(n: int, k: int, order: int, seed: int):
    rng = np.random.default_rng([seed, n, order])
    family = random_symmetry(n, k, rng)
    while family.order != order:
        family = random_symmetry(n, k, rng)
    for P in family.matrices(rng.normal(size=(3, family.size))):
        if not P.any():
            continue  # the columns were dependent
        G = np.hstack([np.eye(k), P])
        ring = G.reshape(k, order, family.orbits)
        ranks = [
            np.linalg.matrix_rank(
                np.vstack([G, np.concatenate([ring[:, 1:], sign * ring[:, :1]], axis=1).reshape(k, n)])
            )
            for sign in (1.0, -1.0)
        ]
        assert min(ranks) == k


def test_matrices_have_the_shape_of_the_code_and_finite_entries():
    rng = np.random.default_rng(0)
    for n in range(2, 12):
        for k in range(1, n):
            family = random_symmetry(n, k, rng)
            P = family.matrices(rng.normal(size=(5, family.size)))
            assert P.shape == (5, k, n - k)
            assert np.isfinite(P).all()
            assert len(heights_of(P, 1)) == 5


def test_the_dodecahedron_is_two_orbits_of_five():
    turn, golden = 2 * np.pi / 5, (1 + 5**0.5) / 2
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    # Standing on a face, corners on the unit sphere and edges of 2 / (sqrt 3 golden): the top face's corners are at
    # the polar angle a with sin a = radius of the face, those below them an edge further down the same meridian.
    edge = 2 / (np.sqrt(3) * golden)
    top = np.arcsin(edge / (2 * np.sin(np.pi / 5)))
    polar = (top, top + 2 * np.arcsin(edge / 2))
    rings = [np.array([np.sin(angle), 0.0, np.cos(angle)]) for angle in polar]
    family = Symmetry(10, 7, rotation, 5, 2)
    assert family.size == 6
    P = family.matrices(np.concatenate(rings)[None])[0]
    np.testing.assert_allclose(height_profile(np.hstack([np.eye(7), P])), height_profile(dodecahedron()), rtol=1e-9)


def test_a_family_without_a_code_gives_no_finite_height():
    family = Symmetry(4, 2, np.eye(2), 4, 1)
    P = family.matrices(np.ones((1, family.size)))
    assert not P.any()
    assert np.isinf(heights_of(P, 2)).all()
