"""PB5: choices, claims and baselines that nothing confirms."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from probatum.audit.finding import Alarm, check
from probatum.audit.history import History, Run
from probatum.learning.probes import VALIDATION

SIGNIFICANCE = re.compile(r"\bp\s*[<=≤]+\s*0?\.\d+|\bsignifican(t|ce|tly)\b", re.IGNORECASE)
LEAST_REPEATS = 2


@check(
    "PB501",
    "selection on the reported score",
    "error",
    "run",
    remedy="choose epochs, members and weights on rows set aside inside the training fold, and report others",
    detects="a score that is the best epoch of its own curve, before the last; rows that a table says were both chosen "
    "and reported on; any dependence of predictions on the scored targets, where a fit is trained again",
)
def selected_on_reported(looked_at: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """What was chosen because it scored best on some rows scores too well on them.

    Seen where the reported score is the minimum of the validation curve that it comes from, where a table of runs gives
    the same rows as `scored_on.rows` and `scored_on.selected_on`, and where a fit that is trained again with the scored
    rows' targets replaced by noise predicts otherwise (`probatum audit --retrain`).
    """
    run, history = looked_at
    rows, chosen_on = run.scored_on.get("rows"), run.scored_on.get("selected_on")
    if rows is not None and rows == chosen_on:
        yield Alarm(f"chosen and reported on the same rows, '{rows}'")
    elif history.source == "table" and (found := _best_epoch(run, history)):
        yield Alarm(found[0], {"epoch": found[1], "last": found[2]})
    if run.poisoned_difference is not None and run.poisoned_difference > 0:
        change = run.poisoned_difference
        yield Alarm(
            "its predictions change when the targets of the scored rows are replaced by noise, "
            f"by {change:.2g} of their size",
            {"difference": change},
        )


@check(
    "PB502",
    "best of N without confirmation",
    "warning",
    "history",
    remedy="score the best one once on rows that chose nothing, or with fresh seeds ('probatum champion confirm' does "
    "either, where its runs are trained)",
    detects="two runs and a choice among them, always",
)
def best_of_many(history: History, _: float) -> Iterator[Alarm]:
    """The best of N runs is partly the luckiest of N. Its score is optimistic until other rows or seeds confirm it."""
    tried = sum(not run.trivial for run in history.runs)
    if history.chosen is not None and tried > 1 and not history.confirmed:
        yield Alarm(f"the best of {tried}, and not confirmed", {"runs": tried}, subject=history.chosen)


@check(
    "PB503",
    "a claim of significance without replicates",
    "error",
    "run",
    remedy="repeat over splits, groups or draws, and compare ('probatum compare'); one run each shows nothing",
    detects="a p-value or the word 'significant' in a claim about a single run, always",
)
def significance(looked_at: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """A difference of two single runs has no error to be compared with, however large it is."""
    run, _history = looked_at
    if len(run.scores) >= LEAST_REPEATS:
        return
    for claim in run.claims:
        if SIGNIFICANCE.search(claim):
            yield Alarm(f"'{claim}' is said of one run", {"runs": 1})


@check(
    "PB504",
    "figures marked as estimates used as a baseline",
    "error",
    "run",
    remedy="measure the baseline under the protocol of what is compared with it",
    detects="an estimate that is the baseline or somebody's parent, always",
)
def estimated_baseline(looked_at: tuple[Run, History], _: float) -> Iterator[Alarm]:
    """A comparison with a number that nobody measured is no comparison."""
    run, history = looked_at
    if not run.estimated:
        return
    children = [other.name for other in history.runs if other.parent == run.name]
    if history.baseline == run.name or children:
        of = "the baseline" if history.baseline == run.name else f"what '{children[0]}' is compared with"
        yield Alarm(f"is {of}, and its score is marked as an estimate")


def _best_epoch(run: Run, history: History) -> tuple[str, int, int] | None:
    """(message, epoch, last) where the score is the best point of its validation curve and not the last one."""
    if run.score is None or len(run.trainings) != 1:
        return None
    curve = run.trainings[0].curves.get(VALIDATION, np.zeros(0))
    curve = curve[np.isfinite(curve)]
    if len(curve) < 2:
        return None
    best = int(curve.argmin() if history.better == "lower" else curve.argmax())
    if best == len(curve) - 1 or not np.isclose(run.score, curve[best], rtol=1e-6, atol=0):
        return None
    return (
        f"its score is point {best + 1} of {len(curve)} of its own validation curve, the best one",
        best + 1,
        len(curve),
    )


CHECKS = (selected_on_reported, best_of_many, significance, estimated_baseline)
