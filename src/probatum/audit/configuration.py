"""PB4: configurations, seeds, mutations and saved models that do not do what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from probatum.audit.finding import Alarm, check
from probatum.audit.history import History, Run, Training

SEEDS = ("seed", "random_state", "random_seed")
"""Names under which a configuration keeps its seed, as the last part of a dotted path."""
SAME = 1e-12
"""Relative difference under which two predictions are one."""
OF_A_TRAINING = ("components.", "features.", "ensemble.", "per_target.", "repeats.", "group_weights.")
"""Parts of a recipe that a blend has in its components, or instead of them, as beginnings of 'path.'."""
ROUNDING = 1e-4
"""The same for a saved model: it predicts in float32, for other rows at a time."""


@check(
    "PB401",
    "a configuration key that nothing read",
    "warning",
    "run",
    remedy="remove the key, or make the model read it; what was meant by it did not happen",
    detects="every key that the recipe sets, the estimator keeps, and neither training nor prediction looks at",
)
def unread_keys(looked_at: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """A key that nothing reads leaves its default in force while the record says otherwise.

    Reads of an estimator's parameters are watched while it is trained and predicts.
    """
    run, _history = looked_at
    if run.unread:
        keys = ", ".join(f"'{key}'" for key in run.unread)
        yield Alarm(f"nothing read {keys}", {"keys": float(len(run.unread))})


@check(
    "PB402",
    "the seed changes nothing, or the same seed gives different results",
    "warning",
    "run",
    remedy="pass the seed to every source of randomness; seeds that change nothing are no repeats, and what changes "
    "without a seed cannot be repeated",
    detects="any two fits of one split whose predictions agree to 12 digits; any difference of one fit trained twice",
)
def seeds(looked_at: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """Two seeds of one split must differ, and one seed must give one result.

    Learners that declare themselves deterministic run one seed and are exempt, and so are trivial baselines. A fit is
    compared with itself where it was trained again (`probatum audit --retrain`), or where a table of runs lists one
    configuration, seed included, more than once.
    """
    run, history = looked_at
    if not run.deterministic and not run.trivial:
        by_split: dict[tuple[str, str], list[Training]] = {}
        for training in run.trainings:
            if training.prediction is not None:
                by_split.setdefault((training.task, training.split), []).append(training)
        several = [fits for fits in by_split.values() if len({f.seed for f in fits}) > 1]
        idle = [fits for fits in several if all(_same(fits[0], other) for other in fits[1:])]
        if several and len(idle) == len(several):
            count = len({f.seed for f in several[0]})
            yield Alarm(f"{count} seeds give the same predictions in all {len(several)} splits", {"seeds": count})
    if run.retrained_difference is not None and run.retrained_difference > SAME:
        change = run.retrained_difference
        yield Alarm(
            f"the same fit trained again predicts otherwise, by {change:.2g} of the predictions' size",
            {"difference": change},
        )
    if history.source == "table" and any(path.rpartition(".")[2] in SEEDS for path in run.recipe):
        twins = [other for other in history.runs if other.name < run.name and other.recipe == run.recipe]
        for other in twins[:1]:
            if run.score is not None and other.score is not None and run.score != other.score:
                yield Alarm(
                    f"the same configuration and seed as '{other.name}' scored {run.score:.4g} and {other.score:.4g}",
                    {"difference": abs(run.score - other.score)},
                )


@check(
    "PB403",
    "a mutation that changes nothing",
    "warning",
    "run",
    remedy="look whether the change reaches the model; two names for one thing are counted as two trials",
    detects="predictions that agree with the parent's to 12 digits in every fit",
)
def idle_mutation(looked_at: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """The predictions of a mutated experiment are its parent's, row by row.

    Test-time augmentation of mixtures by exchanging (A, B, b) for (B, A, 1 - b) is one: under linear mixing both are
    the same input.
    """
    run, history = looked_at
    parent = history.run(run.parent)
    if parent is None or not run.changed:
        return
    own, theirs = _by_place(run.trainings), _by_place(parent.trainings)
    shared = own.keys() & theirs.keys()
    if shared and own.keys() == theirs.keys() and all(_same(own[place], theirs[place]) for place in shared):
        yield Alarm(
            f"changed {', '.join(run.changed)} and predicts what '{parent.name}' predicts, in all {len(shared)} fits",
            {"fits": float(len(shared))},
        )


@check(
    "PB404",
    "several changes at once, so no effect can be attributed",
    "warning",
    "run",
    remedy="change one thing at a time, or run the intermediate experiments",
    detects="two changed paths; another kind (of model, soup, schedule) counts once with all its parameters",
)
def several_changes(looked_at: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """What differs between parent and child cannot be told apart when several things changed together.

    The parameters of another kind of model, soup or schedule come with it and count as one change. So does all that
    becoming a blend, or a model again, takes away and brings.
    """
    run, _history = looked_at
    changes = attributable(run.changed or ())
    if len(changes) > 1:
        yield Alarm(f"{len(changes)} changes from '{run.parent}': {', '.join(changes)}", {"changes": len(changes)})


@check(
    "PB405",
    "the saved model is not the scored one",
    "error",
    "run",
    remedy="save what was scored: after the last step that changes weights, and score it as it was saved",
    detects=f"predictions that differ by more than {ROUNDING:g} of their size",
)
def saved_is_scored(looked_at: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """The stored weights, loaded again, must predict what was scored.

    The gas-chromatography write-up scores a soup after fine-tuning it and stores the weights from before. A table of
    runs may give the score of the saved model as `metrics.rescored`.
    """
    run, _history = looked_at
    worst = max((_difference(t.rescored, t.prediction) for t in run.trainings), default=0.0)
    if worst > ROUNDING:
        yield Alarm(f"its saved weights predict otherwise, by {worst:.2g} of the predictions' size", {"worst": worst})
    again = run.metrics.get("rescored")
    if again is not None and run.score is not None and abs(again - run.score) > ROUNDING * abs(run.score):
        yield Alarm(f"the saved model scores {again:.4g}, the reported score is {run.score:.4g}", {"rescored": again})


def attributable(changed: Iterable[str]) -> tuple[str, ...]:
    """The changes that an effect could be attributed to: what comes with another kind, of model or of soup, is one."""
    found, rest = [], sorted(changed)
    while kinds := [path for path in rest if path.endswith(".kind")]:
        kind = min(kinds, key=len)
        chosen = kind.removesuffix("kind")
        brings = (chosen, "training.") if chosen == "model." else (chosen,)
        if chosen == "model." and "components" in rest:  # to a blend or from one: it trains nothing itself
            brings = (*brings, *OF_A_TRAINING)
        found.append(kind)
        rest = [path for path in rest if not f"{path}.".startswith(brings)]
    return (*found, *rest)


def _by_place(trainings: Sequence[Training]) -> dict[tuple[str, str, int], Training]:
    return {(t.task, t.split, t.seed): t for t in trainings if t.prediction is not None}


def _same(a: Training, b: Training) -> bool:
    return _difference(a.prediction, b.prediction) <= SAME


def _difference(a: np.ndarray | None, b: np.ndarray | None) -> float:
    """Largest difference over the size of the predictions; 0 where one is not known, infinite for other rows."""
    if a is None or b is None:
        return 0.0
    if a.shape != b.shape:
        return float("inf")
    size = float(np.abs(b).max(initial=0.0)) or 1.0
    return float(np.abs(a - b).max(initial=0.0)) / size


CHECKS = (unread_keys, seeds, idle_mutation, several_changes, saved_is_scored)
