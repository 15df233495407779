"""A trained model as one file in the user's cache: arrays and their arrangement, never pickle.

A file is named by what the model depends on, so that it is trained again where data or code are others. It is an npz
archive, whose parts carry checksums: a damaged file is trained again too, never believed.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import platformdirs
from sklearn.base import BaseEstimator

Model = TypeVar("Model")
_ARRANGEMENT = "arrangement"
_DAMAGED = (
    OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, EOFError, zipfile.BadZipFile, zlib.error,
    MemoryError, RecursionError,
)  # fmt: skip
"""What reading a missing or damaged file may raise."""


def cached(name: str, key: str, make: Callable[[], Model]) -> Model:
    """The model in the cache, or where there is none, or a damaged one, the one that is made and put there.

    Args:
        name: of the kind of model, such as 'catechol/yields'.
        key: of everything that it depends on (`key_of`).
        make: trains it; records, estimators and enumerations of probatum, mappings with str keys, lists and tuples of
            arrays, numbers, str, bool and None.
    """
    path = path_of(name, key)
    try:
        return read(path)
    except _DAMAGED:
        model = make()
        write(path, model)
        return model


def path_of(name: str, key: str) -> Path:
    """Where `cached` keeps it."""
    return platformdirs.user_cache_path("probatum") / "models" / f"{name}-{key[:16]}.npz"


def key_of(*parts: str, code: Iterable[Path] = ()) -> str:
    """A sha256, in hexadecimal, of texts and of the bytes of source files in the order of their names."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    for path in sorted(code):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def write(path: Path, model: Any) -> None:
    """Writes it whole or not at all; a cache that cannot be written is no error, for the model is at hand."""
    arrays: dict[str, np.ndarray] = {}
    arrangement = json.dumps(_taken_apart(model, arrays))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **{_ARRANGEMENT: np.array(arrangement)}, **arrays)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as stream:
            part = Path(stream.name)
            try:
                stream.write(buffer.getvalue())
                stream.flush()
                os.fsync(stream.fileno())
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError:
        return


def read(path: Path) -> Any:
    """What `write` wrote.

    Raises:
        one of `_DAMAGED`: the file is missing, or is not what it was.
    """
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return _put_together(json.loads(str(arrays.pop(_ARRANGEMENT))), arrays)


def _taken_apart(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The arrangement of a value as JSON, its arrays put aside by number."""
    if isinstance(value, StrEnum):
        return {"enumeration": _name(type(value)), "value": value.value}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_taken_apart(part, arrays) for part in value]}
    if isinstance(value, Mapping):
        return {"mapping": [[_taken_apart(k, arrays), _taken_apart(v, arrays)] for k, v in value.items()]}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: getattr(value, f.name) for f in fields(value)}
    elif isinstance(value, BaseEstimator):
        parts = vars(value)
    else:
        raise TypeError(f"a {type(value).__name__} cannot be written")
    return {"record": _name(type(value)), "parts": {k: _taken_apart(v, arrays) for k, v in parts.items()}}


def _put_together(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    match value:
        case {"array": name}:
            return arrays[name]
        case {"list": parts}:
            return [_put_together(part, arrays) for part in parts]
        case {"tuple": parts}:
            return tuple(_put_together(part, arrays) for part in parts)
        case {"mapping": pairs}:
            return {_put_together(k, arrays): _put_together(v, arrays) for k, v in pairs}
        case {"enumeration": name, "value": member}:
            return _class(name, StrEnum)(member)
        case {"record": name, "parts": parts}:
            kind = _class(name, object)
            made = {k: _put_together(v, arrays) for k, v in parts.items()}
            if is_dataclass(kind):
                return kind(**made)
            if not issubclass(kind, BaseEstimator):
                raise ValueError(f"{name} is no record")
            estimator = kind()
            vars(estimator).update(made)
            return estimator
        case _:
            raise ValueError("an unknown arrangement")


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(name: str, base: type) -> type:
    """The class of this package that a file names; a file may name no other."""
    module, _, attribute = name.partition(":")
    if not module.startswith("probatum."):
        raise ValueError(f"{name} is no class of probatum")
    kind = getattr(import_module(module), attribute, None)
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise ValueError(f"{name} is no class that a model has")
    return kind
