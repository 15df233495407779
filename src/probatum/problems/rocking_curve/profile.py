"""Strain under an implanted surface in two parts, with the seven parameters, ranges and constraints of the prior.

Below, z is depth in Angstrom and D the strain `LEAST` = 1e-4 at which the implanted region ends.

    eps1 = Dmax1 (D01 / Dmax1)^(((z - Rp1) / Rp1)^2)          above its peak, z < Rp1
         = Dmax1 (D / Dmax1)^(((z - Rp1) / (L1 - Rp1))^2)     below
    eps2 = D02 (D / D02)^(w u^2 + (1 - w) u),  u = z / L2,  w = L2 / (L2 - 2 Rp2)

so eps1(0) = D01, eps1(L1) = D, eps2(0) = D02 and eps2(L2) = D. They are the Gaussians exp(-(z - Rp)^2 / s) with s
eliminated; eps2 is a Gaussian where w = 1 (Rp2 = 0) and an exponential where w -> 0, and Rp2 does nothing else.

The crystal is sliced from the surface into sublayers of `SUBLAYER` = 100 Angstrom with the strain at their middles,
down to the depth where eps1 + eps2 = D. The last sublayer ends there: with whole sublayers only, a curve would jump
as the parameters change. The functions take arrays of numpy or of JAX; pass the module as `xp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Real

LEAST = 1e-4
SUBLAYER = 100.0
MAX_SUBLAYERS = 80
"""Enough for every point of the prior, see the tests."""
NEAREST = 1e-3
"""Angstrom kept between Rp1 and L1 where they meet."""


@dataclass(frozen=True)
class Range:
    """One parameter's name, bounds and unit ('' for strain, 'A' for Angstrom)."""

    name: str
    low: float
    high: float
    unit: str


PARAMETERS = (
    Range("Dmax1", 0.001, 0.031, ""),
    Range("D01", 0.0005, 0.0305, ""),
    Range("L1", 500.0, 7000.0, "A"),
    Range("Rp1", 50.0, 5050.0, "A"),
    Range("D02", 0.001, 0.031, ""),
    Range("L2", 500.0, 5000.0, "A"),
    Range("Rp2", -6500.0, 0.0, "A"),
)
LOW = np.array([parameter.low for parameter in PARAMETERS])
HIGH = np.array([parameter.high for parameter in PARAMETERS])
LARGEST_AT_SURFACE = 0.03
"""Of D01 + D02."""


def strain_at(depth: Any, parameters: Any, xp: ModuleType = np) -> Any:
    """eps1 + eps2.

    Args:
        depth: [..., point] Angstrom.
        parameters: [..., 7] in the order of `PARAMETERS`.
        xp: numpy or jax.numpy.

    Returns:
        [..., point] strain, relative change of the lattice planes' distance.
    """
    first, second = _logarithms(depth, parameters, xp)
    return xp.exp(first) + xp.exp(second)


def end_of(parameters: Any, xp: ModuleType = np) -> Any:
    """Depth where eps1 + eps2 has fallen to `LEAST`: [...] Angstrom, from [..., 7] parameters.

    eps1 is at least `LEAST` down to L1 and both parts fall below it, so it is found by Newton's method on the logarithm
    of the sum, starting from L1.
    """
    Dmax1, _, L1, Rp1, D02, L2, Rp2 = (parameters[..., i : i + 1] for i in range(7))
    w = L2 / (L2 - 2 * Rp2)
    width = xp.maximum(L1 - Rp1, NEAREST)
    depth = Rp1 + width  # L1, or a little below it where Rp1 meets it
    for _ in range(12):
        first, second = _logarithms(depth, parameters, xp)
        eps1, eps2 = xp.exp(first), xp.exp(second)
        slope1 = 2 * (depth - Rp1) / width**2 * xp.log(LEAST / Dmax1)
        slope2 = (2 * w * depth / L2 + 1 - w) / L2 * xp.log(LEAST / D02)
        total = eps1 + eps2
        depth = depth - xp.log(total / LEAST) * total / (eps1 * slope1 + eps2 * slope2)
    return depth[..., 0]


def sublayers(parameters: Any, xp: ModuleType = np) -> tuple[Any, Any]:
    """The strained region, sliced.

    Args:
        parameters: [..., 7].
        xp: numpy or jax.numpy.

    Returns:
        strain: [..., MAX_SUBLAYERS], from the surface downwards.
        thickness: [..., MAX_SUBLAYERS] Angstrom; below the region's end it is 0.
    """
    tops = SUBLAYER * np.arange(MAX_SUBLAYERS)
    thickness = xp.clip(end_of(parameters, xp)[..., None] - tops, 0.0, SUBLAYER)
    return strain_at(tops + thickness / 2, parameters, xp), thickness


def _logarithms(depth: Any, parameters: Any, xp: ModuleType) -> tuple[Any, Any]:
    Dmax1, D01, L1, Rp1, D02, L2, Rp2 = (parameters[..., i : i + 1] for i in range(7))
    above = xp.log(D01 / Dmax1) / Rp1**2
    below = xp.log(LEAST / Dmax1) / xp.maximum(L1 - Rp1, NEAREST) ** 2
    first = xp.log(Dmax1) + xp.where(depth < Rp1, above, below) * (depth - Rp1) ** 2
    w, u = L2 / (L2 - 2 * Rp2), depth / L2
    second = xp.log(D02) + xp.log(LEAST / D02) * (w * u + 1 - w) * u
    return first, second


def gaussian_share(parameters: Real[np.ndarray, "*batch 7"]) -> Float[np.ndarray, "*batch"] | np.floating[Any]:
    """w of eps2: [...], 1 for a Gaussian and near 0 for an exponential; what Rp2 stands for."""
    return parameters[..., 5] / (parameters[..., 5] - 2 * parameters[..., 6])


def is_valid(parameters: Real[np.ndarray, "*batch 7"]) -> Bool[np.ndarray, "*batch"] | np.bool:
    """Whether parameters keep to their ranges, D01 <= Dmax1, D01 + D02 <= .03, Rp1 <= L1 and L2 <= L1: [...] bool."""
    Dmax1, D01, L1, Rp1, D02, L2, _ = np.moveaxis(parameters, -1, 0)
    inside = ((parameters >= LOW) & (parameters <= HIGH)).all(-1)
    return inside & (Dmax1 >= D01) & (D01 + D02 <= LARGEST_AT_SURFACE) & (Rp1 <= L1) & (L2 <= L1)
