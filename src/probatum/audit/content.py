"""Names of records by their content: equal records have one name, whenever and wherever they were made."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from probatum.audit.history import History, Partition, Run

SIZE = 16
"""Bytes of a name: two records that differ have one name with a probability of 2^-128."""


PLAIN = {kind: kind.__name__.encode() for kind in (type(None), bool, int, float, str, bytes)}


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


class Contents:
    """Names records; histories, runs and partitions, which stand in many others, are read once."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[History | Run | Partition, str | None] = WeakKeyDictionary()

    def name(self, value: Any) -> str | None:
        """The name of a record's content, 32 hexadecimal digits.

        Args:
            value: plain values, arrays, mappings, sequences, dataclasses and functions of these.

        Returns:
            None where it holds something that has no name, such as an open file.
        """
        if not isinstance(value, History | Run | Partition):
            return self._named(value)
        if value not in self._known:
            self._known[value] = self._named(value)
        return self._known[value]

    def _named(self, value: Any) -> str | None:
        h = blake2b(digest_size=SIZE)
        try:
            if is_dataclass(value):
                self._feed_fields(h, value)
            else:
                self._feed(h, value)
        except _NamelessError:
            return None
        return h.hexdigest()

    def _feed(self, h: _Hash, value: Any) -> None:
        """Adds a value to a hash, with its kind and length, so that no two different ones give the same bytes."""
        kind = type(value)
        if kind in PLAIN:
            text = repr(value).encode("utf-8", "surrogatepass")
            h.update(b"%s %d %s" % (PLAIN[kind], len(text), text))
        elif kind is np.ndarray:
            self._feed_array(h, value)
        elif kind in (tuple, list):
            self._feed_sequence(h, value)
        elif isinstance(value, np.generic):
            self._feed(h, value.item())
        elif isinstance(value, History | Run | Partition):
            name = self.name(value)
            if name is None:
                raise _NamelessError
            self._feed(h, name)
        elif isinstance(value, Mapping):
            h.update(b"mapping %d " % len(value))
            for item in value.items():
                self._feed_sequence(h, item)
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            self._feed_sequence(h, value)
        elif is_dataclass(value) and not isinstance(value, type):
            self._feed_fields(h, value)
        elif callable(value):
            self._feed_function(h, value)
        else:
            raise _NamelessError

    def _feed_sequence(self, h: _Hash, values: Sequence[Any]) -> None:
        h.update(b"sequence %d " % len(values))
        for value in values:
            self._feed(h, value)

    def _feed_array(self, h: _Hash, array: np.ndarray) -> None:
        if array.dtype.hasobject:
            self._feed(h, (array.shape, array.ravel().tolist()))
            return
        h.update(f"array {array.dtype.str} {array.shape} ".encode())
        h.update(np.ascontiguousarray(array).tobytes())

    def _feed_fields(self, h: _Hash, record: Any) -> None:
        kind = type(record)
        h.update(f"{kind.__module__}.{kind.__qualname__} ".encode())
        for name in _field_names(kind):
            self._feed_sequence(h, (name, getattr(record, name)))

    def _feed_function(self, h: _Hash, function: Callable[..., Any]) -> None:
        """By where it is written and by what it was given; other functions of its module may be part of it."""
        if isinstance(function, functools.partial):
            self._feed(h, ("partial", function.func, function.args, function.keywords))
            return
        if inspect.ismethod(function):
            self._feed(h, ("method", function.__self__, function.__func__))
            return
        if not (inspect.isfunction(function) or inspect.isbuiltin(function) or isinstance(function, type | np.ufunc)):
            raise _NamelessError
        module = getattr(function, "__module__", None) or ""
        held = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
        given = (getattr(function, "__defaults__", None), getattr(function, "__kwdefaults__", None))
        name = getattr(function, "__qualname__", function.__name__)
        line = function.__code__.co_firstlineno if inspect.isfunction(function) else 0  # two lambdas have one name
        self._feed(h, ("function", module, name, line, _source(module), held, given))


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


class _NamelessError(Exception):
    """Something that content does not name."""


@functools.cache
def _source(module: str) -> str:
    """Digest of the file that a loaded module is written in; '' where there is none."""
    file = getattr(sys.modules.get(module), "__file__", None)
    try:
        return blake2b(Path(file).read_bytes(), digest_size=SIZE).hexdigest() if file else ""
    except OSError:
        return ""
