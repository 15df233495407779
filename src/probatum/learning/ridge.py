"""Ridge regression on standardised inputs, with products of inputs where asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data


class ScaledRidge(RegressorMixin, BaseEstimator):
    """Linear regression with an L2 penalty on the coefficients of standardised inputs.

    Args:
        alpha: strength of the penalty, from 0.
        interactions: also use the products of every two inputs.
    """

    def __init__(self, alpha: float = 1.0, interactions: bool = False):
        self.alpha = alpha
        self.interactions = interactions

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ScaledRidge:
        """Fits to inputs [row, column] and targets [row] or [row, quantity]; a row of weight 2 counts as two rows."""
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True)
        products = (PolynomialFeatures(interaction_only=True, include_bias=False), StandardScaler())
        self.pipeline_: Pipeline = make_pipeline(
            StandardScaler(), *(products if self.interactions else ()), Ridge(alpha=self.alpha)
        )
        weighs = (name for name, step in self.pipeline_.steps if not isinstance(step, PolynomialFeatures))
        self.pipeline_.fit(
            X, y, **({} if sample_weight is None else {f"{n}__sample_weight": sample_weight for n in weighs})
        )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Targets [row] or [row, quantity] for inputs [row, column]."""
        check_is_fitted(self)
        return self.pipeline_.predict(validate_data(self, X, reset=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
