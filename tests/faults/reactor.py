"""A problem that comes from outside Probatum, with faults that can be planted in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Sensitivity, Truth


@dataclass(frozen=True)
class Reactor(Problem):
    """Conversion of a reactor from its temperature and flow.

    Attributes:
        rows: cases of a draw.
        steep: how sharply conversion rises with temperature; a straight line leaves 0 to 1 where it is large.
        heeds_draw: whether another draw is other data.
        probes: 'one' sees a sum of two rate constants, 'two' see each.
    """

    rows: int = 60
    steep: float = 0.4
    heeds_draw: bool = True
    probes: str = "two"

    name: ClassVar[str] = "reactor"
    question: ClassVar[str] = "How much of its feed does a reactor convert?"

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("conversion",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        generator = np.random.default_rng(draw if self.heeds_draw else 0)
        temperature, flow = generator.normal(size=(2, self.rows))
        conversion = 1 / (1 + np.exp(-self.steep * (temperature - 0.3 * flow)))
        noise = generator.normal(0, 0.02, self.rows)
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"draw{draw}-{i}" for i in range(self.rows)]),
            observations={"temperature": temperature, "flow": flow},
            units={"temperature": "1", "flow": "1"},
            quantities=(Quantity("conversion", "fraction", 0.0, 1.0),),
            truth=Truth(np.clip(conversion + noise, 0, 1)[:, None]),
            groups={},
            origin=Origin(generator="reactor/1", seed=draw, count=self.rows),
            draw=draw,
        )

    @property
    def features(self) -> Mapping[str, Feature]:
        return {"conditions": Feature("conditions", "temperature and flow", _conditions)}

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("conditions",)

    def sensitivities(self, task: str) -> tuple[Sensitivity, ...]:
        self._check_task(task)
        time = np.linspace(0, 1, 20)
        one = time * np.exp(-time)
        jacobian = np.column_stack([one, one if self.probes == "one" else time**2])
        return (Sensitivity("start-up", ("k forward", "k side"), jacobian, 0.02),)


def _conditions(dataset: Dataset) -> np.ndarray:
    return np.stack([np.asarray(dataset.observations[n]) for n in ("temperature", "flow")], axis=1)
