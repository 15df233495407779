"""The noise floor: what repeated measurements of one sample differ by, which no model can be better than."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum.problems.problem import Dataset


@dataclass(frozen=True)
class NoiseFloor:
    """Pooled variance of repeated measurements.

    Attributes:
        task: of the dataset.
        variance: mean over quantities, in the quantities' unit squared: the least mean squared error on single rows.
        by_quantity: the same for each quantity.
        samples: how many samples were measured more than once.
        degrees: of freedom that the variance rests on.
    """

    task: str
    variance: float
    by_quantity: dict[str, float]
    samples: int
    degrees: int


def noise_floor(dataset: Dataset) -> NoiseFloor | None:
    """The noise floor of a dataset; None where nothing was measured twice.

    Pooled variance sum_g sum_i (y_gi - mean_g)^2 / sum_g (n_g - 1) over samples g with n_g >= 2 measurements.
    """
    if dataset.replicates is None:
        return None
    scorable = dataset.scorable
    truth = dataset.truth.open_for_scoring()[scorable]
    _, sample, counts = np.unique(dataset.replicates[scorable], return_inverse=True, return_counts=True)
    degrees = int((counts - 1).sum())
    if degrees == 0:
        return None
    sums = np.zeros((len(counts), truth.shape[1]))
    np.add.at(sums, sample, truth)
    residual = truth - (sums / counts[:, None])[sample]
    variance = (residual**2).sum(axis=0) / degrees
    by_quantity = dict(zip(dataset.quantity_names, map(float, variance), strict=True))
    return NoiseFloor(dataset.task, float(variance.mean()), by_quantity, int((counts > 1).sum()), degrees)
