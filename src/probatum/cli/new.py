"""`new`: a campaign file to start from."""

from __future__ import annotations

import json
import os
import shlex
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from probatum.campaigns.artifacts import storage_errors
from probatum.campaigns.ledgers.files import state_folder
from probatum.cli.output import console, print_json
from probatum.errors import CampaignFileError
from probatum.problems import registry

AGENTS = "AGENTS.md"
"""Beside a new campaign: how an agent works with it."""


def write_campaign_file(
    file: Path,
    *,
    problem: str,
    table: Path | None,
    target: list[str],
    group: str | None,
    replicate: str | None,
    agents: bool,
    json: bool,
) -> None:
    """Writes a commented campaign file and, unless one is there, instructions for agents; never over a file."""
    if file.suffix != ".toml":
        raise CampaignFileError("a campaign file ends in .toml", where=str(file), remedy=f"use {file.stem}.toml")
    if file.exists():
        raise CampaignFileError("is already there", where=str(file), remedy="choose another name")
    if table is not None:
        text = _for_table(file, table, target, group, replicate)
    else:
        if target or group or replicate:
            raise CampaignFileError("--target, --group and --replicate describe a table", remedy="add --table FILE")
        text = _built_in(problem)
    with storage_errors(file.parent):
        file.write_text(text, encoding="utf-8")
    told = _write_instructions(file, "table" if table is not None else problem) if agents else None
    if json:
        print_json({"campaign": str(file), "agents": None if told is None else str(told)})
    else:
        console().print(f"wrote {file}; 'probatum run {file}' starts it", soft_wrap=True, markup=False)
        if told is not None:
            console().print(f"wrote {told}: how an agent works with it", soft_wrap=True, markup=False)


def _write_instructions(file: Path, problem: str) -> Path | None:
    """AGENTS.md beside a campaign file; None where there is one already, which is left as it is."""
    path = file.with_name(AGENTS)
    text = files("probatum.cli").joinpath("templates", AGENTS).read_text(encoding="utf-8")
    words = {"@CAMPAIGN@": file.name, "@SHELL@": shlex.quote(file.name), "@JSON@": json.dumps(file.name)}
    words |= {"@PROBLEM@": problem, "@STATE@": state_folder(file).name}
    for mark, word in words.items():
        text = text.replace(mark, word)
    with storage_errors(path.parent):
        try:
            with path.open("x", encoding="utf-8") as out:
                out.write(text)
        except FileExistsError:
            return None
    return path


def _for_table(file: Path, table: Path, target: list[str], group: str | None, replicate: str | None) -> str:
    if not target:
        raise CampaignFileError("a table needs a target", remedy="add --target COLUMN")
    options = {"path": str(table), "target": target, "group": group, "replicate": replicate}
    opened = registry.build("table", {k: v for k, v in options.items() if v is not None}, where=str(table))
    dataset = opened.dataset(opened.tasks[0])  # a table that cannot be used is refused now, not at the first run
    relative = Path(os.path.relpath(table.resolve(), file.resolve().parent)).as_posix()
    environment = Environment(
        loader=PackageLoader("probatum.cli"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["toml"] = _toml
    return environment.get_template("table.toml").render(
        path=relative, target=target, group=group, replicate=replicate, rows=len(dataset)
    )


def _built_in(problem: str) -> str:
    registry.problem_class(problem)
    template = files("probatum.cli").joinpath("templates", f"{problem}.toml")
    if not template.is_file():
        template = files("probatum.cli").joinpath("templates", "plugin.toml")
    return template.read_text(encoding="utf-8").replace("@PROBLEM@", problem)


def _toml(text: str) -> str:
    """A basic string of TOML."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
