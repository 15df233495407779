"""The residual perceptron as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from probatum.learning.choices import among, check_numbers
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mlp_regressor import ACTIVATIONS, NORMS

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

    def validate(self) -> None:
        check_numbers("widths", self.widths, whole=True, least=1)
        among("activation", self.activation, ACTIVATIONS)
        among("norm", self.norm, NORMS)
        super().validate()

    def architecture(self) -> Hashable:
        return (tuple(map(int, self.widths)), self.activation, self.norm)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> ResidualMLP:
        from probatum.learning.networks.residual_mlp import initial_residual_mlp

        widths = [int(width) for width in self.widths]
        return initial_residual_mlp(columns, widths, outputs, self.activation, self.norm, generator)
