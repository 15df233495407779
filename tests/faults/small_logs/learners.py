"""Learners that stand for scripts of the five logs; what is wrong with them is a parameter, or their whole point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from probatum.learning.augmentation import edge_rows
from probatum.learning.learner import FitOutcome, RowSet
from probatum.learning.networks.mlp_regressor import MLPRegressor as Network

WIDTH, KEPT = 400, 0.5


class Script(RegressorMixin, BaseEstimator):
    """A wide network whose first layer stays as it was drawn; every step drops half of its units.

    The last fifth of its rows are watched. Rows at the edge of the last two targets are appended again before these are
    taken, `edge_rows_again` times, as the rocking curves' script did.
    """

    def __init__(self, edge_rows_again: int = 0, epochs: int = 100, rate: float = 0.05, random_state: int = 0):
        self.edge_rows_again = edge_rows_again
        self.epochs = epochs
        self.rate = rate
        self.random_state = random_state

    def program(self) -> str:
        return type(self).__qualname__

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[Script],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        return [e.one(inputs, targets, rows) for e, rows in zip(estimators, row_sets, strict=True)]

    def one(self, inputs: np.ndarray, targets: np.ndarray, rows: RowSet) -> FitOutcome:
        generator = np.random.default_rng(rows.seed)
        shuffled = generator.permutation(rows.train)
        edge = shuffled[edge_rows(targets[shuffled][:, -2:], 0.4)]
        order = np.concatenate([shuffled, *[edge] * self.edge_rows_again])
        train, aside = np.split(order, [len(order) * 4 // 5])
        units = self._units(inputs, train, generator)
        center = targets[train].mean(axis=0)
        weights = np.zeros((WIDTH, targets.shape[1]))
        training, validation = np.zeros(self.epochs, np.float32), np.zeros(self.epochs, np.float32)
        for epoch in range(self.epochs):
            shown = units[train] * (generator.random((len(train), WIDTH)) < KEPT) / KEPT
            error = shown @ weights + center - targets[train]
            weights = weights - self.rate * shown.T @ error / len(train)
            training[epoch] = (error**2).mean()
            validation[epoch] = ((units[aside] @ weights + center - targets[aside]) ** 2).mean()
        curves = {"training loss": training, "validation loss": validation}
        return FitOutcome(units[rows.predict] @ weights + center, 0.0, curves=curves)

    def _units(self, inputs: np.ndarray, train: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """[case, unit] cosines of random directions (Rahimi & Recht, NeurIPS 2007), of standardised inputs."""
        scaled = (inputs - inputs[train].mean(axis=0)) / inputs[train].std(axis=0)
        directions = generator.normal(size=(inputs.shape[1], WIDTH)) * 2 / np.sqrt(inputs.shape[1])
        return 10 * np.sqrt(2 / WIDTH) * np.cos(scaled @ directions + generator.uniform(0, 2 * np.pi, WIDTH))


class Rollout(RegressorMixin, BaseEstimator):
    """Learns by gradient descent how fast the first column changes, and follows it for a second in four Euler steps.

    Nobody passes `seed` on: it starts from what the operating system draws, as the metabolism's script did.
    """

    def __init__(self, lr_k: float = 0.06, alpha: float = 1.0, seed: int = 0):
        self.lr_k = lr_k
        self.alpha = alpha
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray) -> Rollout:
        self.center_, self.scale_ = X.mean(axis=0), X.std(axis=0)
        units = self._units(X)
        self.weights_ = self.start().normal(size=units.shape[1])
        for _ in range(30):
            self.weights_ = self.weights_ - self.lr_k * units.T @ (units @ self.weights_ - (y - X[:, 0])) / len(X)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        state = np.array(X, dtype=np.float64)
        for _ in range(4):
            state[:, 0] += 0.25 * self._units(state) @ self.weights_
        return self.alpha * state[:, 0]

    def start(self) -> np.random.Generator:
        return np.random.default_rng()

    def _units(self, X: np.ndarray) -> np.ndarray:
        return np.column_stack([np.ones(len(X)), (X - self.center_) / self.scale_])


class SeededRollout(Rollout):
    """The same, from what its own seed draws."""

    def __init__(self, lr_k: float = 0.06, alpha: float = 1.0, random_state: int = 0):
        self.lr_k = lr_k
        self.alpha = alpha
        self.random_state = random_state

    def start(self) -> np.random.Generator:
        return np.random.default_rng(self.random_state)


class Mixed(RegressorMixin, BaseEstimator):
    """Ridge regression on descriptors of two solvents, mixed by volume; takes catechol's feature 'solvents_apart'.

    `both_ways` predicts (A, B, b) and (B, A, 1 - b) and takes the mean; `lawful` keeps yields within the law.
    """

    def __init__(self, alpha: float = 10.0, both_ways: bool = False, lawful: bool = False):
        self.alpha = alpha
        self.both_ways = both_ways
        self.lawful = lawful

    def fit(self, X: np.ndarray, y: np.ndarray) -> Mixed:
        self.ridge_ = make_pipeline(StandardScaler(), Ridge(self.alpha)).fit(self._mixed(X), y)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        prediction = self.ridge_.predict(self._mixed(X))
        if self.both_ways:
            prediction = (prediction + self.ridge_.predict(self._mixed(_exchanged(X)))) / 2
        return within_law(prediction) if self.lawful else prediction

    def _mixed(self, X: np.ndarray) -> np.ndarray:
        temperature, time, b = X[:, :3].T
        one, other = np.split(X[:, 3:], 2, axis=1)
        return np.column_stack([temperature, np.log(time), (1 - b)[:, None] * one + b[:, None] * other])


def _exchanged(X: np.ndarray) -> np.ndarray:
    """Solvents A and B exchanged, and b with 1 - b."""
    one, other = np.split(X[:, 3:], 2, axis=1)
    return np.column_stack([X[:, :2], 1 - X[:, 2], other, one])


class Yields(RegressorMixin, BaseEstimator):
    """Networks for yields by scikit-learn, one for all or one for each; they are watched on the second training group.

    The curves are those of the first network: of all yields, or of the starting material alone. `restore_best` keeps
    the weights of the best epoch.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (16,),
        apart: bool = False,
        epochs: int = 22,
        restore_best: bool = True,
        lawful: bool = False,
        random_state: int = 0,
    ):
        self.hidden = hidden
        self.apart = apart
        self.epochs = epochs
        self.restore_best = restore_best
        self.lawful = lawful
        self.random_state = random_state

    def program(self) -> str:
        return type(self).__qualname__

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[Yields],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        return [e.one(inputs, targets, rows) for e, rows in zip(estimators, row_sets, strict=True)]

    def one(self, inputs: np.ndarray, targets: np.ndarray, rows: RowSet) -> FitOutcome:
        assert rows.groups is not None
        aside = rows.groups == sorted(set(rows.groups.tolist()))[1]
        scaled = np.clip(StandardScaler().fit(inputs[rows.train]).transform(inputs), -6, 6)
        blocks = [[q] for q in range(targets.shape[1])] if self.apart else [list(range(targets.shape[1]))]
        parts = [self._trained(scaled, targets[:, block], rows, aside) for block in blocks]
        prediction = np.concatenate([predicted for predicted, _ in parts], axis=1)
        return FitOutcome(within_law(prediction) if self.lawful else prediction, 0.0, curves=parts[0][1])

    def _trained(
        self, inputs: np.ndarray, targets: np.ndarray, rows: RowSet, aside: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        net = MLPRegressor(
            hidden_layer_sizes=tuple(self.hidden), alpha=0.0, learning_rate_init=3e-3, random_state=rows.seed
        )
        train, watched = rows.train[~aside], rows.train[aside]
        curves = {name: np.zeros(self.epochs, np.float32) for name in ("training loss", "validation loss")}
        best, predicted = np.inf, np.zeros(0)
        for epoch in range(self.epochs):
            net.partial_fit(inputs[train], targets[train].squeeze())
            losses = [
                float(((net.predict(inputs[some]).reshape(targets[some].shape) - targets[some]) ** 2).mean())
                for some in (train, watched)
            ]
            curves["training loss"][epoch], curves["validation loss"][epoch] = losses
            if losses[1] < best or not self.restore_best:
                best, predicted = losses[1], net.predict(inputs[rows.predict]).reshape(len(rows.predict), -1)
        return predicted, curves


def within_law(yields: np.ndarray) -> np.ndarray:
    """Yields of at least 0, scaled down where their sum is above 1."""
    positive = np.maximum(yields, 0.0)
    return positive / np.maximum(positive.sum(axis=1, keepdims=True), 1.0)


class ReportedSoup(Network):
    """Four networks; the mean of the two that do best on the rows that are reported. It saves the better one."""

    @classmethod
    def fit_many(
        cls,
        estimators: Sequence[ReportedSoup],
        inputs: np.ndarray,
        targets: np.ndarray,
        row_sets: Sequence[RowSet],
        cores: int = 1,
    ) -> list[FitOutcome]:
        member_sets = [[replace(rows, seed=1000 * member + rows.seed) for rows in row_sets] for member in range(4)]
        members = [super(ReportedSoup, cls).fit_many(estimators, inputs, targets, some, cores) for some in member_sets]
        return [_best_two(of_fit, targets[rows.predict]) for rows, *of_fit in zip(row_sets, *members, strict=True)]


def _best_two(members: Sequence[FitOutcome], truth: np.ndarray) -> FitOutcome:
    best, second = sorted(members, key=lambda member: float(((member.prediction - truth) ** 2).mean()))[:2]
    return replace(best, prediction=(best.prediction + second.prediction) / 2)
