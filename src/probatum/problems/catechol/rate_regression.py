"""From descriptors of a solvent to the deviations of its log-parameters from those of the mean solvent.

A Gaussian process in closed form (C. Rasmussen, C. Williams, Gaussian Processes for Machine Learning (2006), equations
2.25 and 5.12), or the mean of several that each see some of the descriptors (T. K. Ho, The random subspace method for
constructing decision forests, IEEE Transactions on Pattern Analysis and Machine Intelligence 20 (1998) 832): with fewer
solvents than descriptors no single choice of descriptors is to be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

LENGTHS = (np.inf, 1.0, 2.0)
"""Kernels to choose from: a length scale in root mean square standard deviations; infinite: the linear kernel."""
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
"""Noise variances to choose from, in units of the kernel's own variance; the last nearly gives the mean."""
PARTS, ROUNDS = 3, 14
"""Subspaces are the descriptors dealt into so many parts, so many times, always the same way."""


@dataclass(frozen=True, eq=False)
class RateRegression:
    """One process, or the mean of several.

    Attributes:
        length: of the kernel; infinite for the linear one.
        strength: noise variance.
        known: [solvent, descriptor] standardised.
        shares: [process, descriptor] weight of each descriptor in a process' kernel, of sum 1.
        coefficients: [process, solvent, parameter].
        errors: [solvent, parameter] true minus predicted deviation of each solvent left out.
    """

    length: float
    strength: float
    known: Float[np.ndarray, "solvent descriptor"]
    shares: Float[np.ndarray, "process descriptor"]
    coefficients: Float[np.ndarray, "process solvent parameter"]
    errors: Float[np.ndarray, "solvent parameter"]

    @classmethod
    def of(
        cls,
        length: float,
        strength: float,
        shares: Float[np.ndarray, "process descriptor"],
        known: Float[np.ndarray, "solvent descriptor"],
        deviations: Float[np.ndarray, "solvent parameter"],
    ) -> RateRegression:
        """Learned from deviations [solvent, parameter] of solvents with descriptors `known`."""
        inverse = np.linalg.inv(kernels(known, known, shares, length) + strength * np.eye(len(known)))
        coefficients = inverse @ deviations
        left_out = coefficients / np.diagonal(inverse, axis1=1, axis2=2)[:, :, None]
        return cls(length, strength, known, shares, coefficients, left_out.mean(axis=0))

    def without(
        self, solvents: Int[np.ndarray, " left"], deviations: Float[np.ndarray, "solvent parameter"]
    ) -> RateRegression:
        """The same learned without some solvents, given by number; `deviations` are those of all."""
        others = np.setdiff1d(np.arange(len(self.known)), solvents)
        return RateRegression.of(self.length, self.strength, self.shares, self.known[others], deviations[others])

    def __call__(self, descriptors: Float[np.ndarray, "row descriptor"]) -> Float[np.ndarray, "row parameter"]:
        """[row, parameter] for [row, descriptor] standardised."""
        return (kernels(descriptors, self.known, self.shares, self.length) @ self.coefficients).mean(axis=0)


def candidates(
    known: Float[np.ndarray, "solvent descriptor"], deviations: Float[np.ndarray, "solvent parameter"]
) -> list[RateRegression]:
    """Every kernel and strength, once with all descriptors and once with parts of them."""
    return [
        RateRegression.of(length, strength, shares, known, deviations)
        for shares in (whole(known.shape[1]), parts(known.shape[1]))
        for length in LENGTHS
        for strength in STRENGTHS
    ]


def whole(descriptors: int) -> Float[np.ndarray, "1 descriptor"]:
    """[1, descriptor] shares: one process that sees all descriptors."""
    return np.full((1, descriptors), 1 / descriptors)


def parts(descriptors: int) -> Float[np.ndarray, "process descriptor"]:
    """[process, descriptor] shares: processes that see a third each, every descriptor in equally many."""
    generator = np.random.default_rng(0)
    dealt = [
        part
        for _ in range(ROUNDS)
        for part in np.array_split(generator.permutation(descriptors), min(PARTS, descriptors))
    ]
    shares = np.zeros((len(dealt), descriptors))
    for share, part in zip(shares, dealt, strict=True):
        share[part] = 1 / len(part)
    return shares


def kernels(
    one: Float[np.ndarray, "one descriptor"],
    other: Float[np.ndarray, "other descriptor"],
    shares: Float[np.ndarray, "process descriptor"],
    length: float,
) -> Float[np.ndarray, "process one other"]:
    """[process, one, other]: linear for an infinite length, else exp(-d^2 / (2 length^2)), weighted by `shares`."""
    if np.isinf(length):
        return (one * shares[:, None, :]) @ other.T
    squared = np.moveaxis((one[:, None, :] - other[None]) ** 2 @ shares.T, 2, 0)
    return np.exp(-squared / (2 * length**2))
