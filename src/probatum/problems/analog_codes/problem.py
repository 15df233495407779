"""Learning the m-height of an analog code from its generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from probatum.errors import DataError
from probatum.problems.analog_codes.code_labels import code_labels
from probatum.problems.analog_codes.features import features_of
from probatum.problems.analog_codes.generate import VERSIONS, Distribution, random_codes
from probatum.problems.analog_codes.heights import MAX_LENGTH, float64_height_profiles
from probatum.problems.problem import Dataset, Feature, Observation, Origin, Problem, Quantity, Ragged, Truth

if TYPE_CHECKING:
    from probatum.problems.picture import Picture
    from probatum.problems.problem import Curves

HEIGHT = Quantity("log2 height", "log2", lower=0.0)
STANDARD_GROUPS = ((4, 2), (4, 3), (4, 4), (4, 5), (5, 2), (5, 3), (5, 4), (6, 2), (6, 3))
ALL = "all"
"""The one task of `cases = 'all'`."""
Cases = Literal["heights", "profiles", "all"]


@dataclass(frozen=True)
class AnalogCodes(Problem):
    """log2 of the m-height of random [n, k] codes, from their generators [I | P].

    With `cases` = 'heights' a case is one code and one m, and there is one task for each dimension, 'k=4' and so on:
    codes of one dimension have P of one shape, which learners need, and padding P with zeros would describe other codes
    (a zero row is a codeword of weight 1). With 'profiles' a case is one code, and its quantities are its heights for
    every m asked, which rise with m; tasks are the same. With 'all' a case is one code and one m again, and the one
    task 'all' has all groups; P is ragged there, its entries row by row, and features say what they do about it.

    Attributes:
        distribution: of P: 'uniform' or 'integer' (see `generate.random_codes`).
        codes: matrices P of each dimension; each gives one case for each m, or one for all of them.
        seed: of the generator.
        n: length of the codes.
        groups: the pairs (k, m) asked for.
        cases: what a case is: 'heights', 'profiles' or 'all'.
    """

    name: ClassVar[str] = "analog_codes"
    question: ClassVar[str] = (
        "How large is the m-height of an analog error-correcting code, from its generator [I | P]?"
    )
    default_metric: ClassVar[str] = "mse"

    distribution: Distribution = "uniform"
    codes: int = 300
    seed: int = 0
    n: int = 9
    groups: tuple[tuple[int, int], ...] = STANDARD_GROUPS
    cases: Cases = "heights"

    def __post_init__(self) -> None:
        # Lists are what a campaign file gives; tuples can be hashed, which the cache of datasets needs.
        object.__setattr__(self, "groups", tuple((int(k), int(m)) for k, m in self.groups))
        where = f"problem {self.name}"
        for name, valid in (("distribution", tuple(VERSIONS)), ("cases", get_args(Cases))):
            if getattr(self, name) not in valid:
                what = f"{name} is '{getattr(self, name)}'"
                raise DataError(what, where=where, remedy=f"valid: {', '.join(valid)}")
        if self.codes < 1:
            raise DataError(f"codes is {self.codes}", where=where, remedy="choose 1 or more")
        if self.seed < 0:
            raise DataError(f"seed is {self.seed}", where=where, remedy="choose 0 or more")
        if not 2 <= self.n <= MAX_LENGTH:
            raise DataError(f"n is {self.n}", where=where, remedy=f"choose 2 to {MAX_LENGTH}")
        if not self.groups or len(set(self.groups)) < len(self.groups):
            raise DataError("groups are empty or name a pair twice", where=where, remedy="name each pair (k, m) once")
        for k, m in self.groups:
            if not (1 <= k < self.n and 1 <= m <= self.n - k):
                raise DataError(
                    f"there is no group ({k}, {m})", where=where, remedy="choose 1 <= k < n, 1 <= m <= n - k"
                )

    @property
    def tasks(self) -> tuple[str, ...]:
        return (ALL,) if self.cases == "all" else tuple(f"k={k}" for k in self._dimensions)

    @property
    def features(self) -> Mapping[str, Feature]:
        return features_of(self.n, self._dimensions if self.cases == "all" else self._dimensions[:1])

    @property
    def default_features(self) -> tuple[str, ...]:
        of_the_group = {"heights": ("m",), "profiles": (), "all": ("k,m",)}[self.cases]
        return (*of_the_group, "sorted", "norms", "minors2")

    @property
    def plain_features(self) -> tuple[str, ...]:
        return {"heights": ("m",), "profiles": (), "all": ("k,m",)}[self.cases]

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        self._check_task(task)
        _check_draw(draw)
        return _dataset(self, task, draw)

    def shards(self, task: str, count: int, rows: int, draw: int = 0) -> Iterator[Dataset]:
        """Streams `count` cases, the first of them those of `dataset(task, draw)`; train on another draw.

        Raises:
            UnknownNameError: for the task.
            DataError: for a negative count or draw, or rows below 1.
        """
        self._check_task(task)
        _check_draw(draw)
        if count < 0 or rows < 1:
            raise DataError(f"{count} cases in shards of {rows}", remedy="choose count >= 0 and rows >= 1")
        return (self.generated(task, draw, i, min(i + rows, count)) for i in range(0, count, rows))

    def pictures(
        self, dataset: Dataset, rows: np.ndarray, predictions: np.ndarray, curves: Sequence[Curves] = ()
    ) -> Sequence[Picture]:
        from probatum.problems.analog_codes.pictures import height_pictures

        return height_pictures(dataset, rows, predictions)

    @property
    def _dimensions(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(k for k, _ in self.groups))

    def _asked(self, k: int) -> np.ndarray:
        """The m asked for at a dimension, ascending."""
        return np.array(sorted(m for dimension, m in self.groups if dimension == k))

    def groups_of(self, task: str) -> list[tuple[int, int]]:
        """The pairs (k, m) that a task's stream goes through for code after code; m is 0 where a case has all."""
        dimensions = self._dimensions if task == ALL else (int(task.removeprefix("k=")),)
        if self.cases == "profiles":
            return [(k, 0) for k in dimensions]
        return [(k, int(m)) for k in dimensions for m in self._asked(k)]

    def generated(self, task: str, draw: int, start: int, stop: int) -> Dataset:
        """Cases start..stop-1 of a task's stream."""
        groups = self.groups_of(task)
        code, place = np.divmod(np.arange(start, stop), len(groups))
        k, m = np.array(groups)[place].T
        quantities = self._quantities(task)
        truth, label = np.empty((len(k), len(quantities))), np.empty(len(k), dtype="U16")
        matrices: list[tuple[np.ndarray, np.ndarray]] = []
        for dimension in np.unique(k).tolist():
            cases = np.flatnonzero(k == dimension)
            first, last = int(code[cases[0]]), int(code[cases[-1]])
            P = random_codes(self.distribution, self.n, dimension, first, last + 1, seed=self.seed, draw=draw)
            row = code[cases] - first
            wanted = self._asked(dimension)[None, :] if self.cases == "profiles" else m[cases, None]
            truth[cases] = log2_heights(float64_height_profiles(P))[row[:, None], wanted - 1]
            label[cases] = code_labels(P)[row]
            matrices.append((cases, P[row]))
        observations: dict[str, Observation] = {"P": _joined(matrices) if task == ALL else matrices[0][1]}
        grouped = {"code": label}
        if task == ALL:
            observations["k"] = k.astype(np.float64)
        if self.cases != "profiles":
            observations["m"] = m.astype(np.float64)
            grouped["k,m"] = np.array([f"({i},{j})" for i, j in zip(k.tolist(), m.tolist(), strict=True)], dtype=str)
        names = [
            f"k{i}-draw{draw}-code{c:07d}" + (f"-m{j}" if j else "")
            for i, c, j in zip(k.tolist(), code.tolist(), m.tolist(), strict=True)
        ]
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array(names, dtype=str),
            observations=observations,
            units=dict.fromkeys(observations, "1"),
            quantities=quantities,
            truth=Truth(truth),
            groups=grouped,
            origin=Origin(generator=f"analog_codes/{VERSIONS[self.distribution]}", seed=self.seed, count=stop - start),
            draw=draw,
        )

    def _quantities(self, task: str) -> tuple[Quantity, ...]:
        if self.cases != "profiles":
            return (HEIGHT,)
        asked = self._asked(int(task.removeprefix("k=")))
        return tuple(replace(HEIGHT, name=f"log2 h_{m}") for m in asked)


@lru_cache(maxsize=16)
def _dataset(problem: AnalogCodes, task: str, draw: int) -> Dataset:
    return problem.generated(task, draw, 0, problem.codes * len(problem.groups_of(task)))


def _check_draw(draw: int) -> None:
    if draw < 0:
        raise DataError(f"there is no draw {draw}", remedy="draws count from 0")


def _joined(matrices: Sequence[tuple[np.ndarray, np.ndarray]]) -> Ragged:
    """Matrices of several shapes, each with its cases, as the entries of each case, row by row."""
    sizes = np.empty(sum(len(cases) for cases, _ in matrices), dtype=np.int64)
    for cases, P in matrices:
        sizes[cases] = P[0].size
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    values = np.empty(offsets[-1])
    for cases, P in matrices:
        values[offsets[cases][:, None] + np.arange(P[0].size)] = P.reshape(len(P), -1)
    return Ragged(values, offsets)


def log2_heights(heights: np.ndarray) -> np.ndarray:
    """log2 of heights, [...] float64, infinite where these are; the same bits on all machines.

    numpy picks its float64 logarithm by processor, and the last bit with it; rounded from extended precision it is the
    same on all, and with it the digest of the data.
    """
    return np.log2(heights.astype(np.longdouble)).astype(np.float64)
