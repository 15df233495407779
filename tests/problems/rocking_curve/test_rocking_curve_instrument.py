"""The signal of a scan: few nodes give what many give, and derivatives are those of finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest

from probatum.problems.rocking_curve import kernel
from probatum.problems.rocking_curve.crystals import GGG_444, reflection
from probatum.problems.rocking_curve.instrument import Blur, nodes_for
from probatum.problems.rocking_curve.observation import NAMES, Instrument, Observation
from probatum.problems.rocking_curve.physics import angles_below

SECONDS = np.linspace(-80, 1500, 396)
STRAIN, THICKNESS = np.linspace(0.012, 0.001, 30), np.full(30, 100.0)


@pytest.mark.parametrize("of", [GGG_444, reflection("Si", (0, 0, 4))])
def test_few_nodes_give_the_signal_of_many(of):
    nodes = nodes_for(of, SECONDS, 30.0, 30.0, depth=3000.0)
    found = np.empty((1, len(SECONDS)))
    R = kernel.reflectivity(of, angles_below(of, nodes.seconds), STRAIN, THICKNESS)
    Blur.of(nodes, SECONDS, 30.0).of_curves_into(found, R[None])
    dense = np.arange(SECONDS[0] - 80, SECONDS[-1] + 80, 0.05)
    deviation = 30.0 / math.sqrt(8 * math.log(2))
    R = kernel.reflectivity(of, angles_below(of, dense), STRAIN, THICKNESS)
    for i in range(0, len(SECONDS), 13):
        weights = np.exp(-(((dense - SECONDS[i]) / deviation) ** 2) / 2)
        assert found[0, i] == pytest.approx(weights @ R / weights.sum(), rel=5e-3)
    assert len(nodes.seconds) < len(dense) / 50


def test_derivatives_to_the_instrument_are_those_of_finite_differences():
    instrument = Instrument(30.0, 1e5, 40.0, shift=3.0, diffuse=200.0, centre=50.0, width=250.0)
    observation = Observation(GGG_444, SECONDS, instrument, NAMES, depth=3000.0, fwhms=(20.0, 40.0))
    curves = kernel.reflectivity(GGG_444, angles_below(GGG_444, observation.nodes.seconds), STRAIN, THICKNESS)[None]
    point = observation.coordinates(instrument)
    _, slopes = observation.signal_and_slopes(curves, point)
    for i, name in enumerate(NAMES):
        step = 1e-4 * max(1.0, abs(point[i])) * (1e-1 if name != "shift" else 1.0)
        ends = [
            observation.signal_and_slopes(curves, point + sign * step * np.eye(len(NAMES))[i])[0] for sign in (1, -1)
        ]
        expected = (ends[0] - ends[1]) / (2 * step)
        # The shift's derivative is that of the scan's own steps.
        allowed = 0.05 if name == "shift" else 1e-5
        np.testing.assert_allclose(slopes[i], expected, atol=allowed * np.abs(expected).max(), err_msg=name)


def test_a_scan_longer_than_its_signal_needs_no_finer_nodes():
    short, long = (nodes_for(GGG_444, np.linspace(-80, end, 100), 30.0, 30.0, 3000.0) for end in (800, 1600))
    added = np.diff(long.seconds[long.seconds > 800])
    assert added.max() == pytest.approx(np.diff(short.seconds).max(), rel=1e-9)
