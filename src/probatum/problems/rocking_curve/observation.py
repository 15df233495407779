"""From reflectivity on nodes to the signal of one scan, with derivatives to parameters of layers and instrument.

    I(x) = scale (R * g)(x - shift) + background + diffuse / (1 + ((x - centre) / width)^2)

g is a Gaussian of full width at half maximum FWHM. A free part's coordinate is its logarithm, for shift and centre
itself. Importing this module imports numba.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float, Real

from probatum.problems.rocking_curve.crystals import Reflection
from probatum.problems.rocking_curve.instrument import Blur, nodes_for

LINEAR = ("shift", "centre")
LARGEST_SHIFT = 40.0
"""Arc-seconds."""


@dataclass(frozen=True)
class Instrument:
    """What stands between reflectivity and signal.

    Attributes:
        fwhm: of the Gaussian, arc-seconds.
        scale: signal of a perfect mirror.
        background: constant signal.
        shift: by which the scan's angles are too large, arc-seconds.
        diffuse, centre, width: height, centre and half width at half maximum of diffuse scattering; arc-seconds.
    """

    fwhm: float
    scale: float
    background: float
    shift: float = 0.0
    diffuse: float = 0.0
    centre: float = 0.0
    width: float = 300.0


NAMES = tuple(field.name for field in fields(Instrument))


class Observation:
    """One scan of one crystal.

    Args:
        reflection: of the substrate.
        seconds: [angle] theta_B - theta, arc-seconds, increasing.
        instrument: values of what is not free.
        free: names of parts of the instrument that a fit may change, in the order of its coordinates.
        depth: of the deepest layers, Angstrom.
        fwhms: arc-seconds between which a free FWHM may go; default: the instrument's alone.
        pi_weight: as in `physics.reflectivity`.
        fine: as in `instrument.nodes_for`.
    """

    def __init__(
        self,
        reflection: Reflection,
        seconds: Real[np.ndarray, " angle"],
        instrument: Instrument,
        free: tuple[str, ...] = (),
        *,
        depth: float,
        fwhms: tuple[float, float] | None = None,
        pi_weight: float = 0.0,
        fine: float = 0.5,
    ):
        self.reflection, self.seconds, self.pi_weight = reflection, seconds, pi_weight
        self.instrument, self.free = instrument, free
        self.fwhms = fwhms or (instrument.fwhm, instrument.fwhm)
        margin = LARGEST_SHIFT if "shift" in free else abs(instrument.shift)
        wide = np.concatenate([[seconds[0] - margin], seconds, [seconds[-1] + margin]])
        self.nodes = nodes_for(reflection, wide, *self.fwhms, depth, fine)
        self._blurs: dict[tuple[float, float], Blur] = {}

    def coordinates(self, instrument: Instrument) -> Float[np.ndarray, " free"]:
        """[free] of an instrument."""
        values = [(name, getattr(instrument, name)) for name in self.free]
        return np.array([value if name in LINEAR else math.log(max(value, 1e-300)) for name, value in values])

    def instrument_at(self, coordinates: Float[np.ndarray, " free"]) -> Instrument:
        """With the free parts as the coordinates have them."""
        pairs = zip(self.free, coordinates, strict=True)
        return replace(self.instrument, **{
            name: float(value) if name in LINEAR else math.exp(value) for name, value in pairs
        })  # fmt: skip

    def blur(self, instrument: Instrument) -> Blur:
        """The instrument function at the scan's angles; the last one is kept."""
        key = instrument.fwhm, instrument.shift
        if key not in self._blurs:
            self._blurs = {key: Blur.of(self.nodes, self.seconds - instrument.shift, instrument.fwhm)}
        return self._blurs[key]

    def signal_and_slopes(
        self, curves: Float[np.ndarray, "curve node"], coordinates: Float[np.ndarray, " free"]
    ) -> tuple[Float[np.ndarray, " angle"], Float[np.ndarray, "parameter angle"]]:
        """The signal [angle] and its derivatives.

        Args:
            curves: [1 + layers' parameter, node] reflectivity and its derivatives.
            coordinates: [free].

        Returns:
            [angle] and [layers' parameter + free, angle].
        """
        instrument = self.instrument_at(coordinates)
        blur = self.blur(instrument)
        blurred = np.empty((len(curves), len(self.seconds)))
        blur.of_curves_into(blurred, curves)
        blurred *= instrument.scale
        away = (self.seconds - instrument.centre) / instrument.width
        bell = instrument.diffuse / (1 + away * away)
        slopes = np.empty((len(curves) - 1 + len(self.free), len(self.seconds)))
        slopes[: len(curves) - 1] = blurred[1:]
        for row, name in enumerate(self.free, start=len(curves) - 1):
            if name == "scale":
                slopes[row] = blurred[0]
            elif name == "background":
                slopes[row] = instrument.background
            elif name == "fwhm":
                blur.slope_into(slopes[row : row + 1], curves[:1])
                slopes[row] *= instrument.scale * instrument.fwhm
            elif name == "shift":
                slopes[row] = -np.gradient(blurred[0], self.seconds)
            elif name == "diffuse":
                slopes[row] = bell
            else:  # the Lorentzian's centre and width
                steep = 2 * bell * away / (1 + away * away)
                slopes[row] = steep / instrument.width if name == "centre" else steep * away
        return blurred[0] + instrument.background + bell, slopes
