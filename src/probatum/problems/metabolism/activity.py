"""How many components a course of concentrations has."""

from __future__ import annotations

import numpy as np
from jaxtyping import Real

SHARE = 0.99


def activity_rank(concentrations: Real[np.ndarray, "frame metabolite"], share: float = SHARE) -> int:
    """The least number of components that hold this share of the energy, the sum of squared singular values.

    Nothing is centred, so the mean course is the first component, as in the exploration whose regimes are named so.

    Args:
        concentrations: [frame, metabolite].
        share: of the energy.
    """
    energy = np.cumsum(np.linalg.svd(concentrations, compute_uv=False) ** 2)
    # The sum of all rounds to a little less than itself: never more than there are.
    return int(min(np.searchsorted(energy, share * energy[-1]) + 1, len(energy)))
