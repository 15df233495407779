"""Which families are in a run, and what in it speaks for or against each of them.

Parts of a run are its peaks, and bands: signals too slow for peaks, such as gases of heated minerals. A part can be
taken away: in place of a peak the background is left, in place of a band the lowest level of its m/z. What a part says
for a family is the mean of two changes of its log-odds: how much they fall where the part is missed in the whole run,
and how much they rise where it is all that stands on the empty one. Of ten peaks that show an aromatic ring, none is
missed, but each says so alone. (These are the first and the last term of the Shapley value of a part.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from probatum.problems.gas_chromatography.background import Traces, traces
from probatum.problems.gas_chromatography.calibration import log_odds_of
from probatum.problems.gas_chromatography.families import FAMILIES
from probatum.problems.gas_chromatography.observed_runs import BIN, BINS, HIGHEST, LOWEST
from probatum.problems.gas_chromatography.peaks import Peak, peak_list
from probatum.problems.gas_chromatography.run import Run
from probatum.problems.gas_chromatography.simulator import HELIUM

MOST_PEAKS = 60
"""The largest are asked what they say; each costs two predictions."""
MOST_BANDS = 8
LEAST_BAND = 100.0
"""Counts by which the slow signal of an m/z has to rise to be a band."""
ALIKE = 0.9
"""Correlation over time of the slow signals of m/z that make one band."""
POINTS_AT_ONCE = 4_000_000
"""Of the runs that are predicted together."""
AIR = (18, 28, 32, 40, 44)
"""m/z of water and air, which come and go in leaks; their peaks are not listed."""


@runtime_checkable
class Model(Protocol):
    """Calibrated probabilities of families."""

    def predict(self, runs: Sequence[Run]) -> Float[np.ndarray, "run family"]:
        """[run, family] float64, in the order of `FAMILIES`."""
        ...


@dataclass(frozen=True, eq=False)
class Band:
    """A slow signal.

    Attributes:
        start, end: s, where it is above half its largest.
        height: by how much its m/z together rise, intensity.
        masses: [ion] int64, whole m/z, increasing.
    """

    start: float
    end: float
    height: float
    masses: Int[np.ndarray, " ion"]


@dataclass(frozen=True, eq=False)
class Prediction:
    """The families of one run.

    Attributes:
        name: of the run.
        run: it.
        traces: its chromatograms.
        probabilities: [family] float64, in the order of `FAMILIES`.
        peaks: all of them, in the order of time.
        bands: the highest ones, in the order of their beginnings.
        peaks_missed, peaks_alone: [peak, family] float64, by how much each raises the log-odds of the run, and of an
            empty one; nan for peaks that were not asked.
        bands_missed, bands_alone: [band, family] float64, the same.
        remarks: what in the run the model was not made for.
    """

    name: str
    run: Run
    traces: Traces
    probabilities: Float[np.ndarray, " family"]
    peaks: tuple[Peak, ...]
    bands: tuple[Band, ...]
    peaks_missed: Float[np.ndarray, "peak family"]
    peaks_alone: Float[np.ndarray, "peak family"]
    bands_missed: Float[np.ndarray, "band family"]
    bands_alone: Float[np.ndarray, "band family"]
    remarks: tuple[str, ...]

    @property
    def peaks_say(self) -> Float[np.ndarray, "peak family"]:
        """[peak, family] float64: what each says for each family, as a change of log-odds."""
        return (self.peaks_missed + self.peaks_alone) / 2

    @property
    def bands_say(self) -> Float[np.ndarray, "band family"]:
        """[band, family] float64: the same."""
        return (self.bands_missed + self.bands_alone) / 2


def predict_run(
    run: Run, model: Model, *, most_peaks: int = MOST_PEAKS, progress: Callable[[int, int], None] | None = None
) -> Prediction:
    """The families of a run, and what speaks for them.

    Args:
        run: any.
        model: that predicts.
        most_peaks: that are asked what they say; 0 for none of them, and no bands.
        progress: told how many of how many predictions are made.
    """
    found = traces(run)
    peaks = peak_list(run, ignored=AIR)
    bands = slow_bands(found) if most_peaks else ()
    largest = sorted(np.argsort([-peak.height for peak in peaks], kind="stable")[:most_peaks].tolist())
    removal = Removal.of(run, found, peaks, bands)
    asked = [*largest, *range(len(peaks), len(peaks) + len(bands))]
    every = range(len(peaks) + len(bands))
    away: list[Collection[int]] = [(), every] if asked else [()]
    for part in asked:
        away += [(part,), [other for other in every if other != part]]
    at_once = max(1, POINTS_AT_ONCE // len(run.masses))
    log_odds = _predicted(away, removal, model, at_once, progress)
    missed = np.full((len(every), len(FAMILIES)), np.nan)
    alone = missed.copy()
    if asked:
        missed[asked] = log_odds[0] - log_odds[2::2]
        alone[asked] = log_odds[3::2] - log_odds[1]
    count = len(peaks)
    return Prediction(
        run.name,
        run,
        found,
        1 / (1 + np.exp(-log_odds[0])),
        peaks,
        bands,
        missed[:count],
        alone[:count],
        missed[count:],
        alone[count:],
        remarks_on(run, peaks),
    )


@dataclass(frozen=True, eq=False)
class Removal:
    """What of each point of a run goes away with each of its parts.

    Attributes:
        run: the run.
        points: of each peak, then of each band: [own point] int64, positions in the run.
        amounts: of each: [own point] float64, intensity that goes away with it.
        peaks: how many of them are peaks; two that overlap take away the same.
    """

    run: Run
    points: tuple[Int[np.ndarray, " _own"], ...]
    amounts: tuple[Float[np.ndarray, " _own"], ...]
    peaks: int

    @classmethod
    def of(cls, run: Run, found: Traces, peaks: Sequence[Peak], bands: Sequence[Band]) -> Removal:
        """For the peaks and bands of a run whose chromatograms are given."""
        scans, whole = run.scan_of_point, np.rint(run.masses).astype(np.int64)
        columns = whole - found.lowest
        measured = found.measured[scans, columns]
        # Points of one whole m/z in a scan share what goes away by their intensities.
        share = np.divide(run.intensities, measured, out=np.zeros_like(measured), where=measured > 0)
        above = np.maximum(run.intensities - share * found.background[scans, columns], 0.0)
        points, amounts = [], []
        for peak in peaks:
            first, last = np.searchsorted(run.times, [peak.start, peak.end])
            near = np.arange(int(run.offsets[first]), int(run.offsets[min(int(last) + 1, len(run))]))
            own = near[np.isin(whole[near], peak.masses)]
            points.append(own)
            amounts.append(above[own])
        rise = found.background - _lowest(found.background)
        for band in bands:
            own = np.flatnonzero(np.isin(whole, band.masses))
            points.append(own)
            amounts.append(np.minimum(share[own] * rise[scans[own], columns[own]], run.intensities[own]))
        return cls(run, tuple(points), tuple(amounts), len(peaks))

    def without(self, parts: Collection[int]) -> Run:
        """The run without some of its parts, numbered as they are in `points`.

        Points that fall below the smallest intensity of the run would not have been recorded, and are left out.
        """
        if not parts:
            return self.run
        of_peaks, of_bands = np.zeros_like(self.run.intensities), np.zeros_like(self.run.intensities)
        for part in parts:
            (of_peaks if part < self.peaks else of_bands)[self.points[part]] = self.amounts[part]
        intensities = self.run.intensities - of_peaks - of_bands
        least = self.run.intensities[self.run.intensities > 0].min(initial=np.inf)
        kept = (intensities >= least) | (of_peaks + of_bands == 0)
        offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)[self.run.offsets]
        return replace(self.run, offsets=offsets, masses=self.run.masses[kept], intensities=intensities[kept])


def slow_bands(found: Traces) -> tuple[Band, ...]:
    """The highest slow signals of a run; m/z that rise and fall together are one."""
    rise = found.background - _lowest(found.background)
    tops = rise.max(axis=0)
    left = [int(column) for column in np.argsort(-tops, kind="stable") if tops[column] >= LEAST_BAND]
    bands = []
    while left and len(bands) < MOST_BANDS:
        leader = rise[:, left[0]]
        alike = [column for column in left if np.corrcoef(leader, rise[:, column])[0, 1] >= ALIKE]
        together = rise[:, alike].sum(axis=1)
        high = np.flatnonzero(together >= together.max() / 2)
        start, end = float(found.times[high[0]]), float(found.times[high[-1]])
        bands.append(Band(start, end, float(together.max()), found.lowest + np.sort(np.array(alike))))
        left = [column for column in left if column not in alike]
    return tuple(sorted(bands, key=lambda band: band.start))


def remarks_on(run: Run, peaks: Sequence[Peak]) -> tuple[str, ...]:
    """What in a run the model was not made for, and what is missing in it."""
    low, high = int(np.rint(run.masses.min())), int(np.rint(run.masses.max()))
    said = list(run.remarks)
    if run.times[-1] > BIN * BINS:
        said.append(
            f"the run lasts {run.times[-1] / 60:.1f} min; single spectra are looked at up to {BIN * BINS / 60:g} min"
        )
    if low > 40:
        said.append(f"recorded from m/z {low} on: what is below, from m/z {LOWEST}, speaks for no family")
    if high < 150:
        said.append(f"recorded up to m/z {high} only: the model knows m/z up to {HIGHEST}")
    if low > HELIUM or not (np.rint(run.masses) == HELIUM).any():
        said.append("no carrier gas was recorded at m/z 4; it was in all runs that the model learned from")
    if not peaks:
        said.append("no peaks were found: a blank, or nothing that comes out of the column")
    return tuple(said)


def _lowest(slow: Float[np.ndarray, "scan mass"]) -> Float[np.ndarray, " mass"]:
    """[m/z] the level that slow signals [scan, m/z] hardly fall below."""
    return np.quantile(slow, 0.05, axis=0)


def _predicted(
    away: Sequence[Collection[int]],
    removal: Removal,
    model: Model,
    at_once: int,
    progress: Callable[[int, int], None] | None,
) -> Float[np.ndarray, "run family"]:
    """[run, family] log-odds without some parts each; a few runs at a time, for all would not fit into memory."""
    found = []
    for first in range(0, len(away), at_once):
        found.append(log_odds_of(model.predict([removal.without(parts) for parts in away[first : first + at_once]])))
        if progress is not None:
            progress(min(first + at_once, len(away)), len(away))
    return np.concatenate(found)
