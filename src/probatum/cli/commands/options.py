"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Campaign file; not needed where there is one.")]
Chosen = Annotated[
    Path | None, typer.Option("--campaign", "-C", metavar="FILE", help="Campaign file; not needed where there is one.")
]
Picture = Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw it too: .png, .svg or .pdf.")]
By = Annotated[str | None, typer.Option("--by", metavar="GROUPING", help="Group by group of this grouping.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
