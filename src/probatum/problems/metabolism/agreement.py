"""How far estimates agree with the truth: R2 on the identity line, which no slope or offset can flatter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Real

from probatum.errors import DataError


@dataclass(frozen=True)
class Agreement:
    """R2 = 1 - sum (estimate - truth)^2 / sum (truth - mean)^2.

    Attributes:
        all, identifiable: R2 over all constants, and over those that the data determines.
        count, identifiable_count: how many these are.
    """

    all: float
    identifiable: float
    count: int
    identifiable_count: int

    def __str__(self) -> str:
        return (
            f"R2 on the identity line {self.identifiable:.6g} over {self.identifiable_count} identifiable constants, "
            f"{self.all:.6g} over all {self.count}"
        )


def identity_r2(truth: Real[np.ndarray, " ..."], estimate: Real[np.ndarray, " ..."]) -> float:
    """R2 on the identity line.

    Raises:
        DataError: fewer than two values, different sizes, or a truth that does not vary.
    """
    truth, estimate = np.asarray(truth, dtype=np.float64), np.asarray(estimate, dtype=np.float64)
    if truth.shape != estimate.shape or truth.size < 2:
        raise DataError(
            f"{estimate.size} estimates for {truth.size} true values",
            where="R2",
            remedy="give at least two of each, in pairs",
        )
    spread = ((truth - truth.mean()) ** 2).sum()
    if not spread > 0:
        raise DataError("the true values are all the same", where="R2", remedy="give the error in their unit instead")
    return float(1 - ((estimate - truth) ** 2).sum() / spread)


def agreement(
    truth: Real[np.ndarray, " reaction"],
    estimate: Real[np.ndarray, " reaction"],
    identifiable: Bool[np.ndarray, " reaction"],
) -> Agreement:
    """Both R2 of estimated constants.

    Args:
        truth, estimate: [reaction], k or log10 k.
        identifiable: [reaction] bool.
    """
    return Agreement(
        identity_r2(truth, estimate),
        identity_r2(np.asarray(truth)[identifiable], np.asarray(estimate)[identifiable]),
        len(truth),
        int(np.sum(identifiable)),
    )
