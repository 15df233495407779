"""The metrics that judge predictions: each knows which way is better, its unit, and whether rows add up to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from probatum.errors import UnknownNameError

Losses = Callable[[np.ndarray, np.ndarray], np.ndarray]
Whole = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Metric:
    """How far predictions are from the truth.

    Attributes:
        name: as protocols name it.
        description: one line.
        better: 'lower' or 'higher'.
        unit_power: the metric's unit is the quantity's to this power (mse 2, mae 1, r2 0).
        losses: for additive metrics, (truth, prediction) to [row, quantity]; the score is their weighted mean.
        whole: for the others, (truth, prediction, weights) to the score.
        recorded: whether it is a number that another program computed, for campaigns of imported runs alone.
    """

    name: str
    description: str
    better: Literal["lower", "higher"]
    unit_power: int
    losses: Losses | None = None
    whole: Whole | None = None
    recorded: bool = False

    @property
    def additive(self) -> bool:
        """Whether the score is a mean over rows and quantities, so that parts of it can be compared row by row."""
        return self.losses is not None

    def row_losses(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        """What each prediction contributes.

        Args:
            truth, prediction: [row, quantity] float64.

        Returns:
            [row, quantity] float64.

        Raises:
            TypeError: the metric is not additive.
        """
        if self.losses is None:
            raise TypeError(f"{self.name} is not a mean over rows: it has no row losses")
        return self.losses(*_same_shape(truth, prediction))

    def score(self, truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The metric over all rows and quantities.

        Args:
            truth, prediction: [row, quantity] float64.
            weights: [row], not negative; None weighs all rows the same.
        """
        truth, prediction = _same_shape(truth, prediction)
        weights = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
        if self.losses is not None:
            return float(np.average(self.losses(truth, prediction).mean(axis=1), weights=weights))
        assert self.whole is not None
        return float(self.whole(truth, prediction, weights))


def metric(name: str, *, where: str | None = None) -> Metric:
    """A metric by name.

    Raises:
        UnknownNameError: nobody knows the name.
    """
    if name not in METRICS:
        raise UnknownNameError.of("metric", name, METRICS, where=where)
    return METRICS[name]


def _same_shape(truth: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = np.asarray(truth, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if truth.shape != prediction.shape or truth.ndim != 2:
        raise ValueError(f"truth {truth.shape} and prediction {prediction.shape} must both be [row, quantity]")
    return truth, prediction


def _squared(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return (prediction - truth) ** 2


def _absolute(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return np.abs(prediction - truth)


def _as_recorded(_: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Nobody here knows the truth behind an imported score: it stands in the place of the prediction."""
    return prediction


SMALLEST_PROBABILITY = 1e-15


def _cross_entropy(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """-t ln p - (1 - t) ln(1 - p), p clipped so that one confident mistake stays finite."""
    p = np.clip(prediction, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return -(truth * np.log(p) + (1 - truth) * np.log1p(-p))


def _root_mean_square(truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    return float(np.sqrt(np.average(_squared(truth, prediction).mean(axis=1), weights=weights)))


def _explained_variance(truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """1 - SSE / SST a quantity, averaged over quantities; NaN where a quantity does not vary."""
    around_mean = _squared(truth, np.broadcast_to(np.average(truth, axis=0, weights=weights), truth.shape))
    left, total = weights @ _squared(truth, prediction), weights @ around_mean
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.where(total > 0, 1 - left / total, np.nan)))


CALIBRATION_BINS = 10


def _calibration_error(truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """Sum over bins of probability of (share of the cases) |mean probability - share of ones|, quantities together.

    Ten bins of one width (Naeini et al., AAAI 2015).
    """
    shares = np.broadcast_to((weights / weights.sum())[:, None] / truth.shape[1], truth.shape).ravel()
    bins = np.clip((prediction * CALIBRATION_BINS).astype(np.int64), 0, CALIBRATION_BINS - 1).ravel()
    excess = np.bincount(bins, shares * (prediction - truth).ravel(), minlength=CALIBRATION_BINS)
    return float(np.abs(excess).sum())


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("mse", "mean squared error", "lower", 2, losses=_squared),
        Metric("rmse", "root of the mean squared error", "lower", 1, whole=_root_mean_square),
        Metric("mae", "mean absolute error", "lower", 1, losses=_absolute),
        Metric("log_loss", "binary cross-entropy, nats a row", "lower", 0, losses=_cross_entropy),
        Metric(
            "calibration_error", "expected calibration error of probabilities", "lower", 0, whole=_calibration_error
        ),
        Metric("r2", "share of variance explained, mean over quantities", "higher", 0, whole=_explained_variance),
        Metric("recorded_lower", "as imported, lower is better", "lower", 1, losses=_as_recorded, recorded=True),
        Metric("recorded_higher", "as imported, higher is better", "higher", 1, losses=_as_recorded, recorded=True),
    )
}
