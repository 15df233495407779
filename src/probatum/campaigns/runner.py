"""Fits -> fused jobs -> workers -> ledger: each fit once, whatever fails on the way."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from probatum.campaigns.events import FitFailed, FitRetried, FitsFound, JobFinished, JobStarted, Listener
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.fit import Fit
from probatum.campaigns.fit_queue import FitQueue, ReadyFits
from probatum.campaigns.job_sizes import JobSizes
from probatum.campaigns.jobs import DONE, LOST, STORAGE, Job, JobFit, JobReport, Place
from probatum.campaigns.jobs import TIMED_OUT as JOB_TIMED_OUT
from probatum.campaigns.ledgers.ledger import FAILED, TIMED_OUT, Ledger
from probatum.campaigns.splits import Split
from probatum.errors import FinishedExperimentError, StorageError

TRIES = 2
"""How often a failing fit is tried alone."""
LOOK = 1.0
"""Seconds between two looks at what other drivers have finished; longer where a look itself takes long."""
LOSSES_TOGETHER, LOSSES = 3, 8
"""How often a fit's machine may be lost before it is given again alone, and before it is given up."""


class Runner:
    """Runs fits to their end: its own, and waits for those that another driver of the campaign has claimed.

    Args:
        ledger: that results are recorded in.
        executor: that carries jobs out.
        split_places: split digest to where its rows lie.
        manifest: code, environment and data, recorded with every job.
        limit: seconds that one fit may take.
        keep_weights: whether trained weights are stored.
        tell: called with every event.
        width_of: how many fits ran side by side in the program of a stored one; None where it was not fused.
        found: called with each artifact that another driver may have written; raises where it is not to be found here.
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
        found: Callable[[Place], None] = lambda _: None,
    ):
        self._ledger, self._executor, self._split_places = ledger, executor, split_places
        self._manifest, self._limit, self._keep_weights, self._tell = manifest, limit, keep_weights, tell
        self._width_of, self._found = width_of, found
        self._fits: dict[str, Fit] = {}
        self._places: dict[str, Place] = {}
        self._queue = FitQueue()
        self._elsewhere: set[str] = set()
        self._next_look = 0.0
        self._begun: deque[Job] = deque()
        self._ended = 0
        self._tries: dict[str, int] = defaultdict(int)
        self._losses: dict[str, int] = defaultdict(int)
        self._sizes = JobSizes(executor)
        self._jobs: dict[str, tuple[Job, Hashable]] = {}
        self._first_done: dict[Hashable, Place] = {}
        self._widths: dict[Hashable, int | None] = {}
        self._recipes: dict[int, Mapping[str, Any]] = {}

    def run(self, fits: Sequence[Fit]) -> None:
        """Trains all fits that the ledger does not already hold.

        Args:
            fits: with what they need, in any order.

        Raises:
            StorageError: results cannot be written, or those of another driver are not here; what is recorded is kept.
        """
        self._fits = {fit.key: fit for fit in fits}
        known = self._ledger.fit_states(self._fits)
        failed = []
        for key, record in known.items():
            if record.artifact is not None and record.position is not None:
                self._place(key, Place(record.artifact, record.position))
            elif record.status in (FAILED, TIMED_OUT):
                failed.append(key)
            elif record.driver is not None:
                self._elsewhere.add(key)
        for place in {place.artifact: place for place in self._places.values()}.values():
            self._found(place)
        away = {*self._places, *failed, *self._elsewhere}
        for key, fit in self._fits.items():
            if key not in away:
                self._queue.add(fit, self._places)
        for key in failed:
            self._lose_what_needs(key)
        while self._queue or self._jobs or self._elsewhere:
            self._submit()
            if self._queue or self._jobs:
                self._take_in(self._executor.wait())
            elif self._elsewhere:
                time.sleep(max(0.0, self._next_look - time.monotonic()))
            self._look_elsewhere()

    # ------------------------------------------------------------------ what can start

    def _submit(self) -> None:
        """Starts jobs while there is room for them."""
        self._hand_out()
        while not self._begun and (ready := self._ready()):
            self._begin(ready)
            self._hand_out()

    def _hand_out(self) -> None:
        """Gives jobs that are recorded as begun to the executor; what it has no room for yet comes next time."""
        while self._begun and (self._begun[0].cores > 1 or self._executor.room(whole=False)):
            self._executor.submit(self._begun.popleft())

    def _ready(self) -> list[tuple[ReadyFits, int]]:
        """Fits for which there is room, job by job, and their cores: one fused job, or as many others as have ended."""
        if (fused := self._queue.next_group(fused=True)) is not None:
            cores = self._executor.room(whole=True)
            return [(self._queue.take(fused[0], self._sizes.of_fused(fused[1])), cores)] if cores else []
        ready: list[tuple[ReadyFits, int]] = []
        if not self._executor.room(whole=False):
            return ready
        most = max(1, self._ended, self._executor.free_cores)
        while len(ready) < most and (single := self._queue.next_group(fused=False)) is not None:
            ready.append((self._queue.take(single[0], self._sizes.of_others(*single)), 1))
        while len(ready) < most and (alone := self._queue.next_alone()) is not None:
            if self._queue.is_fused(alone):
                cores = 0 if ready else self._executor.room(whole=True)
                return [(self._queue.take_alone(), cores)] if cores else ready
            ready.append((self._queue.take_alone(), 1))
        return ready

    def _begin(self, ready: Sequence[tuple[ReadyFits, int]]) -> None:
        """Claims fits and records their jobs, all in one transaction; fits that are another driver's are left to it."""
        named = {uuid.uuid4().hex: part for part in ready}
        keys = {job: [fit.key for fit in part.fits] for job, (part, _) in named.items()}
        mine = self._ledger.start_jobs(keys, self._manifest)
        for name, (part, cores) in named.items():
            fits = [fit for fit in part.fits if fit.key in mine]
            self._elsewhere.update(fit.key for fit in part.fits if fit.key not in mine)
            if fits:
                job = self._job(name, fits, cores)
                self._jobs[name] = (job, part.group)
                self._begun.append(job)
                self._tell(JobStarted(name, job.model, len(fits)))

    def _job(self, name: str, fits: Sequence[Fit], cores: int) -> Job:
        first = fits[0]
        return Job(
            name,
            first.split.task,
            first.split.draw,
            first.recipe.kind,
            cores,
            self._limit * len(fits),
            tuple(self._job_fit(fit) for fit in fits),
            self._keep_weights,
            self._narrowest(first),
        )

    def _narrowest(self, fit: Fit) -> int | None:
        """How many fits of this kind ran side by side before: where memory forced few, later ones are given as few.

        Another width may round otherwise, and a campaign that was interrupted must end with the same bits.
        """
        group = self._queue.group_of(fit)
        if not self._queue.is_fused(fit) or group not in self._first_done:
            return None
        if group not in self._widths:
            self._widths[group] = self._width_of(self._first_done[group])
        return self._widths[group]

    def _job_fit(self, fit: Fit) -> JobFit:
        inner = tuple(
            (self._split_place(split), tuple(self._places[f.key] for f in parts))
            for split, parts in zip(fit.inner, fit.inner_components, strict=True)
        )
        components = tuple(self._places[f.key] for f in fit.components)
        if id(fit.recipe) not in self._recipes:
            self._recipes[id(fit.recipe)] = fit.recipe.canonical()
        recipe = self._recipes[id(fit.recipe)]
        return JobFit(fit.key, recipe, fit.seed, self._split_place(fit.split), components, inner)

    def _split_place(self, split: Split) -> Place:
        return self._split_places[split.digest]

    # ------------------------------------------------------------------ what has ended

    def _take_in(self, reports: Sequence[JobReport]) -> None:
        """Records all results that have come, in one transaction; then sees to each job."""
        self._ended = len(reports)
        if done := {report.job: report.results for report in reports if report.status == DONE}:
            self._ledger.finish_jobs(done)
        for report in reports:
            self._end(report)

    def _end(self, report: JobReport) -> None:
        job, group = self._jobs.pop(report.job)
        if report.status == STORAGE:
            raise StorageError(report.error)
        if report.status == DONE:
            for result in report.results:
                self._place(result.key, Place(result.artifact, result.position))
            if group is not None:
                self._sizes.learn(group, report.seconds, len(job.fits))
            self._tell(JobFinished(job.id, tuple(r.key for r in report.results), report.seconds))
            for key, error in report.failures:
                self._fail(job, key, FAILED, error)
            return
        if report.status == LOST:
            for fit in job.fits:
                self._give_again(job, fit.key, report.error)
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

    def _give_again(self, job: Job, key: str, error: str) -> None:
        """Plans a fit again whose machine is gone: as it was, unless it may be the fit that takes machines with it."""
        self._losses[key] += 1
        if self._losses[key] >= LOSSES:
            self._give_up(key, FAILED, f"lost its machine {LOSSES} times; {error}", job.id)
        elif self._losses[key] >= LOSSES_TOGETHER:
            self._retry(key, error)
        else:
            self._queue.put(self._fits[key])
            self._tell(FitRetried(key, error))

    def _retry(self, key: str, reason: str) -> None:
        """Plans a fit again in a job of its own, so that none suffers for another."""
        self._queue.put_alone(self._fits[key])
        self._tell(FitRetried(key, reason))

    def _give_up(self, key: str, status: str, error: str, job: str = "") -> None:
        try:
            self._ledger.fail_fit(job, key, status, error)
        except FinishedExperimentError:  # this driver seemed dead, and another one has finished the fit
            self._elsewhere.add(key)
            return
        self._tell(FitFailed(key, status, error))
        self._lose_what_needs(key)

    def _lose_what_needs(self, key: str) -> None:
        lost = self._fits[key]
        for fit in self._queue.lose(key):
            self._give_up(fit.key, FAILED, f"its component {lost.recipe.kind} on '{lost.split.name}' failed")

    def _place(self, key: str, place: Place) -> None:
        """A fit has a result: what was built on it may start."""
        self._places[key] = place
        fit = self._fits[key]
        if self._queue.is_fused(fit):
            self._first_done.setdefault(self._queue.group_of(fit), place)
        self._queue.finish(key)

    # ------------------------------------------------------------------ what other drivers do

    def _look_elsewhere(self) -> None:
        """Takes in what others have finished; what is nobody's any more, as its driver died, waits here again."""
        started = time.monotonic()
        if not self._elsewhere or started < self._next_look:
            return
        finished = []
        for key, record in self._ledger.fit_states(self._elsewhere).items():
            if record.artifact is not None and record.position is not None:
                place = Place(record.artifact, record.position)
                self._found(place)
                self._place(key, place)
                finished.append(key)
            elif record.status in (FAILED, TIMED_OUT):
                self._tell(FitFailed(key, record.status, record.error or ""))
                self._lose_what_needs(key)
            elif record.driver is None:
                self._queue.put(self._fits[key])
            else:
                continue
            self._elsewhere.discard(key)
        if finished:
            self._tell(FitsFound(tuple(finished)))
        ended = time.monotonic()
        self._next_look = ended + max(LOOK, 10 * (ended - started))
