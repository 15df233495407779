"""The residual perceptron as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from probatum.errors import CampaignFileError
from probatum.learning.choices import among, check_number, check_numbers
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mlp_regressor import ACTIVATIONS, NORMS
from probatum.learning.scaling import Scaling

if TYPE_CHECKING:
    from probatum.learning.networks.residual_mlp import ResidualMLP


@dataclass(eq=False, repr=False)
class ResidualMLPRegressor(NetworkRegressor):
    """Pre-normalised residual blocks; how they are trained, see `NetworkRegressor`."""

    widths: Sequence[int] = (64, 64)
    """Units of each residual block."""
    activation: str = "relu"
    """'relu', 'tanh', 'gelu' or 'silu'."""
    norm: str = "layer"
    """'batch', 'layer' or 'none', before each activation."""
    categories: Sequence[Sequence[int]] = ()
    """(column, levels, width) of each column that holds the numbers of categories, from 0 to levels - 1: a learned
    vector of the width stands for it."""

    def validate(self) -> None:
        check_numbers("widths", self.widths, whole=True, least=1)
        among("activation", self.activation, ACTIVATIONS)
        among("norm", self.norm, NORMS)
        for place, category in enumerate(self.categories):
            where = f"categories[{place}]"
            if isinstance(category, str) or len(category) != 3:
                raise CampaignFileError(f"{where} = {category!r} cannot be used", remedy="[column, levels, width]")
            for name, number, least in zip(("column", "levels", "width"), category, (0, 1, 1), strict=True):
                check_number(f"{where} {name}", number, whole=True, least=least)
        columns = [category[0] for category in self.categories]
        if len(set(columns)) < len(columns):
            raise CampaignFileError("categories name a column twice", remedy="name each column once")
        super().validate()

    def architecture(self) -> Hashable:
        return (tuple(map(int, self.widths)), self.activation, self.norm, self._categories)

    def input_scaling(self, rows: np.ndarray) -> Scaling:
        scaling = super().input_scaling(rows)
        subtract, multiply = scaling.subtract.copy(), scaling.multiply.copy()
        for column, _, _ in self._categories:
            if column >= len(subtract):
                raise CampaignFileError(f"categories name column {column}, but there are {len(subtract)} columns")
            subtract[column], multiply[column] = 0.0, 1.0
        return Scaling(subtract, multiply)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> ResidualMLP:
        from probatum.learning.networks.residual_mlp import initial_residual_mlp

        widths = [int(width) for width in self.widths]
        return initial_residual_mlp(
            columns, widths, outputs, self.activation, self.norm, generator, categories=self._categories
        )

    @property
    def _categories(self) -> tuple[tuple[int, int, int], ...]:
        return tuple((int(column), int(levels), int(width)) for column, levels, width in self.categories)
