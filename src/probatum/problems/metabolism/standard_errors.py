"""Standard errors of constants from a linear form, and the bound that no unbiased estimate can beat."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import linalg

from probatum.errors import FitError
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.regression import Regression
from probatum.problems.metabolism.shooting_kernel import slopes_into
from probatum.problems.metabolism.trajectory import Trajectory


def sandwich(
    regression: Regression, constants: Float[np.ndarray, " reaction"]
) -> Float[np.ndarray, "reaction reaction"]:
    """Covariance of constants that rests on no model of the errors within a window, [reaction, reaction] float64.

    G^-1 (sum_w s_w s_w^T) G^-1 with s_w = X_w^T W (y_w - X_w k): windows count as independent, whatever happens inside
    them (Liang and Zeger, Biometrika 73, 13, 1986), times W / (W - 1) for W windows. It does not see a bias, and errors
    in the regressors cause one.

    Args:
        regression: under any form, of full rank.
        constants: k, [reaction], its solution.

    Raises:
        FitError: the regressor's rank is not full, or there is one window alone.
    """
    scores = regression.scores(constants)
    windows = len(scores)
    if windows < 2:
        raise FitError(
            "one window alone has no spread",
            where="standard errors",
            remedy="measure for longer, or cut shorter windows",
        )
    try:
        factor = linalg.cho_factor(regression.normal_equations.gram.toarray())
    except linalg.LinAlgError:
        raise FitError(
            "the regressor's rank is not full",
            where="standard errors",
            remedy="reduce the network to identifiable constants first",
        ) from None
    bread = linalg.cho_solve(factor, scores.T)
    return windows / (windows - 1) * bread @ bread.T


def cramer_rao(
    metabolism: Metabolism, trajectory: Trajectory, constants: Float[np.ndarray, " reaction"], window: int
) -> Float[np.ndarray, " reaction"]:
    """The least variance of k if every window of the course had a start of its own, unknown: [reaction] float64.

    The inverse of sum_w (J_k^T J_k - J_k^T J_z (J_z^T J_z)^-1 J_z^T J_k) / sigma^2, J the derivatives of a window's
    states by k and by its start z. It falls with the window's length; a fit whose windows must meet may go below it.

    Args:
        metabolism: of full rank.
        trajectory: the true course, with the noise that measurements of it have.
        constants: k, [reaction].
        window: frames in a window.
    """
    c, m = trajectory.concentrations, trajectory.concentrations.shape[1]
    information = np.zeros((len(constants), len(constants)))
    slopes = np.empty((window, m, m + len(constants)))
    for start in range(0, len(c) - window + 1, window):
        states = np.ascontiguousarray(c[start : start + window])
        slopes_into(slopes, states[:-1], states[-1], constants, trajectory.step, *metabolism.packed)
        J = slopes.reshape(-1, m + len(constants))
        M = J.T @ J
        # Starts that vanish within the window (a clamp) carry no information; a tiny prior keeps the solution defined.
        starts = M[:m, :m] + 1e-12 * np.trace(M[:m, :m]) / m * np.eye(m)
        information += M[m:, m:] - M[m:, :m] @ linalg.solve(starts, M[:m, m:], assume_a="pos")
    return trajectory.noise**2 * np.diag(linalg.inv(information))
