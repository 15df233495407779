"""Which functions check in tests what they take and return against their annotations, shapes of arrays among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

EVIDENCE = (
    "aggregates", "calibration", "cells", "effects", "group_mean", "hold_out", "judges", "many_problems", "noise",
    "rank_tests", "resampling", "row_table", "scores", "selection", "training_variance",
)  # fmt: skip
LEARNING = (
    "augmentation", "averaging", "blends", "conformal", "curriculum", "ensembles", "heads", "label_correlation",
    "metrics", "noise", "probes", "scaling", "schedules", "soups", "validation",
)  # fmt: skip
AUDIT = (
    "columns", "contradictions", "data", "domain", "heaps", "history", "identifiability", "labels", "learning_curves",
    "nearness", "physics", "retraining", "rows", "tables",
)  # fmt: skip
CHECKED = tuple(
    f"probatum.{folder}.{name}"
    for folder, names in (("evidence", EVIDENCE), ("learning", LEARNING), ("audit", AUDIT))
    for name in names
)
"""Modules that arrays pass through; `PROBATUM_UNCHECKED=1` lets tests run without the checks.
None that numba compiles: it would compile the check in place of the function. None with names that only type checkers
import: annotations have to be read while they run. None that is called for every row (`audit.content`), and none that
refuses wrong arguments itself, which its tests give it (`audit.partitions`)."""


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its checks; an int counts as a float, as for type checkers."""
    return beartype(function, conf=BeartypeConf(is_pep484_tower=True))
