"""The instrument function keeps what it blurs, and a signal is the sum of its parts with Poisson noise."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probatum.errors import DataError
from probatum.problems.rocking_curve.crystals import GGG_444, Reflection, reflection
from probatum.problems.rocking_curve.measurement import Resolution, counts, intensity
from probatum.problems.rocking_curve.physics import angles_below

GARNET_PI_WEIGHT = math.sqrt(math.cos(2 * GGG_444.bragg_angle))
SCAN = np.linspace(-80.36, 2732.4, 701)
ANGLES = angles_below(GGG_444, SCAN)
SILICON = reflection("Si", (0, 0, 4))
TRANSPARENT = Reflection("no absorption", 1.54056, SILICON.bragg_angle, -15e-6 + 0j, 8e-6 + 0j, 8e-6 + 0j)


def test_instrument_function_keeps_area_and_has_its_width():
    resolution = Resolution.around(SCAN, 30.0)
    weights = resolution.weights(30.0)
    np.testing.assert_allclose(weights.sum(1), 1)
    assert intensity(np.ones((2, len(resolution.grid))), resolution, weights) == pytest.approx(np.ones((2, 701)))
    spike = np.zeros(len(resolution.grid))
    spike[np.abs(resolution.grid - SCAN[350]).argmin()] = 1
    seen = intensity(spike, resolution, weights)
    assert seen.argmax() == 350
    above = SCAN[seen >= seen.max() / 2]
    assert above[-1] - above[0] == pytest.approx(30, abs=9)
    assert math.sqrt((seen * (SCAN - SCAN[350]) ** 2).sum() / seen.sum()) == pytest.approx(30 / 2.3548, rel=0.01)


def test_signal_is_scale_background_and_diffuse_scattering_and_counts_are_poisson():
    uneven = np.array([0.0, 3.0, 7.0, 20.0, 100.0])
    resolution = Resolution.around(uneven, 12.0, 0.5)
    linear = intensity(
        2 + 0.1 * resolution.grid, resolution, resolution.weights(10.0), scale=3.0, background=4.0, diffuse=8.0,
        centre=20.0, width=5.0,
    )  # fmt: skip
    np.testing.assert_allclose(linear, 3 * (2 + 0.1 * uneven) + 4 + 8 / (1 + ((uneven - 20) / 5) ** 2), rtol=1e-3)
    drawn = counts(np.full(40_000, 9.0), np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(9, abs=0.1)
    assert drawn.var() == pytest.approx(9, abs=0.4)
    with jax.enable_x64(True):
        by_width = jax.grad(
            lambda f: intensity(jnp.asarray(resolution.grid**2), resolution, resolution.weights(f, jnp))[2]
        )
        assert float(by_width(10.0)) == pytest.approx(2 * 10 / (8 * math.log(2)), rel=0.02)


def test_instrument_function_refuses_what_it_cannot_do():
    for seconds, widest, step in (([0.0], 30, None), ([0, 2, 1], 30, None), ([0, 1], 0, None), ([0, 1e9], 30, 1.0)):
        with pytest.raises(DataError):
            Resolution.around(np.array(seconds, dtype=np.float64), widest, step)
