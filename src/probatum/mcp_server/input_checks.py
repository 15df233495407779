"""What an agent may say: names and texts of printable characters, edits of registered names and bounded numbers.

Nothing that is said here becomes code or a path: an import path 'module:Class', a file name and a pickle are refused
before anything looks at them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from probatum.campaigns.campaign_file import KEYS
from probatum.campaigns.experiment import PROBES
from probatum.campaigns.experiment_tables import OWN_KEYS
from probatum.campaigns.protocol import Protocol
from probatum.campaigns.recipe import Recipe
from probatum.errors import CampaignFileError, UnknownNameError, UsageError
from probatum.mcp_server.limits import Limits

IMPORT_PATH = re.compile(r"\s*[A-Za-z_][\w.]*\s*:\s*[A-Za-z_][\w.]*\s*")
REGISTERED = re.compile(r"[A-Za-z][A-Za-z0-9_+ -]{0,63}")
"""What names of models, losses, optimisers and choices look like."""
DATA_KEYS = ("features", "group_weights", "components")
"""Keys whose names are those of columns, groups and experiments, which may look like anything."""
EDIT_KEYS = (*Recipe.model_fields, "recipe")
JUDGE_KEYS = ("problem", "task", "protocol", "audit")
"""Sections of a campaign file that say what is judged and how."""
FIXED_KEYS = {*KEYS, *Protocol.model_fields} - {*Recipe.model_fields}
"""What only a person changes, and a recipe does not have."""
MARKUP = "<>"


def check_name(name: str, limits: Limits, *, where: str) -> str:
    """A name of an experiment, stripped of blanks around it.

    Raises:
        UsageError: it is empty, too long, or holds control characters or markup.
    """
    _printable(name, where, limits.name)
    if any(c in MARKUP for c in name):
        raise UsageError("a name with '<' or '>'", where=where, remedy="use letters, digits and blanks")
    if "\n" in name or not name.strip():
        raise UsageError("a name of one line is needed", where=where, remedy="use letters, digits and blanks")
    return name.strip()


def check_text(text: str, limits: Limits, *, where: str) -> str:
    """A hypothesis or a reason.

    Raises:
        UsageError: it is too long, or holds control characters.
    """
    _printable(text, where, limits.text)
    return text.strip()


def check_names(names: Sequence[str], limits: Limits, *, where: str) -> list[str]:
    """Names of experiments that are looked up.

    Raises:
        UsageError: too many or too long, of another campaign, or of what only confirms an experiment.
    """
    if len(names) > limits.items:
        raise UsageError(f"{len(names)} names", where=where, remedy=f"give {limits.items} at most")
    for name in names:
        _printable(name, where, limits.name)
        if ".toml" in name.lower():
            what = f"'{shown(name)}' is of another campaign, and this server has one"
            raise UsageError(what, where=where, remedy="name experiments of this campaign")
        if name.startswith(PROBES):  # comparing two of them would be a look at the held-out set that nobody counts
            what = f"'{shown(name)}' confirms or controls an experiment and is none itself"
            raise UsageError(what, where=where, remedy="'confirm_champion' gives its result")
    return list(names)


def check_edit(edit: Mapping[str, Any], limits: Limits, *, where: str) -> None:
    """An edit of a recipe: the keys of an [[experiment]] table, with registered names and numbers within limits.

    Raises:
        CampaignFileError: a key of the protocol, an import path, a file, a number or a list that is too large.
        UnknownNameError: a key that no recipe has.
    """
    size = len(json.dumps(edit, default=str))
    if size > limits.edit:
        raise CampaignFileError(f"an edit of {size} characters", where=where, remedy=f"at most {limits.edit}")
    for key, value in edit.items():
        if key in FIXED_KEYS:
            raise CampaignFileError(
                f"'{key}' cannot be changed here: problem, data, splits and judge are fixed",
                where=where,
                remedy="a person edits the campaign file under a new name, which starts a new campaign",
            )
        if key in OWN_KEYS and key != "recipe":
            raise CampaignFileError(f"the edit sets '{key}'", where=where, remedy=f"give '{key}' beside the edit")
        first, dot, rest = key.partition(".")
        if dot and first in EDIT_KEYS:
            what, remedy = f"'{shown(key)}' is a dotted key", f"nest it: {first} = {{ {shown(rest)} = ... }}"
            raise CampaignFileError(what, where=where, remedy=remedy)
        if key not in EDIT_KEYS:
            raise UnknownNameError.of("key of an edit", shown(str(key)), EDIT_KEYS, where=where)
        if key == "recipe" and not isinstance(value, str):
            raise CampaignFileError("recipe is no name", where=where, remedy="'describe' lists the named recipes")
        _check_value(key, value, limits, where, of_data=key in DATA_KEYS, depth=limits.depth, widest=limits.whole)


def _check_value(path: str, value: Any, limits: Limits, where: str, *, of_data: bool, depth: int, widest: int) -> None:
    if depth < 0:
        raise CampaignFileError(f"{path}: tables too deep", where=where, remedy=f"at most {limits.depth} levels")
    if isinstance(value, Mapping):
        if len(value) > limits.items:
            raise CampaignFileError(f"{path} has {len(value)} keys", where=where, remedy=f"at most {limits.items}")
        for key, inner in value.items():
            if of_data:
                _printable(str(key), where, limits.name)
            else:
                _check_registered(f"a key of {path}", str(key), where)
            inside = f"{path}.{key}"[:80]
            _check_value(inside, inner, limits, where, of_data=of_data, depth=depth - 1, widest=limits.whole)
    elif isinstance(value, list | tuple):
        if len(value) > limits.items:
            raise CampaignFileError(f"{path} has {len(value)} items", where=where, remedy=f"at most {limits.items}")
        for inner in value:
            _check_value(path, inner, limits, where, of_data=of_data, depth=depth - 1, widest=limits.width)
    elif isinstance(value, str):
        if of_data:
            _printable(value, where, limits.name)
        else:
            _check_registered(path, value, where)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > widest:
        raise CampaignFileError(f"{path} = {str(value)[:20]}", where=where, remedy=f"at most {widest} here")


def _check_registered(path: str, value: str, where: str) -> None:
    if REGISTERED.fullmatch(value):
        return
    if ":" in value:
        what = "looks like an import path"
        remedy = "name a registered one: 'explain models' and 'explain training' list them"
    elif any(mark in value for mark in "/\\.~"):
        what, remedy = "looks like a file", "nothing is read from files here; name a registered one"
    else:
        what = "is no name of anything"
        remedy = "'explain models', 'explain training' and 'explain recipe' list what there is"
    raise CampaignFileError(f"{path} = '{shown(value)}' {what}", where=where, remedy=remedy)


def refuse_import_paths(content: Mapping[str, Any], *, where: str) -> None:
    """Refuses a campaign file that names code: opening it would import that code into the server.

    Args:
        content: of the file, read as TOML and not opened.
        where: its name.

    Raises:
        CampaignFileError: naming the first import path.
    """
    for section in ("experiment", "space"):
        for path, value in _texts(content.get(section, ()), section):
            if IMPORT_PATH.fullmatch(value):
                raise CampaignFileError(
                    f"{path} = '{shown(value)}' is an import path, and this server takes registered names only",
                    where=where,
                    remedy="make it a plug-in (docs/plugins.md), or leave the experiment out",
                )


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in (*DATA_KEYS, "name", "parent", "hypothesis"):
                yield from _texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)


def _printable(text: str, where: str, most: int) -> None:
    if len(text) > most:
        raise UsageError(f"a text of {len(text)} characters", where=where, remedy=f"at most {most}")
    bad = next((c for c in text if c != "\n" and unicodedata.category(c)[0] == "C"), None)
    if bad is not None:
        what = f"a control character (U+{ord(bad):04X})"
        raise UsageError(what, where=where, remedy="use printable characters")


def shown(text: str) -> str:
    """A text of somebody else's as part of a message: short, on one line, printable."""
    kept = "".join(c if c.isprintable() else " " for c in text[:200])
    line = " ".join(kept.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def sentence(error: Exception) -> str:
    """What an agent is told of an error of this package: one line, printable, not too long."""
    kept = "".join(c if c.isprintable() else " " for c in str(error)[:2000])
    line = " ".join(kept.split())
    return line if len(line) <= 900 else f"{line[:897]}..."
