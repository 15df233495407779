"""Probatum: a laboratory for machine learning on small scientific data."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from probatum.version import __version__

if TYPE_CHECKING:
    from probatum.errors import ProbatumError as ProbatumError
    from probatum.interop.bundle import load_bundle as load_bundle
    from probatum.laboratory import Laboratory as Laboratory
    from probatum.laboratory import Results as Results
    from probatum.problems.problem import Dataset as Dataset
    from probatum.problems.problem import Feature as Feature
    from probatum.problems.problem import Problem as Problem
    from probatum.problems.problem import Quantity as Quantity

_HOMES = {
    "Dataset": "probatum.problems.problem",
    "Feature": "probatum.problems.problem",
    "Laboratory": "probatum.laboratory",
    "Problem": "probatum.problems.problem",
    "ProbatumError": "probatum.errors",
    "Quantity": "probatum.problems.problem",
    "Results": "probatum.laboratory",
    "load_bundle": "probatum.interop.bundle",
}
__all__ = [
    "Dataset",
    "Feature",
    "Laboratory",
    "ProbatumError",
    "Problem",
    "Quantity",
    "Results",
    "__version__",
    "load_bundle",
    "open",
]


def open(path: str) -> Laboratory:
    """Opens a campaign file: `probatum.open('catechol.toml').run()`.

    Args:
        path: of the campaign file; its state lies in `NAME.probatum/` beside it.
    """
    return import_module("probatum.laboratory").Laboratory.open(path)


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for, so that the command line starts fast."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'probatum' has no attribute '{name}'")
