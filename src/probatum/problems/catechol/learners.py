"""A kinetic mean model as a learner: rates of every training solvent, then rates of solvents never seen.

1. The log-parameters of all training solvents are fitted at once (`probatum.problems.catechol.kinetic_fit`).
2. Their deviations from the mean solvent are regressed on the solvents' descriptors
   (`probatum.problems.catechol.rate_regression`).
3. Kernel, strength, subspaces and the way of mixing are those with the least squared error of yields when every group
   of training rows is predicted with the parameters of its own solvents left out of step 2.
4. The rates of an unseen solvent are uncertain and yields are not linear in them, so a prediction is the mean over
   parameters moved by the errors of step 2 for each training solvent left out, in both directions.
5. Spreads of unseen solvents are multiplied, quantity by quantity, so that 90 % intervals would have held 90 % of the
   training yields when predicted as in step 3, each group of rows counting once.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import norm
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from probatum.errors import CampaignFileError, DataError, nearest
from probatum.learning.choices import check_number
from probatum.learning.conformal import group_weights, quantile
from probatum.learning.learner import FitOutcome, RowSet
from probatum.problems.catechol.kinetic_fit import KineticFit, Samples, fit
from probatum.problems.catechol.kinetics import yields
from probatum.problems.catechol.rate_regression import RateRegression, candidates

CONDITIONS = 3
"""Columns before the descriptors: T [deg C], t [min], fraction of solvent B."""
COVERAGE = 0.9
"""Of the intervals that spreads are calibrated by."""
MIXING = ("inner", "linear", "excess")


class KineticRegressor(RegressorMixin, BaseEstimator):
    """Yields by a scheme of first-order steps whose rates depend on solvent and temperature.

    Takes the columns of the feature 'solvents_apart' alone, and the three yields as targets. Nothing in it is random.

    Args:
        noise: standard deviation of a measured yield about the scheme, a fraction.
        spread: prior standard deviation of a solvent's log-parameters about the mean solvent, in units of 1 (ln k),
            15 kJ/mol (activation energy) and 1 (logit of the recovery).
        mixing: 'linear' mixes log-parameters by volume, 'excess' adds 4 b (1 - b) times what is learned of pairs,
            'inner' takes what predicts groups of training rows better.
    """

    own_features: ClassVar[tuple[str, ...]] = ("solvents_apart",)
    code_modules: ClassVar[tuple[str, ...]] = tuple(
        f"probatum.problems.catechol.{name}" for name in ("kinetic_fit", "kinetics", "rate_regression")
    )

    def __init__(self, noise: float = 0.03, spread: float = 1.0, mixing: str = "inner"):
        self.noise = noise
        self.spread = spread
        self.mixing = mixing

    def validate(self) -> None:
        """Refuses values that it cannot use.

        Raises:
            CampaignFileError: naming the parameter and what it takes.
        """
        check_number("noise", self.noise, above=0)
        check_number("spread", self.spread, above=0)
        if self.mixing not in MIXING:
            raise CampaignFileError(f"mixing = {self.mixing!r}", remedy=nearest(str(self.mixing), MIXING))

    def fit(self, X: Any, y: Any) -> KineticRegressor:
        """Fits to inputs [row, 3 + 2 descriptors] and yields [row, 3].

        Raises:
            DataError: for other columns or targets.
        """
        self.validate()
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        if y.ndim != 2 or y.shape[1] != 3:
            raise DataError(f"targets of shape {y.shape}", remedy="give SM, Product 2 and Product 3 together")
        conditions, descriptors_a, descriptors_b = _apart(X)
        solvents, numbers = np.unique(np.concatenate([descriptors_a, descriptors_b]), axis=0, return_inverse=True)
        samples = _averaged(conditions, numbers.reshape(2, -1), y, len(solvents))
        self.center_, deviation = solvents.mean(axis=0), solvents.std(axis=0)
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        self.solvents_ = solvents
        standard = (solvents - self.center_) / self.scale_
        mixed = bool(((samples.fraction_b > 0) & (samples.fraction_b < 1)).any())
        ways = ("linear", "excess") if self.mixing == "inner" and mixed else (self.mixing,)
        self.inner_error_ = np.inf
        for way in ways:
            excess = self.spread / 2 if way == "excess" else 0.0
            kinetics = fit(samples, noise=self.noise, spread=self.spread, excess=excess)
            for regression in candidates(standard, kinetics.solvents):
                mean, variance = _left_out(samples, kinetics, regression)
                error = float(((mean - samples.targets) ** 2).mean())
                if error < self.inner_error_:
                    self.inner_error_, self.regression_, self.kinetics_, self.mixing_ = error, regression, kinetics, way
                    self.spread_factor_ = _spread_factor(samples, mean, np.sqrt(variance + self.noise**2))
        return self

    def predict(self, X: Any) -> Float[np.ndarray, "row 3"]:
        """Yields [row, 3] for inputs [row, 3 + 2 descriptors], each in [0, 1], their sum at most 1."""
        return self._moved(X).mean(axis=0)

    def predict_spread(self, X: Any) -> Float[np.ndarray, "row 3"]:
        """[row, 3] standard deviations: of yields over the uncertain rates of unseen solvents, and the noise."""
        return self._spread(X, self._moved(X))

    def program(self) -> str:
        """Every training runs on its own, so all of them may stand in one call."""
        return type(self).__qualname__

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[KineticRegressor],
        inputs: Float[np.ndarray, "row column"],
        targets: Float[np.ndarray, "row quantity"],
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        """One training after the other, each with its predictive spread (see `probatum.learning.learner`)."""
        return [e._outcome(inputs, targets, rows) for e, rows in zip(estimators, row_sets, strict=True)]

    def _outcome(
        self, inputs: Float[np.ndarray, "row column"], targets: Float[np.ndarray, "row quantity"], rows: RowSet
    ) -> FitOutcome:
        started = time.perf_counter()
        try:
            self.fit(inputs[rows.train], targets[rows.train])
            queries = inputs[rows.predict]
            moved = self._moved(queries)
            prediction, spread = moved.mean(axis=0), self._spread(queries, moved)
        except Exception:
            return FitOutcome(np.empty((0, 0)), time.perf_counter() - started, error=traceback.format_exc())
        return FitOutcome(prediction, time.perf_counter() - started, spread)

    def _moved(self, X: Any) -> Float[np.ndarray, "draw row 3"]:
        """[draw, row, 3] yields, the parameters of unseen solvents moved by errors of training solvents left out."""
        conditions, deviations, unseen = self._rows(X)
        return _moved_yields(self.kinetics_, conditions, deviations, unseen, self.regression_.errors)

    def _spread(self, X: Any, moved: Float[np.ndarray, "draw row 3"]) -> Float[np.ndarray, "row 3"]:
        unseen = np.logical_or(*self._rows(X)[2])[:, None]
        return np.where(unseen, self.spread_factor_, 1.0) * np.sqrt(moved.var(axis=0) + self.noise**2)

    def _rows(
        self, X: Any
    ) -> tuple[
        Float[np.ndarray, "row 3"], tuple[Float[np.ndarray, "row parameter"], ...], tuple[Bool[np.ndarray, " row"], ...]
    ]:
        """Conditions, and of solvents A and B the deviations and whether they were never seen."""
        check_is_fitted(self)
        conditions, *descriptors = _apart(np.asarray(validate_data(self, X, reset=False, dtype=np.float64)))
        deviations, unseen = zip(*(self._deviations(block) for block in descriptors), strict=True)
        return conditions, deviations, unseen

    def _deviations(
        self, descriptors: Float[np.ndarray, "row descriptor"]
    ) -> tuple[Float[np.ndarray, "row parameter"], Bool[np.ndarray, " row"]]:
        """[row, parameter] deviations from the mean solvent, and [row] whether the solvent was never seen."""
        same = (descriptors[:, None, :] == self.solvents_[None]).all(axis=2)
        unseen = ~same.any(axis=1)
        deviations = self.kinetics_.solvents[same.argmax(axis=1)]
        if unseen.any():
            deviations[unseen] = self.regression_((descriptors[unseen] - self.center_) / self.scale_)
        return deviations, unseen

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags


def _left_out(
    samples: Samples, kinetics: KineticFit, whole: RateRegression
) -> tuple[Float[np.ndarray, "row 3"], Float[np.ndarray, "row 3"]]:
    """Mean and variance [row, 3] of yields over uncertain rates, each group of rows predicted without its solvents."""
    conditions = np.stack([samples.celsius, samples.minutes, samples.fraction_b], axis=1)
    numbers = np.stack([samples.solvent_a, samples.solvent_b])
    group = _groups(samples)
    mean, variance = np.empty_like(samples.targets), np.empty_like(samples.targets)
    for pair in range(group.max() + 1):
        rows = group == pair
        solvents = np.unique(numbers[:, rows])
        deviations, errors = np.zeros_like(kinetics.solvents), np.zeros((1, kinetics.solvents.shape[1]))
        if len(solvents) < samples.solvents:
            part = whole.without(solvents, kinetics.solvents)
            deviations[solvents], errors = part(whole.known[solvents]), part.errors
        sides = (deviations[numbers[0, rows]], deviations[numbers[1, rows]])
        unseen = np.ones(int(rows.sum()), dtype=bool)
        moved = _moved_yields(kinetics, conditions[rows], sides, (unseen, unseen), errors)
        mean[rows], variance[rows] = moved.mean(axis=0), moved.var(axis=0)
    return mean, variance


def _groups(samples: Samples) -> Int[np.ndarray, " row"]:
    """[row] int: rows of the same solvents, whichever is called A."""
    pairs = np.sort(np.stack([samples.solvent_a, samples.solvent_b], axis=1), axis=1)
    return np.unique(pairs, axis=0, return_inverse=True)[1].ravel()


def _spread_factor(
    samples: Samples, left_out: Float[np.ndarray, "row 3"], spread: Float[np.ndarray, "row 3"]
) -> Float[np.ndarray, " 3"]:
    """[3] what spreads are multiplied by, from means and spreads [row, 3] of groups left out."""
    sizes = np.abs(samples.targets - left_out) / spread
    weights = group_weights(_groups(samples), len(sizes))
    held = [quantile(sizes[:, q], COVERAGE, weights, beyond=0.0) for q in range(3)]
    return np.array(held) / norm.ppf((1 + COVERAGE) / 2)


def _moved_yields(
    kinetics: KineticFit,
    conditions: Float[np.ndarray, "row 3"],
    deviations: tuple[Float[np.ndarray, "row parameter"], ...],
    unseen: tuple[Bool[np.ndarray, " row"], ...],
    errors: Float[np.ndarray, "solvent parameter"],
) -> Float[np.ndarray, "draw row 3"]:
    """[draw, row, 3] yields with the deviations of unseen solvents moved by [draw] errors and their opposites.

    The two solvents of a mixture take errors of different training solvents.
    """
    if not (unseen[0].any() or unseen[1].any()):
        errors = np.zeros((1, errors.shape[1]))
    celsius, minutes, b = conditions.T
    draws = np.concatenate([errors, -errors])
    others = np.roll(draws, len(draws) // 3, axis=0)
    same = (deviations[0] == deviations[1]).all(axis=1)[:, None]
    parameters = [
        kinetics.parameters(
            deviations[0] + unseen[0][:, None] * one,
            deviations[1] + unseen[1][:, None] * np.where(same, one, other),
            b,
        )
        for one, other in zip(draws, others, strict=True)
    ]
    times = len(draws)
    moved = yields(np.concatenate(parameters), np.tile(celsius, times), np.tile(minutes, times))
    return moved.reshape(times, len(b), 3)


def _apart(
    inputs: Float[np.ndarray, "row column"],
) -> tuple[Float[np.ndarray, "row 3"], Float[np.ndarray, "row descriptor"], Float[np.ndarray, "row descriptor"]]:
    """Conditions, descriptors of solvent A and of solvent B; a solvent that is not in a row stands as the other one."""
    width = inputs.shape[1] - CONDITIONS
    if width < 2 or width % 2:
        raise DataError(
            f"{inputs.shape[1]} columns are no conditions with descriptors of two solvents",
            remedy="set features = ['solvents_apart'] and nothing else",
        )
    conditions, a, b = np.split(inputs, [CONDITIONS, CONDITIONS + width // 2], axis=1)
    fraction = conditions[:, 2]
    if ((fraction < 0) | (fraction > 1)).any():
        raise DataError("a fraction of solvent B outside 0 to 1", remedy="set features = ['solvents_apart'] alone")
    return conditions, np.where(fraction[:, None] == 1, b, a), np.where(fraction[:, None] == 0, a, b)


def _averaged(
    conditions: Float[np.ndarray, "row 3"],
    numbers: Int[np.ndarray, "2 row"],
    targets: Float[np.ndarray, "row 3"],
    solvents: int,
) -> Samples:
    """Rows with repeated measurements averaged: the same mixture and temperature, times equal to 0.1 min."""
    celsius, minutes, b = conditions.T
    keys = np.column_stack([*numbers, b, celsius, np.round(minutes, 1)])
    _, first, sample, count = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    sample = sample.ravel()
    means = [np.bincount(sample, values) / count for values in (minutes, *targets.T)]
    a_number, b_number = numbers
    return Samples(
        a_number[first], b_number[first], b[first], celsius[first], means[0], np.stack(means[1:], axis=1), solvents
    )
