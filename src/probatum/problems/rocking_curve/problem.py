"""Learning strain profiles from simulated rocking curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from probatum.errors import DataError
from probatum.problems.problem import Constraint, Dataset, Feature, Origin, Problem, Quantity, Sensitivity, Truth
from probatum.problems.rocking_curve import prior
from probatum.problems.rocking_curve.crystals import GGG_444, Reflection, reflection
from probatum.problems.rocking_curve.features import FEATURES
from probatum.problems.rocking_curve.profile import HIGH, LARGEST_AT_SURFACE, LOW, PARAMETERS
from probatum.problems.rocking_curve.simulation import (
    CONDITIONS,
    VERSION,
    Scan,
    condition_slopes,
    measured,
    simulated,
)

if TYPE_CHECKING:
    from probatum.problems.picture import Picture
    from probatum.problems.problem import Curves

TASK = "parameters"
QUANTITIES = tuple(Quantity(parameter.name, "share of its range", 0.0, 1.0) for parameter in PARAMETERS)
EDGE_PARAMETERS = (5, 6)
"""L2 and Rp2."""
EDGE = 0.2
"""Share of a range at either end that is its edge."""
FEWEST_POINTS, MOST_CURVES = 16, 1_000_000


@dataclass(frozen=True)
class RockingCurve(Problem):
    """The seven parameters of a strain profile, from a simulated rocking curve; a case is one curve.

    Parameters are given as shares of their ranges, 0 at the lower end and 1 at the upper one, so that errors of strains
    and depths can be added up; `share 0.01` is 1 % of the range.

    Attributes:
        curves: in the data set.
        points: angles of a curve, over the same range however many they are.
        noise: whether curves are Poisson counts with background and diffuse scattering drawn for each, or signals.
        seed: of the generator.
        crystal, hkl: of the substrate, see `probatum.problems.rocking_curve.crystals`.
        edge_copies: how many more times curves at the edge of L2 or Rp2 stand in the data set, as a script has it that
            copies rows before it splits. Leave it at 0, and see `training.edge_copies` for copies inside a fold.
    """

    name: ClassVar[str] = "rocking_curve"
    question: ClassVar[str] = "Which strain profile under an implanted surface gives a measured X-ray rocking curve?"

    curves: int = 1000
    points: int = 701
    noise: bool = True
    seed: int = 0
    crystal: str = "GGG"
    hkl: tuple[int, int, int] = (4, 4, 4)
    edge_copies: int = 0

    def __post_init__(self) -> None:
        # A campaign file gives a list; a tuple can be hashed, which the cache of data sets needs.
        object.__setattr__(self, "hkl", tuple(int(index) for index in self.hkl))
        limits = {
            "curves": (1, MOST_CURVES),
            "points": (FEWEST_POINTS, 100_000),
            "seed": (0, None),
            "edge_copies": (0, 9),
        }
        for key, (least, most) in limits.items():
            value = getattr(self, key)
            if value < least or (most is not None and value > most):
                valid = f"choose {least} or more" if most is None else f"choose {least} to {most}"
                raise DataError(f"{key} is {value}", where=f"problem {self.name}", remedy=valid)
        _ = self.reflection

    @property
    def tasks(self) -> tuple[str, ...]:
        return (TASK,)

    @property
    def reflection(self) -> Reflection:
        """Of the substrate; for GGG (444) the constants in common use."""
        if (self.crystal, self.hkl) == ("GGG", (4, 4, 4)):
            return GGG_444
        return reflection(self.crystal, self.hkl)

    @property
    def scan(self) -> Scan:
        """How curves are measured."""
        return _scan(self.reflection, self.points)

    @property
    def features(self) -> Mapping[str, Feature]:
        return FEATURES

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("log-intensity",)

    @property
    def constraints(self) -> Mapping[str, Constraint]:
        return CONSTRAINTS

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        _check_draw(draw)
        return _dataset(self, draw)

    def shards(self, task: str, count: int, rows: int, draw: int = 0) -> Iterator[Dataset]:
        """Streams `count` curves, the first of them those of `dataset(task, draw)`; train on another draw.

        Raises:
            UnknownNameError: for the task.
            DataError: for a negative count or draw, or rows below 1.
        """
        self._check_task(task)
        _check_draw(draw)
        if count < 0 or rows < 1:
            raise DataError(f"{count} curves in shards of {rows}", remedy="choose count >= 0 and rows >= 1")
        return (self.generated(draw, first, min(first + rows, count)) for first in range(0, count, rows))

    def sensitivities(self, task: str) -> tuple[Sensitivity, ...]:
        """At the middle of the prior, with two values of Rp2, of the square root of counts, whose noise is 1/2.

        What the unknown brightness, background and diffuse scattering of a measurement can explain is taken out of the
        derivatives, so that bounds are those of a fit that finds them too.
        """
        self._check_task(task)
        return _sensitivities(self.scan)

    def pictures(
        self, dataset: Dataset, rows: np.ndarray, predictions: np.ndarray, curves: Sequence[Curves] = ()
    ) -> Sequence[Picture]:
        from probatum.problems.rocking_curve.pictures import profile_pictures

        return profile_pictures(dataset, rows, predictions)

    def generated(self, draw: int, start: int, stop: int) -> Dataset:
        """Curves start..stop-1 of a draw."""
        parameters, curves = simulated(self.scan, start, stop, seed=self.seed, draw=draw, noise=self.noise)
        names = np.array([f"draw{draw}-curve{place:07d}" for place in range(start, stop)], dtype=str)
        shares = in_ranges(parameters)
        found = Dataset(
            problem=self.name,
            task=TASK,
            cases=names,
            observations={"intensity": curves},
            units={"intensity": "counts"},
            quantities=QUANTITIES,
            truth=Truth(shares),
            groups={"curve": names, "edge": np.where(at_edge(shares), "edge", "inside")},
            origin=Origin(generator=VERSION, seed=self.seed, count=stop - start),
            draw=draw,
        )
        return _with_copies(found, self.edge_copies) if self.edge_copies else found


def in_ranges(parameters: np.ndarray) -> np.ndarray:
    """Parameters [..., 7] as shares of their ranges."""
    return (parameters - LOW) / (HIGH - LOW)


def from_shares(shares: np.ndarray) -> np.ndarray:
    """Shares of the ranges [..., 7] as parameters."""
    return LOW + shares * (HIGH - LOW)


def at_edge(shares: np.ndarray) -> np.ndarray:
    """[case] bool: L2 or Rp2 in the lowest or highest fifth of its range; from [case, 7]."""
    ends = shares[:, EDGE_PARAMETERS]
    return np.asarray(((ends < EDGE) | (ends > 1 - EDGE)).any(axis=1))


def _with_copies(dataset: Dataset, copies: int) -> Dataset:
    """The curves, and after them those at the edge, `copies` times, under names of their own."""
    edge = np.flatnonzero(dataset.groups["edge"] == "edge")
    taken = dataset.take(np.concatenate([np.arange(len(dataset)), *[edge] * copies]))
    names = [*dataset.cases, *(f"{dataset.cases[i]}-copy{n + 1}" for n in range(copies) for i in edge)]
    cases = np.array(names, dtype=str)
    origin = replace(dataset.origin, count=len(cases))
    return replace(taken, cases=cases, groups={**taken.groups, "curve": cases}, origin=origin)


def _broken(excess_of: Constraint, unit: float) -> Constraint:
    return lambda shares: np.maximum(excess_of(from_shares(shares)), 0.0) / unit


CONSTRAINTS: Mapping[str, Constraint] = {
    "D01 <= Dmax1": _broken(lambda p: p[:, 1] - p[:, 0], HIGH[0] - LOW[0]),
    f"D01 + D02 <= {LARGEST_AT_SURFACE:g}": _broken(lambda p: p[:, 1] + p[:, 4] - LARGEST_AT_SURFACE, HIGH[0] - LOW[0]),
    "Rp1 <= L1": _broken(lambda p: p[:, 3] - p[:, 2], HIGH[2] - LOW[2]),
    "L2 <= L1": _broken(lambda p: p[:, 5] - p[:, 2], HIGH[2] - LOW[2]),
}
"""The prior's; by how much they are broken, as shares of the ranges of Dmax1 and L1."""


@lru_cache(maxsize=8)
def _scan(of: Reflection, points: int) -> Scan:
    return Scan.over(of, points)


@lru_cache(maxsize=8)
def _sensitivities(scan: Scan) -> tuple[Sensitivity, ...]:
    conditions = np.sqrt(CONDITIONS.prod(axis=0))
    names = tuple(quantity.name for quantity in QUANTITIES)
    found = []
    for name, Rp2 in (("second part near an exponential", 0.25), ("second part near a Gaussian", 0.75)):
        middle = np.where(np.arange(7) == 6, Rp2, 0.5)
        signal, slopes = scan.signal_and_slopes(prior.from_unit_cube(middle[None]))
        root = np.sqrt(measured(scan, signal, conditions[None])[0])
        # d sqrt(counts) = d counts / (2 sqrt(counts)); parameters in shares of their ranges.
        jacobian = (conditions[0] * slopes[0] * (HIGH - LOW)[:, None] / (2 * root)).T
        unknown, _ = np.linalg.qr((condition_slopes(scan, signal[0], conditions) / (2 * root)).T)
        jacobian = jacobian - unknown @ (unknown.T @ jacobian)
        found.append(Sensitivity(f"middle of the prior, {name}", names, jacobian, 0.5, np.full(7, 12**-0.5)))
    return tuple(found)


@lru_cache(maxsize=8)
def _dataset(problem: RockingCurve, draw: int) -> Dataset:
    return problem.generated(draw, 0, problem.curves)


def _check_draw(draw: int) -> None:
    if draw < 0:
        raise DataError(f"there is no draw {draw}", remedy="draws count from 0")
