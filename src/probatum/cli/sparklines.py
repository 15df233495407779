"""Learning curves in a line of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from rich.console import Console

BLOCKS, ASCII = "▁▂▃▄▅▆▇█", "_.-~=+*#"
WIDTH = 12
DECADES = 10.0
"""Positive values whose largest is more than this many times their smallest are shown by their logarithm."""

ROUNDING = 1e-9


def sparkline(values: np.ndarray, *, width: int = WIDTH, ascii_only: bool = False) -> str:
    """Values as a row of low and high signs, the least lowest; '' for fewer than two finite values.

    Args:
        values: [step] float64, NaN where there is none; means of `width` parts are shown.
        width: most signs.
        ascii_only: for terminals whose encoding has no blocks.
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return ""
    if values.min() > 0 and values.max() > DECADES * values.min():
        values = np.log(values)
    parts = np.array([part.mean() for part in np.array_split(values, min(width, len(values)))])
    low, high = parts.min(), parts.max()
    signs = ASCII if ascii_only else BLOCKS
    flat = high - low <= ROUNDING * max(abs(low), abs(high))  # means of equal values differ by rounding
    share = np.zeros(len(parts)) if flat else (parts - low) / (high - low)
    return "".join(signs[round(float(s) * (len(signs) - 1))] for s in share)


def knows_blocks(console: Console) -> bool:
    """Whether the terminal or file that a console writes to can hold the blocks."""
    try:
        BLOCKS.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def learning_curve(curves: Iterable[Mapping[str, np.ndarray]]) -> np.ndarray:
    """[epoch] float64: the median over trainings of the validation loss, or of the training loss where there is none.

    Args:
        curves: that each training kept, [epoch] by name.
    """
    kept = [c for c in curves if c]
    if not kept:
        return np.empty(0)
    from probatum.learning.probes import TRAINING, VALIDATION

    for name in (VALIDATION, TRAINING):
        found = [np.asarray(c[name], dtype=np.float64) for c in kept if np.ndim(c.get(name, 0)) == 1]
        found = [one for one in found if np.isfinite(one).any()]
        if found:
            table = np.full((len(found), max(map(len, found))), np.nan)
            for row, one in zip(table, found, strict=True):
                row[: len(one)] = one
            seen = np.isfinite(table).any(axis=0)  # after the last training stopped there is nothing
            return np.nanmedian(np.where(np.isfinite(table), table, np.nan)[:, seen], axis=0)
    return np.empty(0)
