"""Reflectivity of strained crystals, compiled: the arguments of `physics.reflectivity`, with numpy arrays for results.

One core computes thousands of curves a second; importing this module imports numba.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from probatum.problems.rocking_curve.crystals import Reflection
from probatum.problems.rocking_curve.diffraction_kernel import AMPLITUDES, BLOCK, curves_into
from probatum.problems.rocking_curve.slope_kernel import curves_and_slopes_into


def reflectivity(
    reflection: Reflection,
    angles: ArrayLike,
    strain: ArrayLike,
    thickness: ArrayLike,
    debye_waller: ArrayLike | None = None,
    pi_weight: float = 0.0,
) -> Float[np.ndarray, "*batch angle"]:
    """As `physics.reflectivity`: [..., angle] float64."""
    scene = Scene(reflection, angles, pi_weight)
    layers = _Layers(strain, thickness, debye_waller)
    found = np.empty((len(layers.strain), *scene.sines.shape))
    curves_into(
        found, scene.sines, scene.substrate, layers.strain, layers.thickness, layers.debye_waller, scene.lattice,
        scene.chi, scene.weights,
    )  # fmt: skip
    return scene.angles_of(found, layers.batch)


def reflectivity_and_slopes(
    reflection: Reflection,
    angles: ArrayLike,
    strain: ArrayLike,
    thickness: ArrayLike,
    debye_waller: ArrayLike | None = None,
    pi_weight: float = 0.0,
    *,
    strain_slopes: ArrayLike = 0.0,
    thickness_slopes: ArrayLike = 0.0,
    debye_waller_slopes: ArrayLike = 0.0,
) -> tuple[Float[np.ndarray, "*batch angle"], Float[np.ndarray, "*batch parameter angle"]]:
    """Reflectivity and its derivatives to parameters that the layers depend on.

    Args:
        reflection, angles, strain, thickness, debye_waller, pi_weight: as in `reflectivity`.
        strain_slopes, thickness_slopes, debye_waller_slopes: [..., layer, parameter] derivatives of the layers; those
            not given are 0. Layers of thickness 0 count as absent whatever theirs are.

    Returns:
        [..., angle] and [..., parameter, angle] float64.
    """
    scene = Scene(reflection, angles, pi_weight)
    layers = _Layers(strain, thickness, debye_waller)
    parts = np.broadcast_arrays(
        *(np.atleast_1d(part) for part in (strain_slopes, thickness_slopes, debye_waller_slopes))
    )
    shape = (3, *layers.batch, layers.strain.shape[-1], parts[0].shape[-1])
    directions = np.broadcast_to(np.stack(parts), shape).reshape(3, *layers.strain.shape, shape[-1])
    found = np.empty((len(layers.strain), *scene.sines.shape))
    slopes = np.empty((len(layers.strain), shape[-1], *scene.sines.shape))
    curves_and_slopes_into(
        found, slopes, scene.sines, scene.substrate, layers.strain, layers.thickness, layers.debye_waller,
        np.ascontiguousarray(directions, dtype=np.float64), scene.lattice, scene.chi, scene.weights,
    )  # fmt: skip
    return scene.angles_of(found, layers.batch), scene.angles_of(slopes, layers.batch)


class Scene:
    """What all curves share: the angles in blocks, filled up with the last one, and the crystal's constants."""

    def __init__(self, reflection: Reflection, angles: ArrayLike, pi_weight: float):
        angles = np.asarray(angles, dtype=np.float64)
        self.count = len(angles)
        padded = np.pad(angles, (0, -self.count % BLOCK), mode="edge").reshape(-1, BLOCK)
        self.sines = np.sin(padded)
        sine_B = math.sin(reflection.bragg_angle)
        chi_0 = complex(reflection.chi_0)
        self.lattice = (sine_B, math.pi / (reflection.wavelength * sine_B), chi_0.real, chi_0.imag)
        polarisations = reflection.polarisations if pi_weight else reflection.polarisations[:1]
        self.chi = np.array([C * reflection.chi for C in polarisations])
        ratio = abs(reflection.chi_h / reflection.chi_minus_h) / (1 + pi_weight)
        self.weights = np.array([ratio, pi_weight * ratio][: len(polarisations)])
        self.substrate = np.zeros((len(polarisations), len(padded), AMPLITUDES))
        for amplitudes, chi in zip(self.substrate, self.chi, strict=True):
            eta = (2 * sine_B * (self.sines - sine_B) + chi_0) / chi
            root = np.sqrt(eta * eta - 1)
            # The product of both roots is 1: the smaller one without cancellation.
            X = 1 / np.where((eta * root.conj()).real >= 0, eta + root, eta - root)
            amplitudes[:] = np.concatenate([X.real, X.imag, np.ones_like(X.real), np.zeros_like(X.real)], axis=1)

    def angles_of(
        self, blocks: Float[np.ndarray, "curve *parameter block lane"], batch: tuple[int, ...]
    ) -> Float[np.ndarray, "... angle"]:
        """[..., angle] from [curve, ..., block, BLOCK]."""
        return blocks.reshape(*batch, *blocks.shape[1:-2], -1)[..., : self.count]


class _Layers:
    """Layers of all curves as contiguous [curve, layer] arrays."""

    def __init__(self, strain: ArrayLike, thickness: ArrayLike, debye_waller: ArrayLike | None):
        E = 1.0 if debye_waller is None else debye_waller
        arrays = np.broadcast_arrays(np.asarray(strain, np.float64), np.asarray(thickness, np.float64), E)
        self.batch = arrays[0].shape[:-1]
        self.strain, self.thickness, self.debye_waller = (
            np.array(array, dtype=np.float64, order="C").reshape(-1, array.shape[-1]) for array in arrays
        )
