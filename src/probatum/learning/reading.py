"""Which of its parameters an estimator reads while it is trained and predicts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LIBRARIES = ("sklearn", "lightgbm", "xgboost", "catboost", "probatum")
"""Packages whose estimators read what they take, and check it."""


@contextmanager
def watched(estimator: Any) -> Iterator[set[str]]:
    """Notes which parameters are read inside the block; `unread` says which were not.

    An estimator that asks itself for all its parameters (`get_params`) reads all of them. Estimators of libraries,
    and those whose class cannot be exchanged for a watching one, count as reading everything.

    Args:
        estimator: with `get_params`; its class is exchanged inside the block and put back.
    """
    kind = type(estimator)
    names = set(estimator.get_params(deep=False)) if hasattr(estimator, "get_params") else set()
    read: set[str] = set()

    def noting(self: Any, name: str) -> Any:
        if name in names:
            read.add(name)
        return super(watching, self).__getattribute__(name)

    watching = type(kind.__name__, (kind,), {"__getattribute__": noting, "__module__": kind.__module__})
    if kind.__module__.partition(".")[0] in LIBRARIES:
        yield names
        return
    try:
        estimator.__class__ = watching
    except TypeError:  # slots, or a class written in C
        yield names
        return
    try:
        yield read
    finally:
        estimator.__class__ = kind


def unread(estimator: Any, read: set[str]) -> tuple[str, ...]:
    """Parameters that stand in the estimator under their own names and were not read."""
    names = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    return tuple(sorted(set(names) - read))
