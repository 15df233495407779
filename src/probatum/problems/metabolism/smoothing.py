"""Errors in variables: the regressors are made of measured concentrations, so their errors stand on the right side too.

`rate_variances` says how large those errors are; a scalar Kalman filter and Rauch-Tung-Striebel smoother for each
metabolite takes most of them off:

    c_i(t+1) = c_i(t) + h f_i(t) + e,   var e = h^2 sigma^2 sum_a (df_i / dc_a)^2,   measured with variance sigma^2.

The process noise is no setting: it is the error that measured concentrations leave in the rates f_i (Rauch, Tung and
Striebel, AIAA Journal 3, 1445, 1965, for the smoother).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from probatum.problems.metabolism.kinetics import Metabolism
from probatum.problems.metabolism.kinetics_kernel import compiled
from probatum.problems.metabolism.regression import Regression
from probatum.problems.metabolism.shooting_kernel import rate_slopes_into
from probatum.problems.metabolism.trajectory import Trajectory

LEAST = 1e-6
"""Process noise is at least this part of the measurement's variance, so that the filter keeps listening."""


def rate_variances(metabolism: Metabolism, constants: np.ndarray, concentrations: np.ndarray) -> np.ndarray:
    """Variance of dc_i/dt for errors of variance 1 in the concentrations behind it: [frame, metabolite] float64.

    Reactions between the same metabolites count as if their errors were independent.
    """
    found = np.empty_like(concentrations)
    rate_slopes_into(found, concentrations, constants, *metabolism.packed)
    return found


def smoothed(metabolism: Metabolism, constants: np.ndarray, trajectory: Trajectory) -> Trajectory:
    """The trajectory with most of its noise taken off by the metabolism itself, none negative.

    Args:
        metabolism: of the constants.
        constants: k, [reaction], from a first fit.
        trajectory: as measured, its noise above 0; a clean one comes back as it is.
    """
    if trajectory.noise == 0:
        return trajectory
    c, h = trajectory.concentrations, trajectory.step
    rates = (metabolism.network.stoichiometry @ (constants[:, None] * metabolism.propensities(c[:-1]))).T
    drift = h * (rates - metabolism.decay * (c[:-1] - metabolism.level))
    measurement = trajectory.noise**2
    process = measurement * np.maximum(h * h * rate_variances(metabolism, constants, c[:-1]), LEAST)
    found = np.empty_like(c)
    smooth_into(found, c, drift, process, measurement)
    return replace(trajectory, concentrations=np.maximum(found, 0.0))


def weighted(regression: Regression, constants: np.ndarray, trajectory: Trajectory) -> Regression:
    """The regression with windows weighed by the error that noise leaves in their sums of rates.

    A sum over n steps has the error of its concentration, variance 1, and that of the rates: a random walk, whose
    variance about its mean is n / 6 of a step's. Windows with spikes so count less.
    """
    h, frames = trajectory.step, regression.form.weights.shape[1]
    variances = h * h * rate_variances(regression.metabolism, constants, trajectory.concentrations)
    starts = np.arange(len(regression.used)) * regression.form.shift
    walks = np.stack([variances[s : s + frames].sum(axis=0) for s in starts]) / 6
    return replace(regression, used=regression.used / (1 + walks))


@compiled
def smooth_into(
    found: np.ndarray, measured: np.ndarray, drift: np.ndarray, process: np.ndarray, measurement: float
) -> None:
    """Filters forwards and smooths backwards, each metabolite for itself."""
    frames = measured.shape[0]
    mean, variance = np.empty(frames), np.empty(frames)
    for i in range(measured.shape[1]):
        mean[0], variance[0] = measured[0, i], measurement
        for t in range(1, frames):
            forecast, spread = mean[t - 1] + drift[t - 1, i], variance[t - 1] + process[t - 1, i]
            gain = spread / (spread + measurement)
            mean[t] = forecast + gain * (measured[t, i] - forecast)
            variance[t] = (1.0 - gain) * spread
        found[frames - 1, i] = mean[frames - 1]
        for t in range(frames - 2, -1, -1):
            spread = variance[t] + process[t, i]
            found[t, i] = mean[t] + variance[t] / spread * (found[t + 1, i] - mean[t] - drift[t, i])
