"""What lies under the peaks of a run: column bleed, air and water, which change slowly; taken off each m/z alone.

The background of an m/z is the median of short blocks of time, of which, over a wider window, the lower quartile is
taken, raised to the middle of the noise and smoothed. Blocks are wider than a peak, the window is much wider: a dozen
peaks may stand in it. Noise is told apart from signal by differences of neighbouring scans.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import percentile_filter, uniform_filter1d

from probatum.errors import DataError
from probatum.problems.gas_chromatography.images import image
from probatum.problems.gas_chromatography.run import Run

BLOCK = 8.0
"""Seconds; wider than two or three scans, narrower than the crowd of peaks in a window."""
WINDOW = 90.0
"""Seconds; much wider than peaks, much narrower than a temperature programme."""


@dataclass(frozen=True, eq=False)
class Traces:
    """The chromatograms of all whole m/z of a run.

    Attributes:
        times: [scan] float64, s.
        lowest: whole m/z of the first column.
        measured: [scan, m/z] float64, intensity; 0 where nothing was recorded.
        background: [scan, m/z] float64, of it.
    """

    times: Float[np.ndarray, " scan"]
    lowest: int
    measured: Float[np.ndarray, "scan mass"]
    background: Float[np.ndarray, "scan mass"]

    @property
    def masses(self) -> Int[np.ndarray, " mass"]:
        """[m/z] int64: the whole m/z of the columns."""
        return self.lowest + np.arange(self.measured.shape[1])

    @property
    def peaks(self) -> Float[np.ndarray, "scan mass"]:
        """[scan, m/z] float64: what is above the background; below 0 where noise goes below it."""
        return self.measured - self.background


def traces(run: Run, window: float = WINDOW) -> Traces:
    """The chromatograms of all whole m/z that a run has, with their background.

    Args:
        run: the run.
        window: see `background`.
    """
    lowest, highest = int(np.rint(run.masses.min())), int(np.rint(run.masses.max()))
    between = (run.times[1:] + run.times[:-1]) / 2
    first, last = run.times[0] - 1.0, run.times[-1] + 1.0
    measured = image(run, np.concatenate([[first], between, [last]]), lowest, highest)
    return Traces(run.times, lowest, measured, background(measured, run.times, window))


def background(
    intensities: Float[np.ndarray, "scan mass"], times: Float[np.ndarray, " scan"], window: float = WINDOW
) -> Float[np.ndarray, "scan mass"]:
    """What lies under the peaks.

    Args:
        intensities: [scan, m/z] float64.
        times: [scan] float64, s, increasing.
        window: width, s; several times wider than peaks.

    Returns:
        [scan, m/z] float64, 0 or more.

    Raises:
        DataError: a window that holds fewer than three blocks.
    """
    if not window >= 3 * BLOCK:
        raise DataError(f"a window of {window:g} s", remedy=f"choose {3 * BLOCK:g} s or more, wider than the peaks")
    span = float(times[-1] - times[0])
    count = max(1, round(span / BLOCK))
    edges = np.searchsorted(times, np.linspace(times[0], times[-1], count + 1)[1:-1])
    starts = np.unique(np.concatenate([[0], edges]))
    blocks = np.split(np.arange(len(times)), starts[1:])
    medians = np.stack([np.median(intensities[block], axis=0) for block in blocks])
    centres = np.array([times[block].mean() for block in blocks])
    wide = max(3, round(window / BLOCK))
    quartile = _running(medians, 25, wide)
    # The quartile is below the middle of the noise, and lags behind on a slope. What is left tells by how much, where
    # it lies no further above the quartile than noise does, which is as far as noise lies below it.
    left = medians - uniform_filter1d(quartile, wide, axis=0, mode="nearest")
    low, lower = _running(left, 25, wide), _running(left, 10, wide)
    middle = _running(np.minimum(left, low + 2.5 * (low - lower)), 50, wide)
    smooth = uniform_filter1d(quartile + middle, wide, axis=0, mode="nearest")
    return _interpolated(times, centres, np.maximum(smooth, 0.0))


def run_without_background(run: Run, window: float = WINDOW) -> Run:
    """The run with the background of each whole m/z taken off its points; points at or below it are left out.

    Several points of a scan at one whole m/z share its background by their intensities.

    Args:
        run: the run.
        window: see `background`.
    """
    found = traces(run, window)
    columns = np.rint(run.masses).astype(np.int64) - found.lowest
    scans = run.scan_of_point
    measured, under = found.measured[scans, columns], found.background[scans, columns]
    share = np.divide(run.intensities, measured, out=np.zeros_like(measured), where=measured > 0)
    left = run.intensities - share * under
    kept = left > 1e-9 * run.intensities
    counts = np.bincount(scans[kept], minlength=len(run))
    return replace(
        run,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        masses=run.masses[kept],
        intensities=left[kept],
        remarks=(*run.remarks, f"background of each m/z over {window:g} s was taken off"),
    )


def noise_gain(found: Traces) -> float:
    """The variance of intensities over their mean, as that of counts times a gain.

    From differences of neighbouring scans where peaks are small beside the background: half their mean square over the
    mean, of each block of 16 scans and each m/z; the median of these.

    Returns:
        The gain; 1 where no m/z has a background.
    """
    length = len(found.times) // 16 * 16
    shape = (-1, 16, found.measured.shape[1])
    measured, under = found.measured[:length].reshape(shape), found.background[:length].reshape(shape)
    mean = measured.mean(axis=1)
    level = under.mean(axis=1)
    quiet = (level > 0) & (mean < 1.3 * level) & (measured.min(axis=1) > 0)
    variance = (np.diff(measured, axis=1) ** 2).mean(axis=1) / 2
    return float(np.median(variance[quiet] / mean[quiet])) if quiet.any() else 1.0


def _running(values: Float[np.ndarray, "block mass"], percent: float, wide: int) -> Float[np.ndarray, "block mass"]:
    """The running quantile of each column."""
    return percentile_filter(values, percent, size=(wide, 1), mode="nearest")


def _interpolated(
    times: Float[np.ndarray, " scan"], centres: Float[np.ndarray, " block"], values: Float[np.ndarray, "block mass"]
) -> Float[np.ndarray, "scan mass"]:
    """Values [block, m/z] at centres, linearly at other times; constant beyond the first and the last."""
    if len(centres) == 1:
        return np.repeat(values, len(times), axis=0)
    left = np.clip(np.searchsorted(centres, times) - 1, 0, len(centres) - 2)
    share = np.clip((times - centres[left]) / (centres[left + 1] - centres[left]), 0.0, 1.0)[:, None]
    return (1 - share) * values[left] + share * values[left + 1]
