"""The expected signal of a crystal whose strain and Debye-Waller factor are B-splines, with its derivatives.

A fit's point is the weights of the strain in per cent, those of the Debye-Waller factor, the logarithm of the damaged
depth in Angstrom, then what is free of the instrument, see `splines` and `observation`. Importing this module imports
numba.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from probatum.problems.rocking_curve.graded_kernel import graded_curve_into
from probatum.problems.rocking_curve.instrument import glancing_angles
from probatum.problems.rocking_curve.kernel import Scene
from probatum.problems.rocking_curve.observation import Observation
from probatum.problems.rocking_curve.splines import FIXED, basis

PER_CENT = 0.01


class SplineModel:
    """The signal of one scan as a function of a fit's point.

    Args:
        observation: of the scan.
        weights: how many of strain and of the Debye-Waller factor.
        slices: into which the damaged depth is cut.
    """

    def __init__(self, observation: Observation, weights: tuple[int, int], slices: int):
        self.observation, self.weights, self.slices = observation, weights, slices
        self.scene = Scene(
            observation.reflection, glancing_angles(observation.reflection, observation.nodes), observation.pi_weight
        )
        self.layers = sum(weights) + 1
        strain, disorder = (basis(slices, count) for count in weights)
        self._strain = PER_CENT * strain[:, FIXED:]
        self._disorder, self._perfect = disorder[:, FIXED:], disorder[:, :FIXED].sum(1)
        self._curves = np.empty((1 + self.layers, *self.scene.sines.shape))
        self._directions = np.zeros((3, slices, self.layers))
        self._directions[0, :, : weights[0]] = self._strain
        self._directions[2, :, weights[0] : -1] = self._disorder

    @property
    def strain_slopes(self) -> Float[np.ndarray, "slice weight"]:
        """Derivatives of the slices' strain to its weights: [slice, weight]."""
        return self._strain

    def profile(
        self, point: Float[np.ndarray, " parameter"]
    ) -> tuple[Float[np.ndarray, " slice"], Float[np.ndarray, " slice"], float]:
        """Strain and Debye-Waller factor of the slices, surface first, and the damaged depth in Angstrom."""
        first, _ = self.weights
        disorder = self._perfect + self._disorder @ point[first : self.layers - 1]
        return self._strain @ point[:first], disorder, math.exp(point[self.layers - 1])

    def reflectivity(self, point: Float[np.ndarray, " parameter"], slopes: bool) -> Float[np.ndarray, "curve node"]:
        """[1, or 1 + layers' parameters, node]: the curve, and with `slopes` its derivatives."""
        strain, disorder, depth = self.profile(point)
        thickness = np.full(self.slices, depth / self.slices)
        self._directions[1, :, -1] = thickness
        # Between the middles of its neighbours; the slices at the ends have one.
        rise = np.gradient(strain) if self.slices > 1 else np.zeros(1)
        curves, scene = self._curves[: 1 + self.layers if slopes else 1], self.scene
        graded_curve_into(
            curves[0], curves[1:], scene.sines, scene.substrate, strain, rise, thickness, disorder, self._directions,
            scene.lattice, scene.chi, scene.weights,
        )  # fmt: skip
        return curves.reshape(len(curves), -1)

    def signal(self, point: Float[np.ndarray, " parameter"]) -> Float[np.ndarray, " angle"]:
        """The expected signal: [angle]."""
        return self.observation.signal_and_slopes(self.reflectivity(point, slopes=False), point[self.layers :])[0]

    def signal_and_slopes(
        self, point: Float[np.ndarray, " parameter"]
    ) -> tuple[Float[np.ndarray, " angle"], Float[np.ndarray, "parameter angle"]]:
        """The expected signal [angle] and its derivatives [coordinate of the point, angle]."""
        return self.observation.signal_and_slopes(self.reflectivity(point, slopes=True), point[self.layers :])
