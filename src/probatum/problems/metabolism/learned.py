"""What a learner found of a metabolism, as tables: constants, rate law and homeostasis over concentrations.

    dc_i/dt = sum_j S_ij k_j link(prod_a f(c_a)^n_aj) + h_i(c_i),

link the identity or softplus. Tables go into a fit's curves, so that whoever scores can compare functions with the true
ones and roll the model out, without the learner's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Float32, Real

from probatum.learning.probes import CHANGE, FREE_SCALE, TRAINING

LAW_POINTS, HOMEOSTASIS_POINTS = 1024, 256
BEYOND = 1.5
"""Tables reach this many times the largest concentration that was seen."""
LOWEST = 1e-4
"""Constants below this, as least squares may find them, count as this before a logarithm is taken."""


@dataclass(frozen=True, eq=False)
class Learned:
    """A learned metabolism.

    Attributes:
        log_constants: log10 k as trained, [reaction].
        largest: concentration at which the tables end; their points are even in log(1 + c) from 0 on.
        law: f, [point].
        homeostasis: h, [metabolite, point].
        alpha: f(1), the scale that k and f trade.
        softplus: whether the link is softplus, not the identity.
        from_training: whether the rollout it asks for starts from the training trajectory, as the exploration's did.
        losses: of training, one after each part of it.
        changes: of parts of the network, their names to how much they moved in each part of the training.
        final_loss: the last one.
    """

    log_constants: Float[np.ndarray, " reaction"]
    largest: float
    law: Float[np.ndarray, " place"]
    homeostasis: Float[np.ndarray, "metabolite point"]
    alpha: float = 1.0
    softplus: bool = False
    from_training: bool = False
    losses: Float[np.ndarray, " part"] | tuple[float, ...] = ()
    changes: Mapping[str, Float[np.ndarray, " part"]] = field(default_factory=dict)

    @property
    def final_loss(self) -> float:
        return float(self.losses[-1]) if len(self.losses) else np.nan

    def corrected(self, order: Real[np.ndarray, " reaction"]) -> Float[np.ndarray, " reaction"]:
        """log10 k + n log10 alpha, [reaction]: those of the law f / alpha; n is the order of a reaction in all."""
        return self.log_constants + order * np.log10(self.alpha)

    def curves(self) -> dict[str, Float32[np.ndarray, " _"]]:
        """The model as a fit's curves, float32."""
        numbers = (self.alpha, self.largest, self.softplus, self.from_training, self.final_loss)
        named = {
            "log10 rate constants": self.log_constants,
            "substrate function": self.law,
            "homeostasis function": np.ravel(self.homeostasis),
            "metabolism": np.array(numbers),
        }
        if len(self.losses):
            named[TRAINING] = np.asarray(self.losses)
        named |= {f"{CHANGE} {part}": values for part, values in self.changes.items()}
        named[f"{FREE_SCALE} rate law"] = np.array([self.alpha])
        return {name: np.asarray(values, dtype=np.float32) for name, values in named.items()}

    @classmethod
    def of(cls, curves: Mapping[str, Real[np.ndarray, " _"]]) -> Learned | None:
        """The model that a fit's curves hold, None where they hold none."""
        if "metabolism" not in curves:
            return None
        alpha, largest, softplus, from_training, final_loss = np.asarray(curves["metabolism"], dtype=np.float64)
        arrays = (
            np.asarray(curves[name], dtype=np.float64)
            for name in ("log10 rate constants", "substrate function", "homeostasis function")
        )
        constants, law, homeostasis = arrays
        # The losses themselves are not kept where fits of one job have different numbers of them.
        losses = np.asarray(curves.get(TRAINING, [final_loss]), dtype=np.float64)
        table = homeostasis.reshape(-1, HOMEOSTASIS_POINTS)
        return cls(constants, float(largest), law, table, float(alpha), bool(softplus), bool(from_training), losses)

    def law_at(self, c: Real[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"] | float:
        """f / alpha at concentrations, of their shape."""
        return np.interp(c, table_points(self.largest, len(self.law)), self.law) / self.alpha

    def homeostasis_at(self, c: Real[np.ndarray, "*shape"]) -> Float[np.ndarray, " metabolite *shape"]:
        """h of every metabolite: [metabolite, ...] of concentrations [...]."""
        points = table_points(self.largest, self.homeostasis.shape[1])
        return np.stack([np.interp(c, points, of_one) for of_one in self.homeostasis])


def table_points(largest: float, count: int) -> Float[np.ndarray, " {count}"]:
    """Concentrations of a table's points, even in log(1 + c) from 0 to the largest: [point] float64."""
    return np.expm1(np.linspace(0.0, np.log1p(largest), count))


def reach_of(concentrations: Real[np.ndarray, " ..."]) -> float:
    """Where tables end for a learner that saw these."""
    return BEYOND * float(np.max(concentrations))
