"""Affine scalings of columns: by the rows of one training, and by all rows for arrays that trainings share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real

VARIES = 1e-12
"""A standard deviation below this share of the column's size is rounding."""
FAR = 64
"""Standard deviations that an offset may be away from 0: 64 cost six binary digits of the 24."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """x -> (x - subtract) * multiply, column by column.

    Attributes:
        subtract, multiply: [column] float64.
    """

    subtract: Float[np.ndarray, " column"]
    multiply: Float[np.ndarray, " column"]

    @classmethod
    def of(cls, rows: Real[np.ndarray, "row column"], *, ignore_constant: bool = False) -> Scaling:
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

    def only(self, columns: Bool[np.ndarray, " column"] | None) -> Scaling:
        """The same with all columns but these, [column] bool, multiplied by 0; None keeps all."""
        return self if columns is None else Scaling(self.subtract, np.where(columns, self.multiply, 0.0))

    @classmethod
    def none(cls, columns: int) -> Scaling:
        """Changes nothing."""
        return cls(np.zeros(columns), np.ones(columns))

    @classmethod
    def from_array(cls, array: Float[np.ndarray, "2 column"]) -> Scaling:
        """The scaling that `to_array` gave."""
        return cls(array[0], array[1])

    def to_array(self) -> Float[np.ndarray, "2 column"]:
        """[2, column] float64: what is subtracted, what multiplies."""
        return np.stack([self.subtract, self.multiply])

    def apply(self, rows: np.ndarray) -> np.ndarray:
        return (rows - self.subtract) * self.multiply

    def undo(self, rows: np.ndarray) -> np.ndarray:
        """The inverse, where nothing is multiplied by 0."""
        return rows / self.multiply + self.subtract


@dataclass(frozen=True, eq=False)
class SharedScale:
    """Brings columns near 0 and 1 before they become float32, so that no digits are lost to a far offset.

    It is made of all finite rows, whichever are trained on, so it must not move a bit of what a fit learns: it
    multiplies by powers of two, which is exact, and takes out offsets only of columns that would lose digits.

    Attributes:
        scaling: what it is for the original columns.
    """

    scaling: Scaling

    @classmethod
    def of(cls, rows: Real[np.ndarray, "case column"]) -> SharedScale:
        """For [case, column] rows, those that are not finite left out."""
        finite = rows[np.isfinite(rows).all(axis=1)]
        if not len(finite):
            return cls(Scaling.none(rows.shape[1]))
        standard = Scaling.of(finite)
        far = np.abs(standard.subtract) * standard.multiply > FAR
        return cls(Scaling(np.where(far, standard.subtract, 0.0), np.exp2(np.round(np.log2(standard.multiply)))))

    def apply(self, rows: Real[np.ndarray, "case column"]) -> Float[np.ndarray, "case column"]:
        """[case, column] float32, zeros for rows that are not finite."""
        finite = np.isfinite(rows).all(axis=1, keepdims=True)
        return self.scaling.apply(np.where(finite, rows, self.scaling.subtract)).astype(np.float32)

    def relative(self, scaling: Scaling) -> Scaling:
        """What a scaling of the original columns is for the columns that `apply` gives."""
        own = self.scaling
        return Scaling((scaling.subtract - own.subtract) * own.multiply, scaling.multiply / own.multiply)
