"""Rocking curves of strained crystals, small: kinematic diffraction by the seven-parameter profile of the log.

The profile is two Gaussians over depth (Boulle & Debelle, Journal of Applied Crystallography 43, 1046 (2010), is the
kind of work it stands for); the curve is the squared sum of what the strained layers and the substrate scatter (Warren,
X-ray Diffraction (1990), chapter 13). Multiple scattering is left out: what is asked of it is how an audit judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Sensitivity, Truth

RANGES: dict[str, tuple[float, float]] = {
    "Dmax1": (0.001, 0.031),
    "D01": (0.0005, 0.0305),
    "L1": (500.0, 7000.0),
    "Rp1": (50.0, 5050.0),
    "D02": (0.001, 0.031),
    "L2": (500.0, 5000.0),
    "Rp2": (-6500.0, 0.0),
}
"""Strain, or depth in angstrom."""
LEAST_STRAIN = 1e-4
LAYER = 100.0
"""Thickness of a sublayer in angstrom."""
SPACING = 1.787
"""Of the (444) planes of GGG, in angstrom."""
ANGLES = 40
COUNTS, BACKGROUND = 400.0, 1.0
"""Of the brightest point, in a quick scan, and of the background."""
TYPICAL = np.array([0.012, 0.001, 4000.0, 2800.0, 0.02, 2500.0, -3000.0])
"""The case whose sensitivities are given."""
EDGE = 0.05
"""Share of the rows at either end of a parameter's range that the log calls edge rows."""


@dataclass(frozen=True)
class SmallRockingCurve(Problem):
    """Strain parameters from rocking curves.

    Attributes:
        rows: simulated curves.
        copies: how many more times edge rows of L2 and Rp2 stand at the end of the data.
        free: the parameters that vary and are predicted; the others are those of the typical case. Rp2 only turns a
            Gaussian into an exponential.
    """

    rows: int = 250
    copies: int = 0
    free: tuple[str, ...] = ("Dmax1", "L1", "Rp1", "L2", "Rp2")

    name: ClassVar[str] = "small_rocking_curve"
    question: ClassVar[str] = "Which strain profile gives a rocking curve?"

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("profile",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        parameters, curves = _simulated(self.rows, draw, self.free)
        shares = in_ranges(parameters)
        edge = np.flatnonzero(edge_rows(shares))
        order = np.concatenate([np.arange(self.rows), *[edge] * self.copies])
        predicted = [list(RANGES).index(name) for name in self.free]
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"draw{draw}-{i}" for i in range(len(order))]),
            observations={"curve": curves[order]},
            units={"curve": "log10 counts"},
            quantities=tuple(Quantity(name, "share of its range") for name in self.free),
            truth=Truth(shares[order][:, predicted]),
            groups={},
            origin=Origin(generator="small_rocking_curve/1", seed=draw, count=self.rows),
            draw=draw,
        )

    @property
    def features(self) -> Mapping[str, Feature]:
        return {
            "curve": Feature("curve", f"log10 of {ANGLES} intensities", lambda d: np.asarray(d.observations["curve"]))
        }

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("curve",)

    def sensitivities(self, task: str) -> tuple[Sensitivity, ...]:
        """At a typical case, of the square root of counts, whose noise is 1/2; parameters in shares of their range."""
        self._check_task(task)
        columns = []
        for name in self.free:
            low, high = RANGES[name]
            step = 1e-3 * (high - low) * (np.array(list(RANGES)) == name)
            up, down = np.sqrt(intensities(np.stack([TYPICAL + step, TYPICAL - step])))
            columns.append((up - down) / 2e-3)
        prior = np.full(len(self.free), 12**-0.5)
        return (Sensitivity("a typical curve", self.free, np.column_stack(columns), 0.5, prior),)


def in_ranges(parameters: np.ndarray) -> np.ndarray:
    """[case, parameter] as shares of the ranges."""
    low, high = np.array(list(RANGES.values())).T
    return (parameters - low) / (high - low)


def edge_rows(shares: np.ndarray) -> np.ndarray:
    """[case] bool: L2 or Rp2 in the lowest or highest twentieth of the rows."""
    ends = shares[:, [list(RANGES).index(name) for name in ("L2", "Rp2")]]
    low, high = np.quantile(ends, [EDGE, 1 - EDGE], axis=0)
    return ((ends < low) | (ends > high)).any(axis=1)


def intensities(parameters: np.ndarray) -> np.ndarray:
    """[case, angle] counts for [case, 7] parameters: |sum_j t exp(2 pi i (s z_j - u_j / d)) + substrate|^2."""
    depth = (np.arange(70) + 0.5) * LAYER
    strain = strains(parameters, depth)
    displacement = np.cumsum(strain, axis=1) * LAYER
    s = np.linspace(-0.018, 0.002, 5 * ANGLES)
    phase = 2 * np.pi * (s[None, :, None] * depth - displacement[:, None, :] / SPACING)
    layers = LAYER * np.exp(1j * phase).sum(axis=2)
    end = depth[-1] + LAYER / 2
    below = np.exp(2j * np.pi * (s * end - displacement[:, -1:] / SPACING)) / (2j * np.pi * (s + 2e-5j))
    intensity = np.abs(layers - below) ** 2
    averaged = intensity.reshape(len(parameters), ANGLES, 5).mean(axis=2)
    return COUNTS * averaged / averaged.max(axis=1, keepdims=True) + BACKGROUND


def strains(parameters: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """[case, depth] strain: a Gaussian that begins with D01, peaks at Rp1 with Dmax1 and ends at L1, and one from D02
    at the surface to L2."""
    top, start, end, peak, start2, end2, peak2 = (p[:, None] for p in parameters.T)
    above = peak**2 / np.log(top / start)
    below = (end - peak) ** 2 / np.log(top / LEAST_STRAIN)
    first = top * np.exp(-((depth - peak) ** 2) / np.where(depth < peak, above, below))
    width = end2 * (end2 - 2 * peak2) / np.log(start2 / LEAST_STRAIN)
    second = start2 * np.exp((peak2**2 - (depth - peak2) ** 2) / width)
    total = first + second
    return np.where(total > LEAST_STRAIN, total, 0.0)


@lru_cache(maxsize=4)
def _simulated(rows: int, draw: int, free: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """[case, 7] parameters, uniform where they are possible, and [case, angle] log10 of Poisson counts."""
    generator = np.random.default_rng([4, draw])
    low, high = np.array(list(RANGES.values())).T
    drawn = generator.uniform(low, high, (40 * rows, len(RANGES)))
    drawn = np.where(np.isin(list(RANGES), free), drawn, TYPICAL)
    top, start, end, peak, start2, end2, _ = drawn.T
    possible = (start < 0.95 * top) & (start + start2 <= 0.03) & (peak <= end) & (end2 <= end)
    parameters = drawn[possible][:rows]
    return parameters, np.log10(generator.poisson(intensities(parameters)) + 1.0)
