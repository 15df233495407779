"""FLAML's search over models and their parameters, one search a label, within a time."""

from __future__ import annotations

import logging
import warnings
from importlib.util import find_spec
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from probatum.errors import UsageError
from probatum.learning.choices import check_number

EXTRA = "pip install probatum[automl]"
MODELS = ("lgbm", "rf", "extra_tree", "lrl1")


class FamilyAutoML(RegressorMixin, BaseEstimator):
    """Probabilities of labels of 0 and 1 by whatever model FLAML finds best, by cross-validation of training rows.

    How far a search gets in its time depends on the machine, so results do too, unless `trials` ends it first.

    Args:
        seconds: of each label's search.
        trials: most models that it tries; None for as many as there is time for.
        random_state: seed.
    """

    code_modules: ClassVar[tuple[str, ...]] = ()

    def __init__(self, seconds: float = 10.0, trials: int | None = None, random_state: Any = 0):
        self.seconds = seconds
        self.trials = trials
        self.random_state = random_state

    def validate(self) -> None:
        """Refuses values that it cannot use.

        Raises:
            CampaignFileError: naming the parameter and what it takes.
            UsageError: FLAML is not installed.
        """
        check_number("seconds", self.seconds, above=0)
        if self.trials is not None:
            check_number("trials", self.trials, whole=True, least=1)
        if find_spec("flaml") is None:
            raise UsageError("the automatic search needs the package flaml", remedy=EXTRA)

    def fit(self, X: Any, y: Any) -> Self:
        """Searches for each label of inputs [row, column] and labels [row] or [row, label]."""
        self.validate()
        from flaml.automl.automl import AutoML

        logging.getLogger("flaml.automl").setLevel(logging.ERROR)
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        labels = np.asarray(y, dtype=np.float64)
        self.one_label_ = labels.ndim == 1
        labels = labels.reshape(len(labels), -1)
        self.shares_ = (labels.sum(axis=0) + 0.5) / (len(labels) + 1)
        self.found_ = []
        for truth in labels.T > 0.5:
            if min(truth.sum(), (~truth).sum()) < 5:  # too few for cross-validation
                self.found_.append(None)
                continue
            search = AutoML()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries that it tries
                search.fit(
                    X,
                    truth.astype(int),
                    task="classification",
                    metric="log_loss",
                    time_budget=self.seconds,
                    max_iter=self.trials,
                    estimator_list=list(MODELS),
                    eval_method="cv",
                    n_jobs=1,
                    seed=int(self.random_state) % 2**31,
                    verbose=0,
                )
            self.found_.append(search.model)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Probabilities [row] or [row, label] for inputs [row, column]."""
        check_is_fitted(self, "found_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        found = np.tile(self.shares_, (len(X), 1))
        for label, model in enumerate(self.found_):
            if model is not None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found[:, label] = model.predict_proba(X)[:, 1]
        return found[:, 0] if self.one_label_ else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True
        return tags
