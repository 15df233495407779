"""PB6: parameters that the data cannot determine, predictions that cannot be, test sets and queries out of place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from scipy import stats

from probatum.audit.domain import outside_range
from probatum.audit.finding import Alarm, check
from probatum.audit.history import History, Partition, Run
from probatum.audit.identifiability import determination
from probatum.audit.rows import side_hashes
from probatum.problems.problem import Constraint, Quantity

FAR_OUTSIDE = 0.1
"""Ranges of a column beyond which a query is no longer near the training rows."""
SOME_SKILL, NO_SKILL = 0.25, 0.1
"""Share of the mean's squared error that a run takes away."""


@check(
    "PB601",
    "parameters the data cannot determine",
    "warning",
    "history",
    remedy="fix the parameter, estimate the combination that is determined, or measure what responds to it",
    detects="from Jacobians: any parameter in a null direction, or whose Cramer-Rao bound is not below its prior, "
    "always; from predictions: with 10 splits of 100 rows, a quantity that has nothing to do with the inputs beside "
    "one that is predicted, with power above 0.9",
    statistical=True,
)
def undetermined(history: History, level: float) -> Iterator[Alarm]:
    """No fit finds a parameter that the observations do not respond to, and what it returns is its starting point.

    Where a problem says how its observations respond to parameters (Jacobians), rank, null space and Cramer-Rao bounds
    are computed; a parameter is not determined if its bound is infinite or no smaller than what was known before.
    From predictions alone: a quantity is not determined if every run takes away less than a tenth of the error of the
    mean (t test over splits, at the level) while some run takes away more than a quarter for another quantity.
    """
    for sensitivity in history.sensitivities:
        found = determination(sensitivity)
        if found.undetermined:
            shown = ", ".join(found.undetermined[:5]) + (", ..." if len(found.undetermined) > 5 else "")
            yield Alarm(
                f"the data at '{sensitivity.name}' do not determine {len(found.undetermined)} of "
                f"{len(found.parameters)} parameters (rank {found.rank}): {shown}",
                {"parameters": float(len(found.undetermined)), "rank": float(found.rank)},
            )
    yield from _no_better_than_the_mean(history, level)


def _no_better_than_the_mean(history: History, level: float) -> Iterator[Alarm]:
    skills = [skill for run in history.runs if not run.trivial if (skill := _skills(run, history)) is not None]
    if not skills or skills[0].shape[1] < 2 or len({skill.shape[1] for skill in skills}) > 1:
        return
    share = level / (skills[0].shape[1] * len(skills)) / 2
    upper = np.max([_bound(skill, 1 - share) for skill in skills], axis=0)
    lower = np.max([_bound(skill, share) for skill in skills], axis=0)
    for column in np.flatnonzero(upper < NO_SKILL):
        if (np.delete(lower, column) > SOME_SKILL).any():
            best = float(np.max([skill[:, column].mean() for skill in skills]))
            name = history.quantities[column].name if column < len(history.quantities) else f"quantity {column + 1}"
            yield Alarm(
                f"no run predicts '{name}' better than its mean does: the best takes away {100 * best:.1f} % of the "
                f"mean's error, at most {100 * upper[column]:.1f} %",
                {"skill": best, "upper": float(upper[column])},
            )


def _skills(run: Run, history: History) -> np.ndarray | None:
    """[split, quantity]: 1 - squared error / that of the trivial mean, or of the mean of all scored rows."""
    trivial = next((r for r in history.runs if r.trivial and r.name.endswith("mean")), None)
    means = {(t.task, t.split): t.prediction for t in trivial.trainings} if trivial else {}
    kept = [t for t in run.trainings if t.truth is not None and t.prediction is not None and len(t.truth)]
    if not kept or len({t.truth.shape[1] for t in kept if t.truth is not None}) > 1:
        return None
    center = np.concatenate([t.truth for t in kept if t.truth is not None]).mean(axis=0)
    by_split: dict[tuple[str, str], list[np.ndarray]] = {}
    for t in kept:
        truth, prediction = t.truth, t.prediction
        if truth is None or prediction is None or prediction.shape != truth.shape:
            return None
        mean = means.get((t.task, t.split))
        mean = np.broadcast_to(center, truth.shape) if mean is None or mean.shape != truth.shape else mean
        usual = ((mean - truth) ** 2).mean(axis=0)
        if not (usual > 0).all():
            return None
        by_split.setdefault((t.task, t.split), []).append(1 - ((prediction - truth) ** 2).mean(axis=0) / usual)
    skills = np.array([np.mean(seeds, axis=0) for seeds in by_split.values()])
    return skills if len(skills) >= 3 and np.isfinite(skills).all() else None


def _bound(skill: np.ndarray, probability: float) -> np.ndarray:
    """[quantity]: one-sided confidence bound of the mean over splits (Student's t)."""
    error = skill.std(axis=0, ddof=1) / np.sqrt(len(skill))
    return skill.mean(axis=0) + stats.t.ppf(probability, len(skill) - 1) * error


@check(
    "PB602",
    "predictions outside physical law",
    "warning",
    "run",
    remedy="clip or transform the outputs (log, logit, softmax), or teach the law by a penalty; look whether these "
    "rows are extrapolations",
    detects="one row in fifty, and at least three, beyond a law by more than a fiftieth of the quantity's range and "
    "by more than measured values are beyond it themselves; below one row in twenty it is a note",
)
def unlawful(subject: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """Predictions beyond a quantity's physical limits, or that break a law between quantities (a sum above 1).

    Measured values break laws too, by noise: a prediction counts where it goes further than all but one in a hundred of
    the measured values do, and than a fiftieth of the range, and the law is broken by more predictions than that.
    """
    run, history = subject
    if run.trivial:
        return
    pairs = [
        (t.prediction, t.truth)
        for t in run.trainings
        if t.prediction is not None and t.truth is not None and t.prediction.shape == t.truth.shape
    ]
    if not pairs or len({p.shape[1] for p, _ in pairs}) > 1:
        return
    prediction, truth = np.concatenate([p for p, _ in pairs]), np.concatenate([t for _, t in pairs])
    laws = {**_limits(history.quantities[: truth.shape[1]]), **history.constraints}
    spread = float(np.max(np.subtract(*np.quantile(truth, [0.95, 0.05], axis=0)))) if len(truth) else 0.0
    found = []
    for name, law in laws.items():
        broken, usual = law(prediction), law(truth)
        beyond = broken > max(float(np.quantile(usual, 0.99)), spread / 50)
        if beyond.sum() >= 3 and beyond.mean() >= 0.02:
            found.append((float(beyond.mean()), name, float(broken.max()), usual))
    if found:
        share, name, worst, usual = max(found, key=lambda one: one[0])
        measured = float((usual > 0).mean())
        more = f"; and {len(found) - 1} more laws" if len(found) > 1 else ""
        yield Alarm(
            f"{100 * share:.1f} % of the predictions break '{name}', by up to {worst:.3g}, where "
            f"{100 * measured:.1f} % of the measured values do, by up to {usual.max():.3g}{more}",
            {"share": share, "worst": worst, "measured": measured, "laws": float(len(found))},
            severity=None if share >= 0.05 else "note",
        )


def _limits(quantities: tuple[Quantity, ...]) -> Mapping[str, Constraint]:
    """The limits of single quantities as laws."""
    laws: dict[str, Constraint] = {}
    for column, q in enumerate(quantities):
        low, high = q.lower, q.upper
        if low is not None:
            laws[f"{q.name} is at least {low:g}"] = lambda y, c=column, low=low: np.maximum(low - y[:, c], 0.0)
        if high is not None:
            laws[f"{q.name} is at most {high:g}"] = lambda y, c=column, high=high: np.maximum(y[:, c] - high, 0.0)
    return laws


@check(
    "PB603",
    "test trajectory or test set drawn from the training one",
    "error",
    "history",
    remedy="draw test data with a seed of its own, and split trajectories whole; make the generator heed its draw",
    detects="a single row whose origin is on both sides, or two draws with the same rows, always",
)
def drawn_from_training(history: History, _: float) -> Iterator[Alarm]:
    """Test rows cut from a trajectory or simulation that was trained on, and draws that are one draw.

    Origins of rows (trajectory, generator with its seed) are compared between the sides of every split. The rows of
    independent draws of generated data are compared between the draws: equal ones are the same data again, and no
    repeat.
    """
    torn = [found for p in history.partitions if (found := _shared_origins(p)) is not None]
    if torn:
        partition, rows, both = max(torn, key=lambda one: one[1])
        where = f"; in {len(torn)} of {len(history.partitions)} splits" if len(torn) > 1 else ""
        yield Alarm(
            f"{rows} of {len(partition.test)} test rows are drawn from {len(both)} origins that train: "
            f"{', '.join(map(str, both[:3]))}{where}",
            {"rows": float(rows), "origins": float(len(both)), "splits": float(len(torn))},
            subject=partition.name,
        )
    yield from _equal_draws(history)


def _shared_origins(partition: Partition) -> tuple[Partition, int, np.ndarray] | None:
    """The partition, its test rows drawn from what trains, and the origins of these; None where there are none."""
    here, there = partition.train.origins, partition.test.origins
    if here is None or there is None:
        return None
    both = np.intersect1d(here, there)
    return (partition, int(np.isin(there, both).sum()), both) if len(both) else None


def _equal_draws(history: History) -> Iterator[Alarm]:
    draws: dict[str | None, dict[int, np.ndarray]] = {}
    for p in history.partitions:
        if p.draw is not None:
            rows = np.concatenate([side_hashes(p.train), side_hashes(p.test)])
            draws.setdefault(p.task, {}).setdefault(p.draw, np.unique(rows))
    for task, rows_of in draws.items():
        shared = {
            pair: len(np.intersect1d(rows_of[pair[0]], rows_of[pair[1]], assume_unique=True))
            for pair in combinations(rows_of, 2)
        }
        # A table of few distinct rows gives equal rows by chance; draws that are one share most of them.
        equal = [pair for pair, count in shared.items() if 2 * count > min(len(rows_of[d]) for d in pair)]
        if equal:
            one, other = equal[0]
            count = shared[one, other]
            yield Alarm(
                f"draws {one + 1} and {other + 1} of task '{task}' share {count} of {len(rows_of[one])} rows; "
                f"{len(equal)} of {len(shared)} pairs of draws do",
                {"rows": float(count), "pairs": float(len(equal))},
            )


@check(
    "PB604",
    "queries outside the training range",
    "note",
    "partition",
    remedy="train on rows that surround the queries, or say that these predictions are extrapolations",
    detects="a single test row more than a tenth of a column's training range beyond it, always",
)
def extrapolated(partition: Partition, _: float) -> Iterator[Alarm]:
    """Test rows beyond the range of the training inputs: what is scored there is extrapolation.

    Often meant where whole groups are left out, so it is a note. Columns that are constant in training are passed over.
    """
    train, test = partition.train.inputs, partition.test.inputs
    if not len(train) or not len(test):
        return
    known = np.isfinite(train)
    varies = np.where(known, train, -np.inf).max(axis=0) > np.where(known, train, np.inf).min(axis=0)
    excess = np.nan_to_num(outside_range(train[:, varies], test[:, varies]).excess, nan=0.0, posinf=0.0)
    beyond = excess > FAR_OUTSIDE  # a missing value is no extrapolation
    if beyond.any():
        worst = int(np.argmax(excess.max(axis=0)))
        position = int(np.flatnonzero(varies)[worst])
        names = partition.train.columns
        column = f"'{names[position]}'" if position < len(names) else str(position + 1)
        rows, columns = int(beyond.any(axis=1).sum()), int(beyond.any(axis=0).sum())
        yield Alarm(
            f"{rows} of {len(test)} test rows are outside the training range in {columns} columns, "
            f"most in column {column}: {excess.max():.2g} ranges beyond",
            {"rows": float(rows), "share": rows / len(test), "ranges": float(excess.max())},
        )


CHECKS = (undetermined, unlawful, drawn_from_training, extrapolated)
