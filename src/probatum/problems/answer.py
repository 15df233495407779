"""What a problem's own command gives back: one answer, for programs and for people.

A problem's commands are plain functions that return an `Answer`; the command line prints it, adds `--json`, and turns
errors into exit codes (`probatum.cli.problem_commands`). So a problem needs to know nothing of the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, eq=False)
class Answer:
    """One answer in two forms.

    Attributes:
        values: what `--json` prints: names to strings, booleans, None, int, float, lists and mappings of these. Its
            first key is 'schema', a number that grows when a key changes its meaning.
        shown: what people read, printed one below the other; strings and cells of tables are printed as they stand
            (square brackets are no markup; style comes from `rich.text.Text` and from columns).
    """

    values: Mapping[str, Any]
    shown: Sequence[RenderableType]
