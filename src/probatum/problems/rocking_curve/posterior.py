"""What a fit leaves open: samples of the parameters, intervals, and a band for the strain at every depth.

Each mode stands for a normal distribution with its Jacobian's covariance, cut off at the prior's box, with the weight
exp(-chi^2 / 2) sqrt(det covariance); samples carry the prior's density over the box as weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

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

    parameters: Float[np.ndarray, "sample 7"]
    weights: Float[np.ndarray, " sample"]
    shares: Float[np.ndarray, " mode"]

    @property
    def effective(self) -> float:
        """How many samples of equal weight are worth as much."""
        return float(1 / (self.weights**2).sum())

    def intervals(self, level: float = LEVEL) -> tuple[Float[np.ndarray, " 8"], Float[np.ndarray, " 8"]]:
        """Lower and upper ends for the seven parameters and for w, which stands for Rp2: [8] each."""
        values = np.column_stack([self.parameters, gaussian_share(self.parameters)])
        return quantiles(values, self.weights, (1 - level) / 2), quantiles(values, self.weights, (1 + level) / 2)

    def band(
        self, depths: Real[np.ndarray, " depth"], level: float = LEVEL
    ) -> tuple[Float[np.ndarray, " depth"], Float[np.ndarray, " depth"]]:
        """Lower and upper ends of the strain at depths in Angstrom: [depth] each."""
        strains = strain_at(depths, self.parameters)
        return quantiles(strains, self.weights, (1 - level) / 2), quantiles(strains, self.weights, (1 + level) / 2)


def posterior_of(
    modes: tuple[Mode, ...],
    low: Float[np.ndarray, " parameter"],
    high: Float[np.ndarray, " parameter"],
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
    normals = _Normals(modes, low, high, generator, count)
    samples, shares = normals.samples(count), normals.shares
    # The prior, even in the parameters, as a density over the cube.
    densities = np.array([log_prior(sample) for sample in samples])
    weights = np.exp(densities - densities.max())
    return Posterior(parameters_of(samples[:, :7]), weights / weights.sum(), shares)


def effective_share(
    modes: tuple[Mode, ...],
    chi2: Callable[[Float[np.ndarray, " parameter"]], float],
    low: Float[np.ndarray, " parameter"],
    high: Float[np.ndarray, " parameter"],
    generator: np.random.Generator,
    count: int = 100,
) -> float:
    """How much of the normal distributions' samples the posterior itself agrees to: an importance check, 0 to 1.

    Samples of the modes get the weights exp(-chi^2 / 2) prior / proposal; (sum w)^2 / (n sum w^2) is 1 where chi^2 is
    a parabola inside the box, and 1 / n where one sample outweighs all others (Kong, 1992). Below a few hundredths
    valleys bend so much that intervals are nearly right at best.

    Args:
        modes, low, high, generator: as for `posterior_of`.
        chi2: of a point [n].
        count: of samples, each of which costs one curve.
    """
    normals = _Normals(modes, low, high, generator, count)
    samples = normals.samples(count)
    logs = np.array([-chi2(sample) / 2 + log_prior(sample) for sample in samples]) - normals.log_density(samples)
    weights = np.exp(logs - logs.max())
    return float(weights.sum() ** 2 / (len(weights) * (weights**2).sum()))


class _Normals:
    """A normal distribution for each mode, cut off at the box and weighted by what lies under its peak.

    Args:
        modes, low, high, generator: as for `posterior_of`.
        count: of samples that will be asked for at most.
    """

    def __init__(
        self,
        modes: tuple[Mode, ...],
        low: Float[np.ndarray, " parameter"],
        high: Float[np.ndarray, " parameter"],
        generator: np.random.Generator,
        count: int,
    ):
        self.modes, self.generator = modes, generator
        self.values, self.vectors, self.points = [], [], []
        logs, inside = [], []
        for mode in modes:
            values, vectors = np.linalg.eigh(mode.normal)
            # A direction that the data do not see is as wide as the box.
            values = np.maximum(values, 1e-12 * values[-1])
            factor = WIDER * vectors / np.sqrt(values)
            tried = mode.point + generator.normal(size=(_TRIES * count, len(low))) @ factor.T
            within = ((tried >= low) & (tried <= high)).all(1)
            inside.append(max(within.mean(), 1 / len(tried)))
            self.points.append(tried[within] if within.any() else np.clip(tried[:count], low, high))
            self.values.append(values)
            self.vectors.append(vectors)
            logs.append(-mode.chi2 / 2 - np.log(values).sum() / 2)
        self.inside = np.array(inside)
        shares = np.exp(np.array(logs) - max(logs)) * self.inside
        self.shares: Float[np.ndarray, " mode"] = shares / shares.sum()

    def samples(self, count: int) -> Float[np.ndarray, "{count} parameter"]:
        """[count, n], each mode's part in its share."""
        numbers = self.generator.multinomial(count, self.shares)
        chosen = [part[np.arange(number) % len(part)] for part, number in zip(self.points, numbers, strict=True)]
        return np.concatenate(chosen)

    def log_density(self, points: Float[np.ndarray, "point parameter"]) -> Float[np.ndarray, " point"]:
        """[point] up to a constant, within the box."""
        terms = []
        for mode, values, vectors, share, inside in zip(
            self.modes, self.values, self.vectors, self.shares, self.inside, strict=True
        ):
            steps = (points - mode.point) @ vectors
            scale = math.log(max(share, 1e-300) / inside) + np.log(values).sum() / 2
            terms.append(scale - (steps**2 * values).sum(1) / (2 * WIDER**2))
        return np.logaddexp.reduce(terms, axis=0)


def log_prior(point: Float[np.ndarray, " parameter"]) -> float:
    """Logarithm of the prior's density at a point [n] of the box, up to a constant: that of the parameters' volume."""
    row, slopes = np.empty(7), np.empty((7, 7))
    parameters_into(row, slopes, np.ascontiguousarray(point[:7]))
    # Triangular but for the order of its coordinates.
    return math.log(max(abs(float(slopes.diagonal().prod())), 1e-300))


def quantiles(
    values: Real[np.ndarray, "sample column"], weights: Real[np.ndarray, " sample"], share: float
) -> Float[np.ndarray, " column"]:
    """Weighted quantiles of the columns: [column] from [sample, column]."""
    order = np.argsort(values, axis=0)
    heaps = np.cumsum(weights[order], axis=0) - weights[order] / 2
    sorted_values = np.take_along_axis(values, order, axis=0)
    return np.array([
        np.interp(share, heap, column) for heap, column in zip(heaps.T, sorted_values.T, strict=True)
    ])  # fmt: skip
