"""The multilayer perceptron as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from probatum.learning.choices import among, check_numbers
from probatum.learning.networks.estimator import NetworkRegressor

if TYPE_CHECKING:
    from probatum.learning.networks.mlp import MLP

ACTIVATIONS = ("relu", "tanh", "gelu", "silu")
NORMS = ("batch", "layer", "none")


@dataclass(eq=False, repr=False)
class MLPRegressor(NetworkRegressor):
    """Dense layers; how they are trained, see `NetworkRegressor`."""

    hidden: Sequence[int] = (32, 16)
    """Units of each hidden layer; () is a linear model."""
    activation: str = "relu"
    """'relu', 'tanh', 'gelu' or 'silu'."""
    norm: str = "batch"
    """'batch', 'layer' or 'none', before each activation."""

    def validate(self) -> None:
        check_numbers("hidden", self.hidden, whole=True, least=1)
        among("activation", self.activation, ACTIVATIONS)
        among("norm", self.norm, NORMS)
        super().validate()

    def architecture(self) -> Hashable:
        return (tuple(map(int, self.hidden)), self.activation, self.norm)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> MLP:
        from probatum.learning.networks.mlp import initial_mlp

        sizes = (columns, *map(int, self.hidden), outputs)
        return initial_mlp(sizes, self.activation, self.norm, "linear", generator)
