"""Reads a campaign file (TOML): the problem, the protocol, how it runs, and the experiments.

Errors name the file, the line and the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from probatum.campaigns.experiment import Experiment, grow, schema_error
from probatum.campaigns.protocol import Protocol
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.recipe_book import recipe_book
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
    keep_weights: bool = Field(False, description="store the trained weights of networks beside the predictions")


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
        experiments: in the file's order.
        planning: how rounds are planned.
        space: what may be searched, as the file says it; `probatum.planning.space` reads it.
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


def read_campaign_file(path: Path) -> CampaignFile:
    """Reads and checks a campaign file.

    Raises:
        CampaignFileError, UnknownNameError: naming file, line, key and remedy.
    """
    text = _text(path)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise CampaignFileError(
            f"no valid TOML: {error}", where=f"{path.name}:{line[1]}" if line else path.name, remedy="correct the line"
        ) from None
    lines = _Lines(text, path.name)
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
    entries = content.get("experiment", [])
    if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries) or not entries:
        raise CampaignFileError("no experiments", where=path.name, remedy="add an [[experiment]] table")
    experiments = _grow(entries, problem, lines)
    _check_baseline(protocol, experiments, lines)
    space = content.get("space", {})
    if not isinstance(space, Mapping):
        raise CampaignFileError("space must be a table", where=lines.place("space"), remedy="write [space]")
    planning = _section(PlanningSettings, content, "planning", lines)
    for part in planning.fixed:
        if part.partition(".")[0] not in Recipe.model_fields:
            raise UnknownNameError.of(
                "part of a recipe", part, Recipe.model_fields, where=lines.place("fixed", section="planning")
            )
    return CampaignFile(path, problem, spec, tasks, protocol, run, audit, experiments, planning, space)


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


def _problem_spec(content: Mapping[str, Any], path: Path, lines: _Lines) -> tuple[str, dict[str, Any]]:
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
            options[key] = str((path.parent / options[key]).resolve())
    return given["kind"], options


def _tasks(content: Mapping[str, Any], problem: Problem, lines: _Lines) -> tuple[str, ...]:
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


def _section(model: type[Section], content: Mapping[str, Any], name: str, lines: _Lines) -> Section:
    given = content.get(name, {})
    if not isinstance(given, Mapping):
        raise CampaignFileError(f"{name} must be a table", where=lines.place(name), remedy=f"write [{name}]")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        raise schema_error(error, model.model_fields, lines.place(key, section=name)) from None


def _check_reasons(content: Mapping[str, Any], lines: _Lines) -> None:
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


def _grow(entries: Sequence[Mapping[str, Any]], problem: Problem, lines: _Lines) -> tuple[Experiment, ...]:
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


def _check_baseline(protocol: Protocol, experiments: Sequence[Experiment], lines: _Lines) -> None:
    names = [e.name for e in experiments]
    if protocol.baseline is not None and protocol.baseline not in names:
        place = lines.place("baseline", section="protocol")
        raise UnknownNameError.of("baseline experiment", protocol.baseline, names, where=place)


class _Lines:
    """Finds the line that a key stands in, so that an error can name it."""

    def __init__(self, text: str, name: str):
        self.lines, self.name = text.splitlines(), name
        self.headers = [i for i, line in enumerate(self.lines) if re.match(r"\s*\[\[\s*experiment\s*\]\]", line)]

    def place(self, key: str, *, section: str | None = None) -> str:
        """'file:line' of a key, at the top or in a section."""
        start = 0
        if section is not None:
            start = next((i for i, line in enumerate(self.lines) if re.match(rf"\s*\[{section}\]", line)), 0)
        return self._find(key, start, len(self.lines)) or self.name

    def experiment(self, index: int, word: str | None = None) -> str:
        """'file:line' of an experiment's header, or of the first line in it that names the word."""
        if index >= len(self.headers):
            return f"{self.name}: experiment {index + 1}"
        start = self.headers[index]
        end = self.headers[index + 1] if index + 1 < len(self.headers) else len(self.lines)
        if word is not None:
            for before in (r"\w.", r"\w"):  # 'kind' stands in 'model.kind' only where it does not stand alone
                for i in range(start, end):
                    if re.search(rf"(?<![{before}]){re.escape(word)}(?!\w)", self.lines[i].split("#")[0]):
                        return f"{self.name}:{i + 1}"
            last = word.rpartition(".")[2]
            if last != word:
                return self.experiment(index, last)
        return f"{self.name}:{start + 1}"

    def _find(self, key: str, start: int, end: int) -> str | None:
        for i in range(start, end):
            if re.match(rf"\s*(\[+\s*)?\"?{re.escape(key)}\b", self.lines[i]):
                return f"{self.name}:{i + 1}"
        return None
