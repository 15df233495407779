"""The contract of a learner: scikit-learn's `fit`/`predict`, plus `fit_many` for those that train many fits at once.

A learner is an estimator: keyword parameters in `__init__`, `fit(X, y)`, `predict(X)`; what is random in it obeys a
parameter `random_state`. One that can do better than a loop adds

    @classmethod
    def fit_many(cls, estimators, inputs, targets, row_sets, cores) -> list[FitOutcome]
    def program(self) -> Hashable        # estimators with equal programs may be trained by one call of fit_many
    def validate(self) -> None           # optional: raises CampaignFileError for values that it cannot use
    columns_apart = True                 # optional: it heeds `RowSet.columns`
    def fit(self, X, y, sample_weight)   # optional: it heeds weights of rows, `RowSet.weights` in fit_many too
    code_modules = ("package.module",)   # optional: modules beside its own whose code decides its results
    inverse = True                       # optional: fit_many takes targets = None, where the truth is hidden
    own_features = ("name",)             # optional: features of its problem that it takes, and it takes no others

and promises that the bits of a fit do not depend on the others in the call.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from inspect import Parameter, getdoc, signature
from typing import Any

import numpy as np

from probatum import plug_ins
from probatum.errors import CampaignFileError, FitError, ProbatumError, UnknownNameError, nearest
from probatum.learning.reading import unread, watched


@dataclass(frozen=True, eq=False)
class RowSet:
    """The rows of one fit.

    Attributes:
        train: [row] int64, indices into the inputs; may repeat none.
        predict: [row] int64, indices that are predicted; disjoint from `train` unless the caller wants otherwise.
        seed: the fit's seed; equal seeds give equal bits.
        groups: [train row] labels of what must stay together when training rows are parted again; None if nothing must.
        weights: [train row], not negative: how much each counts in the loss; None weighs them the same.
        columns: [column] bool, those of the inputs that the fit may look at; None for all.
    """

    train: np.ndarray
    predict: np.ndarray
    seed: int
    groups: np.ndarray | None = None
    weights: np.ndarray | None = None
    columns: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class FitOutcome:
    """What one fit gave.

    Attributes:
        prediction: [row, quantity] float64, in the order of the row set's `predict`.
        seconds: time the fit took; in a fused call, the call's time divided by its fits.
        spread: [row, quantity] predictive standard deviation, None where the learner has none.
        curves: name to [epoch] float32: what was watched while training; NaN after it stopped.
        weights: name to array: enough to predict again, {} where the learner keeps none.
        error: why the fit failed, None where it did not; of the other fields only `curves` then mean something.
        width: fits that ran side by side in its program, where it was fused: another width may round otherwise.
        unread: parameters that the estimator did not look at, neither in training nor in predicting.
    """

    prediction: np.ndarray
    seconds: float
    spread: np.ndarray | None = None
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    error: str | None = None
    width: int | None = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class LearnerKind:
    """A registered learner: how recipes name it and what a fit's key must know of it.

    Attributes:
        name: as `model.kind` in a recipe.
        description: one line.
        path: 'module:Class' of the estimator.
        libraries: distributions whose versions can change its results.
        defaults: parameters set unless the recipe sets them.
        joint: whether one estimator predicts several quantities; else one is trained for each.
        passes: parameters that the estimator takes although its signature does not name them.
        deterministic: from its parameters, whether the seed changes nothing; such learners run one seed.
        precision: of its arithmetic.
        version: raised when our own code around it changes its results.
        foreign: whether it is somebody else's, so that its source is a part of what a fit's key knows.
    """

    name: str
    description: str
    path: str
    libraries: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    joint: bool = True
    passes: tuple[str, ...] = ()
    deterministic: Callable[[Mapping[str, Any]], bool] = lambda _: False
    precision: str = "float64"
    version: int = 1
    foreign: bool = False

    def estimator_class(self) -> type:
        """The estimator's class, imported."""
        module, _, attribute = self.path.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            remedy = "install it, or correct 'module:Class'"
            if not self.foreign and not self.installed:
                remedy = "pip install 'probatum[all]', which brings every model"
            raise CampaignFileError(f"model '{self.name}' cannot be imported: {error}", remedy=remedy) from error

    @property
    def installed(self) -> bool:
        """Whether the package that its class stands in is on this machine; nothing is imported."""
        package = self.path.partition(":")[0].partition(".")[0]
        if sys.modules.get(package) is not None:  # such as __main__, which nothing finds
            return True
        return bool(package) and find_spec(package) is not None

    @property
    def own_features(self) -> tuple[str, ...]:
        """The features that it was made for and takes alone; () where any will do, or where it is not installed."""
        return () if not self.installed else tuple(getattr(self.estimator_class(), "own_features", ()))

    @property
    def weighs_rows(self) -> bool:
        """Whether its trainings take a weight for each row."""
        return _takes_weights(self.estimator_class())

    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that a recipe may set.

        Where the class takes any keyword, those that its ancestors name, to whom it passes them on.
        """
        names = set(self.passes)
        for kind in self.estimator_class().__mro__[:-1]:
            if "__init__" not in vars(kind):
                continue
            taken = signature(kind.__init__).parameters.values()
            named = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
            names |= {p.name for p in taken if p.kind in named and p.name != "self"}
            if all(p.kind is not Parameter.VAR_KEYWORD for p in taken):
                break
        return tuple(sorted(names))

    def check(self, parameters: Mapping[str, Any], *, where: str | None = None) -> None:
        """Refuses parameters that the estimator does not have, or values that it says it cannot use.

        Raises:
            CampaignFileError: naming the parameter, and the nearest valid one or the values it takes.
        """
        known = self.parameters()
        for name in parameters:
            if name not in known:
                raise CampaignFileError(
                    f"unknown key '{name}' of model '{self.name}'", where=where, remedy=nearest(name, known)
                )
        validate = getattr(self.build(parameters, seed=0), "validate", None)
        if validate is not None:
            try:
                validate()
            except CampaignFileError as error:
                raise CampaignFileError(error.what, where=where or error.where, remedy=error.remedy) from None

    def build(self, parameters: Mapping[str, Any], seed: int) -> Any:
        """An estimator with these parameters, its `random_state` set to the seed where it has one."""
        chosen = {**self.defaults, **parameters}
        if "random_state" in self.parameters():
            chosen.setdefault("random_state", seed)
        return self.estimator_class()(**chosen)


def learner_kind(name: str) -> LearnerKind:
    """A registered learner by name, one of a plug-in, or an estimator of the user's own by path 'module:Class'.

    Raises:
        UnknownNameError: nobody registered the name.
        CampaignFileError: the import path leads nowhere, or the plug-in cannot be used.
    """
    from probatum.learning.classical import CLASSICAL
    from probatum.learning.networks import NETWORKS

    registered = {**CLASSICAL, **NETWORKS}
    if name in registered:
        return registered[name]
    if ":" in name:
        return _of_estimator(name, "an estimator of the user's own", name, name.partition(":")[0].partition(".")[0])
    known = plug_ins.installed(plug_ins.LEARNERS, registered)
    if name in known:
        return _of_plug_in(known[name])
    raise UnknownNameError.of("model", name, {**registered, **known})


def own_features(name: str) -> tuple[str, ...]:
    """The features that a model takes alone; () where any will do, and of one that is not there to be asked.

    Args:
        name: as `model.kind` in a recipe.
    """
    try:
        return learner_kind(name).own_features
    except ProbatumError:  # a blend, or a package that is not installed: whoever trains it says so
        return ()


def _of_plug_in(plug_in: plug_ins.PlugIn) -> LearnerKind:
    """The learner that an entry point leads to: a scikit-learn estimator's class, or a LearnerKind that says more."""
    found = plug_in.load(_is_learner, "is no class with fit and predict, and no LearnerKind")
    if isinstance(found, LearnerKind):
        libraries = tuple(dict.fromkeys((*found.libraries, plug_in.distribution)))
        return replace(found, name=plug_in.name, libraries=libraries, foreign=True)
    described = (getdoc(found) or f"of {plug_in.package}").splitlines()[0]
    return _of_estimator(plug_in.name, described, plug_in.value, plug_in.distribution)


def _is_learner(found: Any) -> bool:
    estimator = isinstance(found, type) and all(callable(getattr(found, name, None)) for name in ("fit", "predict"))
    return estimator or isinstance(found, LearnerKind)


def _of_estimator(name: str, description: str, path: str, library: str) -> LearnerKind:
    kind = LearnerKind(name, description, path, (library,), foreign=True)
    random = "random_state" in kind.parameters()
    return replace(kind, deterministic=lambda _: not random)


def program(estimator: Any) -> Hashable:
    """What estimators must share to be trained in one call of `fit_many`."""
    own = getattr(estimator, "program", None)
    return own() if own else (type(estimator).__qualname__, repr(sorted(estimator.get_params().items())))


def fit_many(
    estimators: Sequence[Any],
    inputs: np.ndarray,
    targets: np.ndarray | None,
    row_sets: Sequence[RowSet],
    cores: int = 1,
    *,
    quantities: int,
) -> list[FitOutcome]:
    """Trains one estimator for each row set.

    Args:
        estimators: unfitted, one a row set; where they are fused, of equal `program`.
        inputs: [case, column] float64.
        targets: [case, quantity] float64; None in an inverse task, where learners see no truth.
        row_sets: the rows of each fit.
        cores: threads that the call may use.
        quantities: how many are predicted.

    Returns:
        One outcome a row set, in order. A training that failed, or predicted what is not finite or of the wrong
        shape, has an `error` and does not touch the others.
    """
    if fused(estimators[0]) and (targets is not None or getattr(estimators[0], "inverse", False)):
        outcomes = type(estimators[0]).fit_many(list(estimators), inputs, targets, list(row_sets), cores)
    else:
        outcomes = [_fit_alone(e, inputs, targets, r) for e, r in zip(estimators, row_sets, strict=True)]
    return [_checked(o, (len(r.predict), quantities)) for o, r in zip(outcomes, row_sets, strict=True)]


def fused(estimator: Any) -> bool:
    """Whether the estimator trains many fits in one call."""
    return hasattr(type(estimator), "fit_many")


def takes_columns(kind: type) -> bool:
    """Whether an estimator of this class can be trained on some of the columns: all that are trained alone can."""
    return not hasattr(kind, "fit_many") or bool(getattr(kind, "columns_apart", False))


def check_usable(inputs: np.ndarray, targets: np.ndarray, rows: RowSet) -> None:
    """Refuses rows that nothing can be learned from.

    Args:
        inputs: [case, column] float64.
        targets: [case, quantity] float64.
        rows: of one fit.

    Raises:
        FitError: numbers that are not finite, no rows, or weights that cannot be; naming the first row.
    """
    used = np.concatenate([rows.train, rows.predict]).astype(np.int64)
    for what, array, places in (("inputs", inputs, used), ("targets", targets, rows.train)):
        bad = places[np.logical_not(np.isfinite(array[places]).all(axis=1))]
        if len(bad):
            raise FitError(
                f"row {int(bad[0])}: {what} of {len(bad)} rows are NaN or infinite",
                remedy="fill them in or leave them out",
            )
    if not len(rows.train):
        raise FitError("there are no rows to train on")
    if rows.weights is not None:
        if not (np.isfinite(rows.weights).all() and (rows.weights >= 0).all()):
            raise FitError("row weights must be finite and not negative")
        if not rows.weights.any():
            raise FitError("all training rows have weight 0", remedy="leave the fold out")


def _fit_alone(estimator: Any, inputs: np.ndarray, targets: np.ndarray | None, rows: RowSet) -> FitOutcome:
    started = time.perf_counter()
    try:
        columns = slice(None) if rows.columns is None else rows.columns
        known, queries = (np.ascontiguousarray(inputs[part][:, columns]) for part in (rows.train, rows.predict))
        with watched(estimator) as read:
            if targets is None:
                estimator.fit(known)
            else:
                y = targets[rows.train]
                weights = {} if rows.weights is None else {"sample_weight": _accepted_weights(estimator, rows.weights)}
                estimator.fit(known, y[:, 0] if y.shape[1] == 1 else y, **weights)
            predicted = np.asarray(estimator.predict(queries), dtype=np.float64)
    except Exception:
        return FitOutcome(np.empty((0, 0)), time.perf_counter() - started, error=traceback.format_exc())
    seconds = time.perf_counter() - started
    return FitOutcome(predicted.reshape(len(rows.predict), -1), seconds, unread=unread(estimator, read))


def _takes_weights(estimator: Any) -> bool:
    """Whether `fit` of an estimator, or of its class, names weights of rows; one that cannot be read takes none."""
    try:
        return "sample_weight" in signature(estimator.fit).parameters
    except (AttributeError, TypeError, ValueError):
        return False


def _accepted_weights(estimator: Any, weights: np.ndarray) -> np.ndarray:
    if not _takes_weights(estimator):
        name = type(estimator).__name__
        raise FitError(f"{name} takes no weights of rows", remedy="set repeats = 'each', or use another model")
    return weights


def _checked(outcome: FitOutcome, shape: tuple[int, int]) -> FitOutcome:
    if outcome.error is not None:
        return outcome
    if outcome.prediction.shape != shape:
        return replace(outcome, error=f"predictions have shape {outcome.prediction.shape}, expected {shape}")
    bad = int((~np.isfinite(outcome.prediction)).sum())
    if bad:
        return replace(
            outcome,
            error=f"{bad} of {outcome.prediction.size} predictions are not finite: the training diverged; "
            "lower the learning rate or look at the inputs",
        )
    return outcome
