"""The expected signal of a crystal with the seven-parameter profile, and its derivatives to all that a fit may change.

A fit's point is the seven coordinates of `coordinates` followed by what is free of the instrument, see `observation`.
Importing this module imports numba.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from probatum.problems.rocking_curve.graded_kernel import graded_curve_into
from probatum.problems.rocking_curve.instrument import glancing_angles
from probatum.problems.rocking_curve.kernel import Scene
from probatum.problems.rocking_curve.observation import Observation
from probatum.problems.rocking_curve.slices import MOST_SLICES, slices_into

DEEPEST = 8000.0
"""Angstrom; the seven-parameter profiles end above, see `profile.MAX_SUBLAYERS`."""


@dataclass(frozen=True)
class Slicing:
    """How finely a profile is cut: `detail` in radians, see `slices`, and the thickest slice in Angstrom."""

    detail: float
    thickest: float


COARSE, FINE, FINEST = Slicing(0.3, 220.0), Slicing(0.05, 115.0), Slicing(0.01, 55.0)
"""For the way to a minimum, for most of its neighbourhood, and for the minimum itself."""


class TwoPartModel:
    """The signal of one scan as a function of a fit's point.

    Args:
        observation: of the scan, on nodes for `DEEPEST`.
        slicing: `COARSE`, `FINE` or `FINEST`.
    """

    def __init__(self, observation: Observation, slicing: Slicing = FINE):
        self.observation, self.slicing = observation, slicing
        reflection = observation.reflection
        self.scene = Scene(reflection, glancing_angles(reflection, observation.nodes), observation.pi_weight)
        self._bend = 8 * slicing.detail * reflection.wavelength / (4 * math.pi * math.sin(reflection.bragg_angle))
        self._layers = np.zeros((3, MOST_SLICES))
        self._perfect = np.ones(MOST_SLICES)
        self._layer_slopes = np.zeros((3, MOST_SLICES, 7))
        self._curves = np.empty((8, *self.scene.sines.shape))

    def reflectivity(self, point: Float[np.ndarray, " parameter"], slopes: bool) -> Float[np.ndarray, "curve node"]:
        """[1 or 8, node]: the curve, and with `slopes` its derivatives to the seven coordinates."""
        strain, rise, thickness = self._layers
        n = slices_into(
            strain, rise, thickness, self._layer_slopes[0], self._layer_slopes[1], np.ascontiguousarray(point[:7]),
            self._bend, self.slicing.thickest,
        )  # fmt: skip
        curves, scene = self._curves[: 8 if slopes else 1], self.scene
        graded_curve_into(
            curves[0], curves[1:], scene.sines, scene.substrate, strain[:n], rise[:n], thickness[:n],
            self._perfect[:n], self._layer_slopes[:, :n], scene.lattice, scene.chi, scene.weights,
        )  # fmt: skip
        return curves.reshape(len(curves), -1)

    def signal(self, point: Float[np.ndarray, " parameter"]) -> Float[np.ndarray, " angle"]:
        """The expected signal: [angle]."""
        return self.observation.signal_and_slopes(self.reflectivity(point, slopes=False), point[7:])[0]

    def signal_and_slopes(
        self, point: Float[np.ndarray, " parameter"]
    ) -> tuple[Float[np.ndarray, " angle"], Float[np.ndarray, "parameter angle"]]:
        """The expected signal [angle] and its derivatives [coordinate of the point, angle]."""
        return self.observation.signal_and_slopes(self.reflectivity(point, slopes=True), point[7:])
