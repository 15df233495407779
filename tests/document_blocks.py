"""Fenced blocks of the documents, and how each kind of block is tried.

A block is tried by its language. An HTML comment in the line before its fence changes that:

    <!-- block: file NAME -->         it is written to that file of the page's folder, before it is tried;
                                      'file NAME in FOLDER' goes on in a fresh copy of a prepared folder first
    <!-- block: append NAME -->       it is written at the end of that file
    <!-- block: folder NAME -->       the page goes on in a fresh copy of a prepared folder of test_document_blocks.py
    <!-- block: output -->            lines that the block before it printed; digits may differ
    <!-- block: project -->           a part of somebody's pyproject.toml
    <!-- block: parsed; REASON -->    commands are checked against the program's own options, and not run
    <!-- block: skipped; REASON -->   not tried at all
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
import yaml

from probatum.campaigns.campaign_file import (
    AuditSettings,
    PlanningSettings,
    RunSettings,
    read_campaign_file,
)
from probatum.campaigns.protocol import Protocol
from probatum.campaigns.recipe import Recipe
from probatum.cli.main import app
from probatum.planning.space import read_space

ROOT = Path(__file__).parents[1]
FENCE = re.compile(
    r"(?:^[ ]*<!-- block: (?P<word>\w+)(?: (?P<name>[^;\n]*?))?(?:; (?P<reason>[^\n]*?))? -->\n)?"
    r"^(?P<indent>[ ]*)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```[ ]*$",
    re.DOTALL | re.MULTILINE,
)
SECTIONS = {"protocol": Protocol, "run": RunSettings, "audit": AuditSettings, "planning": PlanningSettings}


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: of its fence, from 1.
        language: 'sh', or '' where none stands there.
        text: what it holds.
        word: of the comment before it; None without one.
        name: what the comment names.
        reason: that it gives.
    """

    line: int
    language: str
    text: str
    word: str | None
    name: str | None
    reason: str | None


def documents() -> list[Path]:
    """All pages for people, as paths below the repository."""
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "src/probatum/problems").glob("*/README.md")]
    pages += [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")]
    return sorted(page.relative_to(ROOT) for page in pages)


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in its order."""
    found = []
    for m in FENCE.finditer(text):
        line = text.count("\n", 0, m.start("language")) + 1
        body = "\n".join(part.removeprefix(m["indent"]) for part in m["text"].splitlines()) + "\n"
        found.append(Block(line, m["language"], body, m["word"], m["name"], m["reason"]))
    return found


# ---------------------------------------------------------------------- shell


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of each command of a block: comments away, continued lines joined, settings of the environment away."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"\s&&\s", line):
            words = shlex.split(part, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]
            if words:
                yield words


def check_command(words: list[str]) -> None:
    """That a command's name, its options and the files of this repository that it names are there."""
    match words:
        case ["probatum", *given]:
            _check_probatum(given)
        case ["make", *targets]:
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            for target in targets:
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"no target {target}"
        case ["python", script, *options] if "/" in script:
            source = ROOT / script
            assert source.is_file(), script
            for option in options:
                assert not option.startswith("--") or option.partition("=")[0] in source.read_text(encoding="utf-8"), (
                    option
                )
        case ["pip", "install", *packages]:
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
                "optional-dependencies"
            ]
            for package in packages:
                for extra in re.findall(r"probatum\[([\w,-]+)\]", package):
                    assert {name.replace("-", "_") for name in extra.split(",")} <= set(extras), package
        case _:
            pass


def _check_probatum(given: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    path = ["probatum"]
    while hasattr(command, "get_command"):
        word = next((w for w in given if not w.startswith("-")), None)
        if word is None:
            break
        with typer.Context(command, info_name=path[-1]) as context:
            command = command.get_command(context, word)
        assert command is not None, f"no command {' '.join([*path, word])}"
        given = given[given.index(word) + 1 :]
        path.append(word)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {
        "--help"
    }
    for word in given:
        if re.match(r"--?[A-Za-z]", word):
            assert word.partition("=")[0] in known, f"{' '.join(path)} has no option {word}"


# ---------------------------------------------------------------------- files


def check_toml(text: str, at: Path | None) -> None:
    """That a block of TOML is a campaign file, a part of one, or a round.

    Args:
        text: the block.
        at: the file that it was written to; None where it was not.
    """
    content = tomllib.loads(text)
    assert content, "an empty block"
    if at is not None and "problem" in tomllib.loads(at.read_text(encoding="utf-8")):
        assert read_campaign_file(at).experiments
        return
    for key, value in content.items():
        if key in SECTIONS:
            SECTIONS[key].model_validate(value)
        elif key in ("experiment", "proposal"):
            for entry in value:
                assert entry.keys() & ({"name", "parent"}), entry
                assert entry.keys() <= {*Recipe.model_fields, "name", "parent", "hypothesis", "reason", "recipe"}, entry
        elif key == "space":
            assert read_space(value, "space")
        else:
            assert key in ("problem", "task") or key in Recipe.model_fields, f"'{key}' is no key of a campaign file"


def check_text(language: str, text: str) -> None:
    """That a block of JSON or YAML can be read."""
    {"json": json.loads, "yaml": yaml.safe_load}[language](text)


def masked(line: str) -> str:
    """A line of output without its digits, its width and its rulers."""
    return " ".join(re.sub(r"[-+]?\d[\d.,e+-]*", "#", line).split())
