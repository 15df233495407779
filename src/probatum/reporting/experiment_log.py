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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from probatum.audit.inspection import Audit
from probatum.campaigns.experiment import TRIVIAL
from probatum.campaigns.ledgers.ledger import ExperimentRecord
from probatum.laboratory import Laboratory, Results
from probatum.problems.diagnosed import Diagnosed
from probatum.reporting.log_entries import against, entry_of, headline, metrics_of
from probatum.reporting.log_records import Batch, Entry, ExperimentLog, told

EXPLORATION = 1.414
"""c of UCB."""


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
                tree.scores[r.name] = headline(laboratory, metrics[r.name])
        after = tree.ranked()
        entries = []
        for r in of_one:
            number += 1
            figures = metrics.get(r.name, {})
            entries.append(entry_of(laboratory, number, r, figures, before, after, audit))
        batches.append(Batch(len(batches) + 1, tuple(entries), tuple(_findings(entries, laboratory, audit))))
    file = laboratory.campaign.file
    return ExperimentLog(
        file.path.stem, file.problem.question, tuple(_regime(laboratory)), tuple(batches),
        tuple(_outlook(tree.ranked(), batches, slots)),
    )  # fmt: skip


def _batches(records: Sequence[ExperimentRecord], slots: int) -> Iterable[list[ExperimentRecord]]:
    """Experiments of one round together, at most `slots` of them."""
    for number in dict.fromkeys(r.round for r in records):
        of_round = [r for r in records if r.round == number]
        yield from (of_round[first : first + slots] for first in range(0, len(of_round), slots))


def _findings(entries: Sequence[Entry], laboratory: Laboratory, audit: Audit) -> Iterable[str]:
    scored = [e for e in entries if e.metrics]
    if not scored:
        yield "No experiment of this batch has a score."
        return
    counts = ", ".join(f"{sum(e.status == s for e in entries)} {s}" for s in dict.fromkeys(e.status for e in entries))
    heads = {e.name: headline(laboratory, e.metrics) for e in scored}
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
        for finding in against(audit, e.name):
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
    given = ", ".join(f"{key}={value}" for key, value in options.items())
    yield f"Regime: {kind}{f' ({given})' if given else ''}, task {', '.join(file.tasks)}"
    protocol = file.protocol
    yield (
        f"Protocol: {protocol.splits}, {len(laboratory.campaign.splits)} splits x {protocol.seeds} seeds, metric "
        f"{protocol.metric} ({protocol.scoring}), differences up to {protocol.margin:g} do not matter"
    )
