"""An oscillating metabolism as the log simulates it: 100 metabolites, 256 reactions in rings of three.

dc_i/dt = sum_j S_ij v_j - lambda (c_i - c0), v_j = k_j c_a c_b for a reaction a + b -> 2 b, by Euler steps of 0.1.
What is predicted is small: the concentration of one metabolite some frames later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Sensitivity, Truth

METABOLITES, REACTIONS = 100, 256
STEP, LATER = 0.1, 10
"""Time of a frame, and frames from what is seen to what is predicted."""
TRAJECTORIES, FRAMES = 16, 8
"""Of a draw; frames lie 2 LATER apart, so that no two cases share one."""


@dataclass(frozen=True)
class SmallMetabolism(Problem):
    """A concentration from those of one second earlier.

    Attributes:
        rings: 'drawn' is the log's structure, whose rings may share pairs and whose last reaction is empty;
            'distinct' has neither.
        own_trajectories: whether every draw starts its own trajectories.
    """

    rings: str = "distinct"
    own_trajectories: bool = True

    name: ClassVar[str] = "small_metabolism"
    question: ClassVar[str] = "How does a metabolism go on?"
    default_metric: ClassVar[str] = "r2"

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("rollout",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        now, later = simulated(self.rings, draw if self.own_trajectories else 0)
        trajectory = np.repeat(np.arange(TRAJECTORIES), FRAMES)
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"draw{draw}-{i}" for i in range(len(now))]),
            observations={"concentrations": now},
            units={"concentrations": "mM"},
            quantities=(Quantity("concentration", "mM"),),
            truth=Truth(later),
            groups={"trajectory": np.array([f"draw{draw}-{i:02d}" for i in trajectory])},
            origin=Origin(generator="small_metabolism/1", seed=draw, count=len(now)),
            draw=draw,
        )

    @property
    def features(self) -> Mapping[str, Feature]:
        near = neighbours(self.rings)

        def compute(dataset: Dataset) -> np.ndarray:
            return np.asarray(dataset.observations["concentrations"])[:, near]

        return {"near": Feature("near", "the metabolite and those that it reacts with", compute)}

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("near",)

    def sensitivities(self, task: str) -> tuple[Sensitivity, ...]:
        """Of the derivatives of all concentrations in ten frames by log10 of the rate constants."""
        self._check_task(task)
        first, second = structure(self.rings)
        now, _ = simulated(self.rings, 0)
        rate = np.where(first >= 0, now[:10, first] * now[:10, second], 1.0) * constants(len(first)) * np.log(10)
        names = tuple(f"k{j + 1}" for j in range(len(first)))
        jacobian = (stoichiometry(self.rings)[None] * rate[:, None, :]).reshape(-1, len(first))
        return (Sensitivity("ten frames", names, jacobian, 0.1),)


def structure(rings: str) -> tuple[np.ndarray, np.ndarray]:
    """[reaction] metabolite that is used up, and [reaction] the one that is made; -1 for an empty reaction."""
    generator, used, pairs = np.random.RandomState(42), set[int](), set[frozenset[int]]()
    reactions: list[tuple[int, int]] = []
    while len(reactions) + 3 <= REACTIONS:
        unused = [i for i in range(METABOLITES) if i not in used]
        ring = generator.choice(unused if len(unused) >= 3 else METABOLITES, 3, replace=False).tolist()
        edges = list(zip(ring, ring[1:] + ring[:1], strict=True))
        if rings == "distinct" and any(frozenset(edge) in pairs for edge in edges):
            continue
        used.update(ring)
        pairs.update(map(frozenset, edges))
        reactions += edges
    if rings == "drawn":
        reactions += [(-1, -1)] * (REACTIONS - len(reactions))
    first, second = np.array(reactions).T
    return first, second


def stoichiometry(rings: str) -> np.ndarray:
    """[metabolite, reaction]."""
    table = np.zeros((METABOLITES, len(structure(rings)[0])))
    for j, (used, made) in enumerate(zip(*structure(rings), strict=True)):
        if used >= 0:
            table[used, j], table[made, j] = -1, 1
    return table


def constants(count: int) -> np.ndarray:
    """[reaction], log10 uniform from -2 to -1."""
    return 10 ** np.random.default_rng(1).uniform(-2, -1, count)


def neighbours(rings: str) -> list[int]:
    """Metabolite 0, and those that it reacts with."""
    first, second = structure(rings)
    with_it = {*second[first == 0].tolist(), *first[second == 0].tolist()}
    return [0, *sorted(with_it)]


@lru_cache(maxsize=16)
def simulated(rings: str, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """[case, metabolite] concentrations, and [case, 1] that of metabolite 0 `LATER` frames on."""
    first, second = structure(rings)
    rates, table = constants(len(first)), stoichiometry(rings)
    decay, level = np.repeat([0.001, 0.002], METABOLITES // 2), np.repeat([4.0, 6.0], METABOLITES // 2)
    c = np.random.default_rng([2, draw]).uniform(1, 9, (TRAJECTORIES, METABOLITES))
    frames = [c]
    for _ in range((2 * FRAMES - 1) * LATER):
        flux = rates * np.where(first >= 0, c[:, first] * c[:, second], 1.0)
        c = np.maximum(c + STEP * (flux @ table.T - decay * (c - level)), 0.0)
        frames.append(c)
    course = np.stack(frames, axis=1)
    now, later = course[:, :: 2 * LATER], course[:, LATER :: 2 * LATER, :1]
    return now.reshape(-1, METABOLITES), later.reshape(-1, 1)
