"""Arrays and tables as an audit looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from probatum.audit.history import History, Partition, Side
from probatum.audit.inspection import Audit, inspect
from probatum.audit.tables import table
from probatum.errors import DataError, UnknownNameError


def split(
    train: Any,
    test: Any,
    y_train: Any = None,
    y_test: Any = None,
    *,
    groups: tuple[Any, Any] | Mapping[str, tuple[Any, Any]] | None = None,
    sources: tuple[Any, Any] | None = None,
    replicates: tuple[Any, Any] | None = None,
    origins: tuple[Any, Any] | None = None,
    name: str = "train / test",
    ignore: Mapping[str, str] | None = None,
) -> Audit:
    """Audits a split of one's own.

    Args:
        train, test: [row, column] arrays or frames of numbers, of equal columns.
        y_train, y_test: [row] or [row, quantity] targets; both or neither.
        groups: (of the training rows, of the test rows), [row] each, that must not be torn; or several by name.
        sources: the same for the data sets that rows were taken from.
        replicates: the same for samples: rows of equal labels are measurements of one sample.
        origins: the same for what rows were drawn from: a trajectory, a simulation with its seed.
        name: what findings call the split.
        ignore: code to the reason why it is ignored.

    Raises:
        DataError: arrays that do not fit together, or are no numbers.
    """
    named = dict(groups) if isinstance(groups, Mapping) else {} if groups is None else {"group": groups}
    columns = [tuple(map(str, getattr(inputs, "columns", ()))) for inputs in (train, test)]
    here, there = _numbers(train, "train"), _numbers(test, "test")
    if here.shape[1] != there.shape[1]:
        raise DataError(f"train has {here.shape[1]} columns, test has {there.shape[1]}", where=name)
    if all(columns) and columns[0] != columns[1]:
        other = next(a for a, b in zip(*columns, strict=True) if a != b)
        raise DataError(f"the columns differ, first at '{other}'", where=name, remedy="give both the same columns")
    return _audited(
        (here, there),
        columns[0] or columns[1],
        (y_train, y_test),
        groups=named,
        sources=sources,
        replicates=replicates,
        origins=origins,
        name=name,
        ignore=ignore,
    )


def split_of_tables(
    train: Any,
    test: Any,
    *,
    target: str | tuple[str, ...] = (),
    group: str | tuple[str, ...] = (),
    source: str | None = None,
    name: str = "train / test",
    ignore: Mapping[str, str] | None = None,
) -> Audit:
    """Audits a split whose sides are tables with named columns, in any order.

    Args:
        train, test: pandas frames, or paths of Parquet files, which are read piece by piece; 8 bytes a number.
        target, group, source: columns that are no inputs; text columns that are none of these are left out.

    Raises:
        DataError, UnknownNameError: a column that is not there, or is not of the same kind on both sides.
    """
    target, group = ((given,) if isinstance(given, str) else tuple(given) for given in (target, group))
    here, there = table(train, "train"), table(test, "test")
    roles = (*target, *group, *([source] if source else []))
    for side in (here, there):
        for column in roles:
            if column not in side.columns:
                raise UnknownNameError.of("column", column, side.columns, where=side.where)
        for column in target:
            if not side.is_numeric(column):
                raise DataError(
                    f"target '{column}' holds text", where=side.where, remedy="correct or leave out these rows"
                )
    inputs = [c for c in here.columns if c not in roles and here.is_numeric(c)]
    if not inputs:
        raise DataError("no column of numbers is left to look at", where=name, remedy="name fewer targets or groups")
    for side, other in ((here, there), (there, here)):
        for column in (c for c in side.columns if c not in roles and side.is_numeric(c)):
            if column not in other.columns:
                raise DataError(f"column '{column}' stands in {side.where} and not in {other.where}", where=name)
            if not other.is_numeric(column):
                what = f"column '{column}' holds numbers in {side.where} and text in {other.where}"
                raise DataError(what, where=name, remedy="correct the cells that are no numbers")
    return _audited(
        (here.numbers(inputs), there.numbers(inputs)),
        tuple(inputs),
        (here.numbers(target), there.numbers(target)) if target else (None, None),
        groups={g: (here.labels(g), there.labels(g)) for g in group},
        sources=(here.labels(source), there.labels(source)) if source else None,
        name=name,
        ignore=ignore,
    )


def _audited(
    inputs: tuple[np.ndarray, np.ndarray],
    columns: tuple[str, ...],
    targets: tuple[Any, Any],
    *,
    groups: Mapping[str, tuple[Any, Any]],
    sources: tuple[Any, Any] | None = None,
    replicates: tuple[Any, Any] | None = None,
    origins: tuple[Any, Any] | None = None,
    name: str,
    ignore: Mapping[str, str] | None,
) -> Audit:
    """Audits two sides whose inputs have the same columns; see `split`."""
    rows = (len(inputs[0]), len(inputs[1]))
    if (targets[0] is None) != (targets[1] is None):
        raise DataError("only one side has targets", where=name, remedy="give y_train and y_test, or neither")
    y = (None, None) if targets[0] is None else _targets(*targets, rows)
    labels = {n: _labels(n, pair, rows) for n, pair in groups.items()}
    of_sources = (None, None) if sources is None else _labels("sources", sources, rows)
    of_origins = (None, None) if origins is None else _labels("origins", origins, rows)
    train, test = (
        Side(inputs[i], y[i], {n: pair[i] for n, pair in labels.items()}, of_sources[i], columns, of_origins[i])
        for i in (0, 1)
    )
    samples = None
    if replicates is not None:
        samples = np.unique(np.concatenate(_labels("replicates", replicates, rows)), return_inverse=True)[1]
    partition = Partition(name, train, test, tuple(groups), samples)
    return inspect(History(name, partitions=(partition,), source="arrays"), ignore=ignore)


def _targets(train: Any, test: Any, rows: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """[row, quantity] of both sides."""
    here, there = _numbers(train, "y_train"), _numbers(test, "y_test")
    for y, count, where in ((here, rows[0], "train"), (there, rows[1], "test")):
        if len(y) != count:
            raise DataError(f"targets has {len(y)} rows, the inputs have {count}", where=where)
    if here.shape[1] != there.shape[1]:
        raise DataError(f"y_train has {here.shape[1]} columns, y_test has {there.shape[1]}", where="targets")
    return here, there


def _labels(what: str, pair: Any, rows: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """[row] str of both sides, alike where the values are: 1 and 1.0 are one label."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise DataError(f"{what} is no pair", where=what, remedy="give (of the training rows, of the test rows)")
    sides = [np.asarray(values) for values in pair]
    for labels, count, where in zip(sides, rows, ("train", "test"), strict=True):
        if labels.ndim != 1 or len(labels) != count:
            shape = "" if labels.ndim == 1 else f", and {labels.ndim} axes"
            raise DataError(f"{what} has {labels.size} rows{shape}, the inputs have {count}", where=where)
        lost = sum(value is None or value != value for value in labels.tolist()) if labels.dtype.kind in "fO" else 0
        if lost:
            raise DataError(
                f"{what} is missing in {lost} of {count} rows", where=where, remedy="name one, or leave out these rows"
            )
    both = (
        np.concatenate(sides)
        if all(s.dtype.kind in "iufb" for s in sides)
        else np.concatenate([s.astype(str) for s in sides])
    )
    here, there = np.split(both.astype(str), [rows[0]])
    return here, there


def _numbers(values: Any, where: str) -> np.ndarray:
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise TypeError("complex numbers have no order")
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        remedy = "give rows and columns of numbers, without text"
        raise DataError(f"is no array of numbers: {error}", where=where, remedy=remedy) from None
    if array.ndim == 1 and where.startswith("y_"):
        array = array[:, None]
    if array.ndim != 2:
        raise DataError(f"has {array.ndim} axes, not [row, column]", where=where, remedy="give rows and columns")
    return array
