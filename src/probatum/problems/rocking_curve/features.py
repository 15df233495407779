"""What networks see of a rocking curve."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from probatum.problems.problem import Dataset, Feature

SMALLEST = 1e-10
"""Added to intensities, so that a logarithm exists where nothing was counted."""
BIN = 8
"""Angles in a bin."""


def log_intensity(dataset: Dataset) -> Float[np.ndarray, "case angle"]:
    """log10(I + 1e-10), each curve stretched from 0 at its smallest to 1 at its largest point: [case, angle]."""
    return _stretched(np.log10(np.asarray(dataset.observations["intensity"]) + SMALLEST))


def log_counts(dataset: Dataset) -> Float[np.ndarray, "case angle"]:
    """log10(I + 1), not stretched, so that brightness and background stay visible: [case, angle]."""
    return np.log10(np.asarray(dataset.observations["intensity"]) + 1.0)


def log_bins(dataset: Dataset) -> Float[np.ndarray, "case bin"]:
    """`log_intensity` of counts added up over `BIN` neighbouring angles, for small networks: [case, bin]."""
    intensity = np.asarray(dataset.observations["intensity"])
    return _stretched(np.log10(np.add.reduceat(intensity, np.arange(0, intensity.shape[1], BIN), axis=1) + SMALLEST))


def _stretched(logarithms: Float[np.ndarray, "case place"]) -> Float[np.ndarray, "case place"]:
    low, high = logarithms.min(axis=1, keepdims=True), logarithms.max(axis=1, keepdims=True)
    return (logarithms - low) / np.where(high > low, high - low, 1.0)


FEATURES: Mapping[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("log-intensity", "log10 of the intensity, every curve stretched to 0..1, [angle]", log_intensity),
        Feature("log-bins", f"the same of counts added up over {BIN} neighbouring angles, [bin]", log_bins),
        Feature("log-counts", "log10 of 1 + intensity, [angle]", log_counts),
    )
}
