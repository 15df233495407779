"""One tiny problem of each of the five shapes that the contract has to carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Ragged, Truth


def feature(name: str, compute: Callable[[Dataset], np.ndarray]) -> dict[str, Feature]:
    return {name: Feature(name, f"{name}, from observations", compute)}


@dataclass(frozen=True)
class Rows(Problem):
    """Supervised rows with groups and repeated measurements; `slope` is what a changed value changes."""

    rows: int = 12
    slope: float = 2.0

    name: ClassVar[str] = "fake-rows"
    question: ClassVar[str] = "What is y from x?"

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("rows",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        self._check_fixed(draw)
        sample = np.arange(self.rows) // 2
        noise = np.random.default_rng(0).normal(0, 0.1, self.rows)
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"row-{i}" for i in range(self.rows)]),
            observations={"x": sample.astype(np.float64), "colour": np.array(["red", "blue"])[sample % 2]},
            units={"x": "g", "colour": "1"},
            quantities=(Quantity("y", "g"),),
            truth=Truth((self.slope * sample + noise)[:, None]),
            groups={"colour": np.array(["red", "blue"])[sample % 2]},
            replicates=sample,
            origin=Origin(files={"rows.csv": "0" * 64}),
        )

    @property
    def features(self) -> Mapping[str, Feature]:
        return feature("x", lambda d: d.observations["x"][:, None]) | feature(
            "red", lambda d: (d.observations["colour"] == "red").astype(np.float64)[:, None]
        )

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("x",)


@dataclass(frozen=True)
class Codes(Problem):
    """Generated cases, in draws and shards; some truths are infinite."""

    count: int = 20
    seed: int = 1

    name: ClassVar[str] = "fake-codes"
    question: ClassVar[str] = "How large is the ratio of a matrix's largest to its smallest entry?"

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("square", "wide")

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        return self._cases(task, draw, 0, self.count)

    def shards(self, task: str, count: int, rows: int, draw: int = 0) -> Iterator[Dataset]:
        self._check_task(task)
        return (self._cases(task, draw, start, min(start + rows, count)) for start in range(0, count, rows))

    def _cases(self, task: str, draw: int, start: int, stop: int) -> Dataset:
        shape = (3, 3) if task == "square" else (2, 5)
        P = np.array([self._matrix(shape, draw, i) for i in range(start, stop)]).reshape(-1, *shape)
        size = np.abs(P).reshape(len(P), -1)
        with np.errstate(divide="ignore"):
            ratio = np.log2(size.max(axis=1)) - np.log2(size.min(axis=1))
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"draw{draw}-{i}" for i in range(start, stop)]),
            observations={"P": P},
            units={"P": "1"},
            quantities=(Quantity("ratio", "log2", lower=0.0),),
            truth=Truth(ratio[:, None]),
            groups={"code": np.array([f"{s.sum():.6f}" for s in size])},
            origin=Origin(generator="fake-codes/1", seed=self.seed, count=stop - start),
            draw=draw,
        )

    def _matrix(self, shape: tuple[int, int], draw: int, i: int) -> np.ndarray:
        return np.random.default_rng([self.seed, draw, i, *shape]).integers(-4, 5, shape) + 0.0

    @property
    def features(self) -> Mapping[str, Feature]:
        return feature("sorted", lambda d: np.sort(np.abs(d.observations["P"]).reshape(len(d), -1), axis=1))

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("sorted",)


@dataclass(frozen=True)
class Curves(Problem):
    """Curves whose parameters are hidden: an inverse problem."""

    count: int = 6
    seed: int = 2

    name: ClassVar[str] = "fake-curves"
    question: ClassVar[str] = "Where and how wide is the peak of a curve?"

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("measured",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        rng = np.random.default_rng([self.seed, draw])
        angle = np.linspace(-1, 1, 41)
        position, width = rng.uniform(-0.5, 0.5, self.count), rng.uniform(0.1, 0.4, self.count)
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"draw{draw}-{i}" for i in range(self.count)]),
            observations={
                "intensity": np.exp(-(((angle - position[:, None]) / width[:, None]) ** 2)),
                "angle": np.tile(angle, (self.count, 1)),
            },
            units={"intensity": "counts", "angle": "deg"},
            quantities=(Quantity("position", "deg"), Quantity("width", "deg", lower=0.0)),
            truth=Truth(np.stack([position, width], axis=1)),
            groups={},
            origin=Origin(generator="fake-curves/1", seed=self.seed, count=self.count),
            supervised=False,
            draw=draw,
        )

    @property
    def features(self) -> Mapping[str, Feature]:
        return feature("curve", lambda d: np.stack([d.observations["intensity"], d.observations["angle"]], axis=2))

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("curve",)


@dataclass(frozen=True)
class Runs(Problem):
    """Runs of unequal length, [time, m/z, intensity], in blocks of compounds: no compound is in two blocks."""

    compounds: int = 12
    blocks: int = 4
    seed: int = 3

    name: ClassVar[str] = "fake-runs"
    question: ClassVar[str] = "How much of two families of compounds is in a sample?"

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("mixtures",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        rng = np.random.default_rng([self.seed, draw])
        members = [np.flatnonzero(np.arange(self.compounds) % self.blocks == block) for block in range(self.blocks)]
        runs, contents, truth, labels = [], [], [], []
        for case in range(3 * self.blocks):
            mix = rng.choice(members[case % self.blocks], size=2, replace=False)
            scans = int(rng.integers(5, 20))
            runs.append(
                np.stack([np.sort(rng.uniform(0, 9, scans)), 50.0 + rng.choice(mix, scans), rng.random(scans)], 1)
            )
            contents.append(np.sort(mix))
            truth.append([np.sum(mix % 2 == 0) / 2, np.sum(mix % 2 == 1) / 2])
            labels.append(f"block-{case % self.blocks}")
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"draw{draw}-run{i:02d}" for i in range(len(runs))]),
            observations={"run": Ragged.of(runs), "compounds": Ragged.of(contents)},
            units={"run": "min, m/z, counts", "compounds": "1"},
            quantities=(Quantity("even", "fraction", 0.0, 1.0), Quantity("odd", "fraction", 0.0, 1.0)),
            truth=Truth(np.array(truth)),
            groups={"block": np.array(labels)},
            origin=Origin(generator="fake-runs/1", seed=self.seed, count=len(runs)),
            draw=draw,
        )

    @property
    def features(self) -> Mapping[str, Feature]:
        def spectrum(dataset: Dataset) -> np.ndarray:
            runs = dataset.observations["run"]
            return np.array(
                [
                    np.bincount(runs[i][:, 1].astype(int) - 50, runs[i][:, 2], self.compounds)
                    for i in range(len(dataset))
                ]
            )

        return feature("spectrum", spectrum)

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("spectrum",)


@dataclass(frozen=True)
class Trajectories(Problem):
    """One [frame, metabolite] array a case; its rate constants are hidden."""

    count: int = 4
    seed: int = 4

    name: ClassVar[str] = "fake-trajectories"
    question: ClassVar[str] = "How fast do two metabolites decay?"

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("decay",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        log_k = np.random.default_rng([self.seed, draw]).uniform(-1, 0.5, (self.count, 2))
        time = np.linspace(0, 3, 16)
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"draw{draw}-{i}" for i in range(self.count)]),
            observations={"concentration": np.exp(-time[None, :, None] * 10 ** log_k[:, None, :])},
            units={"concentration": "mM"},
            quantities=(Quantity("log10 k1", "log10 1/s"), Quantity("log10 k2", "log10 1/s")),
            truth=Truth(log_k),
            groups={},
            origin=Origin(generator="fake-trajectories/1", seed=self.seed, count=self.count),
            supervised=False,
            draw=draw,
        )

    @property
    def features(self) -> Mapping[str, Feature]:
        return feature("frames", lambda d: d.observations["concentration"])

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("frames",)


FAKES: tuple[Problem, ...] = (Rows(), Codes(), Curves(), Runs(), Trajectories())
