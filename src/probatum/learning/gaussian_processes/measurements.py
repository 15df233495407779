"""Training rows as a process sees them: rows of equal inputs become one, which loses nothing.

For n measurements y_i of the same f with noise variance s^2, mean m and squared deviations S = sum (y_i - m)^2,

    prod_i N(y_i; f, s^2) = N(m; f, s^2 / n) * n^(-1/2) (2 pi s^2)^(-(n - 1)/2) exp(-S / (2 s^2)),

so likelihood and posterior follow from n, m and S. A row of weight w counts as w measurements.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum.learning.scaling import VARIES, Scaling


@dataclass(frozen=True, eq=False)
class Measurements:
    """Distinct inputs and what was measured there.

    Attributes:
        inputs: [row, column] float64, distinct, standardised, in lexical order.
        counts: [row] float64, measurements in each.
        means: [row, quantity] float64, standardised.
        scatter: [row, quantity] float64, sums of squared deviations from the means, standardised.
    """

    inputs: np.ndarray
    counts: np.ndarray
    means: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, inputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> Measurements:
        """Of standardised rows [row, column] and [row, quantity], with positive weights [row]."""
        distinct, owner = np.unique(inputs, axis=0, return_inverse=True)
        owner = owner.ravel()
        counts = np.bincount(owner, weights)
        means = _sums(owner, weights[:, None] * targets) / counts[:, None]
        return cls(distinct, counts, means, _sums(owner, weights[:, None] * (targets - means[owner]) ** 2))

    def padded(self, rows: int) -> tuple[Measurements, np.ndarray]:
        """With unused rows at the end, and [row] float64 that is 1 where a row is used."""
        more = rows - len(self.counts)
        filled = Measurements(
            np.pad(self.inputs, ((0, more), (0, 0))),
            np.pad(self.counts, (0, more), constant_values=1.0),
            np.pad(self.means, ((0, more), (0, 0))),
            np.pad(self.scatter, ((0, more), (0, 0))),
        )
        return filled, (np.arange(rows) < len(self.counts)).astype(np.float64)


def weighted_scaling(rows: np.ndarray, weights: np.ndarray, *, ignore_constant: bool = False) -> Scaling:
    """`Scaling.of` rows [row, column] that count by their weights [row], as if each stood that often."""
    share = (weights / weights.sum())[:, None]
    mean = (share * rows).sum(axis=0)
    spread = np.sqrt((share * (rows - mean) ** 2).sum(axis=0))
    constant = spread <= VARIES * np.abs(rows).max(axis=0, initial=0.0)
    return Scaling(mean, np.where(constant, 0.0 if ignore_constant else 1.0, 1 / np.where(constant, 1.0, spread)))


def shape_of(rows: int) -> int:
    """Rows of the program for that many, so that few programs do: 32, 64 or 128; above, raised by an eighth at most."""
    step = 32
    while rows > 4 * step:
        step *= 2
    if step == 32:
        return next(shape for shape in (32, 64, 128) if shape >= rows)
    step //= 4
    return -(-rows // step) * step


def _sums(owner: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.stack([np.bincount(owner, column) for column in values.T], axis=1)
