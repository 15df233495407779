"""A run as an image: intensity over time and m/z, in bins, with its background taken off."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numba import njit
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from probatum.errors import DataError
from probatum.problems.gas_chromatography.run import Run

Normalisation = Literal["none", "largest", "each m/z", "sum"]
NORMALISATIONS: tuple[Normalisation, ...] = ("none", "largest", "each m/z", "sum")


def image(run: Run, edges: np.ndarray, lowest: int, highest: int) -> np.ndarray:
    """The mean intensity over the scans of each bin of time, for each whole m/z.

    A scan without a point of some m/z counts as 0 there; a bin without scans is 0.

    Args:
        run: the run.
        edges: [bin + 1] float64, seconds, increasing; a scan at an edge belongs to the later bin.
        lowest, highest: whole m/z, both included; points are counted at the nearest.

    Returns:
        [bin, m/z] float64.

    Raises:
        DataError: edges that do not increase, or an empty range of m/z.
    """
    edges = np.asarray(edges, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise DataError("the edges of the bins of time do not increase", remedy="give two or more, in seconds, sorted")
    if not 0 <= lowest <= highest:
        raise DataError(f"there are no m/z from {lowest} to {highest}", remedy="choose 0 <= lowest <= highest")
    bins = np.searchsorted(edges, run.times, side="right") - 1
    inside = (bins >= 0) & (bins < len(edges) - 1)
    sums = _summed(
        run.offsets, run.masses, run.intensities, np.where(inside, bins, -1), len(edges) - 1, lowest, highest
    )
    scans = np.bincount(bins[inside], minlength=len(edges) - 1)
    return sums / np.maximum(scans, 1)[:, None]


def without_background(intensities: np.ndarray, width: int) -> np.ndarray:
    """Intensities above what each m/z never falls below within a window of time.

    The background is the running minimum, smoothed by a running mean of the same width: column bleed and air change
    slowly, peaks are narrower than the window.

    Args:
        intensities: [bin, m/z] float64.
        width: of the window, bins; wider than peaks.

    Returns:
        [bin, m/z] float64, 0 or more.

    Raises:
        DataError: a width below 1.
    """
    if width < 1:
        raise DataError(f"a window of {width} bins", remedy="choose 1 or more, wider than the peaks")
    lowest = minimum_filter1d(intensities, width, axis=0, mode="nearest")
    return np.maximum(intensities - uniform_filter1d(lowest, width, axis=0, mode="nearest"), 0.0)


def normalised(intensities: np.ndarray, by: Normalisation) -> np.ndarray:
    """Intensities on a common scale.

    Args:
        intensities: [bin, m/z] float64, 0 or more.
        by: 'largest', of the image; 'each m/z', the largest of its column; 'sum', of the image; 'none'.

    Returns:
        [bin, m/z] float64; what would be divided by 0 stays 0.

    Raises:
        DataError: for an unknown normalisation.
    """
    if by not in NORMALISATIONS:
        raise DataError(f"normalisation '{by}'", remedy=f"choose one of: {', '.join(NORMALISATIONS)}")
    if by == "none":
        return intensities
    if by == "sum":
        scale = intensities.sum(keepdims=True)
    else:
        scale = intensities.max(axis=0 if by == "each m/z" else None, keepdims=True)
    return np.divide(intensities, scale, out=np.zeros_like(intensities), where=scale > 0)


@njit(cache=True, nogil=True)
def _summed(
    offsets: np.ndarray,
    masses: np.ndarray,
    intensities: np.ndarray,
    bins: np.ndarray,
    count: int,
    lowest: int,
    highest: int,
) -> np.ndarray:
    sums = np.zeros((count, highest - lowest + 1))
    for scan in range(len(offsets) - 1):
        if bins[scan] < 0:
            continue
        for point in range(offsets[scan], offsets[scan + 1]):
            mass = int(np.rint(masses[point]))
            if lowest <= mass <= highest:
                sums[bins[scan], mass - lowest] += intensities[point]
    return sums
