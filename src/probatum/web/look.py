"""All that pages show of a campaign at one moment: how far it is, what its file says, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from probatum.campaigns.ledgers.ledger import ExperimentRecord, RoundRecord, Summary
from probatum.web.campaign_view import Plan, View


@dataclass(frozen=True, eq=False)
class Look:
    """All that pages show, as it is at one moment.

    Attributes:
        progress: from the ledger.
        plan: from the campaign file; None until it is read, or where it cannot be.
        view: what it means; None until it is computed, or before the first run.
        trouble: why there is no newer plan or view.
        computing: whether a newer view is on its way.
    """

    progress: Progress
    plan: Plan | None
    view: View | None
    trouble: str | None
    computing: bool

    @cached_property
    def records(self) -> tuple[ExperimentRecord, ...]:
        """All experiments: those of the ledger, then those of the file that were not run."""
        known = {r.name for r in self.progress.records}
        planned = self.plan.experiments if self.plan else ()
        return (*self.progress.records, *(r for r in planned if r.name not in known))

    @cached_property
    def by_name(self) -> Mapping[str, ExperimentRecord]:
        """Name to record."""
        return {r.name: r for r in self.records}

    @cached_property
    def children(self) -> Mapping[str | None, list[ExperimentRecord]]:
        """Name of an experiment to those that were made from it; None to the roots."""
        found: dict[str | None, list[ExperimentRecord]] = {}
        for r in self.records:
            found.setdefault(r.parent if r.parent in self.by_name else None, []).append(r)
        return found

    @property
    def unrun(self) -> int:
        """How many experiments of the file the ledger does not know."""
        return len(self.records) - len(self.progress.records)

    def score(self, record: ExperimentRecord) -> float | None:
        """Of an experiment: the ledger knows it at the end of a run, the view before."""
        if record.score is None and self.view and record.name in self.view.arms:
            return self.view.arms[record.name]["score"]
        return record.score

    def outcome(self, name: str) -> str:
        """As `View.outcome`; '' before there is a view."""
        return self.view.outcome(name) if self.view else ""


@dataclass(frozen=True)
class Progress:
    """How far a campaign is, from its ledger.

    Attributes:
        state: changes when anything here does.
        records: all experiments, in order, those left out that only confirm or control.
        summary: at a glance; None before the first run.
        judged_outside: confirmations and external scores so far.
        waiting: the round that was planned and not judged, if any.
        holder: who works on the campaign now, None for nobody.
        importer: what its runs were imported with, None of a campaign of one's own; nothing can be trained of imported
            ones.
        trouble: why the ledger cannot be read.
    """

    state: str
    records: tuple[ExperimentRecord, ...] = ()
    summary: Summary | None = None
    judged_outside: int = 0
    waiting: RoundRecord | None = None
    holder: str | None = None
    importer: str | None = None
    trouble: str | None = None

    @property
    def finished(self) -> int:
        """How many experiments have ended, well or not."""
        return sum(r.status in ("done", "failed") for r in self.records)
