"""What learners of rate constants have in common: they see all rows of a draw, and give back a learned metabolism.

The task is inverse: `fit` keeps what is observed of the training cases, `predict` puts the predicted ones beside it and
estimates. Nobody tells them a constant. `fit_many` does the same for many fits and keeps what was learned as curves.
"""

from __future__ import annotations

import time
import traceback
from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator

from probatum.learning.learner import FitOutcome, RowSet
from probatum.problems.metabolism.cases import Measured, measured
from probatum.problems.metabolism.learned import Learned


class InverseLearner(BaseEstimator):
    """An estimator of log10 k from the feature 'trajectory'."""

    inverse: ClassVar[bool] = True
    """`fit_many` takes targets = None, as tasks with hidden truth give it."""

    @classmethod
    @abstractmethod
    def learned(cls, estimators: Sequence[Any], seen: Sequence[Measured], cores: int) -> list[Learned | Exception]:
        """What each estimator finds in what it sees; an exception where it finds nothing."""

    def unread(self) -> tuple[str, ...]:
        """Parameters that the estimator does not look at."""
        return ()

    def fit(self, X: Any, y: None = None) -> Self:
        """Keeps what is observed of the training cases, [case, column]; `y` is not looked at."""
        self.rows_ = np.asarray(X, dtype=np.float64)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """log10 k of the cases: [case] float64 from [case, column].

        Raises:
            FitError: the rows do not make up a trajectory, or nothing can be learned from it.
        """
        queries = np.asarray(X, dtype=np.float64)
        seen = measured(np.concatenate([self.rows_, queries]))
        (found,) = self.learned([self], [seen], 1)
        if isinstance(found, Exception):
            raise found
        return _predicted(seen, found)[len(self.rows_) :]

    def program(self) -> Hashable:
        """All estimators of one class may stand in one call."""
        return type(self).__qualname__

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[Any],
        inputs: np.ndarray,
        targets: np.ndarray | None,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        """One outcome for each row set; targets are not looked at."""
        started = time.perf_counter()
        seen: dict[bytes, Measured] = {}
        for rows in row_sets:
            key = _together(rows).tobytes()
            if key not in seen:
                seen[key] = measured(inputs[_together(rows)])
        found = cls.learned(estimators, [seen[_together(rows).tobytes()] for rows in row_sets], cores)
        seconds = (time.perf_counter() - started) / len(row_sets)
        outcomes = []
        for estimator, rows, model in zip(estimators, row_sets, found, strict=True):
            if isinstance(model, Exception):
                text = "".join(traceback.format_exception(model))
                outcomes.append(FitOutcome(np.empty((0, 0)), seconds, error=text))
                continue
            predicted = _predicted(seen[_together(rows).tobytes()], model)
            position = np.searchsorted(_together(rows), rows.predict)
            outcomes.append(
                FitOutcome(predicted[position, None], seconds, curves=model.curves(), unread=estimator.unread())
            )
        return outcomes


def _together(rows: RowSet) -> np.ndarray:
    """[row] int, ascending: all rows that a fit sees."""
    return np.unique(np.concatenate([rows.train, rows.predict])).astype(np.int64)


def _predicted(seen: Measured, model: Learned) -> np.ndarray:
    """log10 k of the rows' own reactions, for the rate law with f(1) = 1: [row] float64."""
    order = np.asarray(seen.network.orders.sum(axis=0)).ravel()
    return model.corrected(order)[seen.places]
