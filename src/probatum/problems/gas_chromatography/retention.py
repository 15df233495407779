"""The retention-index axis of a run: from a ladder of known compounds, times to indices and back.

With rungs at times t_i and of indices I_i, a compound at t_i <= t <= t_(i+1) has the index

    I = I_i + (I_(i+1) - I_i) (t - t_i) / (t_(i+1) - t_i)

on a temperature programme (van den Dool and Kratz, J. Chromatogr. A 11 (1963) 463), and with log(t - t_0) in place of
t at one temperature, t_0 being the time of what is not retained (Kovats, Helv. Chim. Acta 41 (1958) 1915). Normal
alkanes of n carbons have the index 100 n; other ladders, such as methyl esters of fatty acids, bring their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Real

from probatum.errors import DataError
from probatum.problems.gas_chromatography.peaks import Peak
from probatum.problems.gas_chromatography.spectra import Spectrum

Ladder = Literal["alkanes", "fatty-acid methyl esters"]
FEWEST_RUNGS = 3
"""That are found in a run, so that a chance likeness is no ladder; two are enough where they are given."""
_STRAIGHT_ESTER = re.compile(r"^\w+ Acid \(C(\d+):0\) ME$")


@dataclass(frozen=True, eq=False)
class RetentionAxis:
    """Times and indices of a ladder.

    Attributes:
        times: [rung] float64, s, increasing.
        indices: [rung] float64, increasing.
        dead_time: t_0, s, of a run at one temperature; None on a temperature programme.
    """

    times: Real[np.ndarray, " _rung"]
    indices: Real[np.ndarray, " _rung"]
    dead_time: float | None = None

    def __post_init__(self) -> None:
        if len(self.times) != len(self.indices) or len(self.times) < 2:
            raise DataError(
                f"a ladder of {len(self.times)} times and {len(self.indices)} indices", remedy="give two or more rungs"
            )
        for what, values in (("times", self.times), ("indices", self.indices)):
            if not (np.isfinite(values).all() and (np.diff(values) > 0).all()):
                raise DataError(f"the {what} of the ladder do not increase", remedy="sort the rungs by their times")
        if self.dead_time is not None and not self.dead_time < self.times[0]:
            raise DataError(
                f"the dead time of {self.dead_time:g} s is not before the first rung at {self.times[0]:g} s",
                remedy="give the time of what is not retained, such as air or methane",
            )

    def index(self, times: Real[np.ndarray, "*time"] | float) -> Float[np.ndarray, "*time"] | np.floating[Any]:
        """Indices at times, s; beyond the ladder as on its last step; nan up to the dead time."""
        return _along(self._scale(np.asarray(times, dtype=np.float64)), self._scale(self.times), self.indices)

    def time(self, indices: Real[np.ndarray, "*index"] | float) -> Float[np.ndarray, "*index"] | np.floating[Any]:
        """Times of indices, s; beyond the ladder as on its last step."""
        found = _along(np.asarray(indices, dtype=np.float64), self.indices, self._scale(self.times))
        return found if self.dead_time is None else self.dead_time + np.exp(found)

    def covers(self, times: Real[np.ndarray, "*time"] | float) -> Bool[np.ndarray, "*time"] | np.bool:
        """Whether times lie between the first and the last rung; others are extrapolated."""
        times = np.asarray(times, dtype=np.float64)
        return (times >= self.times[0]) & (times <= self.times[-1])

    def _scale(self, times: Real[np.ndarray, "*time"]) -> Real[np.ndarray, "*time"]:
        if self.dead_time is None:
            return times
        adjusted = times - self.dead_time
        return np.log(adjusted, out=np.full_like(adjusted, np.nan), where=adjusted > 0)


@dataclass(frozen=True)
class Rung:
    """One compound of a ladder found in a run.

    Attributes:
        carbons: of the alkane, or of the fatty acid.
        index: its retention index.
        peak: that it came out in.
    """

    carbons: int
    index: float
    peak: Peak


def ester_indices(library: Sequence[Spectrum]) -> dict[int, float]:
    """Retention indices of the methyl esters of straight saturated fatty acids, by carbons of the acid.

    Args:
        library: names such as 'Hexadecanoic Acid (C16:0) ME', as in FAME.msl.

    Raises:
        DataError: the library has fewer than two of them.
    """
    found: dict[int, list[float]] = {}
    for spectrum in library:
        match = _STRAIGHT_ESTER.match(spectrum.name)
        if match is not None and spectrum.retention_index is not None:
            found.setdefault(int(match[1]), []).append(spectrum.retention_index)
    if len(found) < 2:
        raise DataError("the library has no ladder of fatty-acid methyl esters", remedy="give FAME.msl or one like it")
    return {carbons: float(np.mean(found[carbons])) for carbons in sorted(found)}


def find_ladder(peaks: Sequence[Peak], ladder: Ladder, indices: Mapping[int, float] | None = None) -> list[Rung]:
    """The rungs of a ladder among the peaks of a run.

    Compounds are told by their fragments and their molecular ion; of several peaks that look alike, such as those of
    branched isomers, the largest is taken. Rungs whose order is not that of their carbons are left out.

    Args:
        peaks: of the run.
        ladder: what it is made of.
        indices: by carbons; not needed for alkanes.

    Returns:
        Rungs in the order of time.

    Raises:
        DataError: fewer than `FEWEST_RUNGS` were found, or esters without indices.
    """
    if ladder == "fatty-acid methyl esters" and not indices:
        raise DataError("no indices of the methyl esters", remedy="give those of FAME.msl (ester_indices)")
    known = indices or {carbons: 100.0 * carbons for carbons in range(6, 61)}
    carbons_of = _alkane if ladder == "alkanes" else _ester
    largest: dict[int, Peak] = {}
    for peak in peaks:
        carbons = carbons_of(peak)
        if carbons is None or carbons not in known:
            continue
        if carbons not in largest or peak.height > largest[carbons].height:
            largest[carbons] = peak
    rungs = _in_order([Rung(carbons, known[carbons], largest[carbons]) for carbons in sorted(largest)])
    if len(rungs) < FEWEST_RUNGS:
        raise DataError(
            f"{len(rungs)} of the {ladder} were found in the run",
            remedy=f"a ladder needs {FEWEST_RUNGS}; inject one, or give times and indices",
        )
    return rungs


def axis_of(rungs: Sequence[Rung], dead_time: float | None = None) -> RetentionAxis:
    """The axis of rungs in the order of time; dead_time as in `RetentionAxis`."""
    times = np.array([rung.peak.apex for rung in rungs])
    return RetentionAxis(times, np.array([rung.index for rung in rungs]), dead_time)


def _alkane(peak: Peak) -> int | None:
    """Carbons of a normal alkane, C_n H_(2n+2), by its alkyl ions 43, 57, 71, ... and its molecular ion."""
    share = _shares(peak)
    alkyl = [share.get(mass, 0.0) for mass in (43, 57, 71, 85, 99)]
    falling = alkyl[1] > alkyl[2] > alkyl[3] > alkyl[4] > 0
    if not falling or max(alkyl[:2]) < 1 or sum(alkyl) < 0.4 * sum(share.values()):
        return None
    carbons = _by_molecular_ion(share, lambda n: 14 * n + 2, lost=29)
    return carbons if carbons is not None and carbons >= 6 else None


def _ester(peak: Peak) -> int | None:
    """Carbons of the acid in a methyl ester, C_(n+1) H_(2n+2) O2, by m/z 74 and 87, and M and M - 31."""
    share = _shares(peak)
    rearranged, next_one = share.get(74, 0.0), share.get(87, 0.0)
    if rearranged < 0.5 or not 0.2 * rearranged < next_one < 1.3 * rearranged:
        return None
    return _by_molecular_ion(share, lambda n: 14 * n + 46, lost=31)


def _by_molecular_ion(share: dict[int, float], mass_of: Callable[[int], int], lost: int) -> int | None:
    """Carbons of the largest molecular ion that a spectrum has together with that of a loss, and little above it."""
    heaviest = max(share)
    for carbons in range(70, 3, -1):
        mass = mass_of(carbons)
        if mass > heaviest or mass not in share or mass - lost not in share:
            continue
        above = sum(part for other, part in share.items() if other > mass + 2)
        return carbons if above < 0.02 else None
    return None


def _shares(peak: Peak) -> dict[int, float]:
    """m/z to intensity over the largest, without ions of less than a thousandth."""
    parts = peak.spectrum / peak.spectrum.max()
    return {int(mass): float(part) for mass, part in zip(peak.masses, parts, strict=True) if part >= 1e-3}


def _in_order(rungs: list[Rung]) -> list[Rung]:
    """The longest sequence of rungs, sorted by carbons, whose times increase."""
    best: list[list[Rung]] = []
    for rung in rungs:
        before = [chain for chain in best if chain[-1].peak.apex < rung.peak.apex]
        best.append([*max(before, key=len, default=[]), rung])
    return max(best, key=len, default=[])


def _along(
    values: Real[np.ndarray, "*value"], knots: Real[np.ndarray, " knot"], results: Real[np.ndarray, " knot"]
) -> Float[np.ndarray, "*value"] | np.floating[Any]:
    """Linearly between knots, and beyond them as on the first and the last step."""
    step = np.clip(np.searchsorted(knots, values) - 1, 0, len(knots) - 2)
    slope = (results[step + 1] - results[step]) / (knots[step + 1] - knots[step])
    return results[step] + (values - knots[step]) * slope
