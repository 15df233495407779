"""Which rows are equal, and how often equal readings are no accident."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, Real, UInt64

from probatum.audit.history import Side


def row_hashes(*blocks: np.ndarray) -> np.ndarray:
    """[row] uint64: equal for rows whose numbers are all the same; others collide with probability 2^-64 a pair.

    Args:
        blocks: [row, column] each, of the same rows; NaN equals NaN, and -0 equals 0.
    """
    total = np.zeros(len(blocks[0]), dtype=np.uint64)
    column = 0
    for block in blocks:
        for values in np.asarray(block, dtype=np.float64).T:
            plain = np.where(np.isnan(values), np.nan, values + 0.0)
            column += 1
            total = _mixed(total ^ _mixed(plain.view(np.uint64) + np.uint64(column)))
    return total


def _mixed(x: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64 (Steele, Lea, Flood: OOPSLA 2014): each bit depends on all."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def is_design(hashes: UInt64[np.ndarray, " row"], inputs: Real[np.ndarray, "row column"]) -> bool:
    """Whether equal rows are meant: no column by itself tells rows apart, as on a grid of set values.

    Args:
        hashes: [row] uint64 of the inputs.
        inputs: [row, column].
    """
    distinct = len(np.unique(hashes))
    most = max((len(np.unique(values)) for values in inputs.T), default=0)
    return most <= max(2, distinct / 2)


def coincidences(
    targets: Real[np.ndarray, "row quantity"], pairs: tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]
) -> float:
    """The probability that two repeated measurements read the same in all quantities, by the step of their rounding.

    For normal scatter of standard deviation s and a step r, two readings are equal with probability r / (2 sqrt(pi) s),
    r << s. Coarse readings, whose scatter is below three steps, are equal with probability 1: nothing can be told.

    Args:
        targets: [row, quantity].
        pairs: positions of the two rows of each pair whose inputs are equal and whose targets are not.
    """
    probability = 1.0
    for values in targets.T:
        apart = np.abs(values[pairs[0]] - values[pairs[1]])
        apart = apart[apart > 0]
        if not len(apart):
            continue
        step = reading_step(values)
        spread = min(float(np.sqrt((apart**2).mean())), float(np.median(apart)) / 0.6745)
        if spread >= 3 * step:
            probability *= step / (np.sqrt(2 * np.pi) * spread)
    return probability


def reading_step(values: Real[np.ndarray, " row"]) -> float:
    """The step that readings are rounded to: their smallest gap where all are multiples of it, else a power of ten.

    Args:
        values: [row] float64.

    Returns:
        The step; 0 for readings that nine decimals do not describe.
    """
    distinct = np.unique(values[np.isfinite(values)])
    if len(distinct) < 2:
        return 0.0
    gap = float(np.diff(distinct).min())
    multiples = (distinct - distinct[0]) / gap
    if np.abs(multiples - np.round(multiples)).max() < 1e-3:
        return gap
    for digits in range(-3, 10):
        if np.allclose(distinct, np.round(distinct, digits), rtol=1e-12, atol=0):
            return 10.0**-digits
    return 0.0


def side_hashes(side: Side) -> np.ndarray:
    """[row] uint64 of inputs and targets, or of inputs where there are no targets."""
    return row_hashes(side.inputs) if side.targets is None else row_hashes(side.inputs, side.targets)
