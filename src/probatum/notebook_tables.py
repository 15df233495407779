"""How records show themselves in a notebook: small tables of escaped HTML, in the notebook's own colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

MOST_ROWS = 40
_CELL = "text-align:{side};vertical-align:top;padding:.2em .8em .2em 0;white-space:pre-wrap"
_NOTE = "margin:.3em 0;opacity:.75"


def number(value: float | None, digits: int = 4, *, sign: bool = False) -> str:
    """A number with so many significant digits, '-' for none.

    >>> number(0.0093214), number(None), number(0.25, sign=True)
    ('0.009321', '-', '+0.25')
    """
    return "-" if value is None else f"{value:{'+' if sign else ''}.{digits}g}"


def bounds(interval: tuple[float, float] | None) -> str:
    """'-0.12 to +0.03', '-' for none."""
    return "-" if interval is None else " to ".join(number(value, 3, sign=True) for value in interval)


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]], notes: Sequence[str] = ()) -> str:
    """A table of plain text as HTML; nothing in it is taken for markup.

    Args:
        title: above it.
        headings: of the columns, those of numbers beginning with '>'; () for none.
        rows: the first `MOST_ROWS` are shown.
        notes: below it, one line each.
    """
    sides = ["right" if heading.startswith(">") else "left" for heading in headings]
    width = max(map(len, rows), default=0)
    sides += ["left"] * (width - len(sides))
    if len(rows) > MOST_ROWS:
        notes = (f"The first {MOST_ROWS} of {len(rows)} rows.", *notes)
    head = "".join(
        f'<th scope="col" style="{_CELL.format(side=side)}">{escape(heading.removeprefix(">"))}</th>'
        for heading, side in zip(headings, sides, strict=False)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL.format(side=side)}">{escape(str(cell))}</td>'
            for cell, side in zip(row, sides, strict=False)
        )
        + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    above = f"<thead><tr>{head}</tr></thead>" if head else ""
    below = "".join(f'<p style="{_NOTE}">{escape(note)}</p>' for note in notes)
    return (
        f'<div style="overflow-x:auto"><p style="margin:.3em 0"><strong>{escape(title)}</strong></p>'
        f"<table>{above}<tbody>{body}</tbody></table>{below}</div>"
    )
