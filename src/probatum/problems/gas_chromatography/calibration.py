"""Probabilities that mean what they say: log-odds scaled, or probabilities mapped, by predictions for unseen rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

METHODS = ("none", "temperature", "isotonic")
SMALLEST = 1e-4
"""Probabilities are kept this far from 0 and 1; a few hundred runs cannot show that mistakes are rarer."""
HOTTEST = 10.0
"""Temperatures are looked for between its inverse and it."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What turns log-odds into probabilities.

    Attributes:
        temperature: log-odds are divided by it.
        steps: for each label, [2, point]: probabilities and what they become, linear between; None maps none.
    """

    temperature: float = 1.0
    steps: tuple[Float[np.ndarray, "2 _point"], ...] | None = None

    def __call__(self, log_odds: Float[np.ndarray, "row label"]) -> Float[np.ndarray, "row label"]:
        """Probabilities [row, label] of log-odds [row, label]."""
        p = np.asarray(expit(log_odds / self.temperature))
        if self.steps is not None:
            p = np.stack([np.interp(column, *one) for column, one in zip(p.T, self.steps, strict=True)], axis=1)
        return np.clip(p, SMALLEST, 1 - SMALLEST)


def learned_calibration(
    method: str, log_odds: Float[np.ndarray, "row label"], labels: Real[np.ndarray, "row label"]
) -> Calibration:
    """A calibration from predictions for rows that were not trained on.

    'temperature' divides all log-odds by one number, that of the least cross-entropy (Guo et al., ICML 2017).
    'isotonic' maps the probabilities of each label by the rising steps of least squared error (Zadrozny and Elkan, KDD
    2002), its ends kept away from 0 and 1 as half a case more of either kind would.

    Args:
        method: of `METHODS`.
        log_odds: [row, label].
        labels: [row, label] of 0 and 1.
    """
    if method == "none":
        return Calibration()
    if method == "temperature":

        def cross_entropy(logarithm: float) -> float:
            z = log_odds / np.exp(logarithm)
            return float((np.logaddexp(0, z) - labels * z).mean())

        bounds = (-np.log(HOTTEST), np.log(HOTTEST))
        found = minimize_scalar(cross_entropy, bounds=bounds, method="bounded")
        return Calibration(float(np.exp(found.x)))  # pyright: ignore[reportAttributeAccessIssue]
    least = 0.5 / (len(labels) + 1)
    steps = []
    for column, truth in zip(np.asarray(expit(log_odds)).T, labels.T, strict=True):
        model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(column, truth)
        steps.append(np.stack([model.X_thresholds_, model.y_thresholds_]))
    return Calibration(1.0, tuple(steps))


def log_odds_of(probabilities: Real[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """ln(p / (1 - p)), probabilities kept `SMALLEST` away from 0 and 1."""
    return np.asarray(logit(np.clip(probabilities, SMALLEST, 1 - SMALLEST)))
