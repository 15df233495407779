"""The pages of the reference, made from the program itself, so that they cannot go stale.

`pages()` gives the path of each below `docs/` and its text in Markdown: public names (for mkdocstrings), commands, keys
of a campaign file, checks of the audit.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, get_args

import typer
from pydantic import BaseModel

from probatum.audit.catalogue import BUILT_IN
from probatum.campaigns.campaign_file import KEYS, AuditSettings, PlanningSettings, RunSettings
from probatum.cli.main import app
from probatum.reporting.catalogue import TOPICS, model_values, topic_values

MODULES = {
    "probatum": "Campaigns, results, problems",
    "probatum.audit": "The audit",
    "probatum.learning": "Learners",
    "probatum.planning": "Planning",
    "probatum.reporting.figures": "Pictures of reports",
    "probatum.errors": "Errors",
}
"""Modules whose public names (`__all__`, or what is defined there) have an API page, and its title."""
SECTIONS = {
    "protocol": "How experiments are judged. Frozen once the campaign ran.",
    "run": "How it runs. Nothing here can change a result.",
    "audit": "What the audit is told.",
    "planning": "How rounds are planned.",
    "recipe": "What an `[[experiment]]` trains, beside its `name`, `parent` and `hypothesis`.",
}
WIDTH = 96
"""Columns of what a command says of itself."""
MODELS = {"run": RunSettings, "audit": AuditSettings, "planning": PlanningSettings}
"""Sections whose keys may be tables themselves, and the models that read them."""
SCOPES = {"partition": "one split", "run": "one experiment", "history": "all experiments together"}


def pages() -> dict[str, str]:
    """Path below `docs/` to the text of every generated page."""
    api = {f"reference/api/{module}.md": _names(module, title) for module, title in MODULES.items()}
    return {
        **api,
        "reference/commands.md": commands(),
        "reference/campaign_file.md": campaign_file(),
        "reference/checks.md": checks(),
    }


def public_names(module: str) -> list[str]:
    """Public names of a module that have a docstring of their own."""
    found = import_module(module)
    own = [n for n, o in vars(found).items() if inspect.isclass(o) and o.__module__ == module and n[0] != "_"]
    names = getattr(found, "__all__", own)
    return [n for n in names if inspect.isclass(getattr(found, n)) or inspect.isfunction(getattr(found, n))]


def _names(module: str, title: str) -> str:
    parts = [f"# {title}: `{module}`\n", (inspect.getdoc(import_module(module)) or "") if module != "probatum" else ""]
    for name in public_names(module):
        found = getattr(import_module(module), name)
        parts.append(
            f"::: {found.__module__}.{found.__qualname__}\n    options:\n      heading: {module}.{name}\n"
            f"      toc_label: {name}\n"
        )
    return "\n".join(parts)


# ---------------------------------------------------------------------- commands


def commands() -> str:
    """Every command of the program with its arguments and options, those of the built-in problems included."""
    program = typer.main.get_command(app)
    parts = [
        "# Commands\n",
        f"{program.help}\n",
        "Every command prints one JSON object with `--json` where it has that option. Exit codes: 0 done, 1 the work "
        "failed, 2 usage, 3 audit errors, 130 stopped by Ctrl-C.\n",
    ]
    for path, command in _walk(program, ("probatum",)):
        parts.append(f"## `{' '.join(path)}`\n\n```text\n{_help(path, command)}\n```\n")
    return "\n".join(parts)


def _walk(group: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    with typer.Context(group, info_name=path[-1]) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if hasattr(command, "list_commands"):
                yield from _walk(command, (*path, name))
            else:
                yield (*path, name), command


def _help(path: Sequence[str], command: Any) -> str:
    """What `--help` prints."""
    with typer.Context(command, info_name=" ".join(path), terminal_width=WIDTH, max_content_width=WIDTH) as context:
        return command.get_help(context).strip()


# ---------------------------------------------------------------------- campaign file


def campaign_file() -> str:
    """Every key of a campaign file, from the models that read it."""
    parts = [
        "# Campaign file\n",
        f"A campaign file is TOML. At its top stand {_list(KEYS)}; `probatum explain TOPIC` prints what follows, for "
        f"the topics {_list(TOPICS)} and for every model and check by its name. Unknown keys are refused with file, "
        "line and a suggestion.\n",
        "`problem` is a name, or a table with `kind` and options: `probatum problems NAME` lists them. `task` is one "
        "task of the problem, or a list. `[space]` is what [planning](../planning.md#a-declared-space) may search.\n",
    ]
    for topic, about in SECTIONS.items():
        title = "`[[experiment]]`" if topic == "recipe" else f"`[{topic}]`"
        parts.append(f"## {title}\n\n{about}\n")
        parts.append(_table(("key", "what it says"), [(f"`{k}`", str(v)) for k, v in topic_values(topic).items()]))
        if topic in MODELS:
            parts += [_section(path, model) for path, model in _below(topic, MODELS[topic])]
    parts.append("## `model.kind`\n")
    parts.append(_table(("kind", "what it is", "parameters"), list(_models())))
    return "\n".join(parts)


def _below(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Sections inside a section: those of its keys that are tables with keys of their own."""
    for name, found in model.model_fields.items():
        for inner in (found.annotation, *get_args(found.annotation)):
            if inspect.isclass(inner) and issubclass(inner, BaseModel):
                yield f"{path}.{name}", inner
                yield from _below(f"{path}.{name}", inner)


def _section(path: str, model: type[BaseModel]) -> str:
    rows = []
    for name, f in model.model_fields.items():
        default = "needed" if f.is_required() else f"default: {f.get_default(call_default_factory=True)}"
        rows.append((f"`{name}`", f"{f.description} ({default})"))
    return f"### `[{path}]`\n\n{inspect.getdoc(model)}\n\n" + _table(("key", "what it says"), rows)


def _models() -> Iterator[tuple[str, str, str]]:
    for name, about in model_values().items():
        if name == "blend" or ":" in name:
            yield f"`{name}`", about, ""
        else:
            yield f"`{name}`", about, str(topic_values(name)["parameters"])


# ---------------------------------------------------------------------- checks


def checks() -> str:
    """Every check of the audit, from its catalogue."""
    parts = [
        "# Checks of the audit\n",
        f"{len(BUILT_IN)} checks; [the audit](../audit.md) says how they are used and what an error does. "
        "`probatum explain PB101` prints the same.\n",
    ]
    for check in BUILT_IN.values():
        rows = [
            ("severity", check.severity),
            ("looks at", SCOPES[check.scope]),
            ("by chance", "can be raised; shares the budget of false alarms" if check.statistical else "never raised"),
            ("what to do", check.remedy),
            ("detects", check.detects),
        ]
        parts.append(f"## {check.code}: {check.title}\n\n{check.explanation}\n")
        parts += [f"- **{name}**: {text}" for name, text in rows] + [""]
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace(" (default: None)", "").replace("|", "\\|").replace("<", "&lt;")


def _list(names: Iterable[str] | Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in names)
