"""The contract of a problem: it yields cases.

A *case* has an observation (arrays) and quantities (named, with units). In a supervised task a learner sees the
quantities of its training cases; in an inverse task it sees none, and only scoring opens the truth. Predictions are
keyed (case, quantity). How the five built-in shapes fit:

| problem | a case | observation | quantities | groups |
|---|---|---|---|---|
| catechol | a measured row | solvents, fraction, temperature, time | three yields | solvent, ramp |
| analog_codes | a generator P and an m | P, k, m | log2 of the m-height | code (P up to symmetry) |
| rocking_curve | a curve | intensity over angle | strain parameters, truth hidden when measured | draw |
| gas_chromatography | a run | (time, m/z, intensity), ragged | nine families | block of compounds |
| metabolism | a reaction; all of a draw share a trajectory | concentrations, S | log10 rate constant, hidden | draw |
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from probatum.errors import DataError, HiddenTruthError, UnknownNameError

if TYPE_CHECKING:
    from probatum.problems.data_files import DataSource
    from probatum.problems.picture import Picture


Curves = Mapping[str, np.ndarray]
"""What a fit kept beside its predictions, by name: losses over epochs, learned functions."""


class Problem(ABC):
    """What is to be learned. Concrete problems are frozen dataclasses whose fields are the problem's options.

    Implementations must be deterministic: the same options, task and draw give a dataset with the same digest, in any
    process. `dataset` may be called often; an implementation that reads files caches them.
    """

    name: ClassVar[str]
    """Registered name, also the module's: 'catechol'."""
    question: ClassVar[str]
    """The scientific question, in one sentence."""
    hidden_truth: ClassVar[bool] = False
    """True where every task is inverse: no learner sees a quantity, and there is no trivial baseline of them."""
    needs_data: ClassVar[bool] = False
    """True where data files have to be present or fetched first."""
    recorded: ClassVar[bool] = False
    """True where another program made the runs, so that there are scores and nothing to train on."""
    data_source: ClassVar[DataSource | None] = None
    """Where those files come from (see `probatum.problems.data_files`); None where nothing can be fetched."""
    default_metric: ClassVar[str] = "mse"
    """The metric of a protocol that names none (see `probatum.learning.metrics`)."""

    @property
    @abstractmethod
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, the default one first."""

    @abstractmethod
    def dataset(self, task: str, draw: int = 0) -> Dataset:
        """All cases of a task.

        Args:
            task: one of `tasks`.
            draw: which draw of generated data; problems with fixed data know only draw 0.

        Raises:
            UnknownNameError: for a task that the problem does not have.
            DataError: for data that is missing or cannot be used.
        """

    @property
    @abstractmethod
    def features(self) -> Mapping[str, Feature]:
        """What a recipe's `features` may name."""

    @property
    @abstractmethod
    def default_features(self) -> tuple[str, ...]:
        """The features of a recipe that names none."""

    @property
    def plain_features(self) -> tuple[str, ...]:
        """The inputs without the interesting ones, for the trivial baseline; () where there is no such thing."""
        return ()

    @property
    def scorings(self) -> Mapping[str, Scoring]:
        """How scores may be summed up; problems add the ways of their literature to 'pooled' and 'macro'."""
        return STANDARD_SCORINGS

    @property
    def constraints(self) -> Mapping[str, Constraint]:
        """Laws that hold between the quantities of a case, by name; limits of one quantity stand in `Quantity`."""
        return {}

    def sensitivities(self, task: str) -> tuple[Sensitivity, ...]:
        """How the observations of typical cases respond to the parameters behind them; () where nobody computed it.

        Raises:
            UnknownNameError: for the task.
        """
        self._check_task(task)
        return ()

    def pictures(
        self, dataset: Dataset, rows: np.ndarray, predictions: np.ndarray, curves: Sequence[Curves] = ()
    ) -> Sequence[Picture]:
        """What was predicted, as people of the field look at it; () where there is no such picture.

        An implementation opens the truth for these pictures alone, leaves out what is not finite, and computes what
        takes long when a picture is drawn. No rows are no pictures.

        Args:
            dataset: of one of the tasks, with its truth.
            rows: [scored row] int positions in the dataset, each once.
            predictions: [scored row, quantity] float64, of models that did not see these rows.
            curves: that the learners of these predictions kept, fit by fit; a problem whose learners find more than
                predictions draws that too.
        """
        return ()

    def shards(self, task: str, count: int, rows: int, draw: int = 0) -> Iterator[Dataset]:
        """Streams `count` generated cases in shards of at most `rows`; their concatenation does not depend on `rows`.

        Raises:
            DataError: where the problem's data is not generated.
        """
        raise DataError(f"{self.name} has a fixed number of cases", remedy="use dataset(task)")

    def _check_task(self, task: str) -> None:
        if task not in self.tasks:
            raise UnknownNameError.of("task", task, self.tasks, where=self.name)

    def _check_fixed(self, draw: int) -> None:
        if draw:
            raise DataError(f"{self.name} has one fixed data set, so there is no draw {draw}", remedy="use draw = 0")


@dataclass(frozen=True)
class Quantity:
    """One thing to be predicted.

    Attributes:
        name: as shown, 'Product 2'.
        unit: 'fraction', 'log2', 'angstrom', '1' for a pure number.
        lower, upper: physical limits of the quantity, None where there is none.
    """

    name: str
    unit: str
    lower: float | None = None
    upper: float | None = None


Constraint = Callable[[np.ndarray], np.ndarray]
"""From values [row, quantity] to by how much each row breaks the law, [row] float64, 0 where it holds."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How observations respond to parameters at one point, to see what the data can determine at all.

    Attributes:
        name: of the case or setting that it was computed at.
        parameters: their names, in the order of the columns.
        jacobian: [observation, parameter] float64, derivative of each observed number by each parameter.
        noise: standard deviation of an observed number, in its unit; one for all, or [observation] float64.
        prior: [parameter] float64, standard deviation of what is known beforehand, in the parameter's unit; None where
            nothing is.
    """

    name: str
    parameters: tuple[str, ...]
    jacobian: np.ndarray
    noise: float | np.ndarray
    prior: np.ndarray | None = None


@dataclass(frozen=True)
class Scoring:
    """How losses of rows become one score.

    Attributes:
        weighting: 'pooled', every row of every task weighs the same; 'macro', every fold weighs the same.
        average_replicates: whether predictions and truths of repeated measurements are averaged first.
        leave_out: folds whose name contains this text are not scored; None scores all.
        source: where the definition comes from.
    """

    weighting: Literal["pooled", "macro"]
    average_replicates: bool = False
    leave_out: str | None = None
    source: str | None = None


STANDARD_SCORINGS: Mapping[str, Scoring] = {"pooled": Scoring("pooled"), "macro": Scoring("macro")}


@dataclass(frozen=True)
class Origin:
    """Where cases come from: files by checksum, or a generator by version, seed and count.

    Attributes:
        files: file name to sha256, for measured data.
        generator: 'name/version', for generated data.
        seed, count: of the generator's draw.
        licence: of the data, as its source states it.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    generator: str | None = None
    seed: int | None = None
    count: int | None = None
    licence: str | None = None


@dataclass(frozen=True, eq=False)
class Truth:
    """The true values of a dataset's quantities. Learning never opens it; scoring does.

    Attributes:
        _values: [case, quantity] float64; not finite where a case has no finite value (an infinite height, say).
    """

    _values: np.ndarray

    def open_for_scoring(self) -> np.ndarray:
        """The values, [case, quantity] float64. To be called by scoring alone (a test holds this)."""
        return self._values

    def take(self, cases: np.ndarray) -> Truth:
        """The truth of the given cases, as sealed as this one."""
        return Truth(self._values[cases])


@dataclass(frozen=True, eq=False)
class Ragged:
    """Arrays of unequal length, one a case, in one block: case i is `values[offsets[i]:offsets[i+1]]`.

    Attributes:
        values: [item, ...] all cases' items, one after the other.
        offsets: [case + 1] int64, from 0 to len(values).
    """

    values: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, arrays: list[np.ndarray]) -> Ragged:
        lengths = [len(a) for a in arrays]
        return cls(np.concatenate(arrays), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, case: int) -> np.ndarray:
        if not -len(self) <= case < len(self):
            raise IndexError(f"case {case} of {len(self)}")
        case %= len(self)
        return self.values[self.offsets[case] : self.offsets[case + 1]]

    def take(self, cases: np.ndarray) -> Ragged:
        """The given cases alone, in the given order; [case] int."""
        return Ragged.of([self[int(i)] for i in cases]) if len(cases) else Ragged(self.values[:0], self.offsets[:1])


Observation = np.ndarray | Ragged


@dataclass(frozen=True, eq=False)
class Dataset:
    """The cases of one task (and, for generated data, one draw), in columns.

    Attributes:
        problem, task, draw: whose cases these are.
        cases: [case] str, unique identifiers.
        observations: name to array whose first axis is the case, or to Ragged.
        units: name of an observation to its unit.
        quantities: what is predicted.
        truth: [case, quantity], sealed.
        supervised: whether learners may see the quantities of their training cases.
        groups: name of a grouping to [case] str labels; the first one is the protocol's default.
        replicates: [case] int, equal for repeated measurements of one sample; None where nothing was repeated.
        dependence: [case] str: cases under different labels share no measurement, not even across tasks; verdicts
            treat each label as one independent unit. None: groups are independent.
        origin: where the cases come from.
    """

    problem: str
    task: str
    cases: np.ndarray
    observations: Mapping[str, Observation]
    units: Mapping[str, str]
    quantities: tuple[Quantity, ...]
    truth: Truth
    groups: Mapping[str, np.ndarray]
    origin: Origin
    supervised: bool = True
    replicates: np.ndarray | None = None
    dependence: np.ndarray | None = None
    draw: int = 0

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def quantity_names(self) -> tuple[str, ...]:
        """Names of the quantities, in their order."""
        return tuple(q.name for q in self.quantities)

    @property
    def default_group(self) -> str | None:
        """The grouping that a protocol separates unless it names another."""
        return next(iter(self.groups), None)

    def targets(self) -> np.ndarray:
        """What a supervised learner trains on: [case, quantity] float64.

        Raises:
            HiddenTruthError: in an inverse task.
        """
        if not self.supervised:
            raise HiddenTruthError(
                f"the quantities of {self.problem}/{self.task} are hidden",
                remedy="learn from the observations; only scoring opens the truth",
            )
        return self.truth.open_for_scoring()

    def take(self, cases: np.ndarray) -> Dataset:
        """The given cases alone, in the given order: everything a case has goes with it.

        Args:
            cases: [taken] int positions.
        """
        return replace(
            self,
            cases=self.cases[cases],
            observations={
                name: observation.take(cases) if isinstance(observation, Ragged) else observation[cases]
                for name, observation in self.observations.items()
            },
            truth=self.truth.take(cases),
            groups={name: labels[cases] for name, labels in self.groups.items()},
            replicates=None if self.replicates is None else self.replicates[cases],
            dependence=None if self.dependence is None else self.dependence[cases],
        )

    @cached_property
    def scorable(self) -> np.ndarray:
        """[case] bool: whether every quantity of the case has a finite true value."""
        return np.asarray(np.isfinite(self.truth.open_for_scoring()).all(axis=1))

    @cached_property
    def digest(self) -> str:
        """sha256 over everything that can change a result: ids, observations, truth, what belongs together."""
        h = hashlib.sha256(f"{self.problem}/{self.task}/{self.draw}/{self.supervised}".encode())
        for quantity in self.quantities:
            h.update(repr(quantity).encode())
        _update(h, self.cases)
        for name in sorted(self.observations):
            h.update(name.encode())
            observation = self.observations[name]
            for part in (
                (observation.values, observation.offsets) if isinstance(observation, Ragged) else (observation,)
            ):
                _update(h, part)
        _update(h, self.truth.open_for_scoring())
        for name, labels in self.groups.items():
            h.update(name.encode())
            _update(h, labels)
        for name, together in (("replicates", self.replicates), ("dependence", self.dependence)):
            if together is not None:
                h.update(name.encode())
                _update(h, together)
        return h.hexdigest()


@dataclass(frozen=True)
class Feature:
    """A named block of model inputs, computed case by case from observations (never from quantities).

    Attributes:
        name: as recipes name it.
        description: one line: what it holds, its units, its source.
        compute: from a dataset to [case, ...] float64; must not depend on which cases stand together.
        holds: other features whose columns are among its own, so that they add nothing to it.
    """

    name: str
    description: str
    compute: Callable[[Dataset], np.ndarray]
    holds: tuple[str, ...] = ()


def _update(h: Any, array: np.ndarray) -> None:
    """Feeds an array's type, shape and content to a hash; strings by their UTF-8 text."""
    h.update(f"{array.dtype.kind}{array.shape}".encode())
    if array.dtype.kind in "OU":
        h.update("\x1f".join(map(str, array.ravel().tolist())).encode())
    else:
        h.update(np.ascontiguousarray(array).tobytes())
