"""The network with a branch for P as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from probatum.errors import CampaignFileError, FitError
from probatum.learning.choices import among, check_number, check_numbers
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mlp_regressor import ACTIVATIONS, NORMS
from probatum.learning.scaling import Scaling

if TYPE_CHECKING:
    from probatum.problems.analog_codes.branched_network import BranchedNetwork


@dataclass(frozen=True)
class Shape:
    """What shapes the network, apart from its inputs and outputs; see the parameters of the regressor."""

    embeddings: tuple[tuple[int, int], ...]
    branch: tuple[int, ...]
    heads: int
    width: int
    blocks: int
    tail: tuple[int, ...]
    experts: int
    activation: str
    norm: str
    falling: bool


@dataclass(eq=False, repr=False)
class BranchedNetworkRegressor(NetworkRegressor):
    """The first columns are numbers of categories, embedded; the others go through a branch of their own, then all
    together through a main network with residual blocks and a tail that narrows. Defaults are the residual model of the
    seed log; how it is trained, see `NetworkRegressor`."""

    embeddings: Sequence[Sequence[int]] = ((7, 32), (6, 32))
    """(levels, width) of each of the first columns: of the features 'k,m', k up to 6 and m up to 5."""
    branch: Sequence[int] = (256, 512)
    """Units of the branch's layers."""
    heads: int = 0
    """Heads of attention between the columns of the branch, in the place of its layers, with the branch's first width
    as channels; 0 is without attention."""
    width: int = 1024
    """Units of the main network."""
    blocks: int = 2
    """Residual blocks of two layers."""
    tail: Sequence[int] = (512, 256, 128)
    """Units of the layers after them."""
    experts: int = 1
    """Tails that a gate weighs row by row."""
    activation: str = "gelu"
    """'relu', 'tanh', 'gelu' or 'silu'."""
    norm: str = "layer"
    """'batch', 'layer' or 'none', after each activation."""
    falling: bool = True
    """Whether dropout falls to two thirds and a third of its rate from layer to layer."""

    code_modules: ClassVar[tuple[str, ...]] = (
        "probatum.problems.analog_codes.branched_network",
        "probatum.learning.networks.attention",
        "probatum.learning.networks.mixture_of_experts",
        "probatum.learning.networks.residual_mlp",
    )

    def validate(self) -> None:
        for place, one in enumerate(self.embeddings):
            where = f"embeddings[{place}]"
            if isinstance(one, str) or len(one) != 2:
                raise CampaignFileError(f"{where} = {one!r} cannot be used", where=where, remedy="[levels, width]")
            check_numbers(where, one, whole=True, least=1)
        for name in ("branch", "tail"):
            check_numbers(name, getattr(self, name), whole=True, least=1)
        check_number("heads", self.heads, whole=True, least=0)
        check_number("blocks", self.blocks, whole=True, least=0)
        for name in ("width", "experts"):
            check_number(name, getattr(self, name), whole=True, least=1)
        if self.heads and (not self.branch or self.branch[0] % self.heads):
            raise CampaignFileError(
                f"{self.heads} heads do not divide the branch's first width",
                where="heads",
                remedy="take a width that is a multiple of heads",
            )
        among("activation", self.activation, ACTIVATIONS)
        among("norm", self.norm, NORMS)
        super().validate()

    def architecture(self) -> Hashable:
        return self._shape

    def input_scaling(self, rows: np.ndarray) -> Scaling:
        count = len(self.embeddings)
        if rows.shape[1] <= count:
            raise FitError(f"{rows.shape[1]} columns, of which {count} are embedded: none is left for the branch")
        scaling = super().input_scaling(rows)
        subtract, multiply = scaling.subtract.copy(), scaling.multiply.copy()
        subtract[:count], multiply[:count] = 0.0, 1.0
        return Scaling(subtract, multiply)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> BranchedNetwork:
        from probatum.problems.analog_codes.branched_network import initial_branched_network

        return initial_branched_network(columns, outputs, self._shape, generator)

    @property
    def _shape(self) -> Shape:
        return Shape(
            embeddings=tuple((int(levels), int(width)) for levels, width in self.embeddings),
            branch=tuple(map(int, self.branch)),
            heads=int(self.heads),
            width=int(self.width),
            blocks=int(self.blocks),
            tail=tuple(map(int, self.tail)),
            experts=int(self.experts),
            activation=self.activation,
            norm=self.norm,
            falling=bool(self.falling),
        )
