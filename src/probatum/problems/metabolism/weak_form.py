"""The weak form: rates tested with smooth functions, so that nothing is differentiated.

    h sum_t phi(t) y_i(t) = sum_j S_ij k_j h sum_t phi(t) p_j(t).

With phi = 0 at both ends, summation by parts moves the difference of c onto phi: -sum_t (phi(t) - phi(t-1)) c(t). It is
the rule for sums, not for integrals, so it is exact for data of Euler's method. Functions that differ only by a shift
have correlated errors; a window's are combined so that the errors of c become white.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import linalg

from probatum.problems.metabolism.regression import Form

POWER = 3
"""Of the test functions (1 - u^2)^POWER on -1 < u < 1."""


def weak_form(step: float, frames: int = 60, width: int = 20, spacing: int = 2) -> Form:
    """Test functions within windows.

    Args:
        step: h, time of a frame.
        frames: steps in a window.
        width: frames that a test function spans.
        spacing: frames from one test function to the next.
    """
    centres = np.arange(width / 2 - 0.5, frames - width / 2 + 0.5, spacing)
    u = (np.arange(frames) - centres[:, None]) / (width / 2)
    phi = np.where(np.abs(u) < 1, (1 - np.minimum(u * u, 1.0)) ** POWER, 0.0)
    return Form(f"weak form, test functions {width} frames wide", whitened(phi, step), frames)


def whitened(phi: Float[np.ndarray, "function frame"], step: float) -> Float[np.ndarray, "combination frame"]:
    """Combinations of test functions under which white errors of c stay white.

    phi applied to differences of c is D = phi difference / h applied to c; R phi with R D D^T R^T = 1 is wanted, and
    given by the eigenvectors of D D^T, without those that are 0 to rounding.

    Args:
        phi: [function, frame].
        step: h.
    """
    edged = np.pad(phi, ((0, 0), (1, 1)))
    D = -np.diff(edged, axis=1) / step
    values, vectors = linalg.eigh(D @ D.T)
    real = values > values[-1] * 1e-10
    return (vectors[:, real] / np.sqrt(values[real])).T @ phi
