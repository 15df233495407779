"""A run as another program recorded it, whatever the program."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

State = Literal["finished", "running", "failed", "pruned"]

CURVES = {
    "training loss": ("train_loss", "training_loss", "train/loss", "train-loss", "loss", "training loss"),
    "validation loss": (
        "val_loss", "valid_loss", "validation_loss", "eval_loss", "val/loss", "valid/loss", "validation/loss",
        "eval/loss", "val-loss", "validation loss",
    ),
}  # fmt: skip
"""Learning curves that the audit knows, to the names that other programs' users give them."""
AS_CURVE = {name: curve for curve, names in CURVES.items() for name in names}
LARGEST = 1.7e308
"""What some stores write in the place of infinity, for their databases know none."""


@dataclass(frozen=True, eq=False)
class ForeignRun:
    """One run of another program.

    Attributes:
        id: unique in its source, and the same at every import.
        name: as its author called it.
        state: 'finished', 'running', 'failed' or 'pruned'.
        parameters: what it was run with; text where the program knows only text.
        tags: what else is said of it, by key.
        metrics: the last value of each.
        curves: metric to (steps, values), both [step], where it was recorded more than once.
        inside: id of the run that it is nested in.
        parent: name or id of the run that it was made from, where the program has a place for that.
        started, ended: seconds since 1970; None where nobody says.
        error: what went wrong, in the program's words.
        marks: what tables of runs say besides: claims, trivial, baseline, chosen, estimated, external, scored_on.
    """

    id: str
    name: str
    state: State = "finished"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    inside: str | None = None
    parent: str | None = None
    started: float | None = None
    ended: float | None = None
    error: str | None = None
    marks: Mapping[str, Any] = field(default_factory=dict)

    def value(self, key: str) -> Any:
        """A parameter or, where there is none of that name, a tag; None where there is neither."""
        return self.parameters.get(key, self.tags.get(key))


@dataclass(frozen=True)
class Source:
    """Where runs are read from.

    Attributes:
        importer: 'mlflow', 'optuna', 'wandb' or 'table'.
        place: the store, folder or file as it may be written down: without a password.
        experiment: of the store; None where the source holds one.
        runs: each once; read as they are asked for.
        better: which way its score goes, where the source itself says so.
        metric: name of the score, where the source has one only.
        parameters: columns of a wide table that were taken for parameters.
        remarks: what the reader took for what.
    """

    importer: str
    place: str
    experiment: str | None
    runs: Iterator[ForeignRun]
    better: Literal["lower", "higher"] | None = None
    metric: str | None = None
    parameters: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def plain(value: Any) -> Any:
    """A parameter as a plain value: text that is a number, a truth value or a list becomes one.

    What JSON does not know, and numbers that are not finite, stay text.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            found = json.loads(text.lower() if text in ("True", "False") else text, parse_constant=_refused)
        except (ValueError, RecursionError):
            return None if text in ("None", "null", "") else value
        return found if _finite(found) else value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, bool | int | float | None) else str(value)


def number(value: Any) -> float | None:
    """A metric as a number: text is read, the largest numbers stand for infinity; None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return math.copysign(math.inf, found) if abs(found) > LARGEST else found


def _refused(constant: str) -> Any:
    raise ValueError(constant)


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    return all(map(_finite, value)) if isinstance(value, list) else True
