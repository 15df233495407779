"""Learning rate constants from simulated courses of concentrations; nobody but the scorer sees a constant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from probatum.errors import DataError
from probatum.problems.metabolism.cases import FEATURES, ends_of
from probatum.problems.metabolism.diagnostics import diagnostics
from probatum.problems.metabolism.forward_differences import forward_differences
from probatum.problems.metabolism.identifiability import Identifiability, identifiability
from probatum.problems.metabolism.regression import regression
from probatum.problems.metabolism.simulator import FRAMES, Course, held_out, simulate, starts, two_types
from probatum.problems.metabolism.structure import Network, cycles
from probatum.problems.metabolism.trajectory import Trajectory
from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Sensitivity, Truth

if TYPE_CHECKING:
    from probatum.problems.picture import Picture
    from probatum.problems.problem import Curves

IDENTIFIABLE, ALL = "identifiable", "all"
QUANTITIES = (Quantity("log10 k", "decades"),)
VERSION = "metabolism/1"
COURSE, NOISE = 1, 2
"""Set apart the streams of random numbers behind a draw."""


@dataclass(frozen=True)
class MetabolismProblem(Problem):
    """Rate constants of a reaction network from one course of concentrations; a case is one reaction.

    A draw is a start and constants of its own; the structure is the same in all of them. What a learner sees of a case
    is in `cases`: it takes all cases of a draw together to see the trajectory.

    Attributes:
        metabolites, reactions: of the network, whose rings have three reactions each.
        structure_seed: of its rings.
        distinct: whether rings are drawn so that every constant is identifiable; reactions that make up no ring of
            three are then left out, where else they stay empty.
        frames: of the course.
        log_k: range of log10 k, which is uniform.
        noise: standard deviation of the measurement, in the unit of concentrations.
        process_noise: of white noise that moves every metabolite, per square root of time.
        held_out: whole trajectories of the same constants from other starts, which no learner sees.
        seed: of the draws.
    """

    name: ClassVar[str] = "metabolism"
    question: ClassVar[str] = "Which rate constants, rate law and homeostasis move the concentrations of a metabolism?"
    hidden_truth: ClassVar[bool] = True
    headline: ClassVar[str] = "identity_R2"
    deviations: ClassVar[tuple[str, ...]] = ("MLP_sub", "MLP_node")

    metabolites: int = 100
    reactions: int = 256
    structure_seed: int = 42
    distinct: bool = False
    frames: int = FRAMES
    log_k: tuple[float, float] = (-2.0, -1.0)
    noise: float = 0.0
    process_noise: float = 0.0
    held_out: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        # A campaign file gives a list; a tuple can be hashed, which the cache of courses needs.
        object.__setattr__(self, "log_k", tuple(map(float, self.log_k)))
        limits = {"metabolites": 4, "reactions": 3, "frames": 64, "held_out": 1, "seed": 0, "structure_seed": 0}
        for key, least in limits.items():
            if getattr(self, key) < least:
                raise self._refused(f"{key} is {getattr(self, key)}", f"choose {least} or more")
        for key in ("noise", "process_noise"):
            if not 0 <= getattr(self, key) < np.inf:
                raise self._refused(f"{key} is {getattr(self, key)}", "choose a finite number of 0 or more")
        if len(self.log_k) != 2 or not -6 <= self.log_k[0] < self.log_k[1] <= 0:
            raise self._refused(f"log_k is {list(self.log_k)}", "give its two ends, between -6 and 0")
        known = identifiability(self.network)
        open_ones = np.flatnonzero(known.identifiable)
        lost = set(self.network.stoichiometry.indices) - set(self.network.stoichiometry[:, open_ones].indices)
        if lost:
            name = self.network.metabolites[min(lost)]
            what = f"metabolite '{name}' is in no reaction whose constant is identifiable"
            raise self._refused(what, "set distinct = true, or another structure_seed or number of reactions")

    @property
    def network(self) -> Network:
        """The structure that all draws share."""
        return _network(self.metabolites, self.reactions, self.structure_seed, self.distinct)

    @property
    def identifiability(self) -> Identifiability:
        """Which constants the data can determine."""
        return _identifiability(self.metabolites, self.reactions, self.structure_seed, self.distinct)

    @property
    def tasks(self) -> tuple[str, ...]:
        return (IDENTIFIABLE, ALL)

    @property
    def features(self) -> Mapping[str, Feature]:
        return FEATURES

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("trajectory",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        _check_draw(draw)
        return _dataset(self, task, draw)

    def sensitivities(self, task: str) -> tuple[Sensitivity, ...]:
        """Of Euler's rates of the first draw to all constants: a square root of J^T J stands for J [frame ..., k]."""
        self._check_task(task)
        return _sensitivities(self) if task == ALL else ()

    def course(self, draw: int) -> Course:
        """What is behind a draw, constants included: for scoring, never for learning."""
        _check_draw(draw)
        return _course(self, draw)

    def measured(self, draw: int) -> Trajectory:
        """What is measured of a draw."""
        return self.course(draw).measured(self.noise, np.random.default_rng([self.seed, draw, NOISE]))

    def held_out_courses(self, draw: int) -> tuple[Course, ...]:
        """Whole trajectories of a draw's constants from other starts, that no learner sees."""
        return _held_out(self, draw)

    def diagnostics(self, task: str, draw: int, curves: Mapping[str, np.ndarray]) -> Mapping[str, float]:
        """What a fit is besides its score, by the names of the exploration's log; see `diagnostics`.

        Args:
            task, draw: of the fit.
            curves: that its learner kept; {} where it kept none of a metabolism.
        """
        self._check_task(task)
        return diagnostics(self.course(draw), self.held_out_courses(draw), curves)

    def pictures(
        self, dataset: Dataset, rows: np.ndarray, predictions: np.ndarray, curves: Sequence[Curves] = ()
    ) -> Sequence[Picture]:
        from probatum.problems.metabolism.pictures import metabolism_pictures

        return metabolism_pictures(self, dataset, rows, predictions, curves)

    def _refused(self, what: str, remedy: str) -> DataError:
        return DataError(what, where=f"problem {self.name}", remedy=remedy)


@lru_cache(maxsize=8)
def _network(metabolites: int, reactions: int, seed: int, distinct: bool) -> Network:
    return cycles(metabolites, reactions, seed=seed, distinct=distinct)


@lru_cache(maxsize=8)
def _identifiability(metabolites: int, reactions: int, seed: int, distinct: bool) -> Identifiability:
    return identifiability(_network(metabolites, reactions, seed, distinct))


@lru_cache(maxsize=16)
def _course(problem: MetabolismProblem, draw: int) -> Course:
    generator = np.random.default_rng([problem.seed, draw, COURSE])
    start = starts(problem.network, generator)
    k = 10 ** generator.uniform(*problem.log_k, len(problem.network.reactions))
    noise = problem.process_noise
    return simulate(two_types(problem.network), start, k, problem.frames, process_noise=noise, generator=generator)


@lru_cache(maxsize=16)
def _held_out(problem: MetabolismProblem, draw: int) -> tuple[Course, ...]:
    return tuple(held_out(problem.course(draw), problem.held_out, seed=draw + problem.seed))


@lru_cache(maxsize=8)
def _dataset(problem: MetabolismProblem, task: str, draw: int) -> Dataset:
    network, known = problem.network, problem.identifiability
    measured, course = problem.measured(draw), problem.course(draw)
    places = np.flatnonzero(known.identifiable) if task == IDENTIFIABLE else np.arange(len(network.reactions))
    ends = ends_of(network)
    c = np.vstack([measured.concentrations.T, np.zeros(len(measured))])  # row -1: of an empty reaction
    setting = [problem.metabolites, len(network.reactions), problem.frames, measured.step, problem.noise]
    count = len(places)
    homeostasis = np.stack([course.metabolism.decay, course.metabolism.level])
    cases = np.array([f"draw{draw}-{network.reactions[j]}" for j in places])
    return Dataset(
        problem=problem.name,
        task=task,
        cases=cases,
        observations={
            "reaction": places,
            "setting": np.tile(np.array(setting, dtype=np.float64), (count, 1)),
            "structure": np.tile(ends.astype(np.float64), (count, 1, 1)),
            "concentrations": c[ends[:, places]].swapaxes(0, 1),
            "others": np.tile(c[np.setdiff1d(np.arange(problem.metabolites), ends)], (count, 1, 1)),
            "homeostasis": np.tile(homeostasis, (count, 1, 1)),
        },
        units={
            "reaction": "1",
            "setting": "1",
            "structure": "1",
            "concentrations": "mM",
            "others": "mM",
            "homeostasis": "1/s and mM",
        },
        quantities=QUANTITIES,
        truth=Truth(np.log10(course.constants[places])[:, None]),
        groups={"reaction": cases, "identifiability": _labels(known)[places], "ring": _rings(network)[places]},
        origin=Origin(generator=VERSION, seed=problem.seed, count=count),
        supervised=False,
        dependence=np.full(count, f"draw {draw}"),
        draw=draw,
    )


@lru_cache(maxsize=4)
def _sensitivities(problem: MetabolismProblem) -> tuple[Sensitivity, ...]:
    course = problem.course(0)
    equations = regression(course.metabolism, Trajectory(course.step, course.concentrations), forward_differences())
    values, vectors = np.linalg.eigh(equations.normal_equations.gram.toarray())
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    return (Sensitivity("rates along the first draw", problem.network.reactions, root, max(problem.noise, 1e-6)),)


def _labels(known: Identifiability) -> np.ndarray:
    """[reaction] str: why a constant is identifiable or not."""
    return np.where(known.identifiable, "identifiable", np.where(known.network.empty, "empty", "collinear"))


def _rings(network: Network) -> np.ndarray:
    """[reaction] str: reactions along one ring together."""
    used, made = ends_of(network)
    found, number, first, start = [], 0, True, -1
    for j in range(len(network.reactions)):
        if network.empty[j]:
            found.append("none")
            continue
        number += first
        start = used[j] if first else start
        first = made[j] == start
        found.append(f"ring {number}")
    return np.array(found)


def _check_draw(draw: int) -> None:
    if draw < 0:
        raise DataError(f"there is no draw {draw}", remedy="draws count from 0")
