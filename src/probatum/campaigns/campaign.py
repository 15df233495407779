"""A campaign: plans the fits of its experiments, runs what the ledger does not hold, and can always be resumed."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from probatum.campaigns.artifacts import ArtifactStore, storage_errors
from probatum.campaigns.campaign_file import CampaignFile, read_campaign_file
from probatum.campaigns.events import (
    Event,
    ExperimentFinished,
    ExperimentKept,
    FitsFound,
    JobFinished,
    Listener,
    RoundStarted,
)
from probatum.campaigns.execution import (
    UNREAD,
    stored_curves,
    stored_prediction,
    stored_rows,
    stored_spread,
    stored_width,
)
from probatum.campaigns.executors import Executor
from probatum.campaigns.experiment import HELD_OUT, PROBES, Experiment, Mutation, trivial_experiments
from probatum.campaigns.fit import Fit
from probatum.campaigns.jobs import Place, Setup
from probatum.campaigns.ledger import (
    DONE,
    FAILED,
    SCORED,
    TIMED_OUT,
    CampaignRecord,
    ExperimentRecord,
    FitRecord,
    Ledger,
    SplitRecord,
)
from probatum.campaigns.ledger_files import LedgerSite, state_folder
from probatum.campaigns.local_executor import LocalExecutor
from probatum.campaigns.manifest import manifest
from probatum.campaigns.plan import Planner, closure, roles, store_splits
from probatum.campaigns.protocol import FRESH_DRAWS
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.runner import Runner
from probatum.campaigns.splits import Split, held_out_split, make_splits
from probatum.errors import (
    CampaignFileError,
    FinishedExperimentError,
    IncomparableError,
    ProtocolFrozenError,
    StorageError,
    UnknownNameError,
)
from probatum.notebook_tables import MOST_ROWS, number, table
from probatum.problems.problem import Dataset

ABANDONED = 3600.0
"""Seconds after which a file that is half written is thought to be a dead driver's, where several share a folder."""


@dataclass(frozen=True, eq=False)
class StoredPrediction:
    """One finished fit's predictions.

    Attributes:
        task, draw, split, split_digest, seed: of the fit.
        rows: [row] indices into the dataset.
        prediction: [row, quantity] float64.
        curves: name to [epoch] float32, NaN after the training stopped; {} where the learner has none.
        spread: [row, quantity] float64 predictive standard deviations; None where the learner has none.
        unread: parameters that the estimator did not look at.
        key: of the fit.
    """

    task: str
    draw: int
    split: str
    split_digest: str
    seed: int
    rows: np.ndarray
    prediction: np.ndarray
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    spread: np.ndarray | None = None
    unread: tuple[str, ...] = ()
    key: str = ""


class Campaign:
    """A campaign file and its state, `NAME.probatum/` beside it.

    Args:
        file: read and checked.
    """

    first_seed = 0
    """Where the seeds of its fits begin; another one for campaigns that train unchanged experiments once more."""

    def __init__(self, file: CampaignFile):
        self.file = file
        self.folder = state_folder(file.path)
        self._cores: int | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Campaign:
        """Opens the campaign of a file.

        Raises:
            CampaignFileError, UnknownNameError: the file cannot be used.
        """
        path = Path(path)
        here = str(path.resolve().parent)
        if here not in sys.path:  # so that a recipe may name the user's own module beside the file
            sys.path.insert(0, here)
        file = read_campaign_file(path)
        if file.problem.recorded:
            from probatum.campaigns.recorded_campaign import RecordedCampaign

            return RecordedCampaign(file)
        return cls(file)

    # ------------------------------------------------------------------ what there is

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """Task to its cases; of generated data, the first draw."""
        return {task: dataset for (task, draw), dataset in self.draws.items() if draw == 0}

    @cached_property
    def draws(self) -> dict[tuple[str, int], Dataset]:
        """(task, draw) to its cases: one draw, or as many as the protocol has fresh ones.

        Raises:
            CampaignFileError: tasks whose quantities differ, which no score sums up.
        """
        count = self.file.protocol.repeats if self.file.protocol.splits == FRESH_DRAWS else 1
        found = {
            (task, draw): self.file.problem.dataset(task, draw) for task in self.file.tasks for draw in range(count)
        }
        quantities = {dataset.quantity_names: task for (task, _), dataset in found.items()}
        if len(quantities) > 1:
            one, other = list(quantities.values())[:2]
            raise CampaignFileError(
                f"tasks '{one}' and '{other}' predict different quantities",
                where=self.file.path.name,
                remedy="make a campaign of each",
            )
        return found

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """All tasks' splits, draw by draw, in order."""
        where = self.file.path.name
        return tuple(s for d in self.draws.values() for s in make_splits(d, self.file.protocol, where=where))

    @cached_property
    def experiments(self) -> tuple[Experiment, ...]:
        """The trivial baselines, then the file's experiments."""
        return (*trivial_experiments(self.file.problem), *self.file.experiments)

    @property
    def baseline(self) -> str:
        """The experiment that the others are compared with."""
        return self.file.protocol.baseline or self.file.experiments[0].name

    @cached_property
    def ledger(self) -> Ledger:
        """The campaign's ledger, to be looked at."""
        return self.ledger_site.open()

    @property
    def ledger_site(self) -> LedgerSite:
        """Where the ledger is, and how it is driven."""
        return LedgerSite(self.file.path, self.file.ledger)

    @cached_property
    def store(self) -> ArtifactStore:
        """The campaign's artifacts."""
        return ArtifactStore(self.folder / "artifacts")

    def predictions(self, experiment: str) -> list[StoredPrediction]:
        """Out-of-fold predictions of an experiment's finished fits.

        Raises:
            UnknownNameError: no such experiment was run.
            IncomparableError: some of its fits are not finished.
        """
        records = self.ledger.fits(experiment, SCORED)
        if not records:
            raise UnknownNameError.of("experiment", experiment, [e.name for e in self.ledger.experiments()])
        missing = [r for r in records if r.status != DONE]
        if missing:
            states = ", ".join(sorted({r.status for r in missing}))
            raise IncomparableError(
                f"{len(missing)} of {len(records)} fits of '{experiment}' have no result ({states})",
                where=self.file.path.name,
                remedy="run the campaign to its end; 'probatum show' prints why fits failed",
            )
        read: dict[str, dict[str, np.ndarray]] = {}
        found = []
        for r in records:
            assert r.artifact is not None
            assert r.position is not None
            if r.artifact not in read:
                read[r.artifact] = self.store.read_arrays(r.artifact)
            found.append(_stored(r, read[r.artifact]))
        return found

    def weights(self, key: str) -> dict[str, np.ndarray]:
        """The trained weights of a fit, as its learner names them; {} where none were kept (`run.keep_weights`)."""
        record = self.ledger.fit_states([key]).get(key)
        if record is None or record.artifact is None:
            raise UnknownNameError(f"fit '{key[:12]}' has no result", remedy="run the campaign to its end")
        arrays = self.store.read_arrays(record.artifact)
        if "weights" not in arrays:
            return {}
        tensors = self.store.read_tensors(str(arrays["weights"]))
        return {name.partition("/")[2]: a for name, a in tensors.items() if name.startswith(f"{key}/")}

    def split_rows(self, digest: str) -> tuple[np.ndarray, np.ndarray]:
        """(train, test) rows of a recorded split."""
        record = self.ledger.split(digest)
        return stored_rows(self.store.read_arrays(record.artifact), record.position)

    def _repr_html_(self) -> str:
        """As a notebook shows it: what is asked and by which protocol, and how far each experiment is."""
        protocol = self.file.protocol
        states: dict[str, ExperimentRecord] = {}
        if self.ledger_site.exists():
            states = {r.name: r for r in self.ledger.experiments() if not r.name.startswith(PROBES)}
        names = dict.fromkeys([*(e.name for e in self.experiments), *states])
        planned = {e.name: e for e in self.experiments}
        rows = []
        for name in [*names][-MOST_ROWS:]:
            record, experiment = states.get(name), planned.get(name)
            known = record or experiment
            assert known is not None  # it is one of both
            fits = f"{record.done}/{record.fits}" if record else "-"
            score = number(record.score) if record else "-"
            rows.append(
                (name, known.parent or "-", record.status if record else "planned", fits, score, known.hypothesis or "")
            )
        headings = ("experiment", "parent", "status", ">fits", ">score", "hypothesis")
        notes = [f"The last {MOST_ROWS} of {len(names)} experiments."] if len(names) > MOST_ROWS else []
        notes += [
            self.file.problem.question,
            f"Tasks: {', '.join(self.file.tasks)}. Splits: {protocol.splits}, seeds: {protocol.seeds}, metric: "
            f"{protocol.metric} ({protocol.scoring}), margin: {number(protocol.margin)}, baseline: {self.baseline}.",
        ]
        return table(f"{self.file.path.name}: {self.file.problem.name}", headings, rows, notes)

    # ------------------------------------------------------------------ running

    def require_trainable(self) -> None:
        """Raises where nothing can be trained here.

        Raises:
            CampaignFileError: its runs were imported.
        """

    def run(
        self, tell: Listener = lambda _: None, *, retry_failed: bool = False, executor: Executor | None = None
    ) -> None:
        """Runs every fit that has not been run; may be stopped and called again at any time.

        Args:
            tell: called with every event.
            retry_failed: whether fits that failed before are tried again.
            executor: that carries jobs out; default: processes of this machine.

        Raises:
            CampaignLockedError, ProtocolFrozenError, FinishedExperimentError, LedgerError, StorageError, DataError.
        """
        splits = self.splits  # data and protocol are checked before anything is written
        with self.ledger_site.driving() as ledger:
            self._freeze(ledger)
            self.store.sweep(ABANDONED if ledger.several_drivers else 0.0)
            if retry_failed:
                ledger.reset_failed()
            self._run_round(ledger, splits, tell, executor)

    def use_cores(self, cores: int) -> None:
        """Uses this many cores, whatever the file says."""
        self._cores = cores

    def open_held_out(self, experiment: str, tell: Listener = lambda _: None) -> list[StoredPrediction]:
        """Trains an experiment on everything but the held-out cases and predicts those.

        The look is to be counted by whoever scores it (`Ledger.count_held_out`); the laboratory does.

        Raises:
            CampaignFileError: the protocol holds nothing out.
        """
        chosen = self._experiment(experiment)
        where = self.file.path.name
        splits = tuple(held_out_split(d, self.file.protocol, where=where) for d in self.datasets.values())
        probe = Experiment(f"{HELD_OUT} {experiment}", chosen.recipe, parent=experiment)
        with self.ledger_site.driving() as ledger:
            self._freeze(ledger)
            self._run_experiments(ledger, (probe,), splits, tell, None, ledger.last_round())
        return self.predictions(probe.name)

    def _run_round(self, ledger: Ledger, splits: Sequence[Split], tell: Listener, executor: Executor | None) -> None:
        known = {record.name for record in ledger.experiments()}
        fresh = any(e.name not in known for e in self.experiments)
        self._run_experiments(ledger, self.experiments, splits, tell, executor, ledger.last_round() + fresh)

    def _run_experiments(
        self,
        ledger: Ledger,
        experiments: Sequence[Experiment],
        splits: Sequence[Split],
        tell: Listener,
        executor: Executor | None,
        round_number: int,
    ) -> None:
        planner = Planner(self.file.problem, self.draws, self.file.protocol, self.first_seed)
        planned = {e.name: planner.fits(e.recipe, splits) for e in experiments}
        for name in self._finished_with_other_code(ledger, experiments, planned):
            del planned[name]
            tell(ExperimentKept(name))
        needed = closure(fit for fits in planned.values() for fit in fits)
        places = store_splits(needed.values(), self.store)
        for experiment in experiments:
            if experiment.name in planned:
                self._record(ledger, experiment, planned[experiment.name], places, round_number)
        states = ledger.fit_states(needed)
        settled = {key for key, r in states.items() if r.status in (DONE, FAILED, TIMED_OUT)}
        names = tuple(e.name for e in experiments)
        tell(RoundStarted(round_number, names, len(needed) - len(settled), len(settled)))
        if len(settled) < len(needed):
            missing = {name: set(closure(fits)) - settled for name, fits in planned.items()}
            owned = executor is None
            executor = executor or self._executor()
            runner = Runner(
                ledger,
                executor,
                {digest: Place(s.artifact, s.position) for digest, s in places.items()},
                self.conditions(),
                limit=self.file.run.limit,
                keep_weights=self.file.run.keep_weights,
                tell=_telling_of_experiments(tell, missing),
                width_of=lambda place: stored_width(self.store.read_arrays(place.artifact), place.position),
                found=self._require_here if ledger.several_drivers else lambda _: None,
            )
            try:
                runner.run(tuple(needed.values()))
            finally:
                if owned:
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

    def _finished_with_other_code(
        self, ledger: Ledger, experiments: Sequence[Experiment], planned: dict[str, list[Fit]]
    ) -> list[str]:
        """Finished experiments whose keys are no longer those of today's code and libraries."""
        finished = {r.name: r.digest for r in ledger.experiments() if r.status == "done"}
        known = ledger.fit_states(f.key for fits in planned.values() for f in fits)
        return [
            e.name
            for e in experiments
            if finished.get(e.name) == e.recipe.digest() and any(f.key not in known for f in planned[e.name])
        ]

    @property
    def setup(self) -> Setup:
        """What a worker needs to know of the campaign."""
        return Setup(
            str((self.folder / "artifacts").resolve()),
            self._problem_record(),
            str(self.file.protocol.metric),
            (str(self.file.path.resolve().parent),),
            self.file.protocol.group,
        )

    def conditions(self) -> dict[str, Any]:
        """Code, environment and data of a fit that is run now, as `manifest` describes them."""
        return manifest(self._problem_record(), self._by_label())

    def _executor(self) -> Executor:
        """Who trains, as [run] says."""
        settings = self.file.run.dask
        if self.file.run.executor == "local" or settings is None:
            return self._local_executor()
        if self._cores is not None:
            remedy = "leave the number of cores out: a cluster has the cores of its workers"
            raise CampaignFileError("cores are of the executor 'local'", where=self.file.path.name, remedy=remedy)
        from probatum.campaigns.dask_executor import DaskExecutor

        return DaskExecutor(self.setup, settings, self.folder, self.file.path.resolve().parent)

    def _local_executor(self) -> Executor:
        cores = self._cores or self.file.run.cores or os.cpu_count() or 1
        logs = self.folder
        if self.ledger_site.shared:  # other drivers may share the folder
            logs = logs / "logs" / f"{socket.gethostname()}-{os.getpid()}"
            with storage_errors(logs):
                logs.mkdir(parents=True, exist_ok=True)
        return LocalExecutor(self.setup, cores, logs)

    def _record(
        self,
        ledger: Ledger,
        experiment: Experiment,
        fits: Sequence[Fit],
        places: dict[str, SplitRecord],
        round_number: int,
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
            ledger.add_experiment(record, planned, splits.values())
        except FinishedExperimentError as error:
            raise self._changed(ledger, experiment, error) from None

    def _changed(
        self, ledger: Ledger, experiment: Experiment, error: FinishedExperimentError
    ) -> FinishedExperimentError:
        before = next(r for r in ledger.experiments() if r.name == experiment.name)
        mutation = Mutation.between(Recipe.model_validate(before.recipe), experiment.recipe)
        changed = f" ({mutation})" if mutation.changes else ""
        return FinishedExperimentError(f"{error.what}{changed}", where=self.file.path.name, remedy=error.remedy)

    # ------------------------------------------------------------------ what is frozen

    def _problem_record(self) -> dict[str, object]:
        kind, options = self.file.problem_spec
        return {"kind": kind, "options": dict(options)}

    def require_unchanged(self) -> None:
        """Raises where problem, tasks, protocol or data are not those of the first run.

        Raises:
            ProtocolFrozenError: the first that differs.
        """
        frozen = self.ledger.frozen()
        if frozen is not None:
            self._require_same(frozen, self._campaign_record())

    def _freeze(self, ledger: Ledger) -> None:
        now, frozen = self._campaign_record(), ledger.frozen()
        if frozen is None:
            ledger.freeze(now)
        else:
            self._require_same(frozen, now)

    def _campaign_record(self) -> CampaignRecord:
        data = {label: d.digest for label, d in self._by_label().items()}
        return CampaignRecord(self._problem_record(), self.file.tasks, self.file.protocol.model_dump(), data)

    def _require_same(self, frozen: CampaignRecord, now: CampaignRecord) -> None:
        where = self.file.path.name
        self.file.protocol.require_same(dict(frozen.protocol), where=where)
        remedy = "put it back, or save the file under a new name to start a new campaign"
        if frozen.problem["kind"] != now.problem["kind"] or tuple(frozen.tasks) != now.tasks:
            raise ProtocolFrozenError("problem or task changed since the first run", where=where, remedy=remedy)
        for task, digest in now.data.items():
            if frozen.data[task] != digest:
                raise ProtocolFrozenError(
                    f"the data of task '{task}' changed since the first run", where=where, remedy=remedy
                )

    def _by_label(self) -> dict[str, Dataset]:
        """Task, with the number of the draw where there are several, to dataset."""
        return {f"{task} draw {draw + 1}" if draw else task: dataset for (task, draw), dataset in self.draws.items()}

    def _experiment(self, name: str) -> Experiment:
        for experiment in self.experiments:
            if experiment.name == name:
                return experiment
        raise UnknownNameError.of("experiment", name, [e.name for e in self.experiments], where=self.file.path.name)


def _stored(record: FitRecord, arrays: dict[str, np.ndarray]) -> StoredPrediction:
    assert record.position is not None
    rows, prediction = stored_prediction(arrays, record.position)
    return StoredPrediction(
        record.task,
        record.draw,
        record.split_name,
        record.split,
        record.seed,
        rows,
        prediction,
        stored_curves(arrays, record.position),
        stored_spread(arrays, record.position),
        tuple(arrays[UNREAD].tolist()) if UNREAD in arrays else (),
        record.key,
    )


def _telling_of_experiments(tell: Listener, missing: dict[str, set[str]]) -> Listener:
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
