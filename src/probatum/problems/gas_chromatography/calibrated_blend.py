"""Several learners whose log-odds are averaged, and calibrated by what they predict for parts of the training rows.

    z = sum over components of w_c mean over its members of ln(p / (1 - p)),   p = calibration(z)

The calibration is learned from inner folds of the training rows, whole groups at a time; no row that is predicted takes
part in it.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from probatum.errors import CampaignFileError, FitError
from probatum.learning.choices import among, check_number, check_numbers
from probatum.learning.learner import FitOutcome, LearnerKind, RowSet, fit_many, fused, learner_kind, program
from probatum.problems.gas_chromatography.calibration import (
    METHODS,
    Calibration,
    learned_calibration,
    log_odds_of,
)

OWN = ("kind", "columns", "members", "weight")
INNER, MEMBER = 11, 13
"""Set the random numbers of inner folds and of members apart."""


@dataclass(frozen=True)
class Component:
    """One of the learners.

    Attributes:
        kind: registered, or by import path.
        columns: first one and one past the last, of the inputs; None for all.
        members: trainings that are averaged.
        weight: of its log-odds.
        parameters: of the learner.
    """

    kind: LearnerKind
    columns: tuple[int, int] | None
    members: int
    weight: float
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, given: object, where: str) -> Component:
        """As a recipe writes it: `OWN`, and the learner's parameters beside them."""
        if not isinstance(given, Mapping) or "kind" not in given:
            raise CampaignFileError(f"{where} = {given!r} names no kind", where=where, remedy="kind = 'mlp', say")
        kind = learner_kind(given["kind"])
        columns = given.get("columns")
        if columns is not None:
            check_numbers(f"{where}.columns", columns, whole=True, least=0)
            if len(columns) != 2 or not columns[0] < columns[1]:
                raise CampaignFileError(
                    f"{where}.columns = {columns}", where=where, remedy="[first, one past the last]"
                )
            columns = (int(columns[0]), int(columns[1]))
        members, weight = given.get("members", 1), given.get("weight", 1.0)
        check_number(f"{where}.members", members, whole=True, least=1)
        check_number(f"{where}.weight", weight, above=0)
        parameters = {key: value for key, value in given.items() if key not in OWN}
        kind.check(parameters, where=where)
        if not kind.joint:
            raise CampaignFileError(f"{where}: '{kind.name}' learns one label at a time", where=where)
        return cls(kind, columns, int(members), float(weight), parameters)

    def seen(self, inputs: np.ndarray) -> np.ndarray:
        """Its columns of the inputs [row, column]."""
        if self.columns is None:
            return inputs
        first, stop = self.columns
        if stop > inputs.shape[1]:
            raise FitError(f"columns {first} to {stop} of {inputs.shape[1]}", remedy="name columns that there are")
        return inputs[:, first:stop]

    def seeds(self, seed: int) -> list[int]:
        """Of its members; those of a learner without chance are one."""
        if self.kind.deterministic(self.parameters):
            return [seed]
        return [seed, *(int(np.random.default_rng([seed, MEMBER, m]).integers(2**31)) for m in range(1, self.members))]


class CalibratedBlend(RegressorMixin, BaseEstimator):
    """Calibrated probabilities of labels of 0 and 1.

    Args:
        components: tables of `kind`, `columns` = [first, one past the last] of the inputs, `members`, `weight`, and the
            parameters of that kind.
        calibration: 'none', 'temperature' or 'isotonic'.
        inner_folds: parts of the training rows, whole groups, each predicted by components trained on the others.
        random_state: seed of members and inner folds.
    """

    code_modules: ClassVar[tuple[str, ...]] = tuple(
        f"probatum.problems.gas_chromatography.{name}"
        for name in (
            "calibration", "logistic", "family_network", "family_network_regressor", "spectra_network",
        )
    )  # fmt: skip

    def __init__(
        self,
        components: Sequence[Mapping[str, Any]] = ({"kind": "mlp", "loss": "bce", "output": "sigmoid"},),
        calibration: str = "temperature",
        inner_folds: int = 4,
        random_state: Any = 0,
    ):
        self.components = components
        self.calibration = calibration
        self.inner_folds = inner_folds
        self.random_state = random_state

    def validate(self) -> None:
        """Refuses values that it cannot use.

        Raises:
            CampaignFileError: naming the parameter and what it takes.
        """
        among("calibration", self.calibration, METHODS)
        check_number("inner_folds", self.inner_folds, whole=True, least=2)
        if isinstance(self.components, str | Mapping) or not len(self.components):
            raise CampaignFileError("components are no list of tables", where="components", remedy="give one or more")
        _ = self._parts

    def program(self) -> Hashable:
        """What estimators must share to be trained in one call: all but the seed."""
        return (type(self).__qualname__, repr(self.components), self.calibration, self.inner_folds)

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[CalibratedBlend],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        """Trains one estimator for each row set; see `probatum.learning.learner.fit_many`."""
        started = time.perf_counter()
        first = estimators[0]
        first.validate()
        asked = [_RowSets.of(first, rows) for rows in row_sets]
        together = [rows for of_fit in asked for rows in of_fit.all]
        by_component = [_predicted(component, inputs, targets, together, cores) for component in first._parts]
        outcomes, done = [], 0
        for of_fit in asked:
            places = range(done, done + len(of_fit.all))
            done += len(of_fit.all)
            outcomes.append(first._outcome(of_fit, [[found[i] for i in places] for found in by_component], targets))
        seconds = (time.perf_counter() - started) / len(row_sets)
        return [replace(outcome, seconds=seconds) for outcome in outcomes]

    def fit(self, X: Any, y: Any) -> Self:
        """Fits to inputs [row, column] and labels [row, label]; rows are parted into inner folds at random."""
        self.validate()
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        labels = np.asarray(y, dtype=np.float64)
        self.one_label_ = labels.ndim == 1
        return self.fit_grouped(X, labels.reshape(len(X), -1), None)

    def fit_grouped(self, X: np.ndarray, labels: np.ndarray, groups: np.ndarray | None, cores: int = 1) -> Self:
        """Fits with inner folds of whole groups.

        Args:
            X: [row, column] float64.
            labels: [row, label] of 0 and 1.
            groups: [row] labels of what must not be torn apart; None if nothing must.
            cores: threads to use.

        Raises:
            FitError: a training failed.
        """
        self.one_label_ = getattr(self, "one_label_", False)
        self.n_features_in_ = X.shape[1]
        rows = RowSet(np.arange(len(X)), np.arange(0), int(self.random_state), groups)
        folds = _RowSets.of(self, rows).inner
        of_folds = [_predicted(component, X, labels, folds, cores) for component in self._parts]
        failed = next((one.error for found in of_folds for one in found if one.error is not None), None)
        if failed is not None:
            raise FitError(failed)
        log_odds = np.zeros_like(labels)
        for place, fold in enumerate(folds):
            log_odds[fold.predict] = self._blended([found[place].prediction for found in of_folds])
        self.calibration_ = learned_calibration(self.calibration, log_odds, labels)
        self.fitted_ = [
            [
                component.kind.build(component.parameters, seed).fit(component.seen(X), labels)
                for seed in component.seeds(rows.seed)
            ]
            for component in self._parts
        ]
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Probabilities [row] or [row, label] for inputs [row, column]."""
        check_is_fitted(self, "fitted_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        each = [
            _mean_of([np.asarray(one.predict(component.seen(X))).reshape(len(X), -1) for one in members])
            for component, members in zip(self._parts, self.fitted_, strict=True)
        ]
        found = self.calibration_(self._blended(each))
        return found[:, 0] if self.one_label_ else found

    @property
    def _parts(self) -> list[Component]:
        return [Component.of(one, f"components[{place}]") for place, one in enumerate(self.components)]

    def _blended(self, probabilities: Sequence[np.ndarray]) -> np.ndarray:
        """Log-odds [row, label] of the components' probabilities."""
        weights = np.array([component.weight for component in self._parts])
        return np.tensordot(weights / weights.sum(), np.stack([log_odds_of(p) for p in probabilities]), axes=1)

    def _outcome(self, rows: _RowSets, by_component: Sequence[Sequence[FitOutcome]], targets: np.ndarray) -> FitOutcome:
        """Of one fit, from what each component gave for its row sets, the inner ones first."""
        failed = next((one for found in by_component for one in found if one.error is not None), None)
        if failed is not None:
            return failed
        log_odds, labels = [], []
        for place, fold in enumerate(rows.inner):
            log_odds.append(self._blended([found[place].prediction for found in by_component]))
            labels.append(targets[fold.predict])
        calibration = Calibration()
        if rows.inner:
            calibration = learned_calibration(self.calibration, np.concatenate(log_odds), np.concatenate(labels))
        blended = self._blended([found[-1].prediction for found in by_component])
        curves = {"temperature": np.array([calibration.temperature], dtype=np.float32)}
        return FitOutcome(calibration(blended), 0.0, curves=curves)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True
        return tags


@dataclass(frozen=True, eq=False)
class _RowSets:
    """Inner folds of a fit's training rows, each predicting the rest of them, and the fit itself."""

    inner: list[RowSet]
    whole: RowSet

    @property
    def all(self) -> list[RowSet]:
        return [*self.inner, self.whole]

    @classmethod
    def of(cls, estimator: CalibratedBlend, rows: RowSet) -> _RowSets:
        if estimator.calibration == "none":
            return cls([], rows)
        groups = np.arange(len(rows.train)) if rows.groups is None else rows.groups
        labels, member = np.unique(groups, return_inverse=True)
        count = min(int(estimator.inner_folds), len(labels))
        if count < 2:
            raise FitError("one group alone cannot be parted into inner folds", remedy="calibration = 'none'")
        fold_of = np.random.default_rng([rows.seed, INNER]).permutation(len(labels)) % count
        folds = []
        for fold in range(count):
            out = fold_of[member.ravel()] == fold
            own = None if rows.groups is None else rows.groups[~out]
            folds.append(replace(rows, train=rows.train[~out], predict=rows.train[out], groups=own))
        return cls(folds, rows)


def _predicted(
    component: Component, inputs: np.ndarray, targets: np.ndarray, row_sets: Sequence[RowSet], cores: int
) -> list[FitOutcome]:
    """One outcome a row set, the log-odds of members averaged; those that fuse are trained in one call."""
    members = [
        (place, replace(rows, seed=seed)) for place, rows in enumerate(row_sets) for seed in component.seeds(rows.seed)
    ]
    estimators = [component.kind.build(component.parameters, rows.seed) for _, rows in members]
    seen, quantities = np.ascontiguousarray(component.seen(inputs)), targets.shape[1]
    sets = [rows for _, rows in members]
    if fused(estimators[0]) and len({program(one) for one in estimators}) > 1:
        raise FitError("members of one component have different programs")
    outcomes = fit_many(estimators, seen, targets, sets, cores, quantities=quantities)
    found: list[FitOutcome] = []
    for place in range(len(row_sets)):
        of_fit = [outcome for (owner, _), outcome in zip(members, outcomes, strict=True) if owner == place]
        failed = next((one for one in of_fit if one.error is not None), None)
        found.append(failed or replace(of_fit[0], prediction=_mean_of([one.prediction for one in of_fit])))
    return found


def _mean_of(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """The probability whose log-odds are the mean of the members'."""
    mean = np.mean([log_odds_of(p) for p in probabilities], axis=0)
    return 1 / (1 + np.exp(-mean))
