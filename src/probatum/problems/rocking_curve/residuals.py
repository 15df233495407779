"""How a fit compares an expected signal with a measured one: coarsely at first, by counting statistics in the end.

Far from the truth fringes stand in the wrong places and every shift makes the squared difference worse; what is left of
both curves after smoothing over many angles has no fringes and leads the way. So a fit goes through residuals

    smoothed:  S (ln(I + c) - ln(y + c)),  S a Gaussian over angles, kept at a few angles a deviation
    counted:   2 (sqrt(I + 1/8) - sqrt(y + 3/8)),  of unit variance for Poisson counts y (Anscombe)

y may be counts in another unit: `gain` is the signal of one count.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Real

from probatum.problems.rocking_curve.levenberg_marquardt import Residuals


class Smoothed:
    """Differences of logarithms, smoothed.

    Args:
        measured: [angle] signal.
        deviation: of the Gaussian, in angles.
        floor: c, a signal below which curves may differ.
    """

    def __init__(self, measured: Real[np.ndarray, " angle"], deviation: float, floor: float):
        count = len(measured)
        self.floor = floor
        spacing = max(1.0, deviation / 2)
        kept = np.arange(0.0, count - 1 + spacing / 2, spacing)
        weights = np.exp(-(((np.arange(count) - kept[:, None]) / deviation) ** 2) / 2)
        self.smoothing = weights / weights.sum(1, keepdims=True)
        self.target = self.smoothing @ np.log(measured + floor)

    def of(
        self, signal: Real[np.ndarray, " angle"], slopes: Real[np.ndarray, "parameter angle"]
    ) -> tuple[Float[np.ndarray, " residual"], Float[np.ndarray, "parameter residual"]]:
        """Residuals [m] and their derivatives [n, m]."""
        lifted = signal + self.floor
        return self.smoothing @ np.log(lifted) - self.target, (slopes / lifted) @ self.smoothing.T


class Counted:
    """Differences of square roots, in standard deviations.

    Args:
        measured: [angle] signal.
        gain: signal of one count.
        random: False for a signal that is its own expectation: then it is compared without Anscombe's correction, which
            would leave a difference at the truth.
    """

    def __init__(self, measured: Real[np.ndarray, " angle"], gain: float = 1.0, random: bool = True):
        self.gain, self.shift = gain, 1 / 8 if random else 3 / 8
        self.target = 2 * np.sqrt(measured / gain + 3 / 8)

    def of(
        self, signal: Real[np.ndarray, " angle"], slopes: Real[np.ndarray, "parameter angle"]
    ) -> tuple[Float[np.ndarray, " angle"], Float[np.ndarray, "parameter angle"]]:
        """Residuals [m] and their derivatives [n, m]."""
        roots = np.sqrt(signal / self.gain + self.shift)
        return 2 * roots - self.target, slopes / (self.gain * roots)


@runtime_checkable
class SignalModel(Protocol):
    """What is fitted."""

    def signal_and_slopes(
        self, point: Float[np.ndarray, " parameter"]
    ) -> tuple[Float[np.ndarray, " angle"], Float[np.ndarray, "parameter angle"]]:
        """The expected signal [m] at a point [n], and its derivatives [n, m]."""
        ...


@runtime_checkable
class Comparison(Protocol):
    """A signal beside a measured one."""

    def of(
        self, signal: Real[np.ndarray, " angle"], slopes: Real[np.ndarray, "parameter angle"]
    ) -> tuple[Float[np.ndarray, " residual"], Float[np.ndarray, "parameter residual"]]:
        """Residuals [m] and their derivatives [n, m]."""
        ...


def compared(model: SignalModel, comparison: Comparison) -> Residuals:
    """The residuals of a model's signal."""

    def residuals(
        point: Float[np.ndarray, " parameter"],
    ) -> tuple[Float[np.ndarray, " residual"], Float[np.ndarray, "parameter residual"]]:
        return comparison.of(*model.signal_and_slopes(point))

    return residuals
