"""What people read of an answer, as text."""

from __future__ import annotations

import io

from rich.console import Console

from probatum.problems.answer import Answer


def text_of(answer: Answer) -> str:
    """On a wide screen, tables and all."""
    console = Console(width=170, file=io.StringIO(), record=True)
    for part in answer.shown:
        console.print(part, markup=False)
    return console.export_text()
