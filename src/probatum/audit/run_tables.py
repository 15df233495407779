"""The lines of somebody's table of runs: CSV or JSON lines. Other trackers come in by the same records.

A line is a run, or a repeat of the run of the same name. Columns of a CSV, keys of a JSON line:

| key | meaning |
|---|---|
| name | of the run; needed |
| parent | the run that it was made from |
| score | the number that runs are ranked by; '~0.012 (est)' is an estimate, nan or inf a run that diverged |
| metric | what the score measures |
| estimated | whether the score is an estimate |
| claim | a sentence that its author drew from it; several are separated by '; ' in a CSV |
| trivial, baseline, chosen | true for a trivial baseline, for what the others are compared with, for the best |
| external | the score that another place gave it |
| config.KEY | its configuration |
| scored_on.KEY | what it was scored on: loss, weights, rows, ... |
| metrics.KEY | further metrics |
| curves | JSON: name to list, null where nothing was recorded; 'epoch', 'training loss', 'validation loss' are known |
| curve.NAME | CSV: the same, numbers separated by spaces, 'nan' where nothing was recorded |
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from probatum.errors import DataError, UnknownNameError
from probatum.problems.text_table import delimiter_of

KEYS = ("name", "parent", "score", "metric", "estimated", "claim", "trivial", "baseline", "chosen", "external")
NESTED = ("config", "scored_on", "metrics")
CURVES = "curves"
ESTIMATE = re.compile(
    r"^\s*~?\s*([-+0-9.e]+|[-+]?nan|[-+]?inf(?:inity)?)\s*\(?\s*(est\w*)?\.?\s*\)?\s*$", re.IGNORECASE
)


@dataclass(frozen=True)
class Line:
    """One line of a table of runs, as every importer gives it.

    Attributes:
        place: 'runs.csv:3', for messages.
        name, parent, score, metric: of the run.
        estimated, trivial, baseline, chosen: what the line says of it.
        claims: its author's sentences.
        external: score elsewhere.
        config, scored_on, metrics: by key.
        curves: name to [epoch].
    """

    place: str
    name: str
    parent: str | None = None
    score: float | None = None
    metric: str | None = None
    estimated: bool = False
    trivial: bool = False
    baseline: bool = False
    chosen: bool = False
    claims: tuple[str, ...] = ()
    external: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    scored_on: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)


def read_lines(path: Path) -> list[Line]:
    """The lines of a file of runs.

    Args:
        path: a .csv, .jsonl or .ndjson file.

    Raises:
        DataError, UnknownNameError: naming file, line and key.
    """
    reader = IMPORTERS.get(path.suffix.lower())
    if reader is None:
        raise UnknownNameError.of("kind of run table", path.suffix or path.name, IMPORTERS, where=str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError("no such table of runs", where=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", where=str(path), remedy="give a text file in UTF-8") from None
    try:
        return list(reader(text, path.name))
    except csv.Error as error:
        raise DataError(f"is no CSV: {error}", where=str(path), remedy="save it as CSV again") from None


# ---------------------------------------------------------------------- the formats


def _csv_lines(text: str, name: str) -> Iterator[Line]:
    table = csv.DictReader(io.StringIO(text), skipinitialspace=True, delimiter=delimiter_of(text))
    columns = list(table.fieldnames or ())
    for column in columns:
        if columns.count(column) > 1:
            what = f"column '{column}' stands here {columns.count(column)} times"
            raise DataError(what, where=f"{name}:1", remedy="give each column a name of its own")
        if column not in KEYS and column.partition(".")[0] not in (*NESTED, "curve"):
            known = (*KEYS, *(f"{n}.KEY" for n in NESTED), "curve.NAME")
            raise UnknownNameError.of("column", column, known, where=f"{name}:1")
    for row in table:
        place = f"{name}:{table.line_num}"
        if None in row:
            raise DataError("the line has more fields than there are columns", where=place, remedy="quote commas")
        given = {key: value.strip() for key, value in row.items() if value is not None and value.strip()}
        values: dict[str, Any] = {key: value for key, value in given.items() if key in KEYS}
        for key, value in given.items():
            outer, _, inner = key.partition(".")
            if outer == "curve":
                values.setdefault(CURVES, {})[inner] = value.split()
            elif outer in NESTED:
                values.setdefault(outer, {})[inner] = _plain(value)
        if "claim" in values:
            values["claim"] = values["claim"].split("; ")
        yield _line(values, place)


def _json_lines(text: str, name: str) -> Iterator[Line]:
    for number, row in enumerate(text.splitlines(), start=1):
        if not row.strip():
            continue
        place = f"{name}:{number}"
        try:
            values = json.loads(row, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits; lists in lists without end
            raise DataError(f"no valid JSON: {error}", where=place) from None
        except _RepeatedError as error:
            raise DataError(f"key '{error}' stands here twice", where=place, remedy="keep one of them") from None
        if not isinstance(values, dict):
            raise DataError("a line must be an object", where=place, remedy='write {"name": "...", "score": ...}')
        for key in values:
            if key not in (*KEYS, *NESTED, CURVES):
                raise UnknownNameError.of("key", key, (*KEYS, *NESTED, CURVES), where=place)
        for key in (*NESTED, CURVES):
            if not isinstance(values.get(key, {}), dict):
                raise DataError(f"'{key}' must be an object", where=place)
        yield _line(values, place)


class _RepeatedError(Exception):
    """A key that an object has twice."""


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object's keys and values; JSON allows keys to be repeated and loses all but the last."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedError(key)
        found[key] = value
    return found


IMPORTERS: dict[str, Callable[[str, str], Iterator[Line]]] = {
    ".csv": _csv_lines,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
"""Suffix to what reads lines of runs from a file's text and name."""


def _line(values: Mapping[str, Any], place: str) -> Line:
    if not values.get("name"):
        raise DataError("a run without a name", where=place, remedy="fill in 'name'")
    score, estimated = _score(values.get("score"), place)
    claims = values.get("claim", ())
    if not isinstance(claims, str | list | tuple):
        raise DataError(f"claim {claims!r} is no sentence", where=place, remedy="write text, or a list of texts")
    if values.get("parent") == values["name"]:
        raise DataError(f"run '{values['name']}' is its own parent", where=place, remedy="leave its parent empty")
    return Line(
        place,
        str(values["name"]),
        str(values["parent"]) if values.get("parent") else None,
        score,
        str(values["metric"]) if values.get("metric") else None,
        estimated or _truth(values.get("estimated"), place),
        _truth(values.get("trivial"), place),
        _truth(values.get("baseline"), place),
        _truth(values.get("chosen"), place),
        (claims,) if isinstance(claims, str) else tuple(map(str, claims)),
        _number(values["external"], "external", place) if values.get("external") not in (None, "") else None,
        dict(values.get("config", {})),
        dict(values.get("scored_on", {})),
        {key: _number(value, key, place) for key, value in values.get("metrics", {}).items()},
        {key: _curve(curve, key, place) for key, curve in values.get(CURVES, {}).items()},
    )


def _score(value: Any, place: str) -> tuple[float | None, bool]:
    """The number, and whether it is marked as an estimate."""
    if value is None or value == "":
        return None, False
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, "score", place), False
    found = ESTIMATE.match(" ".join(str(value).split()))  # blanks without end would take the pattern as long
    if found is None:
        raise DataError(f"score '{value}' is no number", where=place, remedy="write a number; '~0.012 (est)' for one")
    return _number(found[1], "score", place), bool(found[2]) or "~" in str(value)


def _number(value: Any, key: str, place: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise DataError(
            f"'{key}' is {_short(value)}, no number", where=place, remedy="leave it empty if unknown"
        ) from None


def _curve(values: Any, key: str, place: str) -> np.ndarray:
    """[epoch]: NaN where nothing was recorded."""
    if not isinstance(values, list):
        raise DataError(f"curve '{key}' is {values!r}, no list", where=place, remedy="give a list of numbers and nulls")
    return np.array([np.nan if value is None else _number(value, key, place) for value in values], dtype=np.float64)


def _truth(value: Any, place: str) -> bool:
    if value in (None, "", False, 0) or str(value).lower() in ("false", "no", "0"):
        return False
    if value is True or str(value).lower() in ("true", "yes", "1"):
        return True
    raise DataError(f"'{value}' is neither true nor false", where=place, remedy="write true, or leave it empty")


def _plain(text: str) -> Any:
    """A number or a truth value where the text is one."""
    try:
        return json.loads(text.lower() if text in ("True", "False") else text)
    except (ValueError, RecursionError):
        return text


def _short(value: Any) -> str:
    """A value as an error shows it; an integer may have more digits than Python writes out."""
    text = hex(value) if isinstance(value, int) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
