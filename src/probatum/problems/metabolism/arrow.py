"""Linear equations of many windows in a row that share some unknowns: block tridiagonal with a border, or an arrow.

    unknowns: x_1, ..., x_W (states), k (shared);   A = sum over windows of [x_w, k, x_{w+1}] blocks.

Windows are eliminated from the first to the last; each leaves its Schur complement on the next state and on k. Nothing
ever grows along the chain, as it does where states are eliminated by running the dynamics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import linalg


@dataclass(frozen=True, eq=False)
class ArrowFactors:
    """The factorised matrix.

    Attributes:
        corners: Cholesky factors of the eliminated blocks, lower, each [state, state].
        reaches: L^-1 times what couples a window to (k, x_{w+1}), each [state, shared + state]; the last one's has
            no next window.
        shared: Schur complement of k, [shared, shared]; its inverse is the covariance of k.
        shared_factor: its Cholesky factor, lower.
    """

    corners: list[Float[np.ndarray, "state state"]]
    reaches: list[Float[np.ndarray, "state _"]]
    shared: Float[np.ndarray, "shared shared"]
    shared_factor: Float[np.ndarray, "shared shared"]

    def solve(
        self, of_states: Float[np.ndarray, "window state"], of_shared: Float[np.ndarray, " shared"]
    ) -> tuple[Float[np.ndarray, "window state"], Float[np.ndarray, " shared"]]:
        """The unknowns for a right side: [window, state] and [shared]."""
        count, shared = len(self.corners), len(of_shared)
        right, eliminated = of_shared.copy(), []
        carried = np.zeros(of_states.shape[1])
        for w in range(count):
            z = linalg.solve_triangular(self.corners[w], of_states[w] + carried, lower=True, check_finite=False)
            eliminated.append(z)
            reach = self.reaches[w].T @ z
            right -= reach[:shared]
            carried = -reach[shared:]
        k = linalg.cho_solve((self.shared_factor, True), right, check_finite=False)
        states = np.empty_like(of_states)
        for w in range(count - 1, -1, -1):
            rest = eliminated[w] - self.reaches[w][:, :shared] @ k
            if w < count - 1:
                rest -= self.reaches[w][:, shared:] @ states[w + 1]
            states[w] = linalg.solve_triangular(self.corners[w], rest, lower=True, trans=1, check_finite=False)
        return states, k


def factorised(
    blocks: Iterable[tuple[Float[np.ndarray, "unknown unknown"], Float[np.ndarray, "state unknown"]]],
    windows: int,
    states: int,
    shared: int,
    weight: float,
) -> ArrowFactors:
    """Factors of the matrix of sum over windows of |J_w (x_w, k)|^2 + weight |E_w (x_w, k) - x_{w+1}|^2.

    Args:
        blocks: for each window J^T J, [state + shared, state + shared], and E, [state, state + shared]; E of the last
            window is not used.
        windows, states, shared: how many windows there are, states of a window, and unknowns that all share.
        weight: of the terms that tie windows together.

    Raises:
        numpy.linalg.LinAlgError: the matrix is not positive definite.
    """
    corners, reaches = [], []
    corner, coupling = np.zeros((states, states)), np.zeros((states, shared))  # carried from the window before
    left = np.zeros((shared, shared))
    for w, (whole, ends) in enumerate(blocks):
        last = w == windows - 1
        if not last:
            whole = whole + weight * (ends.T @ ends)
        corner = corner + whole[:states, :states]
        coupling = coupling + whole[:states, states:]
        if not last:
            coupling = np.hstack([coupling, -weight * ends[:, :states].T])
        factor = linalg.cholesky(corner, lower=True, check_finite=False)
        reach = linalg.solve_triangular(factor, coupling, lower=True, check_finite=False)
        corners.append(factor)
        reaches.append(reach)
        inner = reach.T @ reach
        left += whole[states:, states:]
        left -= inner[:shared, :shared]
        if not last:
            corner = weight * np.eye(states) - inner[shared:, shared:]
            coupling = -weight * ends[:, states:] - inner[shared:, :shared]
    return ArrowFactors(corners, reaches, left, linalg.cholesky(left, lower=True, check_finite=False))
