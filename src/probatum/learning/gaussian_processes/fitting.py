"""From estimators and row sets to lanes, and from what was found to outcomes.

All searches of one shape run one compiled program, each on a thread of its own: a factorisation fills a core, so that
side by side in one program they would only wait for the slowest. The shape follows from a fit's own distinct rows, so
a fit's bits depend neither on its company nor on the number of threads.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from probatum.errors import FitError
from probatum.learning.compilation import compiled
from probatum.learning.gaussian_processes.covariance import Coordinates, Parameters, Structure, weak_prior
from probatum.learning.gaussian_processes.measurements import Measurements, shape_of, weighted_scaling
from probatum.learning.gaussian_processes.program import (
    BLOCK,
    NOT_DEFINITE,
    Data,
    objective_program,
    prediction_program,
)
from probatum.learning.learner import FitOutcome, RowSet, check_usable
from probatum.learning.scaling import Scaling

if TYPE_CHECKING:
    from probatum.learning.gaussian_processes.estimator import GaussianProcess

PRECISE = {"ftol": 1e-12, "gtol": 1e-5}
"""When a search ends: a step gains less than this share of the loss, or no slope is steeper."""
SEARCHED = 3
"""Sets the stream that draws rows to search on apart from that of the starts."""
HYPER = "hyper."
"""What the names of hyper-parameters begin with in `FitOutcome.weights`."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A fitted estimator, by arrays.

    Attributes:
        inputs, targets: scalings by the training rows.
        measurements: standardised.
        hyper: name to [process, ...].
    """

    inputs: Scaling
    targets: Scaling
    measurements: Measurements
    hyper: Parameters

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As `FitOutcome.weights` hold it."""
        of = self.measurements
        return {
            "inputs": self.inputs.to_array(),
            "targets": self.targets.to_array(),
            "rows": of.inputs,
            "counts": of.counts,
            "means": of.means,
            "scatter": of.scatter,
            **{f"{HYPER}{name}": np.asarray(array) for name, array in self.hyper.items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Trained:
        return cls(
            Scaling.from_array(arrays["inputs"]),
            Scaling.from_array(arrays["targets"]),
            Measurements(arrays["rows"], arrays["counts"], arrays["means"], arrays["scatter"]),
            {name.removeprefix(HYPER): array for name, array in arrays.items() if name.startswith(HYPER)},
        )


@dataclass(frozen=True, eq=False)
class Lane:
    """One search: of a process of a fit, from one start."""

    fit: int
    process: int
    start: Parameters
    data: Data


@dataclass(frozen=True, eq=False)
class Found:
    """Where a search ended: the hyper-parameters, minus the logarithm of the posterior density, the steps taken."""

    parameters: dict[str, np.ndarray]
    loss: float
    steps: int


def fit_together(
    estimators: Sequence[GaussianProcess],
    inputs: np.ndarray,
    targets: np.ndarray,
    row_sets: Sequence[RowSet],
    cores: int,
) -> list[FitOutcome]:
    """What `GaussianProcess.fit_many` gives, for estimators that are checked and share a program."""
    started = time.perf_counter()
    outcomes = [FitOutcome(np.empty((0, 0)), 0.0) for _ in row_sets]
    structure = estimators[0].structure(inputs.shape[1], targets.shape[1])
    prepared: dict[int, Trained] = {}
    searched: dict[int, Measurements] = {}
    lanes: list[Lane] = []
    for fit, (estimator, rows) in enumerate(zip(estimators, row_sets, strict=True)):
        try:
            check_usable(inputs, targets, rows)
        except FitError as error:
            outcomes[fit] = replace(outcomes[fit], error=str(error))
            continue
        prepared[fit] = _prepared(estimator, inputs, targets, rows)
        searched[fit] = _searched_on(prepared[fit].measurements, estimator.search_rows, rows.seed)
        lanes += _lanes(fit, estimator, structure, searched[fit], rows.seed)
    # A library that splits one factorisation over threads would tie its bits to their number.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max(1, cores)) as pool:
        searches = pool.map(lambda lane: _searched(structure, lane, estimators[0].iterations), lanes)
        found = _best(lanes, searches)

        def finish(fit: int) -> FitOutcome:
            measured = searched[fit].counts.sum()
            return _outcome(
                estimators[fit], structure, prepared[fit], found[fit], measured, inputs[row_sets[fit].predict]
            )

        for fit, outcome in zip(prepared, pool.map(finish, prepared), strict=True):
            outcomes[fit] = outcome
    seconds = (time.perf_counter() - started) / max(1, len(prepared))
    return [replace(o, seconds=seconds) if fit in prepared else o for fit, o in enumerate(outcomes)]


def predicted(
    estimator: GaussianProcess, structure: Structure, trained: Trained, inputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of a measurement, [row, quantity] float64, for inputs [row, column]."""
    quantities = trained.targets.subtract.size
    standard = trained.inputs.apply(inputs)
    columns = []
    with jax.enable_x64(True), threadpool_limits(1, user_api="blas"):
        for quantity in range(quantities):
            process, inside = (0, quantity) if structure.rank else (quantity, 0)
            hyper = {name: array[process] for name, array in trained.hyper.items()}
            data = _data(structure, trained.measurements, process)
            columns.append(_column(structure, hyper, data, standard, inside))
    mean = np.stack([mean for mean, _ in columns], axis=1)
    deviation = np.sqrt(np.stack([variance for _, variance in columns], axis=1))
    return estimator.physical(inputs, quantities) + trained.targets.undo(mean), deviation / trained.targets.multiply


# ---------------------------------------------------------------------- before


def _prepared(estimator: GaussianProcess, inputs: np.ndarray, targets: np.ndarray, rows: RowSet) -> Trained:
    """Scaled measurements of the training rows, without hyper-parameters."""
    train, weights = np.asarray(rows.train, dtype=np.int64), rows.weights
    weights = np.ones(len(train)) if weights is None else np.asarray(weights, dtype=np.float64)
    train, weights = train[weights > 0], weights[weights > 0]
    x, y = inputs[train], targets[train] - estimator.physical(inputs[train], targets.shape[1])
    of_inputs = weighted_scaling(x, weights, ignore_constant=True).only(rows.columns)
    of_targets = weighted_scaling(y, weights)
    return Trained(of_inputs, of_targets, Measurements.of(of_inputs.apply(x), of_targets.apply(y), weights), {})


def _searched_on(of: Measurements, most: int | None, seed: int) -> Measurements:
    """The measurements that hyper-parameters are searched on: all, or some drawn by the seed."""
    if most is None or most >= len(of.counts):
        return of
    drawn = np.sort(np.random.default_rng([seed, SEARCHED]).choice(len(of.counts), most, replace=False))
    return Measurements(of.inputs[drawn], of.counts[drawn], of.means[drawn], of.scatter[drawn])


def _lanes(fit: int, estimator: GaussianProcess, structure: Structure, of: Measurements, seed: int) -> list[Lane]:
    """Every process of a fit from every start: the priors' medians first, then draws from the priors."""
    prior, generator = weak_prior(structure), np.random.default_rng(seed)
    processes = 1 if structure.rank else of.means.shape[1]
    centre = {**prior.mean, **estimator.starts(structure)}
    if structure.rank:  # at loadings of 0 their gradient is 0
        centre["loading"] = np.ones_like(prior.mean["loading"]) / (1 + np.arange(structure.rank))
    lanes = []
    for process in range(processes):
        data = _data(structure, of, process)
        lanes.append(Lane(fit, process, centre, data))
        for _ in range(estimator.restarts):
            drawn = {
                name: mean + np.minimum(prior.deviation[name], 1.0) * generator.normal(size=mean.shape)
                for name, mean in prior.mean.items()
            }
            lanes.append(Lane(fit, process, drawn, data))
    return lanes


def _data(structure: Structure, of: Measurements, process: int) -> Data:
    """The rows of one process, filled up to a program's shape."""
    filled, used = of.padded(shape_of(len(of.counts)))
    quantities = range(structure.quantities) if structure.rank else [process]
    times = len(quantities)
    at = Coordinates(
        np.tile(filled.inputs, (times, 1)),
        np.repeat(np.arange(times), len(used)).astype(np.int32),
        np.tile(used, times),
    )
    columns = list(quantities)
    return Data(
        at, np.tile(filled.counts, times), filled.means[:, columns].T.ravel(), filled.scatter[:, columns].T.ravel()
    )


# ---------------------------------------------------------------------- searching and predicting


def _best(lanes: Sequence[Lane], found: Iterable[Found]) -> dict[int, list[Found]]:
    """For each fit and process the best of its searches."""
    best: dict[int, list[Found]] = {}
    for lane, one in zip(lanes, found, strict=True):
        of_fit = best.setdefault(lane.fit, [])
        if lane.process == len(of_fit):
            of_fit.append(one)
        elif one.loss < of_fit[lane.process].loss:
            of_fit[lane.process] = one
    return best


def _searched(structure: Structure, lane: Lane, steps: int) -> Found:
    """L-BFGS (Byrd, Lu, Nocedal and Zhu 1995) from the lane's start; 0 steps leave it there."""
    prior = weak_prior(structure)
    names = sorted(lane.start)
    ends = np.cumsum([lane.start[name].size for name in names])

    def unravelled(flat: np.ndarray) -> dict[str, np.ndarray]:
        parts = np.split(flat, ends[:-1])
        return {name: part.reshape(lane.start[name].shape) for name, part in zip(names, parts, strict=True)}

    def ravelled(parameters: Parameters) -> np.ndarray:
        return np.concatenate([np.ravel(parameters[name]) for name in names])

    with jax.enable_x64(True):
        arguments = (lane.start, prior, lane.data)
        program = compiled(("gaussian process objective", structure), objective_program(structure), arguments)

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = program(unravelled(flat), prior, lane.data)
            return float(value), ravelled(gradient)

        start = ravelled(lane.start)
        if not steps:
            return Found(dict(lane.start), objective(start)[0], 0)
        result = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, **PRECISE})
    return Found(unravelled(result.x), float(result.fun), int(result.nit))


def _outcome(
    estimator: GaussianProcess,
    structure: Structure,
    prepared: Trained,
    found: list[Found],
    measured: float,
    rows: np.ndarray,
) -> FitOutcome:
    """The predictions for `rows`; `measured` is how many measurements the search looked at."""
    if max(one.loss for one in found) >= NOT_DEFINITE:
        return FitOutcome(
            np.empty((0, 0)), 0.0, error="no hyper-parameters give a positive definite covariance; look at the inputs"
        )
    trained = replace(prepared, hyper=_stacked([one.parameters for one in found]))
    # Of targets in their own units: each measurement brings the factor 1 / unit.
    units = np.log(trained.targets.multiply) * measured
    likelihood = [_log_likelihood(structure, one) for one in found]
    likelihood = np.array(likelihood) + (units.sum() if structure.rank else units)
    mean, deviation = predicted(estimator, structure, trained, rows)
    told = {"likelihood": likelihood, "steps": np.array([one.steps for one in found])}
    return FitOutcome(mean, 0.0, deviation, weights={**trained.to_arrays(), **told})


def _log_likelihood(structure: Structure, found: Found) -> float:
    """The marginal likelihood alone, of standardised targets: the loss without the prior's part."""
    prior = weak_prior(structure)
    far = [((found.parameters[n] - prior.mean[n]) / prior.deviation[n]) ** 2 for n in prior.mean]
    return 0.5 * float(sum(part.sum() for part in far)) - found.loss


def _column(
    structure: Structure, hyper: Parameters, data: Data, inputs: np.ndarray, quantity: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance [row] of one quantity, standardised."""
    rows = len(inputs)
    blocks = shape_of(-(-rows // BLOCK)) if rows > BLOCK else 1
    filled = np.pad(inputs, ((0, blocks * BLOCK - rows), (0, 0))).reshape(blocks, BLOCK, inputs.shape[1])
    arguments = (hyper, data, filled, np.full((blocks, BLOCK), quantity, dtype=np.int32))
    program = compiled(("gaussian process prediction", structure), prediction_program(structure), arguments)
    mean, variance = jax.tree.map(np.asarray, program(*arguments))
    return mean.ravel()[:rows], variance.ravel()[:rows]


def _stacked(trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)
