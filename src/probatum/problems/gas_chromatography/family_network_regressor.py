"""Networks that tell families of compounds, as scikit-learn regressors that train many fits at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from probatum.errors import CampaignFileError
from probatum.learning.choices import among, check_numbers
from probatum.learning.networks.convolutional_regressor import check_shape, held_shape
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mlp_regressor import NORMS
from probatum.learning.scaling import Scaling

if TYPE_CHECKING:
    from probatum.problems.gas_chromatography.family_network import FamilyNetwork
    from probatum.problems.gas_chromatography.spectra_network import SpectraNetwork


@dataclass(eq=False, repr=False)
class FamilyNetworkRegressor(NetworkRegressor):
    """Dense layers, each normalised in several ways, and a fixed bias; how it is trained, see `NetworkRegressor`."""

    hidden: Sequence[int] = (1024, 512)
    """Units of each hidden layer."""
    norms: Sequence[str] = ("batch", "layer")
    """What stands between a dense layer and its rectifier, in order: 'batch', 'layer'."""
    prior: Sequence[float] = ()
    """Prior probability of each label, whose logits are added to the outputs and never trained; () for none."""

    code_modules: ClassVar[tuple[str, ...]] = ("probatum.problems.gas_chromatography.family_network",)

    def validate(self) -> None:
        check_numbers("hidden", self.hidden, whole=True, least=1)
        for norm in self.norms:
            among("norms", norm, NORMS)
        check_prior(self.prior)
        super().validate()

    def architecture(self) -> Hashable:
        return (tuple(map(int, self.hidden)), tuple(self.norms), tuple(map(float, self.prior)))

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> FamilyNetwork:
        from probatum.problems.gas_chromatography.family_network import initial_family_network

        prior = logits_of(self.prior, outputs)
        return initial_family_network(columns, outputs, tuple(map(int, self.hidden)), self.norms, prior, generator)


@dataclass(eq=False, repr=False)
class SpectraRegressor(NetworkRegressor):
    """Spectra of a run one by one, then all together; how it is trained, see `NetworkRegressor`.

    Columns that hold spectra are not standardised, for the same weights look at all of them.
    """

    shape: Sequence[int] = (16, 334)
    """Spectra of a row and m/z of a spectrum, logarithms of 1 + counts, which the first columns hold spectrum after
    spectrum; columns after them join after pooling."""
    embedding: Sequence[int] = (128, 64)
    """Units of the layers that see one spectrum."""
    hidden: Sequence[int] = (64,)
    """Units of the layers that see all of them."""
    norm: str = "layer"
    """'batch', 'layer' or 'none', before each rectifier."""
    prior: Sequence[float] = ()
    """Prior probability of each label, whose logits are added to the outputs and never trained; () for none."""

    code_modules: ClassVar[tuple[str, ...]] = (
        "probatum.problems.gas_chromatography.family_network",
        "probatum.problems.gas_chromatography.spectra_network",
    )

    def validate(self) -> None:
        check_shape(self.shape, "[spectra, m/z]")
        for name in ("embedding", "hidden"):
            check_numbers(name, getattr(self, name), whole=True, least=1)
        if not len(self.embedding):
            raise CampaignFileError("embedding is empty", where="embedding", remedy="give the units of one layer")
        among("norm", self.norm, NORMS)
        check_prior(self.prior)
        super().validate()

    def architecture(self) -> Hashable:
        sizes = (tuple(map(int, numbers)) for numbers in (self.shape, self.embedding, self.hidden))
        return (*sizes, self.norm, tuple(map(float, self.prior)))

    def input_scaling(self, rows: np.ndarray) -> Scaling:
        spectra, masses = held_shape(self.shape, rows.shape[1])
        scaling = super().input_scaling(rows)
        subtract, multiply = scaling.subtract.copy(), scaling.multiply.copy()
        subtract[: spectra * masses], multiply[: spectra * masses] = 0.0, 1.0
        return Scaling(subtract, multiply)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> SpectraNetwork:
        from probatum.problems.gas_chromatography.spectra_network import initial_spectra_network

        return initial_spectra_network(
            columns,
            outputs,
            held_shape(self.shape, columns),
            tuple(map(int, self.embedding)),
            tuple(map(int, self.hidden)),
            self.norm,
            logits_of(self.prior, outputs),
            generator,
        )


def check_prior(prior: Any) -> None:
    """Refuses what are no probabilities strictly between 0 and 1.

    Raises:
        CampaignFileError: naming the parameter.
    """
    if len(prior):
        check_numbers("prior", prior, least=0)
        if not all(0 < p < 1 for p in prior):
            raise CampaignFileError(f"prior = {list(prior)}", where="prior", remedy="probabilities between 0 and 1")


def logits_of(prior: Sequence[float], labels: int) -> tuple[float, ...]:
    """ln(p / (1 - p)) of each prior probability; () for none.

    Raises:
        CampaignFileError: not one for each label.
    """
    if len(prior) not in (0, labels):
        raise CampaignFileError(
            f"prior has {len(prior)} numbers, but there are {labels} labels", where="prior", remedy="one a label"
        )
    p = np.asarray(prior, dtype=np.float64)
    return tuple((np.log(p) - np.log1p(-p)).tolist())
