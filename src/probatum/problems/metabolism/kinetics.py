"""What moves concentrations: reactions by mass action, and homeostasis that pulls each metabolite back to its level.

    dc_i/dt = sum_j S_ij k_j p_j(c) - lambda_i (c_i - c0_i),   p_j(c) = prod_i c_i^n_ij.

A step of Euler's method is c <- max(c + h dc/dt, 0). Where the maximum is taken, the clamp creates mass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Real

from probatum.errors import DataError
from probatum.problems.metabolism.kinetics_kernel import euler_into, propensities_into
from probatum.problems.metabolism.structure import Network


@dataclass(frozen=True, eq=False)
class Metabolism:
    """A network and its homeostasis. Concentrations have one unit, say mM, and times one, say s.

    Attributes:
        network: S and orders.
        decay: lambda, [metabolite] float64, 1/time.
        level: c0, [metabolite] float64, concentration.
    """

    network: Network
    decay: Real[np.ndarray, " ..."]
    level: Real[np.ndarray, " ..."]

    def __post_init__(self) -> None:
        for name in ("decay", "level"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.shape != (len(self.network.metabolites),) or not np.isfinite(values).all():
                raise DataError(
                    f"of shape {values.shape} for {len(self.network.metabolites)} metabolites, or not finite",
                    where=name,
                    remedy="give one finite number for each metabolite",
                )

    @cached_property
    def packed(self) -> Packed:
        """The network as the compiled kernels take it."""
        S, n = self.network.stoichiometry, self.network.orders
        return Packed(
            n.indptr.astype(np.int64), n.indices.astype(np.int64), n.data,
            S.indptr.astype(np.int64), S.indices.astype(np.int64), S.data,
            np.ascontiguousarray(self.decay, dtype=np.float64), np.ascontiguousarray(self.level, dtype=np.float64),
        )  # fmt: skip

    def take(self, reactions: Int[np.ndarray, " taken"]) -> Metabolism:
        """With these reactions alone, [taken] int."""
        return replace(self, network=self.network.take(reactions))

    def propensities(self, concentrations: Real[np.ndarray, "frame metabolite"]) -> Float[np.ndarray, "reaction frame"]:
        """p_j(c): [reaction, frame] float64 from [frame, metabolite]."""
        found = np.empty((len(self.network.reactions), len(concentrations)))
        propensities_into(found, np.ascontiguousarray(concentrations, dtype=np.float64), *self.packed[:3])
        return found

    def euler(
        self,
        start: Real[np.ndarray, " metabolite"],
        constants: Real[np.ndarray, " reaction"],
        frames: int,
        step: float,
        noise: Real[np.ndarray, "{frames-1} metabolite"] | None = None,
    ) -> tuple[Float[np.ndarray, "{frames} metabolite"], Bool[np.ndarray, "{frames} metabolite"]]:
        """Steps of Euler's method.

        Args:
            start: [metabolite] concentrations of the first frame.
            constants: k, [reaction].
            frames: how many, the first included.
            step: h, time of a frame.
            noise: [frame - 1, metabolite] added to the concentrations with every step; None adds nothing.

        Returns:
            concentrations: [frame, metabolite] float64.
            clamped: [frame, metabolite] bool: where the maximum was taken.
        """
        found = np.empty((frames, len(start)))
        clamped = np.zeros(found.shape, dtype=np.bool_)
        found[0] = start
        added = np.zeros((0, len(start))) if noise is None else np.ascontiguousarray(noise, dtype=np.float64)
        euler_into(found, clamped, np.ascontiguousarray(constants, dtype=np.float64), step, added, *self.packed)
        return found, clamped


class Packed(NamedTuple):
    """Columns of orders and of S, one after the other, and the homeostasis."""

    order_starts: Int[np.ndarray, " boundary"]
    order_rows: Int[np.ndarray, " order"]
    order_values: Float[np.ndarray, " order"]
    change_starts: Int[np.ndarray, " boundary"]
    change_rows: Int[np.ndarray, " change"]
    change_values: Float[np.ndarray, " change"]
    decay: Float[np.ndarray, " metabolite"]
    level: Float[np.ndarray, " metabolite"]
