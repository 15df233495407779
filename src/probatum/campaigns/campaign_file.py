"""Reads a campaign file (TOML): the problem, the protocol, how it runs, and the experiments.

Errors name the file, the line and the key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from probatum.campaigns.executors.dask_settings import DaskSettings
from probatum.campaigns.experiment import Experiment
from probatum.campaigns.experiment_tables import grow, schema_error
from probatum.campaigns.ledgers.address import LedgerAddress
from probatum.campaigns.ledgers.files import ledger_address
from probatum.campaigns.protocol import Protocol
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.recipe_book import recipe_book
from probatum.campaigns.toml_lines import TomlLines
from probatum.campaigns.toml_text import read_toml
from probatum.errors import CampaignFileError, ProbatumError, UnknownNameError
from probatum.problems import registry
from probatum.problems.problem import Problem

Section = TypeVar("Section", bound=BaseModel)
KEYS = ("problem", "task", "protocol", "run", "audit", "space", "planning", "experiment")


class RunSettings(BaseModel):
    """How a campaign runs. Nothing here can change a result, so it may change between runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cores: int | None = Field(None, ge=1, description="cores that may be used; default: all")
    limit: float = Field(600.0, gt=0, description="seconds that one fit may take")
    ledger: str | None = Field(
        None,
        description="a shared ledger, for several drivers: 'postgresql+psycopg://user@host/database'; never a password",
    )
    keep_weights: bool = Field(False, description="store the trained weights of networks beside the predictions")
    executor: Literal["local", "dask"] = Field(
        "local", description="who trains: 'local', this machine; 'dask', [run.dask]"
    )
    dask: DaskSettings | None = Field(
        None, description="a cluster: " + ", ".join(DaskSettings.model_fields) + "; docs/scaling.md"
    )

    @model_validator(mode="after")
    def _check(self) -> RunSettings:
        if self.executor == "dask" and self.dask is None:
            raise CampaignFileError("executor = 'dask', and no cluster is named", remedy="add [run.dask]")
        if self.executor == "dask" and self.cores is not None:
            remedy = "remove cores: a cluster has the cores of its workers"
            raise CampaignFileError("cores are of the executor 'local'", remedy=remedy)
        return self


class AuditSettings(BaseModel):
    """What the audit is told. Nothing here can change a result, so it may change between runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ignore: dict[str, str] = Field(
        default_factory=dict, description="code, or 'CODE experiment', to the reason why its finding is ignored"
    )
    target: float | None = Field(None, description="the external score that is wanted, to see whether it can be had")


class PlanningSettings(BaseModel):
    """How rounds are planned. Nothing here can change a result, so it may change between runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    candidates: int | None = Field(
        None, ge=1, description="candidates of a round, which race for it on few folds; default: as many as slots"
    )
    first_folds: int = Field(3, ge=2, description="folds that candidates are raced on first; then twice as many")
    fixed: tuple[str, ...] = Field((), description="parts of the recipe that no round may change: 'model.kind'")


@dataclass(frozen=True)
class CampaignFile:
    """A campaign file, read and checked.

    Attributes:
        path: of the file.
        problem: opened.
        problem_spec: (kind, options) that open it again in another process.
        tasks: what the experiments are trained on.
        protocol: completed with the problem's defaults.
        run: how it runs.
        audit: what the audit is told.
        experiments: in the file's order; () of imported runs, and where they were not wanted.
        planning: how rounds are planned.
        space: what may be searched, as the file says it; `probatum.planning.space` reads it.
        ledger: the address of a shared ledger, of this file or of the environment; None of one in the state folder.
    """

    path: Path
    problem: Problem
    problem_spec: tuple[str, Mapping[str, Any]]
    tasks: tuple[str, ...]
    protocol: Protocol
    run: RunSettings
    audit: AuditSettings
    experiments: tuple[Experiment, ...]
    planning: PlanningSettings
    space: Mapping[str, Any] = field(default_factory=dict)
    ledger: LedgerAddress | None = None

    @property
    def problem_record(self) -> dict[str, object]:
        """{'kind', 'options'} that open the problem again, as plain values for workers and the ledger."""
        kind, options = self.problem_spec
        return {"kind": kind, "options": dict(options)}


def read_campaign_file(path: Path, *, experiments: bool = True) -> CampaignFile:
    """Reads and checks a campaign file.

    Args:
        path: of the file.
        experiments: whether they are wanted; without them nothing can be run, and no code that recipes name is loaded.

    Raises:
        CampaignFileError, UnknownNameError: naming file, line, key and remedy.
        LedgerError: the address of its ledger is none, or holds a password.
    """
    text = _text(path)
    content = read_toml(text, path.name)
    lines = TomlLines(text, path.name)
    for key in content:
        if key not in KEYS:
            raise UnknownNameError.of("key", key, KEYS, where=lines.place(key))
    spec = _problem_spec(content, path, lines)
    try:
        problem = registry.build(spec[0], spec[1], where=lines.place("problem"))
    except UnknownNameError as error:
        raise UnknownNameError(error.what, where=error.where or lines.place("problem"), remedy=error.remedy) from None
    protocol = _section(Protocol, content, "protocol", lines)
    protocol = protocol.completed(problem, where=lines.place("protocol"))
    run = _section(RunSettings, content, "run", lines)
    _check_reasons(content, lines)
    audit = _section(AuditSettings, content, "audit", lines)
    tasks = _tasks(content, problem, lines)
    planned = _experiments(content, problem, protocol, lines) if experiments else ()
    space = content.get("space", {})
    if not isinstance(space, Mapping):
        raise CampaignFileError("space must be a table", where=lines.place("space"), remedy="write [space]")
    planning = _section(PlanningSettings, content, "planning", lines)
    for part in planning.fixed:
        if part.partition(".")[0] not in Recipe.model_fields:
            raise UnknownNameError.of(
                "part of a recipe", part, Recipe.model_fields, where=lines.place("fixed", section="planning")
            )
    where = lines.place("ledger", section="run")
    address = None if problem.recorded else ledger_address(path, run.ledger, where=where)
    return CampaignFile(path, problem, spec, tasks, protocol, run, audit, planned, planning, space, address)


def _experiments(
    content: Mapping[str, Any], problem: Problem, protocol: Protocol, lines: TomlLines
) -> tuple[Experiment, ...]:
    """The file's experiments; () of imported runs, which stand in the ledger (`recorded_campaign`)."""
    entries = content.get("experiment", [])
    if problem.recorded:
        if entries:
            place = lines.place("experiment")
            remedy = "remove it: nothing can be trained here"
            raise CampaignFileError("an experiment beside imported runs", where=place, remedy=remedy)
        return ()
    if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries) or not entries:
        raise CampaignFileError("no experiments", where=lines.name, remedy="add an [[experiment]] table")
    experiments = _grow(entries, problem, lines)
    _check_baseline(protocol, experiments, lines)
    return experiments


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CampaignFileError(
            "no such campaign file", where=str(path), remedy="'probatum new' writes one to start from"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise CampaignFileError(what, where=f"{path.name}:{line}", remedy="save the file as text in UTF-8") from None
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise CampaignFileError(what, where=str(path), remedy="name a campaign file") from None


def _problem_spec(content: Mapping[str, Any], path: Path, lines: TomlLines) -> tuple[str, dict[str, Any]]:
    given = content.get("problem")
    if isinstance(given, str):
        given = {"kind": given}
    if not isinstance(given, Mapping) or not isinstance(given.get("kind"), str):
        raise CampaignFileError(
            "no problem",
            where=lines.place("problem"),
            remedy=f"add problem = '...', one of {', '.join(registry.names())}",
        )
    options = {k: v for k, v in given.items() if k != "kind"}
    for key in ("path", "folder"):
        if isinstance(options.get(key), str):
            if "\0" in options[key]:
                raise CampaignFileError(f"{key} holds U+0000", where=lines.place("problem"), remedy="name a file")
            options[key] = str((path.parent / options[key]).resolve())
    return given["kind"], options


def _tasks(content: Mapping[str, Any], problem: Problem, lines: TomlLines) -> tuple[str, ...]:
    given = content.get("task", problem.tasks[0])
    tasks = (given,) if isinstance(given, str) else given
    if not isinstance(tasks, list | tuple) or not tasks or not all(isinstance(t, str) for t in tasks):
        raise CampaignFileError("task must be a name or a list of names", where=lines.place("task"))
    for task in tasks:
        if task not in problem.tasks:
            raise UnknownNameError.of("task", task, problem.tasks, where=lines.place("task"))
    if len(set(tasks)) < len(tasks):
        raise CampaignFileError("a task stands here twice", where=lines.place("task"))
    return tuple(tasks)


def _section(model: type[Section], content: Mapping[str, Any], name: str, lines: TomlLines) -> Section:
    given = content.get(name, {})
    if not isinstance(given, Mapping):
        raise CampaignFileError(f"{name} must be a table", where=lines.place(name), remedy=f"write [{name}]")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        path = [str(part) for part in error.errors()[0]["loc"]]
        place = lines.place(path[-1], section=".".join([name, *path[:-1]])) if path else lines.header(name)
        own = error.errors()[0].get("ctx", {}).get("error")  # what a section itself says of its keys
        if isinstance(own, ProbatumError):
            raise type(own)(own.what, where=lines.header(".".join([name, *path])), remedy=own.remedy) from None
        raise schema_error(error, _fields_beside(model, path), place) from None


def _fields_beside(model: type[BaseModel], path: Sequence[str]) -> Mapping[str, Any]:
    """The keys that could stand in the place of a path's last one."""
    for part in path[:-1]:
        found = model.model_fields.get(part)
        kinds = [found.annotation, *get_args(found.annotation)] if found else []
        model = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), model)
    return model.model_fields


def _check_reasons(content: Mapping[str, Any], lines: TomlLines) -> None:
    """[audit] ignore is a table of reasons by code, not a list of codes."""
    section = content.get("audit")
    ignore = section.get("ignore", {}) if isinstance(section, Mapping) else {}
    if isinstance(ignore, Mapping):
        code = next((key for key, reason in ignore.items() if not isinstance(reason, str)), None)
        what = f"{code} is ignored without a reason: {ignore.get(code)!r} is no text"
    else:
        code = next((c for c in (ignore if isinstance(ignore, list) else [ignore]) if isinstance(c, str)), "PB604")
        what = f"ignore = {ignore!r} is no table of codes with reasons"
    if code is not None:
        remedy = f"write ignore = {{ \"{code}\" = 'why it does not matter' }}"
        raise CampaignFileError(what, where=lines.place("ignore", section="audit"), remedy=remedy)


def _grow(entries: Sequence[Mapping[str, Any]], problem: Problem, lines: TomlLines) -> tuple[Experiment, ...]:
    places = [lines.experiment(i) for i in range(len(entries))]
    try:
        return grow(entries, problem, places, {name: one.recipe for name, one in recipe_book(problem).items()})
    except ProbatumError as error:
        named = [re.search(pattern, error.what) for pattern in (r": '([^']+)'$", r"'([^']+)'", r"^([\w.]+) = ")]
        word = next((found[1] for found in named if found), None)
        if error.where in places and word:
            place = lines.experiment(places.index(error.where), word)
            raise type(error)(error.what, where=place, remedy=error.remedy) from None
        raise


def _check_baseline(protocol: Protocol, experiments: Sequence[Experiment], lines: TomlLines) -> None:
    names = [e.name for e in experiments]
    if protocol.baseline is not None and protocol.baseline not in names:
        place = lines.place("baseline", section="protocol")
        raise UnknownNameError.of("baseline experiment", protocol.baseline, names, where=place)
