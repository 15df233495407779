"""Somebody's table of runs as a history, whose lines `run_tables` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from probatum.audit.history import History, Run, Training
from probatum.audit.run_tables import Line, read_lines
from probatum.errors import DataError, UnknownNameError

MOST_SHOWN = 6
"""Runs of a circle that its error names."""


def read_runs(path: Path, *, better: Literal["lower", "higher"] = "lower", target: float | None = None) -> History:
    """The history in a file of runs.

    Args:
        path: a .csv, .jsonl or .ndjson file.
        better: which way the score goes.
        target: the score that is wanted.

    Raises:
        DataError, UnknownNameError: naming file, line and key.
    """
    return history_of(read_lines(path), path.name, better=better, target=target)


def history_of(
    lines: Sequence[Line], name: str, *, better: Literal["lower", "higher"] = "lower", target: float | None = None
) -> History:
    """The history that lines of runs make up; lines of one name are repeats of one run.

    Raises:
        DataError: there are none, or parents that go in a circle.
        UnknownNameError: a parent that is not among them.
    """
    if not lines:
        raise DataError("the table holds no runs", where=name, remedy="give one line a run")
    by_name: dict[str, list[Line]] = {}
    for line in lines:
        by_name.setdefault(line.name, []).append(line)
    for line in lines:
        if line.parent is not None and line.parent not in by_name:
            raise UnknownNameError.of("parent", line.parent, by_name, where=line.place)
    _check_circles({run: repeats[0] for run, repeats in by_name.items()})
    configs = {run: repeats[0].config for run, repeats in by_name.items()}
    external = tuple(
        (line.score, line.external) for line in lines if line.score is not None and line.external is not None
    )
    return History(
        name,
        runs=tuple(_run(repeats, configs) for repeats in by_name.values()),
        better=better,
        baseline=next((line.name for line in lines if line.baseline), None),
        chosen=next((line.name for line in lines if line.chosen), None),
        external=external,
        target=target,
        repeats=min(len(repeats) for repeats in by_name.values()),
        source="table",
    )


def _check_circles(lines: Mapping[str, Line]) -> None:
    """Refuses runs that were made from one another.

    Raises:
        DataError.
    """
    sound: set[str] = set()
    for name in lines:
        path: dict[str, None] = {}
        at: str | None = name
        while at is not None and at not in sound:
            if at in path:
                circle = [*list(path)[list(path).index(at) :], at]
                shown = circle if len(circle) <= MOST_SHOWN else [*circle[: MOST_SHOWN - 1], "...", at]
                said = " from ".join(f"'{run}'" if run != "..." else run for run in shown)
                raise DataError(f"parents go in a circle: {said}", where=lines[at].place, remedy="correct a parent")
            path[at] = None
            at = lines[at].parent
        sound.update(path)


def _run(repeats: Sequence[Line], configs: Mapping[str, Mapping[str, Any]]) -> Run:
    first = repeats[0]
    scores = np.array([line.score for line in repeats if line.score is not None], dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverged may have scored anything
        score = float(scores.mean()) if len(scores) else None
    changed = None
    if first.parent is not None:
        before, after = configs[first.parent], first.config
        changed = tuple(sorted(k for k in {*before, *after} if before.get(k) != after.get(k)))
    return Run(
        name=first.name,
        parent=first.parent,
        recipe=first.config,
        changed=changed,
        metric=first.metric,
        scored_on=first.scored_on,
        score=score,
        scores=scores if len(repeats) > 1 else np.zeros(0),
        seed_scores=scores if len(repeats) > 1 else np.zeros(0),
        metrics=first.metrics,
        trainings=tuple(
            Training("", "", seed, {n: np.asarray(c, dtype=np.float64) for n, c in line.curves.items()})
            for seed, line in enumerate(repeats)
            if line.curves
        ),
        trivial=first.trivial,
        estimated=any(line.estimated for line in repeats),
        claims=tuple(claim for line in repeats for claim in line.claims),
    )
