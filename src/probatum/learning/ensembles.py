"""Ensembles: several predictions of the same rows become one.

Weights and stacks are learned from predictions that their components made for rows they had not seen: inner
out-of-fold predictions of the training fold, never the rows that are scored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from probatum.learning.blends import blend, simplex_weights


def mean(predictions: Real[np.ndarray, "component row quantity"]) -> Float[np.ndarray, "row quantity"]:
    """[row, quantity] from [component, row, quantity]."""
    return predictions.mean(axis=0)


def logit_mean(
    probabilities: Real[np.ndarray, "component row quantity"], smallest: float = 1e-6
) -> Float[np.ndarray, "row quantity"]:
    """The probability whose log-odds are the mean of the components', [row, quantity].

    Args:
        probabilities: [component, row, quantity].
        smallest: probabilities are kept this far from 0 and 1.
    """
    p = np.clip(probabilities, smallest, 1 - smallest)
    return 1 / (1 + np.exp(-(np.log(p) - np.log1p(-p)).mean(axis=0)))


def mixture(
    predictions: Real[np.ndarray, "component row quantity"],
    spreads: Real[np.ndarray, "component row quantity"] | None = None,
) -> tuple[Float[np.ndarray, "row quantity"], Float[np.ndarray, "row quantity"]]:
    """Mean and standard deviation of an even mixture of Gaussians (deep ensembles, Lakshminarayanan et al. 2017).

    Args:
        predictions: [component, row, quantity] means.
        spreads: the same of standard deviations; None for components without any.

    Returns:
        [row, quantity] each.
    """
    own = 0.0 if spreads is None else (spreads**2).mean(axis=0)
    return predictions.mean(axis=0), np.sqrt(own + predictions.var(axis=0))


def weighted(
    predictions: Real[np.ndarray, "component row quantity"],
    out_of_fold: Real[np.ndarray, "component training quantity"],
    truth: Real[np.ndarray, "training quantity"],
) -> Float[np.ndarray, "row quantity"]:
    """The blend [row, quantity] whose weights, not negative and of sum 1, are best out of fold.

    Args:
        predictions: [component, row, quantity].
        out_of_fold: [component, training row, quantity].
        truth: [training row, quantity].
    """
    return blend(predictions, simplex_weights(out_of_fold, truth))


@dataclass(frozen=True, eq=False)
class Stack:
    """A linear model of the components' predictions, one a quantity.

    Attributes:
        centre: [quantity], mean of the truth it was learned from.
        coefficients: [component, quantity].
        means: [component, quantity] of the out-of-fold predictions.
    """

    centre: Float[np.ndarray, " quantity"]
    coefficients: Float[np.ndarray, "component quantity"]
    means: Float[np.ndarray, "component quantity"]

    @classmethod
    def learned(
        cls,
        out_of_fold: Real[np.ndarray, "component training quantity"],
        truth: Real[np.ndarray, "training quantity"],
        alpha: float = 1.0,
    ) -> Stack:
        """By ridge regression, drawn towards the plain mean of the components rather than towards 0.

        Minimises |y - P w|^2 + alpha s |w - 1/k|^2 with centred y, P, where s is the components' mean sum of squares,
        so that alpha has no unit. With one component and a large alpha it is that component.

        Args:
            out_of_fold: [component, training row, quantity].
            truth: [training row, quantity].
            alpha: strength of the penalty, from 0.
        """
        components = len(out_of_fold)
        means, centre = out_of_fold.mean(axis=1), truth.mean(axis=0)
        coefficients = np.empty((components, truth.shape[1]))
        for quantity in range(truth.shape[1]):
            columns = (out_of_fold[:, :, quantity] - means[:, [quantity]]).T
            even = np.full(components, 1 / components)
            left = (truth[:, quantity] - centre[quantity]) - columns @ even
            gram = columns.T @ columns
            penalty = alpha * np.trace(gram) / components
            solved = np.linalg.lstsq(gram + penalty * np.eye(components), columns.T @ left, rcond=None)[0]
            coefficients[:, quantity] = even + solved
        return cls(centre, coefficients, means)

    def predict(self, predictions: Real[np.ndarray, "component row quantity"]) -> Float[np.ndarray, "row quantity"]:
        """[row, quantity] from [component, row, quantity]."""
        centred = predictions - self.means[:, None, :]
        return self.centre + np.einsum("crq,cq->rq", centred, self.coefficients)
