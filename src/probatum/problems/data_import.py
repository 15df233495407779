"""Data that owners hand out themselves, so that it cannot be downloaded: which problems take it, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from probatum.errors import DataError, nearest
from probatum.problems.answer import Answer
from probatum.problems.registry import problem_class

Progress = Callable[[int, int], None]
"""Called with how many of how many files are checked."""

IMPORTERS: Mapping[str, str] = {
    "gas_chromatography": "probatum.problems.gas_chromatography.imported_folder:imported_answer",
}
"""Problem to the function that checks a folder and makes it known to the problem."""


def import_folder(problem: str, path: Path, progress: Progress | None = None) -> Answer:
    """Checks a folder of data and makes it known to a problem; it stays where it is.

    Args:
        problem: registered name.
        path: of the folder.
        progress: told while files are checked.

    Raises:
        UnknownNameError: for the problem.
        DataError: the problem takes no such data, or the folder cannot be used.
        StorageError: what is known of it cannot be written.
    """
    problem_class(problem)
    if problem not in IMPORTERS:
        raise DataError(f"{problem} imports no data", remedy=nearest(problem, IMPORTERS))
    module, _, attribute = IMPORTERS[problem].partition(":")
    return getattr(import_module(module), attribute)(path, progress)
