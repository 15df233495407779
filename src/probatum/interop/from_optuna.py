"""Trials of an Optuna study, from a database or a journal file."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from probatum.errors import DataError, DataMissingError, UnknownNameError
from probatum.interop.foreign_run import ForeignRun, Source, State, number, plain
from probatum.interop.from_mlflow import without_password, without_secrets

VALUE = "value"
"""Name of the objective of a study that has one and does not name it."""
STATES: dict[str, State] = {
    "COMPLETE": "finished",
    "RUNNING": "running",
    "WAITING": "running",
    "PRUNED": "pruned",
    "FAIL": "failed",
}


def optuna_runs(uri: str, study: str | None, metric: str | None) -> Source:
    """The trials of a study, in the order of their numbers.

    Args:
        uri: 'sqlite:///study.db', another database's URL, or a journal file.
        study: its name; may be left out where the storage holds one.
        metric: of several objectives, the one that trials are judged by; or a number among their user attributes.

    Raises:
        DataMissingError: there is no such storage.
        DataError: it is none, or of another version; it holds several studies and none was chosen.
        UnknownNameError: a study or an objective that it does not hold.
    """
    place = without_password(uri)
    try:
        import optuna
    except ImportError:
        remedy = "pip install 'probatum[optuna]'"
        raise DataError("Optuna is not installed", where=place, remedy=remedy) from None
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.ERROR)
    try:
        storage = _storage(uri, place)
        studies = sorted(optuna.get_all_study_names(storage))
        if study is None:
            if len(studies) != 1:
                names = ", ".join(studies[:8]) or "none"
                remedy = "choose one: --experiment NAME"
                raise DataError(f"{len(studies)} studies ({names})", where=place, remedy=remedy)
            study = studies[0]
        if study not in studies:
            raise UnknownNameError.of("study", study, studies, where=place)
        opened = optuna.load_study(study_name=study, storage=storage)
        trials, directions, named = opened.get_trials(deepcopy=False), opened.directions, opened.metric_names
    except (DataError, UnknownNameError):
        raise
    except Exception as error:  # its own and its database's, of many kinds
        said = without_secrets(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
        raise DataError(
            f"is no storage that Optuna {optuna.__version__} can read ({said[:200].rstrip('. ')})",
            where=place,
            remedy="check the address; a database of an older version needs 'optuna storage upgrade'",
        ) from None
    finally:
        optuna.logging.set_verbosity(before)
    objectives = tuple(
        named or ([VALUE] if len(directions) == 1 else [f"{VALUE}s_{i}" for i in range(len(directions))])
    )
    ways = {
        name: ("lower" if d.name == "MINIMIZE" else "higher") for name, d in zip(objectives, directions, strict=True)
    }
    return Source(
        "optuna",
        place,
        study,
        _runs(trials, objectives, study),
        better=ways.get(metric or objectives[0]),  # type: ignore[arg-type]
        metric=objectives[0] if len(objectives) == 1 else None,
    )


def _storage(uri: str, place: str) -> Any:
    """Optuna's storage; what it would make where there is none is refused first."""
    import optuna

    remedy = "give sqlite:///FILE, another database's URL, or a journal file"
    if re.match(r"sqlite(\+\w+)?:", uri) or "://" not in uri:
        file = Path(uri.partition(":///")[2].partition("?")[0] if "://" in uri else uri)
        if not file.is_file():
            raise DataMissingError("no such storage", where=place, remedy=remedy)
        with file.open("rb") as content:
            start = content.read(4096)
        if start.startswith(b"SQLite format 3"):
            _check_database(file, place, remedy)
            uri = uri if "://" in uri else f"sqlite:///{file.resolve()}"
        elif "://" in uri:
            raise DataError("is no SQLite database", where=place, remedy=remedy)
        else:
            _check_journal(start, place, remedy)
            from optuna.storages.journal import JournalFileBackend

            return optuna.storages.JournalStorage(JournalFileBackend(str(file)))  # lines of JSON: nothing is unpickled
    return optuna.storages.RDBStorage(uri)


def _check_database(file: Path, place: str, remedy: str) -> None:
    """Refuses a database of something else: Optuna would write its own tables into it."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise DataError(f"is no SQLite database ({error})", where=place, remedy=remedy) from None
    if not tables >= {"studies", "trials", "version_info"}:
        shown = f"its tables: {', '.join(sorted(tables)[:4])}" if tables else "it is empty"
        raise DataError(f"is no database of Optuna ({shown})", where=place, remedy=remedy)


def _check_journal(start: bytes, place: str, remedy: str) -> None:
    try:
        first = json.loads(start.partition(b"\n")[0])
    except ValueError:
        first = None
    if not isinstance(first, dict) or "op_code" not in first:
        raise DataError("is no journal of Optuna", where=place, remedy=remedy)


def _runs(trials: list[Any], objectives: tuple[str, ...], study: str) -> Iterator[ForeignRun]:
    for trial in trials:
        numbers = {key: found for key, value in trial.user_attrs.items() if (found := number(value)) is not None}
        given = trial.values if trial.values is not None else ()
        values = {name: number(value) for name, value in zip(objectives, given, strict=False)}
        steps = sorted(trial.intermediate_values.items())
        curve = np.array([s for s, _ in steps], dtype=np.float64), np.array([v for _, v in steps], dtype=np.float64)
        state = STATES.get(trial.state.name, "failed")
        last = f" at step {steps[-1][0]}, where it had {steps[-1][1]:.6g}" if steps else ""
        errors = {"pruned": f"pruned by Optuna{last}", "failed": "the trial failed in Optuna"}
        yield ForeignRun(
            id=f"{study}/{trial.number}",
            name=f"trial {trial.number}",
            state=state,
            parameters={key: plain(value) for key, value in trial.params.items()},
            tags={key: plain(value) for key, value in trial.user_attrs.items()},
            metrics=numbers | {name: value for name, value in values.items() if value is not None},
            curves={objectives[0]: curve} if len(steps) > 1 and len(objectives) == 1 else {},
            started=trial.datetime_start.timestamp() if trial.datetime_start else None,
            ended=trial.datetime_complete.timestamp() if trial.datetime_complete else None,
            error=errors.get(state),
        )
