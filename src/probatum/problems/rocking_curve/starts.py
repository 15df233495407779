"""Where searches begin: curves of the prior simulated for the user's own crystal and scan, the nearest ones first.

And from a minimum, other parameters with nearly the same profile: beside them another minimum may lie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from probatum.problems.rocking_curve import coordinates, prior
from probatum.problems.rocking_curve.levenberg_marquardt import minimise
from probatum.problems.rocking_curve.observation import Instrument, Observation
from probatum.problems.rocking_curve.profile import LARGEST_AT_SURFACE, LOW, end_of
from probatum.problems.rocking_curve.residuals import Smoothed
from probatum.problems.rocking_curve.slices import strains_into
from probatum.problems.rocking_curve.two_part_model import COARSE, DEEPEST, TwoPartModel

CURVES = 4000
_EVERY, _SMOOTHING = 4, 12.0
"""Angles between those compared; deviation, in angles, of the smoothing."""
FLOOR = 1e-3
"""Of a curve's own peak: the signal that is added before logarithms are compared."""


@dataclass(frozen=True, eq=False)
class Library:
    """Simulated curves of one crystal and scan.

    Attributes:
        points: [curve, 7] in the unit cube.
        logarithms: two [curve, ...] float32, of curves over their substrate's peak, at every fourth angle and smoothed.
        peak: reflectivity of the substrate's peak after the instrument, the median over curves.
    """

    points: Float[np.ndarray, "curve 7"]
    logarithms: tuple[Float[np.ndarray, "curve few"], Float[np.ndarray, "curve smoothed"]]
    peak: float

    @classmethod
    def simulated(cls, observation: Observation, count: int = CURVES, seed: int = 0) -> Library:
        """Curves of profiles drawn from the prior, for the FWHM of the observation's instrument."""
        points = coordinates.points_of(prior.draw(count, np.random.default_rng(seed)))
        model = TwoPartModel(
            Observation(
                observation.reflection, observation.seconds, Instrument(observation.instrument.fwhm, 1.0, 0.0),
                depth=DEEPEST, pi_weight=observation.pi_weight, fine=1.0,
            ),
            COARSE,
        )  # fmt: skip
        curves = np.array([model.signal(point) for point in points])
        peak = float(np.median(curves.max(1)))
        return cls(points, _features(curves / peak), peak)

    def nearest(self, share: Real[np.ndarray, " angle"], count: int) -> Float[np.ndarray, "start 7"]:
        """The points of the curves nearest to a measured one, in logarithms: [count, 7].

        Args:
            share: [angle] signal above background, over its substrate's peak.
            count: of points.
        """
        orders = [
            np.argsort(((known - wanted) ** 2).sum(1))
            for known, wanted in zip(self.logarithms, _features(np.maximum(share, 0.0)), strict=True)
        ]
        # The two orders in turns, each curve once: one sees fringes, the other where the signal lies.
        turns = np.stack(orders, axis=1).ravel()
        _, first = np.unique(turns, return_index=True)
        return self.points[turns[np.sort(first)[:count]]]


def _features(
    shares: Real[np.ndarray, "*curve angle"],
) -> tuple[Float[np.ndarray, "*curve few"], Float[np.ndarray, "*curve smoothed"]]:
    logarithms = np.log(shares + FLOOR)
    smooth = Smoothed(np.ones(shares.shape[-1]), _SMOOTHING, 0.0).smoothing
    return logarithms[..., ::_EVERY].astype(np.float32), (logarithms @ smooth.T).astype(np.float32)


def other_profiles(point: Float[np.ndarray, " parameter"], count: int) -> Float[np.ndarray, "start parameter"]:
    """Points whose profile is nearly that of this one though their parameters are others, the most alike first.

    The two parts can share out one strain in several ways. Searches over the profile alone cost no diffraction.

    Args:
        point: [n] of a fit.
        count: of points wanted.

    Returns:
        [start, n], at most `count`; points beside the given one, and beside each other, are left out.
    """
    parameters = coordinates.parameters_of(point[:7])
    depths = np.linspace(0.0, end_of(parameters), _DEPTHS)
    wanted, slopes = np.empty(_DEPTHS), np.empty((7, _DEPTHS))
    strains_into(wanted, slopes, depths, np.ascontiguousarray(point[:7]))

    def residuals(at: Float[np.ndarray, " 7"]) -> tuple[Float[np.ndarray, " depth"], Float[np.ndarray, "7 depth"]]:
        strain, slopes = np.empty(_DEPTHS), np.empty((7, _DEPTHS))
        strains_into(strain, slopes, depths, at)
        return (strain - wanted) / _STRAIN, slopes / _STRAIN

    found = []
    for start in _shared_out_again(parameters):
        minimum = minimise(residuals, start, np.zeros(7), np.ones(7), most=15, tolerance=1e-2)
        found.append((minimum.cost, minimum.point))
    found.sort(key=lambda pair: pair[0])
    kept: list[Float[np.ndarray, " 7"]] = []
    for _, other in found:
        if all(np.abs(other[:6] - seen[:6]).max() > _ALIKE for seen in (point, *kept)):
            kept.append(other)
    return np.array([np.concatenate([other, point[7:]]) for other in kept[:count]]).reshape(-1, len(point))


_DEPTHS = 40
_STRAIN = 1e-4
_ALIKE = 0.05


def _shared_out_again(parameters: Float[np.ndarray, " 7"]) -> Float[np.ndarray, "start 7"]:
    """Points with the surface strain and the depth of these parameters, the second part otherwise: [start, 7]."""
    D01, L1, D02 = parameters[[1, 2, 4]]
    total = min(D01 + D02, LARGEST_AT_SURFACE)
    found = []
    for part in (0.12, 0.5, 0.88):
        for L2, share in ((700.0, 0.1), (1800.0, 0.1), (3500.0, 0.1), (4500.0, 0.8)):
            given = parameters.copy()
            given[4] = np.clip(part * total, LOW[4], max(total - LOW[1], LOW[4]))
            given[1] = max(total - given[4], LOW[1])
            given[0] = max(given[0], given[1])
            given[5] = min(L2, L1)
            other = coordinates.points_of(given)
            other[6] = share
            found.append(other)
    return np.array(found)
