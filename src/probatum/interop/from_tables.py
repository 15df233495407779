"""Runs of a table: one that follows the columns of `audit.run_tables`, or a wide one with a column a parameter."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from probatum.audit.run_tables import CURVES, KEYS, NESTED, Line, read_lines
from probatum.errors import DataError, DataMissingError, UnknownNameError
from probatum.interop.foreign_run import ForeignRun, Source, State, number, plain

SCORE = "score"
"""The column that the columns of `audit.run_tables` call so."""
OF_METRICS = re.compile(
    r"(^|[^a-z])(loss|acc|accuracy|error|err|rmse|mse|mae|r2|auc|auroc|f1|score|nll|perplexity|precision|recall|metric|"
    r"val|valid|validation|test|eval|runtime|seconds|duration|time|epoch|step)([^a-z]|$)",
    re.IGNORECASE,
)
"""What the name of a column holds that measures a run; other columns of a wide table are parameters."""
NAMES, STATE_NAMES = ("name", "run", "run_name", "experiment"), ("state", "status")
IDS, STARTS, PARENTS = ("id", "run_id", "run id"), ("created", "started", "start_time", "timestamp"), ("parent",)
NO_PARAMETERS = ("notes", "user", "tags", "hostname", "sweep", "commit", "github", "gpu type", "description")
STATES: dict[str, State] = {
    **dict.fromkeys(("finished", "complete", "completed", "done", "success", "ok", ""), "finished"),
    **dict.fromkeys(("running", "pending", "queued", "waiting"), "running"),
    **dict.fromkeys(("pruned", "stopped early"), "pruned"),
    **dict.fromkeys(("failed", "fail", "crashed", "killed", "error", "preempted", "preempting"), "failed"),
}  # type: ignore[arg-type]


def table_runs(path: Path, metric: str | None, parameters: Sequence[str] = ()) -> Source:
    """The runs of a table.

    Args:
        path: a .csv, .jsonl or .ndjson file.
        metric: that runs are judged by, a column of a wide table; of the other kind 'score', or one of metrics.KEY.
        parameters: columns of a wide table that are parameters; default: those whose names do not speak of metrics.

    Raises:
        DataMissingError, DataError, UnknownNameError: naming file, line and column.
    """
    if not path.is_file():
        raise DataMissingError("no such table of runs", where=str(path), remedy="give a .csv or .jsonl file")
    columns = _columns(path)
    if follows_columns(columns) and not parameters:
        return Source("table", str(path), None, _of_lines(read_lines(path), path.name), metric=SCORE)
    return wide_runs(list(rows_of(path)), path, metric, parameters)


def follows_columns(columns: Sequence[str]) -> bool:
    """Whether a table's columns are those of `audit.run_tables`."""
    known = {*KEYS, *NESTED, CURVES}
    return "name" in columns and all(
        c in known or ("." in c and c.partition(".")[0] in (*NESTED, "curve")) for c in columns
    )


def wide_runs(
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    path: Path,
    metric: str | None,
    parameters: Sequence[str] = (),
    importer: str = "table",
) -> Source:
    """The runs of a table with a column for each parameter and each metric.

    Args:
        rows: (place, column to value) of each.
        path: that they were read from.
        metric: the column that runs are judged by.
        parameters: columns that are parameters; default: those whose names do not speak of metrics.
        importer: whose table it is.

    Raises:
        DataError: there are none, or no metric is named.
        UnknownNameError: a column that the table does not have.
    """
    where = str(path)
    if not rows:
        raise DataError("the table holds no runs", where=where, remedy="give one line a run")
    columns = list(dict.fromkeys(column for _, row in rows for column in row))
    for column in (*parameters, *([metric] if metric and "{" not in metric else [])):
        if column not in columns:
            raise UnknownNameError.of("column", column, columns, where=where)
    roles = {role: _first(columns, names) for role, names in _ROLES.items()}
    taken = {c for c in roles.values() if c} | ({metric} if metric else set())
    left = [c for c in columns if c not in taken and not c.startswith("_") and c.lower() not in NO_PARAMETERS]
    chosen = list(parameters) or [c for c in left if not OF_METRICS.search(c)]
    measured = [c for c in columns if c == metric or (c in left and c not in chosen)]
    said = [f"{role}: column '{c}'" for role, c in roles.items() if c]
    said.append(f"parameters: {_listed(chosen)} (--parameter COLUMN says it otherwise)")
    said.append(f"metrics: {_listed(measured)}")

    def runs() -> Iterator[ForeignRun]:
        for index, (place, row) in enumerate(rows):
            yield _wide_run(row, place, index, roles, chosen, measured)

    return Source(importer, where, None, runs(), parameters=tuple(parameters), remarks=tuple(said))


_ROLES = {"name": NAMES, "state": STATE_NAMES, "id": IDS, "start": STARTS, "parent": PARENTS}


def _wide_run(
    row: Mapping[str, Any],
    place: str,
    index: int,
    roles: Mapping[str, str | None],
    parameters: Sequence[str],
    metrics: Sequence[str],
) -> ForeignRun:
    def of(role: str) -> Any:
        column = roles[role]
        return None if column is None or row.get(column) in (None, "") else row[column]

    state = str(of("state") or "").strip().lower()
    if state not in STATES:
        raise UnknownNameError.of("state of a run", state, STATES, where=place)
    values = {c: number(row[c]) for c in metrics if row.get(c) not in (None, "")}
    return ForeignRun(
        id=str(of("id") or f"{of('name') or 'run'}#{index}"),
        name=str(of("name") or f"run {index + 1}"),
        state=STATES[state],
        parameters={c: plain(row[c]) for c in parameters if row.get(c) not in (None, "")},
        tags={c: v for c, v in row.items() if c not in parameters and c not in metrics},
        metrics={c: v for c, v in values.items() if v is not None},
        parent=None if of("parent") is None else str(of("parent")),
        started=number(of("start")),
        error=None if STATES[state] == "finished" else f"the table calls it {state}",
    )


def _of_lines(lines: Sequence[Line], name: str) -> Iterator[ForeignRun]:
    names = {line.name for line in lines}
    times: dict[str, int] = {}
    for line in lines:
        if line.parent is not None and line.parent not in names:
            raise UnknownNameError.of("parent", line.parent, names, where=line.place)
        times[line.name] = times.get(line.name, -1) + 1
        score = {} if line.score is None else {SCORE: line.score}
        steps = line.curves.get("epoch")
        yield ForeignRun(
            id=f"{line.name}#{times[line.name]}",
            name=line.name,
            parameters=dict(line.config),
            metrics={**line.metrics, **score},
            curves={
                key: (np.arange(1.0, len(values) + 1) if steps is None else np.asarray(steps), np.asarray(values))
                for key, values in line.curves.items()
                if key != "epoch"
            },
            parent=line.parent,
            marks={
                "claims": list(line.claims), "trivial": line.trivial, "baseline": line.baseline, "chosen": line.chosen,
                "estimated": line.estimated, "external": line.external, "scored_on": dict(line.scored_on),
                "metric": line.metric,
            },
        )  # fmt: skip


def _columns(path: Path) -> list[str]:
    if path.suffix.lower() == ".csv":
        with _opened(path) as file:
            return next(csv.reader(file, skipinitialspace=True), [])
    return list(dict.fromkeys(key for _, row in rows_of(path) for key in row))


def rows_of(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(place, column to value) of each line."""
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".jsonl", ".ndjson"):
        raise UnknownNameError.of(
            "kind of run table", suffix or path.name, (".csv", ".jsonl", ".ndjson"), where=str(path)
        )
    try:
        with _opened(path) as file:
            if suffix == ".csv":
                table = csv.DictReader(file, skipinitialspace=True)
                for column in table.fieldnames or ():
                    if (count := list(table.fieldnames or ()).count(column)) > 1:
                        what = f"column '{column}' stands here {count} times"
                        raise DataError(what, where=f"{path.name}:1", remedy="give each column a name of its own")
                for row in table:
                    if None in row:
                        what = "the line has more fields than there are columns"
                        raise DataError(what, where=f"{path.name}:{table.line_num}", remedy="quote commas")
                    yield f"{path.name}:{table.line_num}", row
                return
            for count, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path.name}:{count}", _object(line, f"{path.name}:{count}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot be read: {error}", where=str(path), remedy="give a text file in UTF-8") from None


def _opened(path: Path) -> Any:
    return path.open(encoding="utf-8-sig", newline="")


def _object(line: str, place: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"no valid JSON: {error}", where=place) from None
    if not isinstance(found, dict):
        raise DataError("a line must be an object", where=place, remedy='write {"name": "...", "val_rmse": ...}')
    return found


def _first(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The first column of one of these names, in whatever case."""
    return next((c for name in names for c in columns if c.lower() == name), None)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:12])
    return (shown or "none") + (f" and {len(names) - 12} more" if len(names) > 12 else "")
