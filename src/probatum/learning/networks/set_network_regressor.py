"""The set network as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from probatum.learning.choices import among, check_number, check_numbers
from probatum.learning.networks.convolutional_regressor import check_shape, held_shape
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mlp_regressor import ACTIVATIONS, NORMS
from probatum.learning.scaling import Scaling

if TYPE_CHECKING:
    from probatum.learning.networks.set_networks import SetNetwork


@dataclass(eq=False, repr=False)
class SetNetworkRegressor(NetworkRegressor):
    """What does not depend on the order and the signs of a matrix's rows and columns.

    How it is trained, see `NetworkRegressor`; but the matrix is scaled by one number and not centred, which would spoil
    the symmetry.
    """

    shape: Sequence[int] = (1, 1)
    """Rows and columns of the matrix, which the first columns hold row after row; columns after them join after
    pooling."""
    width: int = 32
    """Channels of an entry."""
    layers: int = 2
    """Exchangeable layers."""
    minors: bool = True
    """Whether entries see their 2 x 2 minors."""
    odd: int = 0
    """Channels that change sign as the entries do."""
    hidden: Sequence[int] = (64,)
    """Units of dense layers after pooling."""
    activation: str = "gelu"
    """'relu', 'tanh', 'gelu' or 'silu'."""
    norm: str = "layer"
    """'batch', 'layer' or 'none', before each activation."""

    def validate(self) -> None:
        check_shape(self.shape, "[rows, columns]")
        for name, least in (("width", 1), ("layers", 1), ("odd", 0)):
            check_number(name, getattr(self, name), whole=True, least=least)
        check_numbers("hidden", self.hidden, whole=True, least=1)
        among("activation", self.activation, ACTIVATIONS)
        among("norm", self.norm, NORMS)
        super().validate()

    def architecture(self) -> Hashable:
        numbers = (int(self.width), int(self.layers), bool(self.minors), int(self.odd))
        return (tuple(map(int, self.shape)), *numbers, tuple(map(int, self.hidden)), self.activation, self.norm)

    def input_scaling(self, rows: np.ndarray) -> Scaling:
        size = int(np.prod(held_shape(self.shape, rows.shape[1])))
        scaling = super().input_scaling(rows)
        typical = np.sqrt((rows[:, :size] ** 2).mean())
        subtract, multiply = scaling.subtract.copy(), scaling.multiply.copy()
        subtract[:size], multiply[:size] = 0.0, 1 / typical if typical > 0 else 1.0
        return Scaling(subtract, multiply)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> SetNetwork:
        from probatum.learning.networks.set_networks import initial_set_network

        return initial_set_network(
            columns,
            held_shape(self.shape, columns),
            int(self.width),
            int(self.layers),
            outputs,
            self.activation,
            self.norm,
            generator,
            minors=bool(self.minors),
            odd=int(self.odd),
            hidden=self.hidden,
        )
