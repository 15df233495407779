"""The mixture of experts as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from probatum.learning.choices import among, check_number, check_numbers
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mlp_regressor import ACTIVATIONS, NORMS

if TYPE_CHECKING:
    from probatum.learning.networks.mixture_of_experts import MixtureOfExperts


@dataclass(eq=False, repr=False)
class MixtureOfExpertsRegressor(NetworkRegressor):
    """Perceptrons weighed row by row by a gate; how they are trained, see `NetworkRegressor`."""

    experts: int = 4
    """How many; all of them are computed."""
    hidden: Sequence[int] = (32, 16)
    """Units of each hidden layer of an expert; () makes the experts linear."""
    activation: str = "relu"
    """'relu', 'tanh', 'gelu' or 'silu'."""
    norm: str = "batch"
    """'batch', 'layer' or 'none', before each activation."""

    def validate(self) -> None:
        check_number("experts", self.experts, whole=True, least=1)
        check_numbers("hidden", self.hidden, whole=True, least=1)
        among("activation", self.activation, ACTIVATIONS)
        among("norm", self.norm, NORMS)
        super().validate()

    def architecture(self) -> Hashable:
        return (int(self.experts), tuple(map(int, self.hidden)), self.activation, self.norm)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> MixtureOfExperts:
        from probatum.learning.networks.mixture_of_experts import initial_mixture_of_experts

        sizes = (columns, *map(int, self.hidden), outputs)
        return initial_mixture_of_experts(sizes, int(self.experts), self.activation, self.norm, generator)
