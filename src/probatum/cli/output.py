"""How commands print: text for people, one JSON object for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console

WIDE = 180
"""Columns where the output goes to a file or pipe, so that tables are not cut."""


def console() -> Console:
    """Where text goes."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, soft_wrap=False)


def print_json(values: Mapping[str, Any]) -> None:
    """One JSON object on one line; numbers that are not finite become null."""
    sys.stdout.write(json.dumps(_plain(values), allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
