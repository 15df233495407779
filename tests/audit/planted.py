"""Histories with a fault or without, and how an audit finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from probatum.audit.catalogue import CHECKS
from probatum.audit.finding import Alarm, Finding
from probatum.audit.history import History, Run, Training
from probatum.audit.inspection import inspect


def found(code: str, *runs: Run, **of_history: Any) -> tuple[Finding, ...]:
    """What one check finds in runs."""
    return inspect(History("planted", runs, **{"source": "table", **of_history}), codes=[code]).findings


def curves(train: np.ndarray, validation: np.ndarray, **of_run: Any) -> Run:
    """A run of fits with logarithms of their losses, [fit, epoch] each."""
    fits = tuple(
        Training("task", f"split {n}", 0, {"training loss": np.exp(t), "validation loss": np.exp(v)})
        for n, (t, v) in enumerate(zip(train, validation, strict=True))
    )
    return Run(**{"name": "run", "trainings": fits, **of_run})


def predicted(pairs: Sequence[tuple[np.ndarray, np.ndarray]], **of_run: Any) -> Run:
    """A run of fits with truth and prediction, [row, quantity] each."""
    fits = tuple(Training("task", f"split {n}", 0, truth=t, prediction=p) for n, (t, p) in enumerate(pairs))
    return Run(**{"name": "run", "trainings": fits, **of_run})


def alarm_rates(
    code: str, make: Callable[[np.random.Generator], Run | History], level: float, repeats: int, seed: int = 0
) -> Mapping[str, float]:
    """Share of simulated histories in which a check raises a warning or an error, and in which it raises a note."""
    count = {"warning": 0, "note": 0}
    check = CHECKS[code]
    for repeat in range(repeats):
        made = make(np.random.default_rng([seed, repeat]))
        history = made if isinstance(made, History) else History("simulated", (made,), source="table")
        subject = history if check.scope == "history" else (history.runs[-1], history)
        alarms: list[Alarm] = list(check.look(subject, level))
        if alarms:
            count["note" if all(a.severity == "note" for a in alarms) else "warning"] += 1
    return {kind: number / repeats for kind, number in count.items()}
