"""Results as plain values: what `--json` prints and reports are made from. Names and units are a stable schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum.campaigns.experiment import TRIVIAL
from probatum.campaigns.ledger import ExperimentRecord, FitRecord
from probatum.evidence.comparison import Verdict
from probatum.evidence.noise import NoiseFloor
from probatum.evidence.scores import ArmScores
from probatum.laboratory import Laboratory, Results

SCHEMA = 1


def experiment_values(record: ExperimentRecord) -> dict[str, Any]:
    """An experiment of the ledger."""
    return {
        "name": record.name,
        "status": record.status,
        "parent": record.parent,
        "mutation": record.mutation,
        "hypothesis": record.hypothesis,
        "round": record.round,
        "fits": record.fits,
        "done": record.done,
        "failed": record.failed,
        "seconds": record.seconds,
        "score": record.score,
    }


def arm_values(arm: ArmScores) -> dict[str, Any]:
    """An arm's scores."""
    return {
        "name": arm.name,
        "trivial": arm.name.startswith(TRIVIAL),
        "metric": arm.metric.name,
        "better": arm.metric.better,
        "score": arm.score,
        "seed_spread": arm.seed_spread,
        "seeds": arm.seeds,
        "folds": len(arm.units),
        "rows": sum(u.rows for u in arm.units),
        "by_quantity": dict(zip(arm.quantities, map(float, arm.by_quantity), strict=True)),
        "by_task": arm.by_task,
    }


def verdict_values(verdict: Verdict) -> dict[str, Any]:
    """A verdict."""
    posterior = verdict.posterior
    return {
        "arm": verdict.arm,
        "baseline": verdict.baseline,
        "outcome": verdict.outcome,
        "score": verdict.score,
        "difference": verdict.difference,
        "interval": list(verdict.interval) if verdict.interval else None,
        "p": verdict.p,
        "p_adjusted": verdict.p_adjusted,
        "p_equivalent": verdict.p_equivalent,
        "posterior": dict(zip(("worse", "equivalent", "better"), posterior, strict=True)) if posterior else None,
        "units": verdict.units,
        "seeds": verdict.seeds,
        "needed": verdict.needed,
        "method": verdict.method,
    }


def floor_values(floor: NoiseFloor) -> dict[str, Any]:
    """A noise floor."""
    return {
        "task": floor.task,
        "variance": floor.variance,
        "by_quantity": floor.by_quantity,
        "samples": floor.samples,
        "degrees": floor.degrees,
    }


def fit_values(fit: FitRecord) -> dict[str, Any]:
    """A fit of the ledger."""
    return {
        "key": fit.key,
        "task": fit.task,
        "split": fit.split_name,
        "seed": fit.seed,
        "role": fit.role,
        "status": fit.status,
        "attempts": fit.attempts,
        "seconds": fit.seconds,
        "error": fit.error,
    }


def group_values(
    groups: Mapping[str, Mapping[tuple[str, str], Any]], arms: Sequence[ArmScores]
) -> list[dict[str, Any]]:
    """The metric of each arm in each group, mean over quantities, and each quantity alone."""
    rows = []
    for key in groups[arms[0].name] if arms else ():
        by_arm = {
            arm.name: {
                "mean": float(groups[arm.name][key].mean()),
                "by_quantity": dict(zip(arm.quantities, map(float, groups[arm.name][key]), strict=True)),
            }
            for arm in arms
        }
        rows.append({"task": key[0], "group": key[1], "arms": by_arm})
    return rows


def results_values(laboratory: Laboratory, results: Results, *, groups: bool = True) -> dict[str, Any]:
    """All that a campaign shows.

    Args:
        laboratory: of the campaign.
        results: from it.
        groups: whether the table of groups is made too.
    """
    file = laboratory.campaign.file
    table = {arm.name: laboratory.by_group(arm.name) for arm in results.arms} if groups else {}
    return {
        "schema": SCHEMA,
        "campaign": file.path.name,
        "problem": file.problem_spec[0],
        "question": file.problem.question,
        "tasks": list(file.tasks),
        "protocol": file.protocol.model_dump(),
        "baseline": results.baseline,
        "best": results.best.name if results.best else None,
        "experiments": [experiment_values(r) for r in results.records],
        "arms": [arm_values(a) for a in results.arms],
        "verdicts": [verdict_values(v) for v in results.verdicts],
        "noise_floors": [floor_values(f) for f in results.floors],
        "groups": group_values(table, results.arms) if groups else [],
    }
