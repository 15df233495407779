"""Fits -> fused jobs -> workers -> ledger: each fit once, whatever fails on the way."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from probatum.campaigns.events import FitFailed, FitRetried, JobFinished, JobStarted, Listener
from probatum.campaigns.executors import Executor
from probatum.campaigns.fit import Fit
from probatum.campaigns.jobs import DONE, STORAGE, Job, JobFit, JobReport, Place, is_fused, may_share
from probatum.campaigns.jobs import TIMED_OUT as JOB_TIMED_OUT
from probatum.campaigns.ledger import FAILED, TIMED_OUT, Ledger
from probatum.campaigns.splits import Split
from probatum.errors import StorageError

FUSED_FITS = 120
"""Fits in a fused job: enough to fill every core's chunks, few enough to lose little when killed."""
SECONDS_A_JOB = 3.0
"""Length of a job of fits that are trained one after the other."""
FIRST_FITS = 4
"""Fits in the first such job of a recipe, before its speed is known."""
TRIES = 2
"""How often a failing fit is tried alone."""


class Runner:
    """Runs fits to their end.

    Args:
        ledger: that results are recorded in.
        executor: that carries jobs out.
        split_places: split digest to where its rows lie.
        manifest: code, environment and data, recorded with every job.
        limit: seconds that one fit may take.
        keep_weights: whether trained weights are stored.
        tell: called with every event.
        width_of: how many fits ran side by side in the program of a stored one; None where it was not fused.
    """

    def __init__(
        self,
        ledger: Ledger,
        executor: Executor,
        split_places: Mapping[str, Place],
        manifest: Mapping[str, Any],
        *,
        limit: float,
        keep_weights: bool,
        tell: Listener,
        width_of: Callable[[Place], int | None] = lambda _: None,
    ):
        self._ledger, self._executor, self._split_places = ledger, executor, split_places
        self._manifest, self._limit, self._keep_weights, self._tell = manifest, limit, keep_weights, tell
        self._width_of = width_of
        self._fits: dict[str, Fit] = {}
        self._places: dict[str, Place] = {}
        self._waiting: dict[Hashable, list[Fit]] = defaultdict(list)
        self._blocked: dict[str, Fit] = {}
        self._alone: list[Fit] = []
        self._tries: dict[str, int] = defaultdict(int)
        self._pace: dict[Hashable, float] = {}
        self._jobs: dict[str, tuple[Job, Hashable]] = {}
        self._failed: set[str] = set()
        self._widths: dict[Hashable, int | None] = {}

    def run(self, fits: Sequence[Fit]) -> None:
        """Trains all fits that the ledger does not already hold.

        Args:
            fits: with what they need, in any order.

        Raises:
            StorageError: results cannot be written; what is recorded is kept.
        """
        self._fits = {fit.key: fit for fit in fits}
        for key, record in self._ledger.fit_states(self._fits).items():
            if record.artifact is not None and record.position is not None:
                self._places[key] = Place(record.artifact, record.position)
            elif record.status in (FAILED, TIMED_OUT):
                self._failed.add(key)
        for key, fit in self._fits.items():
            if key not in self._places and key not in self._failed:
                self._blocked[key] = fit
        self._release()
        while self._waiting or self._alone or self._jobs:
            self._submit()
            for report in self._executor.wait():
                self._take_in(report)
            self._release()

    # ------------------------------------------------------------------ what can start

    def _release(self) -> None:
        """Moves fits whose needs are met to the waiting ones; those whose needs failed, to the failed."""
        progress = True
        while progress:
            progress = False
            for key, fit in list(self._blocked.items()):
                lost = next((need for need in fit.needs if need.key in self._failed), None)
                if lost is not None:
                    del self._blocked[key]
                    self._give_up(key, FAILED, f"its component {lost.recipe.kind} on '{lost.split.name}' failed")
                    progress = True
                elif all(need.key in self._places for need in fit.needs):
                    del self._blocked[key]
                    self._waiting[may_share(fit)].append(fit)

    def _submit(self) -> None:
        """Starts jobs while cores are free: fused ones first, since they take every core."""
        groups = sorted(self._waiting, key=lambda g: not is_fused(self._waiting[g][0]))
        for group in groups:
            while self._waiting.get(group):
                needed = self._executor.cores if is_fused(self._waiting[group][0]) else 1
                if self._executor.free_cores < needed:
                    return
                waiting = self._waiting[group]
                count = self._job_size(group, len(waiting))
                taken, self._waiting[group] = waiting[:count], waiting[count:]
                if not self._waiting[group]:
                    del self._waiting[group]
                self._start(taken, needed, group)
        while self._alone:
            needed = self._executor.cores if is_fused(self._alone[0]) else 1
            if self._executor.free_cores < needed:
                return
            self._start([self._alone.pop(0)], needed, None)

    def _job_size(self, group: Hashable, waiting: int) -> int:
        if is_fused(self._waiting[group][0]):
            return FUSED_FITS
        if group not in self._pace:
            return FIRST_FITS
        fair = -(-waiting // (2 * self._executor.cores))
        return max(1, min(int(SECONDS_A_JOB / max(self._pace[group], 1e-4)), max(fair, FIRST_FITS)))

    def _start(self, fits: Sequence[Fit], cores: int, group: Hashable) -> None:
        first = fits[0]
        job = Job(
            uuid.uuid4().hex,
            first.split.task,
            first.split.draw,
            first.recipe.kind,
            cores,
            self._limit * len(fits),
            tuple(self._job_fit(fit) for fit in fits),
            self._keep_weights,
            self._narrowest(first),
        )
        self._ledger.start_job(job.id, [fit.key for fit in fits], self._manifest)
        self._jobs[job.id] = (job, group)
        self._executor.submit(job)
        self._tell(JobStarted(job.id, job.model, len(fits)))

    def _narrowest(self, fit: Fit) -> int | None:
        """How many fits of this kind ran side by side before: where memory forced few, later ones are given as few.

        Another width may round otherwise, and a campaign that was interrupted must end with the same bits.
        """
        if not is_fused(fit):
            return None
        group = may_share(fit)
        if group not in self._widths:
            done = (place for key, place in self._places.items() if may_share(self._fits[key]) == group)
            place = next(done, None)
            if place is None:
                return None
            self._widths[group] = self._width_of(place)
        return self._widths[group]

    def _job_fit(self, fit: Fit) -> JobFit:
        inner = tuple(
            (self._split_place(split), tuple(self._places[f.key] for f in parts))
            for split, parts in zip(fit.inner, fit.inner_components, strict=True)
        )
        components = tuple(self._places[f.key] for f in fit.components)
        return JobFit(fit.key, fit.recipe.canonical(), fit.seed, self._split_place(fit.split), components, inner)

    def _split_place(self, split: Split) -> Place:
        return self._split_places[split.digest]

    # ------------------------------------------------------------------ what has ended

    def _take_in(self, report: JobReport) -> None:
        job, group = self._jobs.pop(report.job)
        if report.status == STORAGE:
            raise StorageError(report.error)
        if report.status == DONE:
            self._ledger.finish_job(job.id, report.results)
            for result in report.results:
                self._places[result.key] = Place(result.artifact, result.position)
            if group is not None:
                pace = report.seconds / len(job.fits)
                self._pace[group] = max(pace, self._pace.get(group, pace) / 2)  # recipes of one group differ
            self._tell(JobFinished(job.id, tuple(r.key for r in report.results), report.seconds))
            for key, error in report.failures:
                self._fail(job, key, FAILED, error)
            return
        status = TIMED_OUT if report.status == JOB_TIMED_OUT else FAILED
        for fit in job.fits:
            if len(job.fits) > 1:
                self._retry(fit.key, report.error)  # which of them it was shows when each runs alone
            else:
                self._fail(job, fit.key, status, report.error)

    def _fail(self, job: Job, key: str, status: str, error: str) -> None:
        """Tries a failed fit once more, alone; gives it up where that was tried."""
        self._tries[key] += 1
        alone_and_late = status == TIMED_OUT and len(job.fits) == 1
        if self._tries[key] < TRIES and not alone_and_late:
            self._retry(key, error)
        else:
            self._give_up(key, status, error, job.id)

    def _retry(self, key: str, reason: str) -> None:
        """Plans a fit again in a job of its own, so that none suffers for another."""
        self._alone.append(self._fits[key])
        self._tell(FitRetried(key, reason))

    def _give_up(self, key: str, status: str, error: str, job: str = "") -> None:
        self._ledger.fail_fit(job, key, status, error)
        self._failed.add(key)
        self._tell(FitFailed(key, status, error))
