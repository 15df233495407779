"""Which of its parameters an estimator reads while it is trained and predicts."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

LIBRARIES = ("sklearn", "lightgbm", "xgboost", "catboost", "probatum")
"""Packages whose estimators read what they take, and check it."""


@contextmanager
def watched(estimator: Any) -> Generator[set[str]]:
    """Notes which parameters are read inside the block; `unread` says which were not.

    An estimator that asks itself for all its parameters (`get_params`) reads all of them. Estimators of libraries,
    and those whose class cannot be exchanged for a watching one, count as reading everything.

    Args:
        estimator: with `get_params`; its class is exchanged inside the block and put back.
    """
    kind = type(estimator)
    names = set(estimator.get_params(deep=False)) if hasattr(estimator, "get_params") else set()
    read: set[str] = set()

    if kind.__module__.partition(".")[0] in LIBRARIES:
        yield names
        return

    def noting(self: Any, name: str) -> Any:
        if name in names:
            read.add(name)
        return super(watching, self).__getattribute__(name)

    def as_it_was(self: Any, protocol: Any) -> Any:
        """Copies and pickles are of the estimator's own class; who makes one may read everything, so watching ends."""
        read.update(names)
        self.__class__ = kind
        return self.__reduce_ex__(protocol)

    methods = {"__getattribute__": noting, "__reduce_ex__": as_it_was, "__module__": kind.__module__}
    try:
        watching = type(kind.__name__, (kind,), methods)
        estimator.__class__ = watching
    except TypeError:  # slots, a class written in C, or one that takes arguments when it is inherited from
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
