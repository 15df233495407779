"""Which functions check in tests what they take and return against their annotations, shapes of arrays among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

CHECKED = (
    *(f"probatum.evidence.{name}" for name in ("aggregates", "rank_tests", "resampling", "row_table", "scores")),
    *(f"probatum.learning.{name}" for name in ("blends", "conformal", "ensembles", "scaling", "soups")),
)
"""Modules that state the shapes of what they compute with; `PROBATUM_UNCHECKED=1` lets tests run without the checks.
None that numba compiles: it would compile the check in place of the function. None with names that only type checkers
import: annotations have to be read while they run."""


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its checks; an int counts as a float, as for type checkers."""
    return beartype(function, conf=BeartypeConf(is_pep484_tower=True))
