"""A campaign: what its file asks, what was found, and the runs between; it can always be resumed."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from probatum.campaigns import frozen_campaign, stored_predictions
from probatum.campaigns.artifact_arrays import stored_rows
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.campaign_file import CampaignFile, read_campaign_file
from probatum.campaigns.campaign_table import campaign_table
from probatum.campaigns.chosen_executor import chosen_executor
from probatum.campaigns.events import Listener
from probatum.campaigns.executors.executor import Executor
from probatum.campaigns.experiment import HELD_OUT, Experiment, trivial_experiments
from probatum.campaigns.import_path import import_own_modules_from
from probatum.campaigns.jobs import Setup
from probatum.campaigns.ledgers.files import LedgerSite, state_folder
from probatum.campaigns.ledgers.ledger import Ledger
from probatum.campaigns.manifest import manifest
from probatum.campaigns.protocol import FRESH_DRAWS
from probatum.campaigns.splits import Split, held_out_split, make_splits
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.campaigns.training import Training
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.problems.problem import Dataset

ABANDONED = 3600.0
"""Seconds after which a file that is half written is thought to be a dead driver's, where several share a folder."""


class Campaign:
    """A campaign file and its state, `NAME.probatum/` beside it.

    Args:
        file: read and checked.
    """

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
        import_own_modules_from([str(path.resolve().parent)])  # a recipe may name one that lies beside the file
        file = read_campaign_file(path)
        if file.problem.recorded:
            from probatum.campaigns.recorded_campaign import RecordedCampaign

            return RecordedCampaign(file)
        return cls(file)

    # ------------------------------------------------------------------ what is asked

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

    def experiment(self, name: str) -> Experiment:
        """An experiment that is to be run, or was, by its name.

        Raises:
            UnknownNameError: the file has none of that name.
        """
        for experiment in self.experiments:
            if experiment.name == name:
                return experiment
        raise UnknownNameError.of("experiment", name, [e.name for e in self.experiments], where=self.file.path.name)

    @property
    def baseline(self) -> str:
        """The experiment that the others are compared with."""
        return self.file.protocol.baseline or self.file.experiments[0].name

    # ------------------------------------------------------------------ what is stored

    @property
    def ledger_site(self) -> LedgerSite:
        """Where the ledger is, and how it is driven."""
        return LedgerSite(self.file.path, self.file.ledger)

    @cached_property
    def ledger(self) -> Ledger:
        """The campaign's ledger, to be looked at."""
        return self.ledger_site.open()

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
        return stored_predictions.read_predictions(self.ledger, self.store, experiment, where=self.file.path.name)

    def weights(self, key: str) -> dict[str, np.ndarray]:
        """The trained weights of a fit, as its learner names them; {} where none were kept (`run.keep_weights`).

        Raises:
            UnknownNameError: the fit is not finished.
        """
        return stored_predictions.read_weights(self.ledger, self.store, key)

    def split_rows(self, digest: str) -> tuple[np.ndarray, np.ndarray]:
        """(train, test) rows of a recorded split."""
        record = self.ledger.split(digest)
        return stored_rows(self.store.read_arrays(record.artifact), record.position)

    def _repr_html_(self) -> str:
        """As a notebook shows it: what is asked and by which protocol, and how far each experiment is."""
        return campaign_table(self)

    # ------------------------------------------------------------------ what is run

    def require_trainable(self) -> None:
        """Raises where nothing can be trained here.

        Raises:
            CampaignFileError: its runs were imported.
        """

    def require_unchanged(self) -> None:
        """Raises where problem, tasks, protocol or data are not those of the first run.

        Raises:
            ProtocolFrozenError: the first that differs.
        """
        frozen_campaign.require_unchanged(self.ledger, self.file, self.draws)

    def run(
        self, tell: Listener = lambda _: None, *, retry_failed: bool = False, executor: Executor | None = None
    ) -> None:
        """Runs every fit that has not been run; may be stopped and called again at any time.

        Args:
            tell: called with every event.
            retry_failed: whether fits that failed before are tried again.
            executor: that carries jobs out; default: as [run] says.

        Raises:
            CampaignLockedError, ProtocolFrozenError, FinishedExperimentError, LedgerError, StorageError, DataError.
        """
        self.require_trainable()
        splits = self.splits  # data and protocol are checked before anything is written
        with self._training(tell) as training:
            ledger = training.ledger
            self.store.sweep(ABANDONED if ledger.several_drivers else 0.0)
            if retry_failed:
                ledger.reset_failed()
            known = {record.name for record in ledger.experiments()}
            fresh = any(e.name not in known for e in self.experiments)
            training.run(self.experiments, splits, ledger.last_round() + fresh, executor=executor)

    def run_beside(
        self,
        probes: Sequence[Experiment],
        tell: Listener = lambda _: None,
        *,
        splits: Sequence[Split] | None = None,
        seeds: range | None = None,
    ) -> None:
        """Trains experiments that stand beside the tree: to confirm, control or choose one of its own.

        The protocol stays frozen as it is. A fit's key knows neither how many splits nor how many seeds there are, so
        that fits are found in the ledger where the same were run for the tree, and the other way round.

        Args:
            probes: under names with a prefix of `probatum.campaigns.experiment.PROBES`.
            tell: called with every event.
            splits: that they are trained on; default: the campaign's.
            seeds: that they are trained with; default: the protocol's.

        Raises:
            Those of `run`.
        """
        self.require_trainable()
        chosen = self.splits if splits is None else splits
        with self._training(tell) as training:
            training.run(probes, chosen, training.ledger.last_round(), seeds=seeds)

    def open_held_out(self, experiment: str, tell: Listener = lambda _: None) -> list[StoredPrediction]:
        """Trains an experiment on everything but the held-out cases and predicts those.

        The look is to be counted by whoever scores it (`Ledger.count_held_out`); the laboratory does.

        Raises:
            CampaignFileError: the protocol holds nothing out.
        """
        self.require_trainable()
        chosen, where = self.experiment(experiment), self.file.path.name
        splits = tuple(held_out_split(d, self.file.protocol, where=where) for d in self.datasets.values())
        probe = Experiment(f"{HELD_OUT} {experiment}", chosen.recipe, parent=experiment)
        self.run_beside((probe,), tell, splits=splits)
        return self.predictions(probe.name)

    def use_cores(self, cores: int) -> None:
        """Uses this many cores, whatever the file says."""
        self._cores = cores

    def executor(self) -> Executor:
        """Starts who trains, as [run] says; whoever asked closes it."""
        return chosen_executor(self.file, self.setup, self.folder, self._cores)

    @property
    def setup(self) -> Setup:
        """What a worker needs to know of the campaign."""
        return Setup(
            str((self.folder / "artifacts").resolve()),
            self.file.problem_record,
            str(self.file.protocol.metric),
            (str(self.file.path.resolve().parent),),
            self.file.protocol.group,
        )

    def conditions(self) -> dict[str, Any]:
        """Code, environment and data of a fit that is run now, as `manifest` describes them."""
        return manifest(self.file.problem_record, self.draws)

    @contextmanager
    def _training(self, tell: Listener) -> Generator[Training]:
        """Where experiments are trained, while this process drives the campaign."""
        with self.ledger_site.driving() as ledger:
            frozen_campaign.freeze(ledger, self.file, self.draws)
            yield Training(self.file, self.draws, self.store, ledger, self.executor, tell)
