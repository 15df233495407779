"""Results as plain values: what `--json` prints and reports are made from. Names and units are a stable schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from probatum.audit.inspection import Audit
from probatum.campaigns.experiment import TRIVIAL
from probatum.campaigns.ledgers.ledger import Confirmation, ExperimentRecord, FitRecord
from probatum.evidence.calibration import Calibration, reach
from probatum.evidence.cells import Cell
from probatum.evidence.effects import Effect
from probatum.evidence.noise import NoiseFloor
from probatum.evidence.scores import ArmScores
from probatum.evidence.verdict import Verdict
from probatum.laboratory import Champion, Laboratory, Results
from probatum.laboratory.champion import blocked_by, champion_of, champions_of_rounds, judged, why_no_champion

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


def effect_values(effect: Effect, alpha: float) -> dict[str, Any]:
    """An effect; each pair's interval is its own, at level 1 - alpha."""
    t = float(stats.t.ppf(1 - alpha / 2, effect.units - 1)) if effect.units > 1 else 0.0
    return {
        "mutation": effect.mutation,
        "outcome": effect.outcome,
        "mean": effect.mean,
        "error": effect.error,
        "degrees": effect.degrees,
        "interval": list(effect.interval) if effect.interval else None,
        "p": effect.p,
        "p_adjusted": effect.p_adjusted,
        "p_equivalent": effect.p_equivalent,
        "tau": effect.tau2**0.5,
        "tau2": effect.tau2,
        "i2": effect.i2,
        "units": effect.units,
        "pairs": [
            {
                "parent": p.parent,
                "child": p.child,
                "difference": p.difference,
                "error": p.error,
                "interval": None if p.error is None else [p.difference - t * p.error, p.difference + t * p.error],
            }
            for p in effect.pairs
        ],
    }


def effects_values(laboratory: Laboratory, results: Results) -> dict[str, Any]:
    """What every mutation of the tree does: what `effects --json` prints."""
    file = laboratory.campaign.file
    effects = [effect_values(e, file.protocol.alpha) for e in laboratory.effects(results)]
    return {
        "campaign": file.path.name,
        "protocol": file.protocol.model_dump(),
        "units": quantity_units(laboratory),
        "effects": effects,
    }


def champion_values(laboratory: Laboratory, results: Results, audit: Audit | None = None) -> dict[str, Any]:
    """The champion, or what stands against there being one.

    Args:
        laboratory: of the campaign.
        results: from it.
        audit: of the same results, which says who may be champion; default: it is made.
    """
    campaign = laboratory.campaign
    audit = laboratory.auditor.of_champions(results) if audit is None else audit
    champion = champion_of(campaign, results, audit)
    blocked = blocked_by(results, audit)
    return {
        "baseline": results.baseline,
        "metric": laboratory.metric.name,
        "champion": None if champion is None else _champion_values(champion),
        "no_champion": why_no_champion(campaign, results, audit)[0] if champion is None else None,
        "blocked": {name: sorted({f.code for f in errors}) for name, errors in blocked.items()},
        "champions_of_rounds": champions_of_rounds(judged(campaign.ledger.rounds())),
    }


def _champion_values(champion: Champion) -> dict[str, Any]:
    """The champion with what its selection makes it look better by."""
    return {
        "name": champion.name,
        "score": champion.verdict.score,
        "verdict": verdict_values(champion.verdict),
        "round": champion.round,
        "optimism": champion.optimism.amount,
        "optimism_error": champion.optimism.error,
        "candidates": champion.optimism.arms,
        "contenders": champion.optimism.contenders,
        "looks": [vars(look) for look in champion.looks],
        "confirmations": [confirmation_values(c) for c in champion.confirmations],
    }


def confirmation_values(confirmation: Confirmation) -> dict[str, Any]:
    """A champion's confirmation."""
    return {
        "experiment": confirmation.experiment,
        "baseline": confirmation.baseline,
        "kind": confirmation.kind,
        "when": confirmation.when,
        **confirmation.result,
    }


def calibration_values(
    calibration: Calibration,
    names: Sequence[str],
    *,
    internal_metric: str,
    external_metric: str,
    target: float | None = None,
    floors: Sequence[tuple[str, float]] = (),
) -> dict[str, Any]:
    """Internal scores against external ones.

    Args:
        calibration: fitted.
        names: of the pairs, experiments or lines of a file.
        internal_metric, external_metric: as far as they are known.
        target: wanted external score.
        floors: (task, least internal score) of repeated measurements.
    """
    best, lowest = calibration.best, float(calibration.x.min())
    low, high = best.interval(calibration.x)
    reaches = {f: reach(f, target, floors, lowest=lowest) for f in calibration.fits} if target is not None else {}
    pairs = zip(names, calibration.x, calibration.y, best.predict(calibration.x), low, high, strict=True)
    columns = ("name", "internal", "external", "predicted", "low", "high")
    start = min([lowest, *(v for _, v in floors)])
    grid = np.linspace(start, lowest + 1.05 * (float(calibration.x.max()) - lowest), 120)
    below, above = best.interval(grid)
    return {
        "internal_metric": internal_metric,
        "external_metric": external_metric,
        "pairs": [dict(zip(columns, (p[0], *map(float, p[1:])), strict=True)) for p in pairs],
        "forms": [
            {
                "form": f.form.name,
                "a": f.a if f.form.intercept else None,
                "b": f.b,
                "left_out_error": f.left_out_error,
                "spread": f.spread,
                "degrees": f.degrees,
                "target_needs": reaches[f].needed if f in reaches else None,
                "target_says": reaches[f].says if f in reaches else None,
            }
            for f in calibration.fits
        ],
        "unit_remark": calibration.unit_remark,
        "target": target,
        "floors": [{"name": name, "value": value} for name, value in floors],
        "curves": {
            "x": grid.tolist(),
            "best": best.predict(grid).tolist(),
            "low": below.tolist(),
            "high": above.tolist(),
            "line": calibration.line.predict(grid).tolist(),
        },
    }


def submitted_values(laboratory: Laboratory) -> dict[str, Any] | None:
    """The calibration of the recorded submissions; None where they do not make one."""
    calibration = laboratory.calibration()
    if calibration is None:
        return None
    measure, pairs = laboratory.submitted_pairs()
    return calibration_values(
        calibration,
        [name for name, _, _ in pairs],
        internal_metric=laboratory.metric.name,
        external_metric=measure,
        floors=laboratory.score_floors(),
    )


def cell_values(cell: Cell) -> dict[str, Any]:
    """Two arms' difference on one quantity in one group."""
    interval = list(cell.interval) if cell.interval else None
    return {**vars(cell), "interval": interval}


def quantity_units(laboratory: Laboratory) -> list[str]:
    """The units of what is predicted, each once."""
    return list(dict.fromkeys(q.unit for d in laboratory.campaign.datasets.values() for q in d.quantities))


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


def results_values(
    laboratory: Laboratory, results: Results, *, groups: bool = True, audit: Audit | None = None
) -> dict[str, Any]:
    """All that a campaign shows.

    Args:
        laboratory: of the campaign.
        results: from it.
        groups: whether the table of groups is made too.
        audit: of the same results, which says who may be champion; default: it is made.
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
        "units": quantity_units(laboratory),
        "best": results.best.name if results.best else None,
        "experiments": [experiment_values(r) for r in results.records],
        "arms": [arm_values(a) for a in results.arms],
        "verdicts": [verdict_values(v) for v in results.verdicts],
        "noise_floors": [floor_values(f) for f in results.floors],
        "effects": [effect_values(e, file.protocol.alpha) for e in laboratory.effects(results)],
        **champion_values(laboratory, results, audit),
        "groups": group_values(table, results.arms) if groups else [],
    }
