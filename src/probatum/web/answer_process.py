"""Answers one question in a process of its own: `python -m probatum.web.answer_process FOLDER`.

The folder holds `question.json`: which of the written-down questions, and its arguments; files among them lie in the
same folder. The answer is written there as `answer.json`: the values that `--json` prints, and what people read as
plain parts, {'kind': 'text' | 'table', ...}; a picture as `picture.svg`.
"""

from __future__ import annotations

import json
import math
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from probatum.errors import FitError, ProbatumError, UsageError
from probatum.web.questions import question

QUESTION, ANSWER, PICTURE = "question.json", "answer.json", "picture.svg"
MOST_MEMORY = 8 * 2**30
"""Bytes of memory that an answer may take: what a hostile file asks for beyond it is refused by the system."""
LARGEST_FILE = 2**30
"""Bytes of a file that an answer may write."""
MOST_ROWS = 2000
"""Of a table that is shown."""


def answer(folder: Path) -> dict[str, Any]:
    """The answer to the question in a folder, as plain values: 'values' and 'parts', or 'error'."""
    asked = json.loads((folder / QUESTION).read_text(encoding="utf-8"))
    known = question(asked["question"])
    if known is None:
        raise UsageError("no such question", where=str(folder))
    given: dict[str, Any] = dict(asked["arguments"])
    for name in asked["files"]:  # their names were given by the server, never by a browser
        path = folder / asked["files"][name]
        given[name] = [path] if name in known.several else path
    if known.drawn:
        given["figure"] = folder / PICTURE
    command = import_module(known.module).COMMANDS[known.verb]
    try:
        found = command(**given)
    except ProbatumError as error:
        return {"error": _without(folder, str(error))}
    except MemoryError:
        what = "the answer needs more memory than is allowed here"
        return {"error": str(FitError(what, remedy="ask for less, or use the command line"))}
    values = dict(found.values)
    if not known.drawn:
        _drawn_here(known.slug, values, folder / PICTURE)
    parts = [part for shown in found.shown if (part := _part(shown, folder)) is not None]
    return {"values": _plain(values, folder), "parts": parts}


def main() -> int:
    """Answers the question in the folder that is named; exit code 1 where it cannot be answered."""
    folder = Path(sys.argv[1])
    _limit_self()
    try:
        found = answer(folder)
    except Exception as error:  # a fault of the command: its traceback goes where people can read it
        traceback.print_exc()
        found = {"error": _without(folder, f"the command failed: {type(error).__name__}: {error}")}
    (folder / ANSWER).write_text(json.dumps(found, allow_nan=False), encoding="utf-8")
    return 1 if "error" in found else 0


def _limit_self() -> None:
    """Limits of the system on this process; where it has none, time alone limits it."""
    try:
        import resource
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_DATA, MOST_MEMORY), (resource.RLIMIT_FSIZE, LARGEST_FILE)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


# ------------------------------------------------------------------ what people read


def _part(shown: Any, folder: Path) -> dict[str, Any] | None:
    """A string, a rich text or a rich table as plain values; None for what says where a file was written."""
    from rich.table import Table
    from rich.text import Text

    if isinstance(shown, Table):
        columns = [
            {"heading": _told(c.header, folder), "number": c.justify == "right"} for c in shown.columns
        ]  # fmt: skip
        rows = list(zip(*([_told(cell, folder) for cell in c.cells] for c in shown.columns), strict=True))
        title = _told(shown.title, folder) if shown.title else ""
        left = max(0, len(rows) - MOST_ROWS)
        return {"kind": "table", "title": title, "columns": columns, "rows": rows[:MOST_ROWS], "left_out": left}
    text = _told(shown, folder)
    if not text or PICTURE in text:
        return None
    style = str(shown.style) if isinstance(shown, Text) else ""
    tone = {"bold": "heading", "yellow": "remark", "red": "error"}.get(style, "plain")
    return {"kind": "text", "text": text, "tone": tone}


def _told(shown: Any, folder: Path) -> str:
    from rich.text import Text

    return _without(folder, shown.plain if isinstance(shown, Text) else str(shown))


def _without(folder: Path, text: str) -> str:
    """A text that says nothing of where files lie on this machine."""
    return text.replace(f"{folder}/", "").replace(str(folder), "")


def _plain(value: Any, folder: Path) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v, folder) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v, folder) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return _without(folder, value) if isinstance(value, str) else value


# ------------------------------------------------------------------ pictures that no command draws


def _drawn_here(slug: str, values: Mapping[str, Any], path: Path) -> None:
    if slug == "analog-codes-height":
        _heights_picture(values, path)


def _heights_picture(values: Mapping[str, Any], path: Path) -> None:
    """h_m over m, exact ones as points, brackets as bars; infinite ones at the upper edge."""
    from probatum.pictures import BLUE, GRID, VERMILION, new_figure, write_figure

    m = values["m"]
    exact = values["kind"] == "exact"
    low = values["heights"] if exact else values["lower"]
    high = low if exact else values["upper"]
    finite = [h for h in (*low, *high) if math.isfinite(h)]
    top = 1.25 * max(finite, default=1.0)
    with new_figure(6.5, 3.6) as figure:
        axes = figure.subplots()
        for at, least, most in zip(m, low, high, strict=True):
            if math.isfinite(least):
                axes.plot([at, at], [least, min(most, top)], color=BLUE, lw=3, alpha=0.5)
                axes.plot([at], [least], "o", color=BLUE, ms=7)
            if not math.isfinite(least):
                axes.annotate(
                    "infinite", (at, top), ha="center", va="top", color=VERMILION, fontsize=8, rotation=90
                )  # fmt: skip
        axes.set(xlabel="m, outliers", ylabel="height h_m", ylim=(0, top), xlim=(min(m) - 0.6, max(m) + 0.6))
        axes.set_xticks(m)
        axes.grid(axis="y", color=GRID)
        axes.set_axisbelow(True)
        what = "exact heights" if exact else "bounds of the heights"
        axes.set_title(f"[{values['length']}, {values['dimension']}] code: {what}")
        write_figure(figure, path)


if __name__ == "__main__":
    sys.exit(main())
