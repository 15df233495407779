"""The plain form: one equation for each frame, by forward differences.

Exact for data of Euler's method. Central differences, or a smoothed derivative, are not: they describe another course.
"""

from __future__ import annotations

import numpy as np

from probatum.problems.metabolism.regression import Form


def forward_differences(frames: int = 30) -> Form:
    """Phi = 1. Windows only say what is left out together, and count as independent for standard errors."""
    return Form(f"forward differences, windows of {frames} frames", np.eye(frames), frames)
