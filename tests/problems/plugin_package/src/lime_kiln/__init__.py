"""How much lime a kiln gives: the smallest problem that a package of somebody else can bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Truth


@dataclass(frozen=True)
class LimeKiln(Problem):
    """Lime from the temperature of a kiln, in `count` simulated firings."""

    count: int = 8

    name: ClassVar[str] = "lime_kiln"
    question: ClassVar[str] = "How much lime does a kiln give at a temperature?"

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("firing",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        temperature = np.random.default_rng(draw).uniform(700, 1100, self.count)
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"draw{draw}-firing{i}" for i in range(self.count)]),
            observations={"temperature": temperature},
            units={"temperature": "deg C"},
            quantities=(Quantity("lime", "fraction", 0.0, 1.0),),
            truth=Truth(1 / (1 + np.exp((900 - temperature[:, None]) / 40))),
            groups={},
            origin=Origin(generator="lime_kiln/1", seed=0, count=self.count),
            draw=draw,
        )

    @property
    def features(self) -> Mapping[str, Feature]:
        return {
            "temperature": Feature(
                "temperature", "temperature [deg C]", lambda d: np.asarray(d.observations["temperature"])[:, None]
            )
        }

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("temperature",)


class NotAProblem:
    """What an entry point should not name."""
