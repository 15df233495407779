"""The experiment log of a campaign, in the vocabulary of those who explore configurations in batches of parallel slots.

A batch is up to `slots` experiments of one round. An entry says node, parent, mode and strategy, configuration,
metrics, visual verdict, mutation, parent rule, hypothesis with its outcome, observation, and the next parent; a batch
ends with its critical findings, the hypotheses of the next batch, and that batch's slots. What a person would judge by
eye is computed, and its number printed: a curve is good within 2 % of the true one's largest value, close within 10 %,
else bad.

Parents are ranked by UCB = score + c sqrt(N) / (1 + V), N the nodes so far, V = 1 + descendants, the score cut to 0..1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev

from probatum.audit.finding import Finding
from probatum.audit.inspection import Audit
from probatum.campaigns.experiment import TRIVIAL
from probatum.campaigns.ledger import ExperimentRecord
from probatum.campaigns.recipe import flat
from probatum.errors import IncomparableError
from probatum.evidence.verdict import Verdict
from probatum.laboratory import Laboratory, Results
from probatum.problems.diagnosed import Diagnosed

EXPLORATION = 1.414
"""c of UCB."""
CONVERGED, FAILED = 0.9, 0.1
GOOD, CLOSE = 0.02, 0.1
ROUNDING = 1e-9
"""A spread below this share of the mean is that of the order of summation."""
ROOT = "root"
LEFT_OUT = ("model.kind", "features", "per_target", "ensemble", "components", "repeats", "group_weights")
"""Parts of a recipe that are no settings of its training."""


@dataclass(frozen=True)
class Figure:
    """A number over an experiment's fits.

    Attributes:
        mean: over fits.
        spread: standard deviation over fits, None for one.
        fits: how many.
    """

    mean: float
    spread: float | None
    fits: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        real = [v for v in values if math.isfinite(v)]
        if not real:
            return cls(math.nan, None, len(values))
        return cls(fmean(real), stdev(real) if len(real) > 1 else None, len(real))

    def __str__(self) -> str:
        shown = self.spread is not None and self.spread > ROUNDING * abs(self.mean)
        spread = f"±{self.spread:.2g}" if shown else ""
        return f"{told(self.mean)}{spread}"


@dataclass(frozen=True)
class Entry:
    """One experiment of the log.

    Attributes:
        number: of the iteration, from 1.
        name, parent: of the nodes; the parent None for a root.
        status: 'converged', 'partial' or 'failed'; what became of it where it has no score.
        mode, strategy: 'exploit' or 'explore', and in words.
        config: setting to value.
        metrics: name to figure.
        visual: curve to (verdict, deviation).
        mutation: text, None for a root.
        parent_rule: why this parent.
        hypothesis: what was expected.
        verdict: against the parent, None where there is none.
        observation: sentences.
        next_parent: by UCB after this batch.
    """

    number: int
    name: str
    parent: str | None
    status: str
    mode: str
    strategy: str
    config: Mapping[str, object]
    metrics: Mapping[str, Figure]
    visual: Mapping[str, tuple[str, float]]
    mutation: str | None
    parent_rule: str
    hypothesis: str | None
    verdict: Verdict | None
    observation: str
    next_parent: str


@dataclass(frozen=True)
class Batch:
    """Experiments that ran in parallel slots.

    Attributes:
        number: from 1.
        entries: one a slot.
        findings: sentences: what the batch shows.
    """

    number: int
    entries: tuple[Entry, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True)
class ExperimentLog:
    """A campaign's log.

    Attributes:
        name: of the campaign.
        question: that it asks.
        regime: lines on data and protocol.
        batches: in order.
        outlook: slots of the batch that would come next, a line each.
    """

    name: str
    question: str
    regime: tuple[str, ...]
    batches: tuple[Batch, ...]
    outlook: tuple[str, ...]


@dataclass
class _Tree:
    """Nodes so far, with what UCB needs of them."""

    scores: dict[str, float] = field(default_factory=dict)
    parents: dict[str, str | None] = field(default_factory=dict)

    def ranked(self) -> list[tuple[str, float]]:
        """(name, UCB), the best first; of equals the older one."""
        count = len(self.scores)
        below = dict.fromkeys(self.parents, 0)
        for name in self.parents:
            above = self.parents[name]
            while above is not None and above in below:
                below[above] += 1
                above = self.parents[above]
        values = {
            name: min(max(score, 0.0), 1.0) + EXPLORATION * math.sqrt(count) / (2 + below[name])
            for name, score in self.scores.items()
        }
        return sorted(values.items(), key=lambda item: -item[1])


def experiment_log(
    laboratory: Laboratory, results: Results, *, slots: int = 4, audit: Audit | None = None
) -> ExperimentLog:
    """The log of what a campaign has run so far.

    Args:
        laboratory: of the campaign.
        results: from it.
        slots: experiments of a batch.
        audit: of the same results; default: it is made.
    """
    audit = audit or laboratory.audit(results)
    records = [r for r in results.records if not r.name.startswith(TRIVIAL)]
    metrics = {r.name: metrics_of(laboratory, r.name) for r in records if r.status == "done"}
    tree = _Tree()
    batches: list[Batch] = []
    number = 0
    for of_one in _batches(records, slots):
        before = tree.ranked()
        for r in of_one:
            tree.parents[r.name] = r.parent
            if r.name in metrics:
                tree.scores[r.name] = _headline(laboratory, metrics[r.name])
        after = tree.ranked()
        entries = []
        for r in of_one:
            number += 1
            figures = metrics.get(r.name, {})
            entries.append(_entry(laboratory, number, r, figures, before, after, audit))
        batches.append(Batch(len(batches) + 1, tuple(entries), tuple(_findings(entries, laboratory, audit))))
    file = laboratory.campaign.file
    return ExperimentLog(
        file.path.stem, file.problem.question, tuple(_regime(laboratory)), tuple(batches),
        tuple(_outlook(tree.ranked(), batches, slots)),
    )  # fmt: skip


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


# ------------------------------------------------------------------ what an entry says


def _batches(records: Sequence[ExperimentRecord], slots: int) -> Iterable[list[ExperimentRecord]]:
    """Experiments of one round together, at most `slots` of them."""
    for number in dict.fromkeys(r.round for r in records):
        of_round = [r for r in records if r.round == number]
        yield from (of_round[first : first + slots] for first in range(0, len(of_round), slots))


def _entry(
    laboratory: Laboratory,
    number: int,
    record: ExperimentRecord,
    metrics: Mapping[str, Figure],
    before: Sequence[tuple[str, float]],
    after: Sequence[tuple[str, float]],
    audit: Audit,
) -> Entry:
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


def _headline(laboratory: Laboratory, metrics: Mapping[str, Figure]) -> float:
    problem = laboratory.campaign.file.problem
    name = problem.headline if isinstance(problem, Diagnosed) and problem.headline in metrics else next(iter(metrics))
    value = metrics[name].mean
    if not math.isfinite(value):
        return 0.0
    lower_is_better = name == laboratory.metric.name and laboratory.metric.better == "lower"
    return 1 / (1 + max(value, 0.0)) if lower_is_better else value


def _status(laboratory: Laboratory, record: ExperimentRecord, metrics: Mapping[str, Figure]) -> str:
    if not metrics:
        return record.status
    problem = laboratory.campaign.file.problem
    shares = laboratory.metric.name == "r2" or (isinstance(problem, Diagnosed) and problem.headline in metrics)
    if not shares:
        return record.status
    value = _headline(laboratory, metrics)
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
    yield from (f"{finding.code}: {finding.message}." for finding in _against(audit, record.name))
    if record.status != "done":
        yield f"{record.failed} of {record.fits} fits failed."


def _against(audit: Audit, name: str) -> list[Finding]:
    return [f for f in audit.findings if f.subject == name and f.severity != "note" and f.ignored is None]


# ------------------------------------------------------------------ what a batch says


def _findings(entries: Sequence[Entry], laboratory: Laboratory, audit: Audit) -> Iterable[str]:
    scored = [e for e in entries if e.metrics]
    if not scored:
        yield "No experiment of this batch has a score."
        return
    counts = ", ".join(f"{sum(e.status == s for e in entries)} {s}" for s in dict.fromkeys(e.status for e in entries))
    heads = {e.name: _headline(laboratory, e.metrics) for e in scored}
    best, worst = max(heads, key=heads.__getitem__), min(heads, key=heads.__getitem__)
    problem = laboratory.campaign.file.problem
    what = problem.headline if isinstance(problem, Diagnosed) else laboratory.metric.name
    yield f"{counts}; {what} from {told(heads[worst])} (id={worst}) to {told(heads[best])} (id={best})."
    for name in scored[0].visual:
        judged = [e.visual[name][0] for e in scored if name in e.visual]
        if len(set(judged)) == 1:
            yield f"{name} is {judged[0]} in all {len(judged)}."
    judged_by_outcome: dict[str, list[str]] = {}
    for e in scored:
        if e.verdict is not None:
            judged_by_outcome.setdefault(e.verdict.outcome, []).append(f"id={e.name}")
    for outcome, names in judged_by_outcome.items():
        yield f"{outcome} against the parent: {', '.join(names)}."
    codes: dict[str, list[str]] = {}
    for e in entries:
        for finding in _against(audit, e.name):
            codes.setdefault(finding.code, []).append(f"id={e.name}")
    for code, names in sorted(codes.items()):
        yield f"the audit raises {code} against {', '.join(dict.fromkeys(names))}."


def _outlook(ranked: Sequence[tuple[str, float]], batches: Sequence[Batch], slots: int) -> Iterable[str]:
    """A line for each slot of a next batch: the best parent, the second, one little explored, a principle to test."""
    if not ranked:
        return
    entries = [e for batch in batches for e in batch.entries]
    yield f"exploit the top: parent=id={ranked[0][0]} (UCB {ranked[0][1]:.2f})"
    if slots > 1 and len(ranked) > 1:
        yield f"exploit the second: parent=id={ranked[1][0]} (UCB {ranked[1][1]:.2f})"
    if slots > 2 and len(ranked) > 2:
        yield f"explore: parent=id={ranked[-1][0]}, the least promising so far (UCB {ranked[-1][1]:.2f})"
    open_ones = [e for e in entries if e.verdict is not None and e.verdict.outcome == "undecided"]
    if slots > 3 and open_ones:
        e = open_ones[0]
        yield f"test a principle: repeat '{e.mutation}' (id={e.name}), which is undecided, with more draws or seeds"


def _regime(laboratory: Laboratory) -> Iterable[str]:
    file = laboratory.campaign.file
    kind, options = file.problem_spec
    told = ", ".join(f"{key}={value}" for key, value in options.items())
    yield f"Regime: {kind}{f' ({told})' if told else ''}, task {', '.join(file.tasks)}"
    protocol = file.protocol
    yield (
        f"Protocol: {protocol.splits}, {len(laboratory.campaign.splits)} splits x {protocol.seeds} seeds, metric "
        f"{protocol.metric} ({protocol.scoring}), differences up to {protocol.margin:g} do not matter"
    )


def told(value: float) -> str:
    """A number with four digits; 'none' where there is none."""
    return f"{value:.4g}" if math.isfinite(value) else "none"
