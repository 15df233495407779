"""Trains a recipe on all cases of a task, in the plain form that a bundle keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from probatum.campaigns.campaign import Campaign
from probatum.campaigns.execution import Bench, combination
from probatum.campaigns.fit_inputs import member_columns, row_weights
from probatum.campaigns.members import member_seed
from probatum.campaigns.new_cases import out_of_fold
from probatum.campaigns.recipe import Recipe
from probatum.campaigns.saved_model import trained_weights
from probatum.campaigns.splits import Split
from probatum.errors import DataError, FitError
from probatum.interop.bundle_parts import BlendedPart, Part, TrainedPart
from probatum.interop.plain_models import FORMS, PlainModel, plain_model
from probatum.problems.problem import Dataset

TOLERANCE = 1e-9
"""By which a plain model may differ from the estimator that it was made of, over the largest prediction."""
MOST_CHECKED = 256
"""Cases that a plain model is compared with its estimator on."""


@dataclass(frozen=True, eq=False)
class BundleTraining:
    """What a bundle is trained on.

    Attributes:
        campaign, dataset: of the experiment.
        rows: [row] of the dataset that train.
        inputs: [case, column] float64 of all features that any model of the bundle looks at.
        widths: feature to its number of columns, in order.
        cores: that may be used.
    """

    campaign: Campaign
    dataset: Dataset
    rows: np.ndarray
    inputs: np.ndarray
    widths: Mapping[str, int]
    cores: int

    def part(self, recipe: Recipe, seed: int) -> Part:
        """A recipe, trained; of a blend its components, and their weights where these are learned.

        Args:
            recipe: of models that can be kept.
            seed: of the training.

        Raises:
            FitError: a training failed.
            DataError: a plain model does not predict what its estimator does.
        """
        if recipe.is_blend:
            parts = [self.part(component, seed) for component in recipe.components]
            return BlendedPart(parts, combination(recipe, len(parts), lambda: self._out_of_fold(recipe, seed)))
        seed = 0 if recipe.deterministic else seed
        seeds = [member_seed(seed, member) for member in range(recipe.ensemble.members)]
        own = self._columns_of(recipe)
        if recipe.kind in FORMS:
            widths = {name: self.widths[name] for name in recipe.features}
            drawn = [member_columns(recipe, widths, one) for one in seeds]
            seen = [own if mask is None else own[mask] for mask in drawn]
            members = [self._blocks(recipe, one, columns) for one, columns in zip(seeds, seen, strict=True)]
            return TrainedPart(recipe, members, [self._or_all(columns) for columns in seen])
        problem, group = self.campaign.file.problem, self.campaign.file.protocol.group
        weights = trained_weights(recipe, problem, self.dataset, self.rows, group, seed, self.cores)
        members = [
            [plain_model(recipe, one)(block) for block in blocks] for one, blocks in zip(seeds, weights, strict=True)
        ]
        return TrainedPart(recipe, members, [self._or_all(own)] * len(seeds))

    def _out_of_fold(self, recipe: Recipe, seed: int) -> tuple[np.ndarray, np.ndarray]:
        dataset, bench = self.dataset, Bench(self.campaign.setup, lambda _, __: self.dataset)
        split = Split(dataset.task, dataset.draw, "all cases", self.rows, self.rows[:0], dataset.digest)
        return out_of_fold(bench, recipe, split, seed, dataset, self.campaign, self.cores)

    def _columns_of(self, recipe: Recipe) -> np.ndarray:
        """Where a recipe's own inputs stand among all."""
        starts = dict(zip(self.widths, np.cumsum([0, *self.widths.values()]).tolist(), strict=False))
        return np.concatenate([starts[name] + np.arange(self.widths[name]) for name in recipe.features])

    def _or_all(self, columns: np.ndarray) -> np.ndarray | None:
        return None if np.array_equal(columns, np.arange(self.inputs.shape[1])) else columns

    def _blocks(self, recipe: Recipe, seed: int, columns: np.ndarray) -> list[PlainModel]:
        """[block of quantities] of models, each with its estimator compared."""
        targets, count = self.dataset.targets()[self.rows], len(self.dataset.quantities)
        joint = recipe.learner.joint and not recipe.per_target
        weights = row_weights(recipe, self.dataset, self.rows)
        given = {} if weights is None else {"sample_weight": weights}
        x = np.ascontiguousarray(self.inputs[self.rows][:, columns])
        kept: list[PlainModel] = []
        for some in [list(range(count))] if joint else [[q] for q in range(count)]:
            y = targets[:, some]
            estimator = recipe.learner.build(recipe.parameters, seed)
            try:
                estimator.fit(x, y[:, 0] if len(some) == 1 else y, **given)
            except Exception as error:  # a library's own, of any kind
                raise FitError(f"{type(error).__name__}: {error}", where=recipe.kind) from None
            kept.append(FORMS[recipe.kind].of(estimator))
            expected = np.asarray(estimator.predict(x[:MOST_CHECKED]), dtype=np.float64).reshape(-1, len(some))
            _check_same(kept[-1].predict(x[:MOST_CHECKED]), expected, recipe.kind)
        return kept


def _check_same(found: np.ndarray, expected: np.ndarray, kind: str) -> None:
    """A plain model predicts what its estimator does."""
    scale = max(float(np.abs(expected).max(initial=0.0)), 1e-300)
    if not np.allclose(found, expected, rtol=0, atol=TOLERANCE * scale):
        far = float(np.abs(found - expected).max()) / scale
        raise DataError(f"does not predict what was trained (off by {far:.2g})", where=kind)
