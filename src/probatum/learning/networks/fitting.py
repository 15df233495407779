"""From estimators and row sets to replicas, and from what was trained to outcomes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from probatum.errors import CampaignFileError, FitError
from probatum.learning import augmentation, probes
from probatum.learning.choices import imported
from probatum.learning.curriculum import Curriculum, curriculum_choice
from probatum.learning.heads import HEADS
from probatum.learning.learner import FitOutcome, RowSet, check_usable
from probatum.learning.networks.prediction import averaged
from probatum.learning.objective import Objective
from probatum.learning.parameters import check_prefixes, paths, selected
from probatum.learning.procedure import Procedure, Stage
from probatum.learning.replicas import Replica, Trained, train
from probatum.learning.scaling import Scaling, SharedScale
from probatum.learning.soup_training import train_soups
from probatum.learning.soups import soup_choice
from probatum.learning.stages import StageChoice
from probatum.learning.validation import set_aside
from probatum.learning.vocabulary import loss_choice

if TYPE_CHECKING:
    from probatum.learning.networks.estimator import NetworkRegressor


@dataclass(frozen=True, eq=False)
class Part:
    """What one fit trains on.

    Attributes:
        train: [row] indices, none of them set aside, copies included.
        validation: [row] indices set aside; None if none are.
        weights: [row] of `train`, of mean 1; None if rows have none.
        curriculum: of `train`; None if all rows are shown in every epoch.
        inputs, targets: scalings by the training rows, of the original columns.
    """

    train: np.ndarray
    validation: np.ndarray | None
    weights: np.ndarray | None
    curriculum: Curriculum | None
    inputs: Scaling
    targets: Scaling


def fit_together(
    estimators: Sequence[NetworkRegressor],
    inputs: np.ndarray,
    targets: np.ndarray,
    row_sets: Sequence[RowSet],
    cores: int,
) -> list[FitOutcome]:
    """What `NetworkRegressor.fit_many` gives, for estimators that are checked and share a program."""
    started = time.perf_counter()
    outcomes = [FitOutcome(np.empty((0, 0)), 0.0) for _ in row_sets]
    parts: dict[int, Part] = {}
    scalings: dict[bytes, tuple[Scaling, Scaling]] = {}
    first = _first_trainings(estimators, inputs, targets, row_sets, cores)
    for place, (estimator, rows) in enumerate(zip(estimators, row_sets, strict=True)):
        try:
            _check_usable(estimator, inputs, targets, rows)
            parts[place] = _part(estimator, inputs, targets, rows, scalings, first.get(place))
        except FitError as error:
            outcomes[place] = replace(outcomes[place], error=str(error))
    if not parts:
        return outcomes
    one = estimators[next(iter(parts))]
    cases = len(inputs)
    if one.symmetry is not None:
        inputs = np.concatenate(augmentation.images(inputs, imported(one.symmetry)))
        targets = np.tile(targets, (len(inputs) // cases, 1))
    shared_inputs, shared_targets = SharedScale.of(inputs), SharedScale.of(targets)
    arrays = (shared_inputs.apply(inputs), shared_targets.apply(targets))
    for weighted in (False, True):
        places = [place for place, part in parts.items() if (part.weights is not None) is weighted]
        if not places:
            continue
        replicas = [
            _replica(
                estimators[p], row_sets[p].seed, _imaged(parts[p], len(inputs), cases), shared_inputs, shared_targets
            )
            for p in places
        ]
        procedure, soup = _procedure(one, weighted), soup_choice(one.soup)
        try:
            if soup is None:
                trained = train(procedure, replicas, *arrays, int(one.batch), cores)
            else:
                trained = train_soups(soup, procedure, replicas, *arrays, int(one.batch), cores)
        except FitError as error:
            outcomes = [replace(o, error=str(error)) if p in places else o for p, o in enumerate(outcomes)]
            continue
        for place, result in zip(places, trained, strict=True):
            outcomes[place] = _outcome(estimators[place], result, row_sets[place], parts[place], cases)
    seconds = (time.perf_counter() - started) / len(parts)
    return [replace(o, seconds=seconds) if place in parts else o for place, o in enumerate(outcomes)]


# ---------------------------------------------------------------------- before


def _check_usable(estimator: NetworkRegressor, inputs: np.ndarray, targets: np.ndarray, rows: RowSet) -> None:
    """Raises FitError saying why a fit cannot be made of these rows, by this estimator's losses."""
    check_usable(inputs, targets, rows)
    truth = targets[rows.train]
    for stage in estimator.stage_choices:
        wanted = loss_choice(stage.loss[0]).targets
        if (wanted == "positive" and truth.min() <= 0) or (wanted == "unit" and (truth.min() < 0 or truth.max() > 1)):
            needs = "above 0" if wanted == "positive" else "from 0 to 1"
            raise FitError(
                f"loss '{stage.loss[0]}' needs targets {needs}; they go from {truth.min():g} to {truth.max():g}"
            )


def _part(
    estimator: NetworkRegressor,
    inputs: np.ndarray,
    targets: np.ndarray,
    rows: RowSet,
    scalings: dict[bytes, tuple[Scaling, Scaling]],
    first: FitOutcome | None,
) -> Part:
    """What an estimator trains on; `first` is the outcome of `_first_trainings`, None where there was none."""
    train_rows, weights, validation = np.asarray(rows.train, dtype=np.int64), rows.weights, None
    if weights is not None:
        train_rows, weights = train_rows[weights > 0], weights[weights > 0]
    if estimator.validation_fraction > 0:
        groups = rows.groups
        if groups is not None and rows.weights is not None:
            groups = groups[rows.weights > 0]
        aside = set_aside(len(train_rows), estimator.validation_fraction, rows.seed, groups)
        train_rows, validation = train_rows[~aside], train_rows[aside]
        weights = None if weights is None else weights[~aside]
    key = train_rows.tobytes() + (b"" if rows.columns is None else np.packbits(rows.columns).tobytes())
    if key not in scalings:
        scalings[key] = (
            estimator.input_scaling(inputs[train_rows]).only(rows.columns),
            HEADS[estimator.head].target_scaling(targets[train_rows]),
        )
    shown, order_choice = train_rows, curriculum_choice(estimator.order)
    difficulty = None if order_choice is None else order_choice.difficulty(inputs[train_rows], targets[train_rows])
    order = np.arange(len(train_rows))
    if estimator.edge_copies:
        looked_at = slice(None) if estimator.edge_targets is None else list(estimator.edge_targets)
        edges = targets[train_rows][:, looked_at]
        order = augmentation.with_edge_copies(order, edges, estimator.edge_share, estimator.edge_copies)
    if first is not None and validation is not None:
        hard = _hard_rows(estimator, targets, rows, train_rows, validation, first)
        order = np.concatenate([order, *[hard] * estimator.hard_copies])
    if len(order) > len(train_rows):
        shown, weights = train_rows[order], None if weights is None else weights[order]
        difficulty = None if difficulty is None else difficulty[order]
    if weights is not None:
        weights = (weights / weights.mean()).astype(np.float32)
    curriculum = None
    if order_choice is not None and difficulty is not None:
        epochs = sum(stage.epochs for stage in estimator.stage_choices)
        curriculum = Curriculum(difficulty, order_choice.shares(epochs))
    return Part(shown, validation, weights, curriculum, *scalings[key])


def _first_trainings(
    estimators: Sequence[NetworkRegressor],
    inputs: np.ndarray,
    targets: np.ndarray,
    row_sets: Sequence[RowSet],
    cores: int,
) -> dict[int, FitOutcome]:
    """Of the fits that show hard rows again, by place: the same training without, predicting its own rows."""
    places = [place for place, estimator in enumerate(estimators) if estimator.hard_copies]
    if not places:
        return {}
    plain = [_without_copies(estimators[p]) for p in places]
    own = [replace(row_sets[p], predict=np.asarray(row_sets[p].train, dtype=np.int64)) for p in places]
    return dict(zip(places, fit_together(plain, inputs, targets, own, cores), strict=True))


def _without_copies(estimator: NetworkRegressor) -> NetworkRegressor:
    parameters: dict[str, Any] = {**estimator.get_params(), "hard_copies": 0}
    return type(estimator)(**parameters)


def _hard_rows(
    estimator: NetworkRegressor,
    targets: np.ndarray,
    rows: RowSet,
    train_rows: np.ndarray,
    validation: np.ndarray,
    first: FitOutcome,
) -> np.ndarray:
    """[hard row] positions in `train_rows`; raises FitError where the first training failed."""
    if first.error is not None:
        raise FitError(f"the first training, which finds the hard rows, failed: {first.error}")
    ascending = np.argsort(rows.train)
    predicted = first.prediction[ascending[np.searchsorted(rows.train, validation, sorter=ascending)]]
    spread = targets[train_rows].std(axis=0)
    errors = (((predicted - targets[validation]) / np.where(spread > 0, spread, 1.0)) ** 2).mean(axis=1)
    return np.flatnonzero(
        augmentation.hard_rows(targets[train_rows], targets[validation], errors, estimator.hard_share)
    )


def _imaged(part: Part, rows: int, cases: int) -> Part:
    """The part with the images of its training rows, which stand `cases` rows further each."""
    if rows == cases:
        return part
    steps = np.arange(0, rows, cases)
    train_rows = (part.train + steps[:, None]).ravel()
    weights = None if part.weights is None else np.tile(part.weights, len(steps))
    curriculum = part.curriculum
    if curriculum is not None:
        curriculum = replace(curriculum, difficulty=np.tile(curriculum.difficulty, len(steps)))
    return replace(part, train=train_rows, weights=weights, curriculum=curriculum)


def _replica(estimator: NetworkRegressor, seed: int, part: Part, inputs: SharedScale, targets: SharedScale) -> Replica:
    generator = np.random.default_rng(seed)
    quantities = part.targets.subtract.size
    network = estimator.initial_network(
        part.inputs.subtract.size, quantities * HEADS[estimator.head].columns, generator
    )
    for stage in estimator.stage_choices:
        check_prefixes(network, (*stage.frozen, *stage.rates))
        if all(jax.tree.leaves(selected(network, stage.frozen))):
            raise CampaignFileError("all parameters are frozen", where="frozen", remedy="leave some free")
    return Replica(
        network=network,
        numbers=_numbers(estimator, part.targets),
        rows=part.train,
        seed=int(generator.integers(2**32)),
        generator=generator,
        inputs=inputs.relative(part.inputs).to_array().astype(np.float32),
        targets=targets.relative(part.targets).to_array().astype(np.float32),
        validation=part.validation,
        weights=part.weights,
        curriculum=part.curriculum,
    )


def _procedure(estimator: NetworkRegressor, weighted: bool) -> Procedure:
    watching = estimator.validation_fraction > 0
    return Procedure(
        stages=tuple(_stage(stage, estimator.head) for stage in estimator.stage_choices),
        dropping=estimator.dropout > 0,
        noisy=estimator.input_noise > 0,
        weighted=weighted,
        watching=watching,
        restoring=watching and estimator.restore_best,
        average=estimator.average_choice[0],  # type: ignore[arg-type]
    )


def _stage(choice: StageChoice, head: str) -> Stage:
    return Stage(
        choice.epochs,
        Objective(choice.loss[0], tuple(choice.penalties), head),
        choice.optimiser,
        choice.schedule[0],
        choice.clip_norm is not None,
        choice.frozen,
        tuple(choice.rates),
    )


def _numbers(estimator: NetworkRegressor, targets: Scaling) -> dict[str, Any]:
    quantities = targets.subtract.size
    numbers = {
        "dropout": estimator.dropout,
        "input_noise": estimator.input_noise,
        "patience": np.inf if estimator.patience is None else estimator.patience,
        "average": next(iter(estimator.average_choice[1].values()), 0.0),
        "stages": [
            {
                "rate": stage.rate,
                "weight_decay": stage.weight_decay,
                "clip_norm": np.inf if stage.clip_norm is None else stage.clip_norm,
                "loss": stage.loss[1],
                "penalties": list(stage.penalties.values()),
                "schedule": stage.schedule[1],
                "paces": list(stage.rates.values()),
                "target_weights": np.asarray(stage.target_weights or (1.0,) * quantities),
                "units": targets.to_array(),
            }
            for stage in estimator.stage_choices
        ],
    }
    return jax.tree.map(lambda number: np.asarray(number, dtype=np.float32), numbers)


# ---------------------------------------------------------------------- after


def _outcome(estimator: NetworkRegressor, trained: Trained, rows: RowSet, part: Part, cases: int) -> FitOutcome:
    if trained.diverged is not None:
        error = probes.divergence(trained.diverged)
        return FitOutcome(np.empty((0, 0)), 0.0, curves=trained.curves, error=error, width=trained.width)
    weights = {f"network.{path}": leaf for path, leaf in _leaves(trained.network)}
    weights |= {f"statistics.{place}": leaf for place, leaf in enumerate(jax.tree.leaves(trained.statistics))}
    weights |= {"inputs": part.inputs.to_array(), "targets": part.targets.to_array()}
    raw = trained.outputs.reshape(-1, cases, trained.outputs.shape[1])[:, rows.predict]
    undone = HEADS[estimator.head].undo(raw.reshape(-1, raw.shape[2]), part.targets)
    prediction, spread = averaged(*undone, len(rows.predict))
    return FitOutcome(prediction, 0.0, spread, trained.curves, weights, width=trained.width)


def _leaves(network: Any) -> list[tuple[str, np.ndarray]]:
    return list(zip(paths(network), jax.tree.leaves(network), strict=True))
