"""Reads text as TOML within bounds: what is written here is written by people, and no person nests thirty tables."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from probatum.errors import CampaignFileError

LONGEST = 2_000_000
"""Characters of a text that is read."""
DEEPEST = 32
"""Levels of tables and lists in each other."""
_LONG_KEY = re.compile(
    rf"""(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{DEEPEST + 1}}}"""
)
"""A dotted key of so many parts that tomllib would need gigabytes: its memory grows with their square."""


def read_toml(text: str, name: str) -> dict[str, Any]:
    """The tables of a text.

    Args:
        text: TOML.
        name: of its file, for errors.

    Raises:
        CampaignFileError: it is no TOML, too long or nested too deep; with the line where that is known.
    """
    if len(text) > LONGEST:
        raise CampaignFileError(f"has more than {LONGEST} characters", where=name, remedy="make it smaller")
    if _LONG_KEY.search(text):
        raise _too_deep(name)
    try:
        content = tomllib.loads(text)
    except ValueError as error:  # integers of thousands of digits, too
        line = re.search(r"at line (\d+)", str(error))
        where = f"{name}:{line[1]}" if line else name
        raise CampaignFileError(f"no valid TOML: {error}", where=where, remedy="correct the line") from None
    except RecursionError:
        raise _too_deep(name) from None
    level: list[Any] = [content]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return content
    raise _too_deep(name)


def _inside(value: Any) -> list[Any]:
    """The tables and lists that stand in one."""
    held = value.values() if isinstance(value, dict) else value
    return [one for one in held if isinstance(one, dict | list)]


def _too_deep(name: str) -> CampaignFileError:
    what = f"tables or lists in each other more than {DEEPEST} deep"
    return CampaignFileError(f"no valid TOML: {what}", where=name, remedy="write it flatter")
