"""Arrays and tables as an audit looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from probatum.audit.history import History, Partition, Side
from probatum.audit.inspection import Audit, inspect
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
    sides = [
        _side(
            inputs,
            targets,
            {n: pair[i] for n, pair in named.items()},
            sources and sources[i],
            origins and origins[i],
            where,
        )
        for i, (inputs, targets, where) in enumerate(((train, y_train, "train"), (test, y_test, "test")))
    ]
    samples = None
    if replicates is not None:
        pairs = zip(replicates, sides, ("train", "test"), strict=True)
        labels = [_labels("replicates", values, len(side), where) for values, side, where in pairs]
        samples = np.unique(np.concatenate(labels), return_inverse=True)[1]
    partition = Partition(name, sides[0], sides[1], tuple(named), samples)
    here, there = partition.train, partition.test
    if here.inputs.shape[1] != there.inputs.shape[1]:
        raise DataError(f"train has {here.inputs.shape[1]} columns, test has {there.inputs.shape[1]}", where=name)
    if here.columns != there.columns:
        other = next(a for a, b in zip(here.columns, there.columns, strict=True) if a != b)
        raise DataError(f"the columns differ, first at '{other}'", where=name, remedy="give both the same columns")
    if (here.targets is None) != (there.targets is None):
        raise DataError("only one side has targets", where=name, remedy="give y_train and y_test, or neither")
    return inspect(History(name, partitions=(partition,), source="arrays"), ignore=ignore)


def split_of_tables(
    train: Any,
    test: Any,
    *,
    target: tuple[str, ...] = (),
    group: tuple[str, ...] = (),
    source: str | None = None,
    name: str = "train / test",
    ignore: Mapping[str, str] | None = None,
) -> Audit:
    """Audits a split whose sides are frames with named columns.

    Args:
        train, test: pandas frames.
        target, group, source: columns that are no inputs; text columns that are none of these are left out.

    Raises:
        DataError, UnknownNameError: a column that is not there.
    """
    for side, frame in (("train", train), ("test", test)):
        for column in (*target, *group, *([source] if source else [])):
            if column not in frame.columns:
                raise UnknownNameError.of("column", column, map(str, frame.columns), where=side)
    apart = {*target, *group, *([source] if source else [])}
    inputs = [c for c in train.columns if c not in apart and train[c].dtype.kind in "iufb"]
    if not inputs:
        raise DataError("no column of numbers is left to look at", where=name, remedy="name fewer targets or groups")
    missing = [c for c in inputs if c not in test.columns]
    if missing:
        raise DataError(f"column '{missing[0]}' stands in train and not in test", where=name)
    of_target = list(target)
    return split(
        train[inputs],
        test[inputs],
        train[of_target] if target else None,
        test[of_target] if target else None,
        groups={g: (train[g], test[g]) for g in group},
        sources=(train[source], test[source]) if source else None,
        name=name,
        ignore=ignore,
    )


def _side(inputs: Any, targets: Any, groups: Mapping[str, Any], sources: Any, origins: Any, where: str) -> Side:
    columns = tuple(map(str, getattr(inputs, "columns", ())))
    array = _numbers(inputs, where)
    rows = len(array)
    y = None if targets is None else _numbers(targets, f"y_{where}")
    if y is not None and len(y) != rows:
        raise DataError(f"targets has {len(y)} rows, the inputs have {rows}", where=where)
    return Side(
        array,
        y,
        {name: _labels(name, values, rows, where) for name, values in groups.items()},
        None if sources is None else _labels("sources", sources, rows, where),
        columns,
        None if origins is None else _labels("origins", origins, rows, where),
    )


def _labels(what: str, values: Any, rows: int, where: str) -> np.ndarray:
    labels = np.asarray(values).astype(str)
    if labels.shape != (rows,):
        raise DataError(f"{what} has {len(labels)} rows, the inputs have {rows}", where=where)
    return labels


def _numbers(values: Any, where: str) -> np.ndarray:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"is no array of numbers: {error}", where=where, remedy="leave text columns out") from None
    if array.ndim == 1 and where.startswith("y_"):
        array = array[:, None]
    if array.ndim != 2:
        raise DataError(f"has {array.ndim} axes, not [row, column]", where=where, remedy="give rows and columns")
    return array
