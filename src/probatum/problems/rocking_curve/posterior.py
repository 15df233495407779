"""What a fit leaves open: samples of the parameters, intervals, and a band for the strain at every depth.

Each mode stands for a normal distribution with its Jacobian's covariance, cut off at the prior's box, with the weight
exp(-chi^2 / 2) sqrt(det covariance); samples carry the prior's density over the box as weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from probatum.problems.rocking_curve.coordinates import parameters_into, parameters_of
from probatum.problems.rocking_curve.inversion import Mode
from probatum.problems.rocking_curve.profile import gaussian_share, strain_at

LEVEL = 0.9
WIDER = 1.08
"""Factor on the normal distributions' deviations: with 1, 90 % intervals covered .87 over 150 simulated curves, as
valleys bend and a mode may be missed."""
_TRIES = 20


@dataclass(frozen=True, eq=False)
class Posterior:
    """Samples of the parameters.

    Attributes:
        parameters: [sample, 7] in the order of `profile.PARAMETERS`.
        weights: [sample] of sum 1.
        shares: [mode] the modes' shares of the samples.
    """

    parameters: np.ndarray
    weights: np.ndarray
    shares: np.ndarray

    @property
    def effective(self) -> float:
        """How many samples of equal weight are worth as much."""
        return float(1 / (self.weights**2).sum())

    def intervals(self, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends for the seven parameters and for w, which stands for Rp2: [8] each."""
        values = np.column_stack([self.parameters, gaussian_share(self.parameters)])
        return quantiles(values, self.weights, (1 - level) / 2), quantiles(values, self.weights, (1 + level) / 2)

    def band(self, depths: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends of the strain at depths in Angstrom: [depth] each."""
        strains = strain_at(depths, self.parameters)
        return quantiles(strains, self.weights, (1 - level) / 2), quantiles(strains, self.weights, (1 + level) / 2)


def posterior_of(
    modes: tuple[Mode, ...],
    low: np.ndarray,
    high: np.ndarray,
    generator: np.random.Generator,
    count: int = 400,
) -> Posterior:
    """Samples around the modes.

    Args:
        modes: of a fit.
        low, high: [n] its box.
        generator: of the samples.
        count: of samples.
    """
    factors, logs = [], []
    for mode in modes:
        values, vectors = np.linalg.eigh(mode.normal)
        # A direction that the data do not see is as wide as the box.
        values = np.maximum(values, 1e-12 * values[-1])
        factors.append(WIDER * vectors / np.sqrt(values))
        logs.append(-mode.chi2 / 2 - np.log(values).sum() / 2)
    points, inside = [], []
    for mode, factor in zip(modes, factors, strict=True):
        tried = mode.point + generator.normal(size=(_TRIES * count, len(low))) @ factor.T
        within = ((tried >= low) & (tried <= high)).all(1)
        inside.append(max(within.mean(), 1 / len(tried)))
        kept = tried[within] if within.any() else np.clip(tried[:count], low, high)
        points.append(kept)
    shares = np.exp(np.array(logs) - max(logs)) * np.array(inside)
    shares /= shares.sum()
    numbers = generator.multinomial(count, shares)
    chosen = [part[np.arange(number) % len(part)] for part, number in zip(points, numbers, strict=True)]
    samples = np.concatenate(chosen)
    parameters = parameters_of(samples[:, :7])
    volume, slopes, row = np.empty(count), np.empty((7, 7)), np.empty(7)
    for k, sample in enumerate(samples):
        parameters_into(row, slopes, np.ascontiguousarray(sample[:7]))
        # Triangular but for the order of its coordinates: the prior, even in the parameters, as a density over the
        # cube.
        volume[k] = math.log(max(abs(float(slopes.diagonal().prod())), 1e-300))
    weights = np.exp(volume - volume.max())
    return Posterior(parameters, weights / weights.sum(), shares)


def quantiles(values: np.ndarray, weights: np.ndarray, share: float) -> np.ndarray:
    """Weighted quantiles of the columns: [column] from [sample, column]."""
    order = np.argsort(values, axis=0)
    heaps = np.cumsum(weights[order], axis=0) - weights[order] / 2
    sorted_values = np.take_along_axis(values, order, axis=0)
    return np.array([
        np.interp(share, heap, column) for heap, column in zip(heaps.T, sorted_values.T, strict=True)
    ])  # fmt: skip
