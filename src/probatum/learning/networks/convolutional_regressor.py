"""The convolutional network as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from probatum.errors import CampaignFileError
from probatum.learning.choices import among, check_number, check_numbers
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mlp_regressor import ACTIVATIONS, NORMS

if TYPE_CHECKING:
    from probatum.learning.networks.convolutional import ConvolutionalNetwork

POOLS = ("attention", "mean")


@dataclass(eq=False, repr=False)
class ConvolutionalRegressor(NetworkRegressor):
    """Residual convolutions of curves; how they are trained, see `NetworkRegressor`."""

    shape: Sequence[int] | None = None
    """Channels and points of the signal, which the first columns hold channel after channel; columns after them join
    after pooling. None takes all columns as one channel."""
    widths: Sequence[int] = (16, 16, 32)
    """Channels of each residual block."""
    taps: int = 7
    """Points that a convolution sees."""
    dilations: Sequence[int] | None = None
    """Distance between them in each block; None doubles it block by block, from 1."""
    stride: int = 1
    """Above 1, the signal is first cut into patches of so many points."""
    position: bool = True
    """Whether a channel says where in the signal it is."""
    pool: str = "attention"
    """'attention' or 'mean', over positions."""
    spectrum: int = 0
    """Units of a branch that sees the logarithms of the signal's Fourier amplitudes; 0 for none."""
    hidden: Sequence[int] = (64,)
    """Units of dense layers after pooling."""
    activation: str = "relu"
    """'relu', 'tanh', 'gelu' or 'silu'."""
    norm: str = "batch"
    """'batch', 'layer' or 'none', before each activation."""

    def validate(self) -> None:
        if self.shape is not None:
            check_shape(self.shape, "[channels, points]")
        check_numbers("widths", self.widths, whole=True, least=1)
        if not len(self.widths):
            raise CampaignFileError("widths is empty", where="widths", remedy="give the channels of one block at least")
        if self.dilations is not None:
            check_numbers("dilations", self.dilations, whole=True, least=1)
            if len(self.dilations) != len(self.widths):
                raise CampaignFileError(
                    f"there are {len(self.dilations)} dilations, but {len(self.widths)} widths", where="dilations"
                )
        for name, least in (("taps", 1), ("stride", 1), ("spectrum", 0)):
            check_number(name, getattr(self, name), whole=True, least=least)
        check_numbers("hidden", self.hidden, whole=True, least=1)
        among("pool", self.pool, POOLS)
        among("activation", self.activation, ACTIVATIONS)
        among("norm", self.norm, NORMS)
        super().validate()

    def architecture(self) -> Hashable:
        sequences = (self.shape, self.widths, self.dilations, self.hidden)
        numbers = (int(self.taps), int(self.stride), bool(self.position), int(self.spectrum))
        lists = tuple(None if sequence is None else tuple(map(int, sequence)) for sequence in sequences)
        return (*lists, *numbers, self.pool, self.activation, self.norm)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> ConvolutionalNetwork:
        from probatum.learning.networks.convolutional import initial_convolutional_network

        return initial_convolutional_network(
            columns,
            (1, columns) if self.shape is None else held_shape(self.shape, columns),
            self.widths,
            outputs,
            self.activation,
            self.norm,
            generator,
            taps=int(self.taps),
            dilations=self.dilations,
            stride=int(self.stride),
            position=bool(self.position),
            pool=self.pool,
            spectrum=int(self.spectrum),
            hidden=self.hidden,
        )


def check_shape(shape: Sequence[int], meaning: str) -> None:
    """Refuses what is not two whole numbers of 1 or more.

    Raises:
        CampaignFileError: saying what they mean.
    """
    check_numbers("shape", shape, whole=True, least=1)
    if len(shape) != 2:
        raise CampaignFileError(f"shape = {shape!r} cannot be used", where="shape", remedy=meaning)


def held_shape(shape: Sequence[int], columns: int) -> tuple[int, int]:
    """The shape, if so many columns hold it.

    Raises:
        CampaignFileError: they do not.
    """
    first, second = map(int, shape)
    if first * second > columns:
        raise CampaignFileError(
            f"shape {first} x {second} needs {first * second} columns, but there are {columns}", where="shape"
        )
    return first, second
