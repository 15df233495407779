"""Problems that tell more of a fit than its score: what a record of experiments prints beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Diagnosed(Protocol):
    """A problem with diagnostics of its fits.

    Attributes:
        headline: the diagnostic that says how far an experiment came: above .9 it converged, below .1 it failed.
        deviations: diagnostics that are a curve's largest error, as a share of the true curve's largest value.
    """

    @property
    def headline(self) -> str: ...

    @property
    def deviations(self) -> tuple[str, ...]: ...

    def diagnostics(self, task: str, draw: int, curves: Mapping[str, np.ndarray]) -> Mapping[str, float]:
        """Name to number, in the order in which they are to be printed; {} where the curves tell nothing.

        Args:
            task, draw: of the fit.
            curves: that its learner kept.
        """
        ...
