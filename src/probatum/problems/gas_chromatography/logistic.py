"""Logistic regression of each family, with a penalty that leaves most columns out."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted, validate_data

from probatum.learning.choices import among, check_number
from probatum.learning.scaling import Scaling

SCALES = ("standard", "largest", "none")


class FamilyLogistic(RegressorMixin, BaseEstimator):
    """Probabilities of labels of 0 and 1, one logistic regression each. Nothing in it is random.

    Args:
        C: inverse strength of the L1 penalty. What it means depends on the scale of the columns: shares of an image
            are a thousandth or less, and at C = 1 no coefficient pays for itself.
        scale: 'standard', each column to mean 0 and variance 1; 'largest', divided by its largest size among the
            training rows, so that a column that is 0 but for one run is not blown up; 'none'.
        iterations: most passes over the columns.
    """

    def __init__(self, C: float = 0.1, scale: str = "standard", iterations: int = 200):
        self.C = C
        self.scale = scale
        self.iterations = iterations

    def validate(self) -> None:
        """Refuses values that it cannot use.

        Raises:
            CampaignFileError: naming the parameter and what it takes.
        """
        check_number("C", self.C, above=0)
        among("scale", self.scale, SCALES)
        check_number("iterations", self.iterations, whole=True, least=1)

    def fit(self, X: Any, y: Any) -> Self:
        """Fits to inputs [row, column] and labels [row] or [row, label]."""
        self.validate()
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        labels = np.asarray(y, dtype=np.float64)
        self.one_label_ = labels.ndim == 1
        labels = labels.reshape(len(labels), -1)
        self.subtract_, self.multiply_ = self._scaling(X)
        varies = self.multiply_ != 0
        columns = np.asfortranarray(((X - self.subtract_) * self.multiply_)[:, varies])
        self.coefficients_ = np.zeros((X.shape[1], labels.shape[1]))
        self.intercepts_ = np.empty(labels.shape[1])
        for label in range(labels.shape[1]):
            positive = labels[:, label] > 0.5
            if positive.all() or not positive.any() or not varies.any():
                share = (positive.sum() + 0.5) / (len(positive) + 1)
                self.intercepts_[label] = np.log(share / (1 - share))
                continue
            # liblinear penalises the intercept with the coefficients; a large constant column makes that negligible.
            model = LogisticRegression(
                l1_ratio=1.0, C=self.C, solver="liblinear", intercept_scaling=10, max_iter=self.iterations,
                random_state=0,
            )  # fmt: skip
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # `iterations` may be less than it takes
                model.fit(columns, positive)
            self.coefficients_[varies, label] = model.coef_[0]
            self.intercepts_[label] = float(np.ravel(model.intercept_)[0])
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Probabilities [row] or [row, label] for inputs [row, column]."""
        check_is_fitted(self, "coefficients_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        logits = ((X - self.subtract_) * self.multiply_) @ self.coefficients_ + self.intercepts_
        found = np.asarray(expit(logits))
        return found[:, 0] if self.one_label_ else found

    def _scaling(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is subtracted from each column, and what it is multiplied by: 0 where it does not vary."""
        standard = Scaling.of(X, ignore_constant=True)
        if self.scale == "standard":
            return standard.subtract, standard.multiply
        nothing = np.zeros(X.shape[1])
        varies = standard.multiply != 0
        if self.scale == "none":
            return nothing, varies.astype(np.float64)
        return nothing, np.divide(1.0, np.abs(X).max(axis=0), out=np.zeros(X.shape[1]), where=varies)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True
        return tags
