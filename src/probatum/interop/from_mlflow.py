"""Runs of an MLflow experiment, from its tracking server, database or folder; no artifact of them is opened."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from probatum.errors import DataError, DataMissingError, UnknownNameError
from probatum.interop.foreign_run import AS_CURVE, ForeignRun, Source, State, number, plain

PAGE = 500
"""Runs asked for at once."""
PARENT_TAG = "mlflow.parentRunId"
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # reading somebody's store is nobody else's business
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # its own 7 take minutes to say that nobody answers
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""Environment variables of MLflow."""
STATES: dict[str, State] = {
    "FINISHED": "finished",
    "RUNNING": "running",
    "SCHEDULED": "running",
    "FAILED": "failed",
    "KILLED": "failed",
}


def mlflow_runs(uri: str, experiment: str | None, metric: str | None) -> Source:
    """The runs of an experiment that are not deleted, the oldest first.

    Args:
        uri: 'sqlite:///mlflow.db', 'http://host:5000', another database's URL, or a folder 'mlruns'.
        experiment: its name; may be left out where the store holds one.
        metric: that runs are judged by, which may have a curve.

    Raises:
        DataMissingError: there is no such store.
        DataError: it is none, or of another version.
        UnknownNameError: an experiment that it does not hold.
    """
    place = without_password(uri)
    client = tracking_client(existing_store(uri), place)
    experiments: dict[str, str] = {e.name: e.experiment_id for e in _experiments(client, place)}
    held = [name for name in experiments if name != "Default"] or list(experiments)
    if experiment is None and len(held) != 1:
        names = ", ".join(held[:8]) or "none"
        raise DataError(f"{len(held)} experiments ({names})", where=place, remedy="choose one: --experiment NAME")
    chosen = held[0] if experiment is None else experiment
    if chosen not in experiments:
        raise UnknownNameError.of("experiment", chosen, experiments, where=place)
    return Source("mlflow", place, chosen, _runs(client, experiments[chosen], metric, place))


def tracking_client(uri: str, place: str) -> Any:
    """MLflow's client of a store, which it must be able to read.

    Args:
        uri: of a store that is there.
        place: as it may be written down.

    Raises:
        DataError: MLflow is not installed, or cannot use the store: it is of another version, say.
    """
    _settle()
    try:
        from mlflow.tracking import MlflowClient
    except ImportError:
        remedy = "pip install 'probatum[mlflow]'"
        raise DataError("MLflow is not installed", where=place, remedy=remedy) from None
    try:
        client = MlflowClient(tracking_uri=uri)
        client.search_experiments(max_results=1)
    except Exception as error:  # its own, its database's and its network's, of many kinds
        raise DataError(
            f"is no MLflow store that {_version()} can read ({_first_line(error)})",
            where=place,
            remedy="check the address; a database of an older version needs 'mlflow db upgrade'",
        ) from None
    return client


def _settle() -> None:
    """What MLflow is told before it is imported, unless somebody told it otherwise."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)


def existing_store(uri: str) -> str:
    """The URI of a store that is there; MLflow itself would make an empty one.

    Raises:
        DataMissingError, DataError.
    """
    remedy = "give sqlite:///FILE, http://HOST:PORT, or a folder 'mlruns'"
    if re.match(r"sqlite(\+\w+)?:", uri):
        file = Path(uri.partition(":///")[2].partition("?")[0])
        if not file.is_file():
            raise DataMissingError("no such MLflow database", where=uri, remedy=remedy)
        _check_database(file, uri, remedy)
        return uri
    if re.match(r"[a-z][a-z0-9+]*://", uri) and not uri.startswith("file:"):
        return uri
    folder = Path(urlsplit(uri).path if uri.startswith("file:") else uri)
    if folder.is_file():
        with folder.open("rb") as content:
            if content.read(15) == b"SQLite format 3":
                _check_database(folder, str(folder), remedy)
                return f"sqlite:///{folder.resolve()}"
    if not folder.is_dir():
        raise DataMissingError("no such folder", where=str(folder), remedy=remedy)
    if not any(folder.glob("*/meta.yaml")):
        raise DataError("is no MLflow folder: it holds no experiment", where=str(folder), remedy=remedy)
    return folder.resolve().as_uri()


def _check_database(file: Path, place: str, remedy: str) -> None:
    """Refuses a database that is not MLflow's or is of another version: MLflow would write its own tables into it.

    Raises:
        DataError.
    """
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            mine = tables >= {"experiments", "runs", "alembic_version"}
            found = db.execute("SELECT version_num FROM alembic_version").fetchone() if mine else None
    except sqlite3.Error as error:
        raise DataError(f"is no SQLite database ({error})", where=place, remedy=remedy) from None
    if found is None:
        shown = f"its tables: {', '.join(sorted(tables)[:4])}" if tables else "it is empty"
        raise DataError(f"is no database of MLflow ({shown})", where=place, remedy=remedy)
    _settle()
    try:
        import mlflow
        from alembic.script import ScriptDirectory
    except ImportError:
        return  # 'tracking_client' says what is missing
    known = ScriptDirectory(str(Path(mlflow.__file__).parent / "store" / "db_migrations")).get_current_head()
    if found[0] != known:
        raise DataError(
            f"is a database of another version of MLflow (schema {found[0]}, {_version()} has {known})",
            where=place,
            remedy="copy it and run 'mlflow db upgrade' on the copy, or install the version that wrote it",
        )


def without_password(uri: str) -> str:
    """A URI as it may be written down."""
    if "://" not in uri or uri.startswith(("sqlite", "file:")):
        return uri
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _experiments(client: Any, place: str) -> Iterator[Any]:
    token = None
    while True:
        page = _asked(place, client.search_experiments, max_results=PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _runs(client: Any, experiment: str, metric: str | None, place: str) -> Iterator[ForeignRun]:
    token = None
    while True:
        page = _asked(
            place,
            client.search_runs,
            [experiment],
            max_results=PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        for run in page:
            yield _run(client, run, metric, place)
        token = page.token
        if not token:
            return


def _run(client: Any, run: Any, metric: str | None, place: str) -> ForeignRun:
    info, data = run.info, run.data
    tags = dict(data.tags)
    steps = {m.key: m.step for m in getattr(data, "_metric_objs", ())}
    curved = [key for key in data.metrics if steps.get(key, 0) > 0 and (key in AS_CURVE or key == metric)]
    metrics = {key: number(value) for key, value in data.metrics.items()}
    return ForeignRun(
        id=info.run_id,
        name=info.run_name or tags.get("mlflow.runName") or info.run_id[:8],
        state=STATES.get(info.status, "failed"),
        parameters={key: plain(value) for key, value in data.params.items()},
        tags={key: value for key, value in tags.items() if not key.startswith("mlflow.")},
        metrics={key: value for key, value in metrics.items() if value is not None},
        curves={key: _curve(_asked(place, client.get_metric_history, info.run_id, key)) for key in curved},
        inside=tags.get(PARENT_TAG),
        parent=tags.get("probatum.parent"),
        started=info.start_time / 1000 if info.start_time else None,
        ended=info.end_time / 1000 if info.end_time else None,
        error=None if info.status == "FINISHED" else f"MLflow calls it {info.status.lower()}",
    )


def _curve(history: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """(steps, values): of values of one step the last one."""
    by_step = {m.step: m.value for m in sorted(history, key=lambda m: (m.step, m.timestamp))}
    values = [number(value) for value in by_step.values()]
    found = [np.nan if value is None else value for value in values]
    return np.array(list(by_step), dtype=np.float64), np.array(found, dtype=np.float64)


def _asked(place: str, question: Any, *arguments: Any, **options: Any) -> Any:
    try:
        return question(*arguments, **options)
    except Exception as error:  # see `tracking_client`
        raise DataError(f"MLflow did not answer ({_first_line(error)})", where=place, remedy="try again") from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return without_secrets(lines[0])[:200].rstrip(". ")


def without_secrets(text: str) -> str:
    """Text without what stands between '://' and '@'."""
    return re.sub(r"://[^/@\s]*@", "://", text)


def _version() -> str:
    from mlflow.version import VERSION

    return f"MLflow {VERSION}"
