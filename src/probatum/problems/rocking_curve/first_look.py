"""What a curve says before any fit: whether it can be used, the substrate's peak and its width, the unit of a count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from probatum.errors import DataError
from probatum.problems.rocking_curve.crystals import Reflection
from probatum.problems.rocking_curve.instrument import substrate_peak

FARTHEST = 3600.0
"""Arc-seconds: a strongest peak farther from the Bragg angle is not that of this reflection."""
OUTSIDE = 300.0
"""Arc-seconds beyond the scan's ends at which the substrate's peak is still taken for shifted into it."""
LEAST_CONTRAST = 10.0
"""Of the strongest peak, over the median signal."""
SATURATED = 4
"""Equal largest values side by side that a counter short of its limit does not give."""


@dataclass(frozen=True)
class FirstLook:
    """Read off a curve.

    Attributes:
        peak: index of the strongest angle.
        fwhm: of the peak there, arc-seconds, the step taken off.
        background: the signal of the weakest angles.
    """

    peak: int
    fwhm: float
    background: float


def first_look(seconds: Real[np.ndarray, " angle"], measured: Real[np.ndarray, " angle"], gain: float) -> FirstLook:
    """For angles [angle] in arc-seconds, increasing, their signal [angle] and the signal of one count."""
    at = int(measured.argmax())
    above = measured > measured[at] / 2
    left = at - int(np.argmin(above[at::-1])) if not above[: at + 1].all() else 0
    right = at + int(np.argmin(above[at:])) if not above[at:].all() else len(above) - 1
    step = float(np.median(np.diff(seconds)))
    fwhm = max(float(seconds[right] - seconds[left]) - step, 1.5 * step)
    return FirstLook(at, fwhm, max(float(np.quantile(measured, 0.02)), 0.3 * gain))


def estimated_gain(measured: Real[np.ndarray, " angle"]) -> float:
    """The signal of one count, from how much neighbours scatter: variance = gain x signal. 1 for whole numbers."""
    whole = measured[measured > 0]
    counts = bool(len(whole)) and whole.max() < 2**53 and bool((whole == np.rint(whole)).all())
    if counts and int(np.gcd.reduce(whole.astype(np.int64))) == 1:
        return 1.0
    bends = (measured[:-2] - 2 * measured[1:-1] + measured[2:]) ** 2 / 6
    levels = (measured[:-2] + measured[1:-1] + measured[2:]) / 3
    weak = (levels > 0) & (levels <= np.median(levels))
    least = 1e-9 * float(measured.max())
    # The median of a squared normal deviate is .455 of its mean.
    return max(float(np.median(bends[weak] / levels[weak])) / 0.455, least) if weak.sum() >= 10 else 1e3 * least


def check_curve(
    where: str,
    reflection: Reflection,
    seconds: Real[np.ndarray, " angle"],
    measured: Real[np.ndarray, " angle"],
    zero: float | None = None,
) -> None:
    """Refuses a curve that cannot be that of this reflection, or that no fit should believe.

    Args:
        where: said in errors.
        reflection: of the substrate.
        seconds: [angle] theta_B - theta, arc-seconds, increasing.
        measured: [angle] signal.
        zero: where on this axis the substrate's peak belongs; default: where the crystal has it.

    Raises:
        DataError: nothing was counted, the detector was saturated, the substrate's peak is not in the range, or it
            stands where another reflection's does.
    """
    at, largest = int(measured.argmax()), float(measured.max())
    if largest <= 0:
        raise DataError("every intensity is 0", where=where, remedy="give a curve that was measured")
    together = np.flatnonzero(measured == largest)
    longest = max((len(run) for run in np.split(together, np.flatnonzero(np.diff(together) != 1) + 1)), default=0)
    if longest >= SATURATED:
        raise DataError(
            f"{longest} angles side by side have the largest intensity, {largest:g}: the detector was saturated",
            where=where,
            remedy="measure the peak again with an attenuator, or cut these angles out",
        )
    zero = substrate_peak(reflection)[0] if zero is None else zero
    reason = None
    if not seconds[0] - OUTSIDE <= zero <= seconds[-1] + OUTSIDE:
        reason = f"the scan runs from {seconds[0] - zero:.0f} to {seconds[-1] - zero:.0f} arc-seconds from its place"
    elif at in (0, len(measured) - 1):
        reason = "the strongest intensity is the scan's first or last"
    elif largest < LEAST_CONTRAST * float(np.median(measured)):
        reason = "no angle stands out"
    away = float(seconds[at]) - zero
    if reason is not None and abs(away) <= FARTHEST:
        raise DataError(
            f"no substrate peak in the scan's range: {reason}",
            where=where,
            remedy="measure across the substrate's peak, it is the zero of the strain",
        )
    if abs(away) > FARTHEST:
        raise DataError(
            f"the strongest peak stands {abs(away) / 3600:.3g} degrees from the Bragg angle of {reflection.name}",
            where=where,
            remedy="name the crystal, reflection and wavelength of the measurement, and the axis of the file",
        )


def aligned(
    reflection: Reflection, seconds: Real[np.ndarray, " angle"], measured: Real[np.ndarray, " angle"]
) -> tuple[Float[np.ndarray, " angle"], float]:
    """Angles with the strongest peak where the substrate's belongs, and by how much they were moved; arc-seconds."""
    moved = substrate_peak(reflection)[0] - float(seconds[int(measured.argmax())])
    return seconds + moved, moved
