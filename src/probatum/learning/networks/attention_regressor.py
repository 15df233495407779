"""The attention network as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from probatum.errors import CampaignFileError
from probatum.learning.choices import among, check_number
from probatum.learning.networks.convolutional_regressor import check_shape, held_shape
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mlp_regressor import ACTIVATIONS, NORMS

if TYPE_CHECKING:
    from probatum.learning.networks.attention import AttentionNetwork


@dataclass(eq=False, repr=False)
class AttentionRegressor(NetworkRegressor):
    """Attention between tokens, then pooling by attention; how it is trained, see `NetworkRegressor`.

    A curve is cut into patches by shape = [points / patch, patch]. Time and memory grow as the square of the tokens.
    """

    shape: Sequence[int] | None = None
    """Tokens and channels of each, which the first columns hold token after token; columns after them join after
    pooling. None takes each column as a token of one channel."""
    width: int = 32
    """Channels inside."""
    heads: int = 4
    """Heads of each attention; they divide the width."""
    blocks: int = 2
    """Attention blocks."""
    places: bool = True
    """Whether the place of a token matters; without it, tokens are a set."""
    activation: str = "gelu"
    """'relu', 'tanh', 'gelu' or 'silu'."""
    norm: str = "layer"
    """'batch', 'layer' or 'none', before each part."""

    def validate(self) -> None:
        if self.shape is not None:
            check_shape(self.shape, "[tokens, channels]")
        for name in ("width", "heads", "blocks"):
            check_number(name, getattr(self, name), whole=True, least=1)
        if self.width % self.heads:
            raise CampaignFileError(
                f"{self.heads} heads do not divide a width of {self.width}",
                where="heads",
                remedy="take a width that is a multiple of heads",
            )
        among("activation", self.activation, ACTIVATIONS)
        among("norm", self.norm, NORMS)
        super().validate()

    def architecture(self) -> Hashable:
        shape = None if self.shape is None else tuple(map(int, self.shape))
        numbers = (int(self.width), int(self.heads), int(self.blocks), bool(self.places))
        return (shape, *numbers, self.activation, self.norm)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> AttentionNetwork:
        from probatum.learning.networks.attention import initial_attention_network

        tokens, channels = (columns, 1) if self.shape is None else held_shape(self.shape, columns)
        return initial_attention_network(
            columns,
            tokens,
            channels,
            int(self.width),
            int(self.heads),
            int(self.blocks),
            outputs,
            self.activation,
            self.norm,
            generator,
            ordered=bool(self.places),
        )
