"""The linear regression of the rate constants, in all its forms, as normal equations.

Euler's step says, for every metabolite i and frame t,

    y_i(t) = sum_j S_ij k_j p_j(t),   y_i(t) = (c_i(t+1) - c_i(t)) / h + lambda_i (c_i(t) - c0_i).

A form multiplies a window of frames from the left by a matrix Phi of its own (the identity, test functions, sums from
the window's start). As all metabolites share p, the Gram matrix of S_ij p_j needs no regressor:

    G = sum over windows of (S^T W S) o (P^T P),   W the weights of that window's metabolites, o entry by entry,

with entries only where two reactions change a common metabolite: a few for each reaction, however large the network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from probatum.errors import DataError
from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.regression_kernel import gram_into, residuals_into, scores_into
from probatum.problems.metabolism.trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class Form:
    """How a window of frames becomes equations.

    Attributes:
        name: of the form.
        weights: Phi, [equation, frame of the window] float64.
        shift: frames from the start of a window to that of the next.
    """

    name: str
    weights: Float[np.ndarray, "equation frame"]
    shift: int


@dataclass(frozen=True, eq=False)
class Regression:
    """A trajectory's equations under one form.

    Attributes:
        metabolism: whose constants are wanted; its regressor should have full rank (`Identifiability.reduced`).
        form: what made the equations.
        regressors: Phi p, [window, reaction, equation] float64.
        targets: Phi y, [window, metabolite, equation] float64.
        used: [window, metabolite] float64 weights, 0 for what is left out.
    """

    metabolism: Metabolism
    form: Form
    regressors: Float[np.ndarray, "window reaction equation"]
    targets: Float[np.ndarray, "window metabolite equation"]
    used: Float[np.ndarray, "window metabolite"]

    @cached_property
    def normal_equations(self) -> NormalEquations:
        """Their sparse Gram matrix and right side."""
        pattern = common_metabolites(self.metabolism)
        S = self.metabolism.packed
        gram = np.zeros(len(pattern.indices))
        right = np.zeros(self.regressors.shape[1])
        gram_into(
            gram, right, pattern.indptr, pattern.indices, self.regressors, self.targets, self.used,
            S.change_starts, S.change_rows, S.change_values,
        )  # fmt: skip
        matrix = sparse.csr_array((gram, pattern.indices, pattern.indptr), shape=pattern.shape)
        squares = float(np.einsum("wie,wie,wi->", self.targets, self.targets, self.used))
        return NormalEquations(matrix, right, squares, self._count())

    def residuals(self, constants: Float[np.ndarray, " reaction"]) -> Float[np.ndarray, "window metabolite equation"]:
        """Phi (y - S (k p)): [window, metabolite, equation] float64, also of what is left out."""
        found = self.targets.copy()
        S = self.metabolism.packed
        residuals_into(found, self.regressors, constants, S.change_starts, S.change_rows, S.change_values)
        return found

    def scores(self, constants: Float[np.ndarray, " reaction"]) -> Float[np.ndarray, "window reaction"]:
        """[window, reaction] float64: every window's part of the gradient, X^T W residual."""
        found = np.zeros(self.regressors.shape[:2])
        S = self.metabolism.packed
        scores_into(
            found, self.regressors, self.residuals(constants), self.used,
            S.change_starts, S.change_rows, S.change_values,
        )  # fmt: skip
        return found

    def without(self, left_out: Bool[np.ndarray, "window metabolite"]) -> Regression:
        """The regression with weight 0 where [window, metabolite] is true."""
        return replace(self, used=np.where(left_out, 0.0, self.used))

    def _count(self) -> int:
        return int((self.used > 0).sum()) * self.targets.shape[2]


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """The quadratic |y - X k|^2 = k^T G k - 2 k^T b + y^T y.

    Attributes:
        gram: G, sparse [reaction, reaction], all diagonal entries stored.
        right: b, [reaction] float64.
        squares: y^T y.
        count: equations.
    """

    gram: sparse.csr_array
    right: Float[np.ndarray, " reaction"]
    squares: float
    count: int

    def residual_squares(self, constants: Float[np.ndarray, " reaction"]) -> float:
        """|y - X k|^2; loses digits where the residual is small beside y."""
        return float(constants @ (self.gram @ constants) - 2 * constants @ self.right + self.squares)


def regression(metabolism: Metabolism, trajectory: Trajectory, form: Form) -> Regression:
    """The equations of a trajectory under a form.

    Windows in which a metabolite is 0 but was not the frame before are left out for it: the simulation lifted it to 0
    there, which creates mass that no reaction explains.

    Raises:
        DataError: the trajectory is shorter than one window.
    """
    c = trajectory.concentrations
    frames = form.weights.shape[1]
    if len(c) <= frames:
        raise DataError(
            f"{len(c)} frames for windows of {frames + 1}", where=form.name, remedy="choose shorter windows"
        )
    p = metabolism.propensities(c[:-1])
    y = (np.diff(c, axis=0) / trajectory.step + metabolism.decay * (c[:-1] - metabolism.level)).T
    lifted = ((c[1:] == 0) & (c[:-1] > 0)).T
    starts = range(0, len(c) - frames, form.shift)
    Phi = np.ascontiguousarray(form.weights.T)
    regressors = np.stack([p[:, s : s + frames] @ Phi for s in starts])
    targets = np.stack([y[:, s : s + frames] @ Phi for s in starts])
    left_out = np.stack([lifted[:, s : s + frames].any(axis=1) for s in starts])
    return Regression(metabolism, form, regressors, targets, np.where(left_out, 0.0, 1.0))


def common_metabolites(metabolism: Metabolism) -> sparse.csr_array:
    """Pattern of the Gram matrix, sparse [reaction, reaction]: pairs that both change a metabolite, and all (j, j)."""
    S = metabolism.network.stoichiometry
    changes = sparse.csc_array((np.ones(S.nnz), S.indices, S.indptr), shape=S.shape)
    pattern = sparse.csr_array(changes.T @ changes + sparse.eye_array(len(metabolism.network.reactions)))
    pattern.sort_indices()
    return pattern
