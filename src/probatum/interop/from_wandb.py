"""Runs of Weights & Biases, from what it leaves behind or exports: run folders, a CSV of its table, a JSON of its API.

The package `wandb` is not needed. A run folder holds `config.yaml` and `wandb-summary.json`, and the history where it
was exported (`wandb-history.jsonl`). The JSON is a list of runs with the keys that `api.runs` gives: id, name, state,
config, summary, history.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from probatum.errors import DataError, DataMissingError
from probatum.interop.foreign_run import AS_CURVE, ForeignRun, Source, number, plain
from probatum.interop.from_tables import STATES, rows_of, wide_runs
from probatum.problems.yaml_text import parse_yaml

SUMMARY, CONFIG, HISTORY, METADATA = (
    "wandb-summary.json", "config.yaml", "wandb-history.jsonl", "wandb-metadata.json",
)  # fmt: skip
REMEDY = "give a folder of runs, a CSV of the table of runs, or a JSON list of runs"


def wandb_runs(path: Path, metric: str | None, parameters: Sequence[str] = ()) -> Source:
    """The runs of an export.

    Args:
        path: a folder that holds run folders at any depth, a .csv, or a .json or .jsonl of runs.
        metric: that runs are judged by.
        parameters: columns of a CSV that are parameters, which it does not tell from results.

    Raises:
        DataMissingError: there is nothing.
        DataError: it is no export, or a file of it cannot be read.
    """
    if path.is_dir():
        folders = sorted({file.parent for name in (SUMMARY, CONFIG) for file in path.rglob(name)})
        if not folders:
            what = f"holds no run of W&B: no {SUMMARY} and no {CONFIG}"
            raise DataError(what, where=str(path), remedy=REMEDY)
        return Source("wandb", str(path), None, (_of_folder(f, metric) for f in folders))
    if not path.is_file():
        raise DataMissingError("no such folder or file", where=str(path), remedy=REMEDY)
    if path.suffix.lower() == ".csv":
        return wide_runs(list(rows_of(path)), path, metric, parameters, "wandb")
    return Source("wandb", str(path), None, _of_api(path, metric))


def _of_folder(folder: Path, metric: str | None) -> ForeignRun:
    summary = _json(folder / SUMMARY) if (folder / SUMMARY).is_file() else None
    about = _json(folder / METADATA) if (folder / METADATA).is_file() else {}
    history = [row for _, row in rows_of(folder / HISTORY)] if (folder / HISTORY).is_file() else []
    named = folder.parent if folder.name == "files" else folder  # wandb/run-20260401_101500-3fj2k9/files
    run = named.name.rpartition("-")[2] if named.name.startswith(("run-", "offline-run-")) else named.name
    config = _config(folder / CONFIG) if (folder / CONFIG).is_file() else {}
    values = {"id": run, "name": str(config.pop("run_name", run)), "config": config, "summary": summary or {}}
    values["state"] = "finished" if summary else "running"
    return _run(values | {"history": history, "tags": about}, metric, str(folder))


def _of_api(path: Path, metric: str | None) -> Iterator[ForeignRun]:
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        rows = [row for _, row in rows_of(path)]
    else:
        found = _json(path, of=(list, dict))
        rows = found.get("runs", [found]) if isinstance(found, dict) else found
    for index, row in enumerate(rows):
        place = f"{path.name}, run {index + 1}"
        if not isinstance(row, dict) or not ("config" in row or "summary" in row):
            raise DataError("is no run of W&B: it has no 'config' and no 'summary'", where=place, remedy=REMEDY)
        yield _run(row, metric, place)


def _run(row: Mapping[str, Any], metric: str | None, place: str) -> ForeignRun:
    config, summary = (_mapping(row.get(key), key, place) for key in ("config", "summary"))
    state = str(row.get("state") or "finished").lower()
    identity = str(row.get("id") or row.get("name") or "")
    if not identity:
        raise DataError("a run without an id and a name", where=place, remedy=REMEDY)
    history = row.get("history") or []
    metrics = {key: number(value) for key, value in _flat(summary).items() if not key.startswith("_")}
    return ForeignRun(
        id=identity,
        name=str(row.get("display_name") or row.get("name") or identity),
        state=STATES.get(state, "failed"),
        parameters={key: plain(_value(value)) for key, value in config.items() if not key.startswith("_")},
        tags={key: plain(value) for key, value in _tags(row.get("tags")).items()},
        metrics={key: value for key, value in metrics.items() if value is not None},
        curves=_curves(history, metric) if isinstance(history, list) else {},
        started=number(summary.get("_timestamp")),
        error=None if STATES.get(state) == "finished" else f"W&B calls it {state}",
    )


def _value(value: Any) -> Any:
    """A configuration value; W&B wraps it with its description."""
    return value["value"] if isinstance(value, dict) and "value" in value and set(value) <= {"value", "desc"} else value


def _tags(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {key: value for key, value in given.items() if isinstance(value, str | int | float)}
    return {str(tag): True for tag in given} if isinstance(given, list) else {}


def _flat(summary: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested results by dotted names; of a metric that keeps its minimum, maximum or mean each one."""
    found: dict[str, Any] = {}
    for key, value in summary.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _curves(history: Sequence[Mapping[str, Any]], metric: str | None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The known learning curves, and that of the metric."""
    found: dict[str, list[tuple[float, float]]] = {}
    for index, row in enumerate(history):
        for key, value in row.items():
            if (key in AS_CURVE or key == metric) and (value := number(value)) is not None:
                found.setdefault(key, []).append((number(row.get("_step")) or float(index), value))
    return {
        key: (np.array([s for s, _ in points]), np.array([v for _, v in points]))
        for key, points in found.items()
        if len(points) > 1
    }


def _mapping(given: Any, key: str, place: str) -> dict[str, Any]:
    if isinstance(given, str):  # the API gives JSON as text
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            given = None if given else {}
    if given is None and key == "summary":
        return {}
    if not isinstance(given, dict | None) or given is None:
        raise DataError(f"'{key}' of a run is no object", where=place, remedy=REMEDY)
    return given


def _json(file: Path, of: tuple[type, ...] = (dict,)) -> Any:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"no valid JSON: {error}", where=str(file), remedy=REMEDY) from None
    if not isinstance(found, of):
        raise DataError("is no export of runs", where=str(file), remedy=REMEDY)
    return found


def _config(file: Path) -> dict[str, Any]:
    """The configuration of a run folder, without W&B's own keys."""
    try:
        found = parse_yaml(file.read_text(encoding="utf-8"), str(file), REMEDY)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"is no YAML: {error}", where=str(file), remedy=REMEDY) from None
    if found is not None and not isinstance(found, dict):
        raise DataError("is no configuration", where=str(file), remedy=REMEDY)
    return {key: value for key, value in (found or {}).items() if key not in ("wandb_version", "_wandb")}
