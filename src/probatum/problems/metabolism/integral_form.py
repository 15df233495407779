"""The integral form: concentrations themselves, as sums of rates from the start of a window, which is free.

    c_i(t_0 + s) - a_i = h sum_{u < s} (sum_j S_ij k_j p_j - lambda_i (c_i - c0_i)),   s = 0 ... L,

The free start a_i leaves the equations with the mean over the window taken off. Measurement errors of c on the left
are white in this form, so least squares weighs them rightly, and sums average the errors of p on the right.
"""

from __future__ import annotations

import numpy as np

from probatum.problems.metabolism.regression import Form


def integral_form(step: float, frames: int = 60) -> Form:
    """Phi = (1 - mean) h L, L the matrix of sums from the start, [frames + 1, frames].

    Args:
        step: h, time of a frame.
        frames: L, steps in a window.
    """
    sums = step * np.tril(np.ones((frames + 1, frames)), -1)
    return Form(f"integral form, windows of {frames} frames", sums - sums.mean(axis=0), frames)
