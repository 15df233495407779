"""Learners of small campaigns for the audit's benchmark: honest ones, and ones with a fault each. All are numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from probatum.learning.learner import FitOutcome, RowSet

Weights = dict[str, np.ndarray]
BATCHES = 4
"""Mini-batches of an epoch."""


class Line(RegressorMixin, BaseEstimator):
    """Ridge regression whose slopes are jittered by its seed, by a share of their standard errors."""

    def __init__(self, alpha: float = 1.0, seed: int = 0, jitter: float = 0.1, random_state: int | None = None):
        self.alpha, self.seed, self.jitter, self.random_state = alpha, seed, jitter, random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> Line:
        y = y.reshape(len(y), -1)
        self.center_, self.size_, self.mean_ = X.mean(axis=0), X.std(axis=0) + 1e-12, y.mean(axis=0)
        x = self._scaled(X)
        slopes = np.linalg.solve(x.T @ x + self.alpha * np.eye(x.shape[1]), x.T @ (y - self.mean_))
        error = y.std(axis=0) / np.sqrt(len(x))
        self.slopes_ = slopes + self.jitter * error * self._generator().normal(size=slopes.shape)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.mean_ + self._scaled(X) @ self.slopes_

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return (X - self.center_) / self.size_

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.random_state or 0])


class IgnoresItsKey(Line):
    """Takes a seed of its own and never looks at it."""

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(self.random_state)


class IgnoresTheSeed(Line):
    """One generator for all seeds."""

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, int(self.random_state is not None)])


class Unseeded(Line):
    """Draws from the operating system."""

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.random_state or 0, np.random.SeedSequence().generate_state(1)[0]])


class Cheating(Line):
    """Looks at the targets of the rows that it is scored on."""

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[Line],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        outcomes = []
        for estimator, rows in zip(estimators, row_sets, strict=True):
            own = estimator.fit(inputs[rows.train], targets[rows.train]).predict(inputs[rows.predict])
            outcomes.append(FitOutcome(own + 0.2 * (targets[rows.predict] - own), 0.0))
        return outcomes


class Shifted(Line):
    """A line whose predictions are off by an offset, and by what its seed says."""

    def __init__(self, offset: float = 0.0, luck: float = 0.0, random_state: int | None = None):
        super().__init__(random_state=random_state)
        self.offset, self.luck = offset, luck

    def predict(self, X: np.ndarray) -> np.ndarray:
        return super().predict(X) + self.offset + self.luck * ((self.random_state or 0) % 2)


class Network(RegressorMixin, BaseEstimator):
    """One hidden layer, trained by mini-batches at a falling rate, with the curves that the audit reads."""

    def __init__(
        self,
        hidden: int = 8,
        epochs: int = 60,
        rate: float = 0.2,
        validation_fraction: float = 0.3,
        restore_best: bool = True,
        relu: bool = False,
        start: str = "random",
        random_state: int | None = None,
    ):
        self.hidden, self.epochs, self.rate, self.relu = hidden, epochs, rate, relu
        self.validation_fraction, self.restore_best = validation_fraction, restore_best
        self.start, self.random_state = start, random_state

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[Network],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        outcomes = []
        for estimator, rows in zip(estimators, row_sets, strict=True):
            curves = estimator.trained(inputs[rows.train], targets[rows.train], rows.seed)
            predicted = estimator.predict(inputs[rows.predict])
            outcomes.append(FitOutcome(predicted, 0.0, curves=curves, weights=estimator.saved()))
        return outcomes

    def fit(self, X: np.ndarray, y: np.ndarray) -> Network:
        self.trained(X, y.reshape(len(y), -1), self.random_state or 0)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        w = self.weights_
        return w["mean"] + w["size"] * self._forward(w, (X - w["center"]) / w["spread"])[1]

    def saved(self) -> Weights:
        """What is stored."""
        return dict(self.weights_)

    def restore(self, weights: Weights) -> Network:
        self.weights_ = weights
        return self

    def trained(self, X: np.ndarray, y: np.ndarray, seed: int) -> Mapping[str, np.ndarray]:
        """Trains, and returns the curves [epoch] by name."""
        generator = np.random.default_rng(seed)
        w = self._start(X, y, generator)
        x, t = (X - w["center"]) / w["spread"], (y - w["mean"]) / w["size"]
        order = generator.permutation(len(x))
        aside, train = np.split(order, [round(self.validation_fraction * len(x))])
        best, curves = (np.inf, w), {name: [] for name in CURVES}
        for epoch in range(self.epochs):
            rate = self.rate * (1 - epoch / self.epochs)
            before = {name: w[name].copy() for name in ("w0", "w1")}
            total, gradients = 0.0, {}
            for batch in np.array_split(generator.permutation(train), BATCHES):
                loss, gradients = self._gradients(w, x[batch], t[batch])
                total += loss * len(batch) / len(train)
                w = {**w, **{name: w[name] - rate * g for name, g in gradients.items()}}
            held_out = float(((self._forward(w, x[aside])[1] - t[aside]) ** 2).mean())
            best = (held_out, w) if held_out < best[0] else best
            curves["training loss"].append(total)
            curves["validation loss"].append(held_out)
            curves["dead units"].append(float((np.abs(self._forward(w, x[train])[0]).max(axis=0) == 0).mean()))
            for layer in ("w0", "w1"):
                curves[f"gradient norm {layer}"].append(float(np.linalg.norm(gradients[layer])))
                change = np.linalg.norm(w[layer] - before[layer]) / (np.linalg.norm(before[layer]) + 1e-30)
                curves[f"relative change {layer}"].append(float(change))
        self.weights_ = best[1] if self.restore_best and np.isfinite(best[0]) else w
        return {name: np.array(values) for name, values in curves.items()}

    def _start(self, X: np.ndarray, y: np.ndarray, generator: np.random.Generator) -> Weights:
        columns, quantities = X.shape[1], y.shape[1]
        scale = 0.0 if self.start == "zero" else 1.0
        return {
            "center": X.mean(axis=0),
            "spread": X.std(axis=0) + 1e-12,
            "mean": y.mean(axis=0),
            "size": y.std(axis=0) + 1e-12,
            "w0": scale * generator.normal(0, 1 / np.sqrt(columns), (columns, self.hidden)),
            "b0": np.where(np.arange(self.hidden) < 0.7 * self.hidden, -50.0 if self.start == "dead" else 0.0, 0.0),
            "w1": scale * generator.normal(0, 1 / np.sqrt(self.hidden), (self.hidden, quantities)),
            "b1": np.zeros(quantities),
        }

    def _forward(self, w: Weights, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[row, unit] and [row, quantity]."""
        sums = x @ w["w0"] + w["b0"]
        units = np.maximum(sums, 0.0) if self.relu else np.tanh(sums)
        return units, units @ w["w1"] + w["b1"]

    def _gradients(self, w: Weights, x: np.ndarray, t: np.ndarray) -> tuple[float, Weights]:
        units, output = self._forward(w, x)
        error = 2 * (output - t) / t.size
        back = (error @ w["w1"].T) * ((units > 0) if self.relu else 1 - units**2)
        gradients = {"w0": x.T @ back, "b0": back.sum(axis=0), "w1": units.T @ error, "b1": error.sum(axis=0)}
        return float(((output - t) ** 2).mean()), gradients


CURVES: tuple[Any, ...] = (
    "training loss",
    "validation loss",
    "dead units",
    *(f"{what} {layer}" for what in ("gradient norm", "relative change") for layer in ("w0", "w1")),
)


class SavesTooEarly(Network):
    """Its stored weights are not those that it predicts with."""

    def saved(self) -> Weights:
        return {**self.weights_, "w1": 0.9 * self.weights_["w1"]}


class Constant(Network):
    """Its output does not depend on the inputs."""

    def _forward(self, w: Weights, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        units, output = super()._forward(w, x)
        return units, np.zeros_like(output) + w["b1"]
