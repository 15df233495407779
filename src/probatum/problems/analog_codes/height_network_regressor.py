"""The height network as a scikit-learn regressor, for campaigns: trained on given rows, like any other learner.

features = ["m", "entries"]
model = { kind = "probatum.problems.analog_codes.height_network_regressor:HeightNetworkRegressor", k = 4 }
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from probatum.errors import CampaignFileError
from probatum.learning.choices import among, check_number, check_numbers
from probatum.learning.learner import FitOutcome, RowSet
from probatum.learning.networks.estimator import NetworkRegressor
from probatum.learning.networks.mlp_regressor import ACTIVATIONS
from probatum.learning.scaling import Scaling
from probatum.problems.analog_codes.generate import LARGEST_ENTRY
from probatum.problems.analog_codes.tableaux import TableauView, describe

if TYPE_CHECKING:
    from probatum.problems.analog_codes.height_network import HeightNetwork


@dataclass(eq=False, repr=False)
class HeightNetworkRegressor(NetworkRegressor):
    """log2 h_m from the features 'm' and 'entries', in this order: sees what `tableaux.describe` gives of P.

    One ordered head over all m: what it says never falls from one m of a code to the next. How it is trained, see
    `NetworkRegressor`. No symmetry of its own is asked for: canonical order has them built in.
    """

    k: int = 4
    """Dimension of the codes: rows of P."""
    views: int = 2
    """Tableaux that are seen (`tableaux.TableauView`)."""
    full: Sequence[int] = (1,)
    """Of which of them, from 0, 2 x 2 minors are seen."""
    largest: int = 24
    """How many of the largest norms among their neighbours are."""
    smallest: int = 16
    """How many of the smallest minors and entries are."""
    width: int = 128
    """Hidden units."""
    layers: int = 3
    """Hidden layers after the first."""
    activation: str = "silu"
    """'relu', 'tanh', 'gelu' or 'silu'."""

    columns_apart: ClassVar[bool] = False
    code_modules: ClassVar[tuple[str, ...]] = tuple(
        f"probatum.problems.analog_codes.{name}" for name in ("height_network", "tableaux", "tableau_kernel")
    )

    def validate(self) -> None:
        for name, least in (("k", 1), ("views", 1), ("largest", 0), ("smallest", 0), ("width", 1)):
            check_number(name, getattr(self, name), whole=True, least=least)
        check_number("layers", self.layers, whole=True, least=1)
        check_numbers("full", self.full, whole=True, least=0)
        if max(self.full, default=0) >= self.views:
            raise CampaignFileError(
                f"full = {self.full}, but there are {self.views} views", remedy="views count from 0"
            )
        among("activation", self.activation, ACTIVATIONS)
        super().validate()

    def architecture(self) -> Hashable:
        return (int(self.k), self._view, int(self.width), int(self.layers), self.activation)

    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> HeightNetwork:
        from probatum.problems.analog_codes.height_network import initial_height_network

        heights = self._heights(columns)
        return initial_height_network(
            columns - heights, heights, int(self.width), int(self.layers), self.activation, generator, asked=True
        )

    def input_scaling(self, rows: np.ndarray) -> Scaling:
        scaling = super().input_scaling(rows)
        subtract, multiply = scaling.subtract.copy(), scaling.multiply.copy()
        asked = slice(len(subtract) - self._heights(len(subtract)), None)
        subtract[asked], multiply[asked] = 0.0, 1.0
        return Scaling(subtract, multiply)

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[NetworkRegressor],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        """See `NetworkRegressor.fit_many`; estimators of one call see the same of P.

        Raises:
            CampaignFileError: a parameter that cannot be used, or other columns than those of the two features.
        """
        for estimator in estimators:
            estimator.validate()
        one = estimators[0]
        assert isinstance(one, HeightNetworkRegressor)
        return super().fit_many(estimators, one.seen(inputs), targets, row_sets, cores)

    def restore(self, weights: Mapping[str, np.ndarray]) -> Self:
        super().restore(weights)
        self.n_features_in_ = self._heights(weights["inputs"].shape[1]) * (int(self.k) + 1)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """log2 h_m, [row] or [row, 1] as the targets were, float64, for inputs [row, (n - k) (k + 1)].

        Raises:
            ValueError: where standard deviations are asked for, which it has none of.
        """
        check_is_fitted(self, "weights_")
        if return_std:
            raise ValueError("height networks have no standard deviations")
        X = np.asarray(validate_data(self, X, reset=False, dtype=np.float64))
        from probatum.learning.networks.prediction import predict_with

        prediction, _ = predict_with(self, self.weights_, self.seen(X))
        return prediction[:, 0] if self.one_target_ else prediction

    def seen(self, inputs: np.ndarray) -> np.ndarray:
        """What the network is given, [row, column] float64: what is seen of P, then which m is asked for.

        Raises:
            CampaignFileError: columns that cannot be those of the features 'm' and 'entries'.
        """
        k, columns = int(self.k), inputs.shape[1]
        heights = columns // (k + 1)
        asked, entries = inputs[:, :heights], inputs[:, heights:]
        if heights < 1 or columns != heights * (k + 1) or not np.isin(asked.sum(axis=1), 1.0).all():
            raise CampaignFileError(
                f"{columns} columns are not 'm' and 'entries' of codes of dimension {k}",
                where="features",
                remedy='features = ["m", "entries"], and k of the task',
            )
        P = entries.reshape(len(inputs), k, heights) * LARGEST_ENTRY
        return np.concatenate([describe(P, self._view), asked], axis=1)

    def _heights(self, columns: int) -> int:
        """n - k, of the number of columns that the network is given."""
        for heights in range(1, columns):
            if self._view.columns(int(self.k), heights) + heights == columns:
                return heights
        raise CampaignFileError(f"{columns} columns are seen of no code of dimension {self.k}")

    @property
    def _view(self) -> TableauView:
        return TableauView(int(self.views), tuple(map(int, self.full)), int(self.largest), int(self.smallest))
