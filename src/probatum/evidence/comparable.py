"""What must not be compared, and what cannot be judged: every reason has its own sentence."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from probatum.errors import IncomparableError
from probatum.evidence.scores import ArmScores


def require_comparable(a: ArmScores, b: ArmScores) -> None:
    """Refuses arms that were not scored alike.

    Raises:
        IncomparableError: naming the first difference: metric, scoring, quantities, tasks, data, splits, weights.
    """
    pairs = f"'{a.name}' and '{b.name}' cannot be compared"
    if a.metric.name != b.metric.name:
        raise IncomparableError(f"{pairs}: metrics {a.metric.name} and {b.metric.name}", remedy="score both alike")
    if a.scoring != b.scoring:
        key, here, there = next(
            (f.name, getattr(a.scoring, f.name), getattr(b.scoring, f.name))
            for f in fields(a.scoring)
            if getattr(a.scoring, f.name) != getattr(b.scoring, f.name)
        )
        raise IncomparableError(f"{pairs}: the scorings differ, {key} {here} and {there}", remedy="score both alike")
    if a.quantities != b.quantities:
        theirs = " and ".join(", ".join(arm.quantities) for arm in (a, b))
        raise IncomparableError(f"{pairs}: they predict {theirs}", remedy="compare arms of one problem")
    _require_same_folds(a, b, pairs)


def _require_same_folds(a: ArmScores, b: ArmScores, pairs: str) -> None:
    data_a, data_b = ({(u.task, u.draw): u.data for u in arm.units} for arm in (a, b))
    if data_a.keys() != data_b.keys():
        theirs = " and ".join(
            ", ".join(f"{task}, draw {draw}" if draw else task for task, draw in sorted(data))
            for data in (data_a, data_b)
        )
        raise IncomparableError(f"{pairs}: they were run on {theirs}", remedy="run both on the same tasks and draws")
    for (task, draw), digest in data_a.items():
        if digest != data_b[task, draw]:
            raise IncomparableError(
                f"{pairs}: the data of task '{task}', draw {draw}, differ "
                f"(data hash {digest[:12]} and {data_b[task, draw][:12]})",
                remedy="run both on the same data: target values, units and scaling are part of it",
            )
    folds_a, folds_b = ({u.digest: u for u in arm.units} for arm in (a, b))
    differing = folds_a.keys() ^ folds_b.keys()
    if differing:
        raise IncomparableError(
            f"{pairs}: the data are the same, but {len(differing)} of their folds have other rows "
            f"(split hash {min(differing)[:12]})",
            remedy="run both under one protocol: splits, folds, repeats, split_seed and held_out",
        )
    for digest, unit in folds_a.items():
        other = folds_b[digest]
        if unit.rows != other.rows:
            raise IncomparableError(
                f"{pairs}: fold '{unit.name}' weighs {unit.rows} rows in one and {other.rows} in the other",
                remedy="score both with the same evaluation weights",
            )


def why_not_scored(arm: ArmScores) -> str | None:
    """Why an arm has no score that could be judged; None where it has one."""
    if arm.flaws:
        more = len(arm.flaws) - 1
        return arm.flaws[0] + (f", and so in {more} other fits" if more else "")
    undefined = np.flatnonzero(~np.isfinite(arm.by_unit))
    if len(undefined):
        fold = arm.units[undefined[0]]
        return (
            f"{arm.metric.name} of '{arm.name}' is not defined on {len(undefined)} of {len(arm.units)} folds "
            f"(the first: '{fold.name}' of task '{fold.task}'): choose a metric that is"
        )
    return None
