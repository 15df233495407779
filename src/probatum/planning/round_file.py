"""Rounds as TOML: what a person reads, edits or writes, and what is added to the campaign file when it runs.

    [[proposal]]
    name = "12 +acs"
    parent = "mlp"
    features.add = ["acs"]                 # the edit, as in an [[experiment]] table
    hypothesis = "an input that the model does not have"
    reason = "always"
    priority = "MEDIUM"
    slot = "exploit"
    proposer = "prescriptions"

Only `parent` and the edit are needed. An [[experiment]] table is read as a proposal too.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from probatum.campaigns.toml_text import read_toml
from probatum.errors import CampaignFileError, StorageError, UnknownNameError
from probatum.planning.proposal import Expected, History, Proposal

TABLES = ("proposal", "experiment")
OWN = ("name", "parent", "hypothesis", "reason", "expected", "priority", "slot", "proposer")
BARE = re.compile(r"[A-Za-z0-9_-]+")


class RoundFile:
    """A person as a proposer: the proposals of a TOML file.

    Args:
        path: of the file.

    Raises:
        CampaignFileError, UnknownNameError: the file cannot be read as proposals.
    """

    name = "person"

    def __init__(self, path: Path):
        self._proposals = read_proposals(path)

    def propose(self, history: History, k: int) -> Sequence[Proposal]:
        """All of them, whatever k: a person means what they wrote."""
        return self._proposals


def read_proposals(path: Path) -> tuple[Proposal, ...]:
    """The proposals of a TOML file, in its order.

    Raises:
        CampaignFileError: no such file, no TOML, no proposals, or a value of the wrong kind.
        UnknownNameError: a key that nobody knows.
    """
    try:
        content = read_toml(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        remedy = "'probatum next --out FILE' writes one"
        raise CampaignFileError("no such file of proposals", where=str(path), remedy=remedy) from None
    except UnicodeDecodeError as error:
        raise CampaignFileError(f"no valid TOML: {error}", where=path.name, remedy="correct it") from None
    except OSError as error:
        raise CampaignFileError(f"cannot be read: {error.strerror}", where=str(path), remedy="name a file") from None
    for key in content:
        if key not in TABLES:
            raise UnknownNameError.of("key", key, TABLES, where=path.name)
    given = [content.get(table, []) for table in TABLES]
    entries = [entry for table in given for entry in (table if isinstance(table, list) else [table])]
    if not entries or not all(isinstance(e, Mapping) for e in entries):
        remedy = "add a [[proposal]] table with a parent and an edit"
        raise CampaignFileError("no proposals", where=path.name, remedy=remedy)
    return tuple(_read(entry, f"{path.name}, proposal {i + 1}") for i, entry in enumerate(entries))


def _read(entry: Mapping[str, Any], where: str) -> Proposal:
    own = {key: entry[key] for key in OWN if key in entry}
    for key, value in own.items():
        if key != "expected" and not isinstance(value, str):
            raise CampaignFileError(f"{key} = {value!r} must be text", where=where, remedy="put it in quotes")
    if "parent" not in own:
        raise CampaignFileError("a proposal without a parent", where=where, remedy="name the experiment that it edits")
    mutation = {key: value for key, value in entry.items() if key not in OWN}
    given = own.pop("expected", None)
    try:
        low, high = given["interval"] if given else (0.0, 0.0)
        known = Expected(float(given["mean"]), (float(low), float(high)), int(given["pairs"])) if given else None
    except (KeyError, TypeError, ValueError, OverflowError):
        remedy = "write expected = { mean = 0.1, interval = [0.0, 0.2], pairs = 3 }, or leave it out"
        raise CampaignFileError(f"expected = {given!r}", where=where, remedy=remedy) from None
    return Proposal(mutation=mutation, expected=known, **own)


def proposals_text(proposals: Sequence[Proposal], head: str) -> str:
    """Proposals as a TOML file that `read_proposals` reads back as they are.

    Args:
        proposals: in order.
        head: a comment, one line or several.
    """
    parts = [_comment(head)]
    for p in proposals:
        lines = ["[[proposal]]"]
        if p.name:
            lines.append(f"name = {toml(p.name)}")
        lines += [f"parent = {toml(p.parent)}", *_edit_lines(p.mutation)]
        if p.expected is not None:
            low, high = p.expected.interval
            said = {"mean": p.expected.mean, "interval": [low, high], "pairs": p.expected.pairs}
            lines.append(f"expected = {toml(said)}")
        for key in ("hypothesis", "reason", "priority", "slot", "proposer"):
            if getattr(p, key):
                lines.append(f"{key} = {toml(getattr(p, key))}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def experiments_text(proposals: Sequence[Proposal]) -> str:
    """Proposals as [[experiment]] tables of a campaign file; why each was proposed stands in a comment.

    Args:
        proposals: with names.
    """
    parts = []
    for p in proposals:
        why = ", ".join(part for part in (p.slot, p.priority, p.proposer) if part)
        lines = [_comment(f"{why}: {p.reason}"), "[[experiment]]", f"name = {toml(p.name)}"]
        lines += [f"parent = {toml(p.parent)}", *_edit_lines(p.mutation)]
        if p.hypothesis:
            lines.append(f"hypothesis = {toml(p.hypothesis)}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def add_to_campaign(path: Path, proposals: Sequence[Proposal], head: str) -> None:
    """Adds experiments at the end of a campaign file, which else stays as it is; those that it holds are left alone.

    The file is replaced in one step, so that a kill leaves the old one or the new one.

    Args:
        path: of the campaign file.
        proposals: with names.
        head: a comment before them.

    Raises:
        CampaignFileError: the file's experiments stand in a form that nothing can be added to.
        StorageError: it cannot be written.
    """
    text = path.read_text(encoding="utf-8")
    there = {e.get("name") for e in tomllib.loads(text).get("experiment", ())}
    new = [p for p in proposals if p.name not in there]
    if not new:
        return
    grown = f"{text.rstrip()}\n\n{_comment(head)}\n\n{experiments_text(new)}"
    try:
        tomllib.loads(grown)
    except tomllib.TOMLDecodeError as error:
        remedy = "write each experiment as an [[experiment]] table"
        raise CampaignFileError(f"nothing can be added ({error})", where=path.name, remedy=remedy) from None
    replace_text(path, grown)


def replace_text(path: Path, text: str) -> None:
    """Writes a file in one step: it is the old one or the new one, whenever the program dies.

    Raises:
        StorageError: it cannot be written, or it is a folder.
    """
    if path.is_dir():
        raise StorageError("is a folder", where=str(path), remedy="name a file in it")
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        remedy = "make the folder writable, or free space"
        raise StorageError(f"cannot be written ({error.strerror})", where=str(path), remedy=remedy) from None


def toml(value: Any) -> str:
    """A plain value in TOML, on one line.

    Raises:
        CampaignFileError: None, or what TOML has no form for.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if value - value == 0 else "nan" if value != value else "inf" if value > 0 else "-inf"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    what = f"{type(value).__name__} {value!r} cannot be written in TOML"
    raise CampaignFileError(what, remedy="use text, numbers, true, false, lists and tables")


def _edit_lines(mutation: Mapping[str, Any]) -> list[str]:
    """`model.dropout = 0.1`: one dotted key a line, as people write campaign files."""
    lines = []
    for key, value in mutation.items():
        if isinstance(value, Mapping) and value:
            lines += [f"{_key(key)}.{_key(inner)} = {toml(v)}" for inner, v in value.items()]
        else:
            lines.append(f"{_key(key)} = {toml(value)}")
    return lines


def _key(name: Any) -> str:
    return str(name) if BARE.fullmatch(str(name)) else toml(str(name))


def _comment(text: str) -> str:
    kept = "".join(c if c == "\n" or c.isprintable() else " " for c in text)
    return "\n".join(f"# {line}".rstrip() for line in kept.splitlines()) or "#"
