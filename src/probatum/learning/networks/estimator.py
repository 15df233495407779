"""The base of all network estimators: scikit-learn regressors that train many fits at once.

An architecture's estimator is a short subclass: a dataclass of its own parameters, with `validate`, `architecture` and
`initial_network`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import (
    _check_sample_weight,  # pyright: ignore[reportPrivateUsage]  as scikit-learn's own estimators; none is public
    check_is_fitted,
    check_random_state,
    validate_data,
)

from probatum.errors import CampaignFileError, FitError
from probatum.learning.choices import among, check_number, check_numbers, imported, named_choice, with_defaults
from probatum.learning.curriculum import curriculum_choice
from probatum.learning.learner import FitOutcome, RowSet
from probatum.learning.scaling import Scaling
from probatum.learning.soups import SELECTED, soup_choice
from probatum.learning.stages import SHARED, StageChoice, check_head, stages_of
from probatum.learning.vocabulary import AVERAGES, loss_choice


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkRegressor(RegressorMixin, BaseEstimator):
    """A network trained by mini-batches.

    Inputs are standardised by the training rows; a column that does not vary in them is ignored. Targets are
    standardised as far as the output allows. Mini-batches hold `batch` rows or a little fewer: the rows are dealt
    evenly, so none is much smaller than the others. Batch normalisation uses the mini-batch while training and the
    whole training set for predictions. A choice with numbers is written as {"kind": "huber", "delta": 0.5}; the names
    and their numbers stand in `probatum.learning.vocabulary`.
    """

    dropout: float = 0.0
    """Share of hidden units dropped in training, from 0 to below 1."""
    output: str | None = None
    """'linear', 'sigmoid', 'softplus', 'relu_plus_one', 'ordered', 'increasing' or 'gaussian'; None takes what the loss
    needs."""
    loss: str | Mapping[str, Any] = "mse"
    """What is made small: a name, or 'module:function' of (predictions, targets, numbers) in units of the targets."""
    penalties: Mapping[str, float] | None = None
    """What is added to the loss: names (or losses, or 'module:function') to weights."""
    target_weights: Sequence[float] | None = None
    """Weight of each target in the loss; None weighs them the same."""
    epochs: int = 200
    """Most passes over the training rows."""
    batch: int = 64
    """Most rows in a mini-batch."""
    optimiser: str = "adam"
    """'adam', 'adamw' or 'sgd' (Nesterov momentum 0.9)."""
    rate: float = 1e-3
    """Learning rate."""
    weight_decay: float = 1e-4
    """L2 penalty on matrices, apart from the gradient with 'adamw'."""
    schedule: str | Mapping[str, Any] = "constant"
    """How the rate moves: 'constant', 'exponential', 'held_exponential', 'cosine', 'cosine_restarts' or 'plateau'."""
    clip_norm: float | None = None
    """Gradients longer than this are shortened to it; None lets them be."""
    validation_fraction: float = 0.0
    """Share of the training rows set aside to score every epoch, whole groups where the rows have groups."""
    patience: int | None = None
    """Epochs without a better validation score after which a training stops; None never stops."""
    restore_best: bool = True
    """Whether the weights of the best epoch are taken, where validation rows tell which it was."""
    average: str | Mapping[str, Any] = "none"
    """Whether weights are averaged over the training: 'none', 'ema' or 'swa'."""
    order: str | Mapping[str, Any] = "random"
    """How rows are shown: 'random', or from easy to hard: {"kind": "curriculum", "by": "target_size" ('inputs_size', or
    'module:function' of (inputs, targets)), "pacing": "linear" ('root', 'exponential', 'step'), "start": 0.25,
    "until": 0.5}."""
    soup: str | Mapping[str, Any] = "none"
    """Whether the network is a mean of several branched from one warm-up: 'none', or {"kind": "uniform" ('greedy',
    'swap'), "members": 5, "warmup": 0.3}; 'swap' has "rounds" too. The last two choose by the validation rows."""
    stages: Sequence[Mapping[str, Any]] = ()
    """What each stage of the training sets over these parameters; its own `frozen` and `rates` by parameter group."""
    input_noise: float = 0.0
    """Standard deviation of the noise added to standardised inputs while training."""
    edge_copies: int = 0
    """How many more times training rows at the edge of the targets' range are shown."""
    edge_share: float = 0.1
    """Share of a target's values that are its edge, both ends together."""
    edge_targets: Sequence[int] | None = None
    """Places of the targets whose edges count, from 0; None for all."""
    hard_copies: int = 0
    """How many more times training rows are shown whose targets are like those of the validation rows that a first
    training, otherwise the same, predicted worst; needs validation_fraction."""
    hard_share: float = 0.5
    """Share of the training rows that are these."""
    symmetry: str | None = None
    """'module:function' from inputs [row, column] to a list of images of them, with the same targets: trained on, and
    averaged over when predicting."""
    random_state: Any = 0
    """Seed of weights, order and noise."""

    columns_apart: ClassVar[bool] = True

    # ------------------------------------------------------------------ what an architecture adds

    @abstractmethod
    def architecture(self) -> Hashable:
        """What shapes the network, apart from its inputs and outputs."""

    @abstractmethod
    def initial_network(self, columns: int, outputs: int, generator: np.random.Generator) -> Any:
        """An untrained network of float32 arrays from [row, column] to raw [row, output].

        It is called as (rows, weight, dropout, statistics) and gives (outputs, statistics); its parameters' shapes
        follow from `architecture`, `columns` and `outputs` alone.
        """

    def input_scaling(self, rows: np.ndarray) -> Scaling:
        """How inputs are scaled, from the training rows [row, column]; architectures with symmetries override it."""
        return Scaling.of(rows, ignore_constant=True)

    def validate(self) -> None:
        """Refuses values that cannot be used; subclasses check their own and call this.

        Raises:
            CampaignFileError: naming the parameter and the values it takes.
        """
        check_number("dropout", self.dropout, least=0, below=1)
        check_number("batch", self.batch, whole=True, least=1)
        check_head(self.head, self.stage_choices)
        check_number("validation_fraction", self.validation_fraction, least=0, below=1)
        if self.patience is not None:
            check_number("patience", self.patience, whole=True, least=1)
            if not self.validation_fraction:
                raise CampaignFileError(
                    "patience needs rows to watch", where="patience", remedy="set validation_fraction, to 0.1 say"
                )
        _, numbers = self.average_choice
        for name, number in numbers.items():
            check_number(f"average.{name}", number, least=0, below=1)
        curriculum_choice(self.order)
        soup = soup_choice(self.soup)
        if soup is not None and soup.kind in SELECTED and not self.validation_fraction:
            raise CampaignFileError(
                f"a {soup.kind} soup needs rows to choose by",
                where="soup",
                remedy="set validation_fraction, to 0.1 say",
            )
        if soup is not None and sum(stage.epochs for stage in self.stage_choices) < 2:
            raise CampaignFileError("one epoch cannot be branched", where="soup", remedy="epochs = 2 or more")
        check_number("input_noise", self.input_noise, least=0)
        check_number("edge_copies", self.edge_copies, whole=True, least=0)
        check_number("edge_share", self.edge_share, above=0, below=1)
        if self.edge_targets is not None:
            check_numbers("edge_targets", self.edge_targets, whole=True, least=0)
        check_number("hard_copies", self.hard_copies, whole=True, least=0)
        check_number("hard_share", self.hard_share, above=0, below=1)
        if self.hard_copies and not self.validation_fraction:
            raise CampaignFileError(
                "hard_copies needs rows to find hard ones by", where="hard_copies", remedy="set validation_fraction"
            )
        if self.symmetry is not None:
            imported(self.symmetry)

    # ------------------------------------------------------------------ what follows from the parameters

    @property
    def stage_choices(self) -> tuple[StageChoice, ...]:
        """The stages of the training, checked."""
        return stages_of({name: getattr(self, name) for name in SHARED}, self.stages)

    @property
    def head(self) -> str:
        """The output head: the one asked for, or the loss's own."""
        if self.output is not None:
            return self.output
        return loss_choice(self.stage_choices[0].loss[0]).heads[0]

    @property
    def average_choice(self) -> tuple[str, dict[str, float]]:
        kind, numbers = named_choice("average", self.average)
        among("average", kind, AVERAGES)
        return kind, with_defaults("average", numbers, AVERAGES[kind].numbers)

    def program(self) -> Hashable:
        """What estimators must share to be trained in one call: all that is no traced number."""
        watching = self.validation_fraction > 0
        return (
            type(self).__qualname__,
            self.architecture(),
            self.head,
            tuple(stage.shape for stage in self.stage_choices),
            int(self.batch),
            (self.dropout > 0, self.input_noise > 0, watching, watching and self.restore_best, self.average_choice[0]),
            self.symmetry,
            soup_choice(self.soup),
        )

    # ------------------------------------------------------------------ fitting and predicting

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[NetworkRegressor],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        """Trains one estimator for each row set, seeded by the row set; see `probatum.learning.learner.fit_many`.

        Returns:
            One outcome a row set; with an `error` where inputs or targets it uses cannot be trained on, or where the
            training diverged.

        Raises:
            CampaignFileError: a parameter that cannot be used.
        """
        from probatum.learning.networks.fitting import fit_together

        for estimator in estimators:
            estimator.validate()
            estimator._check_targets(targets.shape[1])
        return fit_together(estimators, inputs, targets, row_sets, cores)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Trains on inputs [row, column] and targets [row] or [row, quantity].

        Args:
            X: inputs.
            y: targets.
            sample_weight: [row], not negative: how much each row counts in the loss; rows of weight 0 are left out.
        """
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        y = np.asarray(y, dtype=np.float64)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            if (weights == weights[0]).all() and weights[0] > 0:
                weights = None
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31)
        rows = RowSet(np.arange(len(X)), np.arange(0), int(seed), weights=weights)
        outcome = self.fit_many([self], X, y.reshape(len(y), -1), [rows])[0]
        if outcome.error is not None:
            raise FitError(outcome.error)
        self.one_target_ = y.ndim == 1
        self.curves_ = dict(outcome.curves)
        return self.restore(outcome.weights)

    def restore(self, weights: Mapping[str, np.ndarray]) -> Self:
        """Becomes the fitted estimator whose `FitOutcome.weights` these are."""
        self.weights_ = dict(weights)
        self.n_features_in_ = weights["inputs"].shape[1]
        self.one_target_ = getattr(self, "one_target_", weights["targets"].shape[1] == 1)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Targets [row] or [row, quantity] float64 for inputs [row, column].

        Args:
            X: inputs.
            return_std: whether the predictive standard deviations are returned too; needs the output 'gaussian'.
        """
        check_is_fitted(self, "weights_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        from probatum.learning.networks.prediction import predict_with

        prediction, spread = predict_with(self, self.weights_, X)
        if self.one_target_:
            prediction, spread = prediction[:, 0], None if spread is None else spread[:, 0]
        if not return_std:
            return prediction
        if spread is None:
            raise ValueError(f"output '{self.head}' has no standard deviation: train with output = 'gaussian'")
        return prediction, spread

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True
        return tags

    def _check_targets(self, quantities: int) -> None:
        for weights in (stage.target_weights for stage in self.stage_choices):
            if weights is not None and len(weights) != quantities:
                raise CampaignFileError(
                    f"target_weights has {len(weights)} numbers, but there are {quantities} targets",
                    remedy="give one number a target",
                )
        if self.edge_targets is not None and max(self.edge_targets, default=-1) not in range(quantities):
            raise CampaignFileError(
                f"edge_targets = {list(self.edge_targets)}, but there are {quantities} targets",
                remedy=f"name places from 0 to {quantities - 1}",
            )
