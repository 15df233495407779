"""Trains experiments: plans their fits, records them, and runs those that the ledger does not hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from probatum.campaigns.artifact_arrays import stored_width
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.campaign_file import CampaignFile
from probatum.campaigns.events import (
    Event,
    ExperimentFinished,
    ExperimentKept,
    FitsFound,
    JobFinished,
    Listener,
    RoundStarted,
)
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.experiment import Experiment, Mutation
from probatum.campaigns.fit import Fit
from probatum.campaigns.jobs import Place
from probatum.campaigns.ledgers.ledger import DONE, FAILED, TIMED_OUT, ExperimentRecord, Ledger, SplitRecord
from probatum.campaigns.manifest import manifest
from probatum.campaigns.plan import Planner, closure, roles, store_splits
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.runner import Runner
from probatum.campaigns.splits import Split
from probatum.errors import FinishedExperimentError, StorageError
from probatum.problems.problem import Dataset


@dataclass(frozen=True, eq=False)
class Training:
    """Trains experiments of a campaign, and records them in its ledger.

    Attributes:
        file: of the campaign.
        draws: (task, draw) to dataset.
        store: of the campaign's artifacts.
        ledger: that this process drives.
        make_executor: starts who trains; called where a fit is missing.
        tell: called with every event.
    """

    file: CampaignFile
    draws: Mapping[tuple[str, int], Dataset]
    store: ArtifactStore
    ledger: Ledger
    make_executor: Callable[[], Executor]
    tell: Listener

    def run(
        self,
        experiments: Sequence[Experiment],
        splits: Sequence[Split],
        round_number: int,
        *,
        seeds: range | None = None,
        executor: Executor | None = None,
    ) -> None:
        """Trains what is missing of experiments; may be stopped and called again at any time.

        Args:
            experiments: that are wanted.
            splits: that each of them is trained on.
            round_number: under which those that are new are recorded.
            seeds: that each is trained with; default: the protocol's.
            executor: that carries jobs out, left open; default: one of its own.

        Raises:
            FinishedExperimentError, LedgerError, StorageError, DataError.
        """
        protocol = self.file.protocol
        planner = Planner(self.file.problem, self.draws, protocol, range(protocol.seeds) if seeds is None else seeds)
        planned = {e.name: planner.fits(e.recipe, splits) for e in experiments}
        for name in self._finished_with_other_code(experiments, planned):
            del planned[name]
            self.tell(ExperimentKept(name))
        needed = closure(fit for fits in planned.values() for fit in fits)
        places = store_splits(needed.values(), self.store)
        for experiment in experiments:
            if experiment.name in planned:
                self._record(experiment, planned[experiment.name], places, round_number)
        states = self.ledger.fit_states(needed)
        settled = {key for key, r in states.items() if r.status in (DONE, FAILED, TIMED_OUT)}
        names = tuple(e.name for e in experiments)
        self.tell(RoundStarted(round_number, names, len(needed) - len(settled), len(settled)))
        if len(settled) < len(needed):
            missing = {name: set(closure(fits)) - settled for name, fits in planned.items()}
            self._run_fits(tuple(needed.values()), places, _telling_of_experiments(self.tell, missing), executor)

    def _run_fits(
        self, fits: Sequence[Fit], places: Mapping[str, SplitRecord], tell: Listener, given: Executor | None
    ) -> None:
        conditions = manifest(self.file.problem_record, self.draws)
        executor = self.make_executor() if given is None else given
        try:
            Runner(
                self.ledger,
                executor,
                {digest: Place(s.artifact, s.position) for digest, s in places.items()},
                conditions,
                limit=self.file.run.limit,
                keep_weights=self.file.run.keep_weights,
                tell=tell,
                width_of=lambda place: stored_width(self.store.read_arrays(place.artifact), place.position),
                found=self._require_here if self.ledger.several_drivers else lambda _: None,
            ).run(fits)
        finally:
            if given is None:
                executor.close()

    def _require_here(self, place: Place) -> None:
        """Raises where what another driver wrote is not in this one's folder."""
        file = self.store.path(place.artifact)
        if not file.exists():
            raise StorageError(
                "the ledger names this file, which another driver wrote, and it is not here",
                where=str(file),
                remedy="let all drivers share this folder, or copy the other's into it, and run again",
            )

    # ------------------------------------------------------------------ what is recorded

    def _finished_with_other_code(
        self, experiments: Sequence[Experiment], planned: Mapping[str, Sequence[Fit]]
    ) -> list[str]:
        """Finished experiments whose keys are no longer those of today's code and libraries."""
        finished = {r.name: r.digest for r in self.ledger.experiments() if r.status == "done"}
        known = self.ledger.fit_states(f.key for fits in planned.values() for f in fits)
        return [
            e.name
            for e in experiments
            if finished.get(e.name) == e.recipe.digest() and any(f.key not in known for f in planned[e.name])
        ]

    def _record(
        self, experiment: Experiment, fits: Sequence[Fit], places: Mapping[str, SplitRecord], round_number: int
    ) -> None:
        record = ExperimentRecord(
            experiment.name,
            experiment.recipe.canonical(),
            experiment.recipe.digest(),
            experiment.parent,
            str(experiment.mutation) if experiment.mutation else None,
            experiment.hypothesis,
            round_number,
        )
        planned = roles(fits)
        splits = {fit.split: places[fit.split] for fit in planned}
        try:
            self.ledger.add_experiment(record, planned, splits.values())
        except FinishedExperimentError as error:
            raise self._changed(experiment, error) from None

    def _changed(self, experiment: Experiment, error: FinishedExperimentError) -> FinishedExperimentError:
        """The ledger's refusal, with what differs from the recipe that was run."""
        before = next(r for r in self.ledger.experiments() if r.name == experiment.name)
        mutation = Mutation.between(Recipe.model_validate(before.recipe), experiment.recipe)
        changed = f" ({mutation})" if mutation.changes else ""
        return FinishedExperimentError(f"{error.what}{changed}", where=self.file.path.name, remedy=error.remedy)


def _telling_of_experiments(tell: Listener, missing: Mapping[str, set[str]]) -> Listener:
    """A listener that also tells when the last missing fit of an experiment is recorded."""
    needed_by: dict[str, list[str]] = {}
    for name, keys in missing.items():
        for key in keys:
            needed_by.setdefault(key, []).append(name)
    left = {name: len(keys) for name, keys in missing.items()}

    def listen(event: Event) -> None:
        if isinstance(event, JobFinished | FitsFound):
            for key in event.keys:
                for name in needed_by.pop(key, ()):
                    left[name] -= 1
                    if not left[name]:
                        tell(ExperimentFinished(name))
        tell(event)

    return listen
