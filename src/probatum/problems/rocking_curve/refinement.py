"""Refinement of predicted parameters by fitting the curve: the log's way, and the same in comparable units.

Both make the mean squared difference of log10 intensities small, from a start that a network gives, for curves without
noise. `levenberg_marquardt` and what builds on it is the way to invert measured curves; these two are there to be
compared with.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Real
from scipy.optimize import least_squares, minimize

from probatum.problems.rocking_curve.problem import from_shares
from probatum.problems.rocking_curve.profile import HIGH, LARGEST_AT_SURFACE, LOW
from probatum.problems.rocking_curve.simulation import Scan

SMALLEST = 1e-10
"""Added to signals before the logarithm."""
MOST_ITERATIONS = 100


def by_slsqp(
    scan: Scan, curve: Real[np.ndarray, " angle"], start: Float[np.ndarray, " 7"], iterations: int = MOST_ITERATIONS
) -> Float[np.ndarray, " 7"]:
    """Sequential quadratic programming on the parameters in their raw units, derivatives by finite differences.

    Strains of 0.01 and depths of 5000 stand side by side, so that a step that is right for one is wrong for the other.

    Args:
        scan: how the curve was measured.
        curve: [angle] signal, in units of the unstrained crystal's peak.
        start: [7] parameters.
        iterations: most.

    Returns:
        [7] parameters within their ranges and the prior's constraints, as far as the method keeps them.
    """
    wanted = np.log10(curve + SMALLEST)

    def misfit(parameters: Float[np.ndarray, " 7"]) -> float:
        signal = scan.signal(within(parameters)[None])[0]
        return float(((np.log10(signal + SMALLEST) - wanted) ** 2).mean())

    laws = [
        {"type": "ineq", "fun": lambda p: p[0] - p[1]},
        {"type": "ineq", "fun": lambda p: LARGEST_AT_SURFACE - p[1] - p[4]},
        {"type": "ineq", "fun": lambda p: p[2] - p[3]},
        {"type": "ineq", "fun": lambda p: p[2] - p[5]},
    ]
    bounds = list(zip(LOW, HIGH, strict=True))
    found = minimize(misfit, start, method="SLSQP", bounds=bounds, constraints=laws, options={"maxiter": iterations})
    return within(found.x)


def by_least_squares(
    scan: Scan, curve: Real[np.ndarray, " angle"], start: Float[np.ndarray, " 7"], evaluations: int = MOST_ITERATIONS
) -> Float[np.ndarray, " 7"]:
    """Bounded least squares on parameters as shares of their ranges, with derivatives of the physics.

    Args:
        scan, curve, start: as in `by_slsqp`.
        evaluations: most curves that are computed.

    Returns:
        [7] parameters within their ranges; Rp1 <= L1 is kept, the other constraints are left to the data.
    """
    wanted = np.log10(curve + SMALLEST)

    def residuals(shares: Float[np.ndarray, " 7"]) -> Float[np.ndarray, " angle"]:
        signal = scan.signal(within(from_shares(shares))[None])[0]
        return np.log10(signal + SMALLEST) - wanted

    def jacobian(shares: Float[np.ndarray, " 7"]) -> Float[np.ndarray, "angle 7"]:
        signal, slopes = scan.signal_and_slopes(within(from_shares(shares))[None])
        return (slopes[0] * (HIGH - LOW)[:, None] / ((signal[0] + SMALLEST) * np.log(10))).T

    inside = np.clip((start - LOW) / (HIGH - LOW), 1e-3, 1 - 1e-3)
    fitted = least_squares(residuals, inside, jac=jacobian, bounds=(0.0, 1.0), max_nfev=evaluations)  # type: ignore[arg-type]
    return within(from_shares(fitted.x))


def within(parameters: Float[np.ndarray, " 7"]) -> Float[np.ndarray, " 7"]:
    """Parameters [7] that the profile's formulas take: inside the ranges, and Rp1 no deeper than L1."""
    kept = np.clip(parameters, LOW, HIGH)
    kept[3] = min(kept[3], kept[2])
    return kept


def perturbed(
    parameters: Float[np.ndarray, "curve 7"], error: float, generator: np.random.Generator
) -> Float[np.ndarray, "curve 7"]:
    """Starts as a network leaves them: each parameter off by a share of its range, [curve, 7].

    Args:
        parameters: [curve, 7].
        error: mean absolute error, as a share of the ranges.
        generator: of the errors, which are uniform in sign and size.
    """
    off = generator.uniform(-2 * error, 2 * error, parameters.shape) * (HIGH - LOW)
    return np.array([within(row) for row in parameters + off])
