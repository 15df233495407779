"""All that a report says, as plain values: what `--format json` writes, and every other format is made from."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from probatum.audit.inspection import Audit
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.ledgers.ledger import DONE, ExperimentRecord
from probatum.campaigns.manifest import source_digest
from probatum.campaigns.recipe import flat
from probatum.errors import UnknownNameError
from probatum.evidence.scores import ArmScores
from probatum.laboratory import Laboratory, Results
from probatum.problems.problem import Dataset, Ragged
from probatum.reporting.findings import audit_values
from probatum.reporting.next_round import next_values, principle_values, round_values
from probatum.reporting.records import results_values, submitted_values
from probatum.version import __version__

SCHEMA = 1
MOST_ARMS = 4
"""Experiments of the table of groups: the baseline, the champion and the best others."""


def report_values(laboratory: Laboratory, results: Results, audit: Audit) -> dict[str, Any]:
    """What a report says; names and units are a stable schema.

    Args:
        laboratory: of the campaign.
        results: from it, with at least one finished experiment.
        audit: of these results.
    """
    campaign = laboratory.campaign
    values = results_values(laboratory, results, groups=False, audit=audit)
    return values | {
        "schema": SCHEMA,
        "written": datetime.now().astimezone().isoformat(timespec="seconds"),
        "version": __version__,
        "experiments": _experiments(values["experiments"], results.records),
        "groups": group_rows(laboratory, _compared(results, values)),
        "groupings": laboratory.groupings(),
        "data": [data_card(d) for d in campaign.datasets.values()],
        "held_out_looks": [vars(look) for look in campaign.ledger.held_out_accesses()],
        "audit": audit_values(audit),
        "floors": [{"task": task, "score": value} for task, value in laboratory.score_floors()],
        "target": campaign.file.audit.target,
        "calibration": submitted_values(laboratory),
        "submissions": len(campaign.ledger.submissions()),
        "next": next_values(laboratory, results, audit),
        "principles": principle_values(campaign.ledger),
        "rounds": round_values(campaign.ledger),
        "reproduction": reproduction(campaign, results),
    }


def shown_experiment(values: Mapping[str, Any]) -> str:
    """Whose predictions a report draws: the champion's, without one those of the best."""
    champion = values["champion"]
    return champion["name"] if champion else values["best"] or values["baseline"]


def data_card(dataset: Dataset) -> dict[str, Any]:
    """What is known of one task's cases; of generated data, of the first draw's."""
    truth = dataset.scorable
    origin = dataset.origin
    return {
        "problem": dataset.problem,
        "task": dataset.task,
        "cases": len(dataset),
        "scorable": int(truth.sum()),
        "supervised": dataset.supervised,
        "quantities": [vars(q) for q in dataset.quantities],
        "observations": [
            {"name": name, "shape": _shape(observation), "unit": dataset.units.get(name)}
            for name, observation in dataset.observations.items()
        ],
        "groupings": [{"name": n, "groups": len(np.unique(labels))} for n, labels in dataset.groups.items()],
        "samples": None if dataset.replicates is None else len(np.unique(dataset.replicates)),
        "generator": origin.generator,
        "seed": origin.seed,
        "count": origin.count,
        "files": dict(origin.files),
        "licence": origin.licence,
        "digest": dataset.digest,
    }


def group_rows(laboratory: Laboratory, names: Sequence[str]) -> list[dict[str, Any]]:
    """Task, group, rows, and each experiment's score there, the hardest group of the first experiment first.

    Args:
        laboratory: of the campaign.
        names: finished experiments.
    """
    groupings = laboratory.groupings()
    tables = {name: laboratory.by_group(name) for name in names}
    counts: dict[tuple[str, str], int] = {}
    for task, grouping in groupings.items():
        labels, found = np.unique(laboratory.campaign.datasets[task].groups[grouping], return_counts=True)
        counts |= {(task, str(label)): int(n) for label, n in zip(labels, found, strict=True)}
    rows = [
        {
            "task": task,
            "group": group,
            "rows": counts.get((task, group)),
            "scores": {name: float(np.mean(tables[name][task, group])) for name in names},
        }
        for task, group in (tables[names[0]] if names else ())
    ]
    sign = -1 if laboratory.metric.better == "lower" else 1
    return sorted(rows, key=lambda row: sign * row["scores"][names[0]])


def reproduction(campaign: Campaign, results: Results) -> dict[str, Any]:
    """How to get the same figures again, and the hashes that say what 'the same' is."""
    name = shlex.quote(campaign.file.path.name)
    best, imported = results.best, campaign.file.problem.recorded
    commands = [f"probatum run {name}", f"probatum verify {name}"]
    commands += [f"probatum reproduce {shlex.quote(best.name)} -C {name}"] if best else []
    if imported:  # nothing can be trained, and nobody knows the rows of a fold
        commands = [f"probatum verify {name}"]
    splits = [
        {
            "task": s.task, "draw": s.draw, "name": s.name, "digest": s.digest,
            "train_rows": None if imported else len(s.train), "test_rows": None if imported else len(s.test),
        }
        for s in campaign.splits
    ]  # fmt: skip
    return {
        "commands": commands,
        "campaign_file": hashlib.sha256(campaign.file.path.read_bytes()).hexdigest(),
        "protocol": campaign.file.protocol.digest(),
        "data": {f"{task}, draw {draw}": d.digest for (task, draw), d in campaign.draws.items()},
        "splits_digest": hashlib.sha256("".join(str(s["digest"]) for s in splits).encode()).hexdigest(),
        "splits": splits,
        "source": source_digest(),
        "manifests": _manifests(campaign, results),
    }


def _experiments(values: Sequence[dict[str, Any]], records: Sequence[ExperimentRecord]) -> list[dict[str, Any]]:
    return [v | {"recipe": flat(r.recipe), "digest": r.digest} for v, r in zip(values, records, strict=True)]


def _compared(results: Results, values: Mapping[str, Any]) -> list[str]:
    """The best or champion first, then the baseline, then the best others."""
    tried = {a.name: a for a in results.tried}
    order = sorted(tried.values(), key=_badness)
    first = [shown_experiment(values), values["baseline"]]
    return [n for n in dict.fromkeys([*first, *(a.name for a in order)]) if n in tried][:MOST_ARMS]


def _badness(arm: ArmScores) -> float:
    return arm.score if arm.metric.better == "lower" else -arm.score


def _manifests(campaign: Campaign, results: Results) -> list[dict[str, Any]]:
    """Code and environment of the first and last finished experiment, each different one once."""
    finished = [r.name for r in results.records if r.status == "done"]
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys([*finished[:1], *finished[-1:]]):
        fit = next((f for f in campaign.ledger.fits(name) if f.status == DONE), None)
        if fit is None:
            continue
        try:
            known = campaign.ledger.manifest(fit.key)
        except UnknownNameError:  # a ledger that was put together by hand
            continue
        kept = {key: known[key] for key in ("code", "environment") if key in known}
        if kept and kept not in found:
            found.append(kept)
    return found


def _shape(observation: np.ndarray | Ragged) -> list[int] | None:
    """Of one case; None where cases differ."""
    return None if isinstance(observation, Ragged) else list(observation.shape[1:])
