"""What a bundle predicts with: one model with its members, or a blend of such parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probatum.campaigns.members import LOGIT_MEAN, member_seed
from probatum.campaigns.recipe import Recipe
from probatum.interop.plain_models import Arrays, PlainModel, plain_model, require_own_code
from probatum.learning.blends import blend
from probatum.learning.ensembles import Stack, logit_mean

PARTS, WEIGHTS, STACK = "parts", "weights", "stack"
"""What the names of a blend's arrays begin with: those of its parts, and how it puts them together."""
STACKED = ("centre", "coefficients", "means")


@dataclass(frozen=True, eq=False)
class TrainedPart:
    """One model.

    Attributes:
        recipe: that it was trained by.
        members: [member][block of quantities] of trained models.
        seen: [member] columns of the bundle's inputs that each looks at; None for all.
    """

    recipe: Recipe
    members: Sequence[Sequence[PlainModel]]
    seen: Sequence[np.ndarray | None]

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """[case, quantity] float64 for inputs [case, column]."""
        members = np.stack([
            np.concatenate([model.predict(inputs if seen is None else inputs[:, seen]) for model in blocks], axis=1)
            for blocks, seen in zip(self.members, self.seen, strict=True)
        ])  # fmt: skip
        return logit_mean(members) if self.recipe.ensemble.combine == LOGIT_MEAN else members.mean(axis=0)

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names, and what is stored under them: '0/1/value' is of the first member's second block."""
        for m, blocks in enumerate(self.members):
            for b, model in enumerate(blocks):
                for name, array in model.arrays.items():
                    yield f"{m}/{b}/{name}", array

    def columns(self) -> Any:
        """`seen`, as plain values."""
        return [None if seen is None else seen.tolist() for seen in self.seen]


@dataclass(frozen=True, eq=False)
class BlendedPart:
    """Parts whose predictions become one.

    Attributes:
        parts: what is put together.
        by: the weights of the parts, [part] or [part, quantity], or a linear model of what they predict.
    """

    parts: Sequence[Part]
    by: np.ndarray | Stack

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """[case, quantity] float64 for inputs [case, column]."""
        predictions = np.stack([part.predict(inputs) for part in self.parts])
        return self.by.predict(predictions) if isinstance(self.by, Stack) else blend(predictions, self.by)

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names, and what is stored under them: 'parts/0/...' is of the first part."""
        for i, part in enumerate(self.parts):
            for name, array in part.arrays():
                yield f"{PARTS}/{i}/{name}", array
        if isinstance(self.by, Stack):
            for name in STACKED:
                yield f"{STACK}/{name}", getattr(self.by, name)
        else:
            yield WEIGHTS, self.by

    def columns(self) -> Any:
        """Those of each part, as plain values."""
        return [part.columns() for part in self.parts]


Part = TrainedPart | BlendedPart


def part_of(recipe: Recipe, arrays: Arrays, columns: Sequence[Any], seed: int) -> Part:
    """The part that wrote these arrays.

    Args:
        recipe: that it was trained by.
        arrays: as `arrays()` gave them.
        columns: as `columns()` gave them.
        seed: of the training.

    Raises:
        DataError: a model that cannot be kept so, or code that is not this program's.
        KeyError, ValueError: arrays or columns of another recipe.
    """
    require_own_code(recipe)
    if recipe.is_blend:
        given = zip(recipe.components, columns, strict=True)
        parts = [part_of(c, _below(arrays, f"{PARTS}/{i}/"), of, seed) for i, (c, of) in enumerate(given)]
        stacked = _below(arrays, f"{STACK}/")
        return BlendedPart(parts, Stack(*(stacked[name] for name in STACKED)) if stacked else arrays[WEIGHTS])
    seed = 0 if recipe.deterministic else seed
    seen = [None if c is None else np.array(c, dtype=np.int64) for c in columns]
    seeds = [member_seed(seed, member) for member in range(recipe.ensemble.members)]
    blocks: dict[int, dict[int, dict[str, np.ndarray]]] = {}
    for key, array in arrays.items():
        member, block, name = key.split("/", 2)
        blocks.setdefault(int(member), {}).setdefault(int(block), {})[name] = array
    members = [
        [plain_model(recipe, one)(blocks[m][b]) for b in sorted(blocks[m])]
        for m, one in zip(sorted(blocks), seeds, strict=True)
    ]
    return TrainedPart(recipe, members, seen)


def _below(arrays: Arrays, prefix: str) -> Mapping[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
