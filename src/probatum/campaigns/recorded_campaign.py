"""A campaign of runs that another program made: everything that only looks works on it, and nothing can be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NoReturn

import numpy as np

from probatum.campaigns.artifact_arrays import stored_curves
from probatum.campaigns.campaign import Campaign
from probatum.campaigns.campaign_file import CampaignFile
from probatum.campaigns.experiment import Experiment, Mutation
from probatum.campaigns.ledgers.files import LEDGER
from probatum.campaigns.ledgers.ledger import FitRecord, SplitRecord
from probatum.campaigns.ledgers.recorded_ledger import RecordedLedger, RecordedScore
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import Split
from probatum.campaigns.stored_predictions import StoredPrediction
from probatum.errors import CampaignFileError, UnknownNameError
from probatum.problems.imported import Imported
from probatum.problems.problem import Dataset, Origin, Quantity, Truth

KIND = "imported"
"""`model.kind` of recipes that say only which parameters a run had; no learner has this name."""


def imported_recipe(parameters: Mapping[str, Any]) -> Recipe:
    """A foreign run's parameters as a recipe, which no learner can train: they stand under `training`."""
    return Recipe(model={"kind": KIND}, training=dict(parameters))


@dataclass(frozen=True, eq=False)
class RecordedSplit(Split):
    """A fold of another program, of which nobody here knows the rows.

    Attributes:
        recorded: its digest: of the source and of the fold's name.
    """

    recorded: str = ""

    @cached_property
    def digest(self) -> str:
        """As it was recorded; more folds of a later import do not change it."""
        return self.recorded


class RecordedCampaign(Campaign):
    """A campaign file that 'probatum import' wrote, and the ledger beside it.

    A fold of the runs is a split, each with one case that stands for all that the other program scored there; a draw
    is a seed that drew its own data. The score takes the place of the prediction (metrics `recorded_*`).

    Args:
        file: read and checked.

    Raises:
        CampaignFileError: nothing was imported yet.
        UnknownNameError: a baseline that is not among the runs.
    """

    def __init__(self, file: CampaignFile):
        super().__init__(file)
        if not self.ledger_site.exists():
            remedy = "run 'probatum import' once more"
            raise CampaignFileError("holds no imported runs", where=file.path.name, remedy=remedy)
        self.file = replace(file, experiments=self._recorded_experiments())
        names = [e.name for e in self.file.experiments]
        if file.protocol.baseline is not None and file.protocol.baseline not in names:
            raise UnknownNameError.of("baseline experiment", file.protocol.baseline, names, where=file.path.name)

    @property
    def problem(self) -> Imported:
        """Where the runs are from, and what was taken for what."""
        assert isinstance(self.file.problem, Imported)
        return self.file.problem

    # ------------------------------------------------------------------ what is asked, and what is stored

    @cached_property
    def ledger(self) -> RecordedLedger:
        """The campaign's ledger, to be looked at."""
        return RecordedLedger.at(self.folder / LEDGER, read_only=True)

    @cached_property
    def draws(self) -> dict[tuple[str, int], Dataset]:
        """(task, draw) to its folds as cases; their truth is not known here."""
        places: dict[tuple[str, int], list[SplitRecord]] = {}
        for split in self._split_records:
            places.setdefault((split.task, split.draw), []).append(split)
        return {key: self._dataset(splits) for key, splits in sorted(places.items())}

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """One for each fold, in order."""
        found = []
        for (task, draw), dataset in self.draws.items():
            rows = np.arange(len(dataset))
            of_draw = [s for s in self._split_records if (s.task, s.draw) == (task, draw)]
            found += [
                RecordedSplit(task, draw, s.name, np.delete(rows, i), rows[i : i + 1], dataset.digest, s.digest)
                for i, s in enumerate(of_draw)
            ]
        return tuple(found)

    @cached_property
    def scores(self) -> dict[str, list[RecordedScore]]:
        """Experiment to its finished repeats."""
        found: dict[str, list[RecordedScore]] = {}
        for score in self.ledger.recorded_scores():
            found.setdefault(score.experiment, []).append(score)
        return found

    @cached_property
    def repeats(self) -> dict[str, list[FitRecord]]:
        """Experiment to its repeats, finished or not."""
        return self.ledger.repeats()

    @cached_property
    def splits_by_digest(self) -> dict[str, Split]:
        """Digest to fold, in order."""
        return {split.digest: split for split in self.splits}

    def predictions(self, experiment: str) -> list[StoredPrediction]:
        """The scores of an experiment's repeats, each in the place of one prediction, with its learning curves."""
        if experiment not in self.scores:
            raise UnknownNameError.of("finished experiment", experiment, self.scores, where=self.file.path.name)
        splits = self.splits_by_digest
        fits = {fit.key: fit for fit in self.repeats[experiment]}
        found = []
        for score in self.scores[experiment]:
            split, fit = splits[score.split], fits[score.key]
            curves = {} if fit.artifact is None else self._curves(fit.artifact, fit.position or 0)
            found.append(
                StoredPrediction(
                    split.task, split.draw, split.name, split.digest, score.seed, split.test,
                    np.array([[score.score]]), curves, key=score.key,
                )
            )  # fmt: skip
        return found

    def require_trainable(self) -> NoReturn:
        """Refuses whatever would train: the data are not here, nor what was run."""
        raise CampaignFileError(
            "its runs were imported and are read-only: there is no data here to train on",
            where=self.file.path.name,
            remedy=f"run them where they were made ({self.problem.importer}), then import again",
        )

    # ------------------------------------------------------------------ from the ledger

    @cached_property
    def _split_records(self) -> list[SplitRecord]:
        """As the ledger knows them, draws counted from 0."""
        records = self.ledger.splits()
        place = {draw: i for i, draw in enumerate(sorted({r.draw for r in records}))}
        return [replace(r, draw=place[r.draw]) for r in records]

    def _dataset(self, splits: Sequence[SplitRecord]) -> Dataset:
        first, quantity = splits[0], Quantity(self.problem.metric, "1")
        unknown = Truth(np.full((len(splits), 1), np.nan))
        return Dataset(
            KIND, first.task, np.array([s.name for s in splits]), {}, {}, (quantity,), unknown, {},
            Origin(), supervised=False, draw=first.draw,
        )  # fmt: skip

    def _recorded_experiments(self) -> tuple[Experiment, ...]:
        records = self.ledger.experiments()
        recipes = {r.name: Recipe.model_validate(r.recipe) for r in records}
        return tuple(
            Experiment(
                r.name,
                recipes[r.name],
                r.parent,
                Mutation.between(recipes[r.parent], recipes[r.name]) if r.parent in recipes else None,
                r.hypothesis,
            )
            for r in records
        )

    @cached_property
    def _curves(self) -> Any:
        """From (artifact, position) to curves; the files that were read last are kept."""
        read = lru_cache(maxsize=4)(self.store.read_arrays)

        def curves(artifact: str, position: int) -> dict[str, np.ndarray]:
            stored = stored_curves(read(artifact), position)
            return {name: values for name, values in stored.items() if not np.isnan(values).all()}

        return curves
