"""The instrument function keeps what it blurs, and a signal is the sum of its parts with Poisson noise."""

from __future__ import annotations

import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probatum.errors import DataError
from probatum.problems.rocking_curve import kernel, splines
from probatum.problems.rocking_curve.crystals import reflection
from probatum.problems.rocking_curve.measurement import Resolution, counts, intensity
from probatum.problems.rocking_curve.physics import angles_below
from probatum.problems.rocking_curve.readers import read_scan

SCAN = np.linspace(-80.36, 2732.4, 701)


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


@pytest.mark.real
def test_measured_curve_of_irradiated_zirconia_is_that_of_an_expanded_layer(real_data: Path):
    folder = real_data / "rocking_curve" / "radmax"
    zirconia = reflection("YSZ", (4, 0, 0), 1.5406)
    seconds, measured, _ = read_scan(folder / "YSZ_YSZ-XRD.txt").deviations(zirconia.bragg_angle)
    # That program's starting profile: 60 slices of 1998 Angstrom, strain in per cent, an instrument of 0.013 degrees.
    strain = splines.strain(np.loadtxt(folder / "YSZ_input_strain_coeff.txt") / 100, 60)
    debye_waller = splines.debye_waller(np.loadtxt(folder / "YSZ_input_DW_coeff.txt"), 60)
    resolution = Resolution.around(seconds, 0.013 * 3600)
    misfits = []
    for sign in (1, -1):
        angles = angles_below(zirconia, resolution.grid)
        R = kernel.reflectivity(zirconia, angles, sign * strain, np.full(60, 1998 / 60), debye_waller)
        found = intensity(R, resolution, resolution.weights(0.013 * 3600), background=1e-5)
        decades = np.log10(found / found.max()) - np.log10(np.maximum(measured / measured.max(), 1e-5))
        misfits.append(float(np.median(np.abs(decades - np.median(decades)))))
    assert misfits[0] < 0.15 < 0.6 < misfits[1]
