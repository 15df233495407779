"""Imported runs as an audit looks at them: a table of runs, with the learning curves that came with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from probatum.audit.history import History, Run, Training
from probatum.campaigns.experiment import Mutation
from probatum.campaigns.ledgers.ledger import DONE, ExperimentRecord
from probatum.campaigns.recipe import Recipe, flat
from probatum.campaigns.recorded_campaign import RecordedCampaign
from probatum.evidence.comparable import why_not_scored
from probatum.evidence.scores import ArmScores
from probatum.evidence.verdict import Verdict

UNDER = "training."
"""Where a recipe keeps a foreign run's parameters."""


def recorded_history(
    campaign: RecordedCampaign, arms: Sequence[ArmScores], verdicts: Sequence[Verdict] = ()
) -> History:
    """The history of imported runs.

    Args:
        campaign: opened.
        arms: scores of its finished experiments.
        verdicts: of these against the baseline.
    """
    scored = {arm.name: arm for arm in arms}
    origins: dict[str, list[Mapping[str, Any]]] = {}
    for name, _, origin in campaign.ledger.origins():
        origins.setdefault(name, []).append(origin)
    records = campaign.ledger.experiments()
    recipes = {r.name: Recipe.model_validate(r.recipe) for r in records}
    runs = tuple(_run(campaign, r, recipes, scored.get(r.name), origins.get(r.name, ())) for r in records)
    chosen = next((name for name, of_run in origins.items() if any(o.get("chosen") for o in of_run)), None)
    repeats = [len(campaign.scores[arm.name]) for arm in arms]
    pairs = tuple(
        (arm.score, float(o["external"]))
        for arm in arms
        for o in origins.get(arm.name, ())[:1]
        if o.get("external") is not None
    )
    return History(
        name=campaign.file.path.name,
        runs=runs,
        better=campaign.problem.better,
        baseline=campaign.baseline,
        verdicts=tuple(verdicts),
        chosen=chosen,
        external=pairs,
        repeats=min(repeats, default=None),
        source="table",
    )


def _run(
    campaign: RecordedCampaign,
    record: ExperimentRecord,
    recipes: Mapping[str, Recipe],
    arm: ArmScores | None,
    origins: Sequence[Mapping[str, Any]],
) -> Run:
    first: Mapping[str, Any] = origins[0] if origins else {}
    declared = record.parent if first.get("parent") else None  # else the baseline stands in for a parent
    changed = None
    if declared is not None and declared in recipes:
        between = Mutation.between(recipes[declared], recipes[record.name])
        changed = tuple(c.path.removeprefix(UNDER) for c in between.changes)
    own = campaign.scores.get(record.name, ()) if arm is not None else ()
    values = np.array([s.score for s in own if np.isfinite(s.score)])
    several = arm is not None and len(arm.units) > 1
    by_unit = arm.by_unit if arm is not None and several else values
    return Run(
        name=record.name,
        parent=declared,
        recipe={path.removeprefix(UNDER): v for path, v in flat({"training": record.recipe["training"]}).items()},
        changed=changed,
        metric=str(first.get("metric") or campaign.problem.metric),
        scored_on=first.get("scored_on", {}),
        score=None if arm is None else _number(arm.score, own),
        scores=by_unit if len(by_unit) > 1 and np.isfinite(by_unit).all() else np.zeros(0),
        seed_scores=_of_seeds(arm, values),
        metrics=_means([o.get("metrics", {}) for o in origins]),
        trainings=_trainings(campaign, record),
        trivial=bool(first.get("trivial")),
        estimated=any(o.get("estimated") for o in origins),
        claims=tuple(claim for o in origins for claim in o.get("claims", ())),
    )


def _number(score: float, own: Sequence[Any]) -> float:
    """The score; what is not finite as the other program recorded it, for that is what an audit looks for."""
    return score if np.isfinite(score) else next((s.score for s in own if not np.isfinite(s.score)), score)


def _of_seeds(arm: ArmScores | None, values: np.ndarray) -> np.ndarray:
    """[seed]: the score of each seed over all folds."""
    if arm is None or why_not_scored(arm):
        return np.zeros(0)
    if arm.seeds > 1:
        return arm.values.mean(axis=2) @ arm.weights
    return values if len(arm.units) == 1 and len(values) > 1 else np.zeros(0)


def _means(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Each further metric, the mean over repeats that have it."""
    names = dict.fromkeys(name for one in metrics for name in one)
    found = {}
    for name in names:
        values = np.array([float(one[name]) for one in metrics if one.get(name) is not None])
        with np.errstate(over="ignore", invalid="ignore"):  # a run that diverged may have recorded anything
            found[name] = float(values.mean()) if len(values) else float("nan")
    return found


def _trainings(campaign: RecordedCampaign, record: ExperimentRecord) -> tuple[Training, ...]:
    """Repeats that came with learning curves, and those that failed."""
    fits = {f.key: f for f in campaign.repeats.get(record.name, ())}
    if not any(f.artifact or f.error for f in fits.values()):
        return ()
    curves = {p.key: p.curves for p in campaign.predictions(record.name)} if record.name in campaign.scores else {}
    return tuple(
        Training(fit.task, fit.split_name, fit.seed, curves.get(key, {}), error=fit.error)
        for key, fit in fits.items()
        if curves.get(key) or (fit.status != DONE and fit.error)
    )
