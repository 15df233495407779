"""Strain profiles take the values that their parameters name, and draws from the prior are uniform within it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from probatum.errors import DataError
from probatum.problems.rocking_curve import prior, splines
from probatum.problems.rocking_curve.profile import (
    HIGH,
    LEAST,
    LOW,
    MAX_SUBLAYERS,
    SUBLAYER,
    end_of,
    gaussian_share,
    is_valid,
    strain_at,
    sublayers,
)

DRAWS = prior.draw(20_000, np.random.default_rng(0))
TYPICAL = np.array([0.02, 0.008, 4000.0, 1500.0, 0.01, 2500.0, -900.0])


def by_the_gaussians(z: float, parameters: np.ndarray) -> float:
    """The same profile from its Gaussians exp(-(z - Rp)^2 / s)."""
    Dmax1, D01, L1, Rp1, D02, L2, Rp2 = parameters
    s = Rp1**2 / np.log(Dmax1 / D01) if z < Rp1 else (L1 - Rp1) ** 2 / np.log(Dmax1 / LEAST)
    s3 = L2 * (L2 - 2 * Rp2) / np.log(D02 / LEAST)
    return Dmax1 * np.exp(-((z - Rp1) ** 2) / s) + D02 * np.exp(Rp2**2 / s3) * np.exp(-((z - Rp2) ** 2) / s3)


def test_profile_is_the_sum_of_its_gaussians():
    for parameters in DRAWS[:200]:
        depths = np.linspace(0, 1.2 * parameters[2], 7)
        expected = [by_the_gaussians(z, parameters) for z in depths]
        np.testing.assert_allclose(strain_at(depths, parameters), expected, rtol=1e-9)


def test_strain_at_the_surface_is_that_of_both_parts():
    np.testing.assert_allclose(strain_at(np.zeros((len(DRAWS), 1)), DRAWS)[:, 0], DRAWS[:, 1] + DRAWS[:, 4], rtol=1e-12)


def test_region_ends_where_the_strain_first_falls_to_its_least_value():
    for parameters in DRAWS[:300]:
        end = brentq(lambda z, p=parameters: float(strain_at(np.array([z]), p)[0]) - LEAST, parameters[2] * 0.999, 2e4)
        assert end_of(parameters) == pytest.approx(end, rel=1e-9)
    ends = end_of(DRAWS)
    np.testing.assert_allclose(strain_at(ends[:, None], DRAWS)[:, 0], LEAST, rtol=1e-6)
    shares = np.linspace(0, 1, 40)
    assert (strain_at(shares * ends[:, None], DRAWS) >= LEAST * (1 - 1e-6)).all()


def test_sublayers_reach_the_end_of_every_profile_of_the_prior():
    corners = np.array(
        [[LOW[0], LOW[0], HIGH[2], Rp1, LOW[4], HIGH[5], Rp2] for Rp1 in (50, 5050) for Rp2 in (-6500, 0)]
    )
    for parameters in (DRAWS, corners):
        _, thickness = sublayers(parameters)
        np.testing.assert_allclose(thickness.sum(-1), end_of(parameters), rtol=1e-12)
        assert (thickness[:, -1] == 0).all()


def test_only_the_last_sublayer_is_thinner_and_strain_is_taken_at_the_middles():
    strain, thickness = sublayers(TYPICAL)
    full = int(end_of(TYPICAL) // SUBLAYER)
    assert (thickness[:full] == SUBLAYER).all()
    assert 0 < thickness[full] < SUBLAYER
    assert (thickness[full + 1 :] == 0).all()
    assert strain.shape == (MAX_SUBLAYERS,)
    np.testing.assert_allclose(strain[:full], strain_at(SUBLAYER * (np.arange(full) + 0.5), TYPICAL), rtol=1e-14)


def test_profile_that_is_flat_above_its_peak_or_cut_at_it_stays_finite():
    for Dmax1, D01, L1, Rp1 in ((0.01, 0.01, 3000, 1000), (0.02, 0.01, 3000, 3000)):
        strain, thickness = sublayers(np.array([Dmax1, D01, L1, Rp1, 0.01, 1000, 0]))
        assert np.isfinite(strain).all()
        assert thickness.sum() == pytest.approx(end_of(np.array([Dmax1, D01, L1, Rp1, 0.01, 1000, 0])))


def test_jax_and_numpy_slice_alike_and_the_derivatives_are_those_of_finite_differences():
    with jax.enable_x64(True):
        strain, thickness = sublayers(jnp.asarray(DRAWS[:500]), jnp)
        expected = sublayers(DRAWS[:500])
        np.testing.assert_allclose(strain, expected[0], rtol=1e-11)
        np.testing.assert_allclose(thickness, expected[1], atol=1e-7)
        derivatives = jax.jit(jax.jacfwd(lambda p: jnp.stack(sublayers(p, jnp))))(jnp.asarray(TYPICAL))
    for i in range(7):
        step = np.zeros(7)
        step[i] = 1e-6 * (HIGH[i] - LOW[i])
        upper, lower = (np.stack(sublayers(TYPICAL + sign * step)) for sign in (1, -1))
        slope = (upper - lower) / (2 * step[i])
        np.testing.assert_allclose(derivatives[..., i], slope, atol=1e-6 * np.abs(slope).max() + 1e-30)


def test_second_part_is_a_gaussian_or_an_exponential_by_its_share():
    assert gaussian_share(np.array([0.01, 0.01, 3000, 50, 0.01, 2000, 0.0])) == 1
    assert gaussian_share(LOW) == pytest.approx(500 / 13500)


def test_draws_keep_the_ranges_and_constraints():
    assert is_valid(DRAWS).all()
    corners = np.stack(np.meshgrid(*[[0.0, 1.0]] * 7, indexing="ij"), axis=-1).reshape(-1, 7)
    assert is_valid(prior.from_unit_cube(0.5 + (corners - 0.5) * (1 - 1e-6))).all()
    np.testing.assert_allclose(prior.from_unit_cube(np.zeros(7)), LOW, rtol=1e-9)
    outside = TYPICAL.copy()
    outside[1] = 0.021
    assert not is_valid(outside)


def test_draws_are_uniform_over_the_valid_part_of_the_box():
    generator = np.random.default_rng(1)
    box = LOW + generator.random((400_000, 7)) * (HIGH - LOW)
    kept = box[is_valid(box)]
    for i in range(7):
        quantiles = np.linspace(0.05, 0.95, 19)
        expected, found = np.quantile(kept[:, i], quantiles), np.quantile(DRAWS[:, i], quantiles)
        assert np.abs(found - expected).max() < 0.012 * (HIGH[i] - LOW[i])
    np.testing.assert_allclose(np.corrcoef(DRAWS.T), np.corrcoef(kept.T), atol=0.03)


def test_spline_profiles_meet_the_substrate_and_follow_the_published_basis():
    def published(z: float) -> float:
        if not 0 < z <= 4:
            return 0.0
        pieces = (
            z**3 / 6,
            2 / 3 - 2 * z + 2 * z**2 - z**3 / 2,
            -22 / 3 + 10 * z - 4 * z**2 + z**3 / 2,
            32 / 3 - 8 * z + 2 * z**2 - z**3 / 6,
        )
        return pieces[int(np.ceil(z)) - 1]

    slices, weights = 60, 6
    heights = weights * (1 - (np.arange(slices) + 0.5) / slices)
    expected = [[published(h - i + 3) for i in range(weights + 3)] for h in heights]
    np.testing.assert_allclose(splines.basis(slices, weights), expected, atol=1e-12)
    np.testing.assert_allclose(splines.basis(slices, weights).sum(1), 1, rtol=1e-12)
    some = np.array([0.2, 0.5, 0.6, 0.5, 0.6, 0.1]) / 100
    assert abs(splines.strain(some, 600)[-1]) < 1e-9
    assert splines.debye_waller(np.full(6, 0.5), 600)[[0, -1]] == pytest.approx([0.5, 1.0], abs=1e-6)
    assert splines.strain(np.stack([some, 2 * some]), 60).shape == (2, 60)
    with pytest.raises(DataError, match="0 slices"):
        splines.basis(0, 3)
