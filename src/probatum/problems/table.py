"""The user's own table, CSV or Parquet, as a problem: columns are inputs unless they are given another role."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from probatum.errors import DataError, nearest
from probatum.problems.problem import Dataset, Feature, Origin, Problem, Quantity, Ragged, Truth
from probatum.problems.text_table import TextTable, looks_numeric, read

if TYPE_CHECKING:
    from probatum.problems.picture import Picture
    from probatum.problems.problem import Curves

NUMBERS, CATEGORIES = "numbers", "categories"


@dataclass(frozen=True)
class Table(Problem):
    """A table of measurements: one row a case.

    Attributes:
        path: the file, '.csv' (UTF-8, header line, ',' ';' or tab between cells) or '.parquet'; a relative path starts
            at the current folder.
        target: the column or columns to be predicted, numbers.
        group: column of labels that splits keep together (a batch, a patient, a catalyst); None where rows are
            independent.
        replicate: column whose equal labels mark repeated measurements of one sample.
        categorical: input columns that hold categories though they look like numbers.
        ignore: columns that are no inputs.
    """

    path: str
    target: str | tuple[str, ...]
    group: str | None = None
    replicate: str | None = None
    categorical: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    name: ClassVar[str] = "table"
    question: ClassVar[str] = "What are the target columns of a table of your own, from its other columns?"
    needs_data: ClassVar[bool] = True

    def __post_init__(self) -> None:
        # Lists are what Python callers may give; tuples can be hashed, which the cache of datasets needs.
        for field in ("target", "categorical", "ignore"):
            given = getattr(self, field)
            object.__setattr__(self, field, (given,) if isinstance(given, str) else tuple(given))
        if "\0" in self.path:
            raise DataError("path holds U+0000", where="table", remedy="name a file")

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the target columns."""
        return (self.target,) if isinstance(self.target, str) else tuple(self.target)

    @property
    def tasks(self) -> tuple[str, ...]:
        return ("table",)

    def dataset(self, task: str, draw: int = 0) -> Dataset:
        """All rows, in file order; an observation for each input column, under its own name.

        Raises:
            UnknownNameError: for another task than 'table'.
            DataMissingError: there is no such file.
            DataError: the table cannot be used; the message names file, line and column, and what to do.
        """
        self._check_task(task)
        self._check_fixed(draw)
        return _dataset(self, self._read())

    @property
    def features(self) -> Mapping[str, Feature]:
        """Each input column by its name, and the blocks 'numbers' and 'categories' as far as the table has such."""
        inputs = _inputs(self, self._read())
        columns: dict[str, Callable[[Dataset], np.ndarray]] = {}
        for name in inputs.numbers:
            columns[name] = _number_block((name,))
        for name, levels in inputs.categories.items():
            columns[name] = _category_block({name: levels})
        found = {name: Feature(name, f"column '{name}' [{unit_of(name)}]", block) for name, block in columns.items()}
        # A column that is itself called 'numbers' gives way to the block of that name.
        if inputs.numbers:
            shown = ", ".join(inputs.numbers)
            said = f"number columns, as they are: {shown}"
            found[NUMBERS] = Feature(NUMBERS, said, _number_block(inputs.numbers), tuple(inputs.numbers))
        if inputs.categories:
            shown = ", ".join(f"{name} ({len(levels)})" for name, levels in inputs.categories.items())
            said = f"one column of 0 and 1 for each level of: {shown}"
            found[CATEGORIES] = Feature(CATEGORIES, said, _category_block(inputs.categories), tuple(inputs.categories))
        return found

    @property
    def default_features(self) -> tuple[str, ...]:
        inputs = _inputs(self, self._read())
        return (*((NUMBERS,) if inputs.numbers else ()), *((CATEGORIES,) if inputs.categories else ()))

    def pictures(
        self, dataset: Dataset, rows: np.ndarray, predictions: np.ndarray, curves: Sequence[Curves] = ()
    ) -> Sequence[Picture]:
        from probatum.problems.table_pictures import target_pictures

        return target_pictures(dataset, rows, predictions)

    def _read(self) -> TextTable:
        return read(Path(self.path).expanduser().resolve())


@dataclass(frozen=True)
class _Inputs:
    """Which columns are inputs: numbers, and categories with their levels, sorted over the whole table."""

    numbers: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]


def unit_of(column: str) -> str:
    """The unit that a column's name ends with, in brackets: '%' of 'yield [%]', 'mg' of 'mass (mg)'; else '1'."""
    text = column.rstrip()
    opened = max(text.rfind("["), text.rfind("("))
    inside = text[opened + 1 : -1].strip()
    if opened < 0 or not text.endswith(("]", ")")) or "]" in inside or ")" in inside:
        return "1"
    return inside or "1"


@lru_cache(maxsize=8)
def _dataset(problem: Table, table: TextTable) -> Dataset:
    inputs = _inputs(problem, table)
    targets = [_target(table, name) for name in problem.targets]
    observations = {name: table.numbers(name) for name in inputs.numbers}
    observations |= {name: np.array(table.column(name), dtype=np.str_) for name in inputs.categories}
    replicates = None
    if problem.replicate is not None:
        replicates = np.unique(table.labels(problem.replicate), return_inverse=True)[1].astype(np.int64)
    return Dataset(
        problem=Table.name,
        task="table",
        cases=np.array(table.places),
        observations=observations,
        units={name: unit_of(name) for name in observations},
        quantities=tuple(Quantity(name, unit_of(name)) for name in problem.targets),
        truth=Truth(np.stack(targets, axis=1)),
        groups={} if problem.group is None else {problem.group: table.labels(problem.group)},
        replicates=replicates,
        origin=Origin(files={table.path.name: table.sha256}),
    )


@lru_cache(maxsize=8)
def _inputs(problem: Table, table: TextTable) -> _Inputs:
    roles = dict(_roles(problem, table))
    numbers, categories = [], {}
    for name, cells in table.columns.items():
        if name in roles:
            continue
        filled = [cell for cell in cells if cell]
        if name not in problem.categorical and 2 * sum(map(looks_numeric, filled)) >= len(filled):
            numbers.append(name)
            table.numbers(
                name,
                f"correct the cell, remove the row, or name the column in 'categorical' or 'ignore' of {Table.name}",
            )
            continue
        levels = sorted(set(table.labels(name).tolist()))
        if len(levels) == len(table) > 2:
            raise table.error(
                "every row holds a text of its own, from which nothing can be learned",
                column=name,
                remedy="name the column in 'ignore'",
            )
        categories[name] = tuple(levels)
    if not numbers and not categories:
        raise table.error("no column is left as input", remedy="give fewer columns another role")
    return _Inputs(tuple(numbers), categories)


def _roles(problem: Table, table: TextTable) -> Iterator[tuple[str, str]]:
    """Columns that are no inputs, each with what it is; every column that the problem names is checked."""
    if not problem.targets:
        raise DataError("no target is named", where=str(table.path), remedy="set target to a column's name")
    given = [(name, "target") for name in problem.targets]
    given += [(name, role) for name, role in ((problem.group, "group"), (problem.replicate, "replicate")) if name]
    given += [(name, "ignore") for name in problem.ignore]
    taken: dict[str, str] = {}
    for name, role in [*given, *((name, "categorical") for name in problem.categorical)]:
        if name not in table.columns:
            raise DataError(f"{role}: no column '{name}'", where=str(table.path), remedy=nearest(name, table.columns))
        before = taken.setdefault(name, role)
        # One label may well be both group and replicate; what is predicted may be nothing else.
        if before == "target" and (role != "target" or problem.targets.count(name) > 1):
            raise table.error(f"is target and {role} at once", column=name, remedy="give it one role")
        if role != "categorical":
            yield name, role


def _target(table: TextTable, name: str) -> np.ndarray:
    values = table.numbers(name, "correct the cell, or remove the row: a row without its target teaches nothing")
    if len(values) > 1 and (values == values[0]).all():
        raise table.error(
            f"the target is {values[0]:g} in every row", column=name, remedy="choose a column that varies"
        )
    return values


def _number_block(names: tuple[str, ...]) -> Callable[[Dataset], np.ndarray]:
    def compute(dataset: Dataset) -> np.ndarray:
        return np.stack([_cells(dataset, name) for name in names], axis=1)

    return compute


def _category_block(categories: Mapping[str, tuple[str, ...]]) -> Callable[[Dataset], np.ndarray]:
    def compute(dataset: Dataset) -> np.ndarray:
        blocks = [_cells(dataset, name)[:, None] == np.array(levels)[None, :] for name, levels in categories.items()]
        return np.concatenate(blocks, axis=1).astype(np.float64)

    return compute


def _cells(dataset: Dataset, name: str) -> np.ndarray:
    observation = dataset.observations[name]
    assert not isinstance(observation, Ragged)
    return observation
