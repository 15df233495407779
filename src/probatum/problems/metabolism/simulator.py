"""Simulated metabolisms as the exploration has them, and what is measured of them.

c(0) ~ U[1, 9], log10 k ~ U[low, -1], homeostasis of two types, Euler steps of 0.1, 2880 frames. The lower the range of
log10 k reaches, the fewer components the course has (`activity`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float, Real

from probatum.errors import DataError, UnknownNameError
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.structure import Network
from probatum.problems.metabolism.trajectory import LARGEST, Trajectory

STEP, FRAMES = 0.1, 2880
STARTS = (1.0, 9.0)
DECAYS, LEVELS = (0.001, 0.002), (4.0, 6.0)
"""Of the first half of the metabolites, and of the others."""

REGIMES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"rank 50": (-2.0, -1.0), "rank 20": (-2.5, -1.0), "rank 12": (-3.0, -1.0)}
)
"""Ranges of log10 k, named for the activity rank that 100 metabolites have about then."""


@dataclass(frozen=True, eq=False)
class Course:
    """What a simulation gave.

    Attributes:
        metabolism: what ran.
        constants: k, [reaction] float64.
        step: time of a frame.
        concentrations: [frame, metabolite] float64, before measurement.
        clamped: [frame, metabolite] bool: where a concentration was lifted to 0.
    """

    metabolism: Metabolism
    constants: Float[np.ndarray, " reaction"]
    step: float
    concentrations: Float[np.ndarray, "frame metabolite"]
    clamped: Bool[np.ndarray, "frame metabolite"]

    def measured(self, noise: float, generator: np.random.Generator | None = None) -> Trajectory:
        """With independent Gaussian errors of this standard deviation; none for 0, and no generator needed.

        Raises:
            DataError: the noise is negative or not finite, or there is no generator to draw it.
        """
        if not (np.isfinite(noise) and noise >= 0):
            raise DataError(f"a noise of {noise:g}", where="noise", remedy="give a standard deviation of 0 or more")
        if noise == 0:
            return Trajectory(self.step, self.concentrations)
        if generator is None:
            raise DataError("noise without a generator", where="generator", remedy="give numpy's default_rng(seed)")
        errors = generator.normal(scale=noise, size=self.concentrations.shape)
        return Trajectory(self.step, self.concentrations + errors, float(noise))


def two_types(network: Network) -> Metabolism:
    """The network with the homeostasis of `DECAYS` and `LEVELS`."""
    second = np.arange(len(network.metabolites)) >= len(network.metabolites) // 2
    return Metabolism(network, np.where(second, DECAYS[1], DECAYS[0]), np.where(second, LEVELS[1], LEVELS[0]))


def constants(
    network: Network, generator: np.random.Generator, regime: str = "rank 50"
) -> Float[np.ndarray, " reaction"]:
    """k, [reaction] float64, log10 uniform over the regime's range.

    Raises:
        UnknownNameError: for the regime.
    """
    if regime not in REGIMES:
        raise UnknownNameError.of("regime", regime, REGIMES)
    return 10 ** generator.uniform(*REGIMES[regime], len(network.reactions))


def starts(network: Network, generator: np.random.Generator) -> Float[np.ndarray, " metabolite"]:
    """c(0), [metabolite] float64, uniform over `STARTS`."""
    return generator.uniform(*STARTS, len(network.metabolites))


def simulate(
    metabolism: Metabolism,
    start: Real[np.ndarray, " ..."],
    constants: Real[np.ndarray, " ..."],
    frames: int = FRAMES,
    step: float = STEP,
    process_noise: float = 0.0,
    generator: np.random.Generator | None = None,
) -> Course:
    """A course by Euler's method.

    Args:
        metabolism: what runs.
        start: [metabolite] concentrations of the first frame.
        constants: k, [reaction].
        frames: how many, the first included.
        step: time of a frame.
        process_noise: standard deviation, per square root of time, of white noise that moves every metabolite.
        generator: draws it.

    Raises:
        DataError: sizes do not fit, a number is negative or not finite, or the course runs away.
    """
    network = metabolism.network
    for name, values, count in (
        ("start", start, len(network.metabolites)), ("constants", constants, len(network.reactions))
    ):  # fmt: skip
        values = np.asarray(values)
        if values.shape != (count,) or not np.isfinite(values).all() or (values < 0).any():
            raise DataError(
                f"of shape {values.shape}, or with a negative or missing number",
                where=name,
                remedy=f"give {count} finite numbers of 0 or more",
            )
    if frames < 1 or not step > 0 or not process_noise >= 0:
        raise DataError(
            f"{frames} frames of {step:g} with process noise {process_noise:g}",
            where="the simulation",
            remedy="give at least one frame, a step above 0, and noise of 0 or more",
        )
    noise = None
    if process_noise:
        if generator is None:
            raise DataError("noise without a generator", where="generator", remedy="give numpy's default_rng(seed)")
        noise = generator.normal(scale=process_noise * np.sqrt(step), size=(frames - 1, len(network.metabolites)))
    found, clamped = metabolism.euler(start, constants, frames, step, noise)
    away = ~(np.abs(found) <= LARGEST * max(float(np.median(start)), 1.0))
    if away.any():
        frame, i = np.argwhere(away)[0]
        raise DataError(
            f"'{network.metabolites[i]}' runs away to {found[frame, i]:.3g}",
            where=f"frame {frame + 1}, time {frame * step:g}",
            remedy="take a smaller step, smaller constants, or a network that conserves mass",
        )
    return Course(metabolism, np.asarray(constants, dtype=np.float64), step, found, clamped)


def drawn(network: Network, draw: int, regime: str = "rank 50", frames: int = FRAMES) -> Course:
    """The course of one draw of start and constants, both from `default_rng(draw)`, the start first."""
    generator = np.random.default_rng(draw)
    start = starts(network, generator)
    return simulate(two_types(network), start, constants(network, generator, regime), frames)


def held_out(course: Course, count: int, seed: int, frames: int | None = None) -> list[Course]:
    """Whole trajectories of the same constants from other starts, for rollouts that learned nothing from them.

    Args:
        course: whose metabolism, constants and step they have.
        count: how many.
        seed: of their starts.
        frames: of each; by default as many as the course has.
    """
    generator = np.random.default_rng([seed, 1])
    length = len(course.concentrations) if frames is None else frames
    return [
        simulate(course.metabolism, starts(course.metabolism.network, generator), course.constants, length, course.step)
        for _ in range(count)
    ]
