"""Log-parameters of the kinetic scheme for every solvent at once, those with few rows drawn to the mean of all.

A row in a mixture of A and B at fraction b has the parameters

    theta = mu + (1 - b) delta_A + b delta_B + 4 b (1 - b) (gamma + gamma_AB),

linear in independent effects: mu (mean solvent), delta (a solvent's own), gamma (what mixing adds) and gamma_AB (the
same of this pair). Each has a normal prior around its centre, which makes this a hierarchical ridge regression; the
maximum of the posterior is found by Gauss and Newton's method with Marquardt's damping (D. Bates, D. Watts, Nonlinear
Regression Analysis (1988); A. Gelman et al., Bayesian Data Analysis (2013), chapter 15).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solve
from scipy.sparse import csr_array

from probatum.errors import FitError
from probatum.problems.catechol.kinetics import PARAMETERS, STEPS, yields, yields_and_derivatives

_UNIT = np.array([1.0] * len(STEPS) + [15.0] * len(STEPS) + [1.0])
"""[parameter] prior standard deviation of a solvent's deviation: ln k, kJ/mol, logit."""
_CENTRE = np.array([-4.0, -1.5, -1.5, -2.0, -7.0, -7.0] + [140.0] * len(STEPS) + [2.5])
"""[parameter] prior mean of mu. Activation energies of aromatic Claisen rearrangements lie near 135 kJ/mol
(H. Goering, R. Jacobson, J. Am. Chem. Soc. 80 (1958) 3277); the others are guesses. mu may be 2 units from it."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows to be fitted, replicates averaged.

    Attributes:
        solvent_a, solvent_b: [row] int64, numbers of the solvents, 0 to `solvents` - 1.
        fraction_b: [row] float64.
        celsius, minutes: [row] float64.
        targets: [row, 3] float64.
        solvents: how many there are.
    """

    solvent_a: Int[np.ndarray, " row"]
    solvent_b: Int[np.ndarray, " row"]
    fraction_b: Float[np.ndarray, " row"]
    celsius: Float[np.ndarray, " row"]
    minutes: Float[np.ndarray, " row"]
    targets: Float[np.ndarray, "row 3"]
    solvents: int


@dataclass(frozen=True, eq=False)
class KineticFit:
    """Log-parameters that explain the rows.

    Attributes:
        mean: [parameter] mu.
        solvents: [solvent, parameter] delta.
        mixing: [parameter] gamma, zero where it was not fitted.
    """

    mean: Float[np.ndarray, " parameter"]
    solvents: Float[np.ndarray, "solvent parameter"]
    mixing: Float[np.ndarray, " parameter"]

    def parameters(
        self,
        delta_a: Float[np.ndarray, "row parameter"],
        delta_b: Float[np.ndarray, "row parameter"],
        fraction_b: Float[np.ndarray, " row"],
    ) -> Float[np.ndarray, "row parameter"]:
        """[row, parameter] of mixtures of solvents with the given deviations, [row, parameter] each."""
        b = fraction_b[:, None]
        return self.mean + (1 - b) * delta_a + b * delta_b + 4 * b * (1 - b) * self.mixing


def fit(samples: Samples, *, noise: float, spread: float, excess: float, iterations: int = 60) -> KineticFit:
    """The maximum of the posterior.

    Args:
        samples: rows.
        noise: standard deviation of a measured fraction, and of what the scheme cannot say.
        spread: prior standard deviation of a solvent's deviations, in units of 1 (ln k), 15 kJ/mol, 1 (logit).
        excess: the same for what mixing adds; 0 mixes linearly.
        iterations: at most so many steps of the method.

    Raises:
        FitError: no finite start.
    """
    effects_of, weights, scales = _effects(samples, spread, excess)
    width, count = len(PARAMETERS), len(scales)
    prior = scales[:, None] * _UNIT
    # Of the Jacobian's count * width columns only those of a row's own effects are not zero.
    columns = (effects_of[:, None, :, None] * width + np.arange(width)).repeat(3, axis=1)
    ends = np.arange(0, columns.size + 1, columns.shape[2] * width)

    def residual(effects: Float[np.ndarray, "effect parameter"]) -> Float[np.ndarray, "row 3"]:
        parameters = _CENTRE + np.einsum("rk,rkp->rp", weights, effects[effects_of])
        return (samples.targets - yields(parameters, samples.celsius, samples.minutes)) / noise

    def jacobian(effects: Float[np.ndarray, "effect parameter"]) -> csr_array:
        parameters = _CENTRE + np.einsum("rk,rkp->rp", weights, effects[effects_of])
        _, by_row = yields_and_derivatives(parameters, samples.celsius, samples.minutes)
        # In units of the prior, so that the penalty is the identity.
        entries = weights[:, None, :, None] * prior[effects_of][:, None] * by_row[:, :, None] / noise
        return csr_array((entries.ravel(), columns.ravel(), ends), shape=(len(ends) - 1, count * width))

    def penalised(effects: Float[np.ndarray, "effect parameter"]) -> float:
        return float((residual(effects) ** 2).sum() + ((effects / prior) ** 2).sum())

    effects = np.zeros((count, width))
    loss, damping = penalised(effects), 0.1
    if not np.isfinite(loss):
        raise FitError("the kinetic fit has no finite start", remedy="look for targets that are not finite")
    for _ in range(iterations):
        by_effect = jacobian(effects)
        normal = (by_effect.T @ by_effect).toarray() + np.eye(count * width)
        gradient = by_effect.T @ residual(effects).ravel() - (effects / prior).ravel()
        before = loss
        while damping < 1e6:
            step = solve(normal + damping * np.diag(normal.diagonal()), gradient, assume_a="pos")
            tried = effects + prior * step.reshape(effects.shape)
            new = penalised(tried)
            if new < loss:
                effects, loss, damping = tried, new, max(damping / 5, 1e-6)
                break
            damping *= 4
        if before - loss < 1e-5 * loss:
            break
    solvents = effects[1 : 1 + samples.solvents]
    mixing = effects[1 + samples.solvents] if excess > 0 else np.zeros(width)
    return KineticFit(_CENTRE + effects[0], solvents, mixing)


def _effects(
    samples: Samples, spread: float, excess: float
) -> tuple[Int[np.ndarray, "row term"], Float[np.ndarray, "row term"], Float[np.ndarray, " effect"]]:
    """[row, k] the numbers of each row's effects, [row, k] how much each counts, and [effect] prior scales."""
    b, rows = samples.fraction_b, len(samples.fraction_b)
    numbers = [np.zeros(rows, dtype=np.int64), 1 + samples.solvent_a, 1 + samples.solvent_b]
    weights, scales = [np.ones(rows), 1 - b, b], [2.0, *[spread] * samples.solvents]
    if excess > 0:
        pairs = np.sort(np.stack([samples.solvent_a, samples.solvent_b], axis=1), axis=1)
        kinds, pair = np.unique(pairs, axis=0, return_inverse=True)
        numbers += [np.full(rows, len(scales)), 1 + len(scales) + pair.ravel()]
        weights += [4 * b * (1 - b)] * 2
        scales += [excess] * (1 + len(kinds))
    return np.stack(numbers, axis=1), np.stack(weights, axis=1), np.array(scales)
