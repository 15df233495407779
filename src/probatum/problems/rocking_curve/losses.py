"""Losses on the curve that predicted parameters give, for networks that also learn what the curve should look like.

They take predictions and targets [row, quantity] in shares of the ranges, as recipes' `training.penalties` pass them,
and give [row]. The physics is that of `physics`, in single precision and on fewer angles and thicker sublayers than a
simulation: both curves are computed so, and they agree where the parameters do.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from probatum.problems.rocking_curve.crystals import GGG_444
from probatum.problems.rocking_curve.physics import angles_below, reflectivity
from probatum.problems.rocking_curve.profile import HIGH, LEAST, LOW, strain_at

ANGLES, LAYERS, THICKNESS = 16, 16, 450.0
"""Angles, sublayers and their thickness in Angstrom: 7200 Angstrom, the deepest profile of the prior."""
FLOOR, DECADES = 1e-4, 4.0
"""Reflectivity added before the logarithm, about where background hides a curve; decades above."""
NARROW = 0.02
"""Shares of a range to which predicted parameters are kept apart where the profile's formulas divide."""
SECONDS = np.linspace(0.0, 2700.0, ANGLES)


def curve_residual(predictions: jax.Array, targets: jax.Array, numbers: Mapping[str, jax.Array]) -> jax.Array:
    """Mean squared difference of the curves of predicted and of true parameters, as `log_curves` has them: [row]."""
    return ((log_curves(predictions) - log_curves(targets)) ** 2).mean(axis=1)


def trivial_residual(predictions: jax.Array, targets: jax.Array, numbers: Mapping[str, jax.Array]) -> jax.Array:
    """A residual of zero whatever is predicted, as a task that compares a curve with itself: [row].

    It stands for a second task whose target is always zero: it fits at once and teaches nothing.
    """
    return jnp.zeros(len(predictions), predictions.dtype) * predictions[:, 0]


def log_curves(shares: jax.Array) -> jax.Array:
    """Curves of garnet (444), log10(R + `FLOOR`) / `DECADES`, which stretches them over 1 as `features` does.

    Args:
        shares: [row, 7]; any finite ones give finite curves and gradients.

    Returns:
        [row, angle].
    """
    parameters = lawful(jnp.clip(shares, 0.0, 1.0))
    depth = THICKNESS * (jnp.arange(LAYERS) + 0.5)
    strain = strain_at(depth, parameters, jnp)
    strain = jnp.where(strain > LEAST, strain, 0.0)
    angles = angles_below(GGG_444, SECONDS)
    R = reflectivity(GGG_444, jnp.asarray(angles, shares.dtype), strain, jnp.full_like(strain, THICKNESS))
    return jnp.log10(R + FLOOR) / DECADES


def lawful(shares: jax.Array) -> jax.Array:
    """Parameters [row, 7] with Rp1 less deep than L1 by `NARROW`, which the formulas need; others stay."""
    low, span = jnp.asarray(LOW, shares.dtype), jnp.asarray(HIGH - LOW, shares.dtype)
    Dmax1, D01, L1, Rp1, D02, L2, Rp2 = jnp.moveaxis(low + shares * span, -1, 0)
    Rp1 = jnp.minimum(Rp1, L1 - NARROW * span[2])
    return jnp.stack([Dmax1, D01, L1, Rp1, D02, L2, Rp2], axis=-1)
