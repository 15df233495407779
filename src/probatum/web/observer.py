"""What a campaign shows right now: how far it is from the ledger at once, what it means as soon as that is computed.

The ledger is read when its files changed. Verdicts, effects, the champion and the audit take longer; they are computed
in the background when an experiment was finished, and every page shows the last ones until the next are there.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum.campaigns.experiment import PROBES, TRIVIAL
from probatum.campaigns.ledger import ROUND_PLANNED, ExperimentRecord, RoundRecord, Summary
from probatum.campaigns.ledger_files import LEDGER, LedgerSite, state_folder
from probatum.campaigns.lock import holder_of
from probatum.errors import ProbatumError

if TYPE_CHECKING:
    from probatum.audit.inspection import Audit
    from probatum.laboratory import Laboratory, Results

ASKED_EVERY = 3.0
"""Seconds between two looks at a shared ledger."""
REST = 3.0
"""While a campaign runs, results are computed again only after so many times what it took the last time."""


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
        trouble: why the ledger cannot be read.
    """

    state: str
    records: tuple[ExperimentRecord, ...] = ()
    summary: Summary | None = None
    judged_outside: int = 0
    waiting: RoundRecord | None = None
    holder: str | None = None
    trouble: str | None = None

    @property
    def finished(self) -> int:
        """How many experiments have ended, well or not."""
        return sum(r.status in ("done", "failed") for r in self.records)


@dataclass(frozen=True, eq=False)
class Plan:
    """What the campaign file says.

    Attributes:
        problem, question: that it is about.
        tasks: of the problem.
        protocol: its values.
        baseline: that experiments are compared with.
        experiments: of the file and the trivial ones, as records that nothing was run of.
    """

    problem: str
    question: str
    tasks: tuple[str, ...]
    protocol: Mapping[str, Any]
    baseline: str
    experiments: tuple[ExperimentRecord, ...]


@dataclass(frozen=True, eq=False)
class View:
    """What a campaign means: computed once for a state of it.

    Attributes:
        state: of the finished experiments that it was computed from.
        laboratory, results, audit: as the command line has them.
        values: `reporting.records.results_values` without groups.
        findings: `reporting.findings.finding_values` of each, the worst first.
        blocked: experiments that are better and cannot be champion, to the codes of the errors against each.
    """

    state: str
    laboratory: Laboratory
    results: Results
    audit: Audit
    values: Mapping[str, Any]
    findings: list[dict[str, Any]]
    blocked: Mapping[str, list[str]]

    @cached_property
    def verdicts(self) -> Mapping[str, Mapping[str, Any]]:
        """Name to verdict against the baseline."""
        return {v["arm"]: v for v in self.values["verdicts"]}

    @cached_property
    def arms(self) -> Mapping[str, Mapping[str, Any]]:
        """Name to scores."""
        return {a["name"]: a for a in self.values["arms"]}

    @cached_property
    def findings_of(self) -> Mapping[str, list[dict[str, Any]]]:
        """Subject to what was found of it and is not ignored."""
        found: dict[str, list[dict[str, Any]]] = {}
        for f in self.findings:
            if f["ignored"] is None and f["subject"]:
                found.setdefault(f["subject"], []).append(f)
        return found

    def outcome(self, name: str) -> str:
        """'better', ...; 'baseline'; '' where there is no verdict."""
        if name == self.values["baseline"]:
            return "baseline"
        if name.startswith(TRIVIAL):
            return "trivial"
        return self.verdicts[name]["outcome"] if name in self.verdicts else ""

    def close(self) -> None:
        """Lets go of the ledger; who still computes from it opens it again."""
        self.laboratory.campaign.ledger.close()


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


class Observer:
    """Looks at one campaign for all pages.

    Args:
        path: of the campaign file.
    """

    def __init__(self, path: Path):
        self.path = path
        self.plan: Plan | None = None
        self.view: View | None = None
        self.trouble: str | None = None
        """Why results could not be computed the last time."""
        self._progress: tuple[str, Progress] | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._tried, self._took, self._ended = "", 0.0, 0.0
        self._closed = False

    def progress(self) -> Progress:
        """How far the campaign is; reads the ledger only where its files changed."""
        try:
            site = LedgerSite.of(self.path)
        except ProbatumError as error:
            return Progress("", trouble=str(error))
        if site.shared:
            return self._asked(site)
        holder = holder_of(state_folder(self.path))  # one that was killed leaves the files as they are
        token = f"{self._files()} {holder}"
        known = self._progress
        if known is None or known[0] != token:
            known = (token, self._read(_digest(token), site, holder))
            self._progress = known
        return known[1]

    def _asked(self, site: LedgerSite) -> Progress:
        """Of a shared ledger, which no file of this machine tells the changes of: asked again every few seconds."""
        token, known = f"{int(time.monotonic() / ASKED_EVERY)}", self._progress
        if known is None or known[0] != token:
            found = self._read("", site, site.holder())
            said = repr(
                (self._files(), found.records, found.summary, found.judged_outside, found.waiting, found.holder)
            )
            known = (token, replace(found, state=_digest(said)))
            self._progress = known
        return known[1]

    def look(self) -> Look:
        """What there is now; newer results are begun to be computed where they are needed."""
        progress = self.progress()
        wanted = self._state_of_results(progress)
        with self._lock:
            busy = self._thread is not None and self._thread.is_alive()
            rested = progress.holder is None or time.monotonic() - self._ended > REST * self._took
            if wanted != self._tried and not busy and rested and not self._closed:
                self._tried, busy = wanted, True
                self._thread = threading.Thread(target=self._compute, args=(wanted,), daemon=True, name="results")
                self._thread.start()
        return Look(progress, self.plan, self.view, self.trouble, busy)

    def wait(self, seconds: float) -> Look:
        """What there is when the results are computed, or after this time."""
        self.look()
        if self._thread is not None:
            self._thread.join(seconds)
        return self.look()

    def close(self) -> None:
        """Lets go of files."""
        with self._lock:
            self._closed = True
        if self._thread is not None:
            self._thread.join()
        if self.view is not None:
            self.view.close()

    # ------------------------------------------------------------------ the ledger

    def _files(self) -> str:
        """Changes when the campaign file or its ledger does."""
        folder = state_folder(self.path)
        parts = []
        for file in (self.path, folder / LEDGER, folder / f"{LEDGER}-wal"):
            try:
                known = file.stat()
                parts.append(f"{known.st_ino} {known.st_mtime_ns} {known.st_size}")
            except OSError:
                parts.append("none")
        return "/".join(parts)

    def _read(self, state: str, site: LedgerSite, holder: str | None) -> Progress:
        try:
            if not site.exists():
                return Progress(state, holder=holder)
            ledger = site.open()
            try:
                records = tuple(r for r in ledger.experiments() if not r.name.startswith(PROBES))
                summary, rounds = ledger.summary(), ledger.rounds()
                outside = len(ledger.confirmations()) + len(ledger.submissions())
            finally:
                ledger.close()
        except ProbatumError as error:
            return Progress(state, holder=holder, trouble=str(error))
        waiting = rounds[-1] if rounds and rounds[-1].state == ROUND_PLANNED else None
        return Progress(state, records, summary, outside, waiting, holder)

    # ------------------------------------------------------------------ results

    def _state_of_results(self, progress: Progress) -> str:
        """Changes when results may: an experiment ended, or the campaign file was written."""
        try:
            known = self.path.stat()
            file = f"{known.st_mtime_ns} {known.st_size}"
        except OSError:
            file = "none"
        ended = [r.name for r in progress.records if r.status in ("done", "failed")]
        looks = progress.summary.held_out_accesses if progress.summary else 0
        counts = f"{looks} {progress.judged_outside}"
        return _digest("\0".join([file, counts, str(progress.trouble), *ended]))

    def _compute(self, state: str) -> None:
        started = time.monotonic()
        view = None
        try:
            laboratory = _opened(self.path)
            self.plan = plan_of(laboratory)
            if laboratory.campaign.ledger_site.exists():
                view = view_of(laboratory, state)
            trouble = None
        except ProbatumError as error:
            trouble = str(error)
        except Exception as error:  # the user's own problem or learner, which may fail in any way
            trouble = f"{type(error).__name__}: {error}"
        self.trouble = trouble
        if view is not None:
            before, self.view = self.view, view
            if before is not None:
                before.close()
        self._took, self._ended = time.monotonic() - started, time.monotonic()


def plan_of(laboratory: Laboratory) -> Plan:
    """What a campaign file says.

    Args:
        laboratory: of the campaign.
    """
    campaign = laboratory.campaign
    file = campaign.file
    planned = tuple(
        ExperimentRecord(
            e.name, e.recipe.canonical(), e.recipe.digest(), e.parent, str(e.mutation) if e.mutation else None,
            e.hypothesis, 0,
        )
        for e in campaign.experiments
    )  # fmt: skip
    protocol = file.protocol.model_dump()
    return Plan(file.problem_spec[0], file.problem.question, file.tasks, protocol, campaign.baseline, planned)


def view_of(laboratory: Laboratory, state: str) -> View:
    """What a campaign means, as the command line computes it.

    Args:
        laboratory: of a campaign that has been run.
        state: of the campaign.

    Raises:
        ProbatumError: its data or its ledger cannot be used.
    """
    from probatum.reporting.findings import finding_values
    from probatum.reporting.records import results_values

    results = laboratory.results()
    audit = laboratory.audit(results)
    values = results_values(laboratory, results, groups=False)
    scores = {a.name: a.score for a in results.arms}
    for e in values["experiments"]:  # the ledger knows scores at the end of a run
        e["score"] = scores.get(e["name"]) if e["score"] is None else e["score"]
    blocked = {name: sorted({f.code for f in errors}) for name, errors in laboratory.blocked(results).items()}
    return View(state, laboratory, results, audit, values, [finding_values(f) for f in audit.findings], blocked)


def _opened(path: Path) -> Laboratory:
    from probatum.laboratory import Laboratory

    return Laboratory.open(path)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
