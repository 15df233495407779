"""What data can say about parameters at all: rank, null space, and the Cramer-Rao bound against what was known before.

For observations with independent normal noise of standard deviation sigma and Jacobian J (derivatives of observations
by parameters), the Fisher information is F = J^T J / sigma^2, and no unbiased estimate of parameter i has a variance
below (F^-1)_ii (Cramer, Rao; Cox & Hinkley, Theoretical Statistics (1974), section 8.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum.problems.problem import Sensitivity

NEGLIGIBLE = 1e-6
"""Share of a null direction in a parameter below which rounding explains it."""


@dataclass(frozen=True, eq=False)
class Determination:
    """What the data of one setting determine.

    Attributes:
        parameters: their names.
        rank: directions in parameter space that observations respond to.
        null_space: [parameters - rank, parameter] float64, unit vectors in which nothing observed changes, in units of
            the prior where there is one, else of each parameter's own response.
        bounds: [parameter] float64, Cramer-Rao bound as a standard deviation in the parameter's unit; inf where a null
            direction holds the parameter.
        gain: [parameter] float64, bound over the prior's standard deviation; NaN where there is no prior.
        undetermined: parameters of which the data say no more than was known before: bound infinite, or at least the
            prior's standard deviation.
    """

    parameters: tuple[str, ...]
    rank: int
    null_space: np.ndarray
    bounds: np.ndarray
    gain: np.ndarray
    undetermined: tuple[str, ...]


def determination(sensitivity: Sensitivity, *, tolerance: float = 1e-10) -> Determination:
    """What observations that respond so determine.

    Args:
        sensitivity: Jacobian, noise and prior.
        tolerance: singular values below this share of the largest one are zero; 1e-6 for numerical derivatives.
    """
    noise = np.broadcast_to(np.asarray(sensitivity.noise, dtype=np.float64), (len(sensitivity.jacobian),))
    whitened = np.asarray(sensitivity.jacobian, dtype=np.float64) / noise[:, None]
    response = np.linalg.norm(whitened, axis=0)
    # Parameters of unlike units are compared by what is known of them, or by how strongly they are seen.
    unit = np.where(response > 0, 1 / np.where(response > 0, response, 1.0), 1.0)
    if sensitivity.prior is not None:
        unit = np.asarray(sensitivity.prior, dtype=np.float64)
    _, singular, directions = np.linalg.svd(whitened * unit, full_matrices=True)
    rank = int((singular > tolerance * singular.max(initial=0)).sum()) if singular.max(initial=0) > 0 else 0
    seen, null = directions[:rank], directions[rank:]
    bounds = unit * np.sqrt(((seen / singular[:rank, None]) ** 2).sum(axis=0))
    bounds = np.where((null**2).sum(axis=0) > NEGLIGIBLE, np.inf, bounds)
    gain = np.full(len(bounds), np.nan) if sensitivity.prior is None else bounds / unit
    lost = np.isinf(bounds) | (gain >= 1)
    names = tuple(name for name, is_lost in zip(sensitivity.parameters, lost, strict=True) if is_lost)
    return Determination(sensitivity.parameters, rank, null, bounds, gain, names)
