"""The multilayer perceptron as a scikit-learn regressor that trains many fits at once."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from probatum.errors import CampaignFileError, FitError
from probatum.learning.choices import among, check_number, check_numbers
from probatum.learning.learner import FitOutcome, RowSet
from probatum.learning.scaling import Scaling, SharedScale

if TYPE_CHECKING:
    import jax

    from probatum.learning.networks.mlp import MLP
    from probatum.learning.replicas import Procedure, Replica, Trained

ACTIVATIONS = ("relu", "tanh", "gelu")
NORMS = ("batch", "layer", "none")
OUTPUTS = ("linear", "sigmoid")
OPTIMISERS = ("adam", "adamw", "sgd")


class MLPRegressor(RegressorMixin, BaseEstimator):
    """Dense layers trained on the squared error, of standardised targets unless the output is a sigmoid.

    Inputs are standardised by the training rows; a column that does not vary in them is ignored. Mini-batches hold
    `batch` rows or a little fewer: the rows are dealt evenly, so none is much smaller than the others. Batch
    normalisation uses the mini-batch while training and the whole training set for predictions.

    Args:
        hidden: units of each hidden layer; () is a linear model.
        activation: 'relu', 'tanh' or 'gelu'.
        norm: 'batch', 'layer' or 'none', before each activation.
        dropout: share of hidden units dropped in training, from 0 to below 1.
        output: 'linear', or 'sigmoid' for targets between 0 and 1.
        target_weights: weight of each target in the loss; None weighs them the same.
        epochs: passes over the training rows.
        batch: most rows in a mini-batch.
        optimiser: 'adam', 'adamw' or 'sgd' (Nesterov momentum 0.9).
        rate: learning rate.
        weight_decay: L2 penalty, apart from the gradient with 'adamw'.
        random_state: seed of weights, order and dropout.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (32, 16),
        activation: str = "relu",
        norm: str = "batch",
        dropout: float = 0.0,
        output: str = "linear",
        target_weights: Sequence[float] | None = None,
        epochs: int = 200,
        batch: int = 64,
        optimiser: str = "adam",
        rate: float = 1e-3,
        weight_decay: float = 1e-4,
        random_state: Any = 0,
    ):
        self.hidden = hidden
        self.activation = activation
        self.norm = norm
        self.dropout = dropout
        self.output = output
        self.target_weights = target_weights
        self.epochs = epochs
        self.batch = batch
        self.optimiser = optimiser
        self.rate = rate
        self.weight_decay = weight_decay
        self.random_state = random_state

    def validate(self) -> None:
        """Refuses values that cannot be used.

        Raises:
            CampaignFileError: naming the parameter and the values it takes.
        """
        check_numbers("hidden", self.hidden, whole=True, least=1)
        among("activation", self.activation, ACTIVATIONS)
        among("norm", self.norm, NORMS)
        check_number("dropout", self.dropout, least=0, below=1)
        among("output", self.output, OUTPUTS)
        if self.target_weights is not None:
            check_numbers("target_weights", self.target_weights, least=0, one_above=0)
        check_number("epochs", self.epochs, whole=True, least=1)
        check_number("batch", self.batch, whole=True, least=1)
        among("optimiser", self.optimiser, OPTIMISERS)
        check_number("rate", self.rate, above=0)
        check_number("weight_decay", self.weight_decay, least=0)

    def program(self) -> Hashable:
        """What estimators must share to be trained in one call: all that is no traced number."""
        architecture = (tuple(self.hidden), self.activation, self.norm, self.dropout > 0, self.output)
        return (type(self).__qualname__, *architecture, self.epochs, self.batch, self.optimiser)

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[MLPRegressor],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        """Trains one estimator for each row set, seeded by the row set; see `probatum.learning.learner.fit_many`.

        Returns:
            One outcome a row set; with an `error` where inputs or targets it uses are not finite.

        Raises:
            CampaignFileError: a parameter that cannot be used.
        """
        from probatum.learning.replicas import train

        started = time.perf_counter()
        for estimator in estimators:
            estimator.validate()
            estimator._check_target_weights(targets.shape[1])
        failures = [_unusable(inputs, targets, rows) for rows in row_sets]
        usable = [place for place, failure in enumerate(failures) if failure is None]
        outcomes = [FitOutcome(np.empty((0, 0)), 0.0, error=failure) for failure in failures]
        if not usable:
            return outcomes
        one = estimators[usable[0]]
        shared_inputs, shared_targets = SharedScale.of(inputs), SharedScale.of(targets)
        scalings: dict[bytes, tuple[Scaling, Scaling]] = {}
        for place in usable:
            train_rows = row_sets[place].train
            if train_rows.tobytes() not in scalings:
                scalings[train_rows.tobytes()] = (
                    Scaling.of(inputs[train_rows], ignore_constant=True),
                    one._target_scaling(targets[train_rows]),
                )
        chosen = {place: scalings[row_sets[place].train.tobytes()] for place in usable}
        replicas = [
            estimators[place]._replica(row_sets[place], shared_inputs.relative(x), shared_targets.relative(y))
            for place, (x, y) in chosen.items()
        ]
        arrays = (shared_inputs.apply(inputs), shared_targets.apply(targets))
        trained = train(one._procedure(), replicas, *arrays, int(one.epochs), int(one.batch), cores)
        seconds = (time.perf_counter() - started) / len(usable)
        for result, (place, (x, y)) in zip(trained, chosen.items(), strict=True):
            outcomes[place] = _outcome(result, row_sets[place], x, y, seconds)
        return outcomes

    def fit(self, X: Any, y: Any) -> MLPRegressor:
        """Trains on inputs [row, column] and targets [row] or [row, quantity]."""
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        y = np.asarray(y, dtype=np.float64)
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31)
        rows = RowSet(np.arange(len(X)), np.arange(0), int(seed))
        outcome = self.fit_many([self], X, y.reshape(len(y), -1), [rows])[0]
        if outcome.error is not None:
            raise FitError(outcome.error)
        self.one_target_ = y.ndim == 1
        self.curves_ = dict(outcome.curves)
        return self.restore(outcome.weights)

    def restore(self, weights: Mapping[str, np.ndarray]) -> MLPRegressor:
        """Becomes the fitted estimator whose `FitOutcome.weights` these are."""
        self.weights_ = dict(weights)
        self.n_features_in_ = weights["inputs"].shape[1]
        self.one_target_ = getattr(self, "one_target_", weights["targets"].shape[1] == 1)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Targets [row] or [row, quantity] float64 for inputs [row, column]."""
        check_is_fitted(self, "weights_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        from probatum.learning.compilation import compiled

        network, moments = self._network(self.weights_)
        rows = Scaling.from_array(self.weights_["inputs"]).apply(X).astype(np.float32)
        weight = np.ones(len(rows), dtype=np.float32)
        arguments = (network, rows, weight, moments)
        outputs, _ = compiled("predict", _forward, arguments)(*arguments)
        predicted = Scaling.from_array(self.weights_["targets"]).undo(np.asarray(outputs, dtype=np.float64))
        return predicted[:, 0] if self.one_target_ else predicted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True
        return tags

    def _check_target_weights(self, quantities: int) -> None:
        if self.target_weights is not None and len(self.target_weights) != quantities:
            raise CampaignFileError(
                f"target_weights has {len(self.target_weights)} numbers, but there are {quantities} targets",
                remedy="give one number a target",
            )

    def _target_scaling(self, targets: np.ndarray) -> Scaling:
        return Scaling.none(targets.shape[1]) if self.output == "sigmoid" else Scaling.of(targets)

    def _procedure(self) -> Procedure:
        from probatum.learning.optimisers import OPTIMISERS
        from probatum.learning.replicas import Procedure

        return Procedure(_weighted_squared_error, OPTIMISERS[self.optimiser], dropping=self.dropout > 0)

    def _replica(self, rows: RowSet, inputs: Scaling, targets: Scaling) -> Replica:
        from probatum.learning.networks.mlp import initial_mlp
        from probatum.learning.replicas import Replica

        generator = np.random.default_rng(rows.seed)
        quantities = targets.subtract.size
        sizes = (inputs.subtract.size, *map(int, self.hidden), quantities)
        weights = np.ones(quantities) if self.target_weights is None else np.asarray(self.target_weights)
        numbers = {
            "rate": self.rate,
            "weight_decay": self.weight_decay,
            "dropout": self.dropout,
            "target_weights": weights,
        }
        return Replica(
            network=initial_mlp(sizes, self.activation, self.norm, self.output, generator),
            numbers={name: np.asarray(value, dtype=np.float32) for name, value in numbers.items()},
            rows=rows.train,
            seed=int(generator.integers(2**32)),
            generator=generator,
            inputs=inputs.to_array().astype(np.float32),
            targets=targets.to_array().astype(np.float32),
        )

    def _network(self, weights: Mapping[str, np.ndarray]) -> tuple[MLP, list[tuple[np.ndarray, np.ndarray]]]:
        from probatum.learning.networks.mlp import MLP

        def layers(name: str) -> list[Any]:
            return [weights[f"{name}.{i}"] for i in range(sum(key.startswith(f"{name}.") for key in weights))]

        parts = {name: layers(name) for name in ("weights", "biases", "gains", "shifts")}
        network = MLP(**parts, activation=self.activation, norm=self.norm, output=self.output)
        return network, list(zip(layers("means"), layers("variances"), strict=True))


def _weighted_squared_error(outputs: jax.Array, targets: jax.Array, numbers: Any) -> jax.Array:
    return (numbers["target_weights"] * (outputs - targets) ** 2).mean(axis=1)


def _forward(network: MLP, rows: jax.Array, weight: jax.Array, moments: Any) -> Any:
    return network(rows, weight, None, moments)


def _outcome(trained: Trained, rows: RowSet, inputs: Scaling, targets: Scaling, seconds: float) -> FitOutcome:
    weights = {
        f"{name}.{layer}": array
        for name in ("weights", "biases", "gains", "shifts")
        for layer, array in enumerate(getattr(trained.network, name))
    }
    for layer, (mean, variance) in enumerate(trained.statistics):
        weights |= {f"means.{layer}": mean, f"variances.{layer}": variance}
    weights |= {"inputs": inputs.to_array(), "targets": targets.to_array()}
    prediction = targets.undo(trained.outputs[rows.predict].astype(np.float64))
    return FitOutcome(prediction, seconds, curves={"training loss": trained.losses}, weights=weights)


def _unusable(inputs: np.ndarray, targets: np.ndarray, rows: RowSet) -> str | None:
    """Why a fit cannot be made of these rows, None where it can."""
    used = np.concatenate([rows.train, rows.predict]).astype(np.int64)
    for what, array, places in (("inputs", inputs, used), ("targets", targets, rows.train)):
        bad = places[np.logical_not(np.isfinite(array[places]).all(axis=1))]
        if len(bad):
            return f"row {int(bad[0])}: {what} of {len(bad)} rows are NaN or infinite; fill them in or leave them out"
    return None if len(rows.train) else "there are no rows to train on"
