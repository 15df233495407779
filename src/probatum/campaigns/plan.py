"""Which fits an experiment needs, and where their rows lie: what is decided before anything trains."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from probatum.campaigns.artifact_arrays import split_arrays
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.fit import Fit, code_versions
from probatum.campaigns.ledgers.ledger import NEEDED, SCORED, PlannedFit, SplitRecord
from probatum.campaigns.protocol import Protocol
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.splits import Split, inner_splits
from probatum.problems.problem import Dataset, Problem


@dataclass(frozen=True, eq=False)
class Planner:
    """Plans fits under one protocol.

    Attributes:
        problem, protocol: of the campaign.
        draws: (task, draw) to dataset.
        seeds: of the trainings; the first alone where no seed matters.
    """

    problem: Problem
    draws: Mapping[tuple[str, int], Dataset]
    protocol: Protocol
    seeds: range

    def fits(self, recipe: Recipe, splits: Iterable[Split]) -> list[Fit]:
        """The fits whose predictions are an experiment's: every split with every seed."""
        seeds = self.seeds[:1] if recipe.deterministic else self.seeds
        return [self._fit(recipe, split, seed) for split in splits for seed in seeds]

    def _fit(self, recipe: Recipe, split: Split, seed: int) -> Fit:
        seed = 0 if recipe.deterministic else seed
        code = code_versions(recipe, self.problem)
        if not recipe.is_blend:
            return Fit(recipe, split, seed, code)
        components = tuple(self._fit(c, split, seed) for c in recipe.components)
        if not recipe.chooses_inside:
            return Fit(recipe, split, seed, code, components=components)
        inner = inner_splits(split, self.draws[split.task, split.draw], self.protocol, recipe.inner_folds)
        inside = tuple(tuple(self._fit(c, part, seed) for c in recipe.components) for part in inner)
        return Fit(recipe, split, seed, code, inner, components, inside)


def closure(fits: Iterable[Fit]) -> dict[str, Fit]:
    """Key to fit, of these and of all that they need."""
    found: dict[str, Fit] = {}
    waiting = deque(fits)
    while waiting:
        fit = waiting.popleft()
        if fit.key not in found:
            found[fit.key] = fit
            waiting.extend(fit.needs)
    return found


def roles(fits: Sequence[Fit]) -> list[PlannedFit]:
    """An experiment's fits and those that they need, as the ledger records them."""
    scored = {fit.key for fit in fits}
    return [
        PlannedFit(key, fit.split.digest, fit.seed, SCORED if key in scored else NEEDED)
        for key, fit in closure(fits).items()
    ]


def store_splits(fits: Iterable[Fit], store: ArtifactStore) -> dict[str, SplitRecord]:
    """Writes the rows of all splits that the fits need, one artifact for each task and draw.

    Returns:
        split digest to its record.

    Raises:
        StorageError: they cannot be written.
    """
    by_data: dict[tuple[str, int], dict[str, Split]] = {}
    for fit in fits:
        for split in (fit.split, *fit.inner):
            by_data.setdefault((split.task, split.draw), {})[split.digest] = split
    records = {}
    for (task, draw), splits in by_data.items():
        artifact = store.write_arrays(split_arrays(tuple(splits.values())))
        for position, (digest, s) in enumerate(splits.items()):
            records[digest] = SplitRecord(digest, task, draw, s.name, artifact, position, len(s.train), len(s.test))
    return records
