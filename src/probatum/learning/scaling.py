"""Affine scalings of columns: by the rows of one training, and by all rows for arrays that trainings share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

VARIES = 1e-12
"""A standard deviation below this share of the column's size is rounding."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """x -> (x - subtract) * multiply, column by column.

    Attributes:
        subtract, multiply: [column] float64.
    """

    subtract: np.ndarray
    multiply: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, *, ignore_constant: bool = False) -> Scaling:
        """Standardises [row, column] rows to mean 0 and variance 1.

        Args:
            rows: finite.
            ignore_constant: whether a column that does not vary is multiplied by 0, so that no later value of it can
                matter; otherwise it is left at its scale.
        """
        mean, spread = rows.mean(axis=0), rows.std(axis=0)
        constant = spread <= VARIES * np.abs(rows).max(axis=0, initial=0.0)
        multiply = np.where(constant, 0.0 if ignore_constant else 1.0, 1 / np.where(constant, 1.0, spread))
        return cls(mean, multiply)

    @classmethod
    def none(cls, columns: int) -> Scaling:
        """Changes nothing."""
        return cls(np.zeros(columns), np.ones(columns))

    @classmethod
    def from_array(cls, array: np.ndarray) -> Scaling:
        """The scaling that `to_array` gave."""
        return cls(array[0], array[1])

    def to_array(self) -> np.ndarray:
        """[2, column] float64: what is subtracted, what multiplies."""
        return np.stack([self.subtract, self.multiply])

    def apply(self, rows: np.ndarray) -> np.ndarray:
        return (rows - self.subtract) * self.multiply

    def undo(self, rows: np.ndarray) -> np.ndarray:
        """The inverse, where nothing is multiplied by 0."""
        return rows / self.multiply + self.subtract


@dataclass(frozen=True, eq=False)
class SharedScale:
    """Brings columns near 0 and 1 before they become float32, so that no digits are lost to an offset.

    Attributes:
        scaling: by all finite rows, whichever are trained on: it moves rounding, nothing else.
    """

    scaling: Scaling

    @classmethod
    def of(cls, rows: np.ndarray) -> SharedScale:
        """For [case, column] rows, those that are not finite left out."""
        finite = rows[np.isfinite(rows).all(axis=1)]
        return cls(Scaling.of(finite) if len(finite) else Scaling.none(rows.shape[1]))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """[case, column] float32, zeros for rows that are not finite."""
        finite = np.isfinite(rows).all(axis=1, keepdims=True)
        return self.scaling.apply(np.where(finite, rows, self.scaling.subtract)).astype(np.float32)

    def relative(self, scaling: Scaling) -> Scaling:
        """What a scaling of the original columns is for the columns that `apply` gives."""
        own = self.scaling
        return Scaling((scaling.subtract - own.subtract) * own.multiply, scaling.multiply / own.multiply)
