"""What an experiment log says of one experiment: mode, parent rule, metrics, visual verdicts, observation."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit
from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.campaigns.recipe import flat
from probatum.errors import IncomparableError
from probatum.evidence.verdict import Verdict
from probatum.laboratory import Laboratory
from probatum.problems.diagnosed import Diagnosed
from probatum.reporting.log_records import ROOT, Entry, Figure, told

CONVERGED, FAILED = 0.9, 0.1
"""A headline above the first has converged, below the second failed."""
GOOD, CLOSE = 0.02, 0.1
"""Largest errors of curves, as shares of the true one's largest value."""
LEFT_OUT = ("model.kind", "features", "per_target", "ensemble", "components", "repeats", "group_weights")
"""Parts of a recipe that are no settings of its training."""


def metrics_of(laboratory: Laboratory, name: str) -> dict[str, Figure]:
    """The score of each fit, and what the problem tells of them besides: name to figure over fits.

    Args:
        laboratory: of the campaign.
        name: of a finished experiment.
    """
    arm = laboratory.score(name)
    by_fit = arm.values.mean(axis=2).ravel().tolist()
    values: dict[str, list[float]] = {arm.metric.name: by_fit}
    problem = laboratory.campaign.file.problem
    if isinstance(problem, Diagnosed):
        for p in laboratory.campaign.predictions(name):
            for diagnostic, value in problem.diagnostics(p.task, p.draw, p.curves).items():
                values.setdefault(diagnostic, []).append(float(value))
    return {metric: Figure.of(of_one) for metric, of_one in values.items()}


def visual_verdict(deviation: float) -> str:
    """'good', 'close' or 'bad', of a curve's largest error as a share of the true one's largest value."""
    return "good" if deviation <= GOOD else "close" if deviation <= CLOSE else "bad"


def headline(laboratory: Laboratory, metrics: Mapping[str, Figure]) -> float:
    """The figure that parents are ranked by, more is better: the problem's own, else one made of the score."""
    problem = laboratory.campaign.file.problem
    name = problem.headline if isinstance(problem, Diagnosed) and problem.headline in metrics else next(iter(metrics))
    value = metrics[name].mean
    if not math.isfinite(value):
        return 0.0
    lower_is_better = name == laboratory.metric.name and laboratory.metric.better == "lower"
    return 1 / (1 + max(value, 0.0)) if lower_is_better else value


def entry_of(
    laboratory: Laboratory,
    number: int,
    record: ExperimentRecord,
    metrics: Mapping[str, Figure],
    before: Sequence[tuple[str, float]],
    after: Sequence[tuple[str, float]],
    audit: Audit,
) -> Entry:
    """An experiment's entry.

    Args:
        laboratory: of the campaign.
        number: of the iteration, from 1.
        record: of the experiment.
        metrics: name to figure, {} where it has no score.
        before, after: nodes ranked by UCB, (name, UCB), before its batch and after it.
        audit: of the campaign.
    """
    verdict = _verdict(laboratory, record) if metrics else None
    visual = _visual(laboratory, metrics)
    mode, strategy = _mode(record, before)
    return Entry(
        number,
        record.name,
        record.parent,
        _status(laboratory, record, metrics),
        mode,
        strategy,
        {
            path.rpartition(".")[2]: value
            for path, value in flat(record.recipe).items()
            if not path.startswith(LEFT_OUT)
        },
        metrics,
        visual,
        None if record.mutation is None else re.sub(r"\b(model|training)\.", "", record.mutation),
        _parent_rule(record, before),
        record.hypothesis,
        verdict,
        " ".join(_observations(record, visual, verdict, audit)),
        after[0][0] if after else ROOT,
    )


def _status(laboratory: Laboratory, record: ExperimentRecord, metrics: Mapping[str, Figure]) -> str:
    if not metrics:
        return record.status
    problem = laboratory.campaign.file.problem
    shares = laboratory.metric.name == "r2" or (isinstance(problem, Diagnosed) and problem.headline in metrics)
    if not shares:
        return record.status
    value = headline(laboratory, metrics)
    return "converged" if value > CONVERGED else "partial" if value >= FAILED else "failed"


def _visual(laboratory: Laboratory, metrics: Mapping[str, Figure]) -> dict[str, tuple[str, float]]:
    problem = laboratory.campaign.file.problem
    if not isinstance(problem, Diagnosed):
        return {}
    shown = [name for name in problem.deviations if name in metrics]
    return {name: (visual_verdict(metrics[name].mean), metrics[name].mean) for name in shown}


def _verdict(laboratory: Laboratory, record: ExperimentRecord) -> Verdict | None:
    if record.parent is None:
        return None
    try:
        (verdict,) = laboratory.compare([record.name], record.parent)
    except IncomparableError:  # the parent is not finished
        return None
    return verdict


def _mode(record: ExperimentRecord, before: Sequence[tuple[str, float]]) -> tuple[str, str]:
    """'exploit' for the first root and for the parent with the best UCB, else 'explore'; and how, in words."""
    if record.parent is None:
        return ("explore", "a new root") if before else ("exploit", "baseline")
    in_words = (record.mutation or "nothing").partition(":")[0].rpartition(".")[2]
    direction = _direction(record.mutation)
    strategy = f"{in_words} {direction}".strip()
    return ("exploit" if before and before[0][0] == record.parent else "explore"), strategy


def _direction(mutation: str | None) -> str:
    """'high' or 'low' where one number changed to another."""
    before, arrow, after = (mutation or "").partition(": ")[2].partition(" -> ")
    try:
        return ("high" if float(after) > float(before) else "low") if arrow else ""
    except ValueError:
        return ""


def _parent_rule(record: ExperimentRecord, before: Sequence[tuple[str, float]]) -> str:
    if record.parent is None:
        return f"{ROOT} (initial batch)" if not before else f"{ROOT} (no parent)"
    ranks = [name for name, _ in before]
    if record.parent not in ranks:
        return f"id={record.parent}, in the same batch, when no UCB was known"
    rank = ranks.index(record.parent)
    return f"UCB of id={record.parent} was {before[rank][1]:.2f}, rank {rank + 1} of {len(before)}"


def _observations(
    record: ExperimentRecord, visual: Mapping[str, tuple[str, float]], verdict: Verdict | None, audit: Audit
) -> Iterable[str]:
    if verdict is not None:
        reach = ""
        if verdict.interval:
            reach = f" ({told(verdict.interval[0])} to {told(verdict.interval[1])})"
        yield f"{verdict.outcome} against id={verdict.baseline}: {verdict.difference:+.3g}{reach}."
        if verdict.outcome in ("undecided", "no evidence") and verdict.needed:
            yield f"To decide: {verdict.needed}."
    off = [f"{name} is off by {deviation:.0%}" for name, (judged, deviation) in visual.items() if judged == "bad"]
    if off:
        yield f"{' and '.join(off)} of the true curve's largest value."
    yield from (f"{finding.code}: {finding.message}." for finding in against(audit, record.name))
    if record.status != "done":
        yield f"{record.failed} of {record.fits} fits failed."


def against(audit: Audit, name: str) -> list[Finding]:
    """Errors and warnings against an experiment that are not ignored."""
    return [f for f in audit.findings if f.subject == name and f.severity != "note" and f.ignored is None]
