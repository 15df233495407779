"""Learning the m-height of an analog code from its generator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from probatum.errors import DataError
from probatum.problems.analog_codes.features import FEATURES
from probatum.problems.analog_codes.generate import VERSIONS, Distribution, random_codes
from probatum.problems.analog_codes.heights import MAX_LENGTH, float64_height_profiles
from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Truth

HEIGHT = Quantity("log2 height", "log2", lower=0.0)
STANDARD_GROUPS = ((4, 2), (4, 3), (4, 4), (4, 5), (5, 2), (5, 3), (5, 4), (6, 2), (6, 3))


@dataclass(frozen=True)
class AnalogCodes(Problem):
    """log2 of the m-height of random [n, k] codes; a case is one generator [I | P] and one m.

    There is one task for each dimension, 'k=4' and so on: codes of one dimension have P of one shape, which learners
    need, and padding P with zeros would describe other codes (a zero row is a codeword of weight 1).

    Attributes:
        distribution: of P: 'uniform' or 'integer' (see `generate.random_codes`).
        codes: matrices P in each task; each gives one case for each m.
        seed: of the generator.
        n: length of the codes.
        groups: the pairs (k, m) asked for.
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

    def __post_init__(self) -> None:
        # Lists are what a campaign file gives; tuples can be hashed, which the cache of datasets needs.
        object.__setattr__(self, "groups", tuple((int(k), int(m)) for k, m in self.groups))
        where = f"problem {self.name}"
        if self.distribution not in VERSIONS:
            raise DataError(
                f"distribution is '{self.distribution}'", where=where, remedy=f"valid: {', '.join(VERSIONS)}"
            )
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
        return tuple(dict.fromkeys(f"k={k}" for k, _ in self.groups))

    @property
    def features(self) -> Mapping[str, Feature]:
        return FEATURES

    @property
    def default_features(self) -> tuple[str, ...]:
        return ("m", "sorted", "norms", "minors2")

    @property
    def plain_features(self) -> tuple[str, ...]:
        return ("m",)

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
        return (self._cases(task, draw, i, min(i + rows, count)) for i in range(0, count, rows))

    def _heights_asked(self, task: str) -> tuple[int, np.ndarray]:
        """A task's k and its m, ascending."""
        k = int(task.removeprefix("k="))
        return k, np.array(sorted(m for dimension, m in self.groups if dimension == k))

    def _cases(self, task: str, draw: int, start: int, stop: int) -> Dataset:
        """Cases start..stop-1 of a task's stream: code after code, m ascending within a code."""
        k, asked = self._heights_asked(task)
        first = start // len(asked)
        P = random_codes(self.distribution, self.n, k, first, -(-stop // len(asked)), seed=self.seed, draw=draw)
        code = np.arange(start, stop) // len(asked)
        m = asked[np.arange(start, stop) % len(asked)]
        heights = float64_height_profiles(P)[code - first, m - 1]
        labels = np.array([_label(matrix) for matrix in P], dtype="U16")
        return Dataset(
            problem=self.name,
            task=task,
            cases=np.array([f"k{k}-draw{draw}-code{i:07d}-m{j}" for i, j in zip(code, m, strict=True)], dtype=str),
            observations={"P": P[code - first], "m": m.astype(np.float64)},
            units={"P": "1", "m": "1"},
            quantities=(HEIGHT,),
            truth=Truth(_log2(heights)[:, None]),
            groups={"code": labels[code - first], "k,m": np.array([f"({k},{j})" for j in m], dtype=str)},
            origin=Origin(generator=f"analog_codes/{VERSIONS[self.distribution]}", seed=self.seed, count=stop - start),
            draw=draw,
        )


@lru_cache(maxsize=16)
def _dataset(problem: AnalogCodes, task: str, draw: int) -> Dataset:
    _, asked = problem._heights_asked(task)
    return problem._cases(task, draw, 0, problem.codes * len(asked))


def _check_draw(draw: int) -> None:
    if draw < 0:
        raise DataError(f"there is no draw {draw}", remedy="draws count from 0")


def _label(P: np.ndarray) -> str:
    """A code's label: equal for all signed permutations of P's rows and columns, which are one code.

    It hashes the sorted absolute entries. Two codes may share them without being equivalent; that only puts both on one
    side of a split, which does no harm.
    """
    entries = np.sort(np.abs(P), axis=None)
    return hashlib.sha256(f"{P.shape}".encode() + entries.tobytes()).hexdigest()[:16]


def _log2(heights: np.ndarray) -> np.ndarray:
    # numpy picks its float64 logarithm by processor, and the last bit with it; rounded from extended precision it is
    # the same on all, and with it the digest of the data.
    return np.log2(heights.astype(np.longdouble)).astype(np.float64)
