"""The unknown functions of a metabolism as splines: the rate law f of a substrate, and the homeostasis h of a group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Real

from probatum.problems.metabolism.natural_splines import natural_spline


@dataclass(frozen=True, eq=False)
class RateLaw:
    """f(c) = c exp(s(log(1 + c)) - s(log 2)).

    Attributes:
        knots: of s, in log(1 + c).
        weights: [knot - 1] float64 of the spline's basis without its constant, which f(1) = 1 takes away.
    """

    knots: Float[np.ndarray, " knot"]
    weights: Float[np.ndarray, " knot-1"]

    def __call__(self, c: Real[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """f, of the shape of the concentrations; odd, for those that noise makes negative."""
        return c * np.exp(np.tensordot(self.weights, law_basis(c, self.knots), 1))

    def elasticity(self, c: Real[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """d log f / d log c, of the shape of the concentrations above 0, by central differences."""
        x, nudge = np.log1p(c), 1e-5
        slope = (natural_spline(x + nudge, self.knots) - natural_spline(x - nudge, self.knots))[1:] / (2 * nudge)
        return 1 + np.tensordot(self.weights, slope, 1) * c / (1 + c)


def law_basis(c: Real[np.ndarray, "*shape"], knots: Real[np.ndarray, " knot"]) -> Float[np.ndarray, " knot-1 *shape"]:
    """d log f / d weights, [knot - 1, ...] float64, 0 at c = 1."""
    at_one = natural_spline(np.log(2.0), knots)[1:]
    found = natural_spline(np.log1p(np.abs(c)), knots)[1:]
    return found - at_one.reshape(-1, *[1] * np.ndim(c))


@dataclass(frozen=True, eq=False)
class Homeostasis:
    """h_g(c) of each group.

    Attributes:
        knots: of all splines, in c.
        groups: [metabolite] int.
        weights: [group, knot] float64.
    """

    knots: Float[np.ndarray, " knot"]
    groups: Int[np.ndarray, " metabolite"]
    weights: Float[np.ndarray, "group knot"]

    def __call__(self, c: Real[np.ndarray, "*batch metabolite"]) -> Float[np.ndarray, "*batch metabolite"]:
        """h of the concentrations [..., metabolite], of their shape."""
        return np.einsum("k...m,mk->...m", natural_spline(c, self.knots), self.weights[self.groups])
