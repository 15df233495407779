"""What the checks of each scope look at, and the share of its budget that a check may spend on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from probatum.audit.finding import FALSE_ALARMS, Scope
from probatum.audit.history import History
from probatum.evidence.rounds import spent


@dataclass(frozen=True, eq=False)
class Subject:
    """What a check looks at.

    Attributes:
        name: of the partition or run; None for the history.
        shown: what the check is given: a Partition, (Run, History), or a History.
        parts: the records that this is made of; nothing else can change what the check raises.
        share: of what the check may spend on false alarms.
    """

    name: str | None
    shown: Any
    parts: tuple[Any, ...]
    share: float


def subjects_of(scope: Scope, history: History) -> list[Subject]:
    """All that the checks of a scope look at, in the order of the history.

    A check of a run sees of a campaign's other runs the parent, the baseline and the trivial baselines (of an estimate,
    what was made from it too), and of the history what does not change from round to round. So what it raised stays
    true while the campaign grows. A table of runs is looked at once, and seen whole.

    Args:
        scope: of the checks.
        history: that is audited.
    """
    match scope:
        case "partition":
            return [Subject(p.name, p, (p,), 1 / len(history.partitions)) for p in history.partitions]
        case "run" if history.source == "campaign":
            return _experiments(history)
        case "run":
            return [Subject(run.name, (run, history), (run, history), 1 / len(history.runs)) for run in history.runs]
        case "history":
            last = max((run.round for run in history.runs if run.round is not None), default=None)
            return [Subject(None, history, (history,), _of_round(last))]


def _experiments(history: History) -> list[Subject]:
    """A campaign's runs; those of one round share what the round may spend."""
    by_name = {run.name: run for run in history.runs}
    of_all = {name: run for name, run in by_name.items() if run.trivial or name == history.baseline}
    together = Counter(run.round for run in history.runs)
    lasting = replace(
        history, runs=(), verdicts=(), chosen=None, confirmed=False, external=(), target=None, sensitivities=()
    )
    found = []
    for run in history.runs:
        parent = {run.parent: by_name[run.parent]} if run.parent in by_name else {}
        children = {other.name: other for other in history.runs if other.parent == run.name} if run.estimated else {}
        seen = tuple({**of_all, **parent, run.name: run, **children}.values())
        share = _of_round(run.round) / together[run.round]
        found.append(Subject(run.name, (run, replace(lasting, runs=seen)), (run, lasting, *seen), share))
    return found


def _of_round(number: int | None) -> float:
    """All rounds together have a share of 1; what is looked at once needs no rounds."""
    return 1.0 if number is None else spent(FALSE_ALARMS, number) / FALSE_ALARMS
